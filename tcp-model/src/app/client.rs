//! A client: opens connections by its arrivals and makes requests on them.

use sim_core::{Rng, SimDuration, SimTime};

use super::arrivals::ArrivalClock;
use super::draws::{Key, What, draw, seconds};
use super::per_socket::{CONNECTION, PerSocket, token};
use super::spec::{Arrivals, ClientSpec, CloseHow, Closer};
use super::{App, AppEvent};
use crate::host::{ConnectOptions, SocketCx, SocketId};
use crate::sample::{Ending, RequestDone, RequestUnanswered, TcpSample};
use crate::segment::ConnId;

/// Wake token: the next arrival.
const ARRIVAL: u64 = 0;
/// Wake token: a user of the closed loop has thought.
const USER: u64 = 1;
/// A user who found no port waits at least this long before trying again; without the wait it would retry for ever
/// without simulated time advancing.
const RETRY: SimDuration = SimDuration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Not yet established, or a request is being made.
    Exchanging,
    /// Until the next request.
    Thinking,
    /// Until the client's close.
    Closing,
    /// The server closes first.
    Waiting,
    /// The server has closed, until the client's close.
    Lingering,
    /// Closed.
    Done,
}

/// A connection of the client.
#[derive(Clone, Copy, Debug)]
struct Conn {
    conn: ConnId,
    /// The request being made.
    index: u32,
    phase: Phase,
    to_write: u64,
    to_read: u64,
    began: SimTime,
    /// When the phase ends, where a wake was asked for.
    due: SimTime,
    /// The first request was made before the connection was established.
    early: bool,
}

/// The application made of a [`ClientSpec`].
#[derive(Debug)]
pub struct Client {
    spec: ClientSpec,
    clock: ArrivalClock,
    rng: Rng,
    opened: u64,
    conns: PerSocket<Conn>,
}

impl Client {
    /// A client as described.
    pub fn new(spec: ClientSpec) -> Client {
        Client {
            clock: ArrivalClock::new(spec.arrivals.clone(), spec.start),
            rng: Rng::stream(0, &spec.name, 0),
            opened: 0,
            conns: PerSocket::default(),
            spec,
        }
    }

    fn may_open(&self, at: SimTime) -> bool {
        at < self.spec.stop && self.spec.limit.is_none_or(|limit| self.opened < limit)
    }

    /// Asks to be woken for the next arrival.
    fn await_arrival(&mut self, socket: &mut SocketCx<'_, '_>) {
        while let Some(at) = self.clock.next(&mut self.rng)
            && self.may_open(at)
        {
            if at >= socket.now() {
                socket.wake(at, ARRIVAL);
                return;
            }
            // The host was down then.
            self.opened += 1;
        }
    }

    fn open(&mut self, socket: &mut SocketCx<'_, '_>) {
        if !self.may_open(socket.now()) {
            return;
        }
        let turn = self.opened;
        let (local, remote) = pair(turn, self.spec.locals.len(), self.spec.remotes.len());
        let local = self.spec.locals.get(local).copied();
        let Some(remote) = self.spec.remotes.get(remote) else {
            return; // no server at all
        };
        self.opened += 1;
        let fast_open = self.spec.exchange.fast_open;
        let options = ConnectOptions {
            local,
            fast_open,
            ..ConnectOptions::default()
        };
        let Ok(id) = socket.connect_with(remote, options) else {
            self.think(RETRY, socket);
            return;
        };
        let conn = Conn {
            conn: socket.conn(id).unwrap_or_default(),
            index: 0,
            phase: Phase::Exchanging,
            to_write: 0,
            to_read: 0,
            began: socket.now(),
            due: SimTime::MAX,
            early: fast_open,
        };
        self.conns.insert(id, conn);
        if fast_open {
            self.with(id, socket, Client::request);
        }
    }

    fn on_connected(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        if !c.early {
            self.request(id, c, socket);
        }
    }

    /// In a closed loop, the user thinks and then opens the next connection.
    fn think(&mut self, least: SimDuration, socket: &mut SocketCx<'_, '_>) {
        if let Arrivals::Closed { think, .. } = self.spec.arrivals {
            let think = seconds(draw(think, &mut self.rng)).max(least);
            socket.wake(socket.now().saturating_add(think), USER);
        }
    }

