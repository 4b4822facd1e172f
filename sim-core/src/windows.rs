//! Runs partitions window by window, on one thread or several.
//!
//! Within a window no partition can reach another, so that threads only meet at its end. They
//! wait for each other awake at first, for a window is often shorter than waking a thread; where
//! windows are too short even for that, or the cores are not there, the caller runs them alone.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

use rayon::ThreadPool;

use crate::host::Host;
use crate::partition::Partition;
use crate::time::{SimDuration, SimTime};

/// Events that a partition runs in one go, and after which one thread reports back.
const BATCH: u64 = 1 << 14;
/// Events after which several threads report back.
const THREADS_BATCH: u64 = 1 << 16;
/// Batches after which the slower way to run is tried again.
const TRY_AGAIN: u32 = 32;
/// Looks at the gate before a waiting thread goes to sleep, some microseconds.
const AWAKE: u32 = 500;

/// How windows are cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) end: SimTime,
    pub(crate) look_ahead: SimDuration,
}

/// Whether to use threads: whichever way took less time per event when last tried. The clock decides
/// about the way only, results are the same.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    alone_ns: Option<f64>,
    together_ns: Option<f64>,
    batches: u32,
}

impl Pace {
    /// Runs a batch of windows; the time of the next event before the end.
    pub(crate) fn run_batch<H: Host>(
        &mut self,
        partitions: &mut [Partition<H>],
        bounds: Bounds,
        pool: Option<&ThreadPool>,
    ) -> Option<SimTime> {
        let Some(pool) = pool else {
            return run_alone(partitions, bounds);
        };
        let together = self.is_better_together();
        let events = |all: &[Partition<H>]| all.iter().map(|p| p.core.events).sum::<u64>();
        let (before, start) = (events(partitions), Instant::now());
        let next = if together {
            run_together(partitions, bounds, pool)
        } else {
            run_alone(partitions, bounds)
        };
        let done = (events(partitions) - before).max(1);
        let ns = Some(start.elapsed().as_nanos() as f64 / done as f64);
        if together {
            self.together_ns = ns;
        } else {
            self.alone_ns = ns;
        }
        next
    }

    fn is_better_together(&mut self) -> bool {
        self.batches += 1;
        let better = match (self.together_ns, self.alone_ns) {
            (None, _) => return true,
            (_, None) => return false,
            (Some(together), Some(alone)) => together <= alone,
        };
        better != self.batches.is_multiple_of(TRY_AGAIN)
    }
}

impl Bounds {
    fn first<'a, H: Host + 'a>(
        &self,
        partitions: impl Iterator<Item = &'a Partition<H>>,
    ) -> Option<SimTime> {
        let first = partitions.filter_map(Partition::next_time).min()?;
        (first < self.end).then_some(first)
    }

    fn horizon(&self, first: SimTime) -> SimTime {
        (first + self.look_ahead).min(self.end)
    }
}

fn exchange_mail<H: Host>(partitions: &mut [impl AsPartition<H>]) {
    for i in 1..partitions.len() {
        let (left, right) = partitions.split_at_mut(i);
        let this = right[0].partition();
        for other in left {
            let other = other.partition();
            other.bring_mail_to(this);
            this.bring_mail_to(other);
        }
    }
}

/// A partition, however it is held.
trait AsPartition<H: Host> {
    fn partition(&mut self) -> &mut Partition<H>;
}

impl<H: Host> AsPartition<H> for Partition<H> {
    fn partition(&mut self) -> &mut Partition<H> {
        self
    }
}

impl<H: Host> AsPartition<H> for std::sync::MutexGuard<'_, &mut Partition<H>> {
    fn partition(&mut self) -> &mut Partition<H> {
        self
    }
}

/// Runs a batch of windows on the calling thread.
fn run_alone<H: Host>(partitions: &mut [Partition<H>], bounds: Bounds) -> Option<SimTime> {
    let mut done = 0;
    loop {
        let first = bounds.first(partitions.iter())?;
        if done >= BATCH {
            return Some(first);
        }
        let horizon = bounds.horizon(first);
        for partition in &mut *partitions {
            done += partition.run_before(horizon, BATCH);
        }
        exchange_mail(partitions);
    }
}

