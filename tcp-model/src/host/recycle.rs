//! `tcp_tw_recycle`, which Linux had until version 4.12: TIME-WAIT lasts only a few retransmission
//! time-outs, and old duplicates are recognized by their timestamps instead, per peer address.
//!
//! This requires that the timestamps of an address never go backwards. They do when several hosts
//! share the address, as behind a NAT, or when each connection has its own timestamp offset: their
//! SYNs are then dropped without an answer.
//!
//! Leaves out that a client with `tcp_tw_recycle` continues from the timestamp it last saw from a server. An entry that
//! is restored because the SYN that replaced it was an old duplicate (RFC 9293 MAY-2 (b), which Linux does not have)
//! stays for the whole `time_wait` since it was made, not for the short time of this option: longer, and never less
//! safe.

use std::net::Ipv4Addr;

use rustc_hash::FxHashMap;
use sim_core::{SimDuration, SimTime};

/// How long the last timestamp of an address counts (Linux `TCP_PAWS_MSL`).
const REMEMBERED: SimDuration = SimDuration::from_secs(60);
/// By how much a timestamp may be older (Linux `TCP_PAWS_WINDOW`).
const TOLERANCE: i32 = 1;

/// The last timestamps of peers whose connections ended here, by address.
#[derive(Debug, Default)]
pub(super) struct LastStamps(FxHashMap<Ipv4Addr, (u32, SimTime)>);

impl LastStamps {
    /// Remembers the last timestamp of a connection that enters TIME-WAIT, unless a newer one is known.
    pub(super) fn remember(&mut self, peer: Ipv4Addr, stamp: u32, now: SimTime) {
        let last = self.0.entry(peer).or_insert((stamp, now));
        let newer = (last.0.wrapping_sub(stamp) as i32) <= 0;
        if newer || now.since(last.1) > REMEMBERED {
            *last = (stamp, now);
        }
    }

    /// Whether a SYN with this timestamp is taken for an old duplicate.
    pub(super) fn is_old(&self, peer: Ipv4Addr, stamp: u32, now: SimTime) -> bool {
        self.0.get(&peer).is_some_and(|(last, at)| {
            now.since(*at) < REMEMBERED && (last.wrapping_sub(stamp) as i32) > TOLERANCE
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_timestamp_of_the_same_address_is_old_for_a_minute() {
        let (peer, other) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
        let at = |s| SimTime::ZERO + SimDuration::from_secs(s);
        let mut stamps = LastStamps::default();
        stamps.remember(peer, 1000, at(0));
        stamps.remember(peer, 900, at(1)); // known to be older
        assert!(stamps.is_old(peer, 998, at(59)));
        assert!(!stamps.is_old(peer, 999, at(59)));
        assert!(!stamps.is_old(other, 1, at(1)));
        assert!(!stamps.is_old(peer, 1, at(60)));
        stamps.remember(peer, 5, at(61));
        assert!(!stamps.is_old(peer, 5, at(62)));
        stamps.remember(peer, u32::MAX, at(63)); // 6 before 5, around the end
        assert!(!stamps.is_old(peer, 5, at(63)) && stamps.is_old(peer, u32::MAX, at(63)));
    }
}
