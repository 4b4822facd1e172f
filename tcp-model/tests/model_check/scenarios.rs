//! The scenarios that are explored.

use std::sync::Arc;
use std::time::Instant;

use sim_core::SimDuration;
use tcp_model::params::GiveUp;
use tcp_model::{Connection, TcpParams};

use super::case::{Budget, Call, CheckedCase, SidePlan};
use super::search::{Seen, explore};

/// Parameters that keep the number of states small: no timestamps, whose values differ at every moment,
/// small segments, and connections that never give up.
pub(super) fn params() -> TcpParams {
    TcpParams {
        mtu: 104, // 64 octets of payload
        timestamps: false,
        window_scaling: false,
        delayed_ack: SimDuration::ZERO,
        hold_until_push: false,
        probe_with_octet: false,
        initial_window: 2,
        time_wait: SimDuration::from_secs(4),
        max_rto: SimDuration::from_secs(1),
        syn_give_up: GiveUp::Never,
        synack_give_up: GiveUp::Never,
        data_give_up: GiveUp::Never,
        orphan_give_up: GiveUp::Never,
        ..TcpParams::rfc9293()
    }
}

const CLIENT: SidePlan = SidePlan {
    active: true,
    eager: true,
    patient: true,
    calls: &[Call::Write(64), Call::Shutdown],
};
const SERVER: SidePlan = SidePlan {
    active: false,
    calls: &[Call::Write(10), Call::Shutdown],
    ..CLIENT
};

pub(super) fn orderly() -> CheckedCase {
    CheckedCase {
        name: "client and server, both write and close",
        params: [Arc::new(params()), Arc::new(params())],
        plans: [CLIENT, SERVER],
        budget: Budget {
            losses: 1,
            duplicates: 0,
            timeouts: [1, 1],
        },
        capacity: 6,
        reorders: true,
        orderly: true,
        width: 0,
    }
}

const HALF: SidePlan = SidePlan {
    calls: &[Call::Shutdown],
    ..CLIENT
};
/// Closes after its peer.
const QUIET: SidePlan = SidePlan {
    active: false,
    calls: &[],
    ..CLIENT
};

fn with(change: impl FnOnce(&mut TcpParams)) -> [Arc<TcpParams>; 2] {
    let mut params = params();
    change(&mut params);
    [Arc::new(params.clone()), Arc::new(params)]
}

fn all() -> Vec<CheckedCase> {
    let active = |plan: SidePlan| SidePlan {
        active: true,
        ..plan
    };
    let passive = |plan: SidePlan| SidePlan {
        active: false,
        ..plan
    };
    let hasty = |plan: SidePlan| SidePlan {
        patient: false,
        ..plan
    };
    let say = |calls| SidePlan { calls, ..CLIENT };
    let base = CheckedCase {
        capacity: 4,
        ..orderly()
    };
    vec![
        CheckedCase {
            name: "both close, no data",
            plans: [HALF, passive(HALF)],
            ..base.clone()
        },
        CheckedCase {
            name: "simultaneous open, both close, no data",
            plans: [HALF, HALF],
            ..base.clone()
        },
        CheckedCase {
            name: "the client writes and closes, the server after it",
            plans: [CLIENT, QUIET],
            ..base.clone()
        },
        CheckedCase {
            name: "the server writes and closes, the client after it",
            plans: [active(QUIET), passive(CLIENT)],
            ..base.clone()
        },
        CheckedCase {
            name: "two segments one way",
            width: 1,
            plans: [say(&[Call::Write(128), Call::Shutdown]), QUIET],
            ..base.clone()
        },
        CheckedCase {
            name: "two segments one way, without SACK",
            width: 1,
            params: with(|p| p.sack = false),
            plans: [say(&[Call::Write(128), Call::Shutdown]), QUIET],
            ..base.clone()
        },
        CheckedCase {
            name: "both write and close",
            width: 2,
            plans: [CLIENT, SERVER],
            ..base.clone()
        },
        CheckedCase {
            name: "simultaneous open, both write and close",
            width: 2,
            plans: [CLIENT, active(SERVER)],
            ..base.clone()
        },
        CheckedCase {
            name: "closed windows",
            params: with(|p| p.receive_buffer = 64),
            plans: [
                say(&[Call::Write(80), Call::Shutdown]),
                SidePlan {
                    eager: false,
                    calls: &[Call::Read(30), Call::Read(64)],
                    ..QUIET
                },
            ],
            ..base.clone()
        },
        CheckedCase {
            name: "the client writes and closes, with timestamps",
            params: with(|p| p.timestamps = true),
            plans: [CLIENT, QUIET],
            ..base.clone()
        },
        CheckedCase {
            name: "the client writes and closes, with delayed acknowledgements",
            params: with(|p| p.delayed_ack = SimDuration::from_millis(200)),
            plans: [CLIENT, QUIET],
            ..base.clone()
        },
        CheckedCase {
            name: "the client aborts",
            plans: [hasty(say(&[Call::Write(64), Call::Abort])), passive(HALF)],
            orderly: false,
            ..base.clone()
        },
        CheckedCase {
            name: "the server closes with data unread",
            plans: [
                say(&[Call::Write(64), Call::Write(10), Call::Shutdown]),
                SidePlan {
                    eager: false,
                    calls: &[Call::Close],
                    ..QUIET
                },
            ],
            orderly: false,
            ..base.clone()
        },
        CheckedCase {
            name: "hasty calls from SYN-SENT on",
            plans: [hasty(say(&[Call::Write(10), Call::Close])), QUIET],
            orderly: false,
            ..base.clone()
        },
        CheckedCase {
            name: "hasty calls of simultaneous openers",
            width: 2,
            plans: [
                hasty(say(&[Call::Write(10), Call::Close])),
                hasty(active(HALF)),
            ],
            orderly: false,
            ..base.clone()
        },
        CheckedCase {
            name: "an end to patience",
            params: with(|p| {
                p.syn_give_up = GiveUp::Retries(1);
                p.synack_give_up = GiveUp::Retries(1);
                p.data_give_up = GiveUp::Retries(1);
                p.orphan_give_up = GiveUp::Retries(1);
                p.fin_timeout = Some(SimDuration::from_secs(4));
            }),
            plans: [say(&[Call::Write(10), Call::Close]), QUIET],
            orderly: false,
            ..base.clone()
        },
    ]
}

