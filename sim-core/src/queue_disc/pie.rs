//! PIE, proportional integral controller enhanced (RFC 8033): drops arriving packets with a
//! probability that is adjusted every 15 ms by how far the queueing delay is from its target and
//! by how it changes.
//!
//! Follows section 4 and, of the optional parts of section 5, ECN (5.1), the spreading of drops
//! (5.4) and the cap on steps (5.5). The queueing delay is measured with timestamps: the wait of
//! the packet that left last, and zero while the queue is empty. Leaves out the estimate of the
//! departure rate (5.2), the switch that turns PIE off below a third of the buffer (5.3) and drops
//! in proportion to size.
//!
//! There is no timer: updates that were due since the last packet are made when the next one arrives or
//! leaves, with the values that they would have seen.

use std::sync::Arc;

use super::common;
use super::fair::FlowQueue;
use super::fifo::{Fifo, packets_are_in_queue};
use super::{AnyQueueDisc, QueueCx, QueueDisc, QueueDrop, QueueLimit, QueuedPacket};
use crate::plugin::{InvalidValue, ModelKind, ModelParameter, ModelValues, ValueKind};
use crate::time::{SimDuration, SimTime};

/// The parameters of the controller.
pub(super) const CONTROL: [ModelParameter; 7] = [
    ModelParameter::new(
        "target",
        ValueKind::Duration,
        "15 ms",
        "QDELAY_REF, the queueing delay to keep",
    ),
    ModelParameter::new(
        "update",
        ValueKind::Duration,
        "15 ms",
        "T_UPDATE, how often the drop probability is adjusted",
    ),
    ModelParameter::new(
        "max_burst",
        ValueKind::Duration,
        "150 ms",
        "MAX_BURST, how long a burst that ends an idle time is let through",
    ),
    ModelParameter::new(
        "alpha",
        ValueKind::Number,
        "0.125",
        "change of the probability for each second of delay beyond the target",
    ),
    ModelParameter::new(
        "beta",
        ValueKind::Number,
        "1.25",
        "change of the probability for each second that the delay has grown",
    ),
    ModelParameter::new(
        "spread",
        ValueKind::Flag,
        "true",
        "spread drops evenly over the packets (section 5.4) instead of by independent draws",
    ),
    ModelParameter::new(
        "ecn",
        ValueKind::Flag,
        "false",
        "mark packets of ECN-capable senders instead of dropping them, up to a probability of 10 %",
    ),
];

const PARAMETERS: &[ModelParameter] =
    &common::join::<7, 1, 8>(CONTROL, [common::limit("1000 packets")]);

/// PIE as a kind of queue discipline.
pub(super) fn kind() -> ModelKind<AnyQueueDisc> {
    ModelKind::new(
        "pie",
        "proportional integral controller enhanced (RFC 8033)",
        PARAMETERS,
        |values: &ModelValues| {
            let params = PieParams::of(values, values.limit("limit"))?;
            Ok(Arc::new(move || AnyQueueDisc::custom(Pie::new(params))))
        },
    )
}

/// Parameters of [`Pie`].
#[derive(Clone, Copy, Debug)]
pub(super) struct PieParams {
    target: SimDuration,
    update: SimDuration,
    max_burst: SimDuration,
    alpha: f64,
    beta: f64,
    spread: bool,
    limit: QueueLimit,
    ecn: bool,
}

impl PieParams {
    /// Reads the parameters [`CONTROL`] of a discipline.
    ///
    /// # Errors
    /// When one is out of range.
    pub(super) fn of(values: &ModelValues, limit: QueueLimit) -> Result<PieParams, InvalidValue> {
        let params = PieParams {
            target: values.duration("target"),
            update: values.duration("update"),
            max_burst: values.duration("max_burst"),
            alpha: values.number("alpha"),
            beta: values.number("beta"),
            spread: values.flag("spread"),
            limit,
            ecn: values.flag("ecn"),
        };
        values.positive(&["target"], "RFC 8033 has 15 ms")?;
        if params.update < SimDuration::from_micros(1) {
            let problem = "must be at least 1 us";
            return Err(InvalidValue::new("update", problem, "RFC 8033 has 15 ms"));
        }
        for (name, gain) in [("alpha", params.alpha), ("beta", params.beta)] {
            if gain < 0.0 {
                let advice = "RFC 8033 has an alpha of 0.125 and a beta of 1.25";
                return Err(InvalidValue::new(name, "must not be negative", advice));
            }
        }
        Ok(params)
    }
}

/// MEAN_PKTSIZE of section 4.1, in bytes: nothing is dropped while at most two such packets wait.
const MEAN_PACKET: u64 = 1024;
/// MARK_ECNTH of section 5.1: above this probability packets are dropped even with ECN.
const MOST_MARKED: f64 = 0.1;

