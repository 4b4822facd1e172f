//! The environment of a host: the engine, or a driver.
//!
//! All inputs and outputs of a host go through [`HostEnv`]: time, random streams, packets, wakes, records.
//! The host is compiled twice, for the engine's [`Cx`], so that the indirection costs nothing per packet,
//! and for a [`Driver`](super::Driver). Applications are trait objects and cannot be compiled twice: they
//! use [`HostCx`], an enum of both.

use std::net::Ipv4Addr;

use sim_core::{Cx, Rng, SimTime, Wakes};

use super::TcpHost;
use super::outbox::{Outbox, OutgoingSegment};
use super::scratch::Scratch;
use crate::app::AppEvent;
use crate::model::{OpenContext, TcpModel};
use crate::sample::TcpSample;
use crate::segment::Packed;

/// Creates the TCP of each connection for a [`Driver`](super::Driver).
pub type MakeTcp<'m> = dyn FnMut(OpenContext) -> Box<dyn TcpModel> + 'm;

/// What a host needs from its environment.
pub(super) trait HostEnv: Wakes {
    /// The number of the host, which distinguishes its connections from those of others.
    fn node(&self) -> u32;
    /// The host's addresses.
    fn addresses(&self) -> Vec<Ipv4Addr>;
    /// The seed of the run.
    fn seed(&self) -> u64;
    /// The host's random stream for `purpose`, from its start.
    fn rng(&self, purpose: &str) -> Rng;
    /// Working memory, empty between inputs.
    fn scratch(&mut self) -> &mut Scratch;
    /// Sends a segment; returns the packet's number.
    fn send(&mut self, out: OutgoingSegment<'_>) -> u64;
    /// Writes a record.
    fn record(&mut self, sample: TcpSample);
    /// Passes an event to the driver of the host, for which no application exists.
    fn tell_caller(&mut self, event: AppEvent);
    /// A model created by the driver, if it creates them.
    fn make_model(&mut self, context: &OpenContext) -> Option<Box<dyn TcpModel>>;
    /// Calls `act` with the environment as an enum, for applications.
    fn with_host_cx<R>(&mut self, act: impl FnOnce(HostCx<'_, '_>) -> R) -> R;
}

impl HostEnv for Cx<'_, TcpHost> {
    fn node(&self) -> u32 {
        Cx::node(self).0
    }

    fn addresses(&self) -> Vec<Ipv4Addr> {
        self.network().addresses(Cx::node(self)).collect()
    }

    fn seed(&self) -> u64 {
        Cx::seed(self)
    }

    fn rng(&self, purpose: &str) -> Rng {
        Cx::rng(self, purpose)
    }

    #[inline]
    fn scratch(&mut self) -> &mut Scratch {
        Cx::scratch(self)
    }

    #[inline(always)]
    fn send(&mut self, out: OutgoingSegment<'_>) -> u64 {
        let packed = Packed::new(out.segment, out.ip_header, &mut Cx::scratch(self).boxes);
        Cx::send(
            self,
            sim_core::Outgoing {
                src: out.src,
                dst: out.dst,
                size: out.segment.packet_len(out.ip_header),
                ttl: out.ttl,
                tos: out.tos,
                payload: packed,
            },
        )
    }

    #[inline]
    fn record(&mut self, sample: TcpSample) {
        Cx::record(self, sample);
    }

    fn tell_caller(&mut self, _: AppEvent) {}

    #[inline]
    fn make_model(&mut self, _: &OpenContext) -> Option<Box<dyn TcpModel>> {
        None
    }

    #[inline]
    fn with_host_cx<R>(&mut self, act: impl FnOnce(HostCx<'_, '_>) -> R) -> R {
        act(HostCx::Engine(self))
    }
}

/// The environment of applications: the engine or a driver.
#[derive(Debug)]
pub(super) enum HostCx<'a, 'b> {
    Engine(&'a mut Cx<'b, TcpHost>),
    Driver(DriverCx<'a>),
}

impl<'b> HostCx<'_, 'b> {
    /// Reborrows it for a shorter lifetime.
    #[inline]
    pub(super) fn reborrow(&mut self) -> HostCx<'_, 'b> {
        match self {
            HostCx::Engine(cx) => HostCx::Engine(cx),
            HostCx::Driver(cx) => HostCx::Driver(cx.reborrow()),
        }
    }
}

/// Makes a call on whichever variant it is.
macro_rules! with_either {
    ($host_cx:expr, $cx:ident => $call:expr) => {
        match $host_cx {
            $crate::host::cx::HostCx::Engine($cx) => {
                let $cx = &mut **$cx;
                $call
            }
            $crate::host::cx::HostCx::Driver($cx) => $call,
        }
    };
}
pub(super) use with_either;

/// A driver during a call.
pub(super) struct DriverCx<'a> {
    pub(super) outbox: &'a mut Outbox,
    pub(super) make: Option<&'a mut MakeTcp<'a>>,
}

impl DriverCx<'_> {
    /// Reborrows it for a shorter lifetime.
    pub(super) fn reborrow(&mut self) -> DriverCx<'_> {
        DriverCx {
            outbox: self.outbox,
            make: match &mut self.make {
                Some(make) => Some(&mut **make),
                None => None,
            },
        }
    }
}

impl std::fmt::Debug for DriverCx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("DriverCx").field(&self.outbox).finish()
    }
}

impl HostEnv for DriverCx<'_> {
    fn node(&self) -> u32 {
        self.outbox.node
    }

    fn addresses(&self) -> Vec<Ipv4Addr> {
        self.outbox.addresses.clone()
    }

    fn seed(&self) -> u64 {
        self.outbox.seed
    }

    fn rng(&self, purpose: &str) -> Rng {
        Rng::stream(self.outbox.seed, purpose, u64::from(self.outbox.node))
    }

    fn scratch(&mut self) -> &mut Scratch {
        &mut self.outbox.scratch
    }

    fn send(&mut self, out: OutgoingSegment<'_>) -> u64 {
        self.outbox.send(&out)
    }

    fn record(&mut self, sample: TcpSample) {
        self.outbox.record(sample);
    }

    fn tell_caller(&mut self, event: AppEvent) {
        self.outbox.events.push_back(event);
    }

    fn make_model(&mut self, context: &OpenContext) -> Option<Box<dyn TcpModel>> {
        self.make.as_mut().map(|make| make(context.clone()))
    }

    fn with_host_cx<R>(&mut self, act: impl FnOnce(HostCx<'_, '_>) -> R) -> R {
        act(HostCx::Driver(self.reborrow()))
    }
}

impl Wakes for DriverCx<'_> {
    fn now(&self) -> SimTime {
        self.outbox.now
    }

    fn wake(&mut self, at: SimTime, token: u64) {
        self.outbox.wake(at, token);
    }
}
