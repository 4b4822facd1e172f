//! Bulk flows, and the slowdown of transfers.

use super::super::MetricKind::{BitRate, Bytes, Count, Duration, Index, Number};
use super::super::{Metric, MetricKind, MetricSource};

const fn flows(
    id: &'static str,
    kind: MetricKind,
    words: &'static str,
    doc: &'static str,
) -> Metric {
    Metric::new(MetricSource::Flows, id, kind, words, doc)
}

const NO_BULK: &str = "no sender had 50 kB acknowledged";
const NO_SIZE: &str = "no bulk flow ended or had a number of bytes";
const NONE_COMPLETED: &str = "no bulk flow was completed";
const NO_SLOWDOWN: &str = "`record.slowdown` is false, or no transfer was completed";

pub(super) const FLOWS: &[Metric] = &[
    flows("flow_goodput_mean_bps", BitRate, "goodput of senders of at least 50 kB while active, mean", "Acknowledged payload divided by the time from the opening of the connection to its end, or to the end of the run: of bulk flows, and of servers that send as much over one connection.").absent(NO_BULK),
    flows("flow_goodput_min_bps", BitRate, "goodput of senders of at least 50 kB while active, minimum", "").absent(NO_BULK),
    flows("flow_goodput_max_bps", BitRate, "goodput of senders of at least 50 kB while active, maximum", "").absent(NO_BULK),
    flows("flows_completed", Count, "bulk flows completed", "Flows of bulk workloads whose connection closed in order, with all bytes acknowledged.").absent(NO_SIZE),
    flows("flows_broken", Count, "bulk flows broken off", "Their connection failed, or was not established.").absent(NO_SIZE),
    flows("flows_unfinished", Count, "bulk flows in progress at the end", "Flows with a number of bytes; flows without one never end.").absent(NO_SIZE),
    flows("flow_unfinished_max_s", Duration, "longest time a bulk flow had been in progress at the end", "Since the call of connect, for flows with a number of bytes.").absent("no bulk flow with a number of bytes was in progress"),
    flows("flows_small", Count, "bulk flows that had hardly begun", "Fewer than 50 kB had been acknowledged when the run ended, a second or more after the call of connect.").absent("there was none"),
    flows("flow_small_min_bytes", Bytes, "fewest bytes acknowledged to such a flow", "").absent("there was none"),
    flows("flow_completion_mean_s", Duration, "time to complete a bulk flow, mean", "From the call of connect until the sender has closed: all its bytes and its FIN are acknowledged, and the peer's FIN has arrived.").absent(NONE_COMPLETED),
    flows("flow_completion_p50_s", Duration, "time to complete a bulk flow, median", "").absent(NONE_COMPLETED),
    flows("flow_completion_p99_s", Duration, "time to complete a bulk flow, 99th percentile", "").absent(NONE_COMPLETED),
    flows("flow_completion_p999_s", Duration, "time to complete a bulk flow, 99.9th percentile", "").absent(NONE_COMPLETED),
    flows("flow_completion_max_s", Duration, "time to complete a bulk flow, maximum", "").absent(NONE_COMPLETED),
    flows("slowdown_mean", Number, "slowdown of transfers, mean", "The time that a complete transfer took, divided by the time on its idle path. A transfer is a bulk flow with a number of bytes (`flow_completion_mean_s`) or a request with its response, from the call of connect for the first on a connection. The ideal is what the links require if nothing else uses them: the round trip of a SYN, and each message as segments that follow each other at the rate of the slowest link, without slow start, loss, or service time.").absent(NO_SLOWDOWN),
    flows("slowdown_p50", Number, "slowdown of transfers, median", "").absent(NO_SLOWDOWN),
    flows("slowdown_p99", Number, "slowdown of transfers, 99th percentile", "").absent(NO_SLOWDOWN),
    flows("slowdown_max", Number, "slowdown of transfers, maximum", "").absent(NO_SLOWDOWN),
    flows("slowdown_transfers.<size>", Count, "complete transfers of up to <size>", "And of more than a tenth of that, except for 1kB. The size of an exchange is that of the larger of request and response.").absent(NO_SLOWDOWN),
    flows("slowdown_mean.<size>", Number, "slowdown of transfers of up to <size>, mean", "").absent(NO_SLOWDOWN),
    flows("slowdown_p50.<size>", Number, "slowdown of transfers of up to <size>, median", "").absent(NO_SLOWDOWN),
    flows("slowdown_p99.<size>", Number, "slowdown of transfers of up to <size>, 99th percentile", "").absent(NO_SLOWDOWN),
    flows("slowdown_max.<size>", Number, "slowdown of transfers of up to <size>, maximum", "").absent(NO_SLOWDOWN),
    flows("transfers_without_slowdown", Count, "complete transfers without a known idle path", "Their path ends elsewhere than at the server: at a load balancer or proxy, or on the host itself.").absent("`record.slowdown` is false"),
    flows(
        "goodput_bps",
        BitRate,
        "goodput over the whole run",
        "Payload acknowledged to all senders, divided by the simulated time.",
    )
    .absent("nothing was acknowledged"),
    flows(
        "flow_goodput.<flow>_bps",
        BitRate,
        "goodput of <flow>",
        "Acknowledged payload divided by the time from the flow's first sample to its end, or to the end of the run. For the first 16 traced senders of at least 50 kB.",
    ),
    flows(
        "jain_index",
        Index,
        "Jain's fairness index",
        "Of the bytes of traced senders of at least 50 kB while all of them were active.",
    )
    .absent("no two such senders were active at the same time"),
];
