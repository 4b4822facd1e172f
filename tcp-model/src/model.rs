//! The plug-in point for a whole TCP, and what passes through it.
//!
//! A model is a pure function of (state, input, now): it has no clock, no event queue and no
//! random source. It fills [`Outputs`] and says when it next wants to be woken.

use std::fmt::Debug;
use std::net::SocketAddrV4;
use std::sync::Arc;

use sim_core::{SimDuration, SimTime};

use crate::counts::Counts;
use crate::diagnostics::{Details, Marked, SenderState, Undone};
use crate::fast_open::{FastConnect, FastListen, FastOpenNews};
use crate::icmp::{IcmpError, IcmpKind};
use crate::params::TcpParams;
use crate::segment::{ConnId, Segment};
pub use crate::send_call::SendCall;
use crate::seq::SeqNum;
use crate::state::State;
use crate::syn_cookie::Agreed;
use crate::time_wait::TimeWait;
use crate::transmit::Transmit;

/// One end point of one connection.
pub trait TcpModel: Send + Debug {
    /// Handles one input at time `now`, which never runs backwards.
    fn step(&mut self, input: Input<'_>, now: SimTime, out: &mut Outputs);

    /// When [`Input::Timeout`] is wanted; earlier calls of it must be harmless.
    fn next_timeout(&self) -> Option<SimTime>;

    /// What can be seen from outside.
    fn view(&self) -> TcpView;

    /// Bytes the application may still write: [`TcpView::send_room`] alone.
    fn send_room(&self) -> u64 {
        self.view().send_room
    }

    /// Bytes the application can read: [`TcpView::readable`] alone.
    fn readable(&self) -> u64 {
        self.view().readable
    }

    /// In TIME-WAIT: the little that has to be remembered. The host keeps that in its table and
    /// drops the model. A model that answers `None` is kept until it is CLOSED.
    fn time_wait(&self) -> Option<TimeWait> {
        None
    }

    /// The application changed options of an open connection: those of the parameters that can
    /// change while it is open are to be followed from now on (Nagle, keep-alive, time limits,
    /// buffers, DS field). `false` when the model cannot; nothing has changed then.
    fn change_params(&mut self, params: &Arc<TcpParams>, now: SimTime, out: &mut Outputs) -> bool {
        let _ = (params, now, out);
        false
    }

    /// Bytes it has allocated beside itself.
    fn heap_bytes(&self) -> usize {
        0
    }

    /// What else can be seen from outside, where the model tells it.
    fn details(&self) -> Details {
        Details::default()
    }

    /// What the sender is about, for records.
    fn sender_state(&self) -> SenderState {
        SenderState::default()
    }

    /// Reductions of the window that were undone: [`Details::undone`] alone.
    fn undone(&self) -> Undone {
        self.details().undone.unwrap_or_default()
    }

    /// Segments that arrived with a congestion mark: [`Details::marked`] alone.
    fn marked(&self) -> Marked {
        self.details().marked.unwrap_or_default()
    }
}

/// What a model is given when it is created.
#[derive(Clone, Debug)]
pub struct OpenContext {
    /// Parameters of the host's TCP.
    pub params: Arc<TcpParams>,
    /// Identity of the connection; only for [`crate::segment::Tag`].
    pub conn: ConnId,
    /// Segments of this connection are recorded.
    pub traced: bool,
    /// Own address and port.
    pub local: SocketAddrV4,
    /// Peer's address and port.
    pub remote: SocketAddrV4,
    /// The initial sequence number to use (RFC 6528).
    pub iss: SeqNum,
    /// What to add to the millisecond clock for timestamps (RFC 7323 section 5.4).
    pub ts_offset: u32,
}

/// What can happen to an end point.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// Active OPEN: send a SYN.
    Connect,
    /// Active OPEN with Fast Open: the SYN asks for a cookie, or shows one and carries data. A
    /// model without Fast Open sends a plain SYN and the data later.
    ConnectWith(&'a FastConnect),
    /// Passive OPEN: expect a SYN as the next segment.
    Listen,
    /// Passive OPEN with Fast Open: the SYN that is the next segment may ask for a cookie, or show
    /// one and carry data.
    ListenWith(&'a FastListen),
    /// Passive OPEN from a SYN cookie that came back: the segment that brought it is the next.
    Resume(&'a Agreed),
    /// A segment arrived with a right checksum.
    Segment(&'a Segment),
    /// An ICMP error about a segment of this connection arrived.
    Icmp(&'a IcmpError),
    /// The time asked for by [`TcpModel::next_timeout`] has come.
    Timeout,
    /// SEND: the application writes; what does not fit the send buffer is not taken
    /// ([`TcpView::send_room`]).
    Send(SendCall),
    /// RECEIVE: the application takes up to this many bytes.
    Receive(u64),
    /// The application will send no more; it goes on reading.
    Shutdown,
    /// CLOSE: the application will neither send nor read.
    Close,
    /// ABORT: reset the connection.
    Abort,
    /// The application switches quick acknowledgement on or off (Linux `TCP_QUICKACK`): on sends an
    /// ACK that waits, and those to come at once; off makes the connection interactive: ACKs wait for a
    /// reply, or for the delayed ACK. Neither lasts.
    QuickAck(bool),
}

/// News for the application or the host.
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
    /// Data can be read: this many bytes in all.
    Readable(u64),
    /// Send buffer has become free after a write that did not fit.
    Writable(u64),
    /// The peer closed its direction; all its data has been signalled.
    PeerClosed,
    /// Urgent data is announced: octets up to the end of it, from the next one to read.
    Urgent(u32),
    /// A soft error: the network reports trouble, the connection lives on
    /// (RFC 9293 section 3.9.1.8).
    SoftError(IcmpKind),
    /// R1: after this many retransmissions without an answer, the path is in doubt. IP should look
    /// for another (MUST-20), and the application may want to know (SHLD-9).
    DeliveryTrouble,
    /// What the answer to a SYN with Fast Open told, for the host's cache.
    FastOpen(FastOpenNews),
    /// The connection is over, and why.
    Ended(End),
}

/// How a connection ended, as the application sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// In order.
    Closed,
    /// RST in answer to the SYN.
    Refused,
    /// RST from the peer.
    Reset,
    /// Own ABORT.
    Aborted,
    /// No answer.
    TimedOut,
    /// An orphan in FIN-WAIT-2 that waited in vain for the peer's FIN (Linux `tcp_fin_timeout`). No
    /// application is there to be told.
    FinWaitExpired,
    /// The network reported an error that is final.
    Unreachable(IcmpKind),
}

/// Where a model puts what it wants done; used again and again.
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    /// Segments to send, in order.
    pub segments: Vec<Transmit>,
    /// News, in order.
    pub signals: Vec<Signal>,
}

impl Outputs {
    /// Empties both lists, keeping their memory.
    pub fn clear(&mut self) {
        self.segments.clear();
        self.signals.clear();
    }
}

/// A look at an end point.
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
    /// Bytes the application has written and the peer not acknowledged.
    pub send_queue: u64,
    /// Bytes the application can read.
    pub readable: u64,
    /// Of these, bytes up to the end of the urgent data, which may lie beyond what has arrived;
    /// `None` when no urgent data is ahead (MUST-33).
    pub urgent: Option<u32>,
    /// Counters.
    pub counts: Counts,
}
