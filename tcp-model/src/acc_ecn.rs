//! Accurate ECN feedback (RFC 9768): counts of packets and bytes by codepoint, fed back in three bits of
//! each header (ACE) and in an option; and the negotiation.
//!
//! Paths that change codepoints or clear ACE are detected in the handshake and in the first feedback after
//! it (sections 3.2.2.3, 3.2.2.4 and 3.2.3.2.4).
//!
//! A path that marks every packet with CE is detected by `accecn_ce_rounds` (section 3.2.2.3). Leaves out
//! trying again later whether a path that mangles ECN still does; and ACKs that answer pure ACKs with CE (section
//! 3.2.2.5.1), which only a peer with ECN++ sends: their marks are reported with the next segment.

mod byte_counters;
mod constant_marks;
mod negotiation;
mod option_path;

use byte_counters::{CodepointBytes, FIRST_BYTES, option_of};
use constant_marks::ConstantMarks;
pub(crate) use negotiation::{EcnFeedback, ace, asked_for, granted};
use negotiation::{ace_flags, handshake_code, is_invalid, reported};
use option_path::OptionPath;

use crate::diagnostics::AccurateCounts;
use crate::options::Options;
use crate::segment::{Ecn, Flags};
use crate::seq::SeqNum;

/// The bits of ACE.
pub(crate) const ACE: Flags = Flags(Flags::AE.0 | Flags::CWR.0 | Flags::ECE.0);

