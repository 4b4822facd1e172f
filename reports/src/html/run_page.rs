//! The report of a run.

use std::path::Path;

use super::connections::ConnectionsTable;
use super::embed;
use super::page::{HtmlPage, cells};
use crate::bilingual::Language;
use crate::figures::Drawn;
use crate::findings;
use crate::format::{bit_rate, count, metric, percent, seconds};
use crate::metrics::is_bin;
use crate::store::reader::Groups;
use crate::store::{RunSummary, StoreError};
use crate::words;

/// Most rows of the table of links; the others are in the Parquet file.
const MOST_LINKS: usize = 50;

/// Connections listed if scripts are off.
const FIRST_CONNECTIONS: usize = 20;

const LINK_COLUMNS: [&str; 10] = [
    "from",
    "to",
    "#rate",
    "#delay",
    "#offered",
    "#sent",
    "#queue drops",
    "#wire losses",
    "#largest backlog",
    "#utilisation",
];

/// The table of links.
struct LinkRows {
    rows: Vec<Vec<String>>,
    /// Number of links that are only in the Parquet file.
    more: usize,
}

/// The tables of a page, read from the directory of a run.
pub(crate) struct PageTables {
    links: Option<LinkRows>,
    connections: Option<ConnectionRows>,
}

/// Connections for readers with and without scripts.
struct ConnectionRows {
    json: String,
    header: Vec<String>,
    first: Vec<Vec<String>>,
    /// Number of connections that are only in the Parquet file.
    more: u64,
}

impl PageTables {
    /// Reads the tables; those that cannot be read are absent, and listed among the failures.
    pub(crate) fn read(dir: &Path) -> (PageTables, Drawn) {
        let mut failed = Drawn::default();
        let links = failed.part("table of links", dir, || links(dir));
        let read = || Ok(ConnectionsTable::read(dir)?.map(ConnectionRows::new));
        let connections = failed.part("table of connections", dir, read);
        (PageTables { links, connections }, failed)
    }
}

impl ConnectionRows {
    fn new(all: ConnectionsTable) -> ConnectionRows {
        let (header, first) = all.first(FIRST_CONNECTIONS);
        ConnectionRows {
            json: embed::json(&all.json()),
            header,
            first,
            more: all.more,
        }
    }
}

/// Makes the page from the summary, the figures and the small tables.
pub(crate) fn report(
    summary: &RunSummary,
    drawn: &Drawn,
    tables: &PageTables,
    language: Language,
) -> String {
    let info = &summary.info;
    let mut page = HtmlPage::new(&info.name, &info.question);
    page.opens_in(language);
    let unusual = findings::unusual(info, &summary.metrics);
    go_to_files(&mut page, summary);
    page.description(&info.description, info.zh.as_ref());
    page.answer(&summary.findings, &unusual);
    page.judgements(summary.judge(&info.expectations).into_iter());
    if summary.reached_s < info.duration_s {
        page.paragraph(&format!(
            "The run was stopped at {} of {}; everything here is about the time before.",
            seconds(summary.reached_s),
            seconds(info.duration_s)
        ));
    }
    page.paragraph(&format!(
        "synfin {}, seed {}, {} simulated, result hash {}.",
        summary.version,
        info.seed,
        seconds(summary.reached_s),
        summary.result_hash.get(..12).unwrap_or_default()
    ));
    page.drawn(drawn);
    if let Some(connections) = &tables.connections {
        page.heading("Connections");
        page.connections(&connections.json, &connections.header, &connections.first);
        if connections.more > 0 {
            page.paragraph(&format!(
                "{} more are in connections.parquet.",
                count(connections.more as f64)
            ));
        }
    }
    super::long_run::write(&mut page, summary);
    page.heading("Parameters");
    let mut rows: Vec<Vec<String>> = info
        .parameters
        .iter()
        .map(|(name, value)| vec![name.clone(), value.clone()])
        .collect();
    rows.push(vec!["seed of this run".into(), info.seed.to_string()]);
    rows.push(vec!["simulated time".into(), seconds(summary.reached_s)]);
    page.table(&cells(["parameter", "value"]), &rows);
    page.heading("Totals");
    page.paragraph(&format!(
        "Steady values are taken from {} to {}.",
        seconds(info.steady_window().0),
        seconds(info.steady_window().1)
    ));
    let rows: Vec<Vec<String>> = summary
        .metrics
        .iter()
        .filter(|(name, value)| **value != 0.0 && !is_bin(name))
        .map(|(name, value)| {
            let meaning = words::column(name);
            vec![name.clone(), meaning, metric(name, *value)]
        })
        .collect();
    page.table(&cells(["metric", "meaning", "#value"]), &rows);
    let zeros = summary.metrics.iter().filter(|(_, value)| **value == 0.0);
    let zeros: Vec<&str> = zeros.map(|(name, _)| name.as_str()).collect();
    if !zeros.is_empty() {
        page.paragraph(&format!("Zero: {}.", zeros.join(", ")));
    }
    counters(&mut page, summary);
    if let Some(links) = &tables.links {
        page.heading("Links");
        page.table(&cells(LINK_COLUMNS), &links.rows);
        if links.more > 0 {
            page.paragraph(&format!(
                "{} more link directions are in links.parquet.",
                count(links.more as f64)
            ));
        }
    }
    left_out(&mut page, summary);
    page.heading("To reproduce");
    if !info.command.is_empty() {
        page.code(&info.command);
    }
    page.paragraph(&format!(
        "synfin {}; result hash {}: two runs with equal hashes have equal results. run.toml in \
         this directory holds everything needed to run it again; tables are Parquet files, read \
         by pandas, polars, DuckDB and R.",
        summary.version, summary.result_hash
    ));
    page.files(summary.files.keys());
    page.finish()
}

