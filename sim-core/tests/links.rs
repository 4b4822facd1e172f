//! Departure and arrival times on one link, loss and reordering.

mod common;

use common::{MBIT, arrivals, at_us, losses, ms, one_link, send_from_a, us};
use sim_core::LossCause::{LinkDown, QueueFull, Random, Scripted};
use sim_core::network::{Impairments, LinkChange};
use sim_core::{Bytes, LinkSpec, QueueLimit, Rate, SimDuration};

/// Times in us and sizes in bytes of packets to send.
type Packets = &'static [(u64, u32)];
/// Times in us, and the rates in Mbit/s from these times on.
type Rates = &'static [(u64, u64)];
/// Numbers of packets and their times of arrival in us.
type Arrivals = &'static [(usize, f64)];

/// A change at a time in us.
fn change(at: u64, what: impl FnOnce(&mut LinkChange)) -> LinkChange {
    let mut change = LinkChange {
        at: at_us(at),
        ..LinkChange::default()
    };
    what(&mut change);
    change
}

fn rate(mbps: u64) -> impl FnOnce(&mut LinkChange) {
    move |c| c.rate = Some(Rate::mbps(mbps))
}

#[test]
fn packets_are_serialised_one_after_the_other() {
    // At 1 Mbit/s, 125 bytes take 1000 us; the delay is 1000 us.
    let rows: &[(Packets, Arrivals)] = &[
        (&[(0, 125)], &[(0, 2000.0)]),
        (&[(0, 125), (0, 125)], &[(0, 2000.0), (1, 3000.0)]),
        (&[(0, 125), (500, 250)], &[(0, 2000.0), (1, 4000.0)]),
        (&[(0, 125), (1000, 125)], &[(0, 2000.0), (1, 3000.0)]),
        (&[(0, 125), (7000, 125)], &[(0, 2000.0), (1, 9000.0)]),
        (&[(0, 0), (0, 1)], &[(0, 1000.0), (1, 1008.0)]),
    ];
    for (packets, expected) in rows {
        let (records, stats) = send_from_a(&one_link(|l| l.rate = MBIT), packets);
        assert_eq!(arrivals(&records), *expected, "{packets:?}");
        let bytes: u64 = packets.iter().map(|p| u64::from(p.1)).sum();
        assert_eq!(stats.links[0].sent_bytes, bytes);
        assert_eq!(stats.links[0].busy, us(8 * bytes));
        assert_eq!(stats.links[0].sent_pkts, packets.len() as u64);
    }
}

#[test]
fn without_a_rate_only_the_delay_counts() {
    let (records, stats) = send_from_a(&one_link(|_| ()), &[(0, 1 << 30), (0, 9000), (5, 1)]);
    assert_eq!(arrivals(&records), [(0, 1000.0), (1, 1000.0), (2, 1005.0)]);
    assert_eq!(stats.links[0].busy, SimDuration::ZERO);
}

#[test]
fn a_full_queue_drops_the_tail_and_counts_the_packet_in_service() {
    let four: Packets = &[(0, 125), (0, 125), (0, 125), (0, 125)];
    let rows: &[(QueueLimit, Packets, &[usize], u32)] = &[
        (QueueLimit::Packets(1), four, &[1, 2, 3], 1),
        (QueueLimit::Packets(3), four, &[3], 3),
        (QueueLimit::Packets(4), four, &[], 4),
        // The first leaves at exactly 1000 us: there is room from then on, and not before.
        (
            QueueLimit::Packets(1),
            &[(0, 125), (999, 125), (1000, 125)],
            &[1],
            1,
        ),
        (
            QueueLimit::Packets(2),
            &[(0, 125), (0, 125), (999, 125), (1000, 125)],
            &[2],
            2,
        ),
        (QueueLimit::Bytes(Bytes(375)), four, &[3], 3),
        (QueueLimit::Bytes(Bytes(374)), four, &[2, 3], 2),
        // A small packet still fits where a large one did not.
        (
            QueueLimit::Bytes(Bytes(200)),
            &[(0, 125), (0, 125), (0, 75)],
            &[1],
            2,
        ),
        (QueueLimit::Bytes(Bytes(100)), &[(0, 125)], &[0], 0),
    ];
    for &(limit, packets, dropped, deepest) in rows {
        let network = one_link(|l| {
            l.rate = MBIT;
            l.queue = limit.into();
        });
        let (records, stats) = send_from_a(&network, packets);
        let expected: Vec<_> = dropped.iter().map(|&i| (i, QueueFull)).collect();
        assert_eq!(losses(&records), expected, "{limit:?} {packets:?}");
        let link = stats.links[0];
        assert_eq!(link.offered_pkts, packets.len() as u64);
        assert_eq!(link.queue_drops, dropped.len() as u64);
        assert_eq!(link.sent_pkts, (packets.len() - dropped.len()) as u64);
        assert_eq!(link.max_backlog_pkts, deepest, "{limit:?} {packets:?}");
    }
}

