//! The engine with TCP hosts.

use std::ops::ControlFlow;
use std::sync::Arc;

use sim_core::event_queue::AnyEventQueue;
use sim_core::simulation::{SimulationError, SimulationProgress};
use sim_core::{Network, Recorder, RunConfig, RunStats, Simulation};

use super::TcpHost;
use super::timetable::{self, TimetableSimulation};
use crate::sample::TcpSample;

/// A network of TCP hosts, ready to run.
///
/// The same as a [`Simulation`] of [`TcpHost`], whose generic code would be compiled in each crate that uses
/// it. Here it is compiled once, beside the hosts that it calls for every event.
///
/// With the parameter `lifecycle_segments = false` there are no packets, and the engine is another one, which has
/// one partition and no event queue to choose.
#[derive(Debug)]
pub struct TcpSimulation(Kind);

#[derive(Debug)]
enum Kind {
    Segments(Box<Simulation<TcpHost>>),
    Timetables(Box<TimetableSimulation>),
}

impl TcpSimulation {
    /// Places the hosts: `hosts[i]` is that of node `i`, `None` for routers.
    ///
    /// # Panics
    /// As [`Simulation::new`].
    #[inline(never)]
    pub fn new(
        network: Arc<Network>,
        hosts: Vec<Option<TcpHost>>,
        config: &RunConfig,
    ) -> TcpSimulation {
        TcpSimulation(if timetable::wanted(&hosts) {
            Kind::Timetables(Box::new(TimetableSimulation::new(network, hosts, config)))
        } else {
            Kind::Segments(Box::new(Simulation::new(network, hosts, config)))
        })
    }

    /// The same with an event queue from `make_queue` for each partition.
    ///
    /// # Panics
    /// As [`Simulation::new`].
    #[inline(never)]
    pub fn with_queues(
        network: Arc<Network>,
        hosts: Vec<Option<TcpHost>>,
        config: &RunConfig,
        make_queue: &mut dyn FnMut() -> AnyEventQueue,
    ) -> TcpSimulation {
        let simulation = Simulation::with_queues(network, hosts, config, make_queue);
        TcpSimulation(Kind::Segments(Box::new(simulation)))
    }

    /// Runs to the end, or until `observe` breaks off.
    ///
    /// # Errors
    /// As [`Simulation::run`]; without segments also if something is not modelled
    /// ([`check_without_segments`](super::check_without_segments)).
    #[inline(never)]
    pub fn run(
        &mut self,
        recorder: &mut dyn Recorder<TcpSample>,
        observe: &mut dyn FnMut(SimulationProgress) -> ControlFlow<()>,
    ) -> Result<RunStats, SimulationError> {
        match &mut self.0 {
            Kind::Segments(simulation) => simulation.run(recorder, observe),
            Kind::Timetables(simulation) => simulation.run(recorder, observe),
        }
    }

    /// The hosts after the run, by node number.
    #[inline(never)]
    pub fn into_hosts(self) -> Vec<Option<TcpHost>> {
        match self.0 {
            Kind::Segments(simulation) => simulation.into_hosts(),
            Kind::Timetables(simulation) => simulation.into_hosts(),
        }
    }
}
