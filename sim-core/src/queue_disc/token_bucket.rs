//! A token bucket as a shaper, which holds packets back until there are tokens for them, and as a
//! policer, which drops packets when there are too few tokens.
//!
//! Tokens are bytes that arrive at `rate` until there are `burst` of them (RFC 2697 without its second bucket;
//! Turner 1986). A packet longer than the bucket needs a full bucket, and leaves it in debt. Packets are served
//! in order of arrival. Leaves out a peak rate and the overhead of lower layers.

use std::sync::Arc;

use super::fifo::{Fifo, packets_are_in_queue};
use super::{AnyQueueDisc, QueueCx, QueueDisc, QueueDrop, QueuedPacket, common};
use crate::plugin::{InvalidValue, ModelKind, ModelParameter, ModelValues, ValueKind};
use crate::time::{SimDuration, SimTime};
use crate::units::{Bytes, Rate};

const PARAMETERS: &[ModelParameter] = &[
    ModelParameter::needed("rate", ValueKind::Rate, "the rate at which tokens come"),
    ModelParameter::new(
        "burst",
        ValueKind::Bytes,
        "10 kB",
        "the most tokens there are: what may pass at once after an idle time",
    ),
    common::limit("1000 packets"),
];

/// The shaper as a kind of queue discipline.
pub(super) fn shaper() -> ModelKind<AnyQueueDisc> {
    ModelKind::new(
        "token-bucket",
        "a shaper: packets wait for tokens that come at a rate, up to a burst",
        PARAMETERS,
        |values: &ModelValues| {
            let (bucket, limit) = (TokenBucket::of(values)?, values.limit("limit"));
            Ok(Arc::new(move || {
                let queue = Fifo::new(limit);
                AnyQueueDisc::custom(Shaper { bucket, queue })
            }))
        },
    )
}

/// The policer as a kind of queue discipline.
pub(super) fn policer() -> ModelKind<AnyQueueDisc> {
    ModelKind::new(
        "policer",
        "drops packets for which there are no tokens, which come at a rate, up to a burst; the others wait in order of arrival",
        PARAMETERS,
        |values: &ModelValues| {
            let (bucket, limit) = (TokenBucket::of(values)?, values.limit("limit"));
            Ok(Arc::new(move || {
                let queue = Fifo::new(limit);
                AnyQueueDisc::custom(Policer { bucket, queue })
            }))
        },
    )
}

/// The tokens, represented by the time at which the bucket will be full: exact in whole picoseconds.
#[derive(Clone, Copy, Debug)]
struct TokenBucket {
    rate: Rate,
    /// How long an empty bucket takes to fill.
    depth: SimDuration,
    full_at: SimTime,
}

impl TokenBucket {
    fn new(rate: Rate, burst: Bytes) -> TokenBucket {
        TokenBucket {
            rate,
            depth: rate.transmission_time(burst.0),
            full_at: SimTime::ZERO,
        }
    }

    fn of(values: &ModelValues) -> Result<TokenBucket, InvalidValue> {
        match (values.rate("rate"), values.bytes("burst")) {
            (Some(rate), burst) if burst.0 > 0 => Ok(TokenBucket::new(rate, burst)),
            _ => Err(InvalidValue::new(
                "burst",
                "must be greater than zero",
                "write the size of several packets, for example 10 kB",
            )),
        }
    }

    /// When there will be tokens for a packet of `size` bytes, if none are taken before then.
    fn ready_at(&self, size: u32) -> SimTime {
        let needs = self.rate.transmission_time(size.into()).min(self.depth);
        let full = self.full_at.as_ps();
        SimTime::from_ps(full.saturating_sub(self.depth.saturating_sub(needs).as_ps()))
    }

    /// Takes the tokens for a packet; returns false if there are too few.
    fn take(&mut self, size: u32, now: SimTime) -> bool {
        if self.ready_at(size) > now {
            return false;
        }
        let needs = self.rate.transmission_time(size.into());
        self.full_at = self.full_at.max(now).saturating_add(needs);
        true
    }
}

