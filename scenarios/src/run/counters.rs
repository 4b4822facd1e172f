//! The counters of hosts, by group.

use std::collections::BTreeMap;

use tcp_model::host::{HostStats, TcpHost};

/// The counters of hosts and of their middleboxes, summed by group, without zeros.
pub(super) fn of(
    hosts: &[Option<TcpHost>],
    groups: &[&str],
) -> BTreeMap<String, BTreeMap<String, u64>> {
    let mut all: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for (host, group) in hosts.iter().zip(groups) {
        let Some(host) = host else { continue };
        let stats = host.stats();
        let counts = HostStats::COUNTERS.iter();
        let counts = counts.map(|counter| (counter.name, (counter.get)(&stats)));
        let of_middlebox = host.middlebox().map(|m| m.counters());
        let of_group = all.entry((*group).to_owned()).or_default();
        let happened = counts
            .chain(of_middlebox.into_iter().flatten())
            .filter(|(_, count)| *count > 0);
        for (name, count) in happened {
            *of_group.entry(name.to_owned()).or_default() += count;
        }
    }
    all
}
