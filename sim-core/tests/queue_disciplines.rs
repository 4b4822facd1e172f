//! Queue disciplines on one link: CoDel against a hand-computed example, and what a user-defined
//! discipline can do.

mod common;

use std::collections::VecDeque;

use common::{MBIT, arrivals, at_us, losses, ms, one_link, us};
use proptest::prelude::*;
use sim_core::LossCause::{LinkDown, QueueEarly, QueueFull};
use sim_core::plugin::Plugin;
use sim_core::queue_disc::{
    AnyQueueDisc, Backlog, CoDel, CoDelParams, QueueCx, QueueDisc, QueueDrop, QueueSpec,
    QueuedPacket,
};
use sim_core::{LinkModels, QueueLimit, Rate, SimTime};

/// Times in us and sizes in bytes of packets to send.
type Packets = Vec<(u64, u32)>;

/// CoDel with round numbers: 5 ms and 20 ms.
fn codel(ecn: bool) -> QueueSpec {
    let params = CoDelParams {
        target: ms(5),
        interval: ms(20),
        ecn,
        ..CoDelParams::default()
    };
    CoDel::plugin(params).into()
}

fn send(queue: &QueueSpec, packets: &[(u64, u32)], tos: u8) -> common::Outcome<common::Seen> {
    let network = one_link(|l| {
        l.rate = MBIT;
        l.queue = queue.clone();
    });
    common::send_marked(&network, packets, tos)
}

/// Packets of 125 bytes, which take 1 ms each, twice as fast: from 0 ms and from 100 ms on.
///
/// Packet `i` of the first burst comes at `i / 2` ms and is served at `i` ms while nothing is
/// dropped, so that it waits `i / 2` ms.
fn two_bursts() -> Packets {
    let first = (0..100).map(|i| (500 * i, 125));
    let second = (0..70).map(|i| (100_000 + 500 * i, 125));
    first.chain(second).collect()
}

#[test]
fn codel_drops_when_the_pseudo_code_of_rfc_8289_does() {
    // Worked out by hand from RFC 8289 section 5, times in ms.
    //
    // Packet 10 is the first to wait 5: first_above_time = 30. At 30, packet 30 is dropped, 31 is
    // sent; count = 1, drop_next = 50. At 50 the head is 51; drop, count = 2, drop_next = 50 + 20 /
    // sqrt(2) = 64.14. At 65 the head is 67, drop_next = 75.69; at 76 it is 79, 85.69; at 86 it is
    // 90, count = 5, 94.63. At 93 the head is 98, of which one packet is left behind: not above.
    //
    // The second burst: above from 110 on, first_above_time = 130. At 130, packet 130 is dropped;
    // count goes on at 5 - 1 = 4, as 130 - 94.63 < 16 * 20; drop_next = 140. Then 141 at 140 (148.94),
    // 151 at 149 (157.11), 161 at 158 (164.67); at 165 the head is the last packet.
    let (records, stats) = send(&codel(false), &two_bursts(), 0);
    let dropped: Vec<_> = losses(&records);
    let expected = [30, 51, 67, 79, 90, 130, 141, 151, 161].map(|i| (i, QueueEarly));
    assert_eq!(dropped, expected);
    let when: Vec<u64> = records
        .iter()
        .filter(|r| matches!(r.sample, common::Seen::Lost(..)))
        .map(|r| r.time.as_ps() / 1_000_000_000)
        .collect();
    assert_eq!(when, [30, 50, 65, 76, 86, 130, 140, 149, 158]);
    let link = stats.links[0];
    assert_eq!(
        (link.early_drops, link.queue_drops, link.ce_marks),
        (9, 0, 0)
    );
    assert_eq!(link.sent_pkts, 161);
    assert_eq!(link.busy, ms(161));
}

#[test]
fn codel_marks_instead_where_both_sides_understand_it() {
    // As above, but nothing leaves the queue: the head at `t` is packet `t`. At 95 count = 6,
    // drop_next = 102.8.
    let packets: Packets = (0..100).map(|i| (500 * i, 125)).collect();
    let (records, stats) = send(&codel(true), &packets, 0b10);
    assert_eq!(losses(&records), []);
    assert_eq!(stats.links[0].ce_marks, 6);
    let marked: Vec<usize> = common::marked(&records);
    assert_eq!(marked, [30, 50, 65, 76, 86, 95]);
    // Not for senders without ECN.
    let (records, stats) = send(&codel(true), &packets, 0);
    assert_eq!(common::marked(&records), []);
    assert_eq!(
        (stats.links[0].ce_marks, stats.links[0].early_drops),
        (0, 5)
    );
}

