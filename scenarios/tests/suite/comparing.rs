//! Named variants and expectations, from the text of a scenario to the verdict and the exit code.

use crate::common::{directory, said};

/// A hundred ports, each held for ten seconds: no more than ten connects a second, unless ports are reused.
const SCARCE: &str = r#"
name = "scarce"
duration = "60 s"
tcp = { profile = "linux", time_wait = "10 s", ip_local_port_range = [40000, 40099] }
topology = { kind = "pair", path = { delay = "1 ms" } }
[[workload]]
arrivals = { kind = "fixed", rate = "20 /s" }
close = "client"
[[variant]]
name = "as it is"
[[variant]]
name = "reuse"
set = { "tcp.tw_reuse" = true }
"#;

fn with(more: &str) -> tempfile::TempDir {
    directory(&[("scarce.toml", &format!("{SCARCE}{more}"))])
}

#[test]
fn variants_are_compared_under_their_names() {
    let dir = with("");
    let (code, out, err) = said(dir.path(), &["run", "scarce.toml", "--out", "r"]);
    assert_eq!(code, 0, "{err}");
    for variant in ["as it is", "reuse"] {
        assert!(out.contains(&format!("variant = {variant}")), "{out}");
    }
    let index = std::fs::read_to_string(dir.path().join("r/index.csv")).unwrap();
    let mut lines = index.lines();
    let place = |name: &str| {
        let mut columns = index.lines().next().unwrap().split(',');
        columns.position(|c| c == name).unwrap()
    };
    let (variant, failed) = (place("variant"), place("connects_failed"));
    lines.next();
    let rows: Vec<(&str, f64)> = lines
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            (cells[variant], cells[failed].parse().unwrap())
        })
        .collect();
    assert_eq!((rows[0].0, rows[1].0), ("as it is", "reuse"));
    // 20 connects a second for 60 s, of which half find no port; the last few may still be in progress at
    // the end.
    assert!((490.0..=600.0).contains(&rows[0].1), "{rows:?}");
    assert_eq!(rows[1].1, 0.0);
}

#[test]
fn an_expectation_that_fails_is_exit_code_3_and_everything_is_written() {
    let expect = "[[expect]]\nmetric = \"connects_failed_share\"\nat_most = 0\n";
    let dir = with(expect);
    let (code, out, err) = said(dir.path(), &["run", "scarce.toml", "--out", "r"]);
    let words =
        "Expected connects_failed_share at most 0 %: FAILS for 1 of 2 variants (variant as it is:";
    assert_eq!(code, 3, "{err}");
    assert!(err.contains(words), "{err}");
    assert!(out.contains("report: r"), "{out}");
    let page = std::fs::read_to_string(dir.path().join("r/report.html")).unwrap();
    assert!(page.contains(words), "the page says it too");
    // The existing results are checked again, although no run is made.
    let (code, _, err) = said(dir.path(), &["run", "scarce.toml", "--out", "r", "--quiet"]);
    assert_eq!((code, err.contains("FAILS")), (3, true), "{err}");
}

#[test]
fn an_expectation_may_be_about_one_variant() {
    let expect = "[[expect]]\nmetric = \"connects_failed_share\"\nat_most = 0\nwhere = { variant = \"reuse\" }\n";
    let dir = with(expect);
    let (code, out, err) = said(dir.path(), &["run", "scarce.toml", "--out", "r"]);
    assert_eq!(code, 0, "{err}");
    let words = "Expected connects_failed_share at most 0 % where variant = reuse: holds (0 %).";
    assert!(out.contains(words), "{out}");
}

#[test]
fn a_single_run_is_judged_by_itself() {
    let single = SCARCE.split("[[variant]]").next().unwrap();
    let expect = "[[expect]]\nmetric = \"connect_latency_p99_s\"\nbelow = \"3 ms\"\n[[expect]]\nmetric = \
                  \"connects_failed\"\nbelow = 1\n";
    let dir = directory(&[("scarce.toml", &format!("{single}{expect}"))]);
    let (code, out, err) = said(dir.path(), &["run", "scarce.toml", "--out", "r"]);
    assert_eq!(code, 3, "{err}");
    assert!(
        out.contains("Expected connect_latency_p99_s below 3 ms: holds ("),
        "{out}"
    );
    assert!(
        err.contains("Expected connects_failed below 1: FAILS ("),
        "{err}"
    );
    let page = std::fs::read_to_string(dir.path().join("r/report.html")).unwrap();
    assert!(
        page.contains("Expected connects_failed below 1: FAILS"),
        "the page says it too"
    );
}

