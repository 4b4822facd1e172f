//! Runs partitions in rounds: each runs its events of one window of simulated time, on one thread or
//! several.
//!
//! Within a window no partition can affect another, so threads only synchronise at its end. They spin at
//! first, since a window is often shorter than the time to wake a thread; if windows are too short even for
//! that, or cores are busy, the calling thread runs them alone.

mod gate;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rayon::ThreadPool;

use self::gate::{BreakOnPanic, Gate};
use crate::host::Host;
use crate::partition::Partition;
use crate::time::{SimDuration, SimTime};

/// Events that a partition runs in one go; a single thread reports progress after this many.
const BATCH: u64 = 1 << 14;
/// Events after which several threads report progress.
const THREADS_BATCH: u64 = 1 << 17;
/// The same while the two modes are being compared.
const TRIAL_BATCH: u64 = 1 << 15;
/// Batches after which the slower mode is tried again: the first and the largest number; the number
/// doubles each time the mode is still slower.
const TRY_AGAIN: [u32; 2] = [32, 512];
/// Batches run in each mode before they are compared: the first one fills the caches.
const FIRST_BATCHES: usize = 3;
/// Tolerance of the measurements: if both modes seem equally fast, threads are used.
const MARGIN: f64 = 1.05;

/// How windows are determined.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) end: SimTime,
    pub(crate) look_ahead: SimDuration,
}

/// Counts of windows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RoundCounts {
    /// Windows that ended with a synchronisation.
    pub(crate) windows: u64,
    /// Number of times that a partition had events to handle in a window.
    pub(crate) visits: u64,
}

/// Chooses between one thread and several by the time per event. The clock decides only the mode,
/// not the results.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    alone: Speed,
    together: Speed,
    /// Several threads were faster in the last comparison.
    is_together: bool,
    /// Batches until the other mode is tried again, and their initial number.
    patience: [u32; 2],
    pub(crate) tally: RoundCounts,
}

/// Nanoseconds per event of the last batches in one mode. Only the smallest is used, since other
/// work on the machine can only make a batch slower.
#[derive(Debug)]
struct Speed {
    last: [f64; 4],
    batches: usize,
}

impl Default for Speed {
    fn default() -> Speed {
        Speed {
            last: [f64::INFINITY; 4],
            batches: 0,
        }
    }
}

impl Speed {
    fn add(&mut self, ns: f64) {
        self.last[self.batches % self.last.len()] = ns;
        self.batches += 1;
    }

    fn ns(&self) -> f64 {
        self.last.iter().copied().fold(f64::INFINITY, f64::min)
    }
}

impl Pace {
    /// Runs a batch of windows; returns the time of the next event before the end.
    pub(crate) fn run_batch<H: Host>(
        &mut self,
        partitions: &mut [Partition<H>],
        bounds: Bounds,
        pool: Option<&ThreadPool>,
    ) -> Option<SimTime> {
        let Some(pool) = pool else {
            return run_alone(partitions, bounds, &mut self.tally);
        };
        let (together, batch) = self.choose();
        let events = |all: &[Partition<H>]| all.iter().map(|p| p.core.events).sum::<u64>();
        let (before, start) = (events(partitions), Instant::now());
        let next = if together {
            run_together(partitions, bounds, pool, batch, &mut self.tally)
        } else {
            run_alone(partitions, bounds, &mut self.tally)
        };
        let done = (events(partitions) - before).max(1);
        let ns = start.elapsed().as_nanos() as f64 / done as f64;
        let speed = if together {
            &mut self.together
        } else {
            &mut self.alone
        };
        speed.add(ns);
        next
    }