#[test]
fn codel_leaves_a_standing_queue_of_one_packet_alone() {
    // Each packet takes 8 ms and waits for the one before it: more than the target, but there is
    // never more than one packet behind the head.
    let packets: Packets = (0..200).map(|i| (8000 * i / 2 * 2, 1000)).collect();
    let (records, stats) = send(&codel(false), &packets, 0);
    assert_eq!(losses(&records), []);
    assert_eq!(stats.links[0].early_drops, 0);
}

#[test]
fn codel_drops_on_arrival_what_does_not_fit() {
    let models = LinkModels::default();
    let queue = models.queues.plugin("codel", &[("limit", "2 packets")]);
    let packets: Packets = vec![(0, 125); 5];
    let (records, stats) = send(&queue.unwrap().into(), &packets, 0);
    // The one in service is not in the queue.
    assert_eq!(losses(&records), [(3, QueueFull), (4, QueueFull)]);
    assert_eq!(stats.links[0].queue_drops, 2);
    assert_eq!(stats.links[0].max_backlog_pkts, 3);
}

proptest! {
    /// A managed queue that holds everything in order sends at the same times as drop-tail.
    #[test]
    fn a_managed_fifo_and_an_unlimited_drop_tail_queue_are_alike(
        packets in prop::collection::vec((0..20_000u64, 0..2000u32), 1..60),
    ) {
        let mut packets = packets;
        packets.sort_unstable();
        let patient = CoDelParams { target: ms(1000), interval: ms(1000), ..CoDelParams::default() };
        let (managed, stats) = send(&CoDel::plugin(patient).into(), &packets, 0);
        let (plain, expected) = send(&QueueLimit::Unlimited.into(), &packets, 0);
        prop_assert_eq!(arrivals(&managed), arrivals(&plain));
        prop_assert_eq!(stats.links[0].busy, expected.links[0].busy);
        prop_assert_eq!(stats.links[0].sent_bytes, expected.links[0].sent_bytes);
    }
}

/// Two queues, small packets first; when more than four packets wait, the oldest large one is
/// dropped.
#[derive(Debug, Default)]
struct SmallFirst {
    small: VecDeque<QueuedPacket>,
    large: VecDeque<QueuedPacket>,
}

impl QueueDisc for SmallFirst {
    fn enqueue(&mut self, packet: QueuedPacket, cx: &mut QueueCx<'_>) {
        if packet.size() < 100 {
            self.small.push_back(packet);
        } else {
            self.large.push_back(packet);
        }
        if self.backlog().pkts > 4
            && let Some(oldest) = self.large.pop_front()
        {
            cx.drop(oldest, QueueDrop::Full);
        }
    }

    fn dequeue(&mut self, _: &mut QueueCx<'_>) -> Option<QueuedPacket> {
        self.small.pop_front().or_else(|| self.large.pop_front())
    }

    fn backlog(&self) -> Backlog {
        let all = || self.small.iter().chain(&self.large);
        Backlog {
            pkts: all().count() as u32,
            bytes: all().map(|p| u64::from(p.size())).sum(),
        }
    }
}

#[test]
fn a_user_defined_discipline_can_have_several_queues_and_drop_waiting_packets() {
    let queue = Plugin::of(
        "small-first",
        || AnyQueueDisc::custom(SmallFirst::default()),
    );
    let (large, small) = (125, 50);
    let packets = [
        (0, large),
        (1, large),
        (2, large),
        (3, large),
        (4, small),
        (5, small),
        (1700, small),
    ];
    let (records, _) = send(&queue.into(), &packets, 0);
    // 0 is in service; 1, 2, 3, 4 wait when 5 comes, and 1 must go.
    assert_eq!(losses(&records), [(1, QueueFull)]);
    // 125 bytes take 1000 us and 50 take 400; the delay is 1000.
    assert_eq!(
        arrivals(&records),
        [
            (0, 2000.0),
            (4, 2400.0),
            (5, 2800.0),
            (6, 3200.0),
            (2, 4200.0),
            (3, 5200.0)
        ]
    );
}

