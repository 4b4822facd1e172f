//! Pages in Chinese have no English sentence: titles, captions, axes, legends, findings, causes of loss and the words of
//! metrics are translated. What remains are names: of metrics, parameters, hosts, states, flags, units and files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use scenarios::library;
use serde_json::Value;

use crate::common::{directory, said};

/// Words without a Chinese form in use: names of protocols, programs, calls, units and people.
const ALLOWED: [&str; 89] = [
    "samples",
    "left",
    "right",
    "hub",
    "nat",
    "DuckDB",
    "Nagle",
    "all",
    "figures",
    "wait",
    "ages",
    "congestion",
    "client",
    "server",
    "RFC",
    "section",
    "ok",
    "synfin",
    "connect",
    "cookie",
    "report",
    "set",
    "run",
    "runs",
    "index",
    "csv",
    "parquet",
    "toml",
    "pcapng",
    "svg",
    "states",
    "segments",
    "connections",
    "links",
    "pandas",
    "polars",
    "and",
    "seq",
    "ack",
    "len",
    "win",
    "cwnd",
    "ms",
    "us",
    "ns",
    "kbit",
    "kB",
    "pkts",
    "bit",
    "port",
    "mss",
    "sackOK",
    "nop",
    "wscale",
    "val",
    "ecr",
    "TS",
    "drop",
    "tail",
    "red",
    "codel",
    "fq",
    "pie",
    "cobalt",
    "newreno",
    "cubic",
    "bbr",
    "linux",
    "seed",
    "replica",
    "where",
    "record",
    "DIR",
    "ID",
    "Jain",
    "Sobol",
    "Mathis",
    "et",
    "al",
    "theory",
    "Padhye",
    "Little",
    "sack",
    "time",
    "Linux",
    "Wireshark",
    "Parquet",
    "method",
    "saltelli",
];

/// The tokens of a scenario that are names or values: everything but comments and prose.
fn names(toml: &str) -> BTreeSet<String> {
    let table: toml::Table = toml.parse().unwrap();
    let mut all = BTreeSet::new();
    collect(&toml::Value::Table(table), "", &mut all);
    all
}

fn collect(value: &toml::Value, key: &str, all: &mut BTreeSet<String>) {
    if ["question", "description", "note", "hazard", "zh"].contains(&key) {
        return;
    }
    all.extend(tokens(key));
    match value {
        toml::Value::String(text) => all.extend(tokens(text)),
        toml::Value::Array(list) => list.iter().for_each(|v| collect(v, "", all)),
        toml::Value::Table(table) => table.iter().for_each(|(key, v)| collect(v, key, all)),
        _ => (),
    }
}

/// What the scenario says about its variants: a user's text stays as it is.
fn notes(toml: &str) -> Vec<String> {
    let table: toml::Table = toml.parse().unwrap();
    let variants = table
        .get("variant")
        .and_then(|v| v.as_array())
        .into_iter()
        .flatten();
    let of = |variant: &toml::Value| {
        ["note", "hazard"].map(|key| {
            variant
                .get(key)
                .and_then(|text| text.as_str())
                .map(str::to_owned)
        })
    };
    variants.flat_map(of).flatten().collect()
}

/// The words of a text that are made of Latin letters, with what is joined to them.
fn tokens(text: &str) -> impl Iterator<Item = String> {
    let part = |c: char| c.is_ascii_alphanumeric() || "_./".contains(c);
    let words = text
        .split(move |c: char| !part(c))
        .map(|word| word.trim_matches(['.', '/']));
    words
        .filter(|word| word.chars().any(|c| c.is_ascii_alphabetic()))
        .map(str::to_owned)
}

/// Whether a word is a name by its form: a metric, a path, a file, an address, a state or a flag.
fn is_name(word: &str) -> bool {
    let mark = word
        .chars()
        .any(|c| c.is_ascii_digit() || "_./".contains(c));
    mark || word.len() == 1 || word.chars().all(|c| c.is_ascii_uppercase())
}

