//! The table of connections, with one row for each connection: its opener's end.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::path::Path;

use serde::Serialize;
use tcp_model::ConnId;

use crate::bilingual::Language;
use crate::format::seconds;
use crate::recorded_words::outcome;
use crate::store::StoreError;
use crate::store::reader::{Groups, Table};

/// Rows that a page contains; the others are in the Parquet file.
const MOST: usize = 40_000;

const COLUMNS: &[&str] = &[
    "conn",
    "side",
    "node",
    "local_port",
    "remote_ip",
    "remote_port",
    "opened_s",
    "established_s",
    "ended_s",
    "reason",
    "time_wait",
    "segments_sent",
    "retransmissions",
];

/// States by how far a connection got.
const REACHED: [&str; 3] = ["SYN-SENT", "ESTABLISHED", "TIME-WAIT"];

/// Columns by name, as the script of the page reads them.
#[derive(Debug, Default, Serialize)]
pub(super) struct ConnectionsTable {
    conn: Vec<String>,
    nodes: DistinctTexts,
    from: Vec<usize>,
    port: Vec<i64>,
    peers: DistinctTexts,
    /// By address and port.
    #[serde(skip)]
    places_of_peers: HashMap<(i64, i64), usize>,
    to: Vec<usize>,
    opened: Vec<f64>,
    /// How long the handshake took; `null` if there was none.
    handshake: Vec<f64>,
    lasted: Vec<f64>,
    states: [&'static str; 3],
    reached: Vec<usize>,
    outcomes: DistinctTexts,
    outcome: Vec<usize>,
    segments: Vec<i64>,
    again: Vec<i64>,
    /// Number of rows that are not here.
    #[serde(skip)]
    pub(super) more: u64,
}

/// Distinct texts in order of first use.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
struct DistinctTexts {
    all: Vec<String>,
    #[serde(skip)]
    places: HashMap<String, usize>,
}

impl DistinctTexts {
    fn place(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        self.all.push(name.to_owned());
        self.places.insert(name.to_owned(), self.all.len() - 1);
        self.all.len() - 1
    }
}

impl ConnectionsTable {
    /// Reads the table; `None` if the run has none.
    pub(super) fn read(
        dir: &Path,
        language: Language,
    ) -> Result<Option<ConnectionsTable>, StoreError> {
        let Some(mut groups) = Groups::open(dir, "connections", COLUMNS)? else {
            return Ok(None);
        };
        let mut all = ConnectionsTable {
            states: REACHED,
            ..ConnectionsTable::default()
        };
        while let Some(group) = groups.next_group()? {
            all.take(&group)?;
        }
        for text in &mut all.outcomes.all {
            *text = outcome(text, language).to_owned();
        }
        Ok((!all.conn.is_empty()).then_some(all))
    }

    fn take(&mut self, group: &Table) -> Result<(), StoreError> {
        let ints = |name| group.ints(name);
        let (conns, sides) = (ints("conn")?, group.texts("side")?);
        let (nodes, reasons) = (group.texts("node")?, group.texts("reason")?);
        let (ports, peers) = (ints("local_port")?, ints("remote_ip")?);
        let (peer_ports, segments) = (ints("remote_port")?, ints("segments_sent")?);
        let (opened, ended) = (group.floats("opened_s")?, group.floats("ended_s")?);
        let established = group.floats("established_s")?;
        let (waited, again) = (group.bools("time_wait")?, ints("retransmissions")?);
        for i in 0..group.len() {
            if sides[i] != "active" {
                continue;
            }
            if self.conn.len() == MOST {
                self.more += 1;
                continue;
            }
            let reached = match (waited[i], established[i].is_finite()) {
                (true, _) => 2,
                (false, true) => 1,
                (false, false) => 0,
            };
            self.conn.push(ConnId(conns[i] as u64).to_string());
            self.from.push(self.nodes.place(&nodes[i]));
            self.port.push(ports[i]);
            let peer = (peers[i], peer_ports[i]);
            let place = *self.places_of_peers.entry(peer).or_insert_with(|| {
                let address = Ipv4Addr::from(u32::try_from(peer.0).unwrap_or(0));
                self.peers.place(&format!("{address}:{}", peer.1))
            });
            self.to.push(place);
            self.opened.push(rounded(opened[i]));
            self.handshake.push(rounded(established[i] - opened[i]));
            self.lasted.push(rounded(ended[i] - opened[i]));
            self.reached.push(reached);
            self.outcome.push(self.outcomes.place(&reasons[i]));
            self.segments.push(segments[i]);
            self.again.push(again[i]);
        }
        Ok(())
    }

    /// The first rows as text.
    pub(super) fn first(&self, most: usize, language: Language) -> (Vec<String>, Vec<Vec<String>>) {
        let header = language.pick(
            ["connection", "from", "to", "#opened", "#lasted", "outcome"],
            ["连接", "从", "到", "#打开", "#持续", "结果"],
        );
        let row = |i: usize| {
            vec![
                self.conn[i].clone(),
                format!("{}:{}", self.nodes.all[self.from[i]], self.port[i]),
                self.peers.all[self.to[i]].clone(),
                seconds(self.opened[i]),
                seconds(self.lasted[i]),
                self.outcomes.all[self.outcome[i]].clone(),
            ]
        };
        let rows = (0..self.conn.len().min(most)).map(row).collect();
        (header.map(str::to_owned).to_vec(), rows)
    }

    /// As JSON.
    pub(super) fn json(&self) -> String {
        // Serialisation cannot fail: no value is unsupported.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Rounds to microseconds.
fn rounded(time_s: f64) -> f64 {
    (time_s * 1e6).round() / 1e6
}
