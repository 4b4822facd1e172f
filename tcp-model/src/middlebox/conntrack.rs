//! A stateful firewall that follows connections, as Linux's `nf_conntrack` does.
//!
//! A SYN makes an entry, from either side; the entry follows the connection through Linux's states and times
//! out by its state. A full table first gives up the oldest entry that has not seen traffic of an established
//! connection ("assured"); when there is none, it drops the packet ("nf_conntrack: table full, dropping
//! packet"). A packet that belongs to no entry is picked up as an established connection (`loose`) or is
//! invalid, and invalid packets are dropped (`drop_invalid`), as the usual rules have it.
//!
//! Leaves out: the checks of windows and sequence numbers, the shorter time-outs after many retransmissions
//! and for unacknowledged data, buckets (Linux looks for an entry to give up in eight buckets, not in the
//! whole table), expectations and helpers, rules about who may open connections, and ICMP.

use std::collections::VecDeque;
use std::net::SocketAddrV4;
use std::sync::Arc;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use sim_core::plugin::{ModelKind, Parameter, ValueKind, Values};
use sim_core::{LazyTimer, Packet, SimDuration, SimTime};

use super::flow_table::FlowTable;
use super::{AnyMiddlebox, Count, Middlebox, MiddleboxCx};
use crate::segment::{Flags, Packed};

/// Closing entries go early when the table is fuller than this.
const NEARLY_FULL: f64 = 0.95;

const fn time(name: &'static str, default: &'static str, doc: &'static str) -> Parameter {
    Parameter {
        name,
        kind: ValueKind::Duration,
        default: Some(default),
        doc,
    }
}

const fn flag(name: &'static str, default: &'static str, doc: &'static str) -> Parameter {
    Parameter {
        name,
        kind: ValueKind::Flag,
        default: Some(default),
        doc,
    }
}

const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "max",
        kind: ValueKind::Count,
        default: Some("262144"),
        doc: "most entries (nf_conntrack_max)",
    },
    time("syn_sent", "120 s", "time-out after a SYN"),
    time("syn_recv", "60 s", "time-out after a SYN-ACK"),
    time(
        "established",
        "432000 s",
        "time-out of an established connection (5 days)",
    ),
    time("fin_wait", "120 s", "time-out after the first FIN"),
    time(
        "close_wait",
        "60 s",
        "time-out after that FIN was acknowledged",
    ),
    time("last_ack", "30 s", "time-out after the second FIN"),
    time(
        "time_wait",
        "120 s",
        "time-out after that FIN was acknowledged",
    ),
    time("close", "10 s", "time-out after a reset"),
    flag(
        "loose",
        "true",
        "picks up connections whose SYN it has not seen (nf_conntrack_tcp_loose)",
    ),
    flag(
        "drop_invalid",
        "true",
        "drops packets that fit no entry and make none",
    ),
    flag(
        "early_drop",
        "true",
        "a full table gives up its oldest entry that is not assured",
    ),
    time(
        "gc",
        "0 s",
        "above 95 % of the table, closing entries are removed so often (Linux 4.12 and later, at varying intervals); 0 s for never",
    ),
];

/// Its name and parameters.
pub(super) fn kind() -> ModelKind<AnyMiddlebox> {
    let doc = "follows connections and drops packets when its table is full (Linux nf_conntrack)";
    ModelKind::new("conntrack", doc, PARAMETERS, |values| {
        let spec = ConntrackSpec::of(values);
        values.count_within("max", 1..=100_000_000, "it counts entries")?;
        Ok(Arc::new(move || {
            AnyMiddlebox::Custom(Box::new(Conntrack::new(spec)))
        }))
    })
}

/// A state of a tracked connection, named as in Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    SynSent,
    /// Both ends have sent a SYN.
    SynSent2,
    SynRecv,
    Established,
    FinWait,
    CloseWait,
    LastAck,
    TimeWait,
    Close,
}

/// What a packet does to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It moves there, or stays.
    Move(Phase),
    /// It passes and changes nothing.
    Ignore,
    /// It begins another connection in place of this one.
    Again,
    Invalid,
}

