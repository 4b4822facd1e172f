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
pub mod event;
pub mod event_queue;
pub mod host;
pub mod link;
mod look_ahead;
mod merge;
pub mod network;
pub mod packet;
mod partition;
pub mod prefetch;
pub mod record;
pub mod rng;
pub mod routing;
pub mod simulation;
pub mod time;
pub mod units;
mod windows;

pub use event::{Event, EventKind, LinkId, NodeId, Tie};
pub use host::{Cx, Host, LazyTimer, Loss, LossCause, Upcoming, Wakes};
pub use network::{LinkSpec, Network, NodeKind, NodeSpec, QueueLimit};
pub use packet::Packet;
pub use record::{Record, Recorder};
pub use rng::Rng;
pub use simulation::{RunConfig, RunStats, Simulation};
pub use time::{SimDuration, SimTime};
pub use units::{Bytes, Rate};