    /// Whether to use several threads for the next batch, and how many events it may have. The
    /// first batches try each mode, several threads first; after that the faster mode runs, and the
    /// other one now and then.
    fn choose(&mut self) -> (bool, u64) {
        if self.together.batches < FIRST_BATCHES {
            return (true, TRIAL_BATCH);
        }
        if self.alone.batches < FIRST_BATCHES {
            return (false, TRIAL_BATCH);
        }
        let better = self.together.ns() <= MARGIN * self.alone.ns();
        let [left, all] = &mut self.patience;
        if *all == 0 || better != self.is_together {
            (*left, *all) = (TRY_AGAIN[0], TRY_AGAIN[0]);
            self.is_together = better;
        }
        if *left == 0 {
            *all = (2 * *all).min(TRY_AGAIN[1]);
            *left = *all;
            return (!better, TRIAL_BATCH);
        }
        *left -= 1;
        (better, THREADS_BATCH)
    }
}

/// A window: how far each partition may run.
///
/// An event at `t` in one partition affects no other before `t` plus the look-ahead. So all may run until the
/// first event anywhere plus a look-ahead. If only one has anything to do until then, it may run
/// until the first event of the others plus a look-ahead; its own mail may shorten that (see
/// [`Partition::run_before`]). A partition whose neighbours are idle does not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LookAheadWindow {
    /// Time of the first event.
    first: SimTime,
    /// The partition it is in.
    busiest: usize,
    /// How far that partition may run, and the others.
    horizons: [SimTime; 2],
}

impl Bounds {
    /// The next window; `None` if there is nothing left to do. `next` are the times of the first
    /// events of all partitions.
    fn window(&self, next: impl Iterator<Item = Option<SimTime>>) -> Option<LookAheadWindow> {
        let (mut busiest, mut first, mut second) = (0, SimTime::MAX, SimTime::MAX);
        for (i, next) in next.enumerate() {
            let next = next.unwrap_or(SimTime::MAX);
            if next < first {
                (busiest, first, second) = (i, next, first);
            } else {
                second = second.min(next);
            }
        }
        let horizon = |t: SimTime| t.saturating_add(self.look_ahead).min(self.end);
        let common = horizon(first);
        // If others have work too, a partition that ran further would have to wait in the next
        // window: they would take turns.
        let of_busiest = if second < common {
            common
        } else {
            horizon(second)
        };
        (first < self.end).then_some(LookAheadWindow {
            first,
            busiest,
            horizons: [of_busiest, common],
        })
    }
}

impl LookAheadWindow {
    fn horizon(&self, partition: usize) -> SimTime {
        self.horizons[usize::from(partition != self.busiest)]
    }
}

/// Delivers the mail of all partitions.
fn exchange_mail<H: Host>(partitions: &mut [impl AsPartition<H>]) {
    for from in 0..partitions.len() {
        while let Some(to) = partitions[from].partition().next_mailed() {
            if let Ok([from, to]) = partitions.get_disjoint_mut([from, to as usize]) {
                from.partition().bring_mail_to(to.partition());
            }
        }
    }
}

/// A partition, borrowed or behind a lock.
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
fn run_alone<H: Host>(
    partitions: &mut [Partition<H>],
    bounds: Bounds,
    tally: &mut RoundCounts,
) -> Option<SimTime> {
    let mut done = 0;
    loop {
        let window = bounds.window(partitions.iter().map(Partition::next_time))?;
        if done >= BATCH {
            return Some(window.first);
        }
        tally.windows += 1;
        for (i, partition) in partitions.iter_mut().enumerate() {
            let horizon = window.horizon(i);
            if partition.next_time().is_some_and(|t| t < horizon) {
                tally.visits += 1;
                done += partition.run_before(horizon, BATCH);
            }
        }
        exchange_mail(partitions);
    }
}

