//! Accurate ECN feedback (RFC 9768): counts of packets and bytes by codepoint, fed back in three bits of
//! each header (ACE) and in an option; and the negotiation.
//!
//! Paths that change codepoints or clear ACE are detected in the handshake and in the first feedback after
//! it (sections 3.2.2.3, 3.2.2.4 and 3.2.3.2.4).
//!
//! Leaves out: the reset where classic and accurate SYNs are mixed; and the advice to distrust marks on all
//! packets of the first rounds, because a step threshold in a congested network marks them all too.

mod option_path;

use option_path::OptionPath;

use crate::options::{Options, TcpOption};
use crate::segment::{Ecn, Flags};
use crate::seq::SeqNum;

/// The bits of ACE.
pub(crate) const ACE: Flags = Flags(Flags::AE.0 | Flags::CWR.0 | Flags::ECE.0);

/// Kinds of the option: the counter of ECT(0) comes first, or that of ECT(1).
const ECT0_FIRST: u8 = 172;
const ECT1_FIRST: u8 = 174;

/// The moduli of ACE and of the option's fields.
const DIVACE: u32 = 8;
const DIVOPT: u32 = 1 << 24;
/// Segments smaller than a full one by more than this factor are unlikely (appendix A.2.2).
const SAFETY_FACTOR: u32 = 2;
/// Number of CE packets after which an ACK is sent at once (section 3.2.2.5.1).
const MOST_UNREPORTED: u8 = 2;

/// How congestion marks are fed back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EcnFeedback {
    /// Not at all.
    None,
    /// RFC 3168.
    Classic,
    /// RFC 9768.
    Accurate,
}

/// AE, CWR and ECE as a number.
pub(crate) fn ace(flags: Flags) -> u8 {
    let bit = |is: bool, value: u8| if is { value } else { 0 };
    bit(flags.is_ae(), 4) | bit(flags.is_cwr(), 2) | bit(flags.is_ece(), 1)
}

/// The flags for an ACE value.
pub(crate) fn ace_flags(ace: u8) -> Flags {
    let bit = |value: u8, flag: Flags| if ace & value != 0 { flag } else { Flags::NONE };
    bit(4, Flags::AE) | bit(2, Flags::CWR) | bit(1, Flags::ECE)
}

/// Tables 2 and 3: how a SYN-ACK, or its ACK, reports the codepoint of the previous segment.
pub(crate) fn handshake_code(arrived: Ecn) -> u8 {
    match arrived {
        Ecn::NotEct => 0b010,
        Ecn::Ect1 => 0b011,
        Ecn::Ect0 => 0b100,
        Ecn::Ce => 0b110,
    }
}

/// Table 2 and section 3.1.3: how a server with accurate ECN interprets a SYN.
pub(crate) fn asked_for(syn: Flags) -> EcnFeedback {
    match ace(syn) {
        0b000 => EcnFeedback::None,
        0b011 => EcnFeedback::Classic,
        _ => EcnFeedback::Accurate,
    }
}

/// Table 2 and section 3.1.3: how a client that has requested accurate ECN interprets a SYN-ACK.
pub(crate) fn granted(syn_ack: Flags) -> EcnFeedback {
    match ace(syn_ack) {
        0b000 | 0b111 => EcnFeedback::None,
        0b001 => EcnFeedback::Classic,
        _ => EcnFeedback::Accurate,
    }
}

/// The codepoint that such a code reports; `None` for a code without meaning.
fn reported(code: u8) -> Option<Ecn> {
    match code {
        0b010 => Some(Ecn::NotEct),
        0b011 => Some(Ecn::Ect1),
        0b100 => Some(Ecn::Ect0),
        0b110 => Some(Ecn::Ce),
        _ => None,
    }
}

/// Section 3.2.2.3: no honest path turns one codepoint into the other.
fn is_invalid(sent: Ecn, arrived: Ecn) -> bool {
    (sent == Ecn::NotEct) != (arrived == Ecn::NotEct) || (sent == Ecn::Ce && arrived != Ecn::Ce)
}