/// The bounds: losses, duplicates, time-outs of each side, and whether segments overtake each other.
/// Time-outs at any moment increase the number of histories most.
type Bound = (u8, u8, u8, bool);

/// The bounds for a scenario: the more segments in flight, the lower they are.
fn bounds(width: u8, deep: bool) -> &'static [Bound] {
    match (width, deep) {
        (0, false) => &[(1, 1, 0, true), (1, 1, 1, false)],
        (1, false) => &[(1, 0, 0, true), (0, 1, 0, true), (1, 0, 1, false)],
        (_, false) => &[(1, 1, 0, false), (0, 0, 1, false)],
        (0, true) => &[(2, 1, 0, true), (1, 0, 1, true), (2, 1, 1, false)],
        (1, true) => &[(1, 1, 0, true), (1, 1, 1, false)],
        (_, true) => &[(1, 0, 0, true), (1, 1, 1, false)],
    }
}

fn bounded(scenario: &CheckedCase, bound: Bound) -> CheckedCase {
    let (losses, duplicates, timeouts, reorders) = bound;
    CheckedCase {
        budget: Budget {
            losses,
            duplicates,
            timeouts: [timeouts; 2],
        },
        reorders,
        ..scenario.clone()
    }
}

/// Explores all scenarios with or without reordering; at least this many states must be visited.
fn explore_all(reorders: bool, least: usize) {
    let deep = std::env::var_os("SYNFIN_DEEP").is_some();
    let (begun, mut sum) = (Instant::now(), Seen::default());
    for scenario in all() {
        let bounds = bounds(scenario.width, deep).iter();
        for &bound in bounds.filter(|b| b.3 == reorders) {
            let here = Instant::now();
            let seen = match explore::<Connection>(&bounded(&scenario, bound)) {
                Ok(seen) => seen,
                Err(violation) => panic!("{bound:?} {violation}"),
            };
            println!(
                "{}, {bound:?}: {seen:?} in {:.1?}",
                scenario.name,
                here.elapsed()
            );
            assert!(seen.complete, "{}: {seen:?}", scenario.name);
            sum.states += seen.states;
            sum.transitions += seen.transitions;
            sum.depth = sum.depth.max(seen.depth);
            sum.ends += seen.ends;
        }
    }
    sum.complete = true;
    println!("together: {sum:?} in {:.1?}", begun.elapsed());
    assert!(sum.states > least, "{sum:?}");
}

#[test]
fn every_interleaving_keeps_the_rules_and_comes_to_an_end() {
    explore_all(true, 1_000_000);
}

#[test]
fn every_interleaving_of_segments_in_order_keeps_the_rules_and_comes_to_an_end() {
    explore_all(false, 500_000);
}
