//! The order of responses on multiplexed connections ([`super::multiplexed`]): what their frame headers would say.

use std::collections::VecDeque;
use std::sync::Mutex;

use rustc_hash::FxHashMap;

use crate::segment::ConnId;

/// The places and numbers of the responses on the connections of a workload: the content of their frame headers.
///
/// The server adds a response when it writes it; the client takes it once it has read the response's last octet. Client
/// and server may be in different partitions of a parallel run, so the table is behind a lock. Results depend neither
/// on the partitions nor on the order in which threads come to the lock, because the client can only read what an event
/// that is causally earlier has written:
///
/// - An octet that the client has read was written by the server in an earlier event, which also added its response.
///   It has crossed every link between them. A link between two partitions has at least the look-ahead as its delay,
///   and in a round a partition executes no event that mail from an event of the same round in another partition could
///   precede. The server's event was therefore executed in an earlier round, and the exchange of mail between rounds
///   makes what it wrote visible. In one partition events are executed in the order of their times.
/// - A response that the server adds in the same round ends beyond what the client has read: `take`
///   returns `None` whether it is in the table yet or not, since the responses of a connection are added in the order of
///   their ends.
/// - Only the client begins the order of a connection, before its SYN leaves, and ends it, when it will read nothing more
///   or its host goes down. What a server adds after that is dropped, or added and dropped with the rest: nobody reads it,
///   since numbers of connections are not used again in a run.
/// - Nothing iterates over the table, so that its own order does not matter.
///
/// The test `execution::with_multiplexed_connections` of the package `synfin` shows that result directories are the
/// same, byte for byte, with 1, 2, 3, 5 and 8 partitions and as many threads, with loss, crashes and time-outs.
#[derive(Debug, Default)]
pub struct ResponseOrder {
    /// By connection: where each response ends in the server's stream, and which request it answers.
    responses: Mutex<FxHashMap<ConnId, VecDeque<(u64, u32)>>>,
}

impl ResponseOrder {
    fn of<R>(&self, act: impl FnOnce(&mut FxHashMap<ConnId, VecDeque<(u64, u32)>>) -> R) -> R {
        // A thread that panicked leaves a table that is complete.
        let mut table = match self.responses.lock() {
            Ok(table) => table,
            Err(poisoned) => poisoned.into_inner(),
        };
        act(&mut table)
    }

    /// Begins the order of a connection.
    pub(super) fn begin(&self, conn: ConnId) {
        self.of(|table| table.insert(conn, VecDeque::new()));
    }

    /// Adds a response that ends at `end`, unless the client has ended the order.
    pub(super) fn add(&self, conn: ConnId, end: u64, index: u32) {
        self.of(|table| {
            if let Some(responses) = table.get_mut(&conn) {
                responses.push_back((end, index));
            }
        });
    }

    /// Takes the next response if its end is at most `arrived`.
    pub(super) fn take(&self, conn: ConnId, arrived: u64) -> Option<u32> {
        self.of(|table| {
            let responses = table.get_mut(&conn)?;
            let &(end, index) = responses.front()?;
            (end <= arrived).then(|| {
                responses.pop_front();
                index
            })
        })
    }

    /// Ends the order of a connection.
    pub(super) fn end(&self, conn: ConnId) {
        self.of(|table| table.remove(&conn));
    }
}

/// All are equal: an order is no part of the description of a workload.
impl PartialEq for ResponseOrder {
    fn eq(&self, _: &ResponseOrder) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_taken_in_its_order_once_it_has_arrived() {
        let order = ResponseOrder::default();
        let (a, b) = (ConnId::new(1, 1), ConnId::new(1, 2));
        order.begin(a);
        order.begin(b);
        order.add(a, 100, 1);
        order.add(a, 150, 0);
        order.add(b, 10, 0);
        assert_eq!(order.take(a, 99), None);
        assert_eq!(order.take(a, 149), Some(1));
        assert_eq!(order.take(a, 149), None);
        assert_eq!(order.take(a, 150), Some(0));
        assert_eq!((order.take(a, 999), order.take(b, 10)), (None, Some(0)));
        order.add(a, 10, 7);
        order.end(a);
        assert_eq!(order.take(a, 10), None);
    }

    #[test]
    fn what_comes_after_the_end_of_a_connection_takes_no_memory() {
        let order = ResponseOrder::default();
        let conn = ConnId::new(1, 1);
        order.begin(conn);
        order.add(conn, 10, 0);
        order.end(conn);
        for index in 1..100 {
            order.add(conn, 10 + u64::from(index), index);
        }
        assert_eq!(order.of(|table| table.len()), 0);
    }
}