/// Payload bytes by codepoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct CodepointBytes {
    ce: u32,
    ect0: u32,
    ect1: u32,
}

/// Section 3.2.1.
const FIRST_BYTES: CodepointBytes = CodepointBytes {
    ce: 0,
    ect0: 1,
    ect1: 1,
};
const FIRST_CEP: u32 = 5;

/// Marks newly reported by an ACK.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct ReportedMarks {
    /// Packets that arrived with CE.
    pub(crate) packets: u32,
    /// Payload bytes in them; an estimate without the option.
    pub(crate) bytes: u32,
}

/// The counters of one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AccEcn {
    /// r.cep and the byte counters of received packets.
    cep: u32,
    bytes: CodepointBytes,
    /// s.cep and the byte counters reported by the peer.
    peer_cep: u32,
    peer_bytes: CodepointBytes,
    /// The byte counters last put into an option.
    reported: CodepointBytes,
    /// CE packets since the last ACK, and whether the last packet was one.
    unreported: u8,
    last_was_ce: bool,
    /// The codepoint of the SYN, or of the SYN-ACK until its ACK is sent.
    handshake: Option<Ecn>,
    /// The codepoint with which the SYN or SYN-ACK of this end left.
    sent: Ecn,
    /// The peer has shown that codepoints do not come through: nothing is sent with ECT.
    mangled: bool,
    /// ACE came cleared: what it says of marks is not believed (section 3.2.2.4).
    cleared: bool,
    /// The counters of the option came cleared: it is not read (section 3.2.3.2.4).
    option_cleared: bool,
    /// The first feedback after the handshake is still to come.
    awaits_feedback: bool,
    /// The option is due in the next ACK, changed counters or not (section 3.2.3.2.1).
    option_due: bool,
    /// Whether segments with the option get through.
    path: OptionPath,
    /// Reported but not yet passed to the congestion control.
    pub(crate) pending: ReportedMarks,
}

impl Default for AccEcn {
    fn default() -> AccEcn {
        AccEcn {
            cep: FIRST_CEP,
            bytes: FIRST_BYTES,
            peer_cep: FIRST_CEP,
            peer_bytes: FIRST_BYTES,
            reported: FIRST_BYTES,
            unreported: 0,
            last_was_ce: false,
            handshake: None,
            sent: Ecn::NotEct,
            mangled: false,
            cleared: false,
            option_cleared: false,
            awaits_feedback: true,
            option_due: true,
            path: OptionPath::default(),
            pending: ReportedMarks::default(),
        }
    }
}

impl AccEcn {
    /// A server that has received a SYN with this codepoint.
    pub(crate) fn server(syn: Ecn) -> AccEcn {
        AccEcn {
            handshake: Some(syn),
            ..AccEcn::default()
        }
    }

    /// The SYN or SYN-ACK of this end leaves with this codepoint.
    pub(crate) fn on_handshake_sent(&mut self, ecn: Ecn) {
        self.sent = ecn;
    }

    /// The SYN came again, with this codepoint: the SYN-ACK reports that of the latest (section 3.1.5).
    pub(crate) fn on_syn_again(&mut self, arrived: Ecn) {
        self.handshake = Some(arrived);
    }

    /// The SYN-ACK came with this codepoint and these flags and options: its ACK reports the codepoint,
    /// and CE counts.
    pub(crate) fn on_syn_ack(&mut self, arrived: Ecn, flags: Flags, options: &Options) {
        self.handshake = Some(arrived);
        self.path.test_with_data();
        if arrived == Ecn::Ce {
            self.cep += 1;
        }
        self.compare(ace(flags));
        self.check_option(options);
    }

