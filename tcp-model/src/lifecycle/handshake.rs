//! The handshake and its options.

use sim_core::SimTime;

use super::Lifecycle;
use crate::model::{Outputs, Signal};
use crate::resend_rule::RetransmitReason;
use crate::segment::{Flags, Segment};
use crate::seq::SeqNum;
use crate::state::State;
use crate::state_machine::StateMachine as _;
use crate::syn_cookie::CookieHandshake;
use crate::syn_options::SynOptions;
use crate::ts_clock::ts_clock;

impl Lifecycle {
    /// Sends a SYN, or a SYN-ACK in SYN-RECEIVED.
    pub(super) fn send_syn(
        &mut self,
        why: Option<RetransmitReason>,
        now: SimTime,
        out: &mut Outputs,
    ) {
        let answers = self.state != State::SynSent;
        let stamps = if answers {
            self.ts_ok
        } else {
            self.params.timestamps
        };
        let shift = match answers {
            true => (self.shift > 0).then_some(self.shift),
            false => self
                .params
                .window_scaling
                .then(|| self.params.window_shift()),
        };
        let echo = if answers { self.ts_recent } else { 0 };
        let val = ts_clock(now).wrapping_add(self.ts_offset);
        let offer = SynOptions {
            mss: self.params.mss(),
            sack: false,
            timestamps: stamps.then_some((val, echo)),
            window_shift: shift,
        };
        let flags = if answers { Flags::SYN_ACK } else { Flags::SYN };
        let mut segment = self.header(flags, self.iss, now);
        segment.ack = if answers { self.rcv_nxt } else { SeqNum(0) };
        segment.window = self.params.offered_buffer().min(0xffff) as u16;
        segment.options = offer.write(self.params.syn_layout);
        self.nxt = self.iss + 1;
        self.emit(segment, why, out);
        self.arm_rto(now);
    }

    /// Adopts what the peer's SYN offers.
    pub(super) fn take_syn(&mut self, seg: &Segment) {
        let offer = SynOptions::read(&seg.options, &self.params);
        self.rcv_nxt = seg.seq + 1;
        self.take_offer(&offer);
    }

    pub(super) fn take_offer(&mut self, offer: &SynOptions) {
        if let Some((val, _)) = offer.timestamps {
            self.ts_ok = true;
            self.ts_recent = val;
        }
        if offer.window_shift.is_some() {
            self.shift = self.params.window_shift();
        }
        let mss = u32::from(offer.mss).max(self.params.min_mss);
        let mss = mss.min(u32::from(self.params.mss().max(64)));
        self.mss = mss - if self.ts_ok { 12 } else { 0 };
    }

    /// The handshake is complete here.
    pub(super) fn establish(&mut self, now: SimTime, out: &mut Outputs) {
        if self.retries == 0 {
            self.take_rtt(now.since(self.first_sent));
        }
        let lost = self.retries > self.params.syn_losses_forgiven;
        self.una = self.iss + 1;
        self.settle_rto(now);
        let segments = if lost { 1 } else { self.params.initial_window };
        self.rounds.start(segments.max(1) * self.mss);
        self.enter(State::Established, out);
        out.signals.push(Signal::Connected);
        if self.fin_queued {
            self.leave_for_close(out);
        }
    }

    pub(super) fn resume(&mut self, agreed: &CookieHandshake, out: &mut Outputs) {
        if self.state != State::Closed || self.nxt != self.iss {
            return;
        }
        self.passive = true;
        self.iss = agreed.iss;
        (self.una, self.nxt) = (agreed.iss + 1, agreed.iss + 1);
        self.rcv_nxt = agreed.irs + 1;
        self.take_offer(&SynOptions {
            mss: agreed.mss,
            sack: false,
            timestamps: agreed.ts_recent.map(|val| (val, 0)),
            window_shift: agreed.window_shift,
        });
        self.rounds
            .start(self.params.initial_window.max(1) * self.mss);
        self.enter(State::SynReceived, out);
        self.enter(State::Established, out);
        out.signals.push(Signal::Connected);
    }

    pub(super) fn connect(&mut self, now: SimTime, out: &mut Outputs) {
        if self.state == State::Closed && self.nxt == self.iss {
            self.enter(State::SynSent, out);
            self.send_syn(None, now, out);
        }
    }

    pub(super) fn listen(&mut self) {
        if self.state == State::Closed && self.nxt == self.iss {
            self.passive = true;
            self.state = State::Listen;
        }
    }
}
