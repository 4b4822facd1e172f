//! CoDel, controlled delay (RFC 8289): drops at the head of the queue once packets have waited
//! longer than `target` for a whole `interval`, then more and more often, until they wait less.
//!
//! Follows the pseudo-code of RFC 8289 section 5. In addition, as in Linux: with `ecn`, packets of
//! ECN-capable senders are marked instead of dropped. Leaves out Linux's `ce_threshold` and its 32-bit
//! arithmetic.

use std::sync::Arc;

use super::common;
use super::fair::FlowQueue;
use super::fifo::{Fifo, packets_are_in_queue};
use super::{AnyQueueDisc, QueueCx, QueueDisc, QueueDrop, QueueLimit, QueuedPacket};
use crate::plugin::{InvalidValue, ModelKind, ModelParameter, ModelValues, Plugin};
use crate::time::{SimDuration, SimTime};

const PARAMETERS: &[ModelParameter] = &[
    common::CODEL_TARGET,
    common::CODEL_INTERVAL,
    common::limit("1000 packets"),
    common::ecn("false"),
];

/// CoDel as a kind of queue discipline.
pub(super) fn kind() -> ModelKind<AnyQueueDisc> {
    ModelKind::new(
        "codel",
        "controlled delay (RFC 8289)",
        PARAMETERS,
        |values: &ModelValues| {
            let params = CoDelParams::of(values, values.limit("limit"))?;
            Ok(Arc::new(move || AnyQueueDisc::CoDel(CoDel::new(params))))
        },
    )
}

/// Parameters of [`CoDel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoDelParams {
    /// TARGET of RFC 8289: the longest acceptable standing wait.
    pub target: SimDuration,
    /// INTERVAL of RFC 8289, about the longest round trip.
    pub interval: SimDuration,
    /// Limit of the queue.
    pub limit: QueueLimit,
    /// Marks packets of ECN-capable senders instead of dropping them.
    pub ecn: bool,
}

impl CoDelParams {
    /// Reads them from the values of a discipline.
    ///
    /// # Errors
    /// When the target is zero or longer than the interval.
    pub(super) fn of(values: &ModelValues, limit: QueueLimit) -> Result<CoDelParams, InvalidValue> {
        let params = CoDelParams {
            target: values.duration("target"),
            interval: values.duration("interval"),
            limit,
            ecn: values.flag("ecn"),
        };
        values.positive(&["target"], "RFC 8289 has 5 ms")?;
        if params.interval < params.target {
            return Err(InvalidValue::new(
                "interval",
                "must not be shorter than `target`",
                "RFC 8289 has an interval of 100 ms and a target of 5 ms",
            ));
        }
        Ok(params)
    }
}

impl Default for CoDelParams {
    /// 5 ms and 100 ms (RFC 8289 section 4), 1000 packets, no ECN.
    fn default() -> Self {
        CoDelParams {
            target: SimDuration::from_millis(5),
            interval: SimDuration::from_millis(100),
            limit: QueueLimit::Packets(1000),
            ecn: false,
        }
    }
}

/// A queue controlled by CoDel. Variables have the names of RFC 8289.
#[derive(Debug)]
pub struct CoDel {
    params: CoDelParams,
    queue: Fifo,
    /// When waits will have been above the target for a whole interval; `None` while they are not
    /// above it.
    first_above_time: Option<SimTime>,
    drop_next: SimTime,
    count: u64,
    lastcount: u64,
    dropping: bool,
    /// The largest packet seen.
    maxpacket: u32,
}

/// The packet at the head of the queue, and whether the control law may drop it.
struct Head {
    packet: Option<QueuedPacket>,
    ok_to_drop: bool,
}

impl CoDel {
    /// An empty queue.
    pub fn new(params: CoDelParams) -> CoDel {
        CoDel {
            queue: Fifo::new(params.limit),
            params,
            first_above_time: None,
            drop_next: SimTime::ZERO,
            count: 0,
            lastcount: 0,
            dropping: false,
            maxpacket: 0,
        }
    }

