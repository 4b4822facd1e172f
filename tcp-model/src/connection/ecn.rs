//! Explicit congestion notification, RFC 3168 section 6.1; and for controls that need the amount of marked
//! data, the echo of RFC 8257 section 3.2.
//!
//! Accurate feedback (RFC 9768) keeps its counters in [`crate::acc_ecn`]. Leaves out the nonce (RFC 3540).

use sim_core::SimTime;

use super::Connection;
use crate::acc_ecn::{ACE, AccEcn, EcnFeedback, asked_for};
use crate::congestion::{Congestion, CongestionControl, CongestionEvent};
use crate::diagnostics::CeReceived;
use crate::model::Outputs;
use crate::params::EcnMode;
use crate::recovery::{Prr, PrrAck, RecoveryPhase};
use crate::segment::{Ecn, Flags, Segment};
use crate::seq::SeqNum;
use crate::state::State;

/// The ECN state of a connection.
#[derive(Clone, Copy, Debug, Hash, Default)]
pub(super) struct EcnState {
    /// Both ends use ECN; in SYN-SENT, this end has requested it.
    pub(super) agreed: bool,
    /// CE has arrived: every ACK echoes it until the peer sends CWR.
    echo: bool,
    /// The next new data carry CWR, since the window was reduced.
    reduced: bool,
    /// An ECN codepoint has arrived.
    seen: bool,
    /// What arrived with CE.
    pub(super) marked: CeReceived,
    /// An echo has reduced the window, and `end` is not acknowledged yet.
    reacting: bool,
    /// SND.NXT when the window was last reduced.
    end: SeqNum,
    /// Accurate feedback (RFC 9768) is used; in SYN-SENT, this end has requested it.
    pub(super) accurate: Option<AccEcn>,
}

const SETUP: Flags = Flags(Flags::ECE.0 | Flags::CWR.0);

impl Connection {
    /// The flags of a SYN or SYN-ACK. A retransmitted SYN does not request ECN, since the path may drop
    /// SYNs that do (section 6.1.1.1, Linux's default).
    pub(super) fn ecn_setup(&mut self, answers: bool, again: bool) -> Flags {
        let asked = matches!(self.params.ecn, EcnMode::Active | EcnMode::Accurate);
        if self.rare.is_none() && !asked && !self.cc.needs_ecn() {
            return Flags::NONE;
        }
        self.negotiate_ecn(answers, again)
    }

    #[inline(never)]
    fn negotiate_ecn(&mut self, answers: bool, again: bool) -> Flags {
        if answers {
            // The second retransmission no longer negotiates ECN, but feedback stays accurate (RFC
            // 9768 section 3.2.3.2.2).
            let gives_up = self.snd.syn_retransmissions >= 2 && self.params.ecn_fallback;
            let classic = self.speaks_ecn();
            return match self.accurate_mut() {
                Some(accurate) if gives_up => {
                    accurate.on_syn_ack_without_ecn();
                    Flags::NONE
                }
                Some(accurate) => accurate.syn_ack_flags(),
                None if classic => Flags::ECE,
                None => Flags::NONE,
            };
        }
        if self.params.ecn == EcnMode::Accurate {
            return self.ask_accurately();
        }
        let wanted = self.params.ecn == EcnMode::Active || self.cc.needs_ecn();
        let asks = wanted && !(again && self.params.ecn_fallback);
        self.agree_on_ecn(asks);
        if asks { SETUP } else { Flags::NONE }
    }

    /// Completes a segment about to be sent: the ACE field, the AccECN option on ACKs without data,
    /// and the ECN codepoint of segments without new data.
    pub(super) fn add_feedback(&mut self, segment: &mut Segment) {
        let (plus, option) = (self.params.ecn_plus_plus, self.params.accecn_option);
        let ect = self.cc.ect();
        let classic = self.speaks_ecn();
        let syn = segment.flags.is_syn();
        let again = segment.tag.again.is_some();
        let (nxt, client) = (self.rcv.nxt, !self.passive);
        let Some(accurate) = self.accurate_mut() else {
            // Classic ECN has no ECT on pure ACKs, nor on a SYN.
            let data = segment.len > 0 || segment.flags.is_fin() || syn;
            if plus && classic && data && segment.flags.is_ack() {
                segment.ecn = ect;
            }
            return;
        };
        if !syn {
            let alone = segment.seq_len() == 0;
            // Only a client reports how a handshake packet arrived in this way (section 3.2.2.1).
            let pure = client && alone && segment.options.is_usual();
            segment.flags = segment.flags.without(ACE) | accurate.flags(pure);
            if alone && option {
                accurate.push_option(&mut segment.options, false);
            }
            accurate.on_ack_sent(nxt, &segment.options);
        }
        if syn && segment.flags.is_ack() && option && !again {
            accurate.push_option(&mut segment.options, false);
        }
        if plus && accurate.may_send_ect() {
            segment.ecn = ect;
        }
        if syn {
            accurate.on_handshake_sent(segment.ecn);
        }
    }

