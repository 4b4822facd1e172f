//! A deterministic discrete-event simulator of packet networks, for any protocol.
//!
//! ```text
//!            Cx::send     ┌ link ──────────────────────────────┐ arrival
//!   Host ────────────────►│ queue ► rate ► impairments ► delay │────────► Host | Gateway | Router
//!    ▲                    └────────────────────────────────────┘              next link ◄──┘
//!    └── Cx::wake, Timers        all pending events: one EventQueue per partition
//! ```
//!
//! A protocol is a type that implements [`Host`]; everything it does goes through [`Cx`]. A node that
//! repeats a request until it is answered, over a link that loses every tenth packet:
//!
//! ```
//! use sim_core::*;
//!
//! #[derive(Default)]
//! struct Node { timers: Timers }
//!
//! impl Host for Node {
//!     type Payload = &'static str; // what packets carry
//!     type Sample = &'static str; // what the node records
//!     type Scratch = ();
//!
//!     fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
//!         if cx.name() == "client" {
//!             let server = cx.address_of("server").expect("there is one");
//!             cx.send(Outgoing::to(server, 100, "question"));
//!             self.timers.set_in("repeat", SimDuration::from_millis(50), cx);
//!         }
//!     }
//!     fn on_packet(&mut self, packet: Packet<&'static str>, cx: &mut Cx<'_, Self>) {
//!         self.timers.cancel("repeat");
//!         cx.record(packet.payload);
//!         if packet.payload == "question" {
//!             cx.send(Outgoing::to(packet.src, 1000, "answer"));
//!         }
//!     }
//!     fn on_timer(&mut self, token: u64, cx: &mut Cx<'_, Self>) {
//!         if self.timers.fire(token, cx).is_some() {
//!             self.on_start(cx);
//!         }
//!     }
//! }
//!
//! let mut net = NetworkBuilder::new();
//! let (client, server) = (net.host("client"), net.host("server"));
//! let delay = SimDuration::from_millis(10);
//! net.join(LinkSpec::new(client, server, Some(Rate::mbps(10)), delay).with_loss(0.1));
//! let network = net.build()?;
//! let nodes = network.place(|_| Node::default());
//! let done = Simulation::new(network, nodes, &RunConfig::new(1, SimTime::MAX)).run_to_end();
//! assert_eq!(done.records.last().map(|r| r.sample), Some("answer"));
//! # Ok::<(), network::NetworkError>(())
//! ```
//!
//! More in `examples/`: ping, gossip among 1,000 nodes, an M/M/1 queue, a token ring.
//!
//! Rules kept here: state is owned by a node, and nodes meet only through packets on links with
//! delay > 0; events are ordered by (time, scheduling node, that node's counter). So a run's results
//! are a function of network, hosts and seed, whatever the partitions, threads and event queue.
//!
//! Queue disciplines, loss, delay and rate models plug into a link ([`LinkModels`]); what passes a
//! [`NodeKind::Gateway`] goes through its host; nodes go down and come up ([`Outage`]).

#![forbid(unsafe_code)]

pub mod assign;
mod cx;
pub mod event;
pub mod event_queue;
pub mod host;
pub mod impairments;
pub mod link;
mod look_ahead;
mod look_ahead_rounds;
mod loss;
mod merge;
pub mod network;
pub mod packet;
mod partition;
pub mod plugin;
pub mod prefetch;
mod quantity;
pub mod queue_disc;
mod queue_limit;
pub mod record;
pub mod rng;
pub mod routing;
mod run_error;
pub mod simulation;
mod stall;
pub mod time;
pub mod timers;
pub mod units;

pub use cx::Cx;
pub use event::{Event, EventKind, LinkId, NodeId, Tie};
pub use host::{Host, Upcoming};
pub use impairments::LinkModels;
pub use loss::{Loss, LossCause};
pub use network::{LinkSpec, Network, NetworkBuilder, NodeKind, NodeSpec, Outage};
pub use packet::{Outgoing, Packet};
pub use queue_disc::QueueLimit;
pub use record::{Record, Recorder};
pub use rng::Rng;
pub use simulation::{Finished, RunConfig, RunStats, Simulation};
pub use time::{SimDuration, SimTime};
pub use timers::{LazyTimer, Timers, Wakes};
pub use units::{Bytes, Rate};
