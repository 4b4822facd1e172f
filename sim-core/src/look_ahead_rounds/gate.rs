//! The barrier at which threads meet at the end of a window.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Iterations for which a waiting thread spins before it yields its processor, some microseconds.
const AWAKE: u32 = 300;

/// How long a waiting thread yields its processor before it sleeps: usually longer than a window.
/// Waking a sleeping thread may take so long that other threads finish the work first, and it goes
/// back to sleep.
const WAKEFUL: Duration = Duration::from_millis(3);

/// A barrier: all threads pass once all have arrived.
#[derive(Debug, Default)]
pub(super) struct Gate {
    opened: AtomicUsize,
    waiting: AtomicUsize,
    asleep: AtomicUsize,
    broken: AtomicBool,
    sleep_lock: Mutex<()>,
    wake_signal: Condvar,
}

impl Gate {
    /// Waits until `members` threads have arrived; returns false if one of them has panicked.
    pub(super) fn pass(&self, members: usize) -> bool {
        let opened = self.opened.load(Ordering::SeqCst);
        if self.waiting.fetch_add(1, Ordering::SeqCst) + 1 == members {
            self.waiting.store(0, Ordering::SeqCst);
            self.opened.store(opened.wrapping_add(1), Ordering::SeqCst);
            self.wake_all();
            return true;
        }
        let shut = || self.opened.load(Ordering::SeqCst) == opened;
        let broken = || self.broken.load(Ordering::SeqCst);
        for _ in 0..AWAKE {
            if !shut() {
                return true;
            }
            std::hint::spin_loop();
        }
        let since = Instant::now();
        while since.elapsed() < WAKEFUL {
            if !shut() {
                return true;
            }
            std::thread::yield_now();
        }
        self.asleep.fetch_add(1, Ordering::SeqCst);
        let mut sleep_lock = self
            .sleep_lock
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while shut() && !broken() {
            sleep_lock = self
                .wake_signal
                .wait(sleep_lock)
                .unwrap_or_else(PoisonError::into_inner);
        }
        drop(sleep_lock);
        self.asleep.fetch_sub(1, Ordering::SeqCst);
        !shut()
    }

    fn wake_all(&self) {
        // A thread that goes to sleep after this check sees the open gate first: all orderings are sequential.
        if self.asleep.load(Ordering::SeqCst) > 0 {
            drop(self.sleep_lock.lock());
            self.wake_signal.notify_all();
        }
    }
}

/// Opens the gate permanently if its thread panics, so that the others end and the panic propagates.
pub(super) struct BreakOnPanic<'a>(pub(super) &'a Gate);

impl Drop for BreakOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.broken.store(true, Ordering::SeqCst);
            self.0.wake_all();
        }
    }
}