    /// Counts the codepoint of an acceptable packet without text.
    pub(super) fn count_mark(&mut self, seg: &Segment) {
        if let Some(accurate) = self.accurate_mut() {
            accurate.on_packet(seg.ecn, 0);
            self.count_arrival(seg);
        }
    }

    /// Takes the feedback of an ACK that newly delivers `delivered` bytes; true when it reports marks.
    pub(super) fn take_feedback(&mut self, seg: &Segment, delivered: u64) -> bool {
        let (mss, nxt) = (self.snd.mss, self.snd.nxt);
        let most = self.params.accecn_ce_rounds;
        match self.accurate_mut() {
            Some(accurate) if delivered > 0 => {
                accurate.on_acked(seg.ack);
                accurate.on_ack(seg.flags, &seg.options, delivered, mss);
                accurate.on_round(seg.ack, nxt, most);
                accurate.pending.packets > 0
            }
            _ => false,
        }
    }

    /// Whether an ACK of `acked` bytes reports marks, and on how many of them.
    pub(super) fn marks_of(&mut self, seg: &Segment, acked: u64) -> (bool, u64) {
        let classic = seg.flags.is_ece() && self.speaks_ecn();
        match self.accurate_mut() {
            Some(accurate) => {
                let echo = std::mem::take(&mut accurate.pending.packets) > 0;
                let marked = acked.min(accurate.pending.bytes.into());
                accurate.pending.bytes -= marked as u32;
                (echo, marked)
            }
            None => (classic, if classic { acked } else { 0 }),
        }
    }

    /// Both ends use ECN; in SYN-SENT, this end has requested it.
    pub(super) fn speaks_ecn(&self) -> bool {
        self.rare.as_ref().is_some_and(|r| r.ecn.agreed)
    }

    pub(super) fn agree_on_ecn(&mut self, agreed: bool) {
        if agreed || self.rare.is_some() {
            self.rare().ecn.agreed = agreed;
        }
    }

    /// Takes the ECN flags of the peer's SYN or SYN-ACK.
    pub(super) fn take_ecn_setup(&mut self, seg: &Segment) {
        if self.state == State::SynSent && seg.flags.is_ack() && self.accurate().is_some() {
            self.take_accurate_answer(seg);
            return;
        }
        let accurate = matches!(
            self.params.ecn,
            EcnMode::Accurate | EcnMode::AccuratePassive
        );
        if accurate && !seg.flags.is_ack() && asked_for(seg.flags) == EcnFeedback::Accurate {
            self.agree_on_ecn(true);
            self.rare().ecn.accurate = Some(AccEcn::server(seg.ecn));
            return;
        }
        if let Some(rare) = &mut self.rare {
            rare.ecn.accurate = None;
        }
        let asked = seg.flags.contains(SETUP);
        let agreed = match self.state {
            // Section 6.1.1: an ECN-setup SYN-ACK has ECE and not CWR.
            State::SynSent if seg.flags.is_ack() => {
                self.speaks_ecn() && seg.flags.is_ece() && !seg.flags.is_cwr()
            }
            State::SynSent => self.speaks_ecn() && asked,
            // "A host MUST NOT set ECT on SYN": a SYN with ECT does not follow RFC 3168.
            _ => {
                let willing = self.params.ecn != EcnMode::Off || self.cc.needs_ecn();
                willing && asked && seg.ecn == Ecn::NotEct
            }
        };
        self.agree_on_ecn(agreed);
    }

    /// ECT on new data; CWR on the first of them after a reduction. Retransmissions (section
    /// 6.1.5), window probes (6.1.6) and empty segments (6.1.4) carry no ECT.
    #[inline(never)]
    pub(super) fn mark_data(&mut self, segment: &mut Segment) {
        if !self.speaks_ecn() || self.snd.probing {
            return;
        }
        if self.accurate().is_none_or(|a| a.may_send_ect()) {
            segment.ecn = self.cc.ect();
        }
        if std::mem::take(&mut self.rare().ecn.reduced) {
            segment.flags |= Flags::CWR;
        }
    }

    /// ECE for a segment with an acknowledgement.
    pub(super) fn ecn_echo(&self) -> Flags {
        match &self.rare {
            Some(rare) if rare.ecn.echo => Flags::ECE,
            _ => Flags::NONE,
        }
    }

    /// The receiver's part (section 6.1.3): CE is echoed until CWR arrives. True when an ACK should not be
    /// delayed, because the peer's window may now be very small (Linux).
    pub(super) fn note_marks(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) -> bool {
        self.count_arrival(seg);
        if let Some(accurate) = self.accurate_mut() {
            return accurate.on_packet(seg.ecn, seg.len);
        }
        if self.cc.needs_ecn() {
            return self.note_each_mark(seg, now, out);
        }
        let ecn = &mut self.rare().ecn;
        let mut at_once = false;
        if seg.flags.is_cwr() {
            at_once = ecn.echo;
            ecn.echo = false;
        }
        if seg.ecn == Ecn::Ce {
            at_once |= !ecn.echo;
            ecn.echo = true;
        }
        at_once
    }

