//! A sink: reads everything, at once or at a limited pace, and closes after its peer.

use sim_core::{SimDuration, SimTime};

use super::opening::{Opening, OwnBuffer};
use super::per_socket::{PerSocket, token};
use super::spec::SinkSpec;
use super::{App, AppEvent};
use crate::host::{SocketCx, SocketId};

/// Wake token: time to begin to accept.
const ACCEPT: u64 = 0;
/// Wake token: time to begin to read.
const READ: u64 = 1;
/// Minimum number of bytes per read at a limited pace.
const LEAST_READ: u64 = 1460;
/// Reads per second at a limited pace, unless that makes them too small.
const READS_PER_SEC: u64 = 100;

#[derive(Clone, Copy, Debug)]
struct SinkConnection {
    peer_closed: bool,
    /// A read is scheduled.
    pending: bool,
    /// The reader has woken since data arrived.
    awake: bool,
    /// The earliest time of the next read.
    next_read: SimTime,
}

/// The application described by a [`SinkSpec`].
#[derive(Debug)]
pub struct Sink {
    spec: SinkSpec,
    conns: PerSocket<SinkConnection>,
    accepting: Opening,
    reading: Opening,
    buffer: OwnBuffer,
}

impl Sink {
    /// A sink as described.
    pub fn new(spec: SinkSpec) -> Sink {
        Sink {
            accepting: Opening::new(spec.accept_start, ACCEPT),
            reading: Opening::new(spec.read_start, READ),
            buffer: OwnBuffer::new(spec.receive_buffer),
            conns: PerSocket::default(),
            spec,
        }
    }

    fn accept(&mut self, port: u16, socket: &mut SocketCx<'_, '_>) {
        if !self.accepting.is_open(socket) {
            return;
        }
        while let Some(id) = socket.accept(port) {
            self.buffer.apply(id, socket);
            let conn = SinkConnection {
                peer_closed: false,
                pending: false,
                awake: false,
                next_read: SimTime::ZERO,
            };
            self.conns.insert(id, conn);
        }
    }

    fn read(&mut self, id: SocketId, c: &mut SinkConnection, socket: &mut SocketCx<'_, '_>) {
        if c.pending || self.sleeps(id, c, socket) {
            return;
        }
        let Some(rate) = self.spec.read_rate else {
            socket.read(id, u64::MAX);
            return;
        };
        if rate == 0 {
            return;
        }
        let now = socket.now();
        if now >= c.next_read {
            let got = socket.read(id, (rate / READS_PER_SEC).max(LEAST_READ));
            let ps = u128::from(got) * 1_000_000_000_000 / u128::from(rate);
            let pause = SimDuration::from_ps(u64::try_from(ps).unwrap_or(u64::MAX));
            c.next_read = now.saturating_add(pause);
        }
        if socket.readable(id) > 0 {
            c.pending = true;
            socket.wake(c.next_read, token(id));
        }
    }

    /// Whether the reader is still asleep; if so, its wake-up is scheduled.
    fn sleeps(&self, id: SocketId, c: &mut SinkConnection, socket: &mut SocketCx<'_, '_>) -> bool {
        let delay = self.spec.read_delay;
        if delay.is_zero() || std::mem::take(&mut c.awake) || socket.readable(id) == 0 {
            return false;
        }
        c.pending = true;
        socket.wake(socket.now().saturating_add(delay), token(id));
        true
    }

    fn progress(&mut self, id: SocketId, mut c: SinkConnection, socket: &mut SocketCx<'_, '_>) {
        if !self.reading.is_open(socket) {
            self.conns.insert(id, c);
            return;
        }
        self.read(id, &mut c, socket);
        self.conns.insert(id, c);
        if c.peer_closed && socket.readable(id) == 0 {
            socket.close(id);
        }
    }
}

impl App for Sink {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        match event {
            AppEvent::Start => {
                // If the port is taken, this sink has nothing to do.
                let _ = socket.listen(self.spec.port, self.spec.backlog);
                self.accepting.start(socket);
                self.reading.start(socket);
            }
            AppEvent::Acceptable(port) => self.accept(port, socket),
            AppEvent::Wake(ACCEPT) => self.accept(self.spec.port, socket),
            AppEvent::Wake(READ) => {
                for id in self.conns.ids() {
                    if let Some(c) = self.conns.get(id) {
                        self.progress(id, c, socket);
                    }
                }
            }
            AppEvent::Readable(id, _) => {
                if let Some(c) = self.conns.get(id) {
                    self.progress(id, c, socket);
                }
            }
            AppEvent::Wake(named) => {
                if let Some(id) = self.conns.named(named)
                    && let Some(mut c) = self.conns.get(id)
                {
                    (c.pending, c.awake) = (false, true);
                    self.progress(id, c, socket);
                }
            }
            AppEvent::PeerClosed(id) => {
                if let Some(mut c) = self.conns.get(id) {
                    c.peer_closed = true;
                    self.progress(id, c, socket);
                }
            }
            AppEvent::Ended(id, _) => {
                self.conns.remove(id);
            }
            AppEvent::Connected(_)
            | AppEvent::Writable(..)
            | AppEvent::Urgent(..)
            | AppEvent::SoftError(..)
            | AppEvent::DeliveryTrouble(_) => {}
        }
    }

    fn prepare_for(&self, slot: u32) {
        self.conns.prefetch(slot);
    }

    fn prepare_for_wake(&self, token: u64) -> Option<u32> {
        self.conns.prefetch_named(token)
    }
}
