//! Requests multiplexed over one connection, as by HTTP/2 (RFC 9113): many are in flight at a time, the server works
//! on all of them, and their responses come in the order in which they are ready.
//!
//! ```text
//!   client  ── request 0, 1, 2 ──►  server: serves them at the same time
//!           ◄── response 1, 2, 0 ──
//! ```
//!
//! What is modelled: the limit on requests in flight (SETTINGS_MAX_CONCURRENT_STREAMS), which the server enforces by
//! telling its clients, so that no request is refused; responses in the order of completion, each whole; a request that
//! is given up alone (RST_STREAM), while its connection continues; and the end of a connection after its last request
//! (GOAWAY): the requests in flight are still answered. Loss holds up all responses of a connection, since they share
//! the order of TCP. Both ends switch Nagle's algorithm off, as implementations of HTTP/2 do.
//!
//! Leaves out: frames of two responses in turn, priorities, flow control of streams, the octets of frame and field
//! headers (sizes are those of the workload), and the server's knowledge of requests given up, which it answers.
//!
//! A receiver of counted octets cannot see whose response they are. Client and server therefore share the order of
//! responses of each connection, [`super::response_order::ResponseOrder`]: what the frame headers would say. The
//! client reads from it only what has arrived.

mod client;
mod server;

pub(super) use client::MultiplexedClient;
pub(super) use server::MultiplexedServer;
