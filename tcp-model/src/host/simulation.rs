//! The engine with TCP hosts.

use std::ops::ControlFlow;
use std::sync::Arc;

use sim_core::event_queue::AnyEventQueue;
use sim_core::simulation::{SimulationError, SimulationProgress};
use sim_core::{Network, Recorder, RunConfig, RunStats, Simulation};

use super::TcpHost;
use crate::sample::TcpSample;

/// A network of TCP hosts, ready to run.
///
/// The same as a [`Simulation`] of [`TcpHost`], whose generic code would be compiled in each crate that uses
/// it. Here it is compiled once, beside the hosts that it calls for every event.
#[derive(Debug)]
pub struct TcpSimulation(Simulation<TcpHost>);

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
        TcpSimulation(Simulation::new(network, hosts, config))
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
        TcpSimulation(Simulation::with_queues(network, hosts, config, make_queue))
    }

    /// Runs to the end, or until `observe` breaks off.
    ///
    /// # Errors
    /// As [`Simulation::run`].
    #[inline(never)]
    pub fn run(
        &mut self,
        recorder: &mut dyn Recorder<TcpSample>,
        observe: &mut dyn FnMut(SimulationProgress) -> ControlFlow<()>,
    ) -> Result<RunStats, SimulationError> {
        self.0.run(recorder, observe)
    }

    /// The hosts after the run, by node number.
    #[inline(never)]
    pub fn into_hosts(self) -> Vec<Option<TcpHost>> {
        self.0.into_hosts()
    }
}
