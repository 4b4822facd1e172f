use super::*;
use crate::queue_disc::bench::{QueueBench, at};

const ECT1: u8 = 1;
const ECT0: u8 = 2;
const CE: u8 = 3;

fn dualpi2(given: &[(&str, &str)]) -> DualPi2 {
    let plugin = kind().plugin(given).unwrap();
    DualPi2::new(Dualpi2Params::of(plugin.values()).unwrap())
}

fn bench(queue: DualPi2) -> QueueBench {
    QueueBench::new(AnyQueueDisc::custom(queue))
}

#[test]
fn the_constants_are_those_derived_in_the_pseudo_code() {
    let Dualpi2Params {
        tupdate,
        alpha,
        beta,
        ..
    } = dualpi2(&[]).params;
    // min(15, 100 / 3) ms; 0.1 * 0.015 / 0.1^2; 0.3 / 0.1.
    assert_eq!(tupdate, SimDuration::from_millis(15));
    assert!((alpha - 0.15).abs() < 1e-12 && (beta - 3.0).abs() < 1e-12);
    let short = dualpi2(&[("max_rtt", "30 ms")]).params;
    assert_eq!(short.tupdate, SimDuration::from_millis(10));
}

#[test]
fn the_base_probability_follows_the_controller_and_the_others_follow_it() {
    let mut q = dualpi2(&[]);
    let ms = SimDuration::from_millis;
    // By hand: p' += 0.15 (q - 0.015) + 3 (q - prevq).
    let mut seen = Vec::new();
    for delay in [25, 35, 35, 30, 15, 0] {
        q.update(ms(delay));
        seen.push((q.base, q.coupled_probability(), q.classic_probability()));
    }
    // 0.0015 + 0.075; 0.003 + 0.03; 0.003; 0.00225 - 0.015; -0.045; -0.00225 - 0.045.
    let base = [0.0765, 0.1095, 0.1125, 0.09975, 0.05475, 0.0075];
    for ((p, p_cl, p_c), expected) in seen.iter().zip(base) {
        assert!((p - expected).abs() < 1e-12, "{p} for {expected}");
        assert!((p_cl - 2.0 * expected).abs() < 1e-12);
        assert!((p_c - expected * expected).abs() < 1e-12);
    }
    q.update(ms(0));
    q.update(ms(0));
    q.update(ms(0));
    q.update(ms(0));
    assert_eq!(q.base, 0.0, "it does not go below zero");
    q.update(SimDuration::from_secs(10));
    assert_eq!(q.base, 1.0, "nor above one");
}

#[test]
fn updates_see_the_delay_at_their_own_time_and_idle_time_costs_nothing() {
    let mut q = dualpi2(&[]);
    q.classic
        .queue
        .push(QueuedPacket::for_test(1000).of_flow(1, at(5)));
    q.catch_up(at(31));
    // At 15 ms the head has waited 10 ms, at 30 ms it has waited 25 ms.
    let expected = 0.15 * -0.005 + 3.0 * 0.010 + 0.15 * 0.010 + 3.0 * 0.015;
    assert!((q.base - expected).abs() < 1e-12, "{}", q.base);
    q.classic.queue.pop();
    q.catch_up(at(1_000_000));
    assert_eq!(q.base, 0.0);
    q.catch_up(at(8_640_000_000));
    assert_eq!(q.update_at, at(8_640_000_000 + 15));
}

#[test]
fn the_ramp_begins_at_the_step_and_ends_a_range_later() {
    let params = dualpi2(&[]).params;
    let us = SimDuration::from_micros;
    for (delay, expected) in [(0, 0.0), (800, 0.0), (900, 0.25), (1100, 0.75), (1200, 1.0)] {
        assert!((params.laqm(us(delay)) - expected).abs() < 1e-12, "{delay}");
    }
}

#[test]
fn signals_are_spread_evenly_and_drop_or_mark_as_the_sender_understands() {
    // p' = 0.25: L4S packets are marked with probability 1/2, classic ones signalled with 1/16: the
    // count passes 1 at packets 3, 5, 7 … and at packets 17, 33, 49.
    let held = || {
        let mut q = dualpi2(&[]);
        q.base = 0.25;
        (q.params.alpha, q.params.beta) = (0.0, 0.0);
        bench(q)
    };
    let mut b = held();
    (0..10).for_each(|_| b.put_marked(0, 1, 100, ECT1));
    let tos: Vec<u8> = (0..10).map(|_| b.take(0).unwrap().1).collect();
    let (e, c) = (ECT1, CE);
    assert_eq!(tos, [e, e, c, e, c, e, c, e, c, e]);
    let mut b = held();
    (1..=50).for_each(|n| b.put_marked(0, n, 100, 0));
    assert_eq!(b.flows(0, 50).len(), 47);
    let early = |n| (n, QueueDrop::Early);
    assert_eq!(b.dropped, [early(17), early(33), early(49)]);
    let mut b = held();
    (1..=50).for_each(|n| b.put_marked(0, n, 100, ECT0));
    let marked: Vec<u64> = (0..50)
        .filter_map(|_| b.take(0))
        .filter_map(|(n, tos)| (tos == CE).then_some(n))
        .collect();
    assert_eq!((marked, b.dropped.len()), (vec![17, 33, 49], 0));
}

