//! Creating, binding, opening and closing sockets, connections and listeners.

use super::options::is_inherited;
use super::socket::SocketRole;
use super::socket_constants::{FAST_OPEN_CONNECT, QUICK_ACK};
use super::{SocketNo, Sockets};
use crate::errno::{
    EADDRINUSE, EAGAIN, EALREADY, ECONNABORTED, ECONNRESET, EINPROGRESS, EINVAL, EISCONN, ENOTCONN,
    EOPNOTSUPP, Errno,
};
use crate::host::{BindError, BindOptions, ConnectError, ConnectOptions};
use crate::model::SendCall;
use crate::params::TcpParams;
use crate::state::State;
use std::net::{Ipv4Addr, SocketAddrV4};

impl Sockets<'_> {
    /// A new socket for TCP.
    pub fn socket(&mut self) -> SocketNo {
        self.add(SocketRole::Fresh)
    }

    /// A file to send from, which never ends.
    pub(crate) fn file(&mut self) -> SocketNo {
        self.add(SocketRole::File)
    }

    /// An end of a pipe.
    pub(crate) fn pipe(&mut self, number: usize) -> SocketNo {
        self.add(SocketRole::Pipe(number))
    }

    /// Binds a socket to an address, or to all of the host's, and to a port, or one the host chooses.
    ///
    /// # Errors
    /// `EINVAL` for a socket in use, `EADDRINUSE`, `EADDRNOTAVAIL`.
    pub fn bind(
        &mut self,
        socket: SocketNo,
        address: Option<Ipv4Addr>,
        port: Option<u16>,
    ) -> Result<(), Errno> {
        let end = self.at(socket);
        if end.role != SocketRole::Fresh || end.bound.is_some() {
            return Err(EINVAL);
        }
        let options = BindOptions {
            address,
            port,
            reuse: end.reuse(),
        };
        let bound = self.call(|host| {
            let id = host.bind(options)?;
            Ok::<_, BindError>((id, host.bound_port(id)))
        });
        let (id, port) = bound.map_err(|error| error.errno())?;
        let end = self.at_mut(socket);
        (end.bound, end.port) = (Some(id), port.unwrap_or(0));
        Ok(())
    }

    /// Lets a socket accept connections, or changes the backlog of a listener.
    ///
    /// # Errors
    /// `EINVAL` for a socket in use, `EADDRINUSE`.
    pub fn listen(&mut self, socket: SocketNo, backlog: u32) -> Result<(), Errno> {
        match self.at(socket).role {
            SocketRole::Fresh => {}
            SocketRole::Listening(id) => {
                let options = self.at(socket).listen_options();
                self.call(|host| host.set_listener(id, Some(backlog), options));
                return Ok(());
            }
            _ => return Err(EINVAL),
        }
        if self.at(socket).bound.is_none() {
            self.bind(socket, None, None)?;
        }
        self.at_mut(socket).values.remove(&QUICK_ACK); // Linux inet_csk_listen_start
        let (port, options) = (self.at(socket).port, self.at(socket).listen_options());
        let listening = self.call(|host| host.listen_with(port, backlog, options));
        self.at_mut(socket).role = SocketRole::Listening(listening.map_err(|_| EADDRINUSE)?);
        Ok(())
    }

    /// Passes the options of a listening socket to the host.
    pub(super) fn refresh_listener(&mut self, socket: SocketNo) {
        if let SocketRole::Listening(id) = self.at(socket).role {
            let options = self.at(socket).listen_options();
            self.call(|host| host.set_listener(id, None, options));
        }
    }

    /// The next connection of a listener, as a socket with the listener's options.
    ///
    /// # Errors
    /// `EINVAL` when it does not listen, `EAGAIN` when there is none.
    pub fn accept(&mut self, socket: SocketNo) -> Result<SocketNo, Errno> {
        let SocketRole::Listening(id) = self.at(socket).role else {
            return Err(EINVAL);
        };
        let accepted = self.call(|host| host.accept_from(id)).ok_or(EAGAIN)?;
        let made = self.add(SocketRole::Stream(accepted));
        let listener = self.at(socket).clone();
        let stream = self.at_mut(made);
        stream.params = listener.params;
        stream.port = listener.port;
        stream.linger = listener.linger;
        stream.keepalive_idle = listener.keepalive_idle;
        stream.receive_timeout = listener.receive_timeout;
        stream.send_timeout = listener.send_timeout;
        stream.values = listener.values;
        stream.values.retain(|option, _| is_inherited(*option));
        stream.connect_reported = true;
        let reports_errors = stream.reports_errors();
        if let Some(kept) = self.stream_mut(accepted) {
            kept.reports_errors = reports_errors;
        }
        Ok(made)
    }

    /// Opens a connection, or queries its outcome.
    ///
    /// # Errors
    /// `EINPROGRESS` when started and `EALREADY` while pending; then the error with which it failed, or
    /// `EISCONN` once its success has been reported. `EADDRNOTAVAIL` when no port is free.
    pub fn connect(&mut self, socket: SocketNo, remote: SocketAddrV4) -> Result<(), Errno> {
        let id = match self.at(socket).role {
            SocketRole::Fresh => {
                let waits = self.at(socket).value(FAST_OPEN_CONNECT) != 0;
                let id = self.open(socket, remote, waits)?;
                // With a cookie the SYN waits for the first data; without one it is sent at once with a
                // request.
                if self.is_deferred(id) {
                    if self.syn_room(socket, remote) > 0 {
                        return Ok(());
                    }
                    self.send_with_syn(socket, 0);
                }
                return Err(EINPROGRESS);
            }
            SocketRole::Stream(id) => id,
            _ => return Err(EISCONN),
        };
        if self.at(socket).connect_reported || self.is_deferred(id) {
            return Err(EISCONN);
        }
        if let Some(errno) = self.take_error(id) {
            self.at_mut(socket).role = SocketRole::Fresh;
            return Err(errno);
        }
        if self.is_connected(id) {
            self.at_mut(socket).connect_reported = true;
            return Ok(());
        }
        Err(if self.is_over(id) {
            ECONNABORTED
        } else {
            EALREADY
        })
    }

    /// Opens a new connection for a socket; with `waits` the SYN may wait for data.
    fn open(
        &mut self,
        socket: SocketNo,
        remote: SocketAddrV4,
        waits: bool,
    ) -> Result<crate::host::SocketId, Errno> {
        let end = self.at(socket);
        let options = ConnectOptions {
            bound: end.bound,
            reuse: end.reuse(),
            params: Some(end.shared_params()),
            fast_open: waits,
            ..ConnectOptions::default()
        };
        let connected = self.driver.call(self.now, |host| {
            let id = host.connect_with(remote, options)?;
            Ok::<_, ConnectError>((id, host.ends(id)))
        });
        let (id, ends) = connected.map_err(|error| error.errno())?;
        if let Some(ends) = ends {
            self.follow(id, ends);
            let reports = self.at(socket).reports_errors();
            if let Some(stream) = self.stream_mut(id) {
                stream.reports_errors = reports;
            }
            self.at_mut(socket).port = ends.0.port();
        }
        self.take_news();
        let end = self.at_mut(socket);
        end.role = SocketRole::Stream(id);
        // Linux then omits the last ACK of the handshake.
        let slow = end.values.get(&QUICK_ACK) == Some(&0) || end.params.defer_accept.is_some();
        if slow {
            self.call(|host| host.quick_ack(id, false));
        }
        Ok(id)
    }

    /// Bytes that the SYN of this socket would carry; zero while it has no cookie.
    fn syn_room(&self, socket: SocketNo, remote: SocketAddrV4) -> u64 {
        let params = self.at(socket).shared_params();
        self.driver.fast_open_room(*remote.ip(), &params).into()
    }

    /// Sends the waiting SYN with data; returns how many bytes were accepted.
    fn send_with_syn(&mut self, socket: SocketNo, bytes: u64) -> u64 {
        let data = SendCall {
            bytes,
            push: bytes > 0,
            ..SendCall::default()
        };
        self.on_stream(socket, |host, id| host.send(id, data))
    }

    /// Whether the connection of the socket will be opened by the first data written.
    pub(crate) fn waits_for_data(&self, socket: SocketNo) -> bool {
        self.connection(socket)
            .is_some_and(|id| self.is_deferred(id))
    }

    /// Handles a write with MSG_FASTOPEN, or the first one on a socket whose connect() waits for
    /// it: the SYN carries as much as fits. `None` for an ordinary write, because the connection
    /// exists or (with `asked_before`, or if the writer `waits`) will exist.
    ///
    /// # Errors
    /// `EOPNOTSUPP` without the parameter or an address, otherwise those of connect().
    pub(crate) fn open_with_data(
        &mut self,
        socket: SocketNo,
        remote: Option<SocketAddrV4>,
        bytes: u64,
        (asked_before, waits): (bool, bool),
    ) -> Result<Option<u64>, Errno> {
        let remote = match self.at(socket).role {
            SocketRole::Stream(id) if self.is_deferred(id) => {
                let stream = self.stream(id);
                stream.map(|stream| stream.ends.1).ok_or(ENOTCONN)?
            }
            SocketRole::Stream(_) if asked_before => return Ok(None),
            SocketRole::Stream(_) if self.at(socket).connect_reported => return Err(EISCONN),
            SocketRole::Stream(id) if self.is_connected(id) => {
                self.at_mut(socket).connect_reported = true;
                return Ok(None);
            }
            SocketRole::Stream(id) if !waits && !self.is_over(id) => return Err(EALREADY),
            SocketRole::Fresh => {
                let may = self.at(socket).params.fast_open & TcpParams::FAST_OPEN_CLIENT != 0;
                let remote = remote.filter(|_| may).ok_or(EOPNOTSUPP)?;
                self.open(socket, remote, true)?;
                remote
            }
            _ => return Ok(None),
        };
        let room = self.syn_room(socket, remote);
        Ok(Some(self.send_with_syn(socket, bytes.min(room))))
    }

    /// Linux `tcp_disconnect`: resets or drops the connection, or stops listening; the socket can connect
    /// again. After an unfinished connection the next call reports `ECONNRESET`.
    pub fn disconnect(&mut self, socket: SocketNo) {
        let state = match self.at(socket).role {
            SocketRole::Listening(id) => {
                self.call(|host| host.close_listener(id));
                State::Listen
            }
            SocketRole::Stream(id) => {
                let state = self.state(id);
                self.call(|host| host.abort(id));
                state
            }
            _ => State::Closed,
        };
        let unfinished = matches!(
            state,
            State::SynSent
                | State::SynReceived
                | State::Established
                | State::CloseWait
                | State::FinWait1
                | State::FinWait2
        );
        let end = self.at_mut(socket);
        end.error = unfinished.then_some(ECONNRESET);
        end.role = SocketRole::Fresh;
        (end.connect_reported, end.read_shut, end.write_shut) = (false, false, false);
    }

    /// Ends one or both directions of a connection; ending the read side of a listener stops listening.
    ///
    /// # Errors
    /// `ENOTCONN` without a connection.
    pub fn shutdown(&mut self, socket: SocketNo, read: bool, write: bool) -> Result<(), Errno> {
        match self.at(socket).role.clone() {
            SocketRole::Stream(id) if self.state(id) != State::Closed => {
                let end = self.at_mut(socket);
                end.read_shut |= read;
                end.write_shut |= write;
                if read {
                    self.call(|host| host.stop_reading(id));
                }
                if write {
                    self.call(|host| host.shutdown(id));
                }
            }
            SocketRole::Listening(id) if read => {
                self.call(|host| host.close_listener(id));
                self.at_mut(socket).role = SocketRole::Fresh;
            }
            SocketRole::Listening(_) => {}
            _ => return Err(ENOTCONN),
        }
        Ok(())
    }

    /// Closes a socket; with SO_LINGER of zero its connection is reset.
    pub fn close(&mut self, socket: SocketNo) {
        self.hang_up(socket);
        self.release(socket);
    }

    /// The first half of closing: ends the connection or the listener.
    pub(crate) fn hang_up(&mut self, socket: SocketNo) {
        let aborts = self.at(socket).linger.is_some_and(|l| l.is_zero());
        match self.at(socket).role {
            SocketRole::Listening(id) => self.call(|host| host.close_listener(id)),
            SocketRole::Stream(id) if aborts => self.call(|host| host.abort(id)),
            SocketRole::Stream(id) => self.call(|host| host.close(id)),
            _ => {}
        }
    }

    /// The second half: releases the port and the socket itself.
    pub(crate) fn release(&mut self, socket: SocketNo) {
        if let Some(bound) = self.at_mut(socket).bound.take() {
            self.call(|host| host.unbind(bound));
        }
        self.at_mut(socket).role = SocketRole::Closed;
    }

    /// True while data or the FIN are unacknowledged: a close() with SO_LINGER waits.
    pub(crate) fn is_closing(&mut self, socket: SocketNo) -> bool {
        let state = self.connection(socket).map(|id| self.state(id));
        matches!(
            state,
            Some(State::FinWait1 | State::Closing | State::LastAck)
        )
    }
}
