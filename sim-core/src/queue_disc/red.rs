//! RED, random early detection (Floyd and Jacobson 1993): drops or marks arriving packets at
//! random, the more the longer the average queue, and spreads the drops evenly over the packets.
//!
//! With `gentle` (Floyd 2000) the probability rises from `max_p` to 1 between `max` and twice
//! `max` instead of jumping there; with `adaptive` (Floyd, Gummadi and Shenker 2001) `max_p` moves
//! so that the average stays halfway between `min` and `max`.
//!
//! The average covers the waiting packets, without the one in service. While the queue is empty, it
//! decays by one step for each packet that could have been sent, taking the last observed
//! transmission time as the time of a packet. Leaves out the byte mode of the probability (drops in
//! proportion to size) and ARED's automatic choice of `weight`, `min` and `max`.

use std::sync::Arc;

use super::common;
use super::fifo::{Fifo, packets_are_in_queue};
use super::{AnyQueueDisc, QueueCx, QueueDisc, QueueDrop, QueueLimit, QueuedPacket};
use crate::plugin::{InvalidValue, ModelKind, ModelParameter, ModelValues, ValueKind};
use crate::time::{SimDuration, SimTime};

const PARAMETERS: &[ModelParameter] = &[
    ModelParameter::new(
        "min",
        ValueKind::Limit,
        "5 packets",
        "average queue below which nothing is dropped",
    ),
    ModelParameter::new(
        "max",
        ValueKind::Limit,
        "15 packets",
        "average queue above which everything is dropped, or with `gentle` ever more",
    ),
    ModelParameter::new(
        "max_p",
        ValueKind::Probability,
        "0.1",
        "drop probability as the average reaches `max`",
    ),
    ModelParameter::new(
        "weight",
        ValueKind::Probability,
        "0.002",
        "share of the current queue in the average, at each arrival",
    ),
    ModelParameter::new(
        "gentle",
        ValueKind::Flag,
        "true",
        "raise the probability from max_p to 1 between `max` and twice `max`",
    ),
    ModelParameter::new(
        "adaptive",
        ValueKind::Flag,
        "false",
        "move max_p twice a second so that the average stays between `min` and `max` (ARED)",
    ),
    common::limit("1000 packets"),
    ModelParameter::new(
        "ecn",
        ValueKind::Flag,
        "false",
        "mark packets of ECN-capable senders instead of dropping them, while the average is below `max`",
    ),
];

/// RED as a kind of queue discipline.
pub(super) fn kind() -> ModelKind<AnyQueueDisc> {
    ModelKind::new(
        "red",
        "random early detection (Floyd and Jacobson 1993), gentle and adaptive if asked",
        PARAMETERS,
        |values: &ModelValues| {
            let thresholds = match (values.limit("min"), values.limit("max")) {
                (QueueLimit::Packets(a), QueueLimit::Packets(b)) if a < b => {
                    (QueueUnit::Packets, f64::from(a), f64::from(b))
                }
                (QueueLimit::Bytes(a), QueueLimit::Bytes(b)) if a.0 < b.0 => {
                    (QueueUnit::Bytes, a.0 as f64, b.0 as f64)
                }
                _ => {
                    return Err(InvalidValue::new(
                        "min",
                        "must be less than `max`, both in packets or both in bytes",
                        "write for example min = \"5 packets\" and max = \"15 packets\"",
                    ));
                }
            };
            let weight = values.number("weight");
            values.positive(
                &["weight"],
                "with zero, the average stays at zero; 0.002 is usual",
            )?;
            let params = RedParams {
                unit: thresholds.0,
                min: thresholds.1,
                max: thresholds.2,
                weight,
                gentle: values.flag("gentle"),
                adaptive: values.flag("adaptive"),
                limit: values.limit("limit"),
                ecn: values.flag("ecn"),
            };
            let max_p = values.number("max_p");
            Ok(Arc::new(move || {
                AnyQueueDisc::custom(Red::new(params, max_p))
            }))
        },
    )
}

/// The unit in which queues are measured.
#[derive(Clone, Copy, Debug)]
enum QueueUnit {
    Packets,
    Bytes,
}

#[derive(Clone, Copy, Debug)]
struct RedParams {
    unit: QueueUnit,
    min: f64,
    max: f64,
    weight: f64,
    gentle: bool,
    adaptive: bool,
    limit: QueueLimit,
    ecn: bool,
}

/// How often ARED adjusts `max_p`.
const ADAPT_EVERY: SimDuration = SimDuration::from_millis(500);

