//! A bulk sender: keeps the send buffer full.

use super::spec::BulkSpec;
use super::{App, AppEvent};
use crate::host::{SocketCx, SocketId};

/// The application made of a [`BulkSpec`].
#[derive(Debug)]
pub struct Bulk {
    spec: BulkSpec,
    left: u64,
}

impl Bulk {
    /// A sender as described.
    pub fn new(spec: BulkSpec) -> Bulk {
        Bulk {
            left: spec.bytes.unwrap_or(u64::MAX),
            spec,
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
            AppEvent::Wake(_) => {
                // Without a port there is nothing to do; the attempt is recorded.
                let _ = socket.connect(Some(self.spec.local), self.spec.remote);
            }
            AppEvent::Connected(id) => self.fill(id, socket),
            AppEvent::Writable(id, _) if self.left > 0 => self.fill(id, socket),
            AppEvent::Readable(id, _) => {
                socket.read(id, u64::MAX);
            }
            _ => {}
        }
    }
}
