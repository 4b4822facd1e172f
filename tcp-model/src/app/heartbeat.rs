//! Heartbeats: each client keeps one connection open and sends a small message at a fixed interval; the
//! server sends each back. While an echo is outstanding no further message is sent. A connection that
//! ends is opened again at the next interval.
//!
//! Leaves out what systems usually do when a heartbeat is not answered, such as failing over.

use std::sync::Arc;

use sim_core::plugin::{ModelKind, ModelParameter, ValueKind};
use sim_core::{SimDuration, SimTime};

use super::named::{AnyApplication, Application, OfferedLoad, Placement};
use super::per_socket::PerSocket;
use super::{App, AppEvent};
use crate::host::{SocketCx, SocketId};
use crate::sample::{Ending, RequestDone, RequestUnanswered, TcpSample};
use crate::segment::ConnId;

const PARAMETERS: &[ModelParameter] = &[
    ModelParameter {
        name: "interval",
        kind: ValueKind::Duration,
        default: Some("1 s"),
        doc: "time between two messages",
    },
    ModelParameter {
        name: "bytes",
        kind: ValueKind::Count,
        default: Some("100"),
        doc: "size of a message",
    },
];

/// Its name and parameters.
pub(super) fn kind() -> ModelKind<AnyApplication> {
    let doc =
        "a small message at a fixed interval over one connection of each client, and its echo";
    ModelKind::new("heartbeat", doc, PARAMETERS, |values| {
        let heartbeat = Heartbeat {
            interval: values.duration("interval"),
            bytes: values.count("bytes"),
        };
        values.positive(&["interval"], "write for example 1 s")?;
        values.positive(&["bytes"], "write for example 100")?;
        Ok(Arc::new(move || {
            Box::new(heartbeat.clone()) as AnyApplication
        }))
    })
}

#[derive(Clone, Debug)]
struct Heartbeat {
    interval: SimDuration,
    bytes: u64,
}

impl Application for Heartbeat {
    fn client(&self, place: &Placement) -> Box<dyn App> {
        Box::new(HeartbeatClient {
            heartbeat: self.clone(),
            place: place.clone(),
            open: None,
        })
    }

    fn server(&self, place: &Placement) -> Box<dyn App> {
        Box::new(HeartbeatEcho {
            ports: place.ports.clone(),
            backlog: place.backlog,
            owed: PerSocket::default(),
        })
    }

    /// A message and its echo in each interval; the echo is acknowledged by itself, the message by the echo.
    fn expected(&self, mss: u32) -> Option<OfferedLoad> {
        let per_second = 1.0 / self.interval.as_secs_f64();
        let segments = self.bytes.div_ceil(u64::from(mss.max(1))) as f64;
        let bytes = per_second * self.bytes as f64;
        Some(OfferedLoad {
            segments: (per_second * (segments + 1.0), per_second * segments),
            bytes: (bytes, bytes),
            events: per_second,
        })
    }
}

/// The connection of a client.
#[derive(Debug)]
struct Open {
    id: SocketId,
    conn: ConnId,
    asked: SimTime,
    connected: bool,
    /// Messages begun.
    sent: u32,
    /// The last message: bytes not yet written, bytes of its echo not yet read, and when it was sent.
    to_write: u64,
    to_read: u64,
    began: SimTime,
}

#[derive(Debug)]
struct HeartbeatClient {
    heartbeat: Heartbeat,
    place: Placement,
    open: Option<Open>,
}

impl HeartbeatClient {
    fn beat(&mut self, socket: &mut SocketCx<'_, '_>) {
        let now = socket.now();
        if now >= self.place.stop {
            if let Some(open) = &self.open {
                socket.close(open.id);
            }
            return;
        }
        match &mut self.open {
            // A connection that waits for an echo, or to be established, keeps waiting.
            Some(open) if !open.connected || open.to_read > 0 => {}
            Some(open) => {
                open.sent += 1;
                open.began = now;
                (open.to_write, open.to_read) = (self.heartbeat.bytes, self.heartbeat.bytes);
                open.to_write -= socket.write(open.id, open.to_write);
            }
            None => self.open = self.connect(socket),
        }
        socket.wake(now + self.heartbeat.interval, 0);
    }

