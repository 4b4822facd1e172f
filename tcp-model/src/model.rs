//! The interface of a TCP model, with its inputs and outputs.
//!
//! A model is a pure function of (state, input, now): it has no clock, no event queue and no random source.
//! It fills [`Outputs`] and says when it next needs to be woken.

use std::fmt::Debug;
use std::net::SocketAddrV4;
use std::sync::Arc;

use sim_core::{SimDuration, SimTime};

use crate::connection_counts::ConnectionCounts;
use crate::diagnostics::{CeReceived, ConnectionDetails, SenderState, UndoCounts};
use crate::fast_open::{FastConnect, FastListen, FastOpenNews};
use crate::icmp::{IcmpError, IcmpKind};
use crate::params::TcpParams;
use crate::segment::{ConnId, Segment};
pub use crate::send_call::SendCall;
use crate::seq::SeqNum;
use crate::state::State;
use crate::syn_cookie::CookieHandshake;
use crate::time_wait::TimeWait;
use crate::transmit::Transmit;

/// One end point of one connection.
pub trait TcpModel: Send + Debug {
    /// Handles one input at time `now`, which never decreases.
    fn step(&mut self, input: Input<'_>, now: SimTime, out: &mut Outputs);

    /// When [`Input::Timeout`] is needed; earlier ones must be harmless.
    fn next_timeout(&self) -> Option<SimTime>;

    /// The externally visible state.
    fn view(&self) -> TcpView;

    /// [`TcpView::send_room`] alone: bytes the application may still write.
    fn send_room(&self) -> u64 {
        self.view().send_room
    }

    /// [`TcpView::readable`] alone: bytes the application can read.
    fn readable(&self) -> u64 {
        self.view().readable
    }

    /// In TIME-WAIT: the minimal state to remember, which the host keeps in its table while dropping the
    /// model. A model that returns `None` is kept until it is CLOSED.
    fn time_wait(&self) -> Option<TimeWait> {
        None
    }

    /// Applies new parameters to an open connection, as far as they can change while it is open (Nagle,
    /// keep-alive, time limits, buffers, DS field). Returns `false`, without any change, if the model does
    /// not support that.
    fn change_params(&mut self, params: &Arc<TcpParams>, now: SimTime, out: &mut Outputs) -> bool {
        let _ = (params, now, out);
        false
    }

    /// Bytes it has allocated separately.
    fn heap_bytes(&self) -> usize {
        0
    }

    /// Further visible details, as far as the model provides them.
    fn details(&self) -> ConnectionDetails {
        ConnectionDetails::default()
    }

    /// The sender's state, for records.
    fn sender_state(&self) -> SenderState {
        SenderState::default()
    }

    /// [`ConnectionDetails::undone`] alone: window reductions that were undone.
    fn undone(&self) -> UndoCounts {
        self.details().undone.unwrap_or_default()
    }

    /// [`ConnectionDetails::marked`] alone: segments that arrived with a congestion mark.
    fn marked(&self) -> CeReceived {
        self.details().marked.unwrap_or_default()
    }
}

/// The context for creating a model.
#[derive(Clone, Debug)]
pub struct OpenContext {
    /// Parameters of the host's TCP.
    pub params: Arc<TcpParams>,
    /// Identity of the connection; only for [`crate::segment::Tag`].
    pub conn: ConnId,
    /// Segments of this connection are recorded.
    pub traced: bool,
    /// Local address and port.
    pub local: SocketAddrV4,
    /// Peer's address and port.
    pub remote: SocketAddrV4,
    /// The initial sequence number to use (RFC 6528).
    pub iss: SeqNum,
    /// Offset added to the millisecond clock for timestamps (RFC 7323 section 5.4).
    pub ts_offset: u32,
}

/// An input to an end point.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// Active OPEN: send a SYN.
    Connect,
    /// Active OPEN with Fast Open: the SYN requests a cookie, or presents one and carries data. A model
    /// without Fast Open sends a plain SYN and the data later.
    ConnectWith(&'a FastConnect),
    /// Passive OPEN: expect a SYN as the next segment.
    Listen,
    /// Passive OPEN with Fast Open: the next segment is a SYN that may request a cookie, or present one and
    /// carry data.
    ListenWith(&'a FastListen),
    /// Passive OPEN from a returned SYN cookie: the next segment is the one that carried it.
    Resume(&'a CookieHandshake),
    /// A segment arrived with a valid checksum.
    Segment(&'a Segment),
    /// An ICMP error about a segment of this connection arrived.
    Icmp(&'a IcmpError),
    /// The time given by [`TcpModel::next_timeout`] has come.
    Timeout,
    /// SEND: the application writes; only what fits in the send buffer is accepted
    /// ([`TcpView::send_room`]).
    Send(SendCall),
    /// RECEIVE: the application reads up to this many bytes.
    Receive(u64),
    /// The application will send no more but continues to read.
    Shutdown,
    /// The application will read no more; it may still send. A model may ignore that.
    StopReading,
    /// CLOSE: the application will neither send nor read.
    Close,
    /// ABORT: reset the connection.
    Abort,
    /// The application switches quick acknowledgement on or off (Linux `TCP_QUICKACK`): on sends a waiting
    /// ACK, and the next ones, at once; off makes the connection interactive: ACKs wait for a reply or the
    /// delayed-ACK timer. Neither is permanent.
    QuickAck(bool),
}

/// A notification for the application or the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The state changed.
    State {
        /// Before.
        from: State,
        /// After.
        to: State,
    },
    /// The connection is established.
    Connected,
    /// Data can be read: this many bytes in total.
    Readable(u64),
    /// The send buffer has room again after a write that did not fit.
    Writable(u64),
    /// The peer closed its direction; all its data has been signalled.
    PeerClosed,
    /// Urgent data are announced: octets from the next unread one to their end.
    Urgent(u32),
    /// A soft error: the network reports a problem, the connection stays open (RFC 9293 section 3.9.1.8).
    SoftError(IcmpKind),
    /// R1: after this many retransmissions without an answer, the path is in doubt. IP should look
    /// for another (MUST-20), and the application may want to know (SHLD-9).
    DeliveryTrouble,
    /// Information from the answer to a SYN with Fast Open, for the host's cache.
    FastOpen(FastOpenNews),
    /// The connection has ended, and why.
    Ended(ConnectionEnd),
}

/// How a connection ended, as the application sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionEnd {
    /// In order.
    Closed,
    /// RST in answer to the SYN.
    Refused,
    /// RST from the peer.
    Reset,
    /// Local ABORT.
    Aborted,
    /// No answer.
    TimedOut,
    /// An orphan in FIN-WAIT-2 gave up waiting for the peer's FIN (Linux `tcp_fin_timeout`). No application
    /// is notified.
    FinWaitExpired,
    /// The network reported a permanent error.
    Unreachable(IcmpKind),
}

/// The outputs of a model; reused.
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    /// Segments to send, in order.
    pub segments: Vec<Transmit>,
    /// Notifications, in order.
    pub signals: Vec<Signal>,
}

impl Outputs {
    /// Empties both lists, keeping their memory.
    pub fn clear(&mut self) {
        self.segments.clear();
        self.signals.clear();
    }
}

/// The visible state of an end point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpView {
    /// State.
    pub state: State,
    /// SND.UNA.
    pub snd_una: SeqNum,
    /// SND.NXT.
    pub snd_nxt: SeqNum,
    /// SND.WND in bytes.
    pub snd_wnd: u32,
    /// RCV.NXT.
    pub rcv_nxt: SeqNum,
    /// RCV.WND in bytes.
    pub rcv_wnd: u32,
    /// Congestion window in bytes.
    pub cwnd: u64,
    /// Slow-start threshold in bytes, `None` before the first loss.
    pub ssthresh: Option<u64>,
    /// Smoothed RTT.
    pub srtt: Option<SimDuration>,
    /// Retransmission time-out.
    pub rto: SimDuration,
    /// Bytes the application may still write.
    pub send_room: u64,
    /// Bytes the application has written and the peer has not acknowledged.
    pub send_queue: u64,
    /// Bytes the application can read.
    pub readable: u64,
    /// Bytes up to the end of the urgent data, which may be beyond what has arrived; `None` without urgent
    /// data ahead (MUST-33).
    pub urgent: Option<u32>,
    /// Counters.
    pub counts: ConnectionCounts,
}
