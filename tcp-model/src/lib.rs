//! TCP as RFC 9293 and its companions describe it, for the synfin simulator.

#![forbid(unsafe_code)]

pub mod app;
pub mod congestion;
pub mod connection;
pub mod details;
pub mod host;
pub mod model;
pub mod options;
pub mod packetdrill;
pub mod params;
pub mod ports;
mod reassembly;
pub mod recovery;
pub mod rtt;
pub mod sample;
pub mod segment;
pub mod seq;
pub mod state;
pub mod time_wait;
pub mod wire;

pub use app::spec;
pub use connection::Connection;
pub use host::TcpHost;
pub use model::{End, Input, OpenContext, Outputs, Signal, TcpModel, TcpView};
pub use params::TcpParams;
pub use sample::TcpSample;
pub use segment::{ConnId, Flags, Segment};
pub use seq::SeqNum;
pub use state::State;
