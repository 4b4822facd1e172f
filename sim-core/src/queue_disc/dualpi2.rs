//! DualPI2 (RFC 9332 appendix A): a low-latency queue for L4S senders beside one for classic senders, with
//! coupled marking, so that both get about the same rate.
//!
//! ```text
//!   ECT(1), CE ──► L4S queue ─────► max(ramp, coupled p_CL = k p') ──► mark ──┐ weighted
//!                                                    ▲                       ├ priority ──► link
//!   others ──────► classic queue ──► p_C = p'^2 ─────┴ PI controller p' ──► drop or mark ──┘
//! ```
//!
//! The base probability p' is the output of a proportional integral controller of the queueing
//! delay. Classic senders see its square, as their rate is proportional to the inverse square root
//! of the signalling probability; L4S senders see `k` times p', as theirs is proportional to its
//! inverse (PI2, De Schepper et al. 2016). An L4S packet is also marked once it has waited longer
//! than `step`, with a probability that rises to 1 at `step + range`.
//!
//! The RFC leaves the scheduler open. Here the L4S queue has priority, but while both queues have
//! packets, classic ones get `classic_share` of the bytes. The controlled delay is the longer one
//! of the two queues (as in appendix A.2). In overload, when the coupled probability has reached 1,
//! L4S packets are also dropped with the classic probability, and classic packets are dropped
//! rather than marked, whatever their ECN field (appendix A.2: "overload disables ECN"). There is
//! no timer: updates that were due since the last packet are made when the next one arrives or
//! leaves. Leaves out queue protection (RFC 9332 section 8.2).
//!
//! Deviation: in overload every L4S packet that is not dropped is marked. Appendix A.2 adds both
//! probabilities to one counter, which above p_CL = 1 drops more packets than p_C says. The threshold
//! Th_len counts the packet that leaves: a packet alone is never marked for its own delay.

use std::sync::Arc;

use super::fifo::Fifo;
use super::{
    AnyQueueDisc, Backlog, QueueCx, QueueDisc, QueueDrop, QueueLimit, QueuedPacket, common,
};
use crate::plugin::{InvalidValue, ModelKind, ModelParameter, ModelValues, ValueKind};
use crate::time::{SimDuration, SimTime};

const PARAMETERS: &[ModelParameter] = &[
    ModelParameter::new(
        "target",
        ValueKind::Duration,
        "15 ms",
        "the queueing delay of classic packets to keep",
    ),
    ModelParameter::new(
        "max_rtt",
        ValueKind::Duration,
        "100 ms",
        "RTT_max: the longest round trip for which the controller is stable; its gains and its time between updates follow from it",
    ),
    ModelParameter::new(
        "coupling",
        ValueKind::Number,
        "2",
        "k: how many times the base probability L4S packets are marked with",
    ),
    ModelParameter::new(
        "step",
        ValueKind::Duration,
        "800 us",
        "minTh: how long an L4S packet may wait unmarked",
    ),
    ModelParameter::new(
        "range",
        ValueKind::Duration,
        "400 us",
        "how much longer it waits when it is marked for certain",
    ),
    ModelParameter::new(
        "classic_share",
        ValueKind::Probability,
        "0.1",
        "share of the link that classic packets get while L4S packets wait, too",
    ),
    common::joint_limit("10000 packets"),
];

/// DualPI2 as a kind of queue discipline.
pub(super) fn kind() -> ModelKind<AnyQueueDisc> {
    ModelKind::new(
        "dualpi2",
        "coupled queues for L4S and classic senders (RFC 9332)",
        PARAMETERS,
        |values: &ModelValues| {
            let params = Dualpi2Params::of(values)?;
            Ok(Arc::new(move || AnyQueueDisc::custom(DualPi2::new(params))))
        },
    )
}

/// Names as in appendix A.
#[derive(Clone, Copy, Debug)]
struct Dualpi2Params {
    target: SimDuration,
    tupdate: SimDuration,
    /// Change of p' per second of delay above the target, and per second by which the delay has grown.
    alpha: f64,
    beta: f64,
    k: f64,
    /// The value of p_C above which ECN is switched off.
    p_c_max: f64,
    min_th: SimDuration,
    range: SimDuration,
    classic_share: f64,
    limit: QueueLimit,
}