/// Removes what stands from `open` up to `close`, everywhere.
fn without(page: &str, open: &str, close: &str) -> String {
    let mut parts = page.split(open);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |kept, part| {
        kept + " " + part.split_once(close).map_or("", |(_, rest)| rest)
    })
}

fn unescaped(text: &str) -> String {
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"");
    text.replace("&#39;", "'")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&")
}

/// Every text of a JSON value, except those under keys that the page does not show in Chinese.
fn texts(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|v| texts(v, out)),
        Value::Object(map) => {
            let shown = map
                .iter()
                .filter(|(key, _)| !["en", "kind", "colour"].contains(&key.as_str()));
            shown.for_each(|(_, v)| texts(v, out));
        }
        _ => (),
    }
}

/// What a reader of a Chinese page sees, and what its charts and ladders are drawn from.
fn visible(page: &str) -> String {
    let mut drawn = Vec::new();
    for class in ["plot", "steps"] {
        let open = format!("<script type=\"application/json\" class=\"{class}\">");
        for part in page.split(&open).skip(1) {
            let json = part.split("</script>").next().unwrap();
            texts(&serde_json::from_str(json).unwrap(), &mut drawn);
        }
    }
    let page = without(page, "<script", "</script>");
    let page = without(&page, "<style", "</style>");
    let page = without(&page, "<pre", "</pre>");
    // Parameters: dotted paths, and values as they are written in TOML.
    let page = without(
        &page,
        "<table>\n<tr><th scope=\"col\">参数</th>",
        "</table>",
    );
    let page = without(&page, "<span class=\"en\">", "</span>");
    let page = without(&page, "<p dir=\"auto\" class=\"en\">", "</p>");
    // Names and texts of the scenario itself.
    let page = without(&page, "<h1", "</h1>");
    let page = without(&page, "<p class=\"question\"", "</p>");
    let page = without(&page, "<p dir=\"auto\">", "</p>");
    let page = without(&page, "<title", "</title>");
    let mut text = unescaped(&without(&page.replace("><", "> <"), "<", ">"));
    for one in drawn {
        text.push('\n');
        text.push_str(&one);
    }
    text
}

/// The English words of a page of a scenario, each with what is around it.
fn english(page: &Path, toml: &str) -> Vec<String> {
    english_in(&visible(&fs::read_to_string(page).unwrap()), toml)
}

/// The English words of a text about a scenario, each with what is around it.
fn english_in(text: &str, toml: &str) -> Vec<String> {
    let text = notes(toml)
        .iter()
        .fold(text.to_owned(), |text, own| text.replace(own, ""));
    let mut names = names(toml);
    names.extend(reports::metrics::all().map(|metric| metric.id.to_owned()));
    let lines = text
        .lines()
        .flat_map(|line| line.split(['。', '；', '，', '：']));
    let foreign = |line: &&str| {
        let mut words = tokens(line);
        words.any(|w| !is_name(&w) && !names.contains(&w) && !ALLOWED.contains(&w.as_str()))
    };
    lines
        .filter(foreign)
        .map(|line| line.trim().to_owned())
        .collect()
}

/// As [`check_text`], with a ready-made scenario.
fn check(name: &str, set: &[&str]) {
    check_text(name, library::find(name).unwrap().text, set);
}