/// Runs a batch of windows on all threads of a pool.
fn run_together<H: Host>(
    partitions: &mut [Partition<H>],
    bounds: Bounds,
    pool: &ThreadPool,
) -> Option<SimTime> {
    let team = Team {
        members: pool.current_num_threads(),
        bounds,
        taken: partitions.iter().map(|_| AtomicU64::new(0)).collect(),
        partitions: partitions.iter_mut().map(Mutex::new).collect(),
        gate: Gate::default(),
        horizon: AtomicU64::new(0),
        done: AtomicU64::new(0),
    };
    let outcomes = pool.broadcast(|member| {
        let _guard = BreakOnPanic(&team.gate);
        if member.index() == 0 {
            team.lead()
        } else {
            team.follow(member.index());
            None
        }
    });
    outcomes.into_iter().flatten().next()
}

/// Threads at work on the same windows; the first of them leads.
struct Team<'a, H: Host> {
    members: usize,
    bounds: Bounds,
    partitions: Vec<Mutex<&'a mut Partition<H>>>,
    /// The last round in which somebody took each partition.
    taken: Vec<AtomicU64>,
    gate: Gate,
    /// Of the current window, in ps; zero when the batch is over.
    horizon: AtomicU64,
    done: AtomicU64,
}

impl<H: Host> Team<'_, H> {
    /// Prepares windows and takes part in them; the time of the first event after the last.
    fn lead(&self) -> Option<SimTime> {
        let mut window = 0;
        loop {
            let next = self.prepare(self.done.load(Ordering::Acquire) < THREADS_BATCH);
            window += 1;
            if !self.enter(0, window) {
                return next;
            }
        }
    }

    /// Takes part in windows until there are no more.
    fn follow(&self, member: usize) {
        let mut window = 1;
        while self.enter(member, window) {
            window += 1;
        }
    }

    /// Waits for the window to be prepared and takes part in it; false when the batch is over.
    fn enter(&self, member: usize, window: u64) -> bool {
        self.gate.pass(self.members)
            && self.horizon.load(Ordering::Acquire) != 0
            && self.run_window(member, window)
    }

    /// Delivers mail and sets the next window; the time of its first event.
    fn prepare(&self, go_on: bool) -> Option<SimTime> {
        let lock = |m| Mutex::lock(m).unwrap_or_else(PoisonError::into_inner);
        let mut partitions: Vec<_> = self.partitions.iter().map(lock).collect();
        exchange_mail(&mut partitions);
        let next = self.bounds.first(partitions.iter().map(|p| &***p));
        let horizon = next.filter(|_| go_on).map(|t| self.bounds.horizon(t));
        let ps = horizon.map_or(0, SimTime::as_ps);
        self.horizon.store(ps, Ordering::Release);
        next
    }

    /// Runs the partitions nobody else has taken, one's own first; waits for the others.
    fn run_window(&self, member: usize, window: u64) -> bool {
        let horizon = SimTime::from_ps(self.horizon.load(Ordering::Acquire));
        let count = self.partitions.len();
        let own = (member..count).step_by(self.members);
        for i in own.chain(0..count) {
            if self.taken[i].swap(window, Ordering::AcqRel) != window {
                let partition = self.partitions[i].lock();
                let mut partition = partition.unwrap_or_else(PoisonError::into_inner);
                let done = partition.run_before(horizon, BATCH);
                self.done.fetch_add(done, Ordering::AcqRel);
            }
        }
        self.gate.pass(self.members)
    }
}

/// Where threads meet: all pass once all have come.
#[derive(Debug, Default)]
struct Gate {
    opened: AtomicUsize,
    waiting: AtomicUsize,
    asleep: AtomicUsize,
    broken: AtomicBool,
    bed: Mutex<()>,
    bell: Condvar,
}

impl Gate {
    /// Waits until `members` threads have come; false when one of them never will.
    fn pass(&self, members: usize) -> bool {
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
        self.asleep.fetch_add(1, Ordering::SeqCst);
        let mut bed = self.bed.lock().unwrap_or_else(PoisonError::into_inner);
        while shut() && !broken() {
            bed = self.bell.wait(bed).unwrap_or_else(PoisonError::into_inner);
        }
        drop(bed);
        self.asleep.fetch_sub(1, Ordering::SeqCst);
        !shut()
    }

    fn wake_all(&self) {
        // Who goes to bed after this look sees the open gate first: all orders are sequential.
        if self.asleep.load(Ordering::SeqCst) > 0 {
            drop(self.bed.lock());
            self.bell.notify_all();
        }
    }
}

/// Opens the gate for good when its thread panics, so that the others end and the panic gets out.
struct BreakOnPanic<'a>(&'a Gate);

impl Drop for BreakOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.broken.store(true, Ordering::SeqCst);
            self.0.wake_all();
        }
    }
}
