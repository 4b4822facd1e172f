//! A bulk sender: keeps the send buffer full.

use sim_core::SimTime;

use super::spec::BulkSpec;
use super::{App, AppEvent};
use crate::host::{SocketCx, SocketId};
use crate::sample::{Ending, FlowEnd, TcpSample};
use crate::segment::ConnId;

/// The application described by a [`BulkSpec`].
#[derive(Debug)]
pub struct Bulk {
    spec: BulkSpec,
    left: u64,
    /// The connection and the time of its connect, while it exists.
    open: Option<(ConnId, SimTime)>,
}

impl Bulk {
    /// A sender as described.
    pub fn new(spec: BulkSpec) -> Bulk {
        Bulk {
            left: spec.bytes.unwrap_or(u64::MAX),
            open: None,
            spec,
        }
    }

    fn begin(&mut self, socket: &mut SocketCx<'_, '_>) {
        // If no port is free, the failed attempt is on record and nothing else happens.
        if let Ok(id) = socket.connect(Some(self.spec.local), self.spec.remote) {
            self.open = Some((socket.conn(id).unwrap_or_default(), socket.now()));
        }
    }

    /// Records the end of the flow.
    fn record_end(&mut self, ending: Ending, socket: &mut SocketCx<'_, '_>) {
        if let Some((conn, opened)) = self.open.take() {
            socket.record(TcpSample::Flow(FlowEnd {
                conn,
                took: socket.now().since(opened),
                ending,
                bytes: self.spec.bytes,
                server: *self.spec.remote.ip(),
            }));
        }
    }

    fn fill(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        let written = socket.write(id, self.left);
        if self.spec.bytes.is_some() {
            self.left -= written;
        }
        if self.left == 0 {
            socket.close(id);
        }
    }
}

impl App for Bulk {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        match event {
            AppEvent::Start => socket.wake(self.spec.start, 0),
            AppEvent::Wake(_) => self.begin(socket),
            AppEvent::Ended(_, end) => self.record_end(Ending::Connection(end), socket),
            AppEvent::Connected(id) => self.fill(id, socket),
            AppEvent::Writable(id, _) if self.left > 0 => self.fill(id, socket),
            AppEvent::Readable(id, _) => {
                socket.read(id, u64::MAX);
            }
            _ => {}
        }
    }

    fn on_cut_off(&mut self, by: Ending, socket: &mut SocketCx<'_, '_>) {
        self.record_end(by, socket);
    }
}