    /// The peer tells with a code how the handshake packet of this end arrived.
    fn compare(&mut self, code: u8) {
        self.mangled |= reported(code).is_some_and(|arrived| is_invalid(self.sent, arrived));
    }

    /// The first option: ECT counters begin with 1 at least.
    fn check_option(&mut self, options: &Options) {
        let Some((_, data)) = option_of(options) else {
            return;
        };
        // The counter of CE is the second field, and may be zero.
        let mut ect = data.chunks_exact(3).step_by(2);
        self.option_cleared |= ect.any(|field| field == [0, 0, 0]);
    }

    /// The flags of the SYN-ACK.
    pub(crate) fn syn_ack_flags(&self) -> Flags {
        ace_flags(handshake_code(self.handshake.unwrap_or(Ecn::NotEct)))
    }

    /// Table 4: interprets the ACE of the ACK of the SYN-ACK.
    pub(crate) fn on_last_ack(&mut self, ace: u8) {
        self.handshake = None;
        match ace {
            0b110 => self.peer_cep = FIRST_CEP + 1,
            0b000 => self.mangled = true,
            _ => {}
        }
        self.compare(ace);
    }

    /// Whether packets may carry ECT.
    pub(crate) fn may_send_ect(&self) -> bool {
        !self.mangled
    }

    /// The flags of a segment without SYN; `pure`: a bare ACK without SACK.
    pub(crate) fn flags(&mut self, pure: bool) -> Flags {
        self.unreported = 0;
        match self.handshake {
            Some(arrived) if pure => {
                self.handshake = None;
                ace_flags(handshake_code(arrived))
            }
            _ => ace_flags((self.cep % DIVACE) as u8),
        }
    }

    /// Counts an acceptable packet with `payload` bytes. True when an ACK should be sent at once: CE
    /// starts, or came twice since the last ACK.
    pub(crate) fn on_packet(&mut self, ecn: Ecn, payload: u32) -> bool {
        let counter = match ecn {
            Ecn::NotEct => None,
            Ecn::Ect0 => Some(&mut self.bytes.ect0),
            Ecn::Ect1 => Some(&mut self.bytes.ect1),
            Ecn::Ce => Some(&mut self.bytes.ce),
        };
        if let Some(counter) = counter {
            *counter = counter.wrapping_add(payload);
        }
        if payload > 0 {
            self.path.on_new_data();
        }
        let was_ce = std::mem::replace(&mut self.last_was_ce, ecn == Ecn::Ce);
        if ecn != Ecn::Ce {
            return false;
        }
        self.cep = self.cep.wrapping_add(1);
        self.unreported = self.unreported.saturating_add(1);
        !was_ce || self.unreported >= MOST_UNREPORTED
    }

    /// Whether an ACK, with or without new data, should carry the option: when a counter has changed since
    /// it was last sent (section 3.2.3.3), or to test the path.
    pub(crate) fn wants_option(&self, with_data: bool) -> bool {
        let due = self.option_due || (with_data && self.path.is_due());
        !self.path.is_blocked() && (due || self.bytes != self.reported)
    }

    /// Adds the option to the options of an ACK that should carry it, unless a counter that has changed
    /// does not fit (section 3.2.3.3). True if it did.
    ///
    /// An ACK has all fields that fit. Data have less room: they omit fields at the end that have never
    /// changed.
    pub(crate) fn push_option(&mut self, options: &mut Options, with_data: bool) -> bool {
        if !self.wants_option(with_data) {
            return false;
        }
        self.option_due = false;
        let needed = self.fields_changed_since(&self.reported);
        let wanted = match with_data {
            true => self.fields_changed_since(&FIRST_BYTES),
            false => 3,
        };
        let count = wanted.min(options.room().saturating_sub(2) / 3);
        if count < needed {
            return false;
        }
        let (ect1_first, fields) = (self.ect1_is_first(), self.in_order(&self.bytes));
        let mut data = [0; 9];
        for (place, field) in data.chunks_exact_mut(3).zip(fields) {
            place.copy_from_slice(&field.to_be_bytes()[1..]);
        }
        let kind = if ect1_first { ECT1_FIRST } else { ECT0_FIRST };
        let option = TcpOption::Unknown(kind, &data[..3 * count]);
        let fits = options.push(option).is_ok();
        if fits {
            self.reported = self.bytes;
        }
        fits
    }