/// Runs a batch of windows on all threads of a pool.
fn run_together<H: Host>(
    partitions: &mut [Partition<H>],
    bounds: Bounds,
    pool: &ThreadPool,
    batch: u64,
    tally: &mut RoundCounts,
) -> Option<SimTime> {
    let team = Team {
        members: pool.current_num_threads(),
        bounds,
        batch,
        due: partitions.iter().map(|_| AtomicU64::new(0)).collect(),
        partitions: partitions.iter_mut().map(Mutex::new).collect(),
        gate: Gate::default(),
        go_on: AtomicBool::new(false),
        done: AtomicU64::new(0),
        windows: AtomicU64::new(0),
        visits: AtomicU64::new(0),
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
    tally.windows += team.windows.load(Ordering::Acquire);
    tally.visits += team.visits.load(Ordering::Acquire);
    outcomes.into_iter().flatten().next()
}

/// Threads that work on the same windows; the first one leads.
struct Team<'a, H: Host> {
    members: usize,
    bounds: Bounds,
    /// Events after which the batch is over.
    batch: u64,
    partitions: Vec<Mutex<&'a mut Partition<H>>>,
    /// How far each partition may run in this window, in ps; zero if it has nothing to do, or if a
    /// thread has already taken it.
    due: Vec<AtomicU64>,
    gate: Gate,
    /// False when the batch is over.
    go_on: AtomicBool,
    done: AtomicU64,
    windows: AtomicU64,
    visits: AtomicU64,
}

impl<H: Host> Team<'_, H> {
    /// Prepares windows and takes part in them; returns the time of the first event after the last.
    fn lead(&self) -> Option<SimTime> {
        loop {
            let next = self.prepare();
            if !self.enter(0) {
                return next;
            }
        }
    }

    /// Takes part in windows until there are no more.
    fn follow(&self, member: usize) {
        while self.enter(member) {}
    }

    /// Waits for the window to be prepared and takes part in it; returns false when the batch is
    /// over.
    fn enter(&self, member: usize) -> bool {
        self.gate.pass(self.members) && self.go_on.load(Ordering::Acquire) && self.run(member)
    }

    /// Delivers mail and sets the next window; returns the time of its first event.
    ///
    /// A window with a single active partition is run at once: waking the other threads would take
    /// longer.
    fn prepare(&self) -> Option<SimTime> {
        let lock = |m| Mutex::lock(m).unwrap_or_else(PoisonError::into_inner);
        let mut partitions: Vec<_> = self.partitions.iter().map(lock).collect();
        loop {
            exchange_mail(&mut partitions);
            let window = self.bounds.window(partitions.iter().map(|p| p.next_time()));
            let go_on = window.is_some() && self.done.load(Ordering::Acquire) < self.batch;
            self.go_on.store(go_on, Ordering::Release);
            let window = window?;
            if !go_on {
                return Some(window.first);
            }
            self.windows.fetch_add(1, Ordering::AcqRel);
            let is_due = |(i, p): (usize, &MutexGuard<'_, &mut Partition<H>>)| {
                p.next_time().is_some_and(|t| t < window.horizon(i))
            };
            if partitions
                .iter()
                .enumerate()
                .map(is_due)
                .filter(|due| *due)
                .count()
                > 1
            {
                for (i, partition) in partitions.iter().enumerate() {
                    let due = is_due((i, partition));
                    let ps = if due { window.horizon(i).as_ps() } else { 0 };
                    self.due[i].store(ps, Ordering::Release);
                }
                return Some(window.first);
            }
            let i = window.busiest;
            self.visit(&mut partitions[i], window.horizon(i));
        }
    }

    /// Runs the partitions that no other thread has taken, its own first; then waits for the others.
    fn run(&self, member: usize) -> bool {
        let count = self.partitions.len();
        let own = (member..count).step_by(self.members);
        for i in own.chain(0..count) {
            let due = self.due[i].swap(0, Ordering::AcqRel);
            if due != 0 {
                let partition = self.partitions[i].lock();
                let mut partition = partition.unwrap_or_else(PoisonError::into_inner);
                self.visit(&mut partition, SimTime::from_ps(due));
            }
        }
        self.gate.pass(self.members)
    }

    fn visit(&self, partition: &mut Partition<H>, horizon: SimTime) {
        let done = partition.run_before(horizon, BATCH);
        self.done.fetch_add(done, Ordering::AcqRel);
        self.visits.fetch_add(1, Ordering::AcqRel);
    }
}
