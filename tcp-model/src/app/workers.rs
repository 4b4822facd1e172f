//! The workers of a server: each serves one request at a time; further requests wait in order of arrival.

use std::collections::VecDeque;

use sim_core::SimDuration;

use super::per_socket::CONNECTION;
use crate::host::SocketCx;

/// Wake token: a worker, whose number is in the bits above these, is done.
const WORKER: u64 = 2;
const WORKER_SHIFT: u32 = 8;

/// The number of the worker that a wake token is for, if it is for one.
pub(super) fn worker_of(token: u64) -> Option<u32> {
    let is_worker = token & 0xff == WORKER && token & CONNECTION == 0;
    is_worker.then_some((token >> WORKER_SHIFT) as u32)
}

/// Workers and the requests that wait for one; `R` is a request.
#[derive(Debug)]
pub(super) struct Workers<R> {
    most: u32,
    /// The request that each worker is busy with; as long as the largest number of workers ever busy.
    busy: Vec<Option<R>>,
    idle: Vec<u32>,
    /// Requests with the time that serving each takes.
    waiting: VecDeque<(R, SimDuration)>,
}

/// The start of a worker's service time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ServiceStart {
    pub(super) worker: u32,
    pub(super) takes: SimDuration,
}

impl ServiceStart {
    /// Requests a wake for the end of the service time; see [`worker_of`].
    pub(super) fn request_wake(self, socket: &mut SocketCx<'_, '_>) {
        let token = WORKER | u64::from(self.worker) << WORKER_SHIFT;
        socket.wake(socket.now().saturating_add(self.takes), token);
    }
}

impl<R: Copy> Workers<R> {
    pub(super) fn new(most: u32) -> Self {
        Workers {
            most,
            busy: Vec::new(),
            idle: Vec::new(),
            waiting: VecDeque::new(),
        }
    }

    /// Adds a request that has arrived; returns the worker that takes it, if one is free.
    pub(super) fn submit(&mut self, request: R, takes: SimDuration) -> Option<ServiceStart> {
        let worker = match self.idle.pop() {
            Some(worker) => worker,
            None if (self.busy.len() as u64) < u64::from(self.most) => {
                self.busy.push(None);
                self.busy.len() as u32 - 1
            }
            None => {
                self.waiting.push_back((request, takes));
                return None;
            }
        };
        self.busy[worker as usize] = Some(request);
        Some(ServiceStart { worker, takes })
    }

    /// Ends a worker's service: returns the request that it served, and the service that it begins now.
    pub(super) fn finish(&mut self, worker: u32) -> (Option<R>, Option<ServiceStart>) {
        let Some(place) = self.busy.get_mut(worker as usize) else {
            return (None, None);
        };
        let served = place.take();
        match self.waiting.pop_front() {
            Some((next, takes)) => {
                *place = Some(next);
                (served, Some(ServiceStart { worker, takes }))
            }
            None => {
                self.idle.push(worker);
                (served, None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::SocketId;

    #[test]
    fn requests_wait_for_a_worker_in_order() {
        let id = |slot| SocketId::for_test(slot);
        let takes = SimDuration::from_secs;
        let mut workers = Workers::new(2);
        let begun = |worker, s| {
            Some(ServiceStart {
                worker,
                takes: takes(s),
            })
        };
        assert_eq!(workers.submit(id(1), takes(1)), begun(0, 1));
        assert_eq!(workers.submit(id(2), takes(2)), begun(1, 2));
        assert_eq!(workers.submit(id(3), takes(3)), None);
        assert_eq!(workers.submit(id(4), takes(4)), None);
        assert_eq!(workers.finish(1), (Some(id(2)), begun(1, 3)));
        assert_eq!(workers.finish(0), (Some(id(1)), begun(0, 4)));
        assert_eq!(workers.finish(1), (Some(id(3)), None));
        assert_eq!(workers.submit(id(5), takes(5)), begun(1, 5));
    }
}