/// A queue controlled by PIE. Variables have the names of RFC 8033.
#[derive(Debug)]
pub(super) struct Pie {
    params: PieParams,
    queue: Fifo,
    drop_prob: f64,
    accu_prob: f64,
    /// The wait of the last packet that left.
    qdelay: SimDuration,
    qdelay_old: SimDuration,
    burst_allowance: SimDuration,
    update_at: SimTime,
}

impl Pie {
    /// An empty queue.
    pub(super) fn new(params: PieParams) -> Pie {
        Pie {
            params,
            queue: Fifo::new(params.limit),
            drop_prob: 0.0,
            accu_prob: 0.0,
            qdelay: SimDuration::ZERO,
            qdelay_old: SimDuration::ZERO,
            burst_allowance: params.max_burst,
            update_at: SimTime::ZERO.saturating_add(params.update),
        }
    }

    /// Makes the updates that were due by `now`.
    fn catch_up(&mut self, now: SimTime) {
        while self.update_at <= now {
            self.update_at = self.update_at.saturating_add(self.params.update);
            if self.is_at_rest() {
                let late = now.since(self.update_at).as_ps();
                let skipped = late - late % self.params.update.as_ps();
                self.update_at = self.update_at.saturating_add(SimDuration::from_ps(skipped));
            } else {
                self.calculate_drop_prob();
            }
        }
    }

    /// Whether updates have no effect until a packet arrives.
    fn is_at_rest(&self) -> bool {
        self.queue.is_empty()
            && self.drop_prob == 0.0
            && self.qdelay.is_zero()
            && self.qdelay_old.is_zero()
            && self.burst_allowance == self.params.max_burst
    }

    /// Section 4.2, and section 4.4 for the bursts.
    fn calculate_drop_prob(&mut self) {
        let PieParams {
            target,
            alpha,
            beta,
            ..
        } = self.params;
        if self.queue.is_empty() {
            self.qdelay = SimDuration::ZERO;
        }
        let delay = self.qdelay.as_secs_f64();
        let p =
            alpha * (delay - target.as_secs_f64()) + beta * (delay - self.qdelay_old.as_secs_f64());
        let p = p / scale(self.drop_prob);
        // Section 5.5: steps are at most 2 % once the probability is high.
        let p = if self.drop_prob >= 0.1 {
            p.min(0.02)
        } else {
            p
        };
        self.drop_prob += p;
        if self.qdelay.is_zero() && self.qdelay_old.is_zero() {
            self.drop_prob *= 0.98;
        }
        self.drop_prob = self.drop_prob.clamp(0.0, 1.0);
        let half = target / 2;
        self.burst_allowance = self.burst_allowance.saturating_sub(self.params.update);
        if self.drop_prob == 0.0 && self.qdelay < half && self.qdelay_old < half {
            self.burst_allowance = self.params.max_burst;
        }
        self.qdelay_old = self.qdelay;
    }

    /// Section 4.1: decides whether an arriving packet is dropped or marked.
    fn drop_early(&mut self, cx: &mut QueueCx<'_>) -> bool {
        if !self.burst_allowance.is_zero() {
            return false;
        }
        if self.drop_prob == 0.0 {
            self.accu_prob = 0.0;
            return false;
        }
        let short = self.qdelay_old < self.params.target / 2 && self.drop_prob < 0.2;
        if short || self.queue.bytes() <= 2 * MEAN_PACKET {
            return false;
        }
        if self.params.spread {
            self.accu_prob += self.drop_prob;
            if self.accu_prob < 0.85 {
                return false;
            }
            if self.accu_prob < 8.5 && !cx.rng().chance(self.drop_prob) {
                return false;
            }
            self.accu_prob = 0.0;
            return true;
        }
        cx.rng().chance(self.drop_prob)
    }
}

/// The divisor of a step at a given probability, section 4.2.
fn scale(drop_prob: f64) -> f64 {
    const STEPS: [(f64, f64); 6] = [
        (0.000_001, 2048.0),
        (0.000_01, 512.0),
        (0.000_1, 128.0),
        (0.001, 32.0),
        (0.01, 8.0),
        (0.1, 2.0),
    ];
    let step = STEPS.iter().find(|(below, _)| drop_prob < *below);
    step.map_or(1.0, |(_, by)| *by)
}

impl QueueDisc for Pie {
    fn enqueue(&mut self, mut packet: QueuedPacket, cx: &mut QueueCx<'_>) {
        self.catch_up(cx.now());
        if !self.queue.has_room(packet.size(), cx) {
            self.accu_prob = 0.0;
            cx.drop(packet, QueueDrop::Full);
            return;
        }
        if self.drop_early(cx) {
            let may_mark = self.params.ecn && self.drop_prob <= MOST_MARKED;
            if !(may_mark && cx.mark(&mut packet)) {
                cx.drop(packet, QueueDrop::Early);
                return;
            }
        }
        self.queue.push(packet);
    }

