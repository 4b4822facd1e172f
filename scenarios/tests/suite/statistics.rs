//! What a batch reports besides means over replicas: one long run with its warm-up, quantiles,
//! pooled distributions, and which parameter matters.

use std::collections::BTreeMap;
use std::path::Path;

use crate::common::{directory, said};

/// About fifty connects a second, each followed by a second in TIME-WAIT.
const TEXT: &str = r#"
name = "long"
question = "How long does it take?"
duration = "100 s"
topology = { kind = "pair", path = { delay = "5 ms", loss = 0.01 } }
tcp = { time_wait = "1 s" }
[[workload]]
arrivals = { kind = "poisson", rate = "50 /s" }
[record]
connections = 10
states = 10
segments = "none"
"#;

fn read(dir: &Path, name: &str) -> String {
    let path = dir.join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The rows of a CSV file, by column name; no cell contains a comma.
fn rows(text: &str) -> Vec<BTreeMap<&str, &str>> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines
        .map(|line| header.iter().copied().zip(line.split(',')).collect())
        .collect()
}

fn number(row: &BTreeMap<&str, &str>, column: &str) -> f64 {
    let cell = row.get(column);
    let cell = cell.unwrap_or_else(|| panic!("there is no {column}: {row:?}"));
    cell.parse()
        .unwrap_or_else(|_| panic!("{column}: {cell:?}"))
}

#[test]
fn one_long_run_has_means_with_intervals_wherever_metrics_are() {
    let text = format!(
        "{TEXT}warm_up = \"mser-5\"\n[sweep]\n\"tcp.tw_reuse\" = [false, true]\n\
         [[figure]]\nname = \"latency\"\nx = \"tcp.tw_reuse\"\ny = \"long_run_connect_latency_mean_s\"\n\
         [[expect]]\nmetric = \"long_run_time_wait_mean\"\nabove = 40\nbelow = 60\n"
    );
    let dir = directory(&[("long.toml", &text)]);
    let (code, out, err) = said(dir.path(), &["run", "long.toml", "--out", "r"]);
    assert_eq!(code, 0, "{out}{err}");
    let index = read(dir.path(), "r/index.csv");
    for row in rows(&index) {
        // 50 a second for one second each; 10 ms, and now and then a lost SYN.
        for (name, unit, least, most) in [
            ("time_wait", "", 46.0, 54.0),
            ("connect_latency", "_s", 0.010, 0.05),
        ] {
            let of = |what: &str| number(&row, &format!("long_run_{name}_{what}"));
            let (low, mean, high) = (
                of(&format!("low{unit}")),
                of(&format!("mean{unit}")),
                of(&format!("high{unit}")),
            );
            assert!(low < mean && mean < high, "{name}: {low} {mean} {high}");
            assert!(least < mean && mean < most, "{name}: {mean}");
            assert!((0.0..50.0).contains(&of("warm_up_s")));
            assert!(of("correlation") <= 0.3);
        }
    }
    let page = read(dir.path(), "r/report.html");
    assert!(
        page.contains("by the means of twenty batches"),
        "the figure has bars"
    );
    assert!(page.contains("Expected long_run_time_wait_mean"), "{page}");
    let figure = read(dir.path(), "r/figures/latency.csv");
    let figure = rows(&figure);
    assert!(number(&figure[0], "low") < number(&figure[0], "mean"));
    let id = rows(&index)[0]["id"].to_owned();
    let page = read(dir.path(), &format!("r/runs/{id}/report.html"));
    assert!(page.contains("Means after the warm-up"), "{page}");
    // Without directories for the runs the numbers are the same.
    let metrics = ["run", "long.toml", "--out", "m", "--keep", "metrics"];
    assert_eq!(said(dir.path(), &metrics).0, 0);
    assert_eq!(read(dir.path(), "m/index.csv"), index);

    // A fixed warm-up leaves out exactly the given time, which must be shorter than the run.
    let set = ["--set", "record.warm_up=30 s"];
    let fixed = [&["run", "long.toml", "--out", "f"][..], &set].concat();
    assert_eq!(said(dir.path(), &fixed).0, 0);
    let index = read(dir.path(), "f/index.csv");
    assert_eq!(
        number(&rows(&index)[0], "long_run_time_wait_warm_up_s"),
        30.0
    );
    let set = ["--set", "record.warm_up=100 s"];
    let (code, _, err) = said(dir.path(), &[&["check", "long.toml"][..], &set].concat());
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("a warm-up of 100 s leaves nothing of a run of 100 s"),
        "{err}"
    );
}

