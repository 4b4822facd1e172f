//! Rigs for testing a TCP: your own, your own congestion control, or the built-in one.
//!
//! | rig | contents |
//! |---|---|
//! | [`End`] | one end point; the test writes every segment of the peer |
//! | [`Pair`] | two whole hosts and the path between them, without the engine |
//! | [`two_hosts`] | two simulated hosts and a link, run by the engine: with its queues, losses and records |
//! | [`bulk_transfer`] | the same, and one sends a stream to the other |
//! | [`worlds`] | random pairs with random paths and applications, and the rules they must obey |
//!
//! All run in virtual time and are deterministic.

mod end;
mod pair;
mod two_hosts;
pub mod worlds;

pub use end::{End, IRS, ISS, options};
pub use pair::{A, B, Pair, PairPath, SentPacket};
pub use two_hosts::{TwoHosts, bulk_transfer, two_hosts};
