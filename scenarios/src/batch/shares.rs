//! Threads shared by runs that execute at the same time.

use std::sync::{Mutex, PoisonError};

/// Threads that runs share: each run takes its part of the free ones when it starts.
#[derive(Debug)]
pub(super) struct Shares(Mutex<ShareCounts>);

#[derive(Debug)]
struct ShareCounts {
    free: usize,
    /// Number of runs that have not started.
    waiting: usize,
}

impl Shares {
    pub(super) fn new(threads: usize, runs: usize) -> Shares {
        Shares(Mutex::new(ShareCounts {
            free: threads,
            waiting: runs,
        }))
    }

    pub(super) fn take(&self) -> usize {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let threads = (shared.free / shared.waiting.max(1)).max(1);
        shared.free = shared.free.saturating_sub(threads);
        shared.waiting = shared.waiting.saturating_sub(1);
        threads
    }

    pub(super) fn give_back(&self, threads: usize) {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shared.free += threads;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_share_the_threads_there_are() {
        let all = |threads, runs| {
            let shares = Shares::new(threads, runs);
            (0..runs).map(|_| shares.take()).collect::<Vec<_>>()
        };
        assert_eq!(all(8, 1), [8]);
        assert_eq!(all(8, 3), [2, 3, 3]);
        assert_eq!(all(2, 2), [1, 1]);
        assert_eq!(all(1, 3), [1, 1, 1]);
        let shares = Shares::new(4, 6);
        assert_eq!([(); 4].map(|()| shares.take()), [1; 4]);
        shares.give_back(1);
        assert_eq!(shares.take(), 1);
        // The last run gets all remaining threads.
        (0..3).for_each(|_| shares.give_back(1));
        assert_eq!(shares.take(), 3);
    }
}
