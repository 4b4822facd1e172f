//! Heartbeats: each client keeps one connection open and sends a small message at a fixed interval; the
//! server sends each back. A connection that ends is opened again at the next interval.
//!
//! What a heartbeat usually sets off when it is not answered is left out.

use std::sync::Arc;

use sim_core::plugin::{Kind, Parameter, ValueKind};
use sim_core::{SimDuration, SimTime};

use super::named::{AnyApplication, Application, Placement};
use super::{App, AppEvent};
use crate::host::{SocketCx, SocketId};
use crate::sample::{RequestDone, TcpSample};

const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "interval",
        kind: ValueKind::Duration,
        default: Some("1 s"),
        doc: "time between two messages",
    },
    Parameter {
        name: "bytes",
        kind: ValueKind::Count,
        default: Some("100"),
        doc: "size of a message",
    },
];

/// Its name and parameters.
pub(super) fn kind() -> Kind<AnyApplication> {
    let doc =
        "a small message at a fixed interval over one connection of each client, and its echo";
    Kind::new("heartbeat", doc, PARAMETERS, |values| {
        let heartbeat = Heartbeat {
            interval: values.duration("interval"),
            bytes: values.count("bytes"),
        };
        if heartbeat.interval.is_zero() || heartbeat.bytes == 0 {
            return Err("`interval` and `bytes` must be greater than zero".to_owned());
        }
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
        Box::new(Client {
            heartbeat: self.clone(),
            place: place.clone(),
            open: None,
        })
    }

    fn server(&self, place: &Placement) -> Box<dyn App> {
        Box::new(Echo {
            ports: place.ports.clone(),
            backlog: place.backlog,
        })
    }
}

/// The connection of a client.
#[derive(Debug)]
struct Open {
    id: SocketId,
    asked: SimTime,
    connected: bool,
    /// Messages sent, and the echo still expected of the last one: bytes, and when it was sent.
    sent: u32,
    echo: Option<(u64, SimTime)>,
}

#[derive(Debug)]
struct Client {
    heartbeat: Heartbeat,
    place: Placement,
    open: Option<Open>,
}

impl Client {
    fn beat(&mut self, socket: &mut SocketCx<'_, '_>) {
        let now = socket.now();
        if now >= self.place.stop {
            if let Some(open) = self.open.take() {
                socket.close(open.id);
            }
            return;
        }
        match &mut self.open {
            // One that waits for an echo, or to be established, is given time.
            Some(open) if !open.connected || open.echo.is_some() => {}
            Some(open) => {
                socket.write(open.id, self.heartbeat.bytes);
                open.sent += 1;
                open.echo = Some((self.heartbeat.bytes, now));
            }
            None => {
                let (local, server) = (self.place.addresses.first(), self.place.servers.get(0));
                let asked = server.map(|server| socket.connect(local.copied(), server));
                self.open = asked.and_then(Result::ok).map(|id| Open {
                    id,
                    asked: now,
                    connected: false,
                    sent: 0,
                    echo: None,
                });
            }
        }
        socket.wake(now + self.heartbeat.interval, 0);
    }

    fn on_readable(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        let got = socket.read(id, u64::MAX);
        let Some(open) = self.open.as_mut().filter(|open| open.id == id) else {
            return;
        };
        let Some((left, sent)) = open.echo else {
            return;
        };
        if got < left {
            open.echo = Some((left - got, sent));
            return;
        }
        open.echo = None;
        let since = if open.sent == 1 { open.asked } else { sent };
        socket.record(TcpSample::Request(RequestDone {
            conn: socket.conn(id).unwrap_or_default(),
            index: open.sent - 1,
            latency: socket.now().since(sent),
            with_connect: socket.now().since(since),
        }));
    }
}

impl App for Client {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        match event {
            AppEvent::Start => socket.wake(self.place.start, 0),
            AppEvent::Wake(_) => self.beat(socket),
            AppEvent::Connected(id) => {
                if let Some(open) = self.open.as_mut().filter(|open| open.id == id) {
                    open.connected = true;
                }
            }
            AppEvent::Readable(id, _) => self.on_readable(id, socket),
            AppEvent::PeerClosed(id) => socket.close(id),
            AppEvent::Ended(id, _) if self.open.as_ref().is_some_and(|open| open.id == id) => {
                self.open = None;
            }
            _ => {}
        }
    }
}

/// Sends back what it reads.
#[derive(Debug)]
struct Echo {
    ports: Vec<u16>,
    backlog: u32,
}

impl App for Echo {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        match event {
            AppEvent::Start => {
                for &port in &self.ports {
                    // A port that is taken leaves it without work there.
                    let _ = socket.listen(port, self.backlog);
                }
            }
            AppEvent::Acceptable(port) => while socket.accept(port).is_some() {},
            AppEvent::Readable(id, _) => {
                let got = socket.read(id, u64::MAX);
                socket.write(id, got);
            }
            AppEvent::PeerClosed(id) => socket.close(id),
            _ => {}
        }
    }
}
