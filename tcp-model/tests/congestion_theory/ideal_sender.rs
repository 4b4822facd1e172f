//! NewReno with SACK, RACK and tail loss probes as its RFCs describe it, over a path with a constant round trip and
//! independent losses, without anything else of TCP: an expectation that is computed independently of the simulator.
//!
//! Time counts in round trips. A segment is acknowledged one round trip after it was sent, unless it is lost. What reveals
//! the loss, of a retransmission too, is the acknowledgement of a later segment (RFC 8985 section 6.2): three of them, or
//! one during a recovery, or one when the segment is a quarter of a round trip overdue. The first loss revealed of a
//! window halves it (RFC 5681); until all of that window is repaired nothing grows, and sending is spread by PRR (RFC
//! 9937). If everything in flight is lost, a probe follows two round trips after the last segment (RFC 8985 section 7.2),
//! during a recovery or after a probe a time-out.

use std::collections::VecDeque;

/// A segment on its way.
struct Flying {
    sent_at: f64,
    number: u64,
    lost: bool,
    repairs: bool,
}

/// A lost segment whose loss is not revealed yet, with the acknowledgements of later ones.
struct Missing {
    sent_at: f64,
    number: u64,
    later: u32,
    repairs: bool,
}

/// How long a segment may be overdue after a later one has been acknowledged (RFC 8985 section 6.2 step 4).
const REORDERING_WINDOW: f64 = 0.25;

struct Recovery {
    /// Segments from this number on were sent afterwards.
    until: u64,
    /// In flight at its start.
    size: f64,
    delivered: f64,
    sent: f64,
}

/// The sender and its path.
pub(crate) struct IdealSender {
    loss: f64,
    random: u64,
    now: f64,
    window: f64,
    /// Segments acknowledged since the window last grew by counting.
    credit: f64,
    slow_start: bool,
    flying: VecDeque<Flying>,
    missing: VecDeque<Missing>,
    recovery: Option<Recovery>,
    /// The last segment sent is a tail loss probe, and nothing has been acknowledged since.
    probed: bool,
    /// Losses revealed and not sent again, and those sent again and not acknowledged.
    to_repair: u64,
    unrepaired: u64,
    in_flight: u64,
    sent: u64,
    delivered: u64,
}

impl IdealSender {
    /// A sender that has just been connected, one and a half round trips before its first acknowledgement of
    /// data.
    pub(crate) fn new(loss: f64, seed: u64) -> IdealSender {
        let mut sender = IdealSender {
            loss,
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            now: 1.0,
            window: 10.0,
            credit: 0.0,
            slow_start: true,
            flying: VecDeque::new(),
            missing: VecDeque::new(),
            recovery: None,
            probed: false,
            to_repair: 0,
            unrepaired: 0,
            in_flight: 0,
            sent: 0,
            delivered: 0,
        };
        (0..10).for_each(|_| sender.send());
        sender
    }

    /// Segments that have arrived by a time: half a round trip before their acknowledgements.
    pub(crate) fn segments_by(mut self, rounds: f64) -> f64 {
        loop {
            let next = self.flying.front().map(|segment| segment.sent_at + 1.0);
            if let Some(due) = self.overdue_at()
                && next.is_none_or(|next| due < next)
            {
                self.now = due;
                let revealed = self.reveal();
                self.send_allowed(revealed);
                continue;
            }
            let Some(segment) = self.flying.pop_front() else {
                match self.recovery.is_some() || self.probed {
                    true => self.time_out(),
                    false => self.probe(),
                }
                continue;
            };
            if segment.sent_at + 0.5 > rounds {
                return self.delivered as f64;
            }
            self.now = segment.sent_at + 1.0;
            match segment.lost {
                true => self.missing.push_back(Missing {
                    sent_at: segment.sent_at,
                    number: segment.number,
                    later: 0,
                    repairs: segment.repairs,
                }),
                false => self.acknowledge(&segment),
            }
        }
    }