/// Links to what readers look for most: connections, states and the capture, and the scenario.
fn go_to_files(page: &mut HtmlPage, summary: &RunSummary) {
    for (name, text) in [
        ("connections.parquet", "Connections (Parquet)"),
        ("states.parquet", "States (Parquet)"),
        ("segments.parquet", "Segments (Parquet)"),
        ("packets.pcapng", "Capture (pcapng, for Wireshark)"),
    ] {
        if summary.files.contains_key(name) {
            page.link(text, name);
        }
    }
    page.link("Scenario of this run", "run.toml");
}

/// Says what the tables leave out, and how to get it.
fn left_out(page: &mut HtmlPage, summary: &RunSummary) {
    if summary.left_out.is_empty() {
        return;
    }
    page.heading("Not recorded");
    page.paragraph(
        "Tables are kept small unless a scenario asks for more; metrics always count everything. To \
         record what was left out, set the key shown in [record], or use --set 'record.…'.",
    );
    let rows: Vec<Vec<String>> = summary
        .left_out
        .iter()
        .map(|l| vec![l.table.clone(), l.what.clone(), l.key.clone()])
        .collect();
    page.table(&cells(["table", "left out", "recorded with"]), &rows);
}

fn counters(page: &mut HtmlPage, summary: &RunSummary) {
    if summary.counters.is_empty() {
        return;
    }
    page.heading("Host counters");
    let mut names: Vec<&String> = summary.counters.values().flat_map(|c| c.keys()).collect();
    names.sort();
    names.dedup();
    let owners = summary.counters.keys().map(|owner| format!("#{owner}"));
    let header: Vec<String> = ["counter".to_owned()].into_iter().chain(owners).collect();
    let rows: Vec<Vec<String>> = names
        .into_iter()
        .map(|name| {
            let values = summary.counters.values();
            let values = values.map(|c| c.get(name).map_or(String::new(), |n| count(*n as f64)));
            [name.clone()].into_iter().chain(values).collect()
        })
        .collect();
    page.table(&header, &rows);
}

/// The rows of the table of links, and the number of further links.
fn links(dir: &Path) -> Result<Option<LinkRows>, StoreError> {
    let columns = [
        "from_node",
        "to_node",
        "rate_bps",
        "delay_s",
        "utilisation",
        "offered_pkts",
        "sent_pkts",
        "queue_drops",
        "wire_losses",
        "max_backlog_pkts",
    ];
    let Some(mut groups) = Groups::open(dir, "links", &columns)? else {
        return Ok(None);
    };
    let all = groups.rows() as usize;
    let Some(table) = groups.first_rows(MOST_LINKS)?.filter(|t| !t.is_empty()) else {
        return Ok(None);
    };
    let (from, to) = (table.texts("from_node")?, table.texts("to_node")?);
    let (rate, delay) = (table.floats("rate_bps")?, table.floats("delay_s")?);
    let utilisation = table.floats("utilisation")?;
    let mut rows = Vec::new();
    for i in 0..table.len() {
        let mut row = vec![from[i].clone(), to[i].clone()];
        let known = |value: f64, text: fn(f64) -> String, none: &str| {
            if value.is_finite() {
                text(value)
            } else {
                none.to_owned()
            }
        };
        row.push(known(rate[i], bit_rate, "unlimited"));
        row.push(seconds(delay[i]));
        for column in ["offered_pkts", "sent_pkts", "queue_drops", "wire_losses"] {
            row.push(count(table.ints(column)?[i] as f64));
        }
        row.push(count(table.ints("max_backlog_pkts")?[i] as f64));
        row.push(known(utilisation[i], percent, ""));
        rows.push(row);
    }
    let more = all.saturating_sub(MOST_LINKS);
    Ok(Some(LinkRows { rows, more }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Figure;

    #[test]
    fn a_table_of_links_that_cannot_be_read_costs_only_itself() {
        let tmp = tempfile::tempdir().unwrap();
        std::fs::write(tmp.path().join("links.parquet"), "no table").unwrap();
        let summary = RunSummary::default();
        let mut drawn = Drawn {
            figures: vec![Figure {
                name: "good".into(),
                title: String::new(),
                caption: "A good figure.".into(),
                svg: "<svg></svg>".into(),
                csv: String::new(),
            }],
            failed: Vec::new(),
        };
        let (tables, failed) = PageTables::read(tmp.path());
        drawn.extend(failed);
        let page = report(&summary, &drawn, &tables, Language::English);
        assert!(page.contains("A good figure.") && page.contains("Totals"));
        assert!(page.contains("Missing here") && page.contains("table of links: "));
        assert!(!page.contains("<h2>Links</h2>"));
    }

    #[test]
    fn a_run_links_to_the_files_that_it_has() {
        let tmp = tempfile::tempdir().unwrap();
        let mut summary = RunSummary::default();
        summary.files.insert("packets.pcapng".into(), String::new());
        let tables = PageTables::read(tmp.path()).0;
        let page = report(&summary, &Drawn::default(), &tables, Language::English);
        assert!(page.contains("<a href=\"packets.pcapng\">"));
        assert!(!page.contains("<a href=\"states.parquet\">"));
    }
}