/// Runs a scenario, writes its pages in Chinese, and checks the page of the batch and of a run.
fn check_text(name: &str, toml: &str, set: &[&str]) {
    let dir = directory(&[("s.toml", toml)]);
    let sets = set.iter().flat_map(|set| ["--set", set]);
    let args: Vec<&str> = ["run", "s.toml", "-q", "--out", "r"]
        .into_iter()
        .chain(sets)
        .collect();
    let (code, _, err) = said(dir.path(), &args);
    assert_eq!(code, 0, "{name}: {err}");
    let results = dir.path().join("r");
    let mut places = vec!["r".to_owned()];
    if let Ok(runs) = fs::read_dir(results.join("runs")) {
        let mut runs: Vec<String> = runs
            .map(|r| r.unwrap().file_name().into_string().unwrap())
            .collect();
        runs.sort();
        places.push(format!("r/runs/{}", runs[0]));
    }
    let mut found = Vec::new();
    for place in places {
        let (code, words, err) = said(dir.path(), &["report", &place, "--lang", "zh"]);
        assert_eq!(code, 0, "{name}: {err}");
        let page = dir.path().join(&place).join("report.html");
        found.extend(english(&page, toml));
        found.extend(english_in(&words, toml));
    }
    assert_chinese(name, &found);
}

fn assert_chinese(what: &str, found: &[String]) {
    assert!(
        found.is_empty(),
        "{what} in Chinese says\n{}",
        found.join("\n")
    );
}

#[test]
fn a_single_connection_is_described_in_chinese() {
    check("http-exchange", &[]);
}

#[test]
fn losses_and_their_causes_are_named_in_chinese() {
    check("handshake-loss", &[]);
}

#[test]
fn a_lesson_is_in_chinese() {
    check("lost-last-ack", &[]);
}

#[test]
fn bulk_transfers_are_described_in_chinese() {
    check("bulk", &["duration=20 s"]);
}

#[test]
fn a_population_of_connections_is_described_in_chinese() {
    check(
        "time-wait",
        &["workload.web.arrivals.rate=660 /s", "duration=60 s"],
    );
}

#[test]
fn batches_are_described_in_chinese() {
    check("nat-gateway", &["duration=5 s"]);
    check("remedies", &["duration=5 s"]);
}

/// A proxy with a pool, tries, a circuit breaker and health checks, one of whose servers crashes, and the times of
/// exchanges.
const PROXY: &str = r#"
name = "behind"
question = "What?"
duration = "12 s"
[topology]
kind = "graph"
host = [{ name = "client", count = 2 }, { name = "proxy" }, { name = "server", count = 2 }]
router = [{ name = "hub" }]
link = [
    { between = ["client", "hub"], delay = "1 ms" },
    { between = ["proxy", "hub"], delay = "1 ms" },
    { between = ["server", "hub"], delay = "1 ms" },
]
[[workload]]
name = "web"
arrivals = { kind = "poisson", rate = "60 /s" }
service = { kind = "exponential", mean = "10 ms" }
request_timeout = "1 s"
retries = { max = 2, backoff = "50 ms" }
exchange_times = true
[workload.proxy]
host = "proxy"
tries = 2
try_timeout = "150 ms"
pool = { max = 4, idle_timeout = "2 s" }
breaker = { failures = 3, open = "1 s" }
health = { interval = "500 ms", timeout = "200 ms" }
[[fault]]
node = "server-1"
at = "4 s"
for = "3 s"
"#;

#[test]
fn proxies_are_described_in_chinese() {
    let batch = "[sweep]\n\"workload.web.proxy.tries\" = [1, 2]\n\
                 [[figure]]\nname = \"errors\"\nx = \"workload.web.proxy.tries\"\ny = \"proxy_errors_share\"\n\
                 [[figure]]\nname = \"times\"\nx = \"workload.web.proxy.tries\"\ny = \"exchange_time_p99_s\"\n";
    check_text("a proxy", PROXY, &[]);
    check_text("a proxy", &format!("{PROXY}{batch}"), &[]);
}