    fn uniform(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn send(&mut self) {
        let lost = self.uniform() < self.loss;
        let repairs = self.to_repair > 0;
        self.to_repair -= u64::from(repairs);
        self.flying.push_back(Flying {
            sent_at: self.now,
            number: self.sent,
            lost,
            repairs,
        });
        self.sent += 1;
        self.in_flight += 1;
    }

    fn acknowledge(&mut self, segment: &Flying) {
        self.probed = false;
        self.delivered += 1;
        self.in_flight -= 1;
        self.unrepaired -= u64::from(segment.repairs);
        self.missing.iter_mut().for_each(|m| m.later += 1);
        let revealed = self.reveal();
        let repaired = self.unrepaired == 0;
        let over =
            |r: &Recovery| repaired && self.missing.front().is_none_or(|m| m.number >= r.until);
        if self.recovery.as_ref().is_some_and(over) {
            self.recovery = None;
        }
        match &mut self.recovery {
            Some(recovery) => recovery.delivered += 1.0,
            // Only cumulative acknowledgements open the window.
            None if !self.missing.is_empty() => {}
            None if self.slow_start => self.window += 1.0,
            None => {
                // RFC 5681 section 3.1: a segment more when a whole window has been acknowledged.
                self.credit += 1.0;
                if self.credit >= self.window {
                    self.credit -= self.window;
                    self.window += 1.0;
                }
            }
        }
        self.send_allowed(revealed);
    }

    /// Sends what the window allows, or PRR; `revealed`: a loss has just been revealed.
    fn send_allowed(&mut self, revealed: bool) {
        let in_flight = self.in_flight as f64;
        let allowed = match &self.recovery {
            Some(recovery) => proportional(recovery, self.window, in_flight, revealed),
            None => self.window.floor() - in_flight,
        };
        for _ in 0..allowed.max(0.0) as u64 {
            self.send();
            if let Some(recovery) = &mut self.recovery {
                recovery.sent += 1.0;
            }
        }
    }

    /// When the first missing segment with an acknowledgement of a later one is overdue for too long.
    fn overdue_at(&self) -> Option<f64> {
        let first = self.missing.front().filter(|m| m.later > 0)?;
        Some(first.sent_at + 1.0 + REORDERING_WINDOW)
    }

    /// Finds out which of the missing segments are lost, in the order in which they were sent; returns whether any is.
    fn reveal(&mut self) -> bool {
        let mut any = false;
        let is_lost = |sender: &IdealSender| {
            let enough = if sender.recovery.is_some() { 1 } else { 3 };
            let late = sender.overdue_at().is_some_and(|due| due <= sender.now);
            late || sender.missing.front().is_some_and(|m| m.later >= enough)
        };
        while is_lost(self) {
            let Some(lost) = self.missing.pop_front() else {
                break;
            };
            let in_flight = self.in_flight;
            self.in_flight -= 1;
            self.to_repair += 1;
            self.unrepaired += u64::from(!lost.repairs);
            any = true;
            if self.recovery.is_none() {
                self.slow_start = false;
                self.credit = 0.0;
                self.window = (self.window / 2.0).floor().max(2.0);
                self.recovery = Some(Recovery {
                    until: self.sent,
                    size: in_flight as f64,
                    delivered: 0.0,
                    sent: 0.0,
                });
            }
        }
        any
    }

    /// No acknowledgement is on its way: a new segment one round trip after the last one should have been acknowledged.
    fn probe(&mut self) {
        self.probed = true;
        self.now += 1.0;
        self.send();
    }

    /// The same during a recovery or after a probe: after two more round trips, the minimum time-out of the `linux`
    /// profile, half the window. Simplification: it is used at once, without slow start, which is too rare to matter at
    /// the loss rates used.
    fn time_out(&mut self) {
        self.probed = false;
        self.now += 2.0;
        self.missing.clear();
        self.recovery = None;
        self.credit = 0.0;
        self.slow_start = false;
        (self.to_repair, self.unrepaired, self.in_flight) = (0, 0, 0);
        self.window = (self.window / 2.0).floor().max(2.0);
        self.send();
    }
}

/// PRR: how much may be sent upon an acknowledgement.
fn proportional(recovery: &Recovery, target: f64, in_flight: f64, revealed: bool) -> f64 {
    let allowed = match in_flight > target {
        true => (recovery.delivered * target / recovery.size).ceil() - recovery.sent,
        false => (recovery.delivered - recovery.sent).max(1.0) + 1.0,
    };
    // The first retransmission is always sent.
    let least = if revealed && recovery.sent == 0.0 {
        1.0
    } else {
        0.0
    };
    allowed
        .min((target - in_flight).max(if in_flight > target { allowed } else { 0.0 }))
        .max(least)
}