impl Dualpi2Params {
    fn of(values: &ModelValues) -> Result<Dualpi2Params, InvalidValue> {
        let (target, max_rtt) = (values.duration("target"), values.duration("max_rtt"));
        let k = values.number("coupling");
        for (name, value) in [("target", target), ("max_rtt", max_rtt)] {
            if value < SimDuration::from_micros(10) {
                let advice = "RFC 9332 has a target of 15 ms and a max_rtt of 100 ms";
                return Err(InvalidValue::new(name, "must be at least 10 us", advice));
            }
        }
        values.positive(&["coupling"], "RFC 9332 has 2")?;
        let tupdate = target.min(max_rtt / 3);
        let rtt = max_rtt.as_secs_f64();
        Ok(Dualpi2Params {
            target,
            tupdate,
            alpha: 0.1 * tupdate.as_secs_f64() / (rtt * rtt),
            beta: 0.3 / rtt,
            k,
            p_c_max: (1.0 / (k * k)).min(1.0),
            min_th: values.duration("step"),
            range: values.duration("range"),
            classic_share: values.number("classic_share"),
            limit: values.limit("limit"),
        })
    }

    /// The L4S queue's own probability: the ramp.
    fn laqm(&self, qdelay: SimDuration) -> f64 {
        if qdelay >= self.min_th + self.range {
            1.0
        } else if qdelay > self.min_th {
            (qdelay - self.min_th).as_secs_f64() / self.range.as_secs_f64()
        } else {
            0.0
        }
    }
}

/// One of the two queues.
#[derive(Debug)]
struct Lane {
    queue: Fifo,
    /// Sum of the probabilities of its packets that have not yet led to a signal.
    count: f64,
}

impl Lane {
    fn new() -> Lane {
        Lane {
            queue: Fifo::new(QueueLimit::Unlimited),
            count: 0.0,
        }
    }

    /// Returns true for a share `likelihood` of packets, evenly spread (`recur` in the
    /// pseudo-code).
    fn recur(&mut self, likelihood: f64) -> bool {
        self.count += likelihood;
        let signals = self.count > 1.0;
        if signals {
            self.count -= 1.0;
        }
        signals
    }

    fn delay(&self, now: SimTime) -> SimDuration {
        let head = self.queue.head();
        head.map_or(SimDuration::ZERO, |head| head.sojourn(now))
    }
}

/// Both queues and their controller.
#[derive(Debug)]
struct DualPi2 {
    params: Dualpi2Params,
    l4s: Lane,
    classic: Lane,
    /// Bytes that classic packets may send before the next L4S packet.
    credit: f64,
    /// p' of the RFC.
    base: f64,
    prevq: SimDuration,
    update_at: SimTime,
}

impl DualPi2 {
    fn new(params: Dualpi2Params) -> DualPi2 {
        DualPi2 {
            l4s: Lane::new(),
            classic: Lane::new(),
            credit: 0.0,
            base: 0.0,
            prevq: SimDuration::ZERO,
            update_at: SimTime::ZERO.saturating_add(params.tupdate),
            params,
        }
    }

    /// Makes the updates that were due by `now`.
    fn catch_up(&mut self, now: SimTime) {
        while self.update_at <= now {
            let at = self.update_at;
            self.update_at = at.saturating_add(self.params.tupdate);
            let idle = self.backlog().pkts == 0;
            if idle && self.base == 0.0 && self.prevq.is_zero() {
                // Nothing changes until a packet arrives.
                let late = now.since(self.update_at).as_ps();
                let skipped = late - late % self.params.tupdate.as_ps();
                self.update_at = self.update_at.saturating_add(SimDuration::from_ps(skipped));
            } else {
                self.update(self.classic.delay(at).max(self.l4s.delay(at)));
            }
        }
    }

    /// `dualpi2_update`, with the delay of the queue.
    fn update(&mut self, curq: SimDuration) {
        let Dualpi2Params {
            target,
            alpha,
            beta,
            ..
        } = self.params;
        let curq_s = curq.as_secs_f64();
        let change =
            alpha * (curq_s - target.as_secs_f64()) + beta * (curq_s - self.prevq.as_secs_f64());
        self.base = (self.base + change).clamp(0.0, 1.0);
        self.prevq = curq;
    }

