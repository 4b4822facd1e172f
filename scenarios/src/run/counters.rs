//! The counters of hosts, summed in total and by group.

use std::collections::{BTreeMap, HashMap};

use tcp_model::host::{HostStats, TcpHost};

/// Sums of the counters of several hosts, in the order of [`HostStats::COUNTERS`].
#[derive(Clone, Debug)]
pub(super) struct CounterSums(Vec<u64>);

impl Default for CounterSums {
    fn default() -> CounterSums {
        CounterSums(vec![0; HostStats::COUNTERS.len()])
    }
}

impl CounterSums {
    /// Adds the counters of a host.
    pub(super) fn add(&mut self, stats: &HostStats) {
        for (sum, counter) in self.0.iter_mut().zip(HostStats::COUNTERS) {
            *sum += (counter.get)(stats);
        }
    }

    /// Each counter's name and sum.
    pub(super) fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = HostStats::COUNTERS.iter().map(|counter| counter.name);
        names.zip(self.0.iter().copied())
    }
}

/// The counters of hosts and of their middleboxes, summed by group, without zeros.
pub(super) fn of(
    hosts: &[Option<TcpHost>],
    groups: &[&str],
) -> BTreeMap<String, BTreeMap<String, u64>> {
    let mut of_hosts: HashMap<&str, CounterSums> = HashMap::new();
    let mut of_middleboxes: Vec<(&str, &str, u64)> = Vec::new();
    for (host, group) in hosts.iter().zip(groups) {
        let Some(host) = host else { continue };
        of_hosts.entry(group).or_default().add(&host.stats());
        let counters = host.middlebox().map(|m| m.counters());
        let counters = counters.into_iter().flatten();
        of_middleboxes.extend(counters.map(|(name, count)| (*group, name, count)));
    }
    let of_hosts = of_hosts.iter().flat_map(|(group, sums)| {
        let named = sums.named();
        named.map(|(name, count)| (*group, name, count))
    });
    let mut all: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for (group, name, count) in of_hosts.chain(of_middleboxes) {
        let of_group = all.entry(group.to_owned()).or_default();
        if count > 0 {
            *of_group.entry(name.to_owned()).or_default() += count;
        }
    }
    all
}
