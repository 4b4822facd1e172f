//! A stateful firewall that follows connections, as Linux's `nf_conntrack` does.
//!
//! A SYN makes an entry, from either side; the entry follows the connection through Linux's states
//! and times out by its state. When the table is full, the oldest entry that has not seen traffic
//! of an established connection (is not "assured") is evicted; if there is none, the packet is
//! dropped ("nf_conntrack: table full, dropping packet"). A packet that belongs to no entry is
//! picked up as an established connection (`loose`) or is invalid, and invalid packets are dropped
//! (`drop_invalid`), as in the usual rule sets.
//!
//! Leaves out: the checks of windows and sequence numbers, the shorter time-outs after many
//! retransmissions and for unacknowledged data, buckets (Linux looks for an entry to evict in eight
//! buckets, not in the whole table), expectations and helpers, rules about who may open
//! connections, and ICMP.

mod spec;
mod tcp_state;

use std::collections::VecDeque;
use std::net::SocketAddrV4;

use sim_core::{LazyTimer, Packet, SimDuration, SimTime};

use self::spec::ConntrackSpec;
pub(super) use self::spec::kind;
use self::tcp_state::{TrackedState, Transition, next};
use super::flow_table::FlowTable;
use super::{FxMap, Middlebox, MiddleboxCount, MiddleboxCx};
use crate::segment::{Flags, Packed};

/// Entries of connections that are closing or not assured are removed early when the table is fuller than
/// this share.
const NEARLY_FULL: f64 = 0.95;

/// Source and destination of a packet.
type Tuple = (SocketAddrV4, SocketAddrV4);

#[derive(Clone, Copy, Debug)]
struct TrackedConnection {
    /// The direction of the first SYN.
    tuple: Tuple,
    phase: TrackedState,
    /// It has seen both ends of an established connection.
    assured: bool,
    /// Serial number of the entry.
    number: u64,
}

/// Counters of entries and packets.
#[derive(Clone, Copy, Debug, Default)]
struct ConntrackStats {
    made: u64,
    expired: u64,
    replaced: u64,
    early: u64,
    collected: u64,
    crashed: u64,
    peak: u32,
    full: u64,
    first_full: Option<SimTime>,
    invalid: u64,
}

/// A connection tracker.
#[derive(Debug)]
pub struct Conntrack {
    spec: ConntrackSpec,
    table: FlowTable<TrackedConnection>,
    /// Both directions of each entry: its place, and whether it is the original direction.
    by_tuple: FxMap<Tuple, (u32, bool)>,
    /// Entries that were not assured when they were made, oldest first: place and number.
    young: VecDeque<(u32, u64)>,
    timer: LazyTimer,
    next_gc: SimTime,
    stats: ConntrackStats,
}

impl Conntrack {
    fn new(spec: ConntrackSpec) -> Conntrack {
        Conntrack {
            spec,
            table: FlowTable::default(),
            by_tuple: FxMap::default(),
            young: VecDeque::new(),
            timer: LazyTimer::default(),
            next_gc: SimTime::ZERO,
            stats: ConntrackStats::default(),
        }
    }

    fn timeout(&self, phase: TrackedState) -> SimDuration {
        self.spec.timeouts[match phase {
            TrackedState::SynSent => 0,
            TrackedState::SynSent2 => 1,
            TrackedState::SynRecv => 2,
            TrackedState::Established => 3,
            TrackedState::FinWait => 4,
            TrackedState::CloseWait => 5,
            TrackedState::LastAck => 6,
            TrackedState::TimeWait => 7,
            TrackedState::Close => 8,
        }]
    }

    fn forget(&mut self, entry: &TrackedConnection) {
        let (from, to) = entry.tuple;
        self.by_tuple.remove(&(from, to));
        self.by_tuple.remove(&(to, from));
    }

    fn expire(&mut self, now: SimTime) {
        while let Some(entry) = self.table.pop_expired(now) {
            self.forget(&entry);
            self.stats.expired += 1;
        }
    }

    /// Whether a packet passes.
    fn takes(&mut self, tuple: Tuple, flags: Flags, now: SimTime) -> bool {
        self.expire(now);
        let passes = match self.by_tuple.get(&tuple).copied() {
            Some((place, original)) => self.follow(place, original, tuple, flags, now),
            None => self.begin(tuple, flags, now),
        };
        passes.unwrap_or_else(|| {
            self.stats.invalid += 1;
            !self.spec.drop_invalid
        })
    }

    /// Handles a packet of a known connection; `None` when it is invalid.
    fn follow(
        &mut self,
        place: u32,
        original: bool,
        tuple: Tuple,
        flags: Flags,
        now: SimTime,
    ) -> Option<bool> {
        let entry = self.table.get_mut(place)?;
        match next(entry.phase, flags, original) {
            Transition::Move(phase) => {
                let confirmed =
                    entry.phase == TrackedState::Established || phase == TrackedState::Established;
                entry.assured |= confirmed && !flags.is_syn();
                entry.phase = phase;
                let deadline = now.saturating_add(self.timeout(phase));
                self.table.set_deadline(place, deadline);
                Some(true)
            }
            Transition::Ignore => Some(true),
            Transition::Again => {
                if let Some(old) = self.table.remove(place) {
                    self.forget(&old);
                    self.stats.replaced += 1;
                }
                self.begin(tuple, flags, now)
            }
            Transition::Invalid => None,
        }
    }

