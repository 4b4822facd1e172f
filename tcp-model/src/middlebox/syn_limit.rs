//! A limit on new connections, as firewalls set it (`iptables -m limit` on SYNs): a rate per second
//! in the long run, and a burst.
//!
//! A SYN that is ahead of the rate by more than the burst is dropped, and its client retransmits it
//! after a time-out. All other packets pass.
//!
//! Leaves out: limits per source or destination.

use std::sync::Arc;

use sim_core::plugin::{ModelKind, ModelParameter, ValueKind};
use sim_core::{Packet, SimDuration, SimTime};

use super::{BoxedMiddlebox, Middlebox, MiddleboxCount, MiddleboxCx};
use crate::segment::{Flags, Packed};

const PARAMETERS: &[ModelParameter] = &[
    ModelParameter {
        name: "rate",
        kind: ValueKind::Count,
        default: None,
        doc: "SYNs per second in the long run",
    },
    ModelParameter {
        name: "burst",
        kind: ValueKind::Count,
        default: Some("5"),
        doc: "SYNs at once after a pause",
    },
];

/// Its name and parameters.
pub(super) fn kind() -> ModelKind<BoxedMiddlebox> {
    let doc = "drops SYNs beyond a rate, as a firewall does (iptables -m limit)";
    ModelKind::new("syn-limit", doc, PARAMETERS, |values| {
        let rate = values.count_within("rate", 1..=1_000_000_000, "it counts SYNs per second")?;
        let burst = values.count_within("burst", 1..=1_000_000, "it counts SYNs")?;
        Ok(Arc::new(move || -> BoxedMiddlebox {
            Box::new(SynLimit::new(rate, burst))
        }))
    })
}

/// A limit on new connections.
#[derive(Clone, Debug)]
pub struct SynLimit {
    /// Time between two SYNs at the rate.
    interval: SimDuration,
    /// How far SYNs may be ahead of the rate.
    ahead: SimDuration,
    /// When the next SYN is due at the rate.
    due: SimTime,
    dropped: u64,
}

impl SynLimit {
    /// `rate` SYNs per second, and `burst` at once; both at least 1.
    pub fn new(rate: u64, burst: u64) -> SynLimit {
        let interval = SimDuration::from_ps(1_000_000_000_000 / rate.max(1));
        SynLimit {
            interval,
            ahead: interval * (burst.max(1) - 1),
            due: SimTime::ZERO,
            dropped: 0,
        }
    }

    /// SYNs dropped so far.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether a SYN passes at this time.
    fn takes(&mut self, now: SimTime) -> bool {
        let due = self.due.max(now);
        let passes = due.since(now) <= self.ahead;
        if passes {
            self.due = due + self.interval;
        }
        passes
    }
}

impl Middlebox for SynLimit {
    fn on_packet(
        &mut self,
        packet: Packet<Packed>,
        cx: &mut MiddleboxCx<'_, '_>,
    ) -> Option<Packet<Packed>> {
        if cx.owns(packet.dst) {
            return Some(packet);
        }
        let flags = packet.payload.flags();
        let opens = flags.contains(Flags::SYN) && !flags.contains(Flags::ACK);
        if opens && !self.takes(cx.now()) {
            self.dropped += 1;
            cx.drop(packet);
        } else {
            cx.pass_on(packet);
        }
        None
    }

    fn on_crash(&mut self) {
        self.due = SimTime::ZERO;
    }

    fn counts(&self) -> Vec<(&'static str, MiddleboxCount)> {
        vec![(
            "syn_limit_drops_pkts",
            MiddleboxCount::Sum(self.dropped as f64),
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_syn_per_interval() {
        let mut limit = SynLimit::new(10, 3);
        let ms = |n| SimTime::ZERO + SimDuration::from_millis(n);
        let at = [0, 0, 0, 0, 99, 100, 100, 250, 299, 300, 900, 900, 900, 900];
        let passed: Vec<u64> = at.into_iter().filter(|n| limit.takes(ms(*n))).collect();
        assert_eq!(passed, [0, 0, 0, 100, 250, 300, 900, 900, 900]);
    }
}
