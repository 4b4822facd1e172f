//! All TIME-WAIT entries of a host: small, in order of expiry, behind one timer.
//!
//! 2 MSL is the same for all, so the oldest expires first: a doubly linked list through a slab is
//! the whole timer queue. Entries with a shorter time (`tw_recycle`) are in a second list. An entry
//! takes 52 bytes, and 6 to 12 in the table of 4-tuples. The timestamp offset is not stored: the
//! host computes it from the 4-tuple.

use sim_core::{SimDuration, SimTime};

use super::bound::Reuse;
use super::chunked::Chunked;
use super::four_tuple::FourTuple;
use crate::sample::Side;
use crate::segment::ConnId;
use crate::seq::SeqNum;
use crate::time_wait::TimeWait;

const NIL: u32 = u32::MAX;

/// The state kept for a connection in TIME-WAIT. 64-bit fields are split so that the struct aligns to four
/// bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeWaitEntry {
    flow: FourTuple,
    since: [u32; 2],
    conn: [u32; 2],
    snd_nxt: SeqNum,
    rcv_nxt: SeqNum,
    ts_recent: u32,
    prev: u32,
    next: u32,
    window: u16,
    shift: u8,
    flags: u8,
}

const _: () = assert!(size_of::<TimeWaitEntry>() == 52);

const TRACED: u8 = 1;
const HAS_TIMESTAMP: u8 = 2;
const PASSIVE: u8 = 4;
const HOLDS_PORT: u8 = 8;
const RIPENED: u8 = 16;
/// [`Reuse`] uses two bits from here.
const REUSE_SHIFT: u8 = 5;
const SHORT: u8 = 128;

/// How long an entry stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stay {
    /// For 2 MSL.
    Full,
    /// For a few retransmission time-outs (`tw_recycle`).
    Short,
}

/// How long `tw_recycle` keeps a connection with this retransmission time-out: three and a half of them.
pub(super) fn recycle_time(rto: SimDuration) -> SimDuration {
    rto * 7 / 2
}

fn split(value: u64) -> [u32; 2] {
    [(value >> 32) as u32, value as u32]
}

fn join([high, low]: [u32; 2]) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

impl TimeWaitEntry {
    pub(super) fn flow(&self) -> FourTuple {
        self.flow
    }

    /// When TIME-WAIT last started.
    pub(super) fn since(&self) -> SimTime {
        SimTime::from_ps(join(self.since))
    }

    pub(super) fn conn(&self) -> ConnId {
        ConnId(join(self.conn))
    }

    pub(super) fn side(&self) -> Side {
        if self.flags & PASSIVE == 0 {
            Side::Active
        } else {
            Side::Passive
        }
    }

    /// The local port counts as used in the host's port allocator.
    pub(super) fn holds_port(&self) -> bool {
        self.flags & HOLDS_PORT != 0
    }

    pub(super) fn set_holds_port(&mut self, holds: bool) {
        self.flags = self.flags & !HOLDS_PORT | if holds { HOLDS_PORT } else { 0 };
    }

    /// How its port is shared.
    pub(super) fn reuse(&self) -> Reuse {
        Reuse::from_bits((self.flags & !SHORT) >> REUSE_SHIFT)
    }

    pub(super) fn set_reuse(&mut self, bits: u8) {
        self.flags |= bits << REUSE_SHIFT;
    }

    /// How long it stays.
    pub(super) fn stay(&self) -> Stay {
        match self.flags & SHORT {
            0 => Stay::Full,
            _ => Stay::Short,
        }
    }

    /// Its form for the model.
    pub(super) fn time_wait(&self, ts_offset: u32) -> TimeWait {
        TimeWait {
            entered: self.since(),
            snd_nxt: self.snd_nxt,
            rcv_nxt: self.rcv_nxt,
            window: self.window,
            shift: self.shift,
            ts_recent: (self.flags & HAS_TIMESTAMP != 0).then_some(self.ts_recent),
            ts_offset,
            conn: self.conn(),
            traced: self.flags & TRACED != 0,
        }
    }
}

/// Entries in order of expiry.
#[derive(Clone, Copy, Debug)]
struct ExpiryList {
    oldest: u32,
    youngest: u32,
}

/// The table: a slab with its free list, and the lists in order of expiry.
#[derive(Debug)]
pub(super) struct TimeWaitTable {
    entries: Chunked<TimeWaitEntry, 256>,
    free: u32,
    /// By [`Stay`].
    lists: [ExpiryList; 2],
    /// The first entry not yet reported as mature.
    ripening: u32,
    len: u32,
    peak: u32,
}

impl Default for TimeWaitTable {
    fn default() -> Self {
        TimeWaitTable {
            entries: Chunked::default(),
            free: NIL,
            lists: [ExpiryList {
                oldest: NIL,
                youngest: NIL,
            }; 2],
            ripening: NIL,
            len: 0,
            peak: 0,
        }
    }
}

impl TimeWaitTable {
    /// Adds an entry; its place is stable until it is removed.
    pub(super) fn insert(
        &mut self,
        flow: FourTuple,
        tw: &TimeWait,
        side: Side,
        holds_port: bool,
    ) -> u32 {
        self.insert_as(Stay::Full, flow, tw, side, holds_port)
    }

    /// Adds an entry with a short stay, which starts after `beyond`: the part of the stay by which
    /// the entries of a host differ.
    #[cold]
    pub(super) fn insert_short(
        &mut self,
        flow: FourTuple,
        tw: &TimeWait,
        side: Side,
        holds_port: bool,
        beyond: SimDuration,
    ) -> u32 {
        let tw = TimeWait {
            entered: tw.entered.saturating_add(beyond),
            ..*tw
        };
        self.insert_as(Stay::Short, flow, &tw, side, holds_port)
    }