/// Packets that wait for tokens.
#[derive(Debug)]
struct Shaper {
    bucket: TokenBucket,
    queue: Fifo,
}

impl QueueDisc for Shaper {
    fn enqueue(&mut self, packet: QueuedPacket, cx: &mut QueueCx<'_>) {
        self.queue.push_or_drop(packet, cx);
    }

    fn dequeue(&mut self, cx: &mut QueueCx<'_>) -> Option<QueuedPacket> {
        let size = self.queue.head()?.size();
        if self.bucket.take(size, cx.now()) {
            self.queue.pop()
        } else {
            None
        }
    }

    fn ready_at(&self) -> Option<SimTime> {
        Some(self.bucket.ready_at(self.queue.head()?.size()))
    }

    packets_are_in_queue!();
}

/// Packets that conformed and wait to be sent.
#[derive(Debug)]
struct Policer {
    bucket: TokenBucket,
    queue: Fifo,
}

impl QueueDisc for Policer {
    fn enqueue(&mut self, packet: QueuedPacket, cx: &mut QueueCx<'_>) {
        if self.bucket.take(packet.size(), cx.now()) {
            self.queue.push_or_drop(packet, cx);
        } else {
            cx.drop(packet, QueueDrop::Policed);
        }
    }

    fn dequeue(&mut self, _: &mut QueueCx<'_>) -> Option<QueuedPacket> {
        self.queue.pop()
    }

    packets_are_in_queue!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue_disc::bench::{QueueBench, at};

    /// 8 Mbit/s is 1000 bytes per millisecond; the burst is three such packets.
    const GIVEN: [(&str, &str); 2] = [("rate", "8 Mbit/s"), ("burst", "3000 B")];

    #[test]
    fn a_shaper_lets_a_burst_pass_and_then_one_packet_as_its_tokens_come() {
        let mut b = QueueBench::new(shaper().plugin(&GIVEN).unwrap().build());
        for flow in 0..6 {
            b.put(10, flow, 1000);
        }
        assert_eq!(b.flows(10, 9), [0, 1, 2]);
        assert_eq!(b.ready_at(), Some(at(11)));
        assert_eq!(b.flows(10, 9), []);
        assert_eq!(b.flows(11, 9), [3]);
        assert_eq!(b.flows(13, 9), [4, 5]);
        assert_eq!((b.ready_at(), b.dropped.len()), (None, 0));
        // Empty at 13 ms; two milliseconds give the tokens for two packets, not three.
        for flow in 0..3 {
            b.put(15, flow, 1000);
        }
        assert_eq!(b.flows(15, 9), [0, 1]);
        assert_eq!(b.ready_at(), Some(at(16)));
    }

    #[test]
    fn a_packet_longer_than_the_bucket_needs_a_full_one_and_leaves_debts() {
        let mut b = QueueBench::new(shaper().plugin(&GIVEN).unwrap().build());
        b.put(0, 1, 5000);
        b.put(0, 2, 1000);
        assert_eq!(b.flows(0, 9), [1]);
        // 2000 bytes in debt: 1000 more bytes are available after 3 ms.
        assert_eq!(b.ready_at(), Some(at(3)));
        assert_eq!(b.flows(3, 9), [2]);
    }

    #[test]
    fn a_policer_drops_what_exceeds_rate_and_burst_and_says_why() {
        let mut b = QueueBench::new(policer().plugin(&GIVEN).unwrap().build());
        for flow in 0..5 {
            b.put(0, flow, 1000);
        }
        b.put(1, 5, 1000);
        b.put(1, 6, 1);
        // Dropped packets take no tokens.
        let policed = |flow| (flow, QueueDrop::Policed);
        assert_eq!(b.dropped, [policed(3), policed(4), policed(6)]);
        assert_eq!(b.flows(9, 9), [0, 1, 2, 5]);
    }
}
