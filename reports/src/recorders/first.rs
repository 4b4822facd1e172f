//! The first connections of a run; only these have rows.

use tcp_model::ConnId;

/// Serial numbers beyond this belong to listeners, which are not connections.
const LISTENERS: u32 = 1 << 31;

/// What is known of the connections that one node opened: serial numbers below `seen` have been
/// seen, those below `taken` are among the first of the run.
#[derive(Clone, Copy, Debug, Default)]
struct OfNode {
    seen: u32,
    taken: u32,
}

/// Selects the first `most` connections of the run, in order of opening.
///
/// A node numbers the connections it opens, so the connections of one node that are among the first
/// are a range: memory is a few bytes for each node, whatever the number of connections.
#[derive(Debug)]
pub(crate) struct FirstConnections {
    most: u32,
    taken: u32,
    met: u64,
    /// By node; the last is for all unknown nodes.
    nodes: Vec<OfNode>,
}

impl FirstConnections {
    /// The first `most` connections of `nodes` nodes; all of them with `u32::MAX`.
    pub(crate) fn new(most: u32, nodes: usize) -> FirstConnections {
        FirstConnections {
            most,
            taken: 0,
            met: 0,
            nodes: vec![OfNode::default(); nodes + 1],
        }
    }

    /// Returns true for one of the first connections. Must be called in the order of the records.
    #[inline]
    pub(crate) fn has(&mut self, conn: ConnId) -> bool {
        let (node, serial) = (conn.node() as usize, conn.serial());
        let last = self.nodes.len() - 1;
        let of_node = &mut self.nodes[node.min(last)];
        if serial < LISTENERS && serial >= of_node.seen {
            of_node.seen = serial + 1;
            self.met += 1;
            if self.taken < self.most {
                self.taken += 1;
                of_node.taken = serial + 1;
            }
        }
        self.most == u32::MAX || serial < of_node.taken
    }

    /// The number of connections seen, and how many of them are not among the first.
    pub(crate) fn left_out(&self) -> (u64, u64) {
        (self.met, self.met.saturating_sub(self.most.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_to_open_are_taken_whatever_their_node() {
        let mut first = FirstConnections::new(3, 2);
        let conns = [(0, 0), (1, 0), (1, 1), (0, 1), (1, 0), (0, 0), (0, 2)];
        let conns = conns.map(|(node, serial)| ConnId::new(node, serial));
        let taken = conns.map(|conn| first.has(conn));
        assert_eq!(taken, [true, true, true, false, true, true, false]);
        assert_eq!(first.left_out(), (5, 2));
    }

    #[test]
    fn listeners_are_no_connections_and_all_means_all() {
        let mut first = FirstConnections::new(3, 1);
        assert!(!first.has(ConnId::new(0, u32::MAX - 80)));
        assert!(first.has(ConnId::new(0, 0)));
        assert_eq!(first.left_out(), (1, 0));
        assert!(FirstConnections::new(u32::MAX, 0).has(ConnId(u64::MAX)));
    }
}
