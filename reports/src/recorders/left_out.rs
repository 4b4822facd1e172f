//! How many connections a run left out of its tables.

use super::first::FirstConnections;
use crate::format::count;
use crate::store::LeftOut;

impl LeftOut {
    /// Describes the connections that are not traced; `None` if all are.
    pub(crate) fn untraced(opened: u64, traced: u64) -> Option<LeftOut> {
        let left_out = opened.saturating_sub(traced);
        let what = format!(
            "segments and senders' variables of {} of {} connections; only the first connections of the \
             first clients are traced",
            count(left_out as f64),
            count(opened as f64)
        );
        let key = "traced_connections = \"all\" and traced_clients = \"all\"";
        (left_out > 0).then(|| LeftOut::new("segments, samples", what, key))
    }

    /// Describes the connections that are not among the first; `None` if all are.
    pub(crate) fn connections(
        table: &str,
        rows: &str,
        first: &FirstConnections,
    ) -> Option<LeftOut> {
        let (met, left_out) = first.left_out();
        let of = count(left_out as f64);
        let what = format!(
            "{rows} of {of} of {} connections; those of the first {} are kept, and metrics count all of them",
            count(met as f64),
            count((met - left_out) as f64),
        );
        (left_out > 0).then(|| LeftOut::new(table, what, &format!("{table} = \"all\"")))
    }
}
