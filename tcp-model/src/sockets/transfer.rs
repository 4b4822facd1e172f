//! Sending and receiving data. Bytes are only counted.

use super::error_queue::ZEROCOPY;
use super::options::{OUT_OF_BAND_INLINE, RECEIVE_LOW_WATER};
use super::{SocketNo, SocketRole, Sockets};
use crate::errno::{EAGAIN, EINVAL, ENOTCONN, EPIPE, Errno};
use crate::host::SocketId;
use crate::model::SendCall;
use crate::state::State;

/// Options of a read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reading {
    /// The caller blocks: fewer bytes than SO_RCVLOWAT are not returned.
    pub(crate) waits: bool,
    /// The caller wants all of them (MSG_WAITALL).
    pub(crate) all: bool,
    /// The bytes stay in the buffer (MSG_PEEK).
    pub(crate) peeks: bool,
}

/// The octet before the urgent pointer, the only urgent one in Linux.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UrgentOctet {
    /// Octets to be read before it.
    pub(crate) ahead: u64,
    /// It has arrived.
    pub(crate) arrived: bool,
    /// It was read separately (MSG_OOB).
    pub(crate) read: bool,
    /// Its stream offset.
    place: u64,
}

impl Sockets<'_> {
    /// The urgent octet, if reads have not passed it.
    pub(crate) fn urgent_octet(&self, id: SocketId) -> Option<UrgentOctet> {
        let view = self.view(id)?;
        let ahead = u64::from(view.urgent?).checked_sub(1)?;
        let place = view.counts.bytes_received - view.readable + ahead;
        let read = self.stream(id).and_then(|stream| stream.urgent_read) == Some(place);
        Some(UrgentOctet {
            ahead,
            arrived: ahead < view.readable,
            read,
            place,
        })
    }

    /// Reads the urgent octet separately (MSG_OOB).
    ///
    /// # Errors
    /// `EINVAL` when there is none, it has been read, or it is inline (SO_OOBINLINE); `EAGAIN` before it
    /// has arrived.
    pub(crate) fn read_urgent(&mut self, socket: SocketNo, peeks: bool) -> Result<u64, Errno> {
        let id = self.connection(socket).ok_or(ENOTCONN)?;
        let inline = self.at(socket).value(OUT_OF_BAND_INLINE) != 0;
        match self.urgent_octet(id).filter(|u| !u.read && !inline) {
            None => Err(EINVAL),
            Some(octet) if octet.arrived => {
                if let (false, Some(stream)) = (peeks, self.stream_mut(id)) {
                    stream.urgent_read = Some(octet.place);
                }
                Ok(1)
            }
            Some(_) if self.peer_closed(id) || self.is_over(id) => Ok(0),
            Some(_) => Err(EAGAIN),
        }
    }

    /// How many bytes a read may take: it stops before an urgent octet, and skips one that comes next
    /// unless it is inline.
    fn up_to_urgent(&mut self, socket: SocketNo, id: SocketId, peeks: bool) -> u64 {
        let ready = self.view(id).map_or(0, |view| view.readable);
        let inline = self.at(socket).value(OUT_OF_BAND_INLINE) != 0;
        match self.urgent_octet(id).filter(|u| u.arrived) {
            Some(octet) if octet.ahead > 0 => octet.ahead,
            Some(_) if !inline => {
                if !peeks {
                    self.call(|host| host.read(id, 1));
                }
                ready - 1
            }
            _ => ready,
        }
    }

    /// Reads up to `most` bytes; 0 is the end of the stream.
    ///
    /// # Errors
    /// `EAGAIN` when there is nothing to read yet, `ENOTCONN`, or the error by which the connection
    /// ended.
    pub fn receive_data(&mut self, socket: SocketNo, most: u64) -> Result<u64, Errno> {
        self.read(socket, most, Reading::default())
    }

    pub(crate) fn read(&mut self, socket: SocketNo, most: u64, how: Reading) -> Result<u64, Errno> {
        let Some(id) = self.connection(socket) else {
            return Err(self.at_mut(socket).error.take().unwrap_or(ENOTCONN));
        };
        let least = match how.all {
            true => most,
            false => most.min(self.low_water(socket)),
        };
        let ready = match most {
            0 => 0,
            _ => self.up_to_urgent(socket, id, how.peeks),
        };
        let peer_closed = self.peer_closed(id);
        let finished = peer_closed || self.is_over(id) || self.at(socket).read_shut;
        let enough = ready >= least || finished || !how.waits;
        if most == 0 || peer_closed || (ready > 0 && enough) {
            let taken = ready.min(most);
            if !how.peeks && taken > 0 {
                self.call(|host| host.read(id, taken));
            }
            return Ok(taken);
        }
        match self.take_error(id) {
            Some(errno) => Err(errno),
            None if finished => Ok(0),
            None => Err(EAGAIN),
        }
    }

    /// SO_RCVLOWAT: fewer bytes are not worth waking up for.
    pub(super) fn low_water(&self, socket: SocketNo) -> u64 {
        self.at(socket).value(RECEIVE_LOW_WATER).max(1) as u64
    }

    /// Writes as much of the bytes as there is room for.
    ///
    /// # Errors
    /// `EAGAIN` when there is no room or no connection yet, `EPIPE` when nothing can be sent any more,
    /// or the error by which the connection ended.
    pub fn send(&mut self, socket: SocketNo, bytes: u64) -> Result<u64, Errno> {
        let id = self.may_write(socket)?;
        let call = SendCall::pushed(bytes);
        match self.is_opening(id) {
            false => Some(self.write(id, call)).filter(|n| *n > 0).ok_or(EAGAIN),
            true => Err(EAGAIN),
        }
    }

    /// The connection to write to.
    ///
    /// # Errors
    /// Those of [`Sockets::send`] except `EAGAIN`.
    pub(crate) fn may_write(&mut self, socket: SocketNo) -> Result<SocketId, Errno> {
        let Some(id) = self.connection(socket) else {
            return Err(self.at_mut(socket).error.take().unwrap_or(EPIPE));
        };
        match self.take_error(id) {
            Some(errno) => {
                if !self.is_connected(id) {
                    self.at_mut(socket).role = SocketRole::Fresh;
                }
                Err(errno)
            }
            None if self.is_over(id) || self.at(socket).write_shut => Err(EPIPE),
            None => Ok(id),
        }
    }

    /// Whether the handshake is incomplete.
    pub(crate) fn is_opening(&mut self, id: SocketId) -> bool {
        let opening = matches!(self.state(id), State::SynSent | State::SynReceived);
        opening && !self.is_connected(id)
    }

    /// Writes as much as there is room for; returns how much that was.
    pub(crate) fn write(&mut self, id: SocketId, call: SendCall) -> u64 {
        let room = self.view(id).map_or(0, |view| view.send_room);
        let taken = room.min(call.bytes);
        if taken > 0 {
            let end = self.written(id) + taken;
            if let Some(stream) = self.stream_mut(id) {
                stream.stamping.write(end);
            }
        }
        if call.bytes > 0 {
            // A partly accepted write should be followed by a notification of room.
            self.call(|host| host.send(id, call));
        }
        if taken < call.bytes {
            self.starve(id);
        }
        taken
    }

    /// Bytes written so far.
    fn written(&self, id: SocketId) -> u64 {
        let view = self.view(id);
        view.map_or(0, |v| v.counts.bytes_acked + v.send_queue)
    }

    /// Notes a write with MSG_ZEROCOPY, which is notified when its bytes may be reused. Without SO_ZEROCOPY
    /// the flag has no effect.
    pub(crate) fn note_uncopied(&mut self, socket: SocketNo) {
        let Some(id) = self.connection(socket) else {
            return;
        };
        let end = self.written(id);
        if self.at(socket).value(ZEROCOPY) != 0
            && let Some(stream) = self.stream_mut(id)
        {
            stream.uncopied.note(end);
        }
    }
}
