//! Accurate ECN feedback (RFC 9768) in a connection: what its segments carry of the counters in
//! [`crate::acc_ecn`], and what arrives.

use super::Connection;
use crate::acc_ecn::{ACE, AccEcn, EcnFeedback, ace, asked_for, granted};
use crate::options::Options;
use crate::params::EcnMode;
use crate::segment::{Flags, Segment};
use crate::seq::SeqNum;

impl Connection {
    /// The flags of a SYN that requests accurate ECN: repeated in the first retransmission, but not in
    /// later ones (RFC 9768 section 3.1.4.1).
    pub(super) fn ask_accurately(&mut self) -> Flags {
        self.agree_on_ecn(true);
        let asks = self.snd.syn_retransmissions <= 1 || !self.params.ecn_fallback;
        self.rare().ecn.accurate.get_or_insert_default();
        if asks { ACE } else { Flags::NONE }
    }

    /// Processes the SYN-ACK that answers such a SYN.
    pub(super) fn take_accurate_answer(&mut self, seg: &Segment) {
        let feedback = granted(seg.flags);
        self.agree_on_ecn(feedback != EcnFeedback::None);
        let ecn = &mut self.rare().ecn;
        match (&mut ecn.accurate, feedback) {
            (Some(accurate), EcnFeedback::Accurate) => {
                accurate.on_syn_ack(seg.ecn, seg.flags, &seg.options);
            }
            _ => ecn.accurate = None,
        }
    }

    /// The counters of accurate feedback, if used.
    pub(super) fn accurate(&self) -> Option<&AccEcn> {
        self.rare.as_ref()?.ecn.accurate.as_ref()
    }

    pub(super) fn accurate_mut(&mut self) -> Option<&mut AccEcn> {
        self.rare.as_mut()?.ecn.accurate.as_mut()
    }

    /// Processes the ACK of the SYN-ACK at the server.
    pub(super) fn note_last_ack(&mut self, seg: &Segment) {
        let pure =
            seg.len == 0 && !seg.flags.is_syn() && seg.options.sack_blocks().next().is_none();
        if let (true, Some(accurate)) = (pure, self.accurate_mut()) {
            accurate.on_last_ack(ace(seg.flags));
        }
    }

    /// Notes that the peer's SYN has arrived again. The mode of feedback stays that of the first SYN;
    /// returns false if one of the two requests classic and the other accurate feedback, since the ends
    /// could then disagree: the connection has to be reset (RFC 9768 section 3.1.5).
    ///
    /// Deviation: Linux does not compare the SYNs.
    pub(super) fn take_ecn_of_syn_again(&mut self, seg: &Segment) -> bool {
        let knows = matches!(
            self.params.ecn,
            EcnMode::Accurate | EcnMode::AccuratePassive
        );
        let is_classic = knows && self.speaks_ecn();
        let tolerates = self.params.linux_input;
        let asked = asked_for(seg.flags);
        match self.accurate_mut() {
            Some(_) if asked == EcnFeedback::Classic => tolerates,
            Some(accurate) => {
                accurate.on_syn_again(seg.ecn, asked == EcnFeedback::Accurate);
                true
            }
            None => tolerates || !is_classic || asked != EcnFeedback::Accurate,
        }
    }

    /// Notes that the SYN-ACK has arrived again at an established client: the ACK for it reports its
    /// codepoint if it grants accurate feedback (RFC 9768 section 3.2.2.1).
    pub(super) fn take_ecn_of_syn_ack_again(&mut self, seg: &Segment) {
        if !self.passive
            && let Some(accurate) = self.accurate_mut()
            && granted(seg.flags) == EcnFeedback::Accurate
        {
            accurate.report_syn_ack(seg.ecn);
        }
    }

    /// The maximum number of SACK blocks in an ACK with `room` octets for options. They leave room
    /// for the AccECN option, but two blocks take precedence over it (RFC 9768 section 3.2.3.3).
    pub(super) fn most_sack_blocks(&self, room: usize) -> usize {
        let wanted = self.params.accecn_option;
        let accurate = self.accurate().filter(|_| wanted);
        match accurate.and_then(AccEcn::option_len) {
            Some(len) => (room.saturating_sub(4 + len) / 8).clamp(2, 4),
            None => 4,
        }
    }

    /// Adds the AccECN option to new data that should carry it; returns whether it was added.
    #[inline(never)]
    pub(super) fn add_option_to_data(&mut self, options: &mut Options) -> bool {
        let wanted = self.params.accecn_option;
        match self.accurate_mut() {
            Some(accurate) if wanted => accurate.push_option(options, true),
            _ => false,
        }
    }

    /// Notes that new data up to `end` were sent with the AccECN option.
    pub(super) fn note_option_sent(&mut self, end: SeqNum) {
        if let Some(accurate) = self.accurate_mut() {
            accurate.on_option_sent(end);
        }
    }

    /// Notes that octets from `start` on are retransmitted, without the option.
    #[inline(never)]
    pub(super) fn note_resent_octets(&mut self, start: SeqNum) {
        if let Some(accurate) = self.accurate_mut() {
            accurate.on_resent(start);
        }
    }

    /// Notes that data up to `end` have arrived again.
    pub(super) fn note_old_octets(&mut self, end: SeqNum) {
        if let Some(accurate) = self.accurate_mut() {
            accurate.on_old_data(end);
        }
    }
}
