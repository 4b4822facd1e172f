//! Identifies the end point that a record is about, if a listener made more than one for a
//! connection.

use rustc_hash::FxHashMap;
use tcp_model::ConnId;
use tcp_model::sample::{Side, StateChange};
use tcp_model::state::State;

/// Numbers the end points under one connection and side, from 1.
///
/// A connection is the attempt of its active opener, which has one end point. A listener can make
/// several end points for it: after one that gave up in SYN-RECEIVED, or was closed before an old
/// SYN arrived, it makes another when the SYN arrives again. Each begins in LISTEN, and none ever
/// returns there.
///
/// Memory is one bit for each connection seen, and a few bytes for each that has several end
/// points.
#[derive(Debug, Default)]
pub(crate) struct EndPoints {
    /// By the node and the serial number of a connection: whether a listener has made an end point
    /// for it.
    met: FxHashMap<u32, Vec<u64>>,
    /// The number of the latest end point of connections that have several.
    several: FxHashMap<ConnId, u32>,
}

impl EndPoints {
    /// The number of the end point that this change belongs to. Must be called in the order of the
    /// records.
    pub(crate) fn number(&mut self, change: &StateChange) -> u32 {
        if change.side == Side::Active {
            return 1;
        }
        if change.from == State::Listen && !self.meet(change.conn) {
            let number = self.several.entry(change.conn).or_insert(1);
            *number = number.saturating_add(1);
        }
        self.several.get(&change.conn).copied().unwrap_or(1)
    }

    /// Marks a connection as seen; returns true the first time.
    fn meet(&mut self, conn: ConnId) -> bool {
        let (word, bit) = ((conn.serial() / 64) as usize, 1 << (conn.serial() % 64));
        let words = self.met.entry(conn.node()).or_default();
        if words.len() <= word {
            words.resize(word + 1, 0);
        }
        let first = words[word] & bit == 0;
        words[word] |= bit;
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(serial: u32, side: Side, from: State, to: State) -> StateChange {
        StateChange {
            conn: ConnId::new(3, serial),
            side,
            from,
            to,
        }
    }

    #[test]
    fn each_end_point_that_a_listener_makes_has_its_own_number() {
        use State::{Closed, Established, Listen, SynReceived, SynSent};
        let mut ends = EndPoints::default();
        let mut passive = |serial, from, to| ends.number(&change(serial, Side::Passive, from, to));
        assert_eq!(passive(70, Listen, SynReceived), 1);
        assert_eq!(passive(70, SynReceived, Closed), 1);
        assert_eq!(passive(70, Listen, SynReceived), 2);
        assert_eq!(passive(6, Listen, SynReceived), 1, "another connection");
        assert_eq!(passive(70, SynReceived, Closed), 2);
        assert_eq!(passive(70, Listen, SynReceived), 3);
        assert_eq!(passive(70, SynReceived, Established), 3);
        let active = change(70, Side::Active, Closed, SynSent);
        assert_eq!(ends.number(&active), 1);
    }
}
