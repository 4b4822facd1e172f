//! The report of a run.

use std::path::Path;

use super::connections::ConnectionsTable;
use super::embed;
use super::page::{HtmlPage, cells};
use crate::bilingual::{Language, say};
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

const LINK_COLUMNS_ZH: [&str; 10] = [
    "从",
    "到",
    "#速率",
    "#时延",
    "#到达",
    "#发送",
    "#队列丢弃",
    "#链路丢失",
    "#最大积压",
    "#利用率",
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
    pub(crate) fn read(dir: &Path, language: Language) -> (PageTables, Drawn) {
        let mut failed = Drawn::default();
        let links = failed.part("table of links", dir, || links(dir, language));
        let read = || {
            Ok(ConnectionsTable::read(dir, language)?
                .map(|all| ConnectionRows::new(&all, language)))
        };
        let connections = failed.part("table of connections", dir, read);
        (PageTables { links, connections }, failed)
    }
}

impl ConnectionRows {
    fn new(all: &ConnectionsTable, language: Language) -> ConnectionRows {
        let (header, first) = all.first(FIRST_CONNECTIONS, language);
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
    let unusual = findings::unusual(info, &summary.metrics, language);
    // The summary has the English findings.
    let findings = match language {
        Language::English => summary.findings.clone(),
        Language::Chinese => findings::findings_in(info, &summary.metrics, language),
    };
    go_to_files(&mut page, summary);
    page.description(&info.description, info.zh.as_ref());
    page.answer(&findings, &unusual);
    page.judgements(summary.judge_in(&info.expectations, language).into_iter());
    if summary.reached_s < info.duration_s {
        page.paragraph(&say!(
            language,
            "The run was stopped at {} of {}; everything here is about the time before.",
            "运行在 {} 处停止（全长 {}）；此处内容都是关于在此之前的时间。",
            seconds(summary.reached_s),
            seconds(info.duration_s)
        ));
    }
    page.paragraph(&say!(
        language,
        "synfin {}, seed {}, {} simulated, result hash {}.",
        "synfin {}，种子 {}，模拟时间 {}，结果哈希 {}。",
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
            page.paragraph(&say!(
                language,
                "{} more are in connections.parquet.",
                "其余 {} 条在 connections.parquet 中。",
                count(connections.more as f64)
            ));
        }
    }
    super::long_run::write(&mut page, summary, language);
    page.heading("Parameters");
    let mut rows: Vec<Vec<String>> = info
        .parameters
        .iter()
        .map(|(name, value)| vec![name.clone(), value.clone()])
        .collect();
    rows.push(vec![
        language.pick("seed of this run", "本次运行的种子").into(),
        info.seed.to_string(),
    ]);
    rows.push(vec![
        language.pick("simulated time", "模拟时间").into(),
        seconds(summary.reached_s),
    ]);
    let header = language.pick(["parameter", "value"], ["参数", "值"]);
    page.table(&cells(header), &rows);
    page.heading("Totals");
    page.paragraph(&say!(
        language,
        "Steady values are taken from {} to {}.",
        "稳态值取自 {} 到 {}。",
        seconds(info.steady_window().0),
        seconds(info.steady_window().1)
    ));
    let rows: Vec<Vec<String>> = summary
        .metrics
        .iter()
        .filter(|(name, value)| **value != 0.0 && !is_bin(name))
        .map(|(name, value)| {
            let meaning = words::column_in(name, language);
            vec![name.clone(), meaning, metric(name, *value)]
        })
        .collect();
    let header = language.pick(["metric", "meaning", "#value"], ["指标", "含义", "#值"]);
    page.table(&cells(header), &rows);
    let zeros = summary.metrics.iter().filter(|(_, value)| **value == 0.0);
    let zeros: Vec<&str> = zeros.map(|(name, _)| name.as_str()).collect();
    if !zeros.is_empty() {
        page.paragraph(&say!(
            language,
            "Zero: {}.",
            "值为零：{}。",
            zeros.join(", ")
        ));
    }
    counters(&mut page, summary, language);
    if let Some(links) = &tables.links {
        page.heading("Links");
        page.table(
            &cells(language.pick(LINK_COLUMNS, LINK_COLUMNS_ZH)),
            &links.rows,
        );
        if links.more > 0 {
            page.paragraph(&say!(
                language,
                "{} more link directions are in links.parquet.",
                "其余 {} 个链路方向在 links.parquet 中。",
                count(links.more as f64)
            ));
        }
    }
    left_out(&mut page, summary, language);
    page.heading("To reproduce");
    if !info.command.is_empty() {
        page.code(&info.command);
    }
    page.paragraph(&say!(
        language,
        "synfin {}; result hash {}: two runs with equal hashes have equal results. run.toml in \
         this directory holds everything needed to run it again; tables are Parquet files, read \
         by pandas, polars, DuckDB and R.",
        "synfin {}；结果哈希 {}：哈希相同的两次运行结果相同。本目录的 run.toml 含有重新运行所需的一切；\
         表格是 Parquet 文件，可由 pandas、polars、DuckDB 和 R 读取。",
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
fn left_out(page: &mut HtmlPage, summary: &RunSummary, language: Language) {
    if summary.left_out.is_empty() {
        return;
    }
    page.heading("Not recorded");
    page.paragraph(language.pick(
        "Tables are kept small unless a scenario asks for more; metrics always count everything. To \
         record what was left out, set the key shown in [record], or use --set 'record.…'.",
        "除非场景另有要求，表格只保留一部分；指标总是统计全部。要记录未保留的内容，请在 [record] 中设置所示的键，\
         或使用 --set 'record.…'。",
    ));
    let rows: Vec<Vec<String>> = summary
        .left_out
        .iter()
        .map(|l| match language {
            Language::English => vec![l.table.clone(), l.what.clone(), l.key.clone()],
            // What was left out is recorded in English only.
            Language::Chinese => vec![l.table.clone(), l.key.clone()],
        })
        .collect();
    let header: &[&str] = match language {
        Language::English => &["table", "left out", "recorded with"],
        Language::Chinese => &["表格", "记录方法"],
    };
    let header: Vec<String> = header.iter().map(|text| (*text).to_owned()).collect();
    page.table(&header, &rows);
}

fn counters(page: &mut HtmlPage, summary: &RunSummary, language: Language) {
    if summary.counters.is_empty() {
        return;
    }
    page.heading("Host counters");
    let mut names: Vec<&String> = summary.counters.values().flat_map(|c| c.keys()).collect();
    names.sort();
    names.dedup();
    let owners = summary.counters.keys().map(|owner| format!("#{owner}"));
    let header: Vec<String> = [language.pick("counter", "计数器").to_owned()]
        .into_iter()
        .chain(owners)
        .collect();
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
fn links(dir: &Path, language: Language) -> Result<Option<LinkRows>, StoreError> {
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
        row.push(known(rate[i], bit_rate, language.pick("unlimited", "不限")));
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
        let (tables, failed) = PageTables::read(tmp.path(), Language::English);
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
        let tables = PageTables::read(tmp.path(), Language::English).0;
        let page = report(&summary, &Drawn::default(), &tables, Language::English);
        assert!(page.contains("<a href=\"packets.pcapng\">"));
        assert!(!page.contains("<a href=\"states.parquet\">"));
    }
}
