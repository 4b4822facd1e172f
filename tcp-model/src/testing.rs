//! Rigs for tests of a TCP: yours, a congestion control of yours, or the library's.
//!
//! | rig | what it is |
//! |---|---|
//! | [`End`] | one end point; the test writes every segment of the peer |
//! | [`Pair`] | two whole hosts and the path between them, without the engine |
//! | [`two_hosts`] | two simulated hosts and a link, run by the engine: with its queues, losses and records |
//! | [`worlds`] | random pairs with random paths and applications, and what must hold in all of them |
//!
//! All run in virtual time and are the same every time they run.

mod end;
mod pair;
mod two_hosts;
pub mod worlds;

pub use end::{End, IRS, ISS, options};
pub use pair::{A, B, Pair, Passed, Path};
pub use two_hosts::{TwoHosts, two_hosts};
