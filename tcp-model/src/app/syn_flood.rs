//! A flood of SYNs from addresses that no host has, so that no SYN-ACK is ever answered.
//!
//! Sources are drawn at random from 198.18.0.0/15, which is reserved for benchmarks (RFC 2544) and
//! which no simulated host has: answers to them are dropped at their sender for lack of a route.

use std::net::{Ipv4Addr, SocketAddrV4};

use sim_core::Rng;

use super::arrivals::ArrivalClock;
use super::spec::SynFloodSpec;
use super::{App, AppEvent};
use crate::host::SocketCx;

/// The first address of 198.18.0.0/15, and the number of its addresses.
const FIRST: u32 = u32::from_be_bytes([198, 18, 0, 0]);
const ADDRESSES: u32 = 1 << 17;

/// The application described by a [`SynFloodSpec`].
#[derive(Debug)]
pub struct SynFlood {
    spec: SynFloodSpec,
    clock: ArrivalClock,
    rng: Rng,
    sent: u64,
}

impl SynFlood {
    /// A flood as described.
    pub fn new(spec: SynFloodSpec) -> SynFlood {
        SynFlood {
            clock: ArrivalClock::new(spec.arrivals.clone(), spec.start),
            rng: Rng::stream(0, &spec.name, 0),
            sent: 0,
            spec,
        }
    }

    /// Requests a wake for the next SYN.
    fn await_next(&mut self, socket: &mut SocketCx<'_, '_>) {
        while let Some(at) = self.clock.next(&mut self.rng)
            && at < self.spec.stop
            && self.spec.limit.is_none_or(|limit| self.sent < limit)
        {
            if at >= socket.now() {
                socket.wake(at, 0);
                return;
            }
            self.sent += 1; // the host was down then
        }
    }

    fn send(&mut self, socket: &mut SocketCx<'_, '_>) {
        let Some(remote) = self.spec.remotes.get(self.sent as usize) else {
            return; // no server at all
        };
        self.sent += 1;
        let sources = self.spec.sources.clamp(1, ADDRESSES);
        let address = FIRST + self.rng.below(sources.into()) as u32;
        let port = 1024 + self.rng.below(64_512) as u16;
        let source = SocketAddrV4::new(Ipv4Addr::from(address), port);
        socket.send_spoofed_syn(source, remote, self.rng.next_u64() as u32);
    }
}

impl App for SynFlood {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        match event {
            AppEvent::Start => {
                self.rng = socket.rng(&self.spec.name);
                self.await_next(socket);
            }
            AppEvent::Wake(_) => {
                self.send(socket);
                self.await_next(socket);
            }
            _ => {}
        }
    }
}
