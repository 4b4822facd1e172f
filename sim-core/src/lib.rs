//! A deterministic discrete-event simulator of packet networks, for any protocol.
//!
//! ```text
//!            Cx::send     ┌ link ──────────────────────────────┐ arrival
//!   Host ────────────────►│ queue ► rate ► impairments ► delay │────────► Host | Gateway | Router
//!    ▲                    └────────────────────────────────────┘              next link ◄──┘
//!    └── Cx::wake, Timers        all pending events: one EventQueue per partition
//! ```
//!
//! A protocol is a type that implements [`Host`] and acts through [`Cx`]. Two players who return a ball until
//! the link loses it:
//!
//! ```
//! use sim_core::*;
//!
//! struct Player;
//!
//! impl Host for Player {
//!     type Payload = u32; // what packets carry: how often the ball has been hit
//!     type Sample = u32; // what a node records
//!     type Scratch = ();
//!
//!     fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
//!         let other = if cx.name() == "a" { "b" } else { "a" };
//!         cx.send(Outgoing::to(cx.address_of(other).expect("two players"), 1000, 1));
//!     }
//!     fn on_packet(&mut self, ball: Packet<u32>, cx: &mut Cx<'_, Self>) {
//!         cx.record(ball.payload);
//!         cx.send(Outgoing::to(ball.src, 1000, ball.payload + 1));
//!     }
//! }
//!
//! let mut net = NetworkBuilder::new();
//! let (a, b) = (net.host("a"), net.host("b"));
//! net.join(LinkSpec::new(a, b, Some(Rate::mbps(10)), SimDuration::from_millis(10)).with_loss(0.1));
//! let done = simulate(net.build()?, &RunConfig::new(1, SimTime::MAX), |_| Player);
//! assert_eq!(done.stats.links.iter().map(|link| link.random_losses).sum::<u64>(), 2);
//! # Ok::<(), network::NetworkError>(())
//! ```
//!
//! More in `examples/`: ping, gossip among 1,000 nodes, an M/M/1 queue, a token ring. Timers that can
//! be cancelled: [`Timers`].
//!
//! Two rules make runs reproducible: state is owned by a node, and nodes interact only through packets on
//! links with delay > 0; events are ordered by (time, scheduling node, that node's counter). The results of a
//! run are a function of network, hosts and seed, whatever the partitions, threads and event queue.
//!
//! Queue disciplines, loss, delay and rate models plug into a link ([`LinkModels`]); packets that pass a
//! [`NodeKind::Gateway`] go through its host; nodes go down and come up ([`Outage`]).

#![forbid(unsafe_code)]

pub mod assign;
pub mod event;
pub mod event_queue;
pub mod histogram;
pub mod host;
pub mod impairments;
pub mod link;
mod look_ahead_rounds;
mod loss_cause;
mod merge;
pub mod network;
pub mod packet;
mod partition;
mod partition_map;
pub mod plugin;
pub mod prefetch;
mod quantity;
pub mod queue_disc;
mod queue_limit;
pub mod record;
pub mod rng;
pub mod simulation;
mod simulation_error;
mod stall;
pub mod time;
pub mod timers;
pub mod units;

pub use event::{Event, EventKind, LinkId, NodeId, Tie};
pub use host::{Cx, Host, PacketFilter, Upcoming};
pub use impairments::LinkModels;
pub use loss_cause::{Loss, LossCause};
pub use network::{LinkSpec, Network, NetworkBuilder, NodeKind, NodeSpec, Outage};
pub use packet::{Outgoing, Packet};
pub use queue_disc::QueueLimit;
pub use record::{Record, Recorder};
pub use rng::Rng;
pub use simulation::{Finished, RunConfig, RunStats, Simulation, simulate};
pub use time::{SimDuration, SimTime};
pub use timers::{LazyTimer, Timers, Wakes};
pub use units::{Bytes, Rate};
