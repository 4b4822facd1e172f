//! How a server accepts connections: from a time on, at once or at a given rate, from one queue or from several.

use sim_core::SimTime;

use super::draws::seconds;
use super::opening::Opening;
use super::per_socket::CONNECTION;
use super::spec::ServerSpec;
use crate::host::{BindOptions, ListenOptions, ListenerId, Reuse, SocketCx, SocketId};

/// Wake token: time to accept from the queue whose place is in the bits above these.
const ACCEPT: u64 = 0;
const ACCEPT_SHIFT: u32 = 8;

/// A listening socket with its accept queue.
#[derive(Clone, Copy, Debug, Default)]
struct AcceptQueue {
    /// `None` if the port was taken.
    listener: Option<ListenerId>,
    /// With a rate: the earliest time of the next accept.
    next: SimTime,
    /// A wake for it has been requested.
    pending: bool,
}

impl AcceptQueue {
    fn await_next(&mut self, place: usize, socket: &mut SocketCx<'_, '_>) {
        self.pending = true;
        socket.wake(self.next, ACCEPT | (place as u64) << ACCEPT_SHIFT);
    }
}

/// The listening side of a server. With several queues it is a group of sockets that share the port
/// (`SO_REUSEPORT`): each connection belongs to the queue that a hash of its addresses and ports selects, even if that
/// queue is full and others are empty.
#[derive(Debug)]
pub(super) struct Acceptor {
    port: u16,
    backlog: u32,
    opening: Opening,
    /// Connections accepted per second from each queue; `None` for all at once.
    rate: Option<f64>,
    queues: Vec<AcceptQueue>,
    /// The queue of the last accept.
    last: usize,
}

impl Acceptor {
    pub(super) fn new(spec: &ServerSpec) -> Acceptor {
        Acceptor {
            port: spec.port,
            backlog: spec.backlog,
            opening: Opening::new(spec.accept_start, ACCEPT),
            rate: spec.accept_rate,
            queues: vec![AcceptQueue::default(); spec.listeners.max(1) as usize],
            last: 0,
        }
    }

    /// Listens. If the port is taken, the server has nothing to do.
    pub(super) fn start(&mut self, options: &ListenOptions, socket: &mut SocketCx<'_, '_>) {
        let group = self.queues.len() > 1;
        for queue in &mut self.queues {
            let mut options = options.clone();
            if group {
                let bound = socket.bind(BindOptions {
                    port: Some(self.port),
                    reuse: Reuse {
                        address: true,
                        port: true,
                    },
                    ..BindOptions::default()
                });
                let Ok(bound) = bound else {
                    continue;
                };
                options.bound = Some(bound);
            }
            queue.listener = socket.listen_with(self.port, self.backlog, options).ok();
        }
        self.opening.start(socket);
    }

    /// Handles a wake; returns false if it is for something else.
    pub(super) fn on_wake(&mut self, token: u64) -> bool {
        if token & 0xff != ACCEPT || token & CONNECTION != 0 {
            return false;
        }
        if let Some(queue) = self.queues.get_mut((token >> ACCEPT_SHIFT) as usize) {
            queue.pending = false;
        }
        true
    }

    /// Accepts a connection that waits, if it is time; [`Acceptor::accepted`] follows.
    #[inline]
    pub(super) fn next(&mut self, socket: &mut SocketCx<'_, '_>) -> Option<SocketId> {
        if !self.opening.is_open(socket) {
            return None;
        }
        for (place, queue) in self.queues.iter_mut().enumerate() {
            let Some(listener) = queue.listener else {
                continue;
            };
            if self.rate.is_some() {
                if queue.pending {
                    continue;
                }
                if socket.now() < queue.next {
                    queue.await_next(place, socket);
                    continue;
                }
            }
            if let Some(id) = socket.accept_from(listener) {
                self.last = place;
                return Some(id);
            }
        }
        None
    }

    /// Notes that the server has begun to handle an accepted connection.
    #[inline]
    pub(super) fn accepted(&mut self, socket: &mut SocketCx<'_, '_>) {
        if let Some(rate) = self.rate
            && let Some(queue) = self.queues.get_mut(self.last)
        {
            queue.next = socket.now().saturating_add(seconds(1.0 / rate));
            queue.await_next(self.last, socket);
        }
    }
}
