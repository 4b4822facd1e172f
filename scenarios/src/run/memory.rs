//! Memory used by the simulation of a run.

use std::collections::BTreeMap;

use reports::store::{ConnectionMemory, MemorySummary};
use sim_core::Simulation;
use tcp_model::State;
use tcp_model::host::TcpHost;

/// Memory figures reported by hosts and engine.
pub(super) fn of(hosts: &[Option<TcpHost>]) -> MemorySummary {
    let mut all = MemorySummary::default();
    let core = Simulation::<TcpHost>::object_bytes();
    let of_core = [
        ("event", core.event),
        ("packet", core.packet),
        ("link", core.link),
        ("node", core.node),
        ("host", core.host),
    ];
    let named = |(name, bytes): (&str, usize)| (name.to_owned(), bytes as u64);
    all.object_bytes.extend(of_core.map(named));
    let (mut peaks, mut tables) = ([0; 2], [0; 4]);
    let mut at_end: BTreeMap<State, ConnectionMemory> = BTreeMap::new();
    for host in hosts.iter().flatten() {
        let (report, stats) = (host.memory(), host.stats());
        peaks[0] += u64::from(stats.peak_connections);
        peaks[1] += u64::from(stats.peak_time_wait);
        let of_host = [
            report.connections,
            report.time_wait,
            report.demux,
            report.ports,
        ];
        for (sum, bytes) in tables.iter_mut().zip(of_host) {
            *sum += bytes as u64;
        }
        for (state, of_state) in host.memory_by_state() {
            let sum = at_end.entry(state).or_default();
            sum.connections += of_state.count;
            sum.bytes += of_state.bytes;
            sum.largest = sum.largest.max(of_state.largest);
        }
    }
    let by_name = at_end.into_iter();
    all.at_end = by_name
        .map(|(state, sum)| (state.to_string(), sum))
        .collect();
    // These sizes are the same for all hosts.
    if let Some(report) = hosts.iter().flatten().last().map(TcpHost::memory) {
        let of_host = [
            ("connection", report.per_connection),
            ("time_wait_entry", report.per_time_wait),
            ("listener", report.per_listener),
            ("half_open_connection", report.per_connection),
            ("accept_queue_entry", report.per_accept_queue_entry),
            ("ports_of_destination", report.per_destination),
        ];
        all.object_bytes.extend(of_host.map(named));
        let owned = |(name, sum): (&str, u64)| (name.to_owned(), sum);
        let names = ["connections", "time_wait"].into_iter().zip(peaks);
        all.peaks.extend(names.map(owned));
        let names = ["connections", "time_wait", "four_tuples", "ports"];
        all.table_bytes
            .extend(names.into_iter().zip(tables).map(owned));
    }
    all
}