/// Releases one packet every 5 ms, even if the link is idle.
#[derive(Debug, Default)]
struct SlowShaper {
    waiting: VecDeque<QueuedPacket>,
    next: SimTime,
}

impl QueueDisc for SlowShaper {
    fn enqueue(&mut self, packet: QueuedPacket, _: &mut QueueCx<'_>) {
        self.waiting.push_back(packet);
    }

    fn dequeue(&mut self, cx: &mut QueueCx<'_>) -> Option<QueuedPacket> {
        if cx.now() < self.next {
            return None;
        }
        let packet = self.waiting.pop_front()?;
        self.next = cx.now() + ms(5);
        Some(packet)
    }

    fn backlog(&self) -> Backlog {
        Backlog {
            pkts: self.waiting.len() as u32,
            bytes: self.waiting.iter().map(|p| u64::from(p.size())).sum(),
        }
    }

    fn ready_at(&self) -> Option<SimTime> {
        Some(self.next)
    }
}

#[test]
fn a_discipline_can_hold_packets_back_while_the_link_is_idle() {
    let queue = Plugin::of("shaper", || AnyQueueDisc::custom(SlowShaper::default()));
    let packets = [(0, 125), (0, 125), (1000, 125), (30_000, 125)];
    let (records, _) = send(&queue.into(), &packets, 0);
    assert_eq!(
        arrivals(&records),
        [(0, 2000.0), (1, 7000.0), (2, 12_000.0), (3, 32_000.0)]
    );
}

#[test]
fn changes_and_scripted_drops_hold_for_managed_queues_too() {
    let network = one_link(|l| {
        l.rate = MBIT;
        l.queue = codel(false);
        l.impairments.drop = vec![3];
        l.changes = vec![
            sim_core::network::LinkChange {
                at: at_us(1500),
                rate: Some(Rate::mbps(2)),
                ..Default::default()
            },
            sim_core::network::LinkChange {
                at: at_us(10_000),
                up: Some(false),
                ..Default::default()
            },
        ];
    });
    let packets = [(0, 125), (0, 125), (0, 125), (0, 125), (10_000, 125)];
    let (records, stats) = common::send_marked(&network, &packets, 0);
    // The second has half its bits left when the rate doubles. The third is
    // dropped before the queue.
    assert_eq!(arrivals(&records), [(0, 2000.0), (1, 2750.0), (3, 3250.0)]);
    let lost: Vec<_> = losses(&records).iter().map(|l| l.1).collect();
    assert_eq!(lost, [sim_core::LossCause::Scripted, LinkDown]);
    assert_eq!(stats.links[0].wire_losses, 2);
    assert_eq!(stats.links[0].sent_pkts, 3);
    assert_eq!(stats.links[0].busy, ms(1) + us(750) + us(500));
}

#[test]
fn parameters_are_checked_by_name_kind_and_range() {
    let models = LinkModels::default();
    let error = |given: &[(&str, &str)]| {
        models
            .queues
            .plugin("codel", given)
            .unwrap_err()
            .to_string()
    };
    for (given, part) in [
        (("target", "5"), "unit is missing"),
        (("traget", "5 ms"), "no parameter \"traget\""),
        (("target", "0 s"), "greater than zero"),
        (("interval", "1 ms"), "not be shorter"),
        (("limit", "0 packets"), "holds nothing"),
        (("ecn", "perhaps"), "true or false"),
    ] {
        let message = error(&[given]);
        assert!(message.contains(part), "{message}");
    }
    let unknown = models.queues.plugin("cobald", &[]).unwrap_err().to_string();
    assert!(unknown.contains("known are: codel"), "{unknown}");
    let missing = models
        .losses
        .plugin("gilbert-elliott", &[("bad_to_good", "0.5")]);
    let missing = missing.unwrap_err().to_string();
    assert!(missing.contains("needs `good_to_bad`"), "{missing}");
    let one = |target| {
        models
            .queues
            .plugin("codel", &[("target", target)])
            .unwrap()
    };
    assert_eq!(one("5 ms"), one("5000 us"));
    assert_ne!(one("5 ms"), one("6 ms"));
}
