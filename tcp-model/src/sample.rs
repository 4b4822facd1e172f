//! The records of a TCP host.

mod proxy;

use std::net::{Ipv4Addr, SocketAddrV4};

use sim_core::{LossCause, SimDuration, SimTime};

pub use self::proxy::{BreakerChange, ProxyResult, ProxySample, TryFailure, UpstreamSample};
pub use crate::connection_counts::ConnectionCounts;
use crate::diagnostics::{CeReceived, SenderState, UndoCounts};
use crate::model::ConnectionEnd;
use crate::resend_rule::RetransmitReason;
use crate::segment::{ConnId, Segment};
use crate::state::State;

/// Which end of a connection. In a simultaneous open both are active, each with its own identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Opened by a call of its application.
    Active,
    /// Opened by a listener.
    Passive,
}

/// One observation of a host.
#[derive(Clone, Debug, PartialEq)]
pub enum TcpSample {
    /// An end point changed state. A listener moves from CLOSED to LISTEN; the end point it makes for a SYN
    /// starts with LISTEN to SYN-RECEIVED, the listener staying in LISTEN. Only the listener, with its own
    /// identity, is in LISTEN: an end point that gives up moves to CLOSED, and a change from LISTEN with
    /// the same connection number is the first of another end point, created for the retransmitted SYN.
    State(StateChange),
    /// An application called connect.
    Connect(ConnectAttempt),
    /// A connect succeeded or failed.
    Outcome(ConnectOutcome),
    /// An application finished a request and its response.
    Request(RequestDone),
    /// A request will not get a complete response.
    Unanswered(RequestUnanswered),
    /// Requests were waiting for a pooled connection when the run ended or their host went down.
    Waiting(RequestsWaiting),
    /// An event in a client's connection pool.
    Pool(PoolSample),
    /// A client with retries had a failed attempt, or ended.
    Retry(RetrySample),
    /// An exchange of a client ended, with all its attempts.
    Exchange(ExchangeEnd),
    /// An event of a proxy.
    Proxy(ProxySample),
    /// What a client or a proxy found out about a server.
    Upstream(UpstreamSample),
    /// The number of connections for which a middlebox now has entries.
    Tracked(u32),
    /// A connection ended between two requests, before its client had made all of them.
    CutShort(CutShort),
    /// A bulk flow ended.
    Flow(FlowEnd),
    /// An end point left the connection table: it closed or became a TIME-WAIT entry; or the run ended
    /// while it was open.
    Ended(Box<EndpointSummary>),
    /// A recorded connection's segment was sent, arrived, or was lost.
    Segment(Box<SegmentTrace>),
    /// The sender's variables of a recorded connection, after they changed.
    Sender(Box<SenderSample>),
}

/// An end point's change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// The connection.
    pub conn: ConnId,
    /// Which end.
    pub side: Side,
    /// Before.
    pub from: State,
    /// After.
    pub to: State,
}

impl StateChange {
    /// The state in which there is now one socket less: none ([`State::Closed`]) if a listener made this end
    /// point for a SYN, since the listener itself stays in LISTEN.
    pub fn leaves(&self) -> State {
        match (self.from, self.to) {
            (State::Listen, to) if to != State::Closed => State::Closed,
            (from, _) => from,
        }
    }
}

/// An application's call of connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectAttempt {
    /// Identity of the connection to be.
    pub conn: ConnId,
    /// Local port, or none: EADDRNOTAVAIL.
    pub local_port: Option<u16>,
    /// Ports tried until one was free: the cost of the search.
    pub probes: u32,
}

/// How an active open ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpenResult {
    /// Established.
    Established,
    /// No local port was free (EADDRNOTAVAIL).
    AddrNotAvailable,
    /// Answered by RST (ECONNREFUSED).
    Refused,
    /// No answer until R2 (ETIMEDOUT).
    TimedOut,
    /// Given up by the application, or the network reported the peer unreachable.
    Aborted,
}

/// The end of an active open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectOutcome {
    /// The connection.
    pub conn: ConnId,
    /// Its outcome.
    pub result: OpenResult,
    /// Time since the call.
    pub latency: SimDuration,
}

