//! The socket layer's state of a connection: unreported errors, the error queue, and what limits the
//! sender.

use std::net::SocketAddrV4;

use sim_core::{Rate, SimTime};

use super::error_queue::{Stamping, UnacknowledgedSends};
use super::limits::{Chrono, SenderLimit};
use super::{SocketNo, Sockets};
use crate::app::AppEvent;
use crate::diagnostics::ConnectionDetails;
use crate::errno::{self, Errno};
use crate::host::{Inspection, SocketCx, SocketId};
use crate::model::{ConnectionEnd, TcpModel, TcpView};
use crate::segment::Segment;
use crate::seq::SeqNum;
use crate::state::State;

/// A connection.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) id: SocketId,
    /// The 4-tuple, the host's end first.
    pub(super) ends: (SocketAddrV4, SocketAddrV4),
    /// Known from its first SYN.
    iss: SeqNum,
    /// A call has reported the error with which it ended.
    error_reported: bool,
    /// IP_RECVERR: the next call reports errors of the network.
    pub(super) reports_errors: bool,
    /// Such an error that no call has reported.
    soft_error: Option<Errno>,
    /// Count of events so far, for edge-triggered polling.
    pub(super) edges: u64,
    /// Zero-copy calls.
    pub(super) uncopied: UnacknowledgedSends,
    /// Time stamps of sending and acknowledgement, if requested.
    pub(super) stamping: Stamping,
    /// Stream offset of the urgent octet that was read separately.
    pub(super) urgent_read: Option<u64>,
    /// What limits the sender, over time.
    chrono: Chrono,
    /// A write was only partly accepted, and there is no room yet.
    starved: bool,
}

impl Stream {
    /// Notes a segment sent.
    pub(super) fn note_sent(&mut self, segment: &Segment, at: SimTime) {
        if segment.flags.is_syn() {
            self.iss = segment.seq;
        } else if segment.len > 0 {
            let start = u64::from(segment.seq.offset_from(self.iss + 1));
            self.stamping
                .leave(start, start + u64::from(segment.len), at);
        }
    }

    /// Notes an event.
    pub(super) fn note_event(&mut self, event: &AppEvent) {
        self.edges += 1;
        self.starved &= !matches!(event, AppEvent::Writable(..));
        if let (AppEvent::SoftError(_, kind), true) = (event, self.reports_errors) {
            self.soft_error = Some(kind.errno());
        }
    }
}