/// A queue controlled by RED. Variables have the names of the paper.
#[derive(Debug)]
struct Red {
    params: RedParams,
    queue: Fifo,
    avg: f64,
    max_p: f64,
    /// Packets since the last drop; -1 while the average is below `min`.
    count: i64,
    /// When the queue became empty; `None` while packets wait.
    q_time: Option<SimTime>,
    /// When the last packet left, if others were waiting then. The next field is the time of a
    /// packet.
    left: Option<SimTime>,
    packet_time: SimDuration,
    adapt_at: SimTime,
}

impl Red {
    fn new(params: RedParams, max_p: f64) -> Red {
        Red {
            params,
            queue: Fifo::new(params.limit),
            avg: 0.0,
            max_p,
            count: -1,
            q_time: Some(SimTime::ZERO),
            left: None,
            packet_time: SimDuration::ZERO,
            adapt_at: SimTime::ZERO.saturating_add(ADAPT_EVERY),
        }
    }

    /// Updates the average when a packet arrives.
    fn average(&mut self, now: SimTime) {
        let weight = self.params.weight;
        if let Some(since) = self.q_time {
            if !self.packet_time.is_zero() {
                let packets = now.since(since).as_ps() / self.packet_time.as_ps();
                self.avg *= power(1.0 - weight, packets);
            }
        } else {
            let queue = match self.params.unit {
                QueueUnit::Packets => self.queue.len() as f64,
                QueueUnit::Bytes => self.queue.bytes() as f64,
            };
            self.avg += weight * (queue - self.avg);
        }
    }

    /// ARED section 4: adjusts `max_p` by additive increase, multiplicative decrease.
    fn adapt(&mut self, now: SimTime) {
        let RedParams { min, max, .. } = self.params;
        let margin = 0.4 * (max - min);
        let target = (min + margin, max - margin);
        while self.adapt_at <= now {
            self.adapt_at = self.adapt_at.saturating_add(ADAPT_EVERY);
            if self.avg > target.1 && self.max_p <= 0.5 {
                self.max_p += (0.25 * self.max_p).min(0.01);
            } else if self.avg < target.0 && self.max_p >= 0.01 {
                self.max_p *= 0.9;
            } else {
                // Nothing changes until the average does: skip the rest of an idle period.
                let late = now.since(self.adapt_at).as_ps();
                let skipped = late - late % ADAPT_EVERY.as_ps();
                self.adapt_at = self.adapt_at.saturating_add(SimDuration::from_ps(skipped));
            }
        }
    }

    /// The probability at the current average, before drops are spread evenly.
    fn base_probability(&self) -> f64 {
        let RedParams { min, max, .. } = self.params;
        if self.avg < min {
            0.0
        } else if self.avg < max {
            self.max_p * (self.avg - min) / (max - min)
        } else if self.params.gentle && self.avg < 2.0 * max {
            self.max_p + (1.0 - self.max_p) * (self.avg - max) / max
        } else {
            1.0
        }
    }

    /// Returns true if this arrival must be dropped or marked.
    fn signals(&mut self, cx: &mut QueueCx<'_>) -> bool {
        let p_b = self.base_probability();
        if self.avg < self.params.min {
            self.count = -1;
            return false;
        }
        self.count += 1;
        let rest = 1.0 - self.count as f64 * p_b;
        let p_a = if rest > p_b { p_b / rest } else { 1.0 };
        let signals = p_a >= 1.0 || cx.rng().chance(p_a);
        if signals {
            self.count = 0;
        }
        signals
    }
}

/// `base` to an integer power, with the same result on every machine.
fn power(mut base: f64, mut exponent: u64) -> f64 {
    let mut product = 1.0;
    while exponent > 0 && product > 0.0 {
        if exponent & 1 == 1 {
            product *= base;
        }
        base *= base;
        exponent >>= 1;
    }
    product
}

impl QueueDisc for Red {
    fn enqueue(&mut self, mut packet: QueuedPacket, cx: &mut QueueCx<'_>) {
        let now = cx.now();
        self.average(now);
        if self.params.adaptive {
            self.adapt(now);
        }
        if self.signals(cx) {
            let may_mark = self.params.ecn && self.avg < self.params.max;
            if !(may_mark && cx.mark(&mut packet)) {
                cx.drop(packet, QueueDrop::Early);
                return;
            }
        }
        if !self.queue.has_room(packet.size(), cx) {
            // A drop for lack of room also counts as a signal.
            self.count = self.count.min(0);
            cx.drop(packet, QueueDrop::Full);
            return;
        }
        self.q_time = None;
        self.queue.push(packet);
    }