/// A request with its complete response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestDone {
    /// The connection that carried it.
    pub conn: ConnId,
    /// Its index on the connection, from 0.
    pub index: u32,
    /// From the first request byte written to the last response byte read.
    pub latency: SimDuration,
    /// For the first request of a connection, from the call of connect to the last response byte read; for
    /// later ones the same as `latency`. With a pool, from the arrival of the request.
    pub with_connect: SimDuration,
    /// Whether `with_connect` begins with the call of connect of this very connection.
    pub opens: bool,
    /// Bytes of the request.
    pub sent: u64,
    /// Bytes of the response; zero for a request that is only written.
    pub received: u64,
    /// The address it was sent to.
    pub server: Option<Ipv4Addr>,
}

impl RequestDone {
    /// Whether it was answered: a request for a response of zero bytes is only written.
    pub fn is_answered(&self) -> bool {
        self.received > 0
    }
}

/// What ended an activity of an application on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// Its connection ended.
    Connection(ConnectionEnd),
    /// The application gave up waiting.
    GivenUp,
    /// Its host went down.
    Crash,
    /// The run ended.
    RunEnd,
}

/// A request whose complete response had not arrived when its connection or the run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestUnanswered {
    /// The connection that carried it.
    pub conn: ConnId,
    /// Its index on the connection, from 0.
    pub index: u32,
    /// How long the application had waited.
    pub waited: SimDuration,
    /// What ended the wait.
    pub ending: Ending,
}

/// Requests that never got a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestsWaiting {
    /// How many.
    pub requests: u64,
    /// How long the first of them had waited.
    pub longest: SimDuration,
    /// What ended the wait: the run, or a crash.
    pub ending: Ending,
}

/// An event in a client's connection pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolSample {
    /// Its levels have changed by these amounts.
    Changed(PoolLevels),
    /// It opens a connection.
    Opened,
    /// A request is sent on one of its connections.
    Sent {
        /// Time since the request arrived, or its attempt began.
        waited: SimDuration,
        /// The connection had carried a request before.
        reused: bool,
    },
    /// It closes or loses a connection.
    Closed(PoolClose),
    /// A request sent on a kept connection met the server's close: no byte of its response arrived before
    /// the connection was closed or reset.
    Raced,
}

/// The levels of a pool, or their change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolLevels {
    /// Connections, including those being opened.
    pub open: i32,
    /// Connections among these that no request uses.
    pub idle: i32,
    /// Requests waiting for a connection that is not being opened for them.
    pub waiting: i32,
}

/// Why a connection leaves its pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PoolClose {
    /// It was idle for too long.
    Idle,
    /// It was too old.
    Lifetime,
    /// It had carried its maximum number of requests.
    Requests,
    /// Too many were idle.
    Surplus,
    /// Its server closed it, in order or by a reset, or it could not be opened.
    Peer,
    /// The client gave up the connect or the request.
    GivenUp,
    /// The circuit breaker of its server was open.
    Breaker,
}

/// An event of a client with retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetrySample {
    /// An attempt has failed.
    Failed {
        /// Which attempt of its exchange, from 0.
        attempt: u32,
        /// What follows.
        then: AfterFailure,
    },
    /// The run ended, or the client's host went down, after the client had begun this many exchanges.
    Begun(u64),
}

/// The end of an exchange, with all its attempts; recorded on request
/// ([`crate::spec::ClientSpec::exchange_times`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExchangeEnd {
    /// Since its arrival; from a pool, since that of the request.
    pub took: SimDuration,
    /// How it ended.
    pub result: ExchangeResult,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExchangeResult {
    /// With its last response.
    Done,
    /// It failed, and is not attempted again.
    Failed,
    /// It did not: the run ended, or its host went down.
    Pending,
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AfterFailure {
    /// Another attempt, after this wait.
    Again(SimDuration),
    /// Nothing: it was the last attempt allowed.
    LastAttempt,
    /// Nothing: the budget of further attempts is used up.
    NoBudget,
}

/// A connection that ended before its client had made all requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutShort {
    /// The connection.
    pub conn: ConnId,
    /// Number of requests not made.
    pub left: u32,
}

