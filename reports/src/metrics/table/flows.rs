//! Bulk flows.

use super::super::MetricKind::{BitRate, Bytes, Count, Duration, Index};
use super::super::{Metric, MetricKind, Source};

const fn flows(
    id: &'static str,
    kind: MetricKind,
    words: &'static str,
    doc: &'static str,
) -> Metric {
    Metric::new(Source::Flows, id, kind, words, doc)
}

const NO_BULK: &str = "no sender had 50 kB acknowledged";
const NO_SIZE: &str = "no bulk flow came to an end or had a number of bytes";
const NONE_COMPLETED: &str = "no bulk flow was completed";

pub(super) const FLOWS: &[Metric] = &[
    flows("flow_goodput_mean_bps", BitRate, "goodput of a sender of at least 50 kB over its own life, mean", "Payload acknowledged by the time from the opening of the connection to its end, or to the end of the run: bulk flows, and servers that have sent as much over one connection.").absent(NO_BULK),
    flows("flow_goodput_min_bps", BitRate, "goodput of a sender of at least 50 kB over its own life, least", "").absent(NO_BULK),
    flows("flow_goodput_max_bps", BitRate, "goodput of a sender of at least 50 kB over its own life, most", "").absent(NO_BULK),
    flows("flows_completed", Count, "bulk flows completed", "Flows of bulk workloads whose connection closed in order, with all bytes acknowledged.").absent(NO_SIZE),
    flows("flows_broken", Count, "bulk flows broken off", "Their connection failed, or was not established.").absent(NO_SIZE),
    flows("flows_unfinished", Count, "bulk flows under way at the end", "Flows with a number of bytes; those without have no end.").absent(NO_SIZE),
    flows("flow_unfinished_max_s", Duration, "longest that a bulk flow was under way at the end", "Of flows with a number of bytes, since the call of connect.").absent("no bulk flow with a number of bytes was under way"),
    flows("flows_small", Count, "bulk flows that had not got far", "Fewer than 50 kB had been acknowledged when the run ended, a second or more after the call of connect.").absent("there was none"),
    flows("flow_small_min_bytes", Bytes, "least that was acknowledged to such a flow", "").absent("there was none"),
    flows("flow_completion_mean_s", Duration, "time to complete a bulk flow, mean", "From the call of connect until the sender has closed, all its bytes and its FIN being acknowledged and the FIN of the peer received.").absent(NONE_COMPLETED),
    flows("flow_completion_p50_s", Duration, "time to complete a bulk flow, median", "").absent(NONE_COMPLETED),
    flows("flow_completion_p99_s", Duration, "time to complete a bulk flow, 99th percentile", "").absent(NONE_COMPLETED),
    flows("flow_completion_p999_s", Duration, "time to complete a bulk flow, 99.9th percentile", "").absent(NONE_COMPLETED),
    flows("flow_completion_max_s", Duration, "time to complete a bulk flow, maximum", "").absent(NONE_COMPLETED),
    flows(
        "goodput_bps",
        BitRate,
        "goodput over the whole run",
        "Payload acknowledged to all senders, by the simulated time.",
    )
    .absent("nothing was acknowledged"),
    flows(
        "flow_goodput.<flow>_bps",
        BitRate,
        "goodput of <flow>",
        "Payload acknowledged by the time from the flow's first sample to its end, or to the end of the run. For the first 16 traced senders of at least 50 kB.",
    ),
    flows(
        "jain_index",
        Index,
        "Jain's fairness index",
        "Of the bytes of traced senders of at least 50 kB while all of them were active.",
    )
    .absent("there were not two such senders at a time"),
];
