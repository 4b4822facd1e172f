use super::super::ConnectionStart;
use super::*;
use crate::congestion::ControlContext;

const MSS: u64 = 1000;

fn after_loss(segments: u64) -> CubicLinux {
    let mut cubic = CubicLinux::new(&Control::new(&ALGORITHM));
    cubic.on_start(&ConnectionStart {
        mss: MSS as u32,
        initial_window: segments * MSS,
        srtt: None,
    });
    lose(&mut cubic, Congestion::Loss);
    cubic
}

fn lose(cubic: &mut CubicLinux, cause: Congestion) {
    let in_flight = cubic.cwnd();
    cubic.on_congestion(&CongestionEvent {
        cause,
        now: SimTime::ZERO,
        in_flight,
        pipe: in_flight,
        gentle: false,
        whole: true,
    });
}

/// The windows in segments at the end of each of `n` round trips of 100 ms, every segment of which
/// is acknowledged by itself.
fn rounds(cubic: &mut CubicLinux, n: u32) -> Vec<u64> {
    let rtt = SimDuration::from_millis(100);
    let mut windows = Vec::new();
    for round in 0..n {
        let acks = cubic.cwnd() / MSS;
        for i in 0..acks {
            let at = SimTime::ZERO + rtt * u64::from(round) + rtt * i / acks;
            cubic.on_ack(&AckEvent {
                min_rtt: Some(rtt),
                ..AckEvent::plain(at, MSS)
            });
        }
        windows.push(cubic.cwnd() / MSS);
    }
    windows
}

#[test]
fn a_loss_leaves_whole_segments() {
    for (before, after) in [(7, 4), (10, 7), (3, 2), (2, 2), (108, 75)] {
        assert_eq!(after_loss(before).cwnd(), after * MSS, "{before}");
    }
}

#[test]
fn fast_convergence_counts_whole_segments() {
    let mut cubic = after_loss(20); // leaves 14
    lose(&mut cubic, Congestion::Loss);
    assert_eq!(cubic.last_max, 11.0); // 14 * 0.85
}

#[test]
fn a_small_window_grows_as_reno_would_by_half_a_segment_a_round_trip() {
    let mut cubic = after_loss(20);
    let windows = rounds(&mut cubic, 16);
    // 15/8 of the window is acknowledged for each segment: some 1.9 round trips.
    let grown = windows[15] - 14;
    assert!((8..=9).contains(&grown), "{windows:?}");
}

#[test]
fn a_large_window_follows_the_cubic_function() {
    // K = cbrt(300 / 0.4) = 9.1 s: back at 1000 segments after some 90 round trips.
    let mut cubic = after_loss(1000);
    let start = cubic.cwnd() / MSS;
    let windows = rounds(&mut cubic, 130);
    let k = libm::cbrt((1000 - start) as f64 / 0.4);
    for (i, window) in windows.into_iter().enumerate() {
        let t = 0.1 * (i as f64 + 1.0) - k;
        let formula = 0.4 * t * t * t + 1000.0;
        let slope = 1.2 * t * t * 0.1; // a round trip's ACKs aim ahead by one
        assert!(
            (window as f64 - formula).abs() <= 2.0 + 1.5 * slope,
            "round {i}: {window} {formula}"
        );
    }
}

#[test]
fn before_its_first_use_it_is_a_window_and_then_as_if_it_had_been_whole_all_along() {
    let whole = || AnyCc::own(CubicLinux::new(&DEFAULTS));
    let event = |cc: &mut AnyCc, what: u64| {
        let now = SimTime::ZERO + SimDuration::from_millis(what);
        match what % 7 {
            0 => cc.on_idle(&AfterIdle {
                now,
                silent: SimDuration::from_secs(2),
                restart_window: Some(8 * MSS),
            }),
            1 => cc.on_mss(MSS as u32 / 2),
            2 => cc.on_ack(&AckEvent::plain(now, 0)),
            _ => cc.on_ack(&AckEvent {
                cwnd_limited: false,
                ..AckEvent::plain(now, MSS)
            }),
        }
    };
    for unused in 0..20 {
        let fresh = Control::new(&ALGORITHM).make(&ControlContext::default());
        let mut both = [fresh, whole()];
        for cc in &mut both {
            cc.on_start(&ConnectionStart {
                mss: MSS as u32,
                initial_window: 10 * MSS,
                srtt: None,
            });
            for what in 0..unused {
                event(cc, what);
            }
        }
        assert!(matches!(both[0], AnyCc::FreshCubic(_)), "nothing allocated");
        for i in 0..200 {
            for cc in &mut both {
                cc.on_ack(&AckEvent::plain(
                    SimTime::ZERO + SimDuration::from_secs(i),
                    MSS,
                ));
                if i % 50 == 20 {
                    let in_flight = cc.cwnd();
                    cc.on_congestion(&CongestionEvent {
                        cause: Congestion::Loss,
                        now: SimTime::ZERO,
                        in_flight,
                        pipe: in_flight,
                        gentle: false,
                        whole: true,
                    });
                }
            }
            let [fresh, whole] = &both;
            assert_eq!(fresh.cwnd(), whole.cwnd(), "after {unused} and {i}");
            assert_eq!(fresh.ssthresh(), whole.ssthresh());
        }
    }
}

#[test]
fn after_a_time_out_nothing_is_remembered() {
    let mut cubic = after_loss(100);
    lose(&mut cubic, Congestion::Timeout);
    assert_eq!((cubic.cwnd(), cubic.last_max), (MSS, 0.0));
}