#[test]
fn the_distributions_of_replicas_are_pooled_with_intervals() {
    let figure = "[[figure]]\nname = \"latency\"\nx = \"topology.path.delay\"\n\
                  y = \"connect_latency\"\ndistribution = \"cdf\"\n\
                  [[figure]]\nname = \"median\"\nx = \"topology.path.delay\"\n\
                  y = \"connect_latency_max_s\"\nquantile = 0.5\n";
    let text = TEXT
        .replace("100 s", "4 s")
        .replace("[record]", "replicas = 6\n[record]");
    let text = text
        .replace("replicas = 6\n", "")
        .replacen("duration", "replicas = 6\nduration", 1);
    let text = format!(
        "{text}histograms = true\n[sweep]\n\"topology.path.delay\" = [\"5 ms\", \"20 ms\"]\n{figure}"
    );
    let dir = directory(&[("pool.toml", &text)]);
    let (code, out, err) = said(dir.path(), &["run", "pool.toml", "--out", "r", "--quiet"]);
    assert_eq!(code, 0, "{out}{err}");
    let index = read(dir.path(), "r/index.csv");
    for row in rows(&index) {
        let bins = row
            .iter()
            .filter(|(name, n)| name.starts_with("connect_latency_bin.") && !n.is_empty());
        let all: f64 = bins.map(|(_, n)| n.parse::<f64>().unwrap()).sum();
        assert_eq!(all, number(&row, "connects_established"));
    }
    let shares = read(dir.path(), "r/figures/latency.csv");
    let shares = rows(&shares);
    for delay in ["5 ms", "20 ms"] {
        let of: Vec<_> = shares
            .iter()
            .filter(|row| row["topology.path.delay"] == delay)
            .collect();
        assert_eq!(number(of[0], "share"), 0.0);
        assert_eq!(number(of[of.len() - 1], "share"), 1.0);
        for row in &of {
            let share = number(row, "share");
            assert!(
                number(row, "low") <= share && share <= number(row, "high"),
                "{row:?}"
            );
        }
        // No connect takes less than two delays; nearly all take only a little more.
        let wait = if delay == "5 ms" { 0.010 } else { 0.040 };
        let at = |s: f64| of.iter().find(|row| number(row, "time_s") > s).unwrap();
        assert!(number(at(wait * 0.85), "share") < 0.001);
        assert!(number(at(wait * 1.15), "share") > 0.9);
    }
    let page = read(dir.path(), "r/report.html");
    assert!(page.contains("p99 "), "the caption has quantiles");
    assert!(
        page.contains("Points are medians over up to 6 replicas"),
        "{page}"
    );
    // Six replicas are the fewest that give an interval of the median.
    let median = read(dir.path(), "r/figures/median.csv");
    assert!(number(&rows(&median)[0], "low") <= number(&rows(&median)[0], "mean"));
    let set = ["check", "pool.toml", "--set", "record.histograms=false"];
    let (code, _, err) = said(dir.path(), &set);
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("the runs do not keep the distribution connect_latency"),
        "{err}"
    );
}