/// The modulus of ACE.
const DIVACE: u32 = 8;
/// Segments smaller than a full one by more than this factor are unlikely (appendix A.2.2).
const SAFETY_FACTOR: u32 = 2;
/// Number of CE packets after which an ACK is sent at once (section 3.2.2.5.1).
const MOST_UNREPORTED: u8 = 2;

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
    /// Nothing is sent with ECT: the peer has shown that the path changes codepoints, or may not use ECN.
    mangled: bool,
    /// ACE arrived cleared, or reported marks on every packet: reports of marks are ignored (sections
    /// 3.2.2.1, 3.2.2.3 and 3.2.2.4).
    ignores_marks: bool,
    /// The SYN-ACK arrived with CE, which counts once.
    marked_syn_ack: bool,
    /// Whether every packet of the first rounds was marked.
    constant: ConstantMarks,
    /// The counters of the option arrived cleared: it is ignored (section 3.2.3.2.4).
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
            ignores_marks: false,
            marked_syn_ack: false,
            constant: ConstantMarks::default(),
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

    /// Notes the codepoint with which the SYN or SYN-ACK of this end is sent.
    pub(crate) fn on_handshake_sent(&mut self, ecn: Ecn) {
        self.sent = ecn;
    }

    /// Notes that the SYN has arrived again, with this codepoint: the SYN-ACK reports the latest
    /// one. `asks`: it requests feedback; otherwise this server sends no ECT from now on (section 3.1.5).
    pub(crate) fn on_syn_again(&mut self, arrived: Ecn, asks: bool) {
        self.handshake = Some(arrived);
        self.mangled |= !asks;
    }

    /// Notes that this server answers the SYN without ECN: it sends no ECT from now on, because the
    /// client may not use ECN (section 3.1.5).
    pub(crate) fn on_syn_ack_without_ecn(&mut self) {
        self.mangled = true;
    }

    /// Processes a SYN-ACK that arrived with this codepoint and these flags and options: its ACK
    /// reports the codepoint, and CE counts.
    pub(crate) fn on_syn_ack(&mut self, arrived: Ecn, flags: Flags, options: &Options) {
        self.report_syn_ack(arrived);
        self.path.test_with_data();
        self.compare(ace(flags));
        self.check_option(options);
    }

    /// Has the next pure ACK report how the SYN-ACK arrived, for the first time or again (section
    /// 3.2.2.1). CE counts once, however many SYN-ACKs had it (section 3.2.2.2).
    pub(crate) fn report_syn_ack(&mut self, arrived: Ecn) {
        self.handshake = Some(arrived);
        if arrived == Ecn::Ce && !std::mem::replace(&mut self.marked_syn_ack, true) {
            self.cep += 1;
        }
    }

    /// Checks the code by which the peer reports how the handshake packet of this end arrived.
    fn compare(&mut self, code: u8) {
        self.mangled |= reported(code).is_some_and(|arrived| is_invalid(self.sent, arrived));
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
            0b000 => (self.mangled, self.ignores_marks) = (true, true),
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

    /// Notes that a segment with new data up to `end` carries the option.
    pub(crate) fn on_option_sent(&mut self, end: SeqNum) {
        self.path.on_data_sent(end);
    }

    /// Notes that octets from `start` on are retransmitted.
    pub(crate) fn on_resent(&mut self, start: SeqNum) {
        self.path.on_resent(start);
    }

    /// Notes that octets below `ack` are acknowledged.
    pub(crate) fn on_acked(&mut self, ack: SeqNum) {
        self.path.on_acked(ack);
    }

    /// Notes that an ACK of everything below `nxt` is sent, with these options.
    pub(crate) fn on_ack_sent(&mut self, nxt: SeqNum, options: &Options) {
        self.path.on_ack_sent(nxt, option_of(options).is_some());
    }

    /// Notes that data up to `end` have arrived again.
    pub(crate) fn on_old_data(&mut self, end: SeqNum) {
        self.path.on_old_data(end);
    }

    /// Notes the cumulative acknowledgement `una`, with data sent up to `nxt`. After `most` rounds in which
    /// every packet was marked, from the first on, nothing more is sent with ECT and marks are ignored
    /// (section 3.2.2.3).
    pub(crate) fn on_round(&mut self, una: SeqNum, nxt: SeqNum, most: u32) {
        if self.constant.is_over(una, nxt, most) {
            (self.mangled, self.ignores_marks) = (true, true);
            self.pending = ReportedMarks::default();
        }
    }

    /// CE packets reported by the peer.
    pub(crate) fn reported_packets(&self) -> u32 {
        self.peer_cep.wrapping_sub(FIRST_CEP)
    }

    /// Its counters, for diagnosis.
    pub(crate) fn counts(&self) -> AccurateCounts {
        let since_first = |now: &CodepointBytes| {
            let first = FIRST_BYTES;
            let pairs = [
                (now.ce, first.ce),
                (now.ect0, first.ect0),
                (now.ect1, first.ect1),
            ];
            pairs.map(|(now, first)| now.wrapping_sub(first))
        };
        AccurateCounts {
            received_ce: self.cep.wrapping_sub(FIRST_CEP),
            received_bytes: since_first(&self.bytes),
            delivered_bytes: since_first(&self.peer_bytes),
        }
    }

    /// Processes an ACK that is not superseded and newly delivers `delivered` bytes, in segments of at most
    /// `mss`. Adds its marks to [`AccEcn::pending`]; appendix A.
    pub(crate) fn on_ack(&mut self, flags: Flags, options: &Options, delivered: u64, mss: u32) {
        if std::mem::take(&mut self.awaits_feedback) {
            self.check_option(options);
            if ace(flags) == 0 {
                (self.mangled, self.ignores_marks) = (true, true);
            }
        }
        if self.ignores_marks {
            return;
        }
        let ce_bytes = self.read_option(options);
        let fewest = (u32::from(ace(flags)) + DIVACE - self.peer_cep % DIVACE) % DIVACE;
        let segments = delivered.div_ceil(u64::from(mss.max(1))).min(1 << 20) as u32;
        let packets = safest(fewest, segments, ce_bytes, mss);
        self.peer_cep = self.peer_cep.wrapping_add(packets);
        self.pending.packets += packets;
        self.constant.on_ack(packets >= segments);
        let estimate = u64::from(packets) * u64::from(mss);
        self.pending.bytes += ce_bytes.unwrap_or(estimate.min(delivered) as u32);
    }
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
mod tests;