    /// Bytes that the option needs on an ACK that should carry it.
    pub(crate) fn option_len(&self) -> Option<usize> {
        let fields = self.fields_changed_since(&self.reported);
        self.wants_option(false).then_some(2 + 3 * fields)
    }

    /// The option begins with the counter of ECT(1): it has changed since it was last sent.
    fn ect1_is_first(&self) -> bool {
        self.bytes.ect1 != self.reported.ect1
    }

    fn in_order(&self, bytes: &CodepointBytes) -> [u32; 3] {
        match self.ect1_is_first() {
            true => [bytes.ect1, bytes.ce, bytes.ect0],
            false => [bytes.ect0, bytes.ce, bytes.ect1],
        }
    }

    /// Fields of an option that has all counters which differ from those of an earlier time, at least one.
    fn fields_changed_since(&self, before: &CodepointBytes) -> usize {
        let (now, before) = (self.in_order(&self.bytes), self.in_order(before));
        let last = (0..3).rev().find(|i| now[*i] != before[*i]);
        last.map_or(1, |last| last + 1)
    }

    /// A segment with new data up to `end` carries the option.
    pub(crate) fn on_option_sent(&mut self, end: SeqNum) {
        self.path.on_data_sent(end);
    }

    /// Octets from `start` on are sent again.
    pub(crate) fn on_resent(&mut self, start: SeqNum) {
        self.path.on_resent(start);
    }

    /// Octets below `ack` are acknowledged.
    pub(crate) fn on_acked(&mut self, ack: SeqNum) {
        self.path.on_acked(ack);
    }

    /// An ACK of everything below `nxt` leaves, with these options.
    pub(crate) fn on_ack_sent(&mut self, nxt: SeqNum, options: &Options) {
        self.path.on_ack_sent(nxt, option_of(options).is_some());
    }

    /// Data up to `end` have arrived again.
    pub(crate) fn on_old_data(&mut self, end: SeqNum) {
        self.path.on_old_data(end);
    }

    /// CE packets reported by the peer.
    pub(crate) fn reported_packets(&self) -> u32 {
        self.peer_cep.wrapping_sub(FIRST_CEP)
    }

    /// Processes an ACK that is not superseded and newly delivers `delivered` bytes, in segments of at most
    /// `mss`. Adds its marks to [`AccEcn::pending`]; appendix A.
    pub(crate) fn on_ack(&mut self, flags: Flags, options: &Options, delivered: u64, mss: u32) {
        if std::mem::take(&mut self.awaits_feedback) {
            self.check_option(options);
            if ace(flags) == 0 {
                (self.mangled, self.cleared) = (true, true);
            }
        }
        if self.cleared {
            return;
        }
        let ce_bytes = self.read_option(options);
        let fewest = (u32::from(ace(flags)) + DIVACE - self.peer_cep % DIVACE) % DIVACE;
        let segments = delivered.div_ceil(u64::from(mss.max(1))).min(1 << 20) as u32;
        let packets = safest(fewest, segments, ce_bytes, mss);
        self.peer_cep = self.peer_cep.wrapping_add(packets);
        self.pending.packets += packets;
        let estimate = u64::from(packets) * u64::from(mss);
        self.pending.bytes += ce_bytes.unwrap_or(estimate.min(delivered) as u32);
    }