    fn insert_as(
        &mut self,
        stay: Stay,
        flow: FourTuple,
        tw: &TimeWait,
        side: Side,
        holds_port: bool,
    ) -> u32 {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let entry = TimeWaitEntry {
            flow,
            since: split(tw.entered.as_ps()),
            conn: split(tw.conn.0),
            snd_nxt: tw.snd_nxt,
            rcv_nxt: tw.rcv_nxt,
            shift: tw.shift,
            ts_recent: tw.ts_recent.unwrap_or(0),
            prev: NIL,
            next: NIL,
            window: tw.window,
            flags: flag(tw.traced, TRACED)
                | flag(tw.ts_recent.is_some(), HAS_TIMESTAMP)
                | flag(side == Side::Passive, PASSIVE)
                | flag(holds_port, HOLDS_PORT)
                | flag(stay == Stay::Short, SHORT),
        };
        let place = if self.free == NIL {
            self.entries.push(entry)
        } else {
            let place = self.free;
            self.free = self.entries[place].next;
            self.entries[place] = entry;
            place
        };
        self.link(place);
        self.len += 1;
        self.peak = self.peak.max(self.len);
        place
    }

    /// Links an entry in order of expiry; nearly always at the end.
    fn link(&mut self, place: u32) {
        let (since, stay) = (self.entries[place].since(), self.entries[place].stay());
        let list = self.lists[stay as usize];
        let mut before = list.youngest;
        while before != NIL && self.entries[before].since() > since {
            before = self.entries[before].prev;
        }
        let after = if before == NIL {
            list.oldest
        } else {
            self.entries[before].next
        };
        let entry = &mut self.entries[place];
        (entry.prev, entry.next) = (before, after);
        let list = &mut self.lists[stay as usize];
        if before == NIL {
            list.oldest = place;
        } else {
            self.entries[before].next = place;
        }
        if after == NIL {
            list.youngest = place;
        } else {
            self.entries[after].prev = place;
        }
        if stay == Stay::Short {
            return; // they do not ripen: they end before
        }
        if self.ripening == after || after != NIL && self.entries[after].flags & RIPENED != 0 {
            self.ripening = place;
        }
    }

    fn unlink(&mut self, place: u32) {
        let TimeWaitEntry { prev, next, .. } = self.entries[place];
        let list = &mut self.lists[self.entries[place].stay() as usize];
        if prev == NIL {
            list.oldest = next;
        } else {
            self.entries[prev].next = next;
        }
        if next == NIL {
            list.youngest = prev;
        } else {
            self.entries[next].prev = prev;
        }
        if self.ripening == place {
            self.ripening = next;
        }
    }

    /// Removes an entry and returns it.
    pub(super) fn remove(&mut self, place: u32) -> TimeWaitEntry {
        self.unlink(place);
        let entry = self.entries[place];
        self.entries[place].next = self.free;
        self.free = place;
        self.len -= 1;
        entry
    }

    /// Restarts the 2 MSL timer of an entry.
    pub(super) fn restart(&mut self, place: u32, now: SimTime) {
        self.unlink(place);
        let entry = &mut self.entries[place];
        entry.since = split(now.as_ps());
        entry.flags &= !RIPENED;
        self.link(place);
    }

    pub(super) fn get(&self, place: u32) -> &TimeWaitEntry {
        &self.entries[place]
    }

    pub(super) fn get_mut(&mut self, place: u32) -> &mut TimeWaitEntry {
        &mut self.entries[place]
    }

    /// The entries, oldest first; those with a short stay follow the others.
    pub(super) fn iter(&self) -> impl Iterator<Item = &TimeWaitEntry> {
        let [full, short] = self.lists.map(|list| self.places_from(list.oldest));
        full.chain(short).map(|place| &self.entries[place])
    }

    /// Places of the entries in the same order.
    pub(super) fn places(&self) -> Vec<u32> {
        let [full, short] = self.lists.map(|list| self.places_from(list.oldest));
        full.chain(short).collect()
    }

    fn places_from(&self, first: u32) -> impl Iterator<Item = u32> {
        let entry = |place: u32| (place != NIL).then_some(place);
        std::iter::successors(entry(first), move |&place| entry(self.entries[place].next))
    }

    /// The entry that expires first among those with this stay, and when its TIME-WAIT started.
    pub(super) fn oldest(&self, stay: Stay) -> Option<(u32, SimTime)> {
        let oldest = self.lists[stay as usize].oldest;
        (oldest != NIL).then(|| (oldest, self.entries[oldest].since()))
    }

    /// Whether an entry is the first to expire of those with its stay.
    pub(super) fn is_oldest(&self, place: u32) -> bool {
        self.lists.iter().any(|list| list.oldest == place)
    }

    /// The next entry that has reached `age` and used timestamps; each is returned once.
    pub(super) fn next_mature(&mut self, now: SimTime, age: SimDuration) -> Option<u32> {
        while self.ripening != NIL {
            let place = self.ripening;
            let entry = &mut self.entries[place];
            if entry.since().saturating_add(age) > now {
                return None;
            }
            self.ripening = entry.next;
            let before = entry.flags;
            entry.flags |= RIPENED;
            if before & (HAS_TIMESTAMP | RIPENED) == HAS_TIMESTAMP {
                return Some(place);
            }
        }
        None
    }

    pub(super) fn len(&self) -> u32 {
        self.len
    }

    pub(super) fn peak(&self) -> u32 {
        self.peak
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.entries.memory_bytes()
    }
}

#[cfg(test)]
mod tests;
