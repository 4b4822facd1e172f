//! Both ends open: each client and each server connect to each other, from known ports, so that their
//! SYNs cross and one connection comes of both calls (RFC 9293 section 3.5, figure 7). Nobody
//! listens. Each end sends a few bytes; the client closes when it has read the server's.
//!
//! Leaves out further attempts after one that failed.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use sim_core::plugin::{ModelKind, ModelParameter, ValueKind};
use sim_core::{SimDuration, SimTime};

use super::named::{AnyApplication, Application, OfferedLoad, Placement};
use super::per_socket::PerSocket;
use super::{App, AppEvent};
use crate::host::{SocketCx, SocketId};

const PARAMETERS: &[ModelParameter] = &[
    ModelParameter {
        name: "client_port",
        kind: ValueKind::Count,
        default: Some("40000"),
        doc: "the port from which clients open, and to which servers do",
    },
    ModelParameter {
        name: "bytes",
        kind: ValueKind::Count,
        default: Some("100"),
        doc: "what each end sends",
    },
    ModelParameter {
        name: "server_after",
        kind: ValueKind::Duration,
        default: Some("0 s"),
        doc: "how much later than the clients the servers open; a SYN that arrives before is refused",
    },
];

/// Its name and parameters.
pub(super) fn kind() -> ModelKind<AnyApplication> {
    let doc = "each client and each server open a connection to each other; nobody listens";
    ModelKind::new("simultaneous-open", doc, PARAMETERS, |values| {
        values.positive(&["bytes"], "write for example 100")?;
        let port = values.count_within("client_port", 1..=65_535, "write for example 40000")?;
        let open = SimultaneousOpen {
            client_port: port as u16,
            bytes: values.count("bytes"),
            server_after: values.duration("server_after"),
        };
        Ok(Arc::new(move || Box::new(open) as AnyApplication))
    })
}

#[derive(Clone, Copy, Debug)]
struct SimultaneousOpen {
    client_port: u16,
    bytes: u64,
    server_after: SimDuration,
}

impl SimultaneousOpen {
    fn end(self, start: SimTime, stop: SimTime, calls: Vec<Call>, closes: bool) -> Box<dyn App> {
        Box::new(OpeningEnd {
            start,
            stop,
            calls,
            bytes: self.bytes,
            closes,
            open: PerSocket::default(),
        })
    }
}

impl Application for SimultaneousOpen {
    fn client(&self, place: &Placement) -> Box<dyn App> {
        let own = |ip: &Ipv4Addr| SocketAddrV4::new(*ip, self.client_port);
        let servers: Vec<SocketAddrV4> = place.servers.iter().collect();
        let calls = each_to_each(place.addresses.iter().map(own), &servers);
        self.end(place.start, place.stop, calls, true)
    }

    fn server(&self, place: &Placement) -> Box<dyn App> {
        let own = |ip: Ipv4Addr| {
            place
                .ports
                .iter()
                .map(move |port| SocketAddrV4::new(ip, *port))
        };
        let clients = place.clients.iter();
        let clients: Vec<SocketAddrV4> = clients
            .map(|ip| SocketAddrV4::new(*ip, self.client_port))
            .collect();
        let calls = each_to_each(place.addresses.iter().copied().flat_map(own), &clients);
        let start = place.start.saturating_add(self.server_after);
        self.end(start, place.stop, calls, false)
    }

    /// Each end sends SYN, SYN-ACK, its bytes, FIN, and the ACK of the other's.
    fn expected_once(&self, mss: u32) -> Option<OfferedLoad> {
        let segments = self.bytes.div_ceil(u64::from(mss.max(1))) as f64 + 4.0;
        Some(OfferedLoad {
            segments: (segments, segments),
            bytes: (self.bytes as f64, self.bytes as f64),
            events: 2.0, // it starts, and TIME-WAIT or a delayed ACK ends
        })
    }
}

/// A connection to open: from here, to there.
type Call = (SocketAddrV4, SocketAddrV4);

fn each_to_each(own: impl Iterator<Item = SocketAddrV4>, peers: &[SocketAddrV4]) -> Vec<Call> {
    own.flat_map(|own| peers.iter().map(move |peer| (own, *peer)))
        .collect()
}

/// What an end has yet to write and to read.
#[derive(Clone, Copy, Debug)]
struct Left {
    to_write: u64,
    to_read: u64,
}

/// One end of these connections.
#[derive(Debug)]
struct OpeningEnd {
    start: SimTime,
    stop: SimTime,
    calls: Vec<Call>,
    bytes: u64,
    /// Whether it closes when it has read everything; otherwise once the other has.
    closes: bool,
    open: PerSocket<Left>,
}

impl OpeningEnd {
    fn write(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        if let Some(mut left) = self.open.get(id).filter(|left| left.to_write > 0) {
            left.to_write -= socket.write(id, left.to_write);
            self.open.insert(id, left);
        }
    }

    fn read(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        let got = socket.read(id, u64::MAX);
        if let Some(mut left) = self.open.get(id).filter(|left| left.to_read > 0) {
            left.to_read -= got.min(left.to_read);
            self.open.insert(id, left);
            if self.closes && left.to_read == 0 {
                socket.close(id);
            }
        }
    }
}

impl App for OpeningEnd {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        match event {
            AppEvent::Start if self.start < self.stop => socket.wake(self.start, 0),
            AppEvent::Wake(_) => {
                for &(own, peer) in &self.calls {
                    // A call that fails is on record.
                    if let Ok(id) = socket.connect_from(own, peer) {
                        let left = Left {
                            to_write: self.bytes,
                            to_read: self.bytes,
                        };
                        self.open.insert(id, left);
                    }
                }
            }
            AppEvent::Connected(id) | AppEvent::Writable(id, _) => self.write(id, socket),
            AppEvent::Readable(id, _) => self.read(id, socket),
            AppEvent::PeerClosed(id) => socket.close(id),
            AppEvent::Ended(id, _) => {
                self.open.remove(id);
            }
            _ => {}
        }
    }
}