#[test]
fn scripted_drops_count_all_packets_from_one() {
    let network = one_link(|l| {
        l.rate = MBIT;
        l.queue = QueueLimit::Packets(2).into();
        l.impairments.drop = vec![2, 5];
    });
    // They are dropped before the queue: without the second there is room for the third; the
    // fourth, which the queue refuses, is counted too.
    let packets = [0, 0, 0, 0, 2000, 3000].map(|at| (at, 125));
    let (records, stats) = send_from_a(&network, &packets);
    assert_eq!(
        losses(&records),
        [(1, Scripted), (3, QueueFull), (4, Scripted)]
    );
    assert_eq!(arrivals(&records), [(0, 2000.0), (2, 3000.0), (5, 5000.0)]);
    assert_eq!(stats.links[0].wire_losses, 2);
}

/// Runs 20 000 packets, 10 us apart, over a link with these impairments.
fn many(impairments: Impairments) -> common::Outcome<common::Seen> {
    let packets: Vec<_> = (0..20_000).map(|i| (10 * i, 100)).collect();
    send_from_a(
        &one_link(|l: &mut LinkSpec| l.impairments = impairments),
        &packets,
    )
}

/// Four standard deviations of a binomial count.
fn four_sigma(n: f64, p: f64) -> f64 {
    4.0 * (n * p * (1.0 - p)).sqrt()
}

#[test]
fn random_loss_and_corruption_have_their_rates() {
    for p in [0.001, 0.05, 0.5] {
        let (records, stats) = many(Impairments {
            loss: p.into(),
            ..Impairments::default()
        });
        let lost = losses(&records);
        assert!(lost.iter().all(|l| l.1 == Random));
        let n = lost.len() as f64;
        assert!(
            (n - 20_000.0 * p).abs() < four_sigma(20_000.0, p),
            "{n} at {p}"
        );
        assert_eq!(stats.links[0].wire_losses, lost.len() as u64);

        let (records, _) = many(Impairments {
            corrupt: p,
            ..Impairments::default()
        });
        let bad = |r: &&sim_core::Record<common::Seen>| {
            matches!(r.sample, common::Seen::Got(_, _, _, true))
        };
        let n = records.iter().filter(bad).count() as f64;
        assert!(
            (n - 20_000.0 * p).abs() < four_sigma(20_000.0, p),
            "{n} at {p}"
        );
    }
    assert!(losses(&many(Impairments::default()).0).is_empty());
    assert_eq!(
        losses(
            &many(Impairments {
                loss: 1.0.into(),
                ..Impairments::default()
            })
            .0
        )
        .len(),
        20_000
    );
}

#[test]
fn a_duplicate_arrives_right_behind_its_original_with_the_same_id() {
    let (records, stats) = many(Impairments {
        duplicate: 0.1,
        ..Impairments::default()
    });
    let twice = records.len() as f64 - 20_000.0;
    assert!(
        (twice - 2000.0).abs() < four_sigma(20_000.0, 0.1),
        "{twice}"
    );
    let mut pairs = 0.0;
    for two in records.windows(2) {
        let (common::Seen::Got(i, id, ..), common::Seen::Got(j, other, ..)) =
            (two[0].sample, two[1].sample)
        else {
            panic!("nothing is lost")
        };
        if i == j {
            assert_eq!((id, two[0].time), (other, two[1].time));
            assert!(two[0].tie < two[1].tie);
            pairs += 1.0;
        } else {
            assert_eq!(j, i + 1);
        }
    }
    assert_eq!(pairs, twice);
    assert_eq!(
        stats.links[0].sent_pkts, 20_000,
        "the transmitter sends once"
    );
}

#[test]
fn held_back_packets_are_overtaken_and_others_keep_their_time() {
    let (records, _) = many(Impairments {
        reorder: 0.2,
        reorder_delay: us(25),
        ..Impairments::default()
    });
    let got = arrivals(&records);
    assert_eq!(got.len(), 20_000);
    let mut held = 0.0;
    for (i, at) in &got {
        let late = at - (10 * i + 1000) as f64;
        assert!(late == 0.0 || late == 25.0, "packet {i} is {late} us late");
        held += f64::from(u8::from(late > 0.0));
    }
    assert!((held - 4000.0).abs() < four_sigma(20_000.0, 0.2), "{held}");
    let overtaken = got.windows(2).filter(|w| w[0].0 > w[1].0).count();
    assert!(overtaken > 1000, "{overtaken}");
}