/// A tracker as data.
#[derive(Clone, Copy, Debug, PartialEq)]
struct ConntrackSpec {
    max: u64,
    /// In the order of [`Phase`].
    timeouts: [SimDuration; 9],
    loose: bool,
    drop_invalid: bool,
    early_drop: bool,
    gc: SimDuration,
}

impl ConntrackSpec {
    fn of(values: &Values) -> ConntrackSpec {
        let names = [
            "syn_sent",
            "syn_sent",
            "syn_recv",
            "established",
            "fin_wait",
            "close_wait",
            "last_ack",
            "time_wait",
            "close",
        ];
        ConntrackSpec {
            max: values.count("max"),
            timeouts: names.map(|name| values.duration(name)),
            loose: values.flag("loose"),
            drop_invalid: values.flag("drop_invalid"),
            early_drop: values.flag("early_drop"),
            gc: values.duration("gc"),
        }
    }
}

/// Source and destination of a packet.
type Tuple = (SocketAddrV4, SocketAddrV4);

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The direction of the first SYN.
    tuple: Tuple,
    phase: Phase,
    /// It has seen both ends of an established connection.
    assured: bool,
    /// Number of the entry among all.
    number: u64,
}

/// What became of entries and packets.
#[derive(Clone, Copy, Debug, Default)]
struct Stats {
    made: u64,
    expired: u64,
    replaced: u64,
    early: u64,
    collected: u64,
    peak: u32,
    full: u64,
    first_full: Option<SimTime>,
    invalid: u64,
}

/// A connection tracker.
#[derive(Debug)]
pub struct Conntrack {
    spec: ConntrackSpec,
    table: FlowTable<Entry>,
    /// Both directions of each entry: its place, and whether it is the original direction.
    by_tuple: HashMap<Tuple, (u32, bool), FxBuildHasher>,
    /// Entries that were not assured when they were made, oldest first: place and number.
    young: VecDeque<(u32, u64)>,
    timer: LazyTimer,
    next_gc: SimTime,
    stats: Stats,
}

impl Conntrack {
    fn new(spec: ConntrackSpec) -> Conntrack {
        Conntrack {
            spec,
            table: FlowTable::default(),
            by_tuple: HashMap::default(),
            young: VecDeque::new(),
            timer: LazyTimer::default(),
            next_gc: SimTime::ZERO,
            stats: Stats::default(),
        }
    }

    fn timeout(&self, phase: Phase) -> SimDuration {
        self.spec.timeouts[match phase {
            Phase::SynSent => 0,
            Phase::SynSent2 => 1,
            Phase::SynRecv => 2,
            Phase::Established => 3,
            Phase::FinWait => 4,
            Phase::CloseWait => 5,
            Phase::LastAck => 6,
            Phase::TimeWait => 7,
            Phase::Close => 8,
        }]
    }