    fn dequeue(&mut self, cx: &mut QueueCx<'_>) -> Option<QueuedPacket> {
        let now = cx.now();
        if let Some(before) = self.left.take() {
            self.packet_time = now.since(before);
        }
        let packet = self.queue.pop();
        if self.queue.is_empty() {
            self.q_time.get_or_insert(now);
        } else {
            self.left = Some(now);
        }
        packet
    }

    packets_are_in_queue!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn red(gentle: bool, max_p: f64) -> Red {
        let params = RedParams {
            unit: QueueUnit::Packets,
            min: 5.0,
            max: 15.0,
            weight: 0.5,
            gentle,
            adaptive: false,
            limit: QueueLimit::Unlimited,
            ecn: false,
        };
        Red::new(params, max_p)
    }

    #[test]
    fn the_probability_is_that_of_the_paper_and_gentle_rises_to_one_at_twice_the_maximum() {
        for (avg, plain, gentle) in [
            (4.9, 0.0, 0.0),
            (5.0, 0.0, 0.0),
            (10.0, 0.05, 0.05),
            (14.0, 0.09, 0.09),
            (15.0, 1.0, 0.1),
            (22.5, 1.0, 0.55),
            (30.0, 1.0, 1.0),
        ] {
            for (is_gentle, expected) in [(false, plain), (true, gentle)] {
                let mut red = red(is_gentle, 0.1);
                red.avg = avg;
                let p = red.base_probability();
                assert!((p - expected).abs() < 1e-12, "{avg} {is_gentle}: {p}");
            }
        }
    }

    #[test]
    fn the_average_halves_its_distance_and_decays_while_the_queue_is_empty() {
        let mut red = red(false, 0.1);
        let at = |ms| SimTime::ZERO.saturating_add(SimDuration::from_millis(ms));
        red.avg = 8.0;
        red.q_time = None;
        red.average(at(0));
        assert!(
            (red.avg - 4.0).abs() < 1e-12,
            "an average of 8 and no queue"
        );
        red.packet_time = SimDuration::from_millis(2);
        red.q_time = Some(at(10));
        red.average(at(17));
        assert!(
            (red.avg - 0.5).abs() < 1e-12,
            "three packets' time: {}",
            red.avg
        );
        assert_eq!(power(0.998, 0), 1.0);
        assert!((power(0.998, 1000) - 0.135_065).abs() < 1e-6);
    }

    #[test]
    fn drops_at_a_steady_average_are_spread_evenly() {
        // p_b = 0.1: p_a is 1/9, 1/8 ... 1 for the packets after a drop, so that each of the gaps
        // 1 to 9 is equally likely (section 7 of the paper).
        let mut red = red(false, 0.1);
        (red.avg, red.params.max, red.max_p) = (10.0, 15.0, 0.2);
        let (mut rng, mut dropped, mut marks) = (
            Rng::stream(1, "red", 0),
            Vec::new(),
            crate::queue_disc::CeMarks::default(),
        );
        let mut cx = QueueCx::new(SimTime::ZERO, &mut rng, &mut dropped, &mut marks);
        let mut gaps = [0u32; 12];
        let mut gap = 0;
        while !red.signals(&mut cx) {}
        for _ in 0..90_000 {
            gap += 1;
            if red.signals(&mut cx) {
                gaps[gap] += 1;
                gap = 0;
            }
        }
        let all: u32 = gaps.iter().sum();
        assert_eq!((gaps[0], gaps[10], gaps[11]), (0, 0, 0), "{gaps:?}");
        // Chi-square with 8 degrees of freedom: 26.1 at 0.1 %.
        let expected = f64::from(all) / 9.0;
        let chi: f64 = (1..=9)
            .map(|g| (f64::from(gaps[g]) - expected).powi(2) / expected)
            .sum();
        assert!(chi < 26.1, "{chi} {gaps:?}");
    }

    #[test]
    fn the_maximum_probability_adapts_and_long_idle_times_cost_nothing() {
        let mut red = red(true, 0.1);
        red.avg = 12.0;
        let at = |ms| SimTime::ZERO.saturating_add(SimDuration::from_millis(ms));
        red.adapt(at(499));
        assert_eq!(red.max_p, 0.1);
        red.adapt(at(1000));
        assert!((red.max_p - 0.12).abs() < 1e-12, "two steps of 0.01");
        red.avg = 8.0;
        red.adapt(at(1500));
        assert!((red.max_p - 0.108).abs() < 1e-12);
        red.avg = 10.0;
        red.adapt(at(10_000_000_000));
        assert!((red.max_p - 0.108).abs() < 1e-12, "within the target");
        assert_eq!(red.adapt_at, at(10_000_000_500));
    }
}
