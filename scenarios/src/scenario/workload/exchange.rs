//! Exchanges, checked: what client and server do on a connection, and what clients do if it fails.

use std::sync::Arc;

use sim_core::Bytes;
use tcp_model::spec::{Arrivals, CloseHow, Closer, Exchange, PoolSpec, Retries};

use super::WorkloadKind;
use super::arrivals;
use super::breaker;
use super::pool;
use super::proxy::WorkloadProxy;
use super::time_outs::longer_than_zero;
use crate::dotted_path::DottedPath;
use crate::file::values::Dist;
use crate::file::workload::{RetriesFile, WorkloadFile};
use crate::problem::Problem;
use crate::scenario::topology::Topology;
use crate::suggest;

const CLOSERS: [(&str, Closer); 3] = [
    ("client", Closer::Client),
    ("server", Closer::Server),
    ("both", Closer::Both),
];
const HOWS: [(&str, CloseHow); 3] = [
    ("fin", CloseHow::Fin),
    ("half", CloseHow::Half),
    ("rst", CloseHow::Rst),
];

fn word<T: PartialEq>(table: &[(&'static str, T)], value: T) -> &'static str {
    table
        .iter()
        .find(|(_, v)| *v == value)
        .map_or("", |(w, _)| w)
}

fn choice<T: Copy + Default>(
    table: &[(&str, T)],
    text: &Option<String>,
    key: &str,
    at: &DottedPath,
) -> Result<T, Problem> {
    let Some(text) = text else {
        return Ok(T::default());
    };
    table
        .iter()
        .find(|(w, _)| w == text)
        .map(|(_, v)| *v)
        .ok_or_else(|| {
            let words: Vec<&str> = table.iter().map(|(w, _)| *w).collect();
            Problem::new(
                at.key(key),
                suggest::unknown(&format!("value of `{key}`,"), text, words.iter().copied()),
            )
        })
}

/// Checks the keys of an exchange.
///
/// # Errors
/// When something is missing, out of range or contradictory.
pub(super) fn read(
    file: &WorkloadFile,
    ends: (&str, &str),
    at: &DottedPath,
    topology: &Topology,
) -> Result<WorkloadKind, Problem> {
    let d = Exchange::default();
    let exchange = Exchange {
        requests: file.requests.unwrap_or(d.requests),
        request: file.request.map_or(d.request, |x| x.0),
        response: file.response.map_or(d.response, |x| x.0),
        think: file.think.map_or(d.think, |x| x.0),
        service: file.service.map_or(d.service, |x| x.0),
        closer: choice(&CLOSERS, &file.close, "close", at)?,
        how: choice(&HOWS, &file.how, "how", at)?,
        close_after: file.close_after.unwrap_or(d.close_after),
        linger: file.linger.unwrap_or(d.linger),
        fast_open: file.fast_open.unwrap_or(d.fast_open),
        connect_timeout: longer_than_zero(file.connect_timeout, "connect_timeout", at)?,
        request_timeout: longer_than_zero(file.request_timeout, "request_timeout", at)?,
        respond_after: file.respond_after.map(|b| b.0),
    };
    check(&exchange, at)?;
    Ok(WorkloadKind::Exchange {
        arrivals: arrivals_of(file, at)?,
        limit: limit_of(file, at)?,
        exchange: Arc::new(exchange),
        retries: match &file.retries {
            Some(retries) => read_retries(retries, &at.key("retries"))?,
            None => Retries::default(),
        },
        exchange_times: file.exchange_times == Some(true),
        breaker: breaker::read(file.breaker.as_ref(), &at.key("breaker"))?,
        proxy: WorkloadProxy::read(file, ends, at, topology)?.map(Box::new),
        pool: pool::read(file, at)?,
        bind_first: file.ip_bind_address_no_port == Some(false),
    })
}

pub(super) fn limit_of(file: &WorkloadFile, at: &DottedPath) -> Result<Option<u64>, Problem> {
    let limit = file.limit.and_then(|l| l.0);
    if limit == Some(0) {
        return Err(
            Problem::new(at.key("limit"), "a limit of 0 opens no connection")
                .help("leave it out for no limit"),
        );
    }
    Ok(limit)
}

pub(super) fn arrivals_of(file: &WorkloadFile, at: &DottedPath) -> Result<Arrivals, Problem> {
    let Some(arrivals) = &file.arrivals else {
        return Err(
            Problem::new(at.clone(), format!("`arrivals` is missing in {at}"))
                .help("add arrivals = { kind = \"fixed\", rate = \"100 /s\" }"),
        );
    };
    arrivals::read(arrivals, &at.key("arrivals"))
}

fn check(exchange: &Exchange, at: &DottedPath) -> Result<(), Problem> {
    let half = exchange.how == CloseHow::Half;
    if half && exchange.closer != Closer::Client {
        return Err(Problem::new(at.key("how"), "only the client half-closes")
            .help("write close = \"client\" with how = \"half\""));
    }
    if exchange.requests == 0 && (half || exchange.fast_open) {
        let key = if half { "how" } else { "fast_open" };
        return Err(Problem::new(
            at.key(key),
            format!("`{key}` needs a request, and there are none (`requests = 0`)"),
        )
        .help(format!("leave `{key}` out, or write requests = 1")));
    }
    if exchange.respond_after == Some(0) {
        return Err(Problem::new(
            at.key("respond_after"),
            "a server cannot respond to a request of which it has read nothing",
        )
        .help("write at least \"1 B\""));
    }
    let fits = exchange.requests == 1 && exchange.closer == Closer::Server;
    if exchange.respond_after.is_some() && !fits {
        return Err(Problem::new(
            at.key("respond_after"),
            "a server that has not read a request to its end can only close",
        )
        .help("write close = \"server\" and requests = 1 along with `respond_after`"));
    }
    Ok(())
}

fn read_retries(file: &RetriesFile, at: &DottedPath) -> Result<Retries, Problem> {
    let d = Retries::default();
    let within = |key: &str, value: Option<f64>, least: f64, most: f64| match value {
        Some(v) if !(least..=most).contains(&v) => Err(Problem::new(
            at.key(key),
            format!("`{key}` = {v} must lie between {least} and {most}"),
        )),
        other => Ok(other),
    };
    Ok(Retries {
        max: file.max,
        backoff: file.backoff.unwrap_or(d.backoff),
        factor: within("factor", file.factor, 1.0, 1e3)?.unwrap_or(d.factor),
        max_backoff: file.max_backoff.unwrap_or(d.max_backoff),
        jitter: within("jitter", file.jitter, 0.0, 1.0)?.unwrap_or(d.jitter),
        budget: within("budget", file.budget, 0.0, 1e6)?,
    })
}

/// Converts back to a file with every value written out.
pub(super) fn to_file(
    exchange: &Exchange,
    retries: &Retries,
    pool: Option<&PoolSpec>,
    common: WorkloadFile,
) -> WorkloadFile {
    let written = WorkloadFile {
        kind: Some("exchange".to_owned()),
        requests: Some(exchange.requests),
        request: Some(Dist::new(exchange.request)),
        response: Some(Dist::new(exchange.response)),
        think: Some(Dist::new(exchange.think)),
        service: Some(Dist::new(exchange.service)),
        close: Some(word(&CLOSERS, exchange.closer).to_owned()),
        how: Some(word(&HOWS, exchange.how).to_owned()),
        close_after: Some(exchange.close_after),
        linger: Some(exchange.linger),
        fast_open: Some(exchange.fast_open),
        connect_timeout: exchange.connect_timeout,
        request_timeout: exchange.request_timeout,
        respond_after: exchange.respond_after.map(Bytes),
        retries: (retries.max > 0).then_some(RetriesFile {
            max: retries.max,
            backoff: Some(retries.backoff),
            factor: Some(retries.factor),
            max_backoff: Some(retries.max_backoff),
            jitter: Some(retries.jitter),
            budget: retries.budget,
        }),
        ..common
    };
    match pool {
        Some(pool) => pool::to_file(pool, written),
        None => written,
    }
}
