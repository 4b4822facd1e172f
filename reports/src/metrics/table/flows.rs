//! Bulk flows, and the slowdown of transfers.

use super::super::MetricKind::{BitRate, Bytes, Count, Duration, Index, Number};
use super::super::{Metric, MetricKind, MetricSource};

const fn flows(
    id: &'static str,
    kind: MetricKind,
    words: (&'static str, &'static str),
    doc: &'static str,
) -> Metric {
    Metric::new(MetricSource::Flows, id, kind, words, doc)
}

const NO_BULK: &str = "no sender had 50 kB acknowledged";
const NO_SIZE: &str = "no bulk flow ended or had a number of bytes";
const NONE_COMPLETED: &str = "no bulk flow was completed";
const NO_SLOWDOWN: &str = "`record.slowdown` is false, or no transfer was completed";

pub(super) const FLOWS: &[Metric] = &[
    flows("flow_goodput_mean_bps", BitRate, ("goodput of senders of at least 50 kB while active, mean", "发送至少 50 kB 的发送方在活动期间的有效吞吐量，平均值"), "Acknowledged payload divided by the time from the opening of the connection to its end, or to the end of the run: of bulk flows, and of servers that send as much over one connection.").absent(NO_BULK),
    flows("flow_goodput_min_bps", BitRate, ("goodput of senders of at least 50 kB while active, minimum", "发送至少 50 kB 的发送方在活动期间的有效吞吐量，最小值"), "").absent(NO_BULK),
    flows("flow_goodput_max_bps", BitRate, ("goodput of senders of at least 50 kB while active, maximum", "发送至少 50 kB 的发送方在活动期间的有效吞吐量，最大值"), "").absent(NO_BULK),
    flows("flows_completed", Count, ("bulk flows completed", "完成的批量流数"), "Flows of bulk workloads whose connection closed in order, with all bytes acknowledged.").absent(NO_SIZE),
    flows("flows_broken", Count, ("bulk flows broken off", "中断的批量流数"), "Their connection failed, or was not established.").absent(NO_SIZE),
    flows("flows_unfinished", Count, ("bulk flows in progress at the end", "运行结束时仍在进行的批量流数"), "Flows with a number of bytes; flows without one never end.").absent(NO_SIZE),
    flows("flow_unfinished_max_s", Duration, ("longest time a bulk flow had been in progress at the end", "运行结束时批量流已进行的最长时间"), "Since the call of connect, for flows with a number of bytes.").absent("no bulk flow with a number of bytes was in progress"),
    flows("flows_small", Count, ("bulk flows that had hardly begun", "刚刚开始的批量流数"), "Fewer than 50 kB had been acknowledged when the run ended, a second or more after the call of connect.").absent("there was none"),
    flows("flow_small_min_bytes", Bytes, ("fewest bytes acknowledged to such a flow", "这类流中已确认的最少字节数"), "").absent("there was none"),
    flows("flow_completion_mean_s", Duration, ("time to complete a bulk flow, mean", "批量流的完成时间，平均值"), "From the call of connect until the sender has closed: all its bytes and its FIN are acknowledged, and the peer's FIN has arrived.").absent(NONE_COMPLETED),
    flows("flow_completion_p50_s", Duration, ("time to complete a bulk flow, median", "批量流的完成时间，中位数"), "").absent(NONE_COMPLETED),
    flows("flow_completion_p99_s", Duration, ("time to complete a bulk flow, 99th percentile", "批量流的完成时间，第 99 百分位"), "").absent(NONE_COMPLETED),
    flows("flow_completion_p999_s", Duration, ("time to complete a bulk flow, 99.9th percentile", "批量流的完成时间，第 99.9 百分位"), "").absent(NONE_COMPLETED),
    flows("flow_completion_max_s", Duration, ("time to complete a bulk flow, maximum", "批量流的完成时间，最大值"), "").absent(NONE_COMPLETED),
    flows("slowdown_mean", Number, ("slowdown of transfers, mean", "传输的减速比，平均值"), "The time that a complete transfer took, divided by the time on its idle path. A transfer is a bulk flow with a number of bytes (`flow_completion_mean_s`) or a request with its response, from the call of connect for the first on a connection. The ideal is what the links require if nothing else uses them: the round trip of a SYN, and each message as segments that follow each other at the rate of the slowest link, without slow start, loss, or service time.").absent(NO_SLOWDOWN),
    flows("slowdown_p50", Number, ("slowdown of transfers, median", "传输的减速比，中位数"), "").absent(NO_SLOWDOWN),
    flows("slowdown_p99", Number, ("slowdown of transfers, 99th percentile", "传输的减速比，第 99 百分位"), "").absent(NO_SLOWDOWN),
    flows("slowdown_max", Number, ("slowdown of transfers, maximum", "传输的减速比，最大值"), "").absent(NO_SLOWDOWN),
    flows("slowdown_transfers.<size>", Count, ("complete transfers of up to <size>", "不超过 <size> 的完成传输数"), "And of more than a tenth of that, unless <size> is 1 kB. The size of an exchange is that of the larger of request and response.").absent(NO_SLOWDOWN),
    flows("slowdown_mean.<size>", Number, ("slowdown of transfers of up to <size>, mean", "不超过 <size> 的传输的减速比，平均值"), "").absent(NO_SLOWDOWN),
    flows("slowdown_p50.<size>", Number, ("slowdown of transfers of up to <size>, median", "不超过 <size> 的传输的减速比，中位数"), "").absent(NO_SLOWDOWN),
    flows("slowdown_p99.<size>", Number, ("slowdown of transfers of up to <size>, 99th percentile", "不超过 <size> 的传输的减速比，第 99 百分位"), "").absent(NO_SLOWDOWN),
    flows("slowdown_max.<size>", Number, ("slowdown of transfers of up to <size>, maximum", "不超过 <size> 的传输的减速比，最大值"), "").absent(NO_SLOWDOWN),
    flows("transfers_without_slowdown", Count, ("complete transfers without a known idle path", "空闲路径未知的完成传输数"), "Their path ends elsewhere than at the server: at a load balancer or proxy, or on the host itself.").absent("`record.slowdown` is false"),
    flows(
        "goodput_bps",
        BitRate,
        ("goodput over the whole run", "整个运行期间的有效吞吐量"),
        "Payload acknowledged to all senders, divided by the simulated time.",
    )
    .absent("nothing was acknowledged"),
    flows(
        "flow_goodput.<flow>_bps",
        BitRate,
        ("goodput of <flow>", "<flow> 的有效吞吐量"),
        "Acknowledged payload divided by the time from the flow's first sample to its end, or to the end of the run. For the first 16 traced senders of at least 50 kB.",
    ),
    flows(
        "jain_index",
        Index,
        ("Jain's fairness index", "Jain 公平性指数"),
        "Of the bytes of traced senders of at least 50 kB while all of them were active.",
    )
    .absent("no two such senders were active at the same time"),
];