    /// Handles a packet of an unknown connection; `None` when it is invalid.
    fn begin(&mut self, tuple: Tuple, flags: Flags, now: SimTime) -> Option<bool> {
        let phase = if flags.is_syn() && !flags.is_ack() {
            TrackedState::SynSent
        } else if self.spec.loose && flags.is_ack() && !flags.is_syn() && !flags.is_rst() {
            if flags.is_fin() {
                TrackedState::FinWait
            } else {
                TrackedState::Established
            }
        } else {
            return None;
        };
        if !self.has_room(now) {
            self.stats.full += 1;
            self.stats.first_full.get_or_insert(now);
            return Some(false);
        }
        self.stats.made += 1;
        let entry = TrackedConnection {
            tuple,
            phase,
            assured: phase != TrackedState::SynSent,
            number: self.stats.made,
        };
        let deadline = now.saturating_add(self.timeout(phase));
        let place = self.table.insert(entry, deadline);
        let (from, to) = tuple;
        self.by_tuple.insert((from, to), (place, true));
        self.by_tuple.insert((to, from), (place, false));
        self.stats.peak = self.stats.peak.max(self.table.len());
        if self.spec.early_drop && !entry.assured {
            self.note_young(place, entry.number);
        }
        Some(true)
    }

    /// Remembers an entry that may be evicted, and forgets those that no longer may.
    fn note_young(&mut self, place: u32, number: u64) {
        if self.young.len() > 2 * self.table.len() as usize + 16 {
            let table = &mut self.table;
            self.young.retain(|(place, number)| {
                let entry = table.get_mut(*place);
                entry.is_some_and(|e| e.number == *number && !e.assured)
            });
        }
        self.young.push_back((place, number));
    }

    /// Makes room for an entry if that is allowed.
    fn has_room(&mut self, now: SimTime) -> bool {
        let len = u64::from(self.table.len());
        if len as f64 > NEARLY_FULL * self.spec.max as f64 {
            self.collect(now);
        }
        if u64::from(self.table.len()) < self.spec.max {
            return true;
        }
        while let Some((place, number)) = self.young.pop_front() {
            let entry = self.table.get_mut(place);
            if entry.is_some_and(|e| e.number == number && !e.assured)
                && let Some(old) = self.table.remove(place)
            {
                self.forget(&old);
                self.stats.early += 1;
                return true;
            }
        }
        false
    }

    /// Removes entries of connections that are closing or not assured, when it is time to.
    fn collect(&mut self, now: SimTime) {
        if self.spec.gc.is_zero() || now < self.next_gc {
            return;
        }
        self.next_gc = now.saturating_add(self.spec.gc);
        let closing = |e: &TrackedConnection| {
            let open = [
                TrackedState::SynSent,
                TrackedState::SynSent2,
                TrackedState::SynRecv,
                TrackedState::Established,
            ];
            !e.assured || !open.contains(&e.phase)
        };
        let all = self.table.iter().filter(|(_, e)| closing(e));
        let places: Vec<u32> = all.map(|(place, _)| place).collect();
        for place in places {
            if let Some(old) = self.table.remove(place) {
                self.forget(&old);
                self.stats.collected += 1;
            }
        }
    }
}

impl Middlebox for Conntrack {
    fn on_packet(
        &mut self,
        packet: Packet<Packed>,
        cx: &mut MiddleboxCx<'_, '_>,
    ) -> Option<Packet<Packed>> {
        if cx.owns(packet.dst) {
            return Some(packet);
        }
        let (src, dst) = packet.payload.ports();
        let tuple = (
            SocketAddrV4::new(packet.src, src),
            SocketAddrV4::new(packet.dst, dst),
        );
        // A packet with a wrong checksum makes no entry and is no reason to drop it here.
        if packet.corrupt || self.takes(tuple, packet.payload.flags(), cx.now()) {
            cx.pass_on(packet);
        } else {
            cx.drop(packet);
        }
        let token = cx.token();
        self.timer
            .set(self.table.next_deadline(), token, cx.wakes());
        None
    }

    fn on_wake(&mut self, cx: &mut MiddleboxCx<'_, '_>) {
        let token = cx.token();
        if self.timer.fire(token, cx.wakes()) {
            self.expire(cx.now());
        }
        self.timer
            .set(self.table.next_deadline(), token, cx.wakes());
    }

    fn on_crash(&mut self) {
        self.stats.crashed += u64::from(self.table.len());
        self.table.clear();
        self.by_tuple.clear();
        self.young.clear();
        self.timer = LazyTimer::default();
    }

    fn entries(&self) -> Option<u32> {
        Some(self.table.len())
    }

    fn counts(&self) -> Vec<(&'static str, MiddleboxCount)> {
        let s = &self.stats;
        let mut all = vec![
            ("conntrack_entries_made", MiddleboxCount::Sum(s.made as f64)),
            (
                "conntrack_entries_expired",
                MiddleboxCount::Sum(s.expired as f64),
            ),
            (
                "conntrack_entries_replaced",
                MiddleboxCount::Sum(s.replaced as f64),
            ),
            (
                "conntrack_early_drops",
                MiddleboxCount::Sum((s.early + s.collected) as f64),
            ),
            (
                "conntrack_entries_crashed",
                MiddleboxCount::Sum(s.crashed as f64),
            ),
            (
                "conntrack_entries_end",
                MiddleboxCount::Sum(f64::from(self.table.len())),
            ),
            (
                "conntrack_entries_peak",
                MiddleboxCount::Most(f64::from(s.peak)),
            ),
            (
                "conntrack_use_share_peak",
                MiddleboxCount::Most(f64::from(s.peak) / self.spec.max as f64),
            ),
            (
                "conntrack_full_drops_pkts",
                MiddleboxCount::Sum(s.full as f64),
            ),
            (
                "conntrack_invalid_pkts",
                MiddleboxCount::Sum(s.invalid as f64),
            ),
        ];
        let first = s.first_full.map(|at| at.as_secs_f64());
        all.extend(first.map(|at| ("conntrack_full_first_s", MiddleboxCount::Least(at))));
        all
    }
}

#[cfg(test)]
mod tests;
