//! Two simulated hosts and the link between them, run by the engine.

use std::net::SocketAddrV4;

use sim_core::{
    Finished, LinkSpec, NetworkBuilder, NodeId, NodeKind, RunConfig, SimDuration, SimTime,
    Simulation,
};

use super::pair::{A, B};
use crate::app::spec::{AppSpec, BulkSpec, SinkSpec};
use crate::host::TcpHost;

/// Two hosts joined by a link that takes 10 ms each way and neither queues nor loses: the smallest
/// possible simulation. [`TwoHosts`] says what can be changed before it runs.
///
/// [`bulk_transfer`] gives them a transfer to carry out.
pub fn two_hosts(a: TcpHost, b: TcpHost) -> TwoHosts {
    let there = LinkSpec::new(NodeId(0), NodeId(1), None, SimDuration::from_millis(10));
    TwoHosts {
        hosts: [a, b],
        links: [there.clone(), there.reversed()],
        addresses: 1,
        seed: 1,
        end: SimTime::MAX,
    }
}

/// [`two_hosts`], of which the first sends `bytes` to port 80 of the second at time zero and closes, or sends
/// without end if `None`. `host` makes each host from its application.
///
/// ```
/// use tcp_model::{TcpHost, TcpParams};
/// use tcp_model::spec::HostConfig;
/// use tcp_model::testing::bulk_transfer;
///
/// let host = |app| TcpHost::new(HostConfig::new(TcpParams::linux(), vec![app]));
/// let mut pair = bulk_transfer(Some(10_000), host);
/// pair.links[0].impairments.drop = vec![3]; // the third packet that A sends
/// let done = pair.run();
/// let [a, b] = done.hosts.as_slice() else { panic!("two hosts") };
/// assert_eq!(done.stats.links[0].wire_losses, 1);
/// // All is delivered all the same, and both have closed.
/// let open = |host: &Option<TcpHost>| host.as_ref().map(TcpHost::connections);
/// assert_eq!((open(a), open(b)), (Some(0), Some(0)));
/// ```
pub fn bulk_transfer(bytes: Option<u64>, host: impl Fn(AppSpec) -> TcpHost) -> TwoHosts {
    let bulk = BulkSpec {
        name: "bulk".to_owned(),
        local: A,
        remote: SocketAddrV4::new(B, 80),
        start: SimTime::ZERO,
        bytes,
    };
    let sink = SinkSpec {
        port: 80,
        backlog: 1,
        ..SinkSpec::default()
    };
    two_hosts(host(AppSpec::Bulk(bulk)), host(AppSpec::Sink(sink)))
}

/// The parts of a simulation of two hosts: see [`two_hosts`].
#[derive(Debug)]
pub struct TwoHosts {
    /// The hosts: node 0 with the address [`A`], and node 1 with [`B`].
    pub hosts: [TcpHost; 2],
    /// The link from the first host to the second, and the link back.
    pub links: [LinkSpec; 2],
    /// How many addresses the first host has, from [`A`] on. With more than one, the second host's
    /// follows the last of them.
    pub addresses: u32,
    /// Seed of the run.
    pub seed: u64,
    /// When the run ends, unless there are no more events before.
    pub end: SimTime,
}

impl TwoHosts {
    /// Sets the delay of both links.
    #[must_use]
    pub fn with_delay(self, delay: SimDuration) -> TwoHosts {
        self.with_links(|link| link.delay = delay)
    }

    /// Applies a change to both links.
    #[must_use]
    pub fn with_links(mut self, change: impl FnMut(&mut LinkSpec)) -> TwoHosts {
        self.links.iter_mut().for_each(change);
        self
    }

    /// Ends the run at a time.
    #[must_use]
    pub fn until(mut self, end: SimTime) -> TwoHosts {
        self.end = end;
        self
    }

    /// The simulation, for a caller that runs it in its own way.
    ///
    /// # Panics
    /// When a link is not valid: see [`NetworkBuilder::build`].
    pub fn simulation(self) -> Simulation<TcpHost> {
        let mut net = NetworkBuilder::new();
        let addresses = self.addresses;
        net.node("a", NodeKind::Host { addresses });
        net.host("b");
        self.links.into_iter().for_each(|link| {
            net.link(link);
        });
        let network = net.build().expect("the links of two hosts are valid");
        debug_assert_eq!(network.address(NodeId(0)), Some(A));
        let config = RunConfig::new(self.seed, self.end);
        Simulation::new(network, self.hosts.map(Some).into(), &config)
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When a link is not valid, or the run stops because time does not advance.
    pub fn run(self) -> Finished<TcpHost> {
        let done = self.simulation().run_to_end();
        if let Some(error) = &done.error {
            panic!("the run ended early: {error}");
        }
        done
    }
}
