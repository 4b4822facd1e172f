//! Requests of applications.

use super::super::MetricKind::{Count, Duration, Share, Time};
use super::super::{Metric, MetricKind, MetricSource};

const fn requests(
    id: &'static str,
    kind: MetricKind,
    words: (&'static str, &'static str),
    doc: &'static str,
) -> Metric {
    Metric::new(MetricSource::Requests, id, kind, words, doc)
}

const NO_REQUEST: &str = "no request was made";
const NO_RESPONSE: &str = "no request was answered";

pub(super) const REQUESTS: &[Metric] = &[
    requests("requests_made", Count, ("requests", "请求数"), "Requests begun on a connection; those of failed connects do not count.").absent(NO_REQUEST),
    requests("requests_done", Count, ("requests answered", "得到响应的请求数"), "Requests whose complete response arrived.").absent(NO_RESPONSE),
    requests("requests_unanswered", Count, ("requests without an answer", "无响应的请求数"), "The complete response had not arrived when the connection or the run ended. The next eight metrics give the causes.").absent(NO_REQUEST),
    requests("requests_unanswered_closed", Count, ("requests without an answer, connection closed", "无响应的请求数（连接被关闭）"), "The server closed before it had sent the complete response.").absent(NO_REQUEST),
    requests("requests_unanswered_reset", Count, ("requests without an answer, connection reset", "无响应的请求数（连接被复位）"), "ECONNRESET.").absent(NO_REQUEST),
    requests("requests_unanswered_timed_out", Count, ("requests without an answer, connection timed out", "无响应的请求数（连接超时）"), "ETIMEDOUT.").absent(NO_REQUEST),
    requests("requests_unanswered_aborted", Count, ("requests without an answer, connection aborted", "无响应的请求数（连接异常中止）"), "The client aborted.").absent(NO_REQUEST),
    requests("requests_unanswered_unreachable", Count, ("requests without an answer, server unreachable", "无响应的请求数（服务器不可达）"), "").absent(NO_REQUEST),
    requests("requests_unanswered_given_up", Count, ("requests given up by the client", "客户端放弃的请求数"), "`request_timeout` had expired.").absent("no client gave up a request"),
    requests("requests_unanswered_crashed", Count, ("requests without an answer, client crashed", "无响应的请求数（客户端崩溃）"), "The client's host went down.").absent(NO_REQUEST),
    requests("requests_unanswered_at_run_end", Count, ("requests without an answer at the end of the run", "运行结束时尚无响应的请求数"), "Their connections were still open.").absent(NO_REQUEST),
    requests("requests_unanswered_share", Share, ("share of requests without an answer", "无响应请求所占比例"), "").ratio("requests_unanswered", "requests_made").absent(NO_REQUEST),
    requests("request_unanswered_first_s", Time, ("time of the first request given up", "首个请求被放弃的时刻"), "When the first connection with an unanswered request ended, or the run.").absent("every request was answered"),
    requests("request_unanswered_last_s", Time, ("time of the last request given up", "最后一个请求被放弃的时刻"), "").absent("every request was answered"),
    requests("request_unanswered_wait_max_s", Duration, ("longest wait of a request without an answer", "无响应请求的最长等待时间"), "").absent("every request was answered"),
    requests("request_latency_mean_s", Duration, ("time per request, mean", "每个请求的时间，平均值"), "From the first byte of the request to the last byte of the response; requests without an answer do not count.").absent(NO_RESPONSE),
    requests("request_latency_p50_s", Duration, ("time per request, median", "每个请求的时间，中位数"), "").absent(NO_RESPONSE),
    requests("request_latency_p99_s", Duration, ("time per request, 99th percentile", "每个请求的时间，第 99 百分位"), "").absent(NO_RESPONSE),
    requests("request_latency_p999_s", Duration, ("time per request, 99.9th percentile", "每个请求的时间，第 99.9 百分位"), "").absent(NO_RESPONSE),
    requests("request_latency_max_s", Duration, ("time per request, maximum", "每个请求的时间，最大值"), "").absent(NO_RESPONSE),
    requests("request_with_connect_mean_s", Duration, ("time per request with connecting, mean", "每个请求的时间（含建立连接），平均值"), "For the first request of a connection from the call of connect, for later ones from their first byte; for clients with a connection pool, from the arrival of the request.").absent(NO_RESPONSE),
    requests("request_with_connect_p50_s", Duration, ("time per request with connecting, median", "每个请求的时间（含建立连接），中位数"), "").absent(NO_RESPONSE),
    requests("request_with_connect_p99_s", Duration, ("time per request with connecting, 99th percentile", "每个请求的时间（含建立连接），第 99 百分位"), "").absent(NO_RESPONSE),
    requests("request_with_connect_p999_s", Duration, ("time per request with connecting, 99.9th percentile", "每个请求的时间（含建立连接），第 99.9 百分位"), "").absent(NO_RESPONSE),
    requests("request_with_connect_max_s", Duration, ("time per request with connecting, maximum", "每个请求的时间（含建立连接），最大值"), "").absent(NO_RESPONSE),
    requests("requests_one_way", Count, ("requests that have no response", "无需响应的请求数"), "Sent requests for a response of zero bytes.").absent("every request asked for a response"),
    requests("requests_never_sent", Count, ("requests that never had a connection", "始终没有连接的请求数"), "They waited for a pooled connection until the run ended or the client crashed. They do not count as made.").absent("none was waiting at the end"),
    requests("request_never_sent_wait_max_s", Duration, ("longest wait of a request that never had a connection", "始终没有连接的请求的最长等待时间"), "").absent("none was waiting at the end"),
    requests("connections_cut_short", Count, ("connections that ended between two requests", "在两次请求之间结束的连接数"), "Before the client had made all its requests, and while none was pending: the server closed, or the connection was reset or timed out.").absent("none did"),
];
