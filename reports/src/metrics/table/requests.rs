//! Requests of applications.

use super::super::MetricKind::{Count, Duration, Share, Time};
use super::super::{Metric, MetricKind, MetricSource};

const fn requests(
    id: &'static str,
    kind: MetricKind,
    words: &'static str,
    doc: &'static str,
) -> Metric {
    Metric::new(MetricSource::Requests, id, kind, words, doc)
}

const NO_REQUEST: &str = "no request was made";
const NO_RESPONSE: &str = "no request was answered";

pub(super) const REQUESTS: &[Metric] = &[
    requests("requests_made", Count, "requests", "Requests begun on a connection; those of failed connects do not count.").absent(NO_REQUEST),
    requests("requests_done", Count, "requests answered", "Requests whose complete response arrived.").absent(NO_RESPONSE),
    requests("requests_unanswered", Count, "requests without an answer", "The complete response had not arrived when the connection or the run ended. The next eight metrics give the causes.").absent(NO_REQUEST),
    requests("requests_unanswered_closed", Count, "requests without an answer, connection closed", "The server closed before it had sent the complete response.").absent(NO_REQUEST),
    requests("requests_unanswered_reset", Count, "requests without an answer, connection reset", "ECONNRESET.").absent(NO_REQUEST),
    requests("requests_unanswered_timed_out", Count, "requests without an answer, connection timed out", "ETIMEDOUT.").absent(NO_REQUEST),
    requests("requests_unanswered_aborted", Count, "requests without an answer, connection aborted", "The client aborted.").absent(NO_REQUEST),
    requests("requests_unanswered_unreachable", Count, "requests without an answer, server unreachable", "").absent(NO_REQUEST),
    requests("requests_unanswered_given_up", Count, "requests given up by the client", "`request_timeout` had expired.").absent("no client gave up a request"),
    requests("requests_unanswered_crashed", Count, "requests without an answer, client crashed", "The client's host went down.").absent(NO_REQUEST),
    requests("requests_unanswered_at_run_end", Count, "requests without an answer at the end of the run", "Their connections were still open.").absent(NO_REQUEST),
    requests("requests_unanswered_share", Share, "share of requests without an answer", "").ratio("requests_unanswered", "requests_made").absent(NO_REQUEST),
    requests("request_unanswered_first_s", Time, "time of the first request given up", "When the first connection with an unanswered request ended, or the run.").absent("every request was answered"),
    requests("request_unanswered_last_s", Time, "time of the last request given up", "").absent("every request was answered"),
    requests("request_unanswered_wait_max_s", Duration, "longest wait of a request without an answer", "").absent("every request was answered"),
    requests("request_latency_mean_s", Duration, "time per request, mean", "From the first byte of the request to the last byte of the response; requests without an answer do not count.").absent(NO_RESPONSE),
    requests("request_latency_p50_s", Duration, "time per request, median", "").absent(NO_RESPONSE),
    requests("request_latency_p99_s", Duration, "time per request, 99th percentile", "").absent(NO_RESPONSE),
    requests("request_latency_p999_s", Duration, "time per request, 99.9th percentile", "").absent(NO_RESPONSE),
    requests("request_latency_max_s", Duration, "time per request, maximum", "").absent(NO_RESPONSE),
    requests("request_with_connect_mean_s", Duration, "time per request with connecting, mean", "For the first request of a connection from the call of connect, for later ones from their first byte; for clients with a connection pool, from the arrival of the request.").absent(NO_RESPONSE),
    requests("request_with_connect_p50_s", Duration, "time per request with connecting, median", "").absent(NO_RESPONSE),
    requests("request_with_connect_p99_s", Duration, "time per request with connecting, 99th percentile", "").absent(NO_RESPONSE),
    requests("request_with_connect_p999_s", Duration, "time per request with connecting, 99.9th percentile", "").absent(NO_RESPONSE),
    requests("request_with_connect_max_s", Duration, "time per request with connecting, maximum", "").absent(NO_RESPONSE),
    requests("requests_one_way", Count, "requests that have no response", "Sent requests for a response of zero bytes.").absent("every request asked for a response"),
    requests("requests_never_sent", Count, "requests that never had a connection", "They waited for a pooled connection until the run ended or the client crashed. They do not count as made.").absent("none was waiting at the end"),
    requests("request_never_sent_wait_max_s", Duration, "longest wait of a request that never had a connection", "").absent("none was waiting at the end"),
    requests("connections_cut_short", Count, "connections that ended between two requests", "Before the client had made all its requests, and while none was pending: the server closed, or the connection was reset or timed out.").absent("none did"),
];
