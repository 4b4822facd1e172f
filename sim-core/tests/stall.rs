//! A run in which simulated time does not advance ends with an error.

mod common;

use common::{built, run};
use sim_core::simulation::{Simulation, SimulationError};
use sim_core::{Cx, Host, NetworkBuilder, Packet, RunConfig, SimDuration, SimTime};

/// Wakes itself after `wait`, for ever.
struct Restless {
    wait: SimDuration,
}

impl Host for Restless {
    type Payload = ();
    type Sample = ();
    type Scratch = ();

    fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
        cx.wake(cx.now(), 0);
    }

    fn on_packet(&mut self, _: Packet<()>, _: &mut Cx<'_, Self>) {}

    fn on_timer(&mut self, token: u64, cx: &mut Cx<'_, Self>) {
        cx.wake(cx.now() + self.wait, token);
    }
}

fn config(end: SimTime) -> RunConfig {
    RunConfig {
        most_events_per_us: 50_000,
        ..RunConfig::new(1, end)
    }
}

#[test]
fn a_run_whose_time_stands_still_ends_and_reports_the_time() {
    for wait in [SimDuration::ZERO, SimDuration::from_ps(1)] {
        let mut net = NetworkBuilder::new();
        net.host("a");
        let hosts = vec![Some(Restless { wait })];
        let done = Simulation::new(built(net), hosts, &config(SimTime::MAX)).run_to_end();
        match done.error {
            Some(SimulationError::NoProgress { since, events }) => {
                assert_eq!(since, SimTime::ZERO);
                assert!(events > 50_000 && events < 100_000, "{events}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_busy_host_whose_time_advances_may_continue() {
    let mut net = NetworkBuilder::new();
    net.host("a");
    let wait = SimDuration::from_nanos(100);
    let end = SimTime::ZERO + SimDuration::from_millis(10);
    let ((_, stats), _) = run(&built(net), vec![Some(Restless { wait })], &config(end));
    assert_eq!((stats.reached, stats.events), (end, 100_001)); // the start, and the rest
}
