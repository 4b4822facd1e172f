//! What a host acts through: the engine, or a driver that holds it by itself.
//!
//! Everything a host asks for or puts out goes through [`HostCx`]: the time, random streams, packets,
//! wakes, records. Nothing else in this module knows the engine, so the same host runs in a
//! simulation and under a [`Driver`](super::Driver).

use std::net::Ipv4Addr;

use sim_core::{Cx, Rng, SimTime, Wakes};

use super::TcpHost;
use super::driver::Outbox;
use super::scratch::Scratch;
use crate::app::AppEvent;
use crate::model::{OpenContext, TcpModel};
use crate::sample::TcpSample;
use crate::segment::{Packed, Segment};
use crate::state::State;

/// Makes the TCP of each connection for a [`Driver`](super::Driver).
pub type MakeTcp<'m> = dyn FnMut(OpenContext) -> Box<dyn TcpModel> + 'm;

/// An enum and not a trait: applications are trait objects and take it, and a branch that always goes
/// the same way costs next to nothing.
#[derive(Debug)]
pub(super) enum HostCx<'a, 'b> {
    Engine(&'a mut Cx<'b, TcpHost>),
    Driver(DriverCx<'a>),
}

/// The driver's side of a call.
pub(super) struct DriverCx<'a> {
    pub(super) outbox: &'a mut Outbox,
    pub(super) make: Option<&'a mut MakeTcp<'a>>,
}

impl std::fmt::Debug for DriverCx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("DriverCx").field(&self.outbox).finish()
    }
}

/// A segment on its way out, as the host sends it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outgoing<'s> {
    pub(super) src: Ipv4Addr,
    pub(super) dst: Ipv4Addr,
    pub(super) ttl: u8,
    pub(super) tos: u8,
    pub(super) segment: &'s Segment,
    /// It repeats octets sent before.
    pub(super) again: bool,
    /// State of its connection; `None` when it belongs to none.
    pub(super) state: Option<State>,
}

impl<'b> HostCx<'_, 'b> {
    /// The same for a shorter time.
    #[inline]
    pub(super) fn reborrow(&mut self) -> HostCx<'_, 'b> {
        match self {
            HostCx::Engine(cx) => HostCx::Engine(cx),
            HostCx::Driver(DriverCx { outbox, make }) => HostCx::Driver(DriverCx {
                outbox,
                make: match make {
                    Some(make) => Some(&mut **make),
                    None => None,
                },
            }),
        }
    }

    #[inline]
    pub(super) fn now(&self) -> SimTime {
        match self {
            HostCx::Engine(cx) => cx.now(),
            HostCx::Driver(driver) => driver.outbox.now,
        }
    }

    /// The number of the host, which tells its connections from those of others.
    pub(super) fn node(&self) -> u32 {
        match self {
            HostCx::Engine(cx) => cx.node().0,
            HostCx::Driver(driver) => driver.outbox.node,
        }
    }

    /// The host's addresses.
    pub(super) fn addresses(&self) -> Vec<Ipv4Addr> {
        match self {
            HostCx::Engine(cx) => cx.network().addresses(cx.node()).collect(),
            HostCx::Driver(driver) => driver.outbox.addresses.clone(),
        }
    }

    pub(super) fn seed(&self) -> u64 {
        match self {
            HostCx::Engine(cx) => cx.seed(),
            HostCx::Driver(driver) => driver.outbox.seed,
        }
    }

    /// A random stream of the host's own for `purpose`, from its start.
    pub(super) fn rng(&self, purpose: &str) -> Rng {
        match self {
            HostCx::Engine(cx) => cx.rng(purpose),
            HostCx::Driver(driver) => {
                let outbox = &driver.outbox;
                Rng::stream(outbox.seed, purpose, u64::from(outbox.node))
            }
        }
    }

    /// Working memory, empty between inputs.
    #[inline]
    pub(super) fn scratch(&mut self) -> &mut Scratch {
        match self {
            HostCx::Engine(cx) => cx.scratch(),
            HostCx::Driver(driver) => &mut driver.outbox.scratch,
        }
    }

    /// Sends a segment; returns the packet's number.
    #[inline(always)]
    pub(super) fn send(&mut self, out: Outgoing<'_>) -> u64 {
        match self {
            HostCx::Engine(cx) => {
                let packed = Packed::new(out.segment, &mut cx.scratch().boxes);
                cx.send(sim_core::Outgoing {
                    src: out.src,
                    dst: out.dst,
                    size: out.segment.ipv4_len(),
                    ttl: out.ttl,
                    tos: out.tos,
                    payload: packed,
                })
            }
            HostCx::Driver(driver) => driver.outbox.send(&out),
        }
    }

    /// Writes a record.
    #[inline]
    pub(super) fn record(&mut self, sample: TcpSample) {
        match self {
            HostCx::Engine(cx) => cx.record(sample),
            HostCx::Driver(driver) => driver.outbox.record(sample),
        }
    }

    /// News for whoever drives the host, which no application of its own wants.
    pub(super) fn tell_caller(&mut self, event: AppEvent) {
        if let HostCx::Driver(driver) = self {
            driver.outbox.events.push_back(event);
        }
    }

    /// A model of the driver's own making, where it makes them.
    pub(super) fn make_model(&mut self, context: &OpenContext) -> Option<Box<dyn TcpModel>> {
        match self {
            HostCx::Engine(_) => None,
            HostCx::Driver(driver) => driver.make.as_mut().map(|make| make(context.clone())),
        }
    }
}

impl Wakes for HostCx<'_, '_> {
    #[inline]
    fn now(&self) -> SimTime {
        HostCx::now(self)
    }

    #[inline]
    fn wake(&mut self, at: SimTime, token: u64) {
        match self {
            HostCx::Engine(cx) => cx.wake(at, token),
            HostCx::Driver(driver) => driver.outbox.wake(at, token),
        }
    }
}