impl Sockets<'_> {
    /// Starts tracking a new connection.
    pub(super) fn follow(&mut self, id: SocketId, ends: (SocketAddrV4, SocketAddrV4)) {
        if self.stream(id).is_some() {
            return;
        }
        self.streams.push(Stream {
            id,
            ends,
            iss: SeqNum(0),
            error_reported: false,
            reports_errors: false,
            soft_error: None,
            edges: 0,
            uncopied: UnacknowledgedSends::default(),
            stamping: Stamping::default(),
            urgent_read: None,
            chrono: Chrono::default(),
            starved: false,
        });
    }

    /// All connections so far, in order, with their ends.
    pub(crate) fn connections(
        &self,
    ) -> impl Iterator<Item = (SocketId, (SocketAddrV4, SocketAddrV4))> {
        self.streams.iter().map(|stream| (stream.id, stream.ends))
    }

    pub(super) fn stream(&self, id: SocketId) -> Option<&Stream> {
        self.streams.iter().rfind(|stream| stream.id == id)
    }

    pub(super) fn stream_mut(&mut self, id: SocketId) -> Option<&mut Stream> {
        self.streams.iter_mut().rfind(|stream| stream.id == id)
    }

    /// Makes calls on the socket of a connection; does nothing for other sockets.
    pub(super) fn on_stream<R: Default>(
        &mut self,
        socket: SocketNo,
        calls: impl FnOnce(&mut SocketCx<'_, '_>, SocketId) -> R,
    ) -> R {
        match self.connection(socket) {
            Some(id) => self.call(|cx| calls(cx, id)),
            None => R::default(),
        }
    }

    pub(crate) fn inspect(&self, id: SocketId) -> Option<Inspection<'_>> {
        self.driver.inspect(id)
    }

    pub(crate) fn view(&self, id: SocketId) -> Option<TcpView> {
        self.inspect(id).map(|found| found.tcp.view())
    }

    /// The model's details.
    pub(crate) fn details(&self, id: SocketId) -> ConnectionDetails {
        let found = self.inspect(id);
        found.map_or_else(ConnectionDetails::default, |found| found.tcp.details())
    }

    /// The pacing rate of a connection, if it is paced.
    pub(crate) fn pacing_rate(&self, id: SocketId) -> Option<Rate> {
        self.inspect(id)?.tcp.sender_state().pacing_rate
    }

    pub(crate) fn state(&mut self, id: SocketId) -> State {
        let state = self.view(id).map_or(State::Closed, |view| view.state);
        let kept = self.inspect(id).is_some_and(|found| found.kept);
        let ends = self.stream(id).map(|stream| stream.ends);
        // The host's table knows how long TIME-WAIT lasts.
        match ends.filter(|_| kept) {
            Some((local, remote)) if !self.driver.is_time_wait(local, remote) => State::Closed,
            _ => state,
        }
    }

    /// Whether the connection has ended from its application's point of view.
    pub(crate) fn is_over(&self, id: SocketId) -> bool {
        self.inspect(id).is_none_or(|found| found.end.is_some())
    }

    pub(crate) fn peer_closed(&self, id: SocketId) -> bool {
        self.inspect(id).is_some_and(|found| found.peer_closed)
    }

    pub(crate) fn is_connected(&self, id: SocketId) -> bool {
        self.inspect(id).is_some_and(|found| found.connected)
    }

    /// Whether the SYN of the connection waits for the first data.
    pub(crate) fn is_deferred(&self, id: SocketId) -> bool {
        self.inspect(id).is_some_and(|found| found.deferred)
    }

    /// The error that the next call will report.
    pub(super) fn error(&self, id: SocketId) -> Option<Errno> {
        let stream = self.stream(id)?;
        if let Some(error) = stream.soft_error {
            return Some(error);
        }
        let found = self.inspect(id)?;
        let error = match found.end? {
            ConnectionEnd::Refused => errno::ECONNREFUSED,
            ConnectionEnd::Reset if !found.connected => errno::ECONNREFUSED,
            ConnectionEnd::Reset if found.peer_closed => errno::EPIPE,
            ConnectionEnd::Reset => errno::ECONNRESET,
            ConnectionEnd::TimedOut | ConnectionEnd::FinWaitExpired => errno::ETIMEDOUT,
            ConnectionEnd::Unreachable(kind) => kind.errno(),
            ConnectionEnd::Closed | ConnectionEnd::Aborted => return None,
        };
        (!stream.error_reported).then_some(error)
    }

    /// Takes the error that the next call will report, so that it is reported once.
    pub(crate) fn take_error(&mut self, id: SocketId) -> Option<Errno> {
        let error = self.error(id)?;
        let stream = self.stream_mut(id)?;
        if stream.soft_error.take().is_none() {
            stream.error_reported = true;
        }
        Some(error)
    }

    /// Times the sender was busy, of which held up by the peer's window and by the send buffer.
    pub(crate) fn times(&self, id: SocketId) -> [sim_core::SimDuration; 3] {
        let stream = self.stream(id);
        stream.map_or([sim_core::SimDuration::ZERO; 3], |s| {
            s.chrono.times(self.now)
        })
    }

    /// Notes that a write was only partly accepted: the application waits for room.
    pub(crate) fn starve(&mut self, id: SocketId) {
        if let Some(at) = self.streams.iter().rposition(|stream| stream.id == id) {
            self.streams[at].starved = true;
            self.time(at);
        }
    }

    /// Updates what limits a connection, and what is acknowledged.
    pub(super) fn time(&mut self, at: usize) {
        let (id, starved) = (self.streams[at].id, self.streams[at].starved);
        let view = self.view(id);
        let limit = match &view {
            Some(view) if !self.is_over(id) => SenderLimit::of(view, &self.details(id), starved),
            _ => SenderLimit::Idle,
        };
        let stream = &mut self.streams[at];
        let acked = view.map_or(0, |view| view.counts.bytes_acked);
        stream.stamping.acknowledge(acked, self.now);
        stream.chrono.turn(limit, self.now);
    }
}
