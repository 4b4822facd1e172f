//! NewReno with SACK as its RFCs describe it, over a path with a constant round trip and independent losses, without
//! anything else of TCP: an expectation that is computed independently of the simulator.
//!
//! Time counts in round trips. A segment is acknowledged one round trip after it was sent, unless it is lost; three later
//! acknowledgements reveal the loss, of a retransmission too. The first one revealed of a window halves it (RFC 5681); until all of
//! that window is repaired nothing grows, and sending is spread by PRR (RFC 9937).

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
    number: u64,
    later: u32,
    repairs: bool,
}

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
    slow_start: bool,
    flying: VecDeque<Flying>,
    missing: VecDeque<Missing>,
    recovery: Option<Recovery>,
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
            slow_start: true,
            flying: VecDeque::new(),
            missing: VecDeque::new(),
            recovery: None,
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
            let Some(segment) = self.flying.pop_front() else {
                self.time_out();
                continue;
            };
            if segment.sent_at + 0.5 > rounds {
                return self.delivered as f64;
            }
            self.now = segment.sent_at + 1.0;
            match segment.lost {
                true => self.missing.push_back(Missing {
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
        self.delivered += 1;
        self.in_flight -= 1;
        self.unrepaired -= u64::from(segment.repairs);
        let revealed = self.reveal();
        let repaired = self.unrepaired == 0;
        let over =
            |r: &Recovery| repaired && self.missing.front().is_none_or(|m| m.number >= r.until);
        if self.recovery.as_ref().is_some_and(over) {
            self.recovery = None;
        }
        let allowed = match &mut self.recovery {
            Some(recovery) => {
                recovery.delivered += 1.0;
                proportional(recovery, self.window, self.in_flight as f64, revealed)
            }
            None => {
                self.window += if self.slow_start {
                    1.0
                } else {
                    1.0 / self.window
                };
                self.window.floor() - self.in_flight as f64
            }
        };
        for _ in 0..allowed.max(0.0) as u64 {
            self.send();
            if let Some(recovery) = &mut self.recovery {
                recovery.sent += 1.0;
            }
        }
    }

    /// Counts an acknowledgement for every missing segment, since all of them were sent earlier; returns whether it
    /// reveals a loss.
    fn reveal(&mut self) -> bool {
        self.missing.iter_mut().for_each(|m| m.later += 1);
        let mut any = false;
        while self.missing.front().is_some_and(|m| m.later >= 3) {
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

    /// No acknowledgement is on its way: after two more round trips, the minimum time-out of the `linux` profile,
    /// slow start up to half the window.
    fn time_out(&mut self) {
        self.now += 2.0;
        self.missing.clear();
        self.recovery = None;
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