#[test]
fn l4s_packets_go_first_and_classic_ones_get_their_share() {
    let mut b = bench(dualpi2(&[("classic_share", "0.25")]));
    for n in 0..12 {
        b.put_marked(0, n, 1000, ECT1);
        b.put_marked(0, 100 + n, 1000, 0);
    }
    // Each L4S packet earns a third of a classic one: one packet in four is classic.
    let order: Vec<bool> = b.flows(0, 12).iter().map(|n| *n >= 100).collect();
    let turn = [false, false, false, true];
    assert_eq!(order, [turn, turn, turn].concat());
    // Without a share, no classic packet leaves before the L4S queue is empty.
    let mut b = bench(dualpi2(&[("classic_share", "0")]));
    b.put_marked(0, 100, 1000, 0);
    (0..5).for_each(|n| b.put_marked(0, n, 1000, ECT1));
    assert_eq!(b.flows(0, 9), [0, 1, 2, 3, 4, 100]);
}

#[test]
fn in_overload_l4s_packets_are_dropped_as_classic_ones_are() {
    let mut q = dualpi2(&[]);
    q.base = 0.5;
    (q.params.alpha, q.params.beta) = (0.0, 0.0);
    let mut b = bench(q);
    (1..=20).for_each(|n| b.put_marked(0, n, 100, ECT1));
    // k p' = 1: a quarter of the packets are dropped, all others are marked.
    let rest: Vec<u8> = (0..20)
        .filter_map(|_| b.take(0))
        .map(|(_, tos)| tos)
        .collect();
    let lost: Vec<u64> = b.dropped.iter().map(|d| d.0).collect();
    assert_eq!(lost, [5, 9, 13, 17]);
    assert!(rest.len() == 16 && rest.iter().all(|tos| *tos == CE));
}

#[test]
fn overload_disables_ecn_for_classic_packets() {
    // p_Cmax = 1 / k^2 = 1/4: p' = 0.5 reaches it and p' = 0.49 does not.
    for (base, marks, drops) in [(0.49, 4, 0), (0.5, 0, 4)] {
        let mut q = dualpi2(&[]);
        q.base = base;
        (q.params.alpha, q.params.beta) = (0.0, 0.0);
        let mut b = bench(q);
        (1..=20).for_each(|n| b.put_marked(0, n, 100, ECT0));
        while b.take(0).is_some() {}
        assert_eq!((b.marks.pkts, b.dropped.len()), (marks, drops), "{base}");
    }
}

#[test]
fn a_sequence_of_both_queues_goes_as_computed_by_hand() {
    // Tupdate 15 ms, p' = 0. Classic packets arrive at 0 and wait; L4S packets arrive at 30 ms.
    let mut b = bench(dualpi2(&[("classic_share", "0.5")]));
    (1..=40).for_each(|n| b.put_marked(0, n, 1000, ECT0));
    // Updates at 15 and 30 ms see delays of 15 and 30 ms: p' = 3 * 0.015 = 0.045, then
    // + 0.15 * 0.015 + 3 * 0.015 = 0.09225; p_C = 0.00851, p_CL = 0.1845.
    (101..=112).for_each(|n| b.put_marked(30, n, 1000, ECT1));
    // Half of the bytes each, L4S first. The L4S count passes 1 with the sixth packet (6 * 0.1845 =
    // 1.107) and, from 0.107 on, with the eleventh (1.0295); the classic count would with the
    // 118th.
    let order: Vec<(u64, u8)> = (0..24).filter_map(|_| b.take(30)).collect();
    let l4s: Vec<u64> = order.iter().map(|p| p.0).filter(|n| *n > 100).collect();
    assert_eq!(l4s, (101..=112).collect::<Vec<_>>());
    assert!(
        order
            .iter()
            .enumerate()
            .all(|(i, p)| (p.0 > 100) == (i % 2 == 0))
    );
    let marked: Vec<u64> = order.iter().filter(|p| p.1 == CE).map(|p| p.0).collect();
    assert_eq!(marked, [106, 111]);
}
