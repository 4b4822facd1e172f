//! The kinds of workloads, and the keys that belong to each.

use crate::dotted_path::DottedPath;
use crate::file::workload::{WORKLOAD_KINDS, WorkloadFile};
use crate::problem::Problem;
use crate::suggest;

/// The keys that only some kinds take: the name, whether it is given, and those kinds.
fn keys(file: &WorkloadFile) -> Vec<(&'static str, bool, &'static [&'static str])> {
    const EXCHANGE: &[&str] = &["exchange"];
    const BULK: &[&str] = &["bulk"];
    const FLOOD: &[&str] = &["syn-flood"];
    const APPLICATION: &[&str] = &["application"];
    const SERVED: &[&str] = &["exchange", "bulk"];
    const CONNECTED: &[&str] = &["exchange", "bulk", "application"];
    const ARRIVE: &[&str] = &["exchange", "syn-flood"];
    vec![
        ("arrivals", file.arrivals.is_some(), ARRIVE),
        ("limit", file.limit.is_some(), ARRIVE),
        ("via", file.via.is_some(), ARRIVE),
        ("sources", file.sources.is_some(), FLOOD),
        ("backlog", file.backlog.is_some(), CONNECTED),
        (
            "client_addresses",
            file.client_addresses.is_some(),
            CONNECTED,
        ),
        ("accept_start", file.accept_start.is_some(), SERVED),
        ("read_start", file.read_start.is_some(), SERVED),
        (
            "receive_buffer_after_accept",
            file.receive_buffer_after_accept.is_some(),
            SERVED,
        ),
        (
            "ip_bind_address_no_port",
            file.ip_bind_address_no_port.is_some(),
            EXCHANGE,
        ),
        ("accept_rate", file.accept_rate.is_some(), EXCHANGE),
        ("idle_timeout", file.idle_timeout.is_some(), EXCHANGE),
        ("workers", file.workers.is_some(), EXCHANGE),
        ("listeners", file.listeners.is_some(), EXCHANGE),
        ("requests", file.requests.is_some(), EXCHANGE),
        ("request", file.request.is_some(), EXCHANGE),
        ("response", file.response.is_some(), EXCHANGE),
        ("think", file.think.is_some(), EXCHANGE),
        ("service", file.service.is_some(), EXCHANGE),
        ("respond_after", file.respond_after.is_some(), EXCHANGE),
        ("connect_timeout", file.connect_timeout.is_some(), EXCHANGE),
        ("request_timeout", file.request_timeout.is_some(), EXCHANGE),
        ("retries", file.retries.is_some(), EXCHANGE),
        ("pool", file.pool.is_some(), EXCHANGE),
        ("http", file.http.is_some(), EXCHANGE),
        ("exchange_times", file.exchange_times.is_some(), EXCHANGE),
        ("breaker", file.breaker.is_some(), EXCHANGE),
        ("proxy", file.proxy.is_some(), EXCHANGE),
        ("close", file.close.is_some(), EXCHANGE),
        ("how", file.how.is_some(), EXCHANGE),
        ("close_after", file.close_after.is_some(), EXCHANGE),
        ("linger", file.linger.is_some(), EXCHANGE),
        ("fast_open", file.fast_open.is_some(), EXCHANGE),
        ("application", file.application.is_some(), APPLICATION),
        ("bytes", file.bytes.is_some(), BULK),
        ("flows", file.flows.is_some(), BULK),
        ("stagger", file.stagger.is_some(), BULK),
        ("read_rate", file.read_rate.is_some(), BULK),
        ("read_delay", file.read_delay.is_some(), BULK),
    ]
}

/// The kind of a workload: as written, otherwise `application` if it has one, otherwise `exchange`.
pub(super) fn of(file: &WorkloadFile) -> &str {
    let otherwise = match file.application {
        Some(_) => "application",
        None => "exchange",
    };
    file.kind.as_deref().unwrap_or(otherwise)
}

/// Rejects an unknown kind, and keys that belong to other kinds.
///
/// # Errors
/// The first such problem.
pub(super) fn check_keys(file: &WorkloadFile, kind: &str, at: &DottedPath) -> Result<(), Problem> {
    if !WORKLOAD_KINDS.contains(&kind) {
        return Err(Problem::new(
            at.key("kind"),
            suggest::unknown("workload", kind, WORKLOAD_KINDS),
        ));
    }
    let keys = keys(file);
    let foreign = keys
        .iter()
        .find(|(_, given, of)| *given && !of.contains(&kind));
    match foreign {
        Some((key, ..)) => Err(Problem::new(
            at.key(key),
            format!("`{key}` does not belong to a workload of kind {kind:?}"),
        )
        .help("leave it out, or change `kind`")),
        None => Ok(()),
    }
}