    /// Reads the counters of the option, if present; returns the bytes newly reported with CE.
    fn read_option(&mut self, options: &Options) -> Option<u32> {
        if self.option_cleared {
            return None;
        }
        let (kind, data) = option_of(options)?;
        let peer = &mut self.peer_bytes;
        let places = match kind {
            ECT0_FIRST => [&mut peer.ect0, &mut peer.ce, &mut peer.ect1],
            _ => [&mut peer.ect1, &mut peer.ce, &mut peer.ect0],
        };
        let mut new_ce = None;
        for (i, (place, field)) in places.into_iter().zip(data.chunks_exact(3)).enumerate() {
            let field = u32::from_be_bytes([0, field[0], field[1], field[2]]);
            let new = (field + DIVOPT - *place % DIVOPT) % DIVOPT;
            *place = place.wrapping_add(new);
            if i == 1 {
                new_ce = Some(new);
            }
        }
        new_ce
    }
}

/// The option's kind and its fields.
fn option_of(options: &Options) -> Option<(u8, &[u8])> {
    if options.is_usual() {
        return None;
    }
    options.iter().find_map(|option| match option {
        Ok(TcpOption::Unknown(kind @ (ECT0_FIRST | ECT1_FIRST), data)) => Some((kind, data)),
        _ => None,
    })
}