/// `run --lang zh` draws the pages of the runs, too, and prints Chinese; English results are redrawn without a run.
#[test]
fn runs_are_described_in_the_language_of_the_command() {
    let dir = directory(&[]);
    let toml = library::find("lost-last-ack").unwrap().text;
    for (language, attribute) in [("zh", "lang=\"zh\""), ("en", "lang=\"en\"")] {
        let run = ["run", "lost-last-ack", "--out", "r", "--lang", language];
        let (code, words, err) = said(dir.path(), &run);
        assert_eq!(code, 0, "{err}");
        let runs = fs::read_dir(dir.path().join("r/runs")).unwrap();
        let runs = runs.map(|run| run.unwrap().path());
        let pages: Vec<_> = [dir.path().join("r")].into_iter().chain(runs).collect();
        assert!(pages.len() > 2);
        for page in pages.iter().map(|place| place.join("report.html")) {
            let text = fs::read_to_string(&page).unwrap();
            assert!(text.contains(&format!("<html {attribute}")), "{page:?}");
            if language == "zh" {
                assert_chinese("the page", &english(&page, toml));
            }
        }
        if language == "zh" {
            assert_chinese("the command", &english_in(&words, toml));
        }
    }
}

#[test]
fn comparisons_figures_on_request_and_captures_are_in_chinese() {
    let dir = directory(&[]);
    let ok = |args: &[&str]| {
        let (code, words, err) = said(dir.path(), args);
        assert_eq!(code, 0, "{args:?}: {err}");
        words
    };
    let toml = library::find("lost-last-ack").unwrap().text;
    ok(&["run", "lost-last-ack", "-q", "--out", "a"]);
    ok(&[
        "run",
        "lost-last-ack",
        "-q",
        "--out",
        "b",
        "--set",
        "topology.path.delay=70 ms",
    ]);
    let runs = |of: &str| {
        let runs = fs::read_dir(dir.path().join(of).join("runs")).unwrap();
        let mut runs: Vec<String> = runs
            .map(|run| format!("{of}/runs/{}", run.unwrap().file_name().display()))
            .collect();
        runs.sort();
        runs
    };
    let (a, b) = (runs("a"), runs("b"));
    let mut found = Vec::new();
    for (first, second) in [("a", "b"), (&*a[0], &*b[0])] {
        let words = ok(&["compare", first, second, "--lang", "zh", "--out", "c.html"]);
        found.extend(english_in(&words, toml));
        found.extend(english(&dir.path().join("c.html"), toml));
    }
    // Every variant: which of them shows a segment sent again must not be left to the order of their names.
    for run in &a {
        let packets = format!("{run}/packets.pcapng");
        let words = ok(&["read-pcap", &packets, "--lang", "zh", "--out", "capture"]);
        found.extend(english_in(&words, toml));
        found.extend(english(&dir.path().join("capture/report.html"), toml));
        fs::remove_dir_all(dir.path().join("capture")).unwrap();
    }
    assert_chinese("compare or read-pcap", &found);
    let toml = library::find("nat-gateway").unwrap().text;
    ok(&[
        "run",
        "nat-gateway",
        "-q",
        "--out",
        "n",
        "--set",
        "duration=5 s",
    ]);
    for kind in ["mean", "median", "cdf", "ccdf"] {
        let y = "connect_latency_p99_s";
        let words = ok(&[
            "plot", "n", "--y", y, "--kind", kind, "--lang", "zh", "--out", "p.svg",
        ]);
        let mut found = english_in(&words, toml);
        found.extend(english(&dir.path().join("p.svg"), toml));
        assert_chinese(kind, &found);
        let svg = fs::read_to_string(dir.path().join("p.svg")).unwrap();
        assert!(svg.contains("建立连接"), "{svg}");
    }
}

#[test]
fn the_check_finds_english_words() {
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("report.html");
    let chinese = "<h1>a name</h1><p>丢弃了 3 个 SYN，client 的 cwnd 为 10 kB。</p><span class=\"en\">lost</span>";
    fs::write(&page, chinese).unwrap();
    let toml = "[tcp.host.client]\nsack = true\n";
    assert_eq!(english(&page, toml), Vec::<String>::new());
    fs::write(&page, format!("{chinese}<p>3 segments were dropped</p>")).unwrap();
    assert_eq!(english(&page, toml), ["3 segments were dropped"]);
}
