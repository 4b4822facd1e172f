//! The states and cycles of BBR over a bottleneck of 1000 segments a second and 100 ms: a bandwidth-delay
//! product of 100 segments.

use super::super::testing::Bottleneck;
use super::*;

fn path() -> Bottleneck {
    Bottleneck::new(&ALGORITHM, 1000, 100)
}

/// The state that the control reports.
fn shows(path: &Bottleneck, what: &str) -> bool {
    format!("{:?}", path.control).contains(what)
}

#[test]
fn startup_finds_the_rate_and_drain_empties_the_queue() {
    let mut path = path();
    assert!(shows(&path, "mode: Startup"));
    let mut drained = None;
    for ms in 0..3000 {
        path.run(1);
        if drained.is_none() && shows(&path, "mode: ProbeBw") {
            drained = Some((ms, path.in_flight()));
        }
    }
    let (ms, in_flight) = drained.expect("ProbeBW");
    // 10 segments double in each round trip of 100 ms up to 100: 4 round trips; three more, of up to 290 ms as the
    // queue fills, show that the pipe is full, and one or two drain it.
    assert!((600..1700).contains(&ms), "{ms} ms");
    // One bandwidth-delay product and the room for bursts.
    assert!(in_flight <= 108_000, "{in_flight}");
}

#[test]
fn in_steady_state_it_fills_the_path_with_a_short_queue() {
    let mut path = path();
    path.run(3000);
    let before = path.acked();
    let mut most = 0;
    for _ in 0..5000 {
        path.run(1);
        most = most.max(path.in_flight());
    }
    let rate = (path.acked() - before) as f64 / 5.0;
    assert!((rate - 1_000_000.0).abs() < 20_000.0, "{rate}");
    // A quarter more while probing.
    assert!(most <= 140_000, "{most}");
}

#[test]
fn each_cycle_probes_once_and_drains_once() {
    let mut path = path();
    path.run(3000);
    let mut seen: Vec<(u64, u64)> = Vec::new();
    for ms in 0..4000 {
        path.run(1);
        let rate = path.control.pacing_rate().expect("paced").as_bps() / 80_000;
        if seen.last().is_none_or(|s| s.1 != rate) {
            seen.push((ms, rate));
        }
    }
    // Percent of the bottleneck: 125 then 75 then 100, less the margin, for eight round trips.
    let probes: Vec<u64> = seen.iter().filter(|s| s.1 > 110).map(|s| s.0).collect();
    let drains = seen.iter().filter(|s| s.1 < 90).count();
    assert!(
        probes.len() >= 4 && probes.len().abs_diff(drains) <= 1,
        "{seen:?}"
    );
    for pair in probes.windows(2) {
        assert!((650..1050).contains(&(pair[1] - pair[0])), "{probes:?}");
    }
}

#[test]
fn after_ten_seconds_without_a_shorter_round_trip_it_empties_the_pipe() {
    let mut path = path();
    path.run(3000);
    path.delay = SimDuration::from_millis(105); // so that the smallest is never seen again
    let mut low = None;
    for ms in 0..12_000u64 {
        path.run(1);
        if path.in_flight() <= 4000 {
            low = low.or(Some(ms));
        }
    }
    let low = low.expect("ProbeRTT");
    assert!((5000..11_000).contains(&low), "{low}");
    assert!(shows(&path, "mode: ProbeBw"), "it is over");
    assert!(path.in_flight() > 60_000, "the window is as before");
}

#[test]
fn in_recovery_it_sends_what_arrives_and_then_restores_the_window() {
    let mut path = path();
    path.run(3000);
    let before = path.control.cwnd();
    path.control.on_congestion(&CongestionEvent {
        cause: Congestion::Loss,
        now: path.now,
        in_flight: 100_000,
        pipe: 95_000,
        gentle: false,
        whole: false,
    });
    let ack = AckEvent {
        in_flight: 94_000,
        phase: RecoveryPhase::Fast,
        ..AckEvent::plain(path.now, 2_000)
    };
    path.control.on_ack(&ack);
    assert_eq!(
        path.control.cwnd(),
        96_000,
        "what is in flight, and what arrived"
    );
    path.control.on_recovery_exit(95_000, path.now);
    assert_eq!(path.control.cwnd(), before);
    path.control.on_congestion(&CongestionEvent {
        cause: Congestion::Timeout,
        now: path.now,
        in_flight: 100_000,
        pipe: 0,
        gentle: false,
        whole: false,
    });
    assert_eq!(path.control.cwnd(), 1000);
}
