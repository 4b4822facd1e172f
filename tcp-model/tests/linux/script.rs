//! An application that performs a list of steps.

use std::net::{Ipv4Addr, SocketAddrV4};

use sim_core::{SimDuration, SimTime};
use tcp_model::app::{App, AppEvent};
use tcp_model::host::{SocketCx, SocketId};

pub(super) const CLIENT: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 40_000);
pub(super) const SERVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 2), 8080);

/// What the next step waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum When {
    /// This time after the previous step.
    After(SimDuration),
    /// This long after the start.
    At(SimDuration),
    /// The connection is established, or accepted.
    Open,
    /// This many bytes have arrived in total.
    Got(u64),
    /// The peer has closed.
    Eof,
}

/// A step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Do {
    Nothing,
    Connect,
    Listen,
    Write(u64),
    Shutdown,
    Close,
    Abort,
}

/// Steps in order. Arriving data are read at once, unless `reads` is false.
#[derive(Debug)]
pub(super) struct AppScript {
    pub(super) start: SimTime,
    pub(super) local: SocketAddrV4,
    pub(super) remote: SocketAddrV4,
    pub(super) steps: Vec<(When, Do)>,
    pub(super) reads: bool,
    pub(super) at: usize,
    pub(super) socket: Option<SocketId>,
    pub(super) open: bool,
    pub(super) got: u64,
    pub(super) eof: bool,
    pub(super) armed: bool,
    pub(super) queued: u64,
}

impl AppScript {
    pub(super) fn new(start: SimTime, side: char, steps: Vec<(When, Do)>) -> AppScript {
        let (local, remote) = match side {
            'C' => (CLIENT, SERVER),
            _ => (SERVER, CLIENT),
        };
        AppScript {
            start,
            local,
            remote,
            steps,
            reads: true,
            at: 0,
            socket: None,
            open: false,
            got: 0,
            eof: false,
            armed: false,
            queued: 0,
        }
    }

    fn go_on(&mut self, mut woken: bool, cx: &mut SocketCx<'_, '_>) {
        while let Some(&(when, step)) = self.steps.get(self.at) {
            let due = match when {
                When::After(wait) if wait.is_zero() || woken => true,
                When::After(wait) => {
                    if !self.armed {
                        self.armed = true;
                        let from = if self.at == 0 { self.start } else { cx.now() };
                        cx.wake(from + wait, 1);
                    }
                    false
                }
                When::At(_) if woken => true,
                When::At(at) => {
                    if !self.armed {
                        self.armed = true;
                        cx.wake(self.start + at, 1);
                    }
                    false
                }
                When::Open => self.open,
                When::Got(bytes) => self.got >= bytes,
                When::Eof => self.eof,
            };
            if !due {
                return;
            }
            (woken, self.armed) = (false, false);
            self.at += 1;
            self.perform(step, cx);
        }
    }

    fn perform(&mut self, step: Do, cx: &mut SocketCx<'_, '_>) {
        if let Do::Connect = step {
            self.socket = Some(cx.connect_from(self.local, self.remote).unwrap());
            return;
        }
        if let Do::Listen = step {
            cx.listen(self.local.port(), 10).unwrap();
            return;
        }
        let Some(socket) = self.socket else { return };
        match step {
            Do::Write(bytes) => self.queued += bytes - cx.write(socket, bytes),
            Do::Shutdown => cx.shutdown(socket),
            Do::Close => cx.close(socket),
            Do::Abort => cx.abort(socket),
            Do::Nothing | Do::Connect | Do::Listen => {}
        }
    }
}

impl App for AppScript {
    fn on_event(&mut self, event: AppEvent, cx: &mut SocketCx<'_, '_>) {
        match event {
            AppEvent::Start => {
                cx.wake(self.start, 0);
                return;
            }
            AppEvent::Wake(1) => {
                self.go_on(true, cx);
                return;
            }
            AppEvent::Wake(_) => {}
            AppEvent::Connected(_) => self.open = true,
            AppEvent::Acceptable(port) => {
                self.socket = cx.accept(port);
                self.open = self.socket.is_some();
                let waiting = self
                    .socket
                    .and_then(|s| cx.view(s))
                    .map_or(0, |v| v.readable);
                self.take(waiting, cx);
            }
            AppEvent::Readable(_, bytes) => self.take(bytes, cx),
            AppEvent::Writable(socket, _) => {
                self.queued -= cx.write(socket, self.queued);
                return;
            }
            AppEvent::PeerClosed(_) => self.eof = true,
            _ => {}
        }
        self.go_on(false, cx);
    }
}

impl AppScript {
    fn take(&mut self, bytes: u64, cx: &mut SocketCx<'_, '_>) {
        if self.reads {
            if let Some(socket) = self.socket {
                self.got += cx.read(socket, bytes);
            }
        } else {
            self.got = self.got.max(bytes);
        }
    }
}
