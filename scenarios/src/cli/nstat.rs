//! `synfin nstat`: the counters of a run under the names that Linux gives them.
//!
//! Linux has more counters than the model; those the model lacks are not printed, not even as zero.

use std::collections::BTreeMap;
use std::path::Path;

use reports::RunSummary;

use super::single_run;
use crate::console::{Failure, print};
use crate::suggest;

/// Name in `/proc/net/snmp` or `/proc/net/netstat`, the host's counter, and what it counts.
const NAMES: [(&str, &str); 15] = [
    ("TcpInSegs", "segments_received"),
    ("TcpOutSegs", "segments_sent"),
    ("TcpInCsumErrors", "checksum_failures"),
    ("TcpOutRsts", "resets_sent"),
    ("TcpExtSyncookiesSent", "syn_cookies_sent"),
    ("TcpExtSyncookiesRecv", "syn_cookies_received"),
    ("TcpExtSyncookiesFailed", "syn_cookies_failed"),
    ("TcpExtTWRecycled", "time_wait_reused"),
    ("TcpExtTCPTimeWaitOverflow", "time_wait_overflows"),
    ("TcpExtListenOverflows", "listen_overflows"),
    ("TcpExtListenDrops", "listen_drops"),
    ("TcpExtTCPFastOpenPassive", "fast_opens_accepted"),
    ("TcpExtTCPACKSkippedChallenge", "challenges_suppressed"),
    ("synfinPortProbes", "port_probes"),
    ("synfinPortsExhausted", "ports_exhausted"),
];

/// Prints the counters of a run, of one group of hosts or of all.
pub(super) fn nstat(dir: &Path, host: Option<&str>) -> Result<(), Failure> {
    let (_, summary) = single_run::open(dir)?;
    let groups = chosen(&summary, host)?;
    print("#synfin")?;
    for (name, n) in counters(&groups) {
        print(&format!("{name:<32}{n:<18}0.0"))?;
    }
    Ok(())
}

/// The counters of the named group, or of all groups.
fn chosen<'a>(
    summary: &'a RunSummary,
    host: Option<&str>,
) -> Result<Vec<&'a BTreeMap<String, u64>>, Failure> {
    let Some(name) = host else {
        return Ok(summary.counters.values().collect());
    };
    match summary.counters.get(name) {
        Some(counters) => Ok(vec![counters]),
        None => {
            let names = summary.counters.keys().map(String::as_str);
            let message = suggest::unknown("group of hosts", name, names);
            Err(Failure::Usage(format!("error: {message}")))
        }
    }
}

/// Names and sums in the order of Linux's files, without zeros, as `nstat` prints them.
fn counters(groups: &[&BTreeMap<String, u64>]) -> Vec<(&'static str, u64)> {
    let sum = |own: &str| groups.iter().filter_map(|g| g.get(own)).sum::<u64>();
    let all = NAMES.iter().map(|(name, own)| (*name, sum(own)));
    all.filter(|(_, n)| *n > 0).collect()
}