/// The end of a bulk flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowEnd {
    /// The connection that carried it.
    pub conn: ConnId,
    /// Since the call of connect.
    pub took: SimDuration,
    /// How it ended: with its connection in order and all bytes acknowledged, or not.
    pub ending: Ending,
    /// The number of bytes it had to send; without one, only its connection or the run ends it.
    pub bytes: Option<u64>,
    /// The address of the sink.
    pub server: Ipv4Addr,
}

/// Why an end point ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// Both sides closed; the connection finished in order.
    Closed,
    /// The peer sent RST to a SYN.
    Refused,
    /// The peer sent RST.
    Reset,
    /// This side aborted with RST.
    Aborted,
    /// The network reported a permanent error.
    Unreachable,
    /// Retransmissions or keep-alive probes ran out of time.
    TimedOut,
    /// The application had closed, and the peer's FIN did not come in time (Linux `tcp_fin_timeout`).
    FinWaitExpired,
    /// Its host crashed, and lost it without a segment.
    Crashed,
    /// It got no TIME-WAIT entry because the table was full.
    TimeWaitOverflow,
    /// It did not end: the run did.
    StillOpen,
}

/// The summary of an end point.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointSummary {
    /// The connection.
    pub conn: ConnId,
    /// Which end.
    pub side: Side,
    /// Local address and port.
    pub local: SocketAddrV4,
    /// Remote address and port.
    pub remote: SocketAddrV4,
    /// When it was opened: the call, or the SYN's arrival.
    pub opened: SimTime,
    /// When it became ESTABLISHED.
    pub established: Option<SimTime>,
    /// When the application closed or aborted.
    pub app_closed: Option<SimTime>,
    /// When it ended: reached CLOSED or TIME-WAIT.
    pub ended: SimTime,
    /// Why.
    pub reason: EndReason,
    /// It sent its FIN before receiving one: the side that enters TIME-WAIT.
    pub closed_first: bool,
    /// It went into TIME-WAIT.
    pub time_wait: bool,
    /// The connection's counters.
    pub counts: ConnectionCounts,
    /// Spurious window reductions that were undone.
    pub undone: UndoCounts,
    /// Segments that arrived with a congestion mark.
    pub marked: CeReceived,
    /// Smoothed RTT at the end, if measured.
    pub srtt: Option<SimDuration>,
}

/// What happened to a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentEvent {
    /// Its sender handed it to the network.
    Sent,
    /// It arrived.
    Received,
    /// The network lost it.
    Lost(LossCause),
}

/// A segment of a recorded connection, observed at one point.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentTrace {
    /// The packet: joins sending, arrival and loss.
    pub packet: u64,
    /// When it happened; `None` for the time of the record. A segment that was first only remembered is
    /// recorded later than it was sent or arrived (see [`crate::spec::KeptSegments::Ladder`]).
    pub at: Option<SimTime>,
    /// Index among the segments sent by this end, from 1, for segments sent on partly traced connections;
    /// otherwise 0.
    pub number: u64,
    /// What happened.
    pub event: SegmentEvent,
    /// Source address.
    pub src: Ipv4Addr,
    /// Destination address.
    pub dst: Ipv4Addr,
    /// IP time to live.
    pub ttl: u8,
    /// IP DS field and ECN.
    pub tos: u8,
    /// State of the observing end point after the event; `None` for losses and for hosts that have
    /// no such connection.
    pub state: Option<State>,
    /// Why the sender retransmitted these octets, if it did; known at the sender.
    pub retransmission: Option<RetransmitReason>,
    /// Whether all data of a retransmission had arrived before; known at the receiver.
    pub spurious: Option<bool>,
    /// The segment.
    pub segment: Segment,
}

/// A sender's variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderSample {
    /// The connection.
    pub conn: ConnId,
    /// Which end.
    pub side: Side,
    /// Congestion window, bytes.
    pub cwnd: u64,
    /// Slow-start threshold, bytes; `None` before the first loss.
    pub ssthresh: Option<u64>,
    /// SND.NXT - SND.UNA, bytes.
    pub in_flight: u32,
    /// Peer's window, bytes.
    pub snd_wnd: u32,
    /// Smoothed RTT, if measured.
    pub srtt: Option<SimDuration>,
    /// Retransmission time-out.
    pub rto: SimDuration,
    /// Payload bytes acknowledged so far.
    pub acked: u64,
    /// The state of congestion control and recovery.
    pub state: SenderState,
}