    /// CoDel for a link, with these parameters.
    ///
    /// # Panics
    /// When the target is zero or longer than the interval.
    pub fn plugin(params: CoDelParams) -> Plugin<AnyQueueDisc> {
        let text = |d: SimDuration| d.to_string();
        let given = [
            ("target", text(params.target)),
            ("interval", text(params.interval)),
            ("limit", params.limit.to_string()),
            ("ecn", params.ecn.to_string()),
        ];
        let given = given
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        kind().plugin(&given).expect("0 < target <= interval")
    }

    /// When the next drop is due, `count` drops after the first: the time between drops shrinks
    /// with the square root of their number.
    fn control_law(&self, t: SimTime, count: u64) -> SimTime {
        let ps = self.params.interval.as_ps() as f64 / (count as f64).sqrt();
        t.saturating_add(SimDuration::from_ps(ps as u64))
    }

    /// Takes the head; RFC 8289 section 5.6, `dodequeue`.
    fn take_head(&mut self, now: SimTime) -> Head {
        let mut ok_to_drop = false;
        let packet = self.queue.pop();
        if let Some(p) = &packet {
            let is_short = self.queue.bytes() <= u64::from(self.maxpacket);
            if p.sojourn(now) < self.params.target || is_short {
                self.first_above_time = None;
            } else if let Some(at) = self.first_above_time {
                ok_to_drop = now >= at;
            } else {
                self.first_above_time = Some(now.saturating_add(self.params.interval));
            }
        } else {
            self.first_above_time = None;
        }
        Head { packet, ok_to_drop }
    }

    /// Marks the packet; `None` when it was dropped instead.
    fn signal(&self, packet: Option<QueuedPacket>, cx: &mut QueueCx<'_>) -> Option<QueuedPacket> {
        let mut packet = packet?;
        if self.params.ecn && cx.mark(&mut packet) {
            return Some(packet);
        }
        cx.drop(packet, QueueDrop::Early);
        None
    }

    /// Drops packets as long as the control law requires it.
    fn keep_dropping(&mut self, mut head: Head, cx: &mut QueueCx<'_>) -> Option<QueuedPacket> {
        let now = cx.now();
        if !head.ok_to_drop {
            self.dropping = false;
        }
        while self.dropping && now >= self.drop_next {
            self.count += 1;
            if let Some(marked) = self.signal(head.packet, cx) {
                self.drop_next = self.control_law(self.drop_next, self.count);
                return Some(marked);
            }
            head = self.take_head(now);
            if head.ok_to_drop {
                self.drop_next = self.control_law(self.drop_next, self.count);
            } else {
                self.dropping = false;
            }
        }
        head.packet
    }

    /// Enters the dropping state with the first drop.
    fn begin_dropping(&mut self, head: Head, cx: &mut QueueCx<'_>) -> Option<QueuedPacket> {
        let now = cx.now();
        let next = match self.signal(head.packet, cx) {
            Some(marked) => Some(marked),
            None => self.take_head(now).packet,
        };
        self.dropping = true;
        // Waits exceeded the target again soon: continue at the drop rate that last controlled
        // them.
        let recent = now.since(self.drop_next) < self.params.interval.saturating_mul(16);
        let delta = self.count.saturating_sub(self.lastcount);
        self.count = if delta > 1 && recent { delta } else { 1 };
        self.drop_next = self.control_law(now, self.count);
        self.lastcount = self.count;
        next
    }
}

impl QueueDisc for CoDel {
    fn enqueue(&mut self, packet: QueuedPacket, cx: &mut QueueCx<'_>) {
        if self.queue.has_room(packet.size(), cx) {
            self.maxpacket = self.maxpacket.max(packet.size());
        }
        self.queue.push_or_drop(packet, cx);
    }

    fn dequeue(&mut self, cx: &mut QueueCx<'_>) -> Option<QueuedPacket> {
        let head = self.take_head(cx.now());
        if self.dropping {
            self.keep_dropping(head, cx)
        } else if head.ok_to_drop {
            self.begin_dropping(head, cx)
        } else {
            head.packet
        }
    }

    packets_are_in_queue!();
}

impl FlowQueue for CoDel {
    fn pop_head(&mut self) -> Option<QueuedPacket> {
        self.queue.pop()
    }
}
