//! Deterministic discrete-event core of synfin: time, events, nodes that meet through links.
//!
//! ```text
//!            Cx::send                     Arrival event
//!   Host ───────────────► Link (queue, ──────────────────► Host | Router ──► next link
//!    ▲                     rate, delay,
//!    └── Cx::wake, Timer   loss)                all pending events: one EventQueue per partition
//! ```
//!
//! Rules kept here: state is owned by a node and nodes meet only through packets on links with
//! delay > 0; events are ordered by (time, scheduling node, that node's counter).

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
mod merge;
pub mod network;
pub mod packet;
mod partition;
pub mod plugin;
pub mod prefetch;
pub mod queue_disc;
pub mod record;
pub mod rng;
pub mod routing;
pub mod simulation;
pub mod time;
pub mod timers;
pub mod units;

pub use cx::Cx;
pub use event::{Event, EventKind, LinkId, NodeId, Tie};
pub use host::{Host, Loss, LossCause, Upcoming};
pub use impairments::LinkModels;
pub use network::{LinkSpec, Network, NetworkBuilder, NodeKind, NodeSpec};
pub use packet::{Outgoing, Packet};
pub use queue_disc::QueueLimit;
pub use record::{Record, Recorder};
pub use rng::Rng;
pub use simulation::{Finished, RunConfig, RunStats, Simulation};
pub use time::{SimDuration, SimTime};
pub use timers::{LazyTimer, Timers, Wakes};
pub use units::{Bytes, Rate};
