//! A client: opens connections at the times of its arrivals and makes requests on them.

mod exchange;

use sim_core::{Rng, SimDuration, SimTime};

use super::breaker::Breakers;
use super::client_arrivals::ClientArrivals;
use super::connecting;
use super::deadline::Deadline;
use super::draws::{draw, seconds};
use super::origins::{Origins, record_end, wanted_now};
use super::per_socket::{ConnectionStates, PerSocket};
use super::retrying::{Attempt, Retrying};
use super::spec::{Arrivals, ClientSpec, Distribution};
use super::{App, AppEvent};
use crate::host::{SocketCx, SocketId};
use crate::model::ConnectionEnd;
use crate::sample::{CutShort, Ending, ExchangeResult, RequestUnanswered, TcpSample};
use crate::segment::ConnId;

/// Wake token: the next arrival.
const ARRIVAL: u64 = 0;
/// Wake token: the think time of a closed-loop user is over.
const USER: u64 = 1;
/// Minimum wait of a user who found no port before the next attempt. Without it the user would
/// retry for ever without simulated time advancing.
const RETRY: SimDuration = SimDuration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientPhase {
    /// Not yet established.
    Connecting,
    /// A request is being made.
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
pub(super) struct ClientConnection {
    conn: ConnId,
    /// The request being made.
    index: u32,
    phase: ClientPhase,
    to_write: u64,
    to_read: u64,
    began: SimTime,
    /// When the phase ends.
    deadline: Deadline,
    /// The number of this attempt at its exchange, from 0.
    attempt: u32,
    /// The first request was made before the connection was established.
    early: bool,
}

/// The application described by a [`ClientSpec`].
#[derive(Debug)]
pub struct Client {
    spec: ClientSpec,
    /// Exchanges begun.
    arrivals: ClientArrivals,
    rng: Rng,
    /// Connects of all attempts.
    turn: u64,
    retrying: Retrying,
    conns: PerSocket<ClientConnection>,
    /// Only if the times of exchanges are recorded.
    origins: Option<Box<Origins>>,
    breakers: Option<Box<Breakers>>,
}

impl Client {
    /// Its description.
    pub(crate) fn spec(&self) -> &ClientSpec {
        &self.spec
    }

    /// A client as described.
    pub fn new(spec: ClientSpec) -> Client {
        Client {
            arrivals: ClientArrivals::new(&spec),
            rng: Rng::stream(0, &spec.name, 0),
            turn: 0,
            retrying: Retrying::new(spec.retries),
            conns: PerSocket::default(),
            origins: Origins::new(&spec),
            breakers: Breakers::new(spec.breaker, &spec.remotes),
            spec,
        }
    }

    /// Requests a wake for the next arrival. An exchange that the host missed while it was down has had its turn.
    fn await_arrival(&mut self, socket: &mut SocketCx<'_, '_>) {
        let missed = self
            .arrivals
            .await_next(ARRIVAL, &self.spec, &mut self.rng, socket);
        self.turn += missed;
    }

    /// Begins an exchange.
    fn open(&mut self, socket: &mut SocketCx<'_, '_>) {
        if self.arrivals.admits(socket.now(), &self.spec) {
            self.arrivals.begin();
            self.retrying.begin();
            let wanted = wanted_now(&self.spec, socket);
            self.connect(Attempt { number: 0, wanted }, socket);
        }
    }

    /// Makes an attempt of an exchange.
    fn connect(&mut self, attempt: Attempt, socket: &mut SocketCx<'_, '_>) {
        if socket.now() >= self.spec.stop {
            record_end(attempt.wanted, ExchangeResult::Failed, socket);
            return;
        }
        let turn = match &self.breakers {
            None => self.turn,
            Some(breakers) => {
                let locals = self.spec.locals.len();
                let Some(turn) = breakers.turn(self.turn, locals, socket.now()) else {
                    Breakers::reject(socket);
                    self.failed(attempt, RETRY, socket);
                    return;
                };
                turn
            }
        };
        let exchange = &self.spec.exchange;
        let fast_open = exchange.fast_open && exchange.requests > 0;
        let connect_timeout = exchange.connect_timeout;
        let Some((server, opened)) = connecting::connect(&self.spec, turn, fast_open, socket)
        else {
            return; // no server at all
        };
        self.turn = turn + 1;
        let Ok(id) = opened else {
            self.failed(attempt, RETRY, socket);
            return;
        };
        let mut conn = ClientConnection {
            conn: socket.conn(id).unwrap_or_default(),
            index: 0,
            phase: ClientPhase::Connecting,
            to_write: 0,
            to_read: 0,
            began: socket.now(),
            deadline: Deadline::NONE,
            attempt: attempt.number,
            early: fast_open,
        };
        if let Some(most) = connect_timeout {
            conn.deadline.set_after(most, id, socket);
        }
        self.conns.insert(id, conn);
        if let Some(origins) = &mut self.origins {
            origins.begin(id, attempt.wanted);
        }
        if let Some(breakers) = &mut self.breakers {
            breakers.begin(id, server, socket);
        }
        if fast_open {
            self.with(id, socket, Client::request);
        }
    }

    fn on_connected(
        &mut self,
        id: SocketId,
        c: &mut ClientConnection,
        socket: &mut SocketCx<'_, '_>,
    ) {
        let exchange = &self.spec.exchange;
        if c.early {
            // The time-out of the connect, unless that of the request has replaced it.
            if exchange.request_timeout.is_none() && c.phase == ClientPhase::Exchanging {
                c.deadline.clear();
            }
            return;
        }
        c.deadline.clear();
        if exchange.requests == 0 {
            self.finish(id, c, socket);
        } else {
            self.request(id, c, socket);
        }
    }

    /// Handles a failed attempt: another follows, or a closed-loop user continues after at least
    /// `least`.
    #[cold]
    fn failed(&mut self, attempt: Attempt, least: SimDuration, socket: &mut SocketCx<'_, '_>) {
        if !self.retrying.retry(attempt, &mut self.rng, socket) {
            self.think(least, socket);
        }
    }

    /// Handles the failure of the attempt on a connection.
    #[cold]
    fn failed_on(&mut self, id: SocketId, number: u32, socket: &mut SocketCx<'_, '_>) {
        if let Some(breakers) = &mut self.breakers {
            breakers.end_last(id, false, socket);
        }
        let origin = self.origins.as_mut().and_then(|origins| origins.take(id));
        let wanted = origin.unwrap_or(SimTime::MAX);
        self.failed(Attempt { number, wanted }, SimDuration::ZERO, socket);
    }

    /// Handles the end of a connection between two requests, if more were to be made: its exchange has failed.
    fn end_unfinished(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        if self.breakers.is_some() || self.origins.is_some() {
            self.end_noted(id, socket);
        }
    }

    #[inline(never)]
    fn end_noted(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        if let Some(breakers) = &mut self.breakers {
            breakers.end_last(id, false, socket);
        }
        let origin = self.origins.as_mut().and_then(|origins| origins.take(id));
        if let Some(wanted) = origin {
            record_end(wanted, ExchangeResult::Failed, socket);
        }
    }

    /// Gives up a connect or a request: closes the connection and drops its state.
    #[cold]
    fn give_up(&mut self, id: SocketId, c: &ClientConnection, socket: &mut SocketCx<'_, '_>) {
        Client::record_unanswered(c, Ending::GivenUp, socket);
        self.conns.remove(id);
        socket.close(id);
        self.failed_on(id, c.attempt, socket);
    }

    /// In a closed loop, the user thinks and then opens the next connection.
    fn think(&mut self, least: SimDuration, socket: &mut SocketCx<'_, '_>) {
        if let Arrivals::Closed { think, .. } = self.spec.arrivals {
            self.think_about(think, least, socket);
        }
    }

    #[inline(never)]
    fn think_about(
        &mut self,
        think: Distribution,
        least: SimDuration,
        socket: &mut SocketCx<'_, '_>,
    ) {
        let think = seconds(draw(think, &mut self.rng)).max(least);
        socket.wake(socket.now().saturating_add(think), USER);
    }

    #[cold]
    fn start(&mut self, socket: &mut SocketCx<'_, '_>) {
        self.rng = socket.rng(&self.spec.name);
        if let Arrivals::Closed { .. } = self.spec.arrivals {
            // After a reboot, users start over.
            let start = self.spec.start.max(socket.now());
            self.arrivals.start_over(&self.spec, start);
        }
        self.await_arrival(socket);
    }

    /// Handles a wake for a connection.
    #[inline(never)]
    fn on_due(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        let Some(mut c) = self.conns.get(id) else {
            return;
        };
        if c.deadline.has_come(id, socket) {
            match c.phase {
                ClientPhase::Connecting | ClientPhase::Exchanging => {
                    self.give_up(id, &c, socket);
                    return;
                }
                ClientPhase::Thinking => self.request(id, &mut c, socket),
                ClientPhase::Closing | ClientPhase::Lingering => self.close(id, &mut c, socket),
                ClientPhase::Waiting | ClientPhase::Done => {}
            }
        }
        self.conns.insert(id, c);
    }

    /// Handles the end of a connection, and with it of an exchange or a failed attempt.
    fn on_ended(&mut self, id: SocketId, end: ConnectionEnd, socket: &mut SocketCx<'_, '_>) {
        let Some(c) = self.conns.remove(id) else {
            return;
        };
        Client::record_unanswered(&c, Ending::Connection(end), socket);
        self.record_cut_short(&c, socket);
        let open = matches!(c.phase, ClientPhase::Connecting | ClientPhase::Thinking);
        if open || c.to_write > 0 || c.to_read > 0 {
            self.failed_on(id, c.attempt, socket);
        } else {
            self.end_unfinished(id, socket);
            self.think(SimDuration::ZERO, socket);
        }
    }

    /// Records the outstanding request, if there is one, as unanswered.
    fn record_unanswered(c: &ClientConnection, ending: Ending, socket: &mut SocketCx<'_, '_>) {
        if c.to_write > 0 || c.to_read > 0 {
            c.record_as_unanswered(ending, socket);
        }
    }

    /// Records a connection that ended between two requests.
    fn record_cut_short(&self, c: &ClientConnection, socket: &mut SocketCx<'_, '_>) {
        let left = self.spec.exchange.requests.saturating_sub(c.index);
        let between = c.index > 0 && c.to_write == 0 && c.to_read == 0;
        if between && left > 0 {
            c.record_as_cut_short(left, socket);
        }
    }
}

impl ClientConnection {
    #[cold]
    fn record_as_unanswered(&self, ending: Ending, socket: &mut SocketCx<'_, '_>) {
        socket.record(TcpSample::Unanswered(RequestUnanswered {
            conn: self.conn,
            index: self.index,
            waited: socket.now().since(self.began),
            ending,
        }));
    }

    #[cold]
    fn record_as_cut_short(&self, left: u32, socket: &mut SocketCx<'_, '_>) {
        let conn = self.conn;
        socket.record(TcpSample::CutShort(CutShort { conn, left }));
    }

    /// Begins a phase that ends after `time`.
    fn wait(
        &mut self,
        phase: ClientPhase,
        time: SimDuration,
        id: SocketId,
        socket: &mut SocketCx<'_, '_>,
    ) {
        self.phase = phase;
        self.deadline.set_after(time, id, socket);
    }
}

impl ConnectionStates for Client {
    type State = ClientConnection;

    fn connections(&mut self) -> &mut PerSocket<ClientConnection> {
        &mut self.conns
    }
}

impl App for Client {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        match event {
            AppEvent::Start => self.start(socket),
            AppEvent::Wake(ARRIVAL) => {
                self.open(socket);
                self.await_arrival(socket);
            }
            AppEvent::Wake(USER) => self.open(socket),
            AppEvent::Wake(token) => {
                if let Some(attempt) = self.retrying.due(token) {
                    self.connect(attempt, socket);
                } else if let Some(id) = self.conns.named(token) {
                    self.on_due(id, socket);
                }
            }
            AppEvent::Connected(id) => self.with(id, socket, Client::on_connected),
            AppEvent::Readable(id, _) => self.with(id, socket, Client::on_readable),
            AppEvent::Writable(id, _) => self.with(id, socket, Client::on_writable),
            AppEvent::PeerClosed(id) => self.with(id, socket, Client::on_peer_closed),
            AppEvent::Ended(id, end) => self.on_ended(id, end, socket),
            AppEvent::Acceptable(_)
            | AppEvent::Urgent(..)
            | AppEvent::SoftError(..)
            | AppEvent::DeliveryTrouble(_) => {}
        }
    }

    fn on_cut_off(&mut self, by: Ending, socket: &mut SocketCx<'_, '_>) {
        for c in self.conns.iter() {
            Client::record_unanswered(c, by, socket);
        }
        self.retrying.on_cut_off(socket);
        if let Some(origins) = &self.origins {
            origins.on_cut_off(socket);
        }
    }

    fn prepare_for(&self, slot: u32) {
        self.conns.prefetch(slot);
    }

    fn prepare_for_wake(&self, token: u64) -> Option<u32> {
        self.conns.prefetch_named(token)
    }
}
