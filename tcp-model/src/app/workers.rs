//! The workers of a server: each serves one request at a time; further requests wait in order of arrival.

use std::collections::VecDeque;

use sim_core::SimDuration;

use crate::host::SocketId;

/// A request with the time that serving it takes.
type QueuedRequest = (SocketId, SimDuration);

/// Workers and the requests that wait for one.
#[derive(Debug)]
pub(super) struct Workers {
    most: u32,
    /// The request that each worker is busy with; as long as the largest number of workers ever busy.
    busy: Vec<Option<SocketId>>,
    idle: Vec<u32>,
    waiting: VecDeque<QueuedRequest>,
}

/// The start of a worker's service time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ServiceStart {
    pub(super) worker: u32,
    pub(super) takes: SimDuration,
}

impl Workers {
    pub(super) fn new(most: u32) -> Workers {
        Workers {
            most,
            busy: Vec::new(),
            idle: Vec::new(),
            waiting: VecDeque::new(),
        }
    }

    /// Adds a request that has arrived; returns the worker that takes it, if one is free.
    pub(super) fn submit(&mut self, id: SocketId, takes: SimDuration) -> Option<ServiceStart> {
        let worker = match self.idle.pop() {
            Some(worker) => worker,
            None if (self.busy.len() as u64) < u64::from(self.most) => {
                self.busy.push(None);
                self.busy.len() as u32 - 1
            }
            None => {
                self.waiting.push_back((id, takes));
                return None;
            }
        };
        self.busy[worker as usize] = Some(id);
        Some(ServiceStart { worker, takes })
    }

    /// Ends a worker's service: returns whose request it served, and the one it begins now.
    pub(super) fn finish(&mut self, worker: u32) -> (Option<SocketId>, Option<ServiceStart>) {
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