    fn forget(&mut self, entry: &Entry) {
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

    /// A packet of a known connection; `None` when it is invalid.
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
            Verdict::Move(phase) => {
                let confirmed = entry.phase == Phase::Established || phase == Phase::Established;
                entry.assured |= confirmed && !flags.is_syn();
                entry.phase = phase;
                let deadline = now.saturating_add(self.timeout(phase));
                self.table.set_deadline(place, deadline);
                Some(true)
            }
            Verdict::Ignore => Some(true),
            Verdict::Again => {
                if let Some(old) = self.table.remove(place) {
                    self.forget(&old);
                    self.stats.replaced += 1;
                }
                self.begin(tuple, flags, now)
            }
            Verdict::Invalid => None,
        }
    }

    /// A packet of an unknown connection; `None` when it is invalid.
    fn begin(&mut self, tuple: Tuple, flags: Flags, now: SimTime) -> Option<bool> {
        let phase = if flags.is_syn() && !flags.is_ack() {
            Phase::SynSent
        } else if self.spec.loose && flags.is_ack() && !flags.is_syn() && !flags.is_rst() {
            if flags.is_fin() {
                Phase::FinWait
            } else {
                Phase::Established
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
        let entry = Entry {
            tuple,
            phase,
            assured: phase != Phase::SynSent,
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

    /// Remembers an entry that may be given up, and forgets those that may not any more.
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

    /// Removes entries of connections that are closing, when it is time to.
    fn collect(&mut self, now: SimTime) {
        if self.spec.gc.is_zero() || now < self.next_gc {
            return;
        }
        self.next_gc = now.saturating_add(self.spec.gc);
        let closing = |e: &Entry| {
            let open = [
                Phase::SynSent,
                Phase::SynSent2,
                Phase::SynRecv,
                Phase::Established,
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

/// What a packet of the original direction, or of the other, does to an entry: Linux's table of states.
fn next(phase: Phase, flags: Flags, original: bool) -> Verdict {
    use Phase::{
        Close, CloseWait, Established, FinWait, LastAck, SynRecv, SynSent, SynSent2, TimeWait,
    };
    if flags.is_rst() {
        return Verdict::Move(Close);
    }
    if flags.is_syn() && flags.is_ack() {
        return match (phase, original) {
            (SynSent2, true) | (SynSent | SynSent2, false) => Verdict::Move(SynRecv),
            (_, true) => Verdict::Invalid,
            (_, false) => Verdict::Ignore,
        };
    }
    if flags.is_syn() {
        return match (phase, original) {
            (TimeWait | Close, true) | (TimeWait, false) => Verdict::Again,
            (SynSent, true) => Verdict::Move(SynSent),
            (SynSent | SynSent2, false) | (SynSent2, true) => Verdict::Move(SynSent2),
            (_, true) => Verdict::Ignore,
            (_, false) => Verdict::Invalid,
        };
    }
    if flags.is_fin() {
        return match phase {
            SynRecv | Established => Verdict::Move(FinWait),
            FinWait | CloseWait => Verdict::Move(LastAck),
            LastAck => Verdict::Move(LastAck),
            TimeWait => Verdict::Move(TimeWait),
            Close => Verdict::Move(Close),
            SynSent | SynSent2 => Verdict::Invalid,
        };
    }
    if !flags.is_ack() {
        return Verdict::Invalid;
    }
    match (phase, original) {
        (SynSent, true) => Verdict::Invalid,
        (SynSent | SynSent2, _) => Verdict::Ignore,
        (SynRecv, true) => Verdict::Move(Established),
        (SynRecv, false) => Verdict::Move(SynRecv),
        (Established, _) => Verdict::Move(Established),
        (FinWait | CloseWait, _) => Verdict::Move(CloseWait),
        (LastAck | TimeWait, _) => Verdict::Move(TimeWait),
        (Close, _) => Verdict::Move(Close),
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
        self.table.clear();
        self.by_tuple.clear();
        self.young.clear();
        self.timer = LazyTimer::default();
    }

    fn counts(&self) -> Vec<(&'static str, Count)> {
        let s = &self.stats;
        let mut all = vec![
            ("conntrack_entries_made", Count::Sum(s.made as f64)),
            ("conntrack_entries_expired", Count::Sum(s.expired as f64)),
            ("conntrack_entries_replaced", Count::Sum(s.replaced as f64)),
            (
                "conntrack_early_drops",
                Count::Sum((s.early + s.collected) as f64),
            ),
            (
                "conntrack_entries_end",
                Count::Sum(f64::from(self.table.len())),
            ),
            ("conntrack_entries_peak", Count::Most(f64::from(s.peak))),
            (
                "conntrack_use_share_peak",
                Count::Most(f64::from(s.peak) / self.spec.max as f64),
            ),
            ("conntrack_full_drops_pkts", Count::Sum(s.full as f64)),
            ("conntrack_invalid_pkts", Count::Sum(s.invalid as f64)),
        ];
        let first = s.first_full.map(|at| at.as_secs_f64());
        all.extend(first.map(|at| ("conntrack_full_first_s", Count::Least(at))));
        all
    }
}

#[cfg(test)]
mod tests;
