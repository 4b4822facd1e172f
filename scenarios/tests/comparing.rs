//! Named variants and expectations, from the text of a scenario to the verdict and the exit code.

mod common;

use common::{directory, said};

/// A hundred ports, each held for ten seconds: ten connects a second and no more, unless ports are
/// reused.
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
    // 100 at once, then 10 a second, until 60 s are over; those at the very end may be on their way.
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
}