    fn key(&self, c: &Conn, socket: &SocketCx<'_, '_>) -> Key {
        Key {
            seed: socket.seed(),
            conn: c.conn,
            index: c.index,
        }
    }

    /// Makes requests as long as none has to be waited for.
    fn request(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        loop {
            let key = self.key(c, socket);
            let exchange = &self.spec.exchange;
            c.phase = Phase::Exchanging;
            c.began = socket.now();
            c.to_write = key.bytes(What::Request, exchange.request).max(1);
            c.to_read = key.bytes(What::Response, exchange.response);
            self.write(id, c, socket);
            if c.to_write > 0 || c.to_read > 0 || !self.request_done(id, c, socket) {
                return;
            }
        }
    }

    fn write(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        if c.to_write == 0 {
            return;
        }
        c.to_write -= socket.write(id, c.to_write);
        let last = c.index + 1 >= self.spec.exchange.requests;
        if c.to_write == 0 && last && self.spec.exchange.how == CloseHow::Half {
            socket.shutdown(id);
        }
    }

    /// A request has its whole response. True when the next one follows at once.
    fn request_done(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) -> bool {
        let first = if c.index == 0 {
            socket.opened(id)
        } else {
            None
        };
        let with_connect = socket.now().since(first.unwrap_or(c.began));
        socket.record(TcpSample::Request(RequestDone {
            conn: c.conn,
            index: c.index,
            latency: socket.now().since(c.began),
            with_connect,
        }));
        let think = self
            .key(c, socket)
            .time(What::Think, self.spec.exchange.think);
        c.index += 1;
        if c.index >= self.spec.exchange.requests {
            self.finish(id, c, socket);
            return false;
        }
        if think.is_zero() {
            return true;
        }
        wait(id, c, Phase::Thinking, think, socket);
        false
    }

    /// The last response is there.
    fn finish(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        let exchange = &self.spec.exchange;
        if exchange.how == CloseHow::Half || exchange.closer == Closer::Server {
            c.phase = Phase::Waiting;
        } else if exchange.close_after.is_zero() {
            self.close(id, c, socket);
        } else {
            wait(id, c, Phase::Closing, exchange.close_after, socket);
        }
    }

    fn close(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        let first = c.phase != Phase::Lingering && self.spec.exchange.closer != Closer::Server;
        c.phase = Phase::Done;
        if first && self.spec.exchange.how == CloseHow::Rst {
            socket.abort(id);
        } else {
            socket.close(id);
        }
    }

    fn on_readable(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        let got = socket.read(id, u64::MAX);
        let waiting = c.phase == Phase::Exchanging && c.to_read > 0;
        c.to_read = c.to_read.saturating_sub(got);
        if waiting && c.to_read == 0 && c.to_write == 0 && self.request_done(id, c, socket) {
            self.request(id, c, socket);
        }
    }

    fn on_writable(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        let waiting = c.phase == Phase::Exchanging && c.to_write > 0;
        self.write(id, c, socket);
        let done = waiting && c.to_write == 0 && c.to_read == 0;
        if done && self.request_done(id, c, socket) {
            self.request(id, c, socket);
        }
    }

    /// The server has closed: in its turn, or too early; either way the client closes too.
    fn on_peer_closed(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        if matches!(c.phase, Phase::Closing | Phase::Lingering | Phase::Done) {
            return;
        }
        let exchange = &self.spec.exchange;
        if exchange.how == CloseHow::Half || exchange.linger.is_zero() {
            c.phase = Phase::Lingering;
            self.close(id, c, socket);
        } else {
            wait(id, c, Phase::Lingering, exchange.linger, socket);
        }
    }

    fn on_due(&mut self, id: SocketId, c: &mut Conn, socket: &mut SocketCx<'_, '_>) {
        if c.due != socket.now() {
            return;
        }
        c.due = SimTime::MAX;
        match c.phase {
            Phase::Thinking => self.request(id, c, socket),
            Phase::Closing | Phase::Lingering => self.close(id, c, socket),
            Phase::Exchanging | Phase::Waiting | Phase::Done => {}
        }
    }

