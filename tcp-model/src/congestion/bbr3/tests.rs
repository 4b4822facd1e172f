//! States and cycle over a bottleneck of 1000 segments a second and 100 ms: a bandwidth-delay product
//! of 100 segments.

use super::super::testing::Bottleneck;
use super::*;

fn path() -> Bottleneck {
    Bottleneck::new(&ALGORITHM, 1000, 100)
}

/// The name of the state.
fn state(path: &Bottleneck) -> String {
    let all = format!("{:?}", path.control);
    let at = all.find(" state: ").expect("a state") + 8;
    all[at..].split(',').next().unwrap_or_default().to_owned()
}

#[test]
fn the_states_follow_each_other_as_the_draft_says() {
    let mut path = path();
    let mut seen = vec![state(&path)];
    for _ in 0..8000 {
        path.run(1);
        let now = state(&path);
        if seen.last() != Some(&now) {
            seen.push(now);
        }
    }
    // An empty queue ends Down on the ACK that begins it.
    assert_eq!(seen[..2], ["Startup", "Drain"], "{seen:?}");
    let next = |state: &str| match state {
        "Startup" => vec!["Drain"],
        "Drain" => vec!["Down", "Cruise", "ProbeRtt"],
        "Down" => vec!["Cruise", "Refill", "ProbeRtt"],
        "Cruise" => vec!["Refill", "ProbeRtt"],
        "Refill" => vec!["Up", "ProbeRtt"],
        "Up" => vec!["Down", "ProbeRtt"],
        _ => vec!["Cruise"],
    };
    for pair in seen.windows(2) {
        assert!(
            next(&pair[0]).contains(&pair[1].as_str()),
            "{pair:?} in {seen:?}"
        );
    }
    let probes = seen.iter().filter(|s| *s == "Up").count();
    assert!(
        (2..=5).contains(&probes),
        "every two to three seconds: {seen:?}"
    );
}

#[test]
fn it_fills_the_path_with_a_short_queue() {
    let mut path = path();
    path.run(2000);
    let before = path.acked();
    let mut most = 0;
    for _ in 0..4000 {
        path.run(1);
        most = most.max(path.in_flight());
    }
    let rate = (path.acked() - before) as f64 / 4.0;
    assert!(rate > 960_000.0 && rate <= 1_001_000.0, "{rate}");
    assert!(most <= 230_000, "{most}");
}

#[test]
fn without_a_shorter_round_trip_for_five_seconds_it_halves_what_is_in_flight() {
    let mut path = path();
    path.run(1500);
    path.delay = SimDuration::from_millis(105); // so that the smallest is never seen again
    let mut low = None;
    for ms in 0..8000u64 {
        path.run(1);
        if state(&path) == "ProbeRtt" && path.in_flight() <= 54_000 {
            low = low.or(Some(ms));
        }
    }
    let low = low.expect("ProbeRTT");
    assert!((3500..6000).contains(&low), "{low}");
    assert_ne!(state(&path), "ProbeRtt", "it is over");
}

/// A flow that has filled its pipe of 100 segments.
fn model() -> Bbr3 {
    let mut bbr = Bbr3::new(&super::super::Control::new(&ALGORITHM));
    bbr.on_start(&ConnectionStart {
        mss: 1000,
        initial_window: 10_000,
        srtt: Some(SimDuration::from_millis(100)),
    });
    bbr.max_rate.update(1, 0, 1_000_000.0);
    bbr.rate = 1_000_000.0;
    bbr.full_reached = true;
    bbr.cwnd = 200_000.0;
    bbr
}

#[test]
fn a_round_with_losses_lowers_the_short_term_bounds_by_three_tenths_at_most() {
    let mut bbr = model();
    bbr.state = Bbr3State::Cruise;
    (bbr.rate_latest, bbr.latest) = (900_000.0, 90_000.0);
    (bbr.loss_in_round, bbr.loss_round_start) = (true, true);
    bbr.update_congestion(
        &AckEvent::plain(SimTime::ZERO, 1000),
        &Bbr3Sample::default(),
    );
    assert_eq!((bbr.rate_short, bbr.short), (900_000.0, 140_000.0));
    (bbr.rate_latest, bbr.latest) = (0.0, 0.0);
    bbr.loss_in_round = true;
    bbr.update_congestion(
        &AckEvent::plain(SimTime::ZERO, 1000),
        &Bbr3Sample::default(),
    );
    assert_eq!((bbr.rate_short, bbr.short), (630_000.0, 98_000.0));
    bbr.start_refill();
    assert!(bbr.rate_short.is_infinite() && bbr.short.is_infinite());
}

#[test]
fn a_probe_with_more_than_two_percent_lost_sets_the_long_term_bound_and_ends() {
    for (lost, ends) in [(2000, false), (3000, true)] {
        let mut bbr = model();
        (bbr.state, bbr.probe_sample) = (Bbr3State::Up, true);
        bbr.note_losses(&AckEvent {
            lost,
            rate: Some(crate::congestion::RateSample {
                delivered: 100_000,
                interval: SimDuration::from_millis(100),
                prior_delivered: 0,
                total: 100_000,
                app_limited: false,
                in_flight_at_send: 120_000,
            }),
            ..AckEvent::plain(SimTime::ZERO, 1000)
        });
        assert_eq!(bbr.state == Bbr3State::Down, ends, "{lost}");
        assert_eq!(bbr.long == 120_000.0, ends, "{lost}");
        if ends {
            assert_eq!(bbr.long_with_headroom(), 102_000.0);
        }
    }
}

#[test]
fn the_long_term_bound_grows_by_one_then_two_then_four_segments_a_round() {
    let mut bbr = model();
    bbr.long = 150_000.0;
    bbr.cwnd = 150_000.0;
    bbr.start_refill();
    bbr.start_up(&Bbr3Sample::default());
    for growth in [1.0, 2.0, 4.0] {
        let before = bbr.long;
        for i in 0..150 {
            bbr.round_start = i == 149;
            bbr.cwnd = bbr.long;
            bbr.raise_long_term(&Bbr3Sample {
                acked: 1000.0,
                cwnd_limited: true,
                ..Bbr3Sample::default()
            });
        }
        let by = (bbr.long - before) / 1000.0;
        assert!(
            (by - growth).abs() <= 0.5 * growth.max(1.0),
            "{by} {growth}"
        );
    }
}