    /// p_C: the probability with which classic packets are dropped or marked.
    fn classic_probability(&self) -> f64 {
        self.base * self.base
    }

    /// p_CL: the probability with which L4S packets are marked because of classic ones.
    fn coupled_probability(&self) -> f64 {
        self.params.k * self.base
    }

    /// Whether the next packet comes from the L4S queue; at least one packet waits.
    fn is_l4s_next(&mut self) -> bool {
        let (Some(l4s), Some(classic)) = (self.l4s.queue.head(), self.classic.queue.head()) else {
            self.credit = 0.0;
            return !self.l4s.queue.is_empty();
        };
        let classic = f64::from(classic.size());
        if self.params.classic_share > 0.0 && self.credit >= classic {
            self.credit -= classic;
            return false;
        }
        let share = self.params.classic_share;
        self.credit += if share < 1.0 {
            f64::from(l4s.size()) * share / (1.0 - share)
        } else {
            classic
        };
        true
    }

    /// Takes the next L4S packet, possibly marked; `None` if it was dropped.
    fn take_l4s(&mut self, cx: &mut QueueCx<'_>) -> Option<QueuedPacket> {
        let mut packet = self.l4s.queue.pop()?;
        let coupled = self.coupled_probability();
        let own = if self.l4s.queue.is_empty() {
            0.0 // Th_len: one packet alone is not a queue
        } else {
            self.params.laqm(packet.sojourn(cx.now()))
        };
        if coupled >= 1.0 {
            let p_c = self.classic_probability();
            if self.l4s.recur(p_c) {
                cx.drop(packet, QueueDrop::Early);
                return None;
            }
            cx.mark(&mut packet);
        } else if self.l4s.recur(own.max(coupled)) {
            cx.mark(&mut packet);
        }
        Some(packet)
    }

    /// Takes the next classic packet, possibly marked; `None` if it was dropped.
    fn take_classic(&mut self, cx: &mut QueueCx<'_>) -> Option<QueuedPacket> {
        let mut packet = self.classic.queue.pop()?;
        let p_c = self.classic_probability();
        if self.classic.recur(p_c) {
            let overload = p_c >= self.params.p_c_max;
            if overload || !cx.mark(&mut packet) {
                cx.drop(packet, QueueDrop::Early);
                return None;
            }
        }
        Some(packet)
    }
}

/// The lowest bit of the ECN field is set in ECT(1) and CE (RFC 9331 section 5.1).
const L4S_BIT: u8 = 1;

impl QueueDisc for DualPi2 {
    fn enqueue(&mut self, packet: QueuedPacket, cx: &mut QueueCx<'_>) {
        self.catch_up(cx.now());
        let Backlog { pkts, bytes } = self.backlog();
        let limit = self.params.limit;
        if !limit.admits(packet.size(), pkts as usize, bytes, cx.rate()) {
            cx.drop(packet, QueueDrop::Full);
        } else if packet.tos() & L4S_BIT != 0 {
            self.l4s.queue.push(packet);
        } else {
            self.classic.queue.push(packet);
        }
    }

    fn dequeue(&mut self, cx: &mut QueueCx<'_>) -> Option<QueuedPacket> {
        self.catch_up(cx.now());
        while self.backlog().pkts > 0 {
            let packet = if self.is_l4s_next() {
                self.take_l4s(cx)
            } else {
                self.take_classic(cx)
            };
            if packet.is_some() {
                return packet;
            }
        }
        None
    }

    fn backlog(&self) -> Backlog {
        let (l4s, classic) = (self.l4s.queue.backlog(), self.classic.queue.backlog());
        Backlog {
            pkts: l4s.pkts + classic.pkts,
            bytes: l4s.bytes + classic.bytes,
        }
    }

    fn allocated_bytes(&self) -> usize {
        self.l4s.queue.allocated_bytes() + self.classic.queue.allocated_bytes()
    }
}

#[cfg(test)]
mod tests;
