//! Prefetches memory for the next events.
//!
//! ```text
//!   packet ──► line of the slot table ──(later)──► slot, application's state
//!   timer of a connection ──► timer ──(later)──► slot, if it is going to fire
//!   timer of an application ──► its state, slot
//! ```

use sim_core::Upcoming;

use super::TcpHost;
use super::four_tuple::FourTuple;
use super::stack::Timer;
use crate::app::App;
use crate::segment::Packed;

/// Marks keys that are slots with a timer coming up; other keys are hashes.
const TIMER: u64 = 1 << 63;

impl TcpHost {
    #[inline]
    pub(super) fn prepare_for(&self, what: Upcoming<'_, TcpHost>) -> Option<u64> {
        match what {
            Upcoming::Packet(packet) => {
                // Other packets mostly open connections.
                let Packed::Common(usual) = &packet.payload else {
                    return None;
                };
                let (here, there) = usual.ports_of_receiver();
                let hash = FourTuple::from_parts(packet.dst, here, packet.src, there).hash();
                self.stack.demux.connections().prefetch(hash);
                Some(hash & !TIMER)
            }
            Upcoming::Timer(token) => match Timer::from_token(token) {
                Timer::Connection(slot) => {
                    self.stack.endpoints.prefetch_timer(slot);
                    Some(TIMER | u64::from(slot))
                }
                Timer::App(app, token) => {
                    let app = self.apps.get(usize::from(app))?;
                    self.stack.endpoints.prefetch(app.prepare_for_wake(token)?);
                    None
                }
                Timer::TimeWait | Timer::Node(_) => None,
            },
            Upcoming::Again(key) if key & TIMER != 0 => {
                self.stack.endpoints.prefetch_if_due(key as u32);
                None
            }
            Upcoming::Again(hash) => {
                let slot = self.stack.demux.connections().guess(hash)?;
                self.stack.endpoints.prefetch(slot);
                self.apps.iter().for_each(|app| app.prepare_for(slot));
                None
            }
        }
    }
}