    /// Records the request that is being made, if there is one.
    fn record_unanswered(c: &Conn, ending: Ending, socket: &mut SocketCx<'_, '_>) {
        if c.to_write > 0 || c.to_read > 0 {
            socket.record(TcpSample::Unanswered(RequestUnanswered {
                conn: c.conn,
                index: c.index,
                waited: socket.now().since(c.began),
                ending,
            }));
        }
    }

    /// Lets `act` change the state of a connection.
    fn with(
        &mut self,
        id: SocketId,
        socket: &mut SocketCx<'_, '_>,
        act: impl FnOnce(&mut Client, SocketId, &mut Conn, &mut SocketCx<'_, '_>),
    ) {
        if let Some(mut c) = self.conns.get(id) {
            act(self, id, &mut c, socket);
            self.conns.insert(id, c);
        }
    }
}

/// Places of own address and server at a turn: every pair comes once before any comes again, own
/// addresses fastest. Both counted in step would miss most pairs, and with them their ports.
fn pair(turn: u64, locals: usize, remotes: usize) -> (usize, usize) {
    let (locals, remotes) = (locals.max(1) as u64, remotes.max(1) as u64);
    let (local, remote) = (turn % locals, turn / locals % remotes);
    (local as usize, remote as usize)
}

fn wait(
    id: SocketId,
    c: &mut Conn,
    phase: Phase,
    time: SimDuration,
    socket: &mut SocketCx<'_, '_>,
) {
    c.phase = phase;
    c.due = socket.now().saturating_add(time);
    socket.wake(c.due, token(id));
}

impl App for Client {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        match event {
            AppEvent::Start => {
                self.rng = socket.rng(&self.spec.name);
                if let Arrivals::Closed { .. } = self.spec.arrivals {
                    // After a boot, users begin again.
                    let start = self.spec.start.max(socket.now());
                    self.clock = ArrivalClock::new(self.spec.arrivals.clone(), start);
                }
                self.await_arrival(socket);
            }
            AppEvent::Wake(ARRIVAL) => {
                self.open(socket);
                self.await_arrival(socket);
            }
            AppEvent::Wake(USER) => self.open(socket),
            AppEvent::Wake(named) if named & CONNECTION != 0 => {
                if let Some(id) = self.conns.named(named) {
                    self.with(id, socket, Client::on_due);
                }
            }
            AppEvent::Connected(id) => self.with(id, socket, Client::on_connected),
            AppEvent::Readable(id, _) => self.with(id, socket, Client::on_readable),
            AppEvent::Writable(id, _) => self.with(id, socket, Client::on_writable),
            AppEvent::PeerClosed(id) => self.with(id, socket, Client::on_peer_closed),
            AppEvent::Ended(id, end) => {
                if let Some(c) = self.conns.remove(id) {
                    Client::record_unanswered(&c, Ending::Connection(end), socket);
                    self.think(SimDuration::ZERO, socket);
                }
            }
            AppEvent::Wake(_)
            | AppEvent::Acceptable(_)
            | AppEvent::Urgent(..)
            | AppEvent::SoftError(..)
            | AppEvent::DeliveryTrouble(_) => {}
        }
    }

    fn on_cut_off(&mut self, by: Ending, socket: &mut SocketCx<'_, '_>) {
        for c in self.conns.iter() {
            Client::record_unanswered(c, by, socket);
        }
    }

    fn prepare_for(&self, slot: u32) {
        self.conns.prefetch(slot);
    }

    fn prepare_for_wake(&self, token: u64) -> Option<u32> {
        self.conns.prefetch_named(token)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::pair;

    #[test]
    fn every_pair_of_addresses_has_its_turn_before_any_has_two() {
        for (locals, remotes) in [(1, 1), (2, 2), (2, 4), (3, 2), (1, 5), (5, 1), (0, 3)] {
            let all = locals.max(1) * remotes;
            for round in 0..3 {
                let turns = round * all as u64..(round + 1) * all as u64;
                let pairs: BTreeSet<_> = turns.map(|t| pair(t, locals, remotes)).collect();
                assert_eq!(pairs.len(), all, "{locals} x {remotes}");
            }
        }
    }
}