#[test]
fn jitter_is_uniform_up_to_its_bound() {
    let (records, _) = many(Impairments {
        extra_delay: us(100).into(),
        ..Impairments::default()
    });
    let late: Vec<f64> = arrivals(&records)
        .iter()
        .map(|(i, at)| at - (10 * i + 1000) as f64)
        .collect();
    assert_eq!(late.len(), 20_000);
    assert!(late.iter().all(|l| (0.0..=100.0).contains(l)));
    let mean = late.iter().sum::<f64>() / 20_000.0;
    // The standard deviation of the mean is 100 / sqrt(12 * 20 000) = 0.2 us.
    assert!((mean - 50.0).abs() < 0.8, "{mean}");
}

#[test]
fn a_change_of_rate_applies_to_the_bits_that_are_left() {
    // 1000 bits per packet: 1000 us at 1 Mbit/s, 500 us at 2, 250 us at 4.
    let rows: &[(Rates, Packets, Arrivals)] = &[
        (&[(500, 2)], &[(0, 125)], &[(0, 1750.0)]),
        (
            &[(1000, 2)],
            &[(0, 125), (0, 125)],
            &[(0, 2000.0), (1, 2500.0)],
        ),
        (
            &[(1500, 2)],
            &[(0, 125), (0, 125)],
            &[(0, 2000.0), (1, 2750.0)],
        ),
        (
            &[(250, 2), (500, 4)],
            &[(0, 125), (0, 125)],
            &[(0, 1562.5), (1, 1812.5)],
        ),
        // Already in effect when the packet arrives; and long before an idle period ends.
        (&[(100, 2)], &[(100, 125)], &[(0, 1600.0)]),
        (&[(100, 2), (200, 4)], &[(5000, 125)], &[(0, 6250.0)]),
        // Up and down again; two changes at once, of which the last takes effect.
        (&[(500, 4), (600, 1)], &[(0, 125)], &[(0, 1700.0)]),
        (&[(500, 2), (500, 1)], &[(0, 125)], &[(0, 2000.0)]),
    ];
    for &(changes, packets, expected) in rows {
        let network = one_link(|l| {
            l.rate = MBIT;
            l.changes = changes
                .iter()
                .map(|&(at, mbps)| change(at, rate(mbps)))
                .collect();
        });
        let (records, _) = send_from_a(&network, packets);
        assert_eq!(arrivals(&records), expected, "{changes:?} {packets:?}");
    }
}

#[test]
fn a_link_without_a_rate_can_be_given_one() {
    let network = one_link(|l| l.changes = vec![change(100, rate(1))]);
    let (records, _) = send_from_a(&network, &[(50, 125), (100, 125), (100, 125)]);
    assert_eq!(arrivals(&records), [(0, 1050.0), (1, 2100.0), (2, 3100.0)]);
}

#[test]
fn a_change_of_delay_counts_from_the_end_of_transmission_and_lets_nothing_overtake() {
    let network = one_link(|l| {
        l.rate = MBIT;
        l.changes = vec![
            change(1000, |c| c.delay = Some(ms(5))),
            change(3000, |c| c.delay = Some(us(100))),
        ];
    });
    // Ends of transmission: 1000, 2000, 3000, 8000. The third would arrive at 3100, before the
    // second: it waits for it.
    let (records, _) = send_from_a(&network, &[(0, 125), (0, 125), (0, 125), (7000, 125)]);
    assert_eq!(
        arrivals(&records),
        [(0, 6000.0), (1, 7000.0), (2, 7000.0), (3, 8100.0)]
    );
}

#[test]
fn a_link_that_is_down_loses_what_is_offered() {
    let network = one_link(|l| {
        l.changes = vec![
            change(100, |c| c.up = Some(false)),
            change(200, |c| c.up = Some(true)),
        ];
    });
    let (records, stats) = send_from_a(&network, &[(99, 1), (100, 1), (199, 1), (200, 1)]);
    assert_eq!(losses(&records), [(1, LinkDown), (2, LinkDown)]);
    assert_eq!(arrivals(&records), [(0, 1099.0), (3, 1200.0)]);
    assert_eq!(
        (stats.links[0].wire_losses, stats.links[0].sent_pkts),
        (2, 2)
    );
}

#[test]
fn a_change_of_loss_applies_from_its_time_on() {
    let network = one_link(|l| {
        l.changes = vec![
            change(100, |c| c.loss = Some(1.0)),
            change(200, |c| c.loss = Some(0.0)),
        ];
    });
    let (records, _) = send_from_a(&network, &[(99, 1), (100, 1), (199, 1), (200, 1)]);
    assert_eq!(losses(&records), [(1, Random), (2, Random)]);
}
