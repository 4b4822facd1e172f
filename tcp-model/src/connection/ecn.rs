//! Explicit congestion notification, RFC 3168 section 6.1; for controls that need to know how much
//! was marked, the echo of RFC 8257 section 3.2.
//!
//! Leaves out: accurate ECN (RFC 9768), the nonce (RFC 3540), ECT on control packets (RFC 8311).

use sim_core::SimTime;

use super::Connection;
use crate::congestion::{Congestion, CongestionControl, CongestionEvent};
use crate::model::Outputs;
use crate::params::EcnMode;
use crate::recovery::Phase;
use crate::segment::{Ecn, Flags, Segment};
use crate::seq::SeqNum;
use crate::state::State;

/// What a connection knows of ECN.
#[derive(Clone, Copy, Debug, Hash, Default)]
pub(super) struct EcnState {
    /// Both ends speak ECN; in SYN-SENT, that this one has asked.
    pub(super) agreed: bool,
    /// CE arrived: every ACK says so until the peer sends CWR.
    echo: bool,
    /// The next new data tell the peer that the window was reduced.
    reduced: bool,
    /// An ECN codepoint has arrived.
    seen: bool,
    /// An echo has reduced the window, and `end` is not acknowledged yet.
    reacting: bool,
    /// SND.NXT when the window was last reduced.
    end: SeqNum,
}

const SETUP: Flags = Flags(Flags::ECE.0 | Flags::CWR.0);

impl Connection {
    /// The flags of a SYN or SYN-ACK. A SYN that is sent again asks no more, for it may be that the
    /// path drops those that ask (section 6.1.1.1, as Linux does by default).
    pub(super) fn ecn_setup(&mut self, answers: bool, again: bool) -> Flags {
        if answers {
            return if self.speaks_ecn() {
                Flags::ECE
            } else {
                Flags::NONE
            };
        }
        let wanted = self.params.ecn == EcnMode::Active || self.cc.needs_ecn();
        let asks = wanted && !(again && self.params.ecn_fallback);
        self.agree_on_ecn(asks);
        if asks { SETUP } else { Flags::NONE }
    }

    /// Both ends speak ECN; in SYN-SENT, that this one has asked.
    pub(super) fn speaks_ecn(&self) -> bool {
        self.rare.as_ref().is_some_and(|r| r.ecn.agreed)
    }

    pub(super) fn agree_on_ecn(&mut self, agreed: bool) {
        if agreed || self.rare.is_some() {
            self.rare().ecn.agreed = agreed;
        }
    }

    /// What the peer's SYN or SYN-ACK says of ECN.
    pub(super) fn take_ecn_setup(&mut self, seg: &Segment) {
        let asked = seg.flags.contains(SETUP);
        let agreed = match self.state {
            // Section 6.1.1: an ECN-setup SYN-ACK has ECE and not CWR.
            State::SynSent if seg.flags.is_ack() => {
                self.speaks_ecn() && seg.flags.is_ece() && !seg.flags.is_cwr()
            }
            State::SynSent => self.speaks_ecn() && asked,
            // "A host MUST NOT set ECT on SYN": one that has it was not sent by RFC 3168's rules.
            _ => {
                let willing = self.params.ecn != EcnMode::Off || self.cc.needs_ecn();
                willing && asked && seg.ecn == Ecn::NotEct
            }
        };
        self.agree_on_ecn(agreed);
    }

    /// ECT on new data; CWR on the first of them after a reduction. Retransmissions (section
    /// 6.1.5), window probes (6.1.6) and empty segments (6.1.4) carry no ECT.
    pub(super) fn mark_data(&mut self, segment: &mut Segment) {
        segment.ecn = self.cc.ect();
        if std::mem::take(&mut self.rare().ecn.reduced) {
            segment.flags |= Flags::CWR;
        }
    }

    /// ECE of a segment that acknowledges.
    pub(super) fn ecn_echo(&self) -> Flags {
        match &self.rare {
            Some(rare) if rare.ecn.echo => Flags::ECE,
            _ => Flags::NONE,
        }
    }

    /// The receiver's part (section 6.1.3): CE is echoed until CWR comes. True when an ACK should
    /// not wait, because the peer's window may be very small now (Linux).
    pub(super) fn note_marks(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) -> bool {
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
        ecn.seen |= seg.ecn != Ecn::NotEct;
        at_once
    }

    /// RFC 8257 section 3.2: ECE says of every ACK whether the segments it covers were marked. When
    /// that changes, an ACK that was delayed goes first, and one for this segment at once.
    fn note_each_mark(&mut self, seg: &Segment, now: SimTime, out: &mut Outputs) -> bool {
        let marked = seg.ecn == Ecn::Ce;
        let changed = marked != self.rare().ecn.echo;
        if changed && self.timers.ack != SimTime::MAX {
            self.send_ack(now, out);
        }
        let ecn = &mut self.rare().ecn;
        ecn.echo = marked;
        ecn.seen |= seg.ecn != Ecn::NotEct;
        changed
    }

    /// The sender's part (section 6.1.2): an echo counts like a loss, once per window of data.
    pub(super) fn on_ecn_echo(&mut self, flight: u64, now: SimTime) {
        if self.is_reacting() || self.recovery.phase() != Phase::Open {
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
    }

    /// The window was reduced, for an echo or for a loss: the peer is told with the next new data.
    pub(super) fn note_reduction(&mut self) {
        if let Some(rare) = &mut self.rare {
            rare.ecn.reduced = rare.ecn.agreed;
            rare.ecn.end = self.snd.nxt;
        }
    }

    /// An echo has reduced the window less than a round trip ago.
    pub(super) fn is_reacting(&self) -> bool {
        let ecn = self.rare.as_ref().map(|r| &r.ecn);
        ecn.is_some_and(|e| e.reacting && self.snd.una.before(e.end))
    }

    /// An ECN codepoint has arrived.
    pub(super) fn ecn_seen(&self) -> bool {
        self.rare.as_ref().is_some_and(|r| r.ecn.seen)
    }
}