#[test]
fn a_sample_says_how_much_each_parameter_explains() {
    let text = TEXT.replace("100 s", "1 s").replace(", loss = 0.01", "");
    let text = format!(
        "{text}[sweep.sample]\nmethod = \"latin-hypercube\"\ncount = 64\n[sweep.sample.over]\n\
         \"topology.path.delay\" = {{ from = \"1 ms\", to = \"50 ms\" }}\n\
         \"tcp.time_wait\" = {{ from = \"1 s\", to = \"60 s\" }}\n\
         [[figure]]\nname = \"decides\"\nx = \"topology.path.delay\"\n\
         y = \"connect_latency_mean_s\"\neffects = true\n"
    );
    let dir = directory(&[("sample.toml", &text)]);
    let run = [
        "run",
        "sample.toml",
        "--out",
        "r",
        "--keep",
        "metrics",
        "--quiet",
    ];
    let (code, out, err) = said(dir.path(), &run);
    assert_eq!(code, 0, "{out}{err}");
    let found = read(dir.path(), "r/figures/decides.csv");
    let found = rows(&found);
    assert_eq!(found[0]["parameter"], "topology.path.delay");
    assert!(number(&found[0], "share") > 0.95, "{found:?}");
    assert!(number(&found[1], "share") < 0.2, "{found:?}");
    // The lowest and the highest fifth are 0.8 of the range apart, and a connect takes two delays.
    let difference = number(&found[0], "difference");
    assert!((0.070..0.085).contains(&difference), "{difference}");
    let (low, high) = (number(&found[1], "low"), number(&found[1], "high"));
    assert!(
        low < 0.0 && 0.0 < high,
        "TIME-WAIT changes nothing: {low} {high}"
    );
    let page = read(dir.path(), "r/report.html");
    assert!(page.contains("first-order Sobol indices"), "{page}");
    // A figure has one kind only.
    let set = ["check", "sample.toml", "--set", "figure[0].quantile=0.5"];
    let (code, _, err) = said(dir.path(), &set);
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("`quantile` and `effects` ask for two different figures"),
        "{err}"
    );
}

/// Sockets in TIME-WAIT are the rate of connections times its length: a product of two independent inputs, whose
/// indices are known.
#[test]
fn a_saltelli_design_has_the_total_indices_of_a_product() {
    let text = TEXT
        .replace("100 s", "8 s")
        .replace(", loss = 0.01", "")
        .replace("tcp = { time_wait = \"1 s\" }\n", "")
        .replace("poisson", "fixed");
    let text = format!(
        "{text}[sweep.sample]\nmethod = \"saltelli\"\ncount = 64\n[sweep.sample.over]\n\
         \"workload[0].arrivals.rate\" = {{ from = \"10 /s\", to = \"50 /s\" }}\n\
         \"tcp.time_wait\" = {{ from = \"1 s\", to = \"4 s\" }}\n\
         [[figure]]\nname = \"decides\"\nx = \"tcp.time_wait\"\n\
         y = \"time_wait_peak\"\neffects = true\n"
    );
    let dir = directory(&[("product.toml", &text)]);
    let run = ["run", "product.toml", "--out", "r", "--quiet"];
    let (code, out, err) = said(dir.path(), &run);
    assert_eq!(code, 0, "{out}{err}");
    let index = read(dir.path(), "r/index.csv");
    assert_eq!(rows(&index).len(), 64 * 4);
    // Variance over squared mean of each factor.
    let (rate, length) = (1600.0 / 12.0 / 900.0, 9.0 / 12.0 / 6.25);
    let all = (1.0 + rate) * (1.0 + length) - 1.0;
    let found = read(dir.path(), "r/figures/decides.csv");
    let found = rows(&found);
    for (row, path, own, other) in [
        (&found[0], "workload[0].arrivals.rate", rate, length),
        (&found[1], "tcp.time_wait", length, rate),
    ] {
        assert_eq!(row["parameter"], path);
        for (index, low, high, truth) in [
            ("share", "share_low", "share_high", own / all),
            (
                "total_share",
                "total_low",
                "total_high",
                own * (1.0 + other) / all,
            ),
        ] {
            let (index, low, high) = (number(row, index), number(row, low), number(row, high));
            assert!((index - truth).abs() < 0.06, "{path}: {index} for {truth}");
            assert!(
                low <= truth && truth <= high,
                "{path}: {low} {truth} {high}"
            );
        }
    }
    let page = read(dir.path(), "r/report.html");
    assert!(page.contains("the total index, which includes"), "{page}");
    // The design is incomplete without any of its points.
    let set = [
        "check",
        "product.toml",
        "--set",
        "sweep.exclude=[\"tcp.time_wait > '3 s'\"]",
    ];
    let (code, _, err) = said(dir.path(), &set);
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("a Saltelli design needs all of its points"),
        "{err}"
    );
}