/// Appendix A.2: the number of CE packets to assume if ACE rose by at least `fewest` in an ACK of
/// `segments` full segments. ACE may have wrapped if more were acknowledged than it can count, unless the
/// option shows that to be unlikely.
fn safest(fewest: u32, segments: u32, ce_bytes: Option<u32>, mss: u32) -> u32 {
    if segments <= fewest {
        return fewest;
    }
    let most = segments - (segments - fewest) % DIVACE;
    match ce_bytes {
        Some(bytes)
            if most > fewest
                && u64::from(bytes) <= u64::from(mss) * u64::from(fewest)
                && bytes / most < mss / SAFETY_FACTOR =>
        {
            fewest
        }
        _ => most,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_handshake() {
        use EcnFeedback::{Accurate, Classic, None};
        // Table 2, by (AE, CWR, ECE) of the SYN-ACK, and section 3.1.3.
        let granted_by = [
            None, Classic, Accurate, Accurate, Accurate, Accurate, Accurate, None,
        ];
        // The same for the SYN.
        let asked_by = [
            None, Accurate, Accurate, Classic, Accurate, Accurate, Accurate, Accurate,
        ];
        for code in 0..8u8 {
            assert_eq!(
                granted(ace_flags(code)),
                granted_by[usize::from(code)],
                "{code:03b}"
            );
            assert_eq!(
                asked_for(ace_flags(code)),
                asked_by[usize::from(code)],
                "{code:03b}"
            );
            assert_eq!(ace(ace_flags(code)), code);
        }
        for (ecn, code) in [
            (Ecn::NotEct, 0b010),
            (Ecn::Ect1, 0b011),
            (Ecn::Ect0, 0b100),
            (Ecn::Ce, 0b110),
        ] {
            assert_eq!(AccEcn::server(ecn).syn_ack_flags(), ace_flags(code));
            let mut client = AccEcn::default();
            client.on_syn_ack(ecn, ace_flags(0b010), &Options::NONE);
            assert_eq!(client.flags(true), ace_flags(code), "once");
            let cep = if ecn == Ecn::Ce { 6 } else { 5 };
            assert_eq!(client.flags(true), ace_flags(cep), "the counter afterwards");
        }
    }

    #[test]
    fn the_last_ack_reports_the_codepoint_of_the_syn_ack() {
        // Table 4.
        for code in 0..8u8 {
            let mut server = AccEcn::server(Ecn::NotEct);
            server.on_last_ack(code);
            assert_eq!(
                server.reported_packets(),
                u32::from(code == 0b110),
                "{code:03b}"
            );
            // It left without ECT.
            let ect = !matches!(code, 0b000 | 0b011 | 0b100 | 0b110);
            assert_eq!(server.may_send_ect(), ect, "{code:03b}");
        }
    }

    #[test]
    fn a_path_that_changes_codepoints_gets_no_more_of_them() {
        // Section 3.2.2.3: sent, code that came back, ECT from then on.
        for (sent, code, ect) in [
            (Ecn::NotEct, 0b010, true),
            (Ecn::NotEct, 0b011, false),
            (Ecn::NotEct, 0b100, false),
            (Ecn::NotEct, 0b110, false),
            (Ecn::Ect0, 0b010, false),
            (Ecn::Ect0, 0b100, true),
            (Ecn::Ect0, 0b110, true),
            (Ecn::Ect1, 0b010, false),
            (Ecn::Ect1, 0b011, true),
            (Ecn::Ect1, 0b101, true), // says nothing
        ] {
            let (mut client, mut server) = (AccEcn::default(), AccEcn::server(Ecn::NotEct));
            client.on_handshake_sent(sent);
            client.on_syn_ack(Ecn::NotEct, ace_flags(code), &Options::NONE);
            server.on_handshake_sent(sent);
            server.on_last_ack(code);
            assert_eq!(
                (client.may_send_ect(), server.may_send_ect()),
                (ect, ect),
                "{sent:?} {code:03b}"
            );
        }
    }

    #[test]
    fn a_cleared_counter_is_not_believed() {
        // Section 3.2.2.4: of the first feedback only.
        let mut sender = AccEcn::default();
        sender.on_ack(ace_flags(0), &Options::NONE, 1000, 1000);
        sender.on_ack(ace_flags(3), &Options::NONE, 1000, 1000);
        assert!(!sender.may_send_ect());
        assert_eq!(sender.pending.packets, 0);
        let mut sender = AccEcn::default();
        sender.on_ack(ace_flags(7), &Options::NONE, 2000, 1000);
        sender.on_ack(ace_flags(0), &Options::NONE, 1000, 1000);
        assert!(sender.may_send_ect());
        assert_eq!(sender.pending.packets, 3);
    }

    #[test]
    fn a_cleared_option_is_not_read() {
        // Section 3.2.3.2.4.
        for (data, marked) in [
            ([0, 0, 1, 0, 3, 232, 0, 0, 1], 1000),
            ([0, 0, 0, 0, 3, 232, 0, 0, 1], 1460),
            ([0, 0, 1, 0, 3, 232, 0, 0, 0], 1460),
        ] {
            let mut sender = AccEcn::default();
            let mut options = Options::NONE;
            options.push(TcpOption::Unknown(ECT0_FIRST, &data)).unwrap();
            sender.on_ack(ace_flags(6), &options, 1460, 1460);
            assert_eq!(sender.pending.bytes, marked, "{data:?}");
        }
    }

    #[test]
    fn a_counter_of_the_option_wraps() {
        // Appendix A.1: s.ceb = 33,554,433 and ECEB = 1461: 1460 more.
        let mut sender = AccEcn::default();
        sender.peer_bytes.ce = 33_554_433;
        let mut options = Options::NONE;
        let data = [0, 0, 1, 0, 0x05, 0xb5, 0, 0, 1];
        options.push(TcpOption::Unknown(ECT0_FIRST, &data)).unwrap();
        assert_eq!(sender.read_option(&options), Some(1460));
        assert_eq!(sender.peer_bytes.ce, 33_555_893);
    }

    #[test]
    fn ace_may_have_wrapped() {
        for (fewest, segments, ce_bytes, packets) in [
            (2, 9, None, 2),   // appendix A.2.1
            (2, 10, None, 10), // the same
            (0, 8, Some(1460), 8),
            (2, 10, Some(1460), 2),
            (7, 15, Some(10_200), 7), // appendix A.2.2
            (3, 1, None, 3),
        ] {
            assert_eq!(
                safest(fewest, segments, ce_bytes, 1460),
                packets,
                "{fewest} {segments}"
            );
        }
    }

    #[test]
    fn one_end_reads_what_the_other_counts() {
        let (mut receiver, mut sender) = (AccEcn::default(), AccEcn::default());
        let mut packets = 0;
        for i in 0..100u32 {
            let ecn = if i % 3 == 0 { Ecn::Ce } else { Ecn::Ect0 };
            packets += u32::from(ecn == Ecn::Ce);
            receiver.on_packet(ecn, 1000);
            if i % 2 == 1 {
                let mut options = Options::timestamps_only(1, 2);
                receiver.push_option(&mut options, false);
                let flags = receiver.flags(true);
                sender.on_ack(flags, &options, 2000, 1000);
            }
        }
        assert_eq!(sender.reported_packets(), packets);
        assert_eq!(
            sender.pending,
            ReportedMarks {
                packets,
                bytes: 1000 * packets
            }
        );
        assert_eq!(sender.peer_bytes, receiver.bytes);
    }

    #[test]
    fn an_option_without_room_for_a_changed_counter_is_left_out() {
        let mut receiver = AccEcn::default();
        let room = |bytes: usize| Options::from_bytes(&[1; 40][bytes..]).unwrap();
        let send = |receiver: &mut AccEcn, bytes| {
            let mut options = room(bytes);
            let is_in = receiver.push_option(&mut options, false);
            is_in.then(|| options.as_bytes()[40 - bytes + 1] - 2)
        };
        assert_eq!(send(&mut receiver, 40), Some(9), "due");
        assert_eq!(send(&mut receiver, 40), None, "nothing new");
        receiver.on_packet(Ecn::Ce, 1000);
        assert_eq!(send(&mut receiver, 7), None, "CE is the second field");
        assert_eq!(send(&mut receiver, 8), Some(6));
        receiver.on_packet(Ecn::Ect0, 1000);
        assert_eq!(send(&mut receiver, 5), Some(3));
        receiver.on_packet(Ecn::Ect0, 1000);
        receiver.on_packet(Ecn::Ect1, 1000);
        assert_eq!(
            send(&mut receiver, 10),
            None,
            "the first and the last field"
        );
        assert_eq!(send(&mut receiver, 11), Some(9));
    }

    #[test]
    fn data_carry_the_fields_that_have_ever_changed() {
        let mut client = AccEcn::default();
        client.on_syn_ack(Ecn::NotEct, ace_flags(0b010), &Options::NONE);
        let send = |client: &mut AccEcn, with_data| {
            let mut options = Options::NONE;
            let is_in = client.push_option(&mut options, with_data);
            is_in.then(|| options.as_bytes()[1] - 2)
        };
        assert_eq!(send(&mut client, false), Some(9), "the ACK of the SYN-ACK");
        assert_eq!(send(&mut client, true), Some(3), "the first data");
        client.on_option_sent(SeqNum(1000));
        assert_eq!(send(&mut client, true), None, "no counter has changed");
        client.on_packet(Ecn::Ect0, 100);
        assert_eq!(send(&mut client, true), Some(3));
        client.on_packet(Ecn::Ce, 100);
        assert_eq!(send(&mut client, true), Some(6));
        client.on_packet(Ecn::Ect0, 100);
        assert_eq!(send(&mut client, true), Some(6), "CE has changed before");
    }

    #[test]
    fn the_first_and_every_second_mark_is_acknowledged_at_once() {
        let mut receiver = AccEcn::default();
        let arrive = |r: &mut AccEcn, marks: &[Ecn]| -> Vec<bool> {
            marks.iter().map(|&m| r.on_packet(m, 1000)).collect()
        };
        use Ecn::{Ce, Ect0};
        assert_eq!(
            arrive(&mut receiver, &[Ect0, Ce, Ce, Ect0]),
            [false, true, true, false]
        );
        receiver.flags(false);
        receiver.on_packet(Ce, 1000);
        receiver.flags(false);
        assert_eq!(arrive(&mut receiver, &[Ce, Ce]), [false, true]);
    }
}
