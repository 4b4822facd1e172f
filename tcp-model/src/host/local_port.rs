//! The local port of an active open.

use std::net::{Ipv4Addr, SocketAddrV4};

use sim_core::SimTime;

use super::cx::HostEnv;
use super::four_tuple::FourTuple;
use super::open::{ConnectError, LocalEnd};
use super::stack::{Stack, destination};
use crate::params::TwReuse;
use crate::ports::{Destination, PortSearchResult};
use crate::sample::{ConnectAttempt, TcpSample};
use crate::segment::ConnId;

impl Stack {
    /// Lets the port allocator choose. A port bound first must not be in TIME-WAIT, regardless of
    /// `tw_reuse`.
    pub(super) fn find_port(
        &mut self,
        conn: ConnId,
        address: Ipv4Addr,
        remote: SocketAddrV4,
        bind_first: bool,
        cx: &mut impl HostEnv,
    ) -> Result<LocalEnd, ConnectError> {
        if !bind_first {
            self.free_ripe_ports(cx);
        }
        let to = Destination {
            local: address,
            remote,
        };
        let found = self.search_port(to, bind_first, cx.now());
        cx.record(TcpSample::Connect(ConnectAttempt {
            conn,
            local_port: found.port,
            probes: found.probes,
        }));
        let port = found.port.ok_or(ConnectError::AddrNotAvailable)?;
        Ok(LocalEnd {
            port,
            holds_port: true,
        })
    }

    /// Searches for a free port and counts the search.
    pub(super) fn search_port(
        &mut self,
        to: Destination,
        bind_first: bool,
        now: SimTime,
    ) -> PortSearchResult {
        let mut found = self.choose_port(to, bind_first, now);
        if found.port.is_none() && self.free_drained_ports() {
            found = self.choose_port(to, bind_first, now);
        }
        self.stats.port_searches += 1;
        self.stats.port_probes += u64::from(found.probes);
        self.stats.ports_exhausted += u64::from(found.port.is_none());
        found
    }

    pub(super) fn choose_port(
        &mut self,
        to: Destination,
        bind_first: bool,
        now: SimTime,
    ) -> PortSearchResult {
        if bind_first {
            self.ports.allocate_for_all(to, &mut self.port_rng)
        } else {
            self.ports.allocate(to, now, &mut self.port_rng)
        }
    }

    /// Takes the port requested by the application, unless the 4-tuple is in use.
    #[cold]
    pub(super) fn take_port(
        &mut self,
        conn: ConnId,
        address: Ipv4Addr,
        port: u16,
        remote: SocketAddrV4,
        cx: &mut impl HostEnv,
    ) -> Result<LocalEnd, ConnectError> {
        let flow = FourTuple::from_parts(address, port, *remote.ip(), remote.port());
        let free = self.find(flow).is_none();
        cx.record(TcpSample::Connect(ConnectAttempt {
            conn,
            local_port: free.then_some(port),
            probes: 1,
        }));
        if !free {
            return Err(ConnectError::AddrInUse);
        }
        let to = Destination {
            local: address,
            remote,
        };
        let holds_port = self.ports.occupy(to, port);
        Ok(LocalEnd { port, holds_port })
    }

    /// `tw_reuse`: frees the ports of TIME-WAIT entries that are old enough. Entries reach that age in
    /// order, so each is checked once.
    #[inline]
    pub(super) fn free_ripe_ports(&mut self, cx: &mut impl HostEnv) {
        if self.params.tw_reuse != TwReuse::Off {
            self.free_reusable_ports(cx);
        }
    }

    #[inline(never)]
    fn free_reusable_ports(&mut self, cx: &mut impl HostEnv) {
        let (now, delay) = (cx.now(), self.params.tw_reuse_delay);
        while let Some(place) = self.time_waits.next_mature(now, delay) {
            let flow = self.time_waits.get(place).flow();
            if self.params.tw_reuse == TwReuse::Loopback && !self.is_loopback(flow) {
                continue;
            }
            let entry = self.time_waits.get_mut(place);
            if entry.holds_port() {
                entry.set_holds_port(false);
                self.ports.release(destination(flow), flow.local().port());
            }
        }
    }
}