    /// Handles the start or end of marking, when the peer may have little in flight. Linux
    /// acknowledges the next two segments at once (`tcp_enter_quickack_mode`). It always
    /// acknowledges at once a segment with CWR and, if the control needs feedback about each mark,
    /// every change (`ICSK_ACK_NOW`): true in these cases.
    pub(super) fn hurry_for_mark(&mut self, seg: &Segment, now: SimTime) -> bool {
        let each = self.cc.needs_ecn();
        let most = self.params.quick_acks.min(2).max(each.into());
        self.rcv.quick_acks = self.rcv.quick_acks.max(most);
        if !self.params.adaptive_receiver || self.accurate().is_some() {
            return false;
        }
        if each || seg.flags.is_cwr() {
            return true;
        }
        self.adaptive(now);
        self.enter_quick_acks_up_to(most);
        false
    }

    /// Counts a segment with CE.
    fn count_arrival(&mut self, seg: &Segment) {
        let ecn = &mut self.rare().ecn;
        ecn.seen |= seg.ecn != Ecn::NotEct;
        if seg.ecn == Ecn::Ce {
            ecn.marked.segments += 1;
            ecn.marked.bytes += u64::from(seg.len);
        }
    }

    /// RFC 8257 section 3.2: ECE on every ACK says whether the segments it covers were marked. When that
    /// changes, a delayed ACK is sent first, then one for this segment at once.
    fn note_each_mark(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) -> bool {
        let marked = seg.ecn == Ecn::Ce;
        let changed = marked != self.rare().ecn.echo;
        if changed && self.timers.ack != SimTime::MAX {
            self.send_ack(now, out);
        }
        self.rare().ecn.echo = marked;
        changed
    }

    /// The sender's part (section 6.1.2): an echo counts as a loss, once per window of data. `acked`:
    /// octets that the ACK newly acknowledges.
    pub(super) fn on_ecn_echo(&mut self, flight: u64, acked: u32, now: SimTime) {
        if self.is_reacting() || self.recovery.phase() != RecoveryPhase::Open {
            return;
        }
        let pipe = self.pipe();
        self.cc.on_congestion(&CongestionEvent {
            cause: Congestion::Ecn,
            now,
            in_flight: flight,
            pipe,
            gentle: self.params.abe,
            whole: self.params.linux_cwnd,
        });
        self.rare().ecn.reacting = true;
        self.note_reduction();
        self.ease(flight, acked.into());
    }

    /// Spreads the reduction for an echo over a round trip, like the reduction for a loss (RFC 9937
    /// section 4, Linux's state CWR), if PRR is on and the control leaves the reduction to it.
    fn ease(&mut self, flight: u64, acked: u64) {
        let ssthresh = self.cc.ssthresh().unwrap_or(u64::MAX);
        let in_flight = self.pipe();
        let proportional =
            self.params.prr && !self.cc.governs_recovery() && !self.cc.reduces_at_once();
        if !proportional || ssthresh >= flight || in_flight <= self.cc.cwnd() {
            return;
        }
        let mut prr = Prr::new(flight, ssthresh, in_flight);
        prr.on_ack(&PrrAck {
            delivered: acked.max(1),
            in_flight,
            safe: true,
            mss: self.snd.mss.into(),
        });
        self.recovery.episode_mut().prr = Some(prr);
    }

    /// Whether all data sent before the last reduction are acknowledged.
    pub(super) fn reduction_is_over(&self) -> bool {
        let ecn = self.rare.as_ref().map(|r| &r.ecn);
        ecn.is_none_or(|e| self.snd.una.at_or_after(e.end))
    }

    /// Notes that the window was reduced, because of an echo or a loss: the next new data carry CWR.
    pub(super) fn note_reduction(&mut self) {
        if let Some(rare) = &mut self.rare {
            rare.ecn.reduced = rare.ecn.agreed && rare.ecn.accurate.is_none();
            rare.ecn.end = self.snd.nxt;
        }
    }

    /// The reduction is undone: if CWR has not been sent, it will not be (Linux `tcp_ecn_withdraw_cwr`).
    pub(super) fn withdraw_reduction(&mut self) {
        if let Some(rare) = &mut self.rare {
            rare.ecn.reduced = false;
        }
    }

    /// True while no data sent since the last reduction by an echo are acknowledged. Until then ACKs may
    /// still echo the same marks.
    pub(super) fn is_reacting(&self) -> bool {
        let ecn = self.rare.as_ref().map(|r| &r.ecn);
        ecn.is_some_and(|e| e.reacting && self.snd.una.at_or_before(e.end))
    }

    /// An ECN codepoint has arrived.
    pub(super) fn ecn_seen(&self) -> bool {
        self.rare.as_ref().is_some_and(|r| r.ecn.seen)
    }
}