#[test]
fn a_sample_has_its_values_in_the_index_and_along_x() {
    let text = r#"
name = "sampled"
duration = "2 s"
topology = { kind = "pair", path = { delay = "1 ms" } }
[[workload]]
arrivals = { kind = "burst", count = 3 }
[sweep.sample]
method = "sobol"
count = 8
[sweep.sample.over]
"topology.path.delay" = { from = "1 ms", to = "100 ms", scale = "log" }
"tcp.tw_reuse" = [false, true]
[[figure]]
name = "latency"
x = "topology.path.delay"
y = "connect_latency_p50_s"
"#;
    let dir = directory(&[("sampled.toml", text)]);
    let (code, out, err) = said(dir.path(), &["run", "sampled.toml", "--out", "r"]);
    assert_eq!(code, 0, "{err}");
    assert!(!out.contains("is not drawn"), "{out}");
    let index = std::fs::read_to_string(dir.path().join("r/index.csv")).unwrap();
    let mut lines = index
        .lines()
        .map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let place = |name: &str| header.iter().position(|c| *c == name).unwrap();
    let columns = [
        "topology.path.delay_s",
        "tcp.tw_reuse",
        "connect_latency_p50_s",
    ]
    .map(place);
    let rows: Vec<[&str; 3]> = lines.map(|cells| columns.map(|c| cells[c])).collect();
    assert_eq!(rows.len(), 8);
    for [delay, reuse, latency] in &rows {
        let (delay, latency): (f64, f64) = (delay.parse().unwrap(), latency.parse().unwrap());
        assert!((0.001..=0.1).contains(&delay) && ["false", "true"].contains(reuse));
        let error = (latency - 2.0 * delay).abs();
        assert!(error < 0.01 * delay + 1e-5, "{delay} {latency}");
    }
    let points = std::fs::read_to_string(dir.path().join("r/figures/latency.csv")).unwrap();
    assert!(points.starts_with("topology.path.delay,n,mean"), "{points}");
    assert_eq!(points.lines().count(), 9);
}

#[test]
fn remedies_are_reported_with_their_cost_and_risk() {
    let dir = with(
        "note = \"needs timestamps\"\n[[variant]]\nname = \"reset\"\nset = { \"workload[0].how\" = \"rst\" }\n\
         hazard = \"may lose data\"\n",
    );
    let (code, out, err) = said(dir.path(), &["run", "scarce.toml", "--out", "r"]);
    assert_eq!(code, 0, "{err}");
    for words in [
        "The first sufficient remedy is \"reuse\". Sufficient: \"reuse\" (",
        "of the ports in use at most; needs timestamps).",
        "Sufficient, but unsafe: \"reset\" (",
        "of the ports in use at most; may lose data).",
        "Not sufficient: \"as it is\" (",
        "of connects failed).",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
    // The page is drawn again from the results alone.
    let (code, again, err) = said(dir.path(), &["report", "r"]);
    assert_eq!(
        (code, again.contains("Sufficient, but unsafe")),
        (0, true),
        "{err}"
    );
}

/// Pairs of values that work are green, those that fail are red. A rate fails if it needs more ports within
/// TIME-WAIT than there are.
#[test]
fn a_phase_diagram_shows_which_pairs_of_values_work() {
    let text = "name = \"phase\"\nduration = \"30 s\"\n\
        topology = { kind = \"pair\", path = { delay = \"1 ms\" } }\n\
        [tcp]\nprofile = \"linux\"\ntime_wait = \"10 s\"\nip_local_port_range = [40000, 40099]\n\
        [[workload]]\nname = \"web\"\narrivals = { kind = \"fixed\", rate = \"5 /s\" }\n\
        [record]\nsegments = \"none\"\n\
        [sweep]\n\"workload.web.arrivals.rate\" = [\"5 /s\", \"15 /s\"]\n\"tcp.time_wait\" = [\"5 s\", \"10 s\"]\n\
        [[figure]]\nname = \"phase\"\nx = \"workload.web.arrivals.rate\"\nseries = \"tcp.time_wait\"\n\
        y = \"connects_failed_share\"\nlimit = 0.001\n";
    let dir = directory(&[("phase.toml", text)]);
    let (code, _, err) = said(dir.path(), &["run", "phase.toml", "--out", "r"]);
    assert_eq!(code, 0, "{err}");
    let csv = std::fs::read_to_string(dir.path().join("r/figures/phase.csv")).unwrap();
    let verdicts: Vec<(&str, &str, &str)> = csv
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            (cells[0], cells[1], cells[3])
        })
        .collect();
    for (rate, stay, works) in [
        ("5 /s", "5 s", "yes"),
        ("5 /s", "10 s", "yes"),
        ("15 /s", "5 s", "yes"),
        ("15 /s", "10 s", "no"),
    ] {
        assert!(verdicts.contains(&(rate, stay, works)), "{csv}");
    }
    assert!(dir.path().join("r/figures/phase.svg").exists());
    let without = text.replace("series = \"tcp.time_wait\"\n", "");
    let dir = directory(&[("phase.toml", &without)]);
    let (code, _, err) = said(dir.path(), &["check", "phase.toml"]);
    assert_eq!(code, 2);
    assert!(err.contains("`series` is missing"), "{err}");
}
