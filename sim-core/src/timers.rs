//! Timers that a host sets, moves and cancels.
//!
//! A timer is data in its host: moving its deadline later writes a field and touches no queue. A
//! cancelled timer leaves at most two pending events, which do nothing when they fire.

use crate::host::Cx;
use crate::host::Host;
use crate::time::{SimDuration, SimTime};

/// What a timer requests wakes from: the engine's [`Cx`], or anything else that drives a protocol.
pub trait Wakes {
    /// The current time.
    fn now(&self) -> SimTime;
    /// Requests a wake with `token` at `at`, or now if that is past.
    fn wake(&mut self, at: SimTime, token: u64);
}

impl<H: Host> Wakes for Cx<'_, H> {
    #[inline]
    fn now(&self) -> SimTime {
        Cx::now(self)
    }

    #[inline]
    fn wake(&mut self, at: SimTime, token: u64) {
        Cx::wake(self, at, token);
    }
}

/// One timer. Moving its deadline later writes a field and touches no queue.
///
/// Keep one per purpose, call [`LazyTimer::set`] as often as needed, and call [`LazyTimer::fire`]
/// when its token fires. A deadline that moves earlier queues a second event and remembers the
/// first, so that a short timer that runs ahead of a long one (delayed ACK before retransmission)
/// leaves no trail of stale events. If more than two are pending, the latest is remembered: the
/// others fire soon, and no timer set far ahead is queued twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LazyTimer {
    deadline: SimTime,
    /// The next pending event of this timer.
    queued: SimTime,
    /// A later one, overtaken when the deadline moved earlier.
    overtaken: SimTime,
}

impl Default for LazyTimer {
    fn default() -> Self {
        LazyTimer {
            deadline: SimTime::MAX,
            queued: SimTime::MAX,
            overtaken: SimTime::MAX,
        }
    }
}

impl LazyTimer {
    /// Sets the deadline, or clears it with `None`; a deadline in the past becomes now. Wakes are
    /// requested with `token`.
    pub fn set<W: Wakes>(&mut self, deadline: Option<SimTime>, token: u64, cx: &mut W) {
        self.deadline = deadline.map_or(SimTime::MAX, |at| at.max(cx.now()));
        self.ensure_queued(token, cx);
    }

    /// Clears the deadline. Pending wakes will find nothing to do.
    pub fn cancel(&mut self) {
        self.deadline = SimTime::MAX;
    }

    fn ensure_queued<W: Wakes>(&mut self, token: u64, cx: &mut W) {
        if self.deadline < self.queued {
            if self.overtaken == SimTime::MAX {
                self.overtaken = self.queued;
            }
            self.queued = self.deadline;
            cx.wake(self.deadline, token);
        }
    }

    /// Handles a wake with the timer's token. Returns true if the deadline has been reached;
    /// otherwise the wake was early or stale, and the timer has queued another event if it needs
    /// one.
    pub fn fire<W: Wakes>(&mut self, token: u64, cx: &mut W) -> bool {
        let now = cx.now();
        if now != self.queued {
            return false;
        }
        self.queued = self.overtaken;
        self.overtaken = SimTime::MAX;
        if self.deadline <= now {
            self.deadline = SimTime::MAX;
            return true;
        }
        self.ensure_queued(token, cx);
        false
    }

    /// Returns true if the next wake will find the deadline reached.
    pub fn is_due_next(&self) -> bool {
        self.deadline <= self.queued
    }

    /// The deadline, if one is set.
    pub fn deadline(&self) -> Option<SimTime> {
        (self.deadline < SimTime::MAX).then_some(self.deadline)
    }
}

/// Timers by name, for hosts that use [`Host::on_timer`] for nothing else.
///
/// ```
/// # use sim_core::{Cx, Host, Packet, SimDuration, Timers};
/// # #[derive(Default)]
/// # struct Client { timers: Timers }
/// # impl Host for Client {
/// # type Payload = (); type Sample = &'static str; type Scratch = ();
/// fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
///     self.timers.set_in("retry", SimDuration::from_secs(1), cx);
/// }
/// fn on_packet(&mut self, _: Packet<()>, _: &mut Cx<'_, Self>) {
///     self.timers.cancel("retry");
/// }
/// fn on_timer(&mut self, token: u64, cx: &mut Cx<'_, Self>) {
///     match self.timers.fire(token, cx) {
///         Some("retry") => cx.record("no answer"),
///         _ => {}
///     }
/// }
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Timers {
    /// The token of a timer is its index.
    all: Vec<(&'static str, LazyTimer)>,
}

impl Timers {
    /// Sets a timer, new or existing, to fire at `at`, or now if that is past.
    pub fn set<W: Wakes>(&mut self, name: &'static str, at: SimTime, cx: &mut W) {
        let place = self.place(name).unwrap_or_else(|| {
            self.all.push((name, LazyTimer::default()));
            self.all.len() - 1
        });
        self.all[place].1.set(Some(at), place as u64, cx);
    }

    /// Sets a timer to fire after `delay`.
    pub fn set_in<W: Wakes>(&mut self, name: &'static str, delay: SimDuration, cx: &mut W) {
        self.set(name, cx.now().saturating_add(delay), cx);
    }

    /// Cancels a timer; nothing happens if it is not set.
    pub fn cancel(&mut self, name: &str) {
        if let Some(place) = self.place(name) {
            self.all[place].1.cancel();
        }
    }

    /// The time at which a timer will fire, if it is set.
    pub fn deadline(&self, name: &str) -> Option<SimTime> {
        self.all[self.place(name)?].1.deadline()
    }

    /// Handles a wake with `token`. Returns the timer that fires, if one does: wakes of timers that
    /// were moved or cancelled return `None`.
    pub fn fire<W: Wakes>(&mut self, token: u64, cx: &mut W) -> Option<&'static str> {
        let (name, timer) = self.all.get_mut(usize::try_from(token).ok()?)?;
        timer.fire(token, cx).then_some(*name)
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.all.iter().position(|(n, _)| *n == name)
    }
}