    /// Opens a connection. If no port is free, the failed attempt is on record and the client waits.
    fn connect(&self, socket: &mut SocketCx<'_, '_>) -> Option<Open> {
        let local = self.place.addresses.first().copied();
        let id = socket.connect(local, self.place.servers.get(0)?).ok()?;
        Some(Open {
            id,
            conn: socket.conn(id).unwrap_or_default(),
            asked: socket.now(),
            connected: false,
            sent: 0,
            to_write: 0,
            to_read: 0,
            began: socket.now(),
        })
    }

    fn read(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        let got = socket.read(id, u64::MAX);
        let bytes = self.heartbeat.bytes;
        let Some(open) = self.own(id).filter(|open| open.to_read > 0) else {
            return;
        };
        open.to_read -= got.min(open.to_read);
        if open.to_read > 0 {
            return;
        }
        let first = open.sent == 1;
        let since = if first { open.asked } else { open.began };
        let done = RequestDone {
            conn: open.conn,
            index: open.sent - 1,
            latency: socket.now().since(open.began),
            with_connect: socket.now().since(since),
            opens: false,
            sent: bytes,
            received: bytes,
            server: socket.ends(id).map(|(_, remote)| *remote.ip()),
        };
        socket.record(TcpSample::Request(done));
    }

    fn own(&mut self, id: SocketId) -> Option<&mut Open> {
        self.open.as_mut().filter(|open| open.id == id)
    }

    /// Handles the end of the connection: records a message whose echo did not arrive.
    fn end(&mut self, ending: Ending, socket: &mut SocketCx<'_, '_>) {
        if let Some(open) = self.open.take().filter(|open| open.to_read > 0) {
            socket.record(TcpSample::Unanswered(RequestUnanswered {
                conn: open.conn,
                index: open.sent - 1,
                waited: socket.now().since(open.began),
                ending,
            }));
        }
    }
}

impl App for HeartbeatClient {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        match event {
            AppEvent::Start => socket.wake(self.place.start, 0),
            AppEvent::Wake(_) => self.beat(socket),
            AppEvent::Connected(id) => {
                if let Some(open) = self.own(id) {
                    open.connected = true;
                }
            }
            AppEvent::Writable(id, _) => {
                if let Some(open) = self.own(id) {
                    open.to_write -= socket.write(id, open.to_write);
                }
            }
            AppEvent::Readable(id, _) => self.read(id, socket),
            AppEvent::PeerClosed(id) => socket.close(id),
            AppEvent::Ended(id, end) if self.own(id).is_some() => {
                self.end(Ending::Connection(end), socket);
            }
            _ => {}
        }
    }

    fn on_cut_off(&mut self, by: Ending, socket: &mut SocketCx<'_, '_>) {
        self.end(by, socket);
    }
}

/// Sends back what it reads.
#[derive(Debug)]
struct HeartbeatEcho {
    ports: Vec<u16>,
    backlog: u32,
    /// Bytes read and not yet sent back.
    owed: PerSocket<u64>,
}

impl HeartbeatEcho {
    fn answer(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        let owed = self.owed.get(id).unwrap_or(0) + socket.read(id, u64::MAX);
        let written = if owed > 0 { socket.write(id, owed) } else { 0 };
        self.owed.insert(id, owed - written);
    }
}

impl App for HeartbeatEcho {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        match event {
            AppEvent::Start => {
                for &port in &self.ports {
                    // If the port is taken, the server has nothing to do there.
                    let _ = socket.listen(port, self.backlog);
                }
            }
            AppEvent::Acceptable(port) => {
                while let Some(id) = socket.accept(port) {
                    self.answer(id, socket); // data that arrived before it was accepted
                }
            }
            AppEvent::Readable(id, _) | AppEvent::Writable(id, _) => self.answer(id, socket),
            AppEvent::PeerClosed(id) => socket.close(id),
            AppEvent::Ended(id, _) => {
                self.owed.remove(id);
            }
            _ => {}
        }
    }
}
