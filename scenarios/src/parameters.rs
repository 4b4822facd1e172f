//! A scenario as a list of names and values for reports, without defaults.

use tcp_model::TcpParams;
use toml::{Table, Value};

use crate::file::tcp::TcpFile;
use crate::scenario::Scenario;
use crate::sweep::label;

/// Returns the parameters worth showing, in order: those of the run as a whole, TCP parameters that differ
/// from the profile, and topology and workloads without values that have no effect.
pub fn shown(scenario: &Scenario) -> Vec<(String, String)> {
    let file = scenario.to_file();
    let mut all = vec![
        ("duration".to_owned(), scenario.duration.to_string()),
        ("seed".to_owned(), scenario.seed.to_string()),
    ];
    if let Some(tcp) = &file.tcp {
        tcp_rows("tcp", tcp, &mut all);
        for (group, own) in &tcp.host {
            tcp_rows(&format!("tcp.host.{group}"), own, &mut all);
        }
    }
    if let Some(topology) = file.topology.as_ref().and_then(|t| Table::try_from(t).ok()) {
        rows("topology", &simplified(topology), &mut all);
    }
    for workload in &file.workload {
        if let Ok(mut table) = Table::try_from(workload) {
            table.remove("name");
            let name = workload.name.as_deref().unwrap_or_default();
            rows(&format!("workload.{name}"), &table, &mut all);
        }
    }
    all
}

/// TCP parameters that are always shown, because they decide when ports run out.
const PROMINENT: [&str; 5] = [
    "profile",
    "time_wait",
    "ip_local_port_range",
    "tw_reuse",
    "max_tw_buckets",
];

fn tcp_rows(prefix: &str, tcp: &TcpFile, all: &mut Vec<(String, String)>) {
    let profile = tcp.profile.as_deref().unwrap_or_default();
    let usual = TcpParams::profile(profile)
        .map(|p| TcpFile::complete(profile, &p))
        .unwrap_or_default();
    let own = TcpFile {
        host: Default::default(),
        ..tcp.clone()
    };
    let (Ok(own), Ok(usual)) = (Table::try_from(own), Table::try_from(usual)) else {
        return;
    };
    for key in PROMINENT {
        if let Some(value) = own.get(key) {
            all.push((format!("{prefix}.{key}"), label(value)));
        }
    }
    for (key, value) in &own {
        if !PROMINENT.contains(&key.as_str()) && usual.get(key) != Some(value) {
            all.push((format!("{prefix}.{key}"), label(value)));
        }
    }
}

/// Drops the kind, the defaults of hosts and routers, and values that the reverse direction of a link
/// repeats.
fn simplified(mut topology: Table) -> Table {
    topology.remove("kind");
    for key in ["host", "router"] {
        let Some(Value::Array(nodes)) = topology.get_mut(key) else {
            continue;
        };
        for node in nodes.iter_mut().filter_map(Value::as_table_mut) {
            if node.get("group") == node.get("name") {
                node.remove("group");
            }
            node.retain(|key, value| {
                !matches!(key, "count" | "addresses") || value.as_integer() != Some(1)
            });
        }
    }
    if let Some(Value::Array(links)) = topology.get_mut("link") {
        for link in links.iter_mut().filter_map(Value::as_table_mut) {
            let Some(Value::Table(mut back)) = link.remove("reverse") else {
                continue;
            };
            back.retain(|key, value| link.get(key) != Some(value));
            if !back.is_empty() {
                link.insert("reverse".to_owned(), Value::Table(back));
            }
        }
        hide_repeated(links);
    }
    topology
}

/// Maximum number of links that are shown one by one.
const MOST_LINKS: usize = 12;

/// If there are many links, keeps each distinct description once and empties the others.
fn hide_repeated(links: &mut [Value]) {
    if links.len() <= MOST_LINKS {
        return;
    }
    let mut seen: Vec<Table> = Vec::new();
    for link in links.iter_mut().filter_map(Value::as_table_mut) {
        let mut described = link.clone();
        described.remove("between");
        if seen.contains(&described) {
            link.clear();
        } else if seen.len() < MOST_LINKS {
            seen.push(described);
        }
    }
}

fn rows(prefix: &str, table: &Table, all: &mut Vec<(String, String)>) {
    for (key, value) in table {
        let path = format!("{prefix}.{key}");
        match value {
            Value::Table(inner) => rows(&path, inner, all),
            Value::Array(list) if list.iter().any(Value::is_table) => {
                for (i, item) in list.iter().enumerate() {
                    match item {
                        Value::Table(inner) => rows(&format!("{path}[{i}]"), inner, all),
                        other => all.push((format!("{path}[{i}]"), label(other))),
                    }
                }
            }
            _ if is_nothing(value) => {}
            other => all.push((path, label(other))),
        }
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Float(x) => *x == 0.0,
        Value::Array(list) => list.is_empty(),
        Value::String(text) => matches!(text.as_str(), "0 s" | "unlimited"),
        _ => false,
    }
}