    fn dequeue(&mut self, cx: &mut QueueCx<'_>) -> Option<QueuedPacket> {
        self.catch_up(cx.now());
        let packet = self.queue.pop()?;
        self.qdelay = packet.sojourn(cx.now());
        Some(packet)
    }

    packets_are_in_queue!();
}

impl FlowQueue for Pie {
    fn pop_head(&mut self) -> Option<QueuedPacket> {
        self.queue.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn pie() -> Pie {
        Pie::new(PieParams {
            target: SimDuration::from_millis(15),
            update: SimDuration::from_millis(15),
            max_burst: SimDuration::from_millis(150),
            alpha: 0.125,
            beta: 1.25,
            spread: true,
            limit: QueueLimit::Unlimited,
            ecn: false,
        })
    }

    fn at(ms: u64) -> SimTime {
        SimTime::ZERO.saturating_add(SimDuration::from_millis(ms))
    }

    #[test]
    fn the_probability_follows_section_4_2() {
        // By hand. Delay 30 ms for the first time: 0.125 * 0.015 + 1.25 * 0.030 = 0.039375, over
        // 2048; then 0.001875 a step, over 128 below 1e-4, over 32 below 1e-3.
        let mut pie = pie();
        let mut expected = 0.039_375 / 2048.0;
        let queue = |pie: &mut Pie, ms| {
            pie.qdelay = SimDuration::from_millis(ms);
            // Not empty: a packet waits.
            pie.queue = Fifo::new(QueueLimit::Unlimited);
            pie.queue.push(QueuedPacket::for_test(1000));
            pie.calculate_drop_prob();
        };
        for step in 0..12 {
            queue(&mut pie, 30);
            if step > 0 {
                expected += 0.001_875 / if expected < 1e-4 { 128.0 } else { 32.0 };
            }
            let p = pie.drop_prob;
            assert!((p - expected).abs() < 1e-12, "step {step}: {p} {expected}");
        }
        // Back at the target: only the decrease of the delay counts, 1.25 * 0.015 less, over 32.
        queue(&mut pie, 15);
        assert_eq!(pie.drop_prob, 0.0);
        // Far beyond: at 10 % and more a step is at most 2 %.
        pie.drop_prob = 0.5;
        queue(&mut pie, 1000);
        assert!((pie.drop_prob - 0.52).abs() < 1e-12);
    }

    #[test]
    fn the_probability_decays_while_the_queue_is_empty_and_bursts_are_allowed_again() {
        let mut pie = pie();
        (pie.drop_prob, pie.burst_allowance) = (0.5, SimDuration::ZERO);
        pie.calculate_drop_prob();
        // (0.5 - 0.125 * 0.015) * 0.98
        assert!((pie.drop_prob - 0.488_162_5).abs() < 1e-12);
        assert!(pie.burst_allowance.is_zero());
        pie.catch_up(at(60_000));
        assert!(pie.is_at_rest(), "{pie:?}");
        // A hundred days of idle time costs nothing, and updates stay on their grid.
        pie.catch_up(at(8_640_000_000));
        assert_eq!(pie.update_at, at(8_640_000_000 + 15));
    }

    #[test]
    fn nothing_is_dropped_in_the_first_burst_and_then_evenly() {
        let (mut rng, mut dropped, mut marks) = (
            Rng::stream(1, "pie", 0),
            Vec::new(),
            crate::queue_disc::CeMarks::default(),
        );
        let mut cx = QueueCx::new(SimTime::ZERO, &mut rng, &mut dropped, &mut marks);
        let mut pie = pie();
        (pie.drop_prob, pie.qdelay_old) = (0.3, SimDuration::from_millis(50));
        for _ in 0..10 {
            pie.queue.push(QueuedPacket::for_test(1000));
        }
        assert!(!pie.drop_early(&mut cx), "a burst is let through");
        pie.burst_allowance = SimDuration::ZERO;
        let mut gap = 0;
        let mut gaps = Vec::new();
        for _ in 0..10_000 {
            gap += 1;
            if pie.drop_early(&mut cx) {
                gaps.push(gap);
                gap = 0;
            }
        }
        // No drop before 0.85 / 0.3 packets, and always one by 8.5 / 0.3.
        assert_eq!(gaps.iter().min(), Some(&3));
        assert!(gaps.iter().max() <= Some(&29));
        // With one packet waiting nothing is dropped, nor at short delays below 20 %.
        pie.queue = Fifo::new(QueueLimit::Unlimited);
        pie.queue.push(QueuedPacket::for_test(1000));
        assert!((0..100).all(|_| !pie.drop_early(&mut cx)));
    }
}
