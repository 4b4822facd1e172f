//! TCP as described by RFC 9293 and related RFCs, for the synfin simulator.
//!
//! ```text
//!             AppEvent                      Input, now
//!   App ◄──────────────► TcpHost ────────────────────────► TcpModel (Connection)
//!        SocketCx calls   │  ▲   ◄──────────────────────── Outputs: segments, signals
//!                 packets │  │ packets, wakes
//!                         ▼  │
//!                    sim_core engine
//! ```
//!
//! A connection is a pure function of (state, input, now); the host owns tables, ports, timers and
//! TIME-WAIT; applications see sockets. A handshake by hand:
//!
//! ```
//! use std::net::{Ipv4Addr, SocketAddrV4};
//! use std::sync::Arc;
//! use sim_core::SimTime;
//! use tcp_model::model::{Input, OpenContext, Outputs, TcpModel};
//! use tcp_model::{ConnId, Connection, SeqNum, State, TcpParams};
//!
//! let end = |n: u8| SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, n), 80);
//! let open = |local, remote| {
//!     Connection::new(OpenContext {
//!         params: Arc::new(TcpParams::rfc9293()),
//!         conn: ConnId::new(0, 0),
//!         traced: false,
//!         local,
//!         remote,
//!         iss: SeqNum(1000),
//!         ts_offset: 0,
//!     })
//! };
//! let (mut a, mut b) = (open(end(1), end(2)), open(end(2), end(1)));
//! let (now, mut from_a, mut from_b) = (SimTime::ZERO, Outputs::default(), Outputs::default());
//! b.step(Input::Listen, now, &mut from_b);
//! a.step(Input::Connect, now, &mut from_a);
//! for _ in 0..2 {
//!     for sent in from_a.segments.split_off(0) {
//!         b.step(Input::Segment(&sent.segment), now, &mut from_b);
//!     }
//!     for sent in from_b.segments.split_off(0) {
//!         a.step(Input::Segment(&sent.segment), now, &mut from_a);
//!     }
//! }
//! assert_eq!((a.view().state, b.view().state), (State::Established, State::Established));
//! ```

#![forbid(unsafe_code)]

/// The requirements of RFC 9293: where each is implemented, and which test shows it.
///
#[doc = include_str!("../docs/compliance.md")]
pub mod compliance {}

mod acc_ecn;
pub mod app;
pub mod congestion;
pub mod connection;
mod connection_counts;
pub mod delivery_rate;
pub mod diagnostics;
pub mod drop_rules;
pub mod errno;
pub mod fast_open;
pub mod host;
pub mod icmp;

pub mod lifecycle;
#[doc = include_str!("../docs/linux.md")]
pub mod linux {}
#[doc = include_str!("../docs/validation.md")]
pub mod validation {}
pub mod middlebox;
pub mod model;
pub mod options;
pub mod own_model;
pub mod packetdrill;
pub mod params;
pub mod ports;
mod reassembly;
pub mod recovery;
mod resend_rule;
mod round_trip_times;
pub mod rtt;
pub mod sample;
pub mod segment;
mod segments_in_flight;
mod send_call;
pub mod seq;
pub mod sockets;
pub mod state;
mod state_machine;
pub mod suggest;
pub mod syn_cookie;
mod syn_options;
pub mod testing;
pub mod time_wait;
pub mod timer_granularity;
mod transmit;
mod ts_clock;
pub mod wire;

pub use app::spec;
pub use connection::Connection;
pub use host::TcpHost;
pub use lifecycle::Lifecycle;
pub use model::{ConnectionEnd, Input, OpenContext, Outputs, Signal, TcpModel, TcpView};
pub use params::TcpParams;
pub use resend_rule::{ByRule, RetransmitReason};
pub use sample::TcpSample;
pub use segment::{ConnId, Ecn, Flags, Segment};
pub use seq::SeqNum;
pub use state::State;
pub use transmit::Transmit;
