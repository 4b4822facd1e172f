//! Batches as users work with them: planned, run in part, inspected, run again.

use crate::common::{directory, said};

const TEXT: &str = r#"
name = "grid"
duration = "2 s"
replicas = 2
topology = { kind = "pair", path = { delay = "1 ms" } }
[[workload]]
arrivals = { kind = "fixed", rate = "10 /s" }
[sweep]
"topology.path.delay" = ["1 ms", "10 ms", "100 ms"]
"tcp.tw_reuse" = [false, true]
[[expect]]
metric = "connects_failed_share"
at_most = 0
[[expect]]
metric = "connect_latency_p50_s"
below = "50 ms"
"#;

#[test]
fn a_batch_is_planned_run_in_parts_and_its_status_printed() {
    let dir = directory(&[("grid.toml", TEXT)]);
    let call = |args: &[&str]| said(dir.path(), args);
    let (code, out, err) = call(&["plan", "grid.toml", "--out", "r"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("grid: 12 runs in r"), "{out}");
    assert!(out.contains("complete: 0; to run: 12"), "{out}");
    assert!(!dir.path().join("r").exists(), "nothing is made");

    let filter = "tw_reuse && delay <= '10 ms' && replica == 0";
    let (code, _, err) = call(&["run", "grid.toml", "--out", "r", "--filter", filter]);
    assert_eq!(code, 0, "{err}");
    assert!(
        err.contains("10 of 12 runs were not started: not chosen"),
        "{err}"
    );
    let (_, out, _) = call(&["status", "r"]);
    assert!(
        out.contains("grid: 2 of 12 runs are complete, 0 failed, 10 are missing"),
        "{out}"
    );
    let (_, out, _) = call(&["plan", "grid.toml", "--out", "r", "--json"]);
    let plan: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&plan["there"], &plan["to_make"]), (&2.into(), &10.into()));
    assert!(
        plan["estimate"]["measured_over_estimated"]
            .as_f64()
            .unwrap()
            > 0.0
    );
    assert_eq!(plan["first"]["values"]["topology.path.delay"], "1 ms");

    // The remaining runs, with verdicts for a build server; the slow path does not meet the expectation.
    let (code, _, err) = call(&["run", "grid.toml", "--out", "r", "--junit", "j.xml"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("2 of 12 runs were complete already"), "{err}");
    let xml = std::fs::read_to_string(dir.path().join("j.xml")).unwrap();
    assert!(
        xml.contains("tests=\"2\" failures=\"1\" errors=\"0\""),
        "{xml}"
    );
    assert!(xml.contains("connect_latency_p50_s below 0.05"), "{xml}");
    let (_, out, _) = call(&["status", "r", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&status["complete"], &status["missing"]),
        (&12.into(), &0.into())
    );

    let (code, out, _) = call(&["run", "grid.toml", "--out", "r", "--filter", "dely > 1"]);
    assert_eq!((code, out.as_str()), (2, ""));
}

#[test]
fn the_index_after_parts_is_that_of_the_whole() {
    let dir = directory(&[("grid.toml", TEXT)]);
    let call = |args: &[&str]| said(dir.path(), args).0;
    assert_eq!(call(&["run", "grid.toml", "--out", "whole"]), 3);
    for filter in ["delay == '1 ms'", "replica == 1", "!tw_reuse"] {
        call(&["run", "grid.toml", "--out", "parts", "--filter", filter]);
    }
    assert_eq!(call(&["run", "grid.toml", "--out", "parts"]), 3);
    let index = |of: &str| std::fs::read(dir.path().join(of).join("index.csv")).unwrap();
    assert!(index("whole") == index("parts"));
}

#[test]
fn a_run_is_made_again_with_every_segment_and_the_same_metrics() {
    let dir = directory(&[("grid.toml", TEXT)]);
    let call = |args: &[&str]| said(dir.path(), args);
    call(&["run", "grid.toml", "--out", "r", "--filter", "replica == 1"]);
    let runs = std::fs::read_dir(dir.path().join("r/runs")).unwrap();
    let run = runs
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .min()
        .unwrap();
    let of_batch = format!("r/runs/{run}");
    let (code, _, err) = call(&["rerun", &of_batch, "--with-segments", "--out", "again"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("its metrics equal those of r/runs/"), "{err}");
    let text = std::fs::read_to_string(dir.path().join("again/run.toml")).unwrap();
    assert!(text.contains("segments = \"all\""), "{text}");
    let (code, _, err) = call(&["rerun", &of_batch, "--set", "duration=1 s"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("of its metrics differ"), "{err}");
    assert!(
        dir.path()
            .join(format!("results/{run}-again/report.html"))
            .exists()
    );
    let (_, out, _) = call(&["show", &of_batch, "--command"]);
    assert_eq!(
        out.trim(),
        format!("synfin run {of_batch}/run.toml --out {of_batch}")
    );
    let (_, out, _) = call(&["show", "r"]);
    assert!(out.contains("name = \"grid\""), "{out}");
}

#[test]
fn fail_fast_starts_no_run_after_a_failure() {
    // A file is in the place of the first run's directory, so this run fails.
    let dir = directory(&[("grid.toml", TEXT)]);
    let call = |args: &[&str]| said(dir.path(), args);
    let (_, out, _) = call(&["plan", "grid.toml", "--out", "r", "--json"]);
    let plan: serde_json::Value = serde_json::from_str(&out).unwrap();
    let first = plan["first"]["id"].as_str().unwrap().to_owned();
    call(&[
        "run",
        "grid.toml",
        "--out",
        "r",
        "--filter",
        "replica == 1 && delay == '100 ms'",
    ]);
    let place = dir.path().join("r/runs").join(&first);
    std::fs::write(&place, "mine").unwrap();
    let args = ["run", "grid.toml", "--out", "r", "--threads", "1"];
    let (code, _, err) = call(&[&args[..], &["--fail-fast"]].concat());
    assert_eq!(code, 1, "{err}");
    assert!(
        err.contains("9 of 12 runs were not started: another run had failed"),
        "{err}"
    );
    assert!(
        err.contains("2 are complete and 9 were not started"),
        "{err}"
    );
    let (_, out, _) = call(&["status", "r"]);
    assert!(
        out.contains("1 failed") && out.contains("failed: topology.path.delay = 1 ms"),
        "{out}"
    );
    assert_eq!(std::fs::read_to_string(&place).unwrap(), "mine");
}

/// A hundred ports, each held for ten seconds plus the life of its connection: about ten connects a second.
const SCARCE: &str = r#"
name = "scarce"
duration = "20 s"
tcp = { profile = "linux", time_wait = "10 s", ip_local_port_range = [40000, 40099] }
topology = { kind = "pair", path = { delay = "1 ms" } }
[[workload]]
name = "web"
arrivals = { kind = "fixed", rate = "20 /s" }
close = "client"
"#;

#[test]
fn the_largest_rate_without_failures_is_found_in_few_runs() {
    let dir = directory(&[("scarce.toml", SCARCE)]);
    let args = [
        "find",
        "scarce.toml",
        "--vary",
        "workload.web.arrivals.rate",
        "--from",
        "1 /s",
        "--to",
        "50 /s",
        "--largest",
        "--expect",
        "connects_failed == 0",
        "--out",
        "r",
    ];
    let (code, _, err) = said(dir.path(), &args);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("has no <, <=, > or >="), "{err}");
    let mut args = args.map(str::to_owned);
    args[10] = "connects_failed < 1".to_owned();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let coarse = ["--json", "--resolution", "0.02"];
    let (code, out, err) = said(dir.path(), &[&args[..], &coarse].concat());
    assert_eq!(code, 0, "{err}");
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    let number = |key: &str| {
        let text = found[0][key].as_str().unwrap();
        text.trim_end_matches(" /s").parse::<f64>().unwrap()
    };
    // 100 ports, each held for 10.004 s including the life of the connection.
    let limit = 100.0 / 10.004;
    let (good, bad) = (number("good"), number("bad"));
    assert!(
        good <= limit * 1.002 && bad >= limit * 0.998,
        "{good} {bad}"
    );
    assert!(bad - good <= 0.0201 * bad, "{good} {bad}");
    let runs = found[0]["runs"].as_u64().unwrap();
    assert!(
        runs <= 24,
        "a grid of this resolution has 245 points: {runs}"
    );
    // The values tried are a batch, with its index and a figure; the same command finds it there.
    let index = std::fs::read_to_string(dir.path().join("r/index.csv")).unwrap();
    assert_eq!(index.lines().count() as u64, 1 + runs);
    assert!(dir.path().join("r/figures/search.svg").exists());
    let (code, out, err) = said(dir.path(), &[&args[..], &coarse[1..]].concat());
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("the largest workload.web.arrivals.rate that passes is"),
        "{out}"
    );
    let again = std::fs::read_to_string(dir.path().join("r/index.csv")).unwrap();
    assert!(index == again);
}

#[test]
fn each_variant_has_its_own_answer() {
    let variants = "[[variant]]\nname = \"plain\"\n[[variant]]\nname = \"reuse\"\nset = { \"tcp.tw_reuse\" = true }\n\
                    [[expect]]\nmetric = \"connects_failed_share\"\nat_most = 0\n";
    let dir = directory(&[("scarce.toml", &format!("{SCARCE}{variants}"))]);
    let args = [
        "find",
        "scarce.toml",
        "--vary",
        "workload.web.arrivals.rate",
        "--from",
        "1 /s",
        "--to",
        "30 /s",
        "--largest",
        "--resolution",
        "0.1",
        "--out",
        "r",
    ];
    let (code, out, err) = said(dir.path(), &args);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("variant = plain: the largest"), "{out}");
    assert!(
        out.contains("variant = reuse: every workload.web.arrivals.rate from 1 /s to 30 /s passes"),
        "{out}"
    );
}

/// One of three variants is best; the others are eliminated as soon as they are clearly worse.
#[test]
fn the_best_of_several_variants_is_found_and_the_path_is_in_the_report() {
    let text = "name = \"best\"\nduration = \"3 s\"\n\
                topology = { kind = \"pair\", path = { delay = \"5 ms\", loss = 0.01 } }\n\
                [[workload]]\narrivals = { kind = \"poisson\", rate = \"50 /s\" }\n\
                [[variant]]\nname = \"near\"\nset = { \"topology.path.delay\" = \"5 ms\" }\n\
                [[variant]]\nname = \"nearer\"\nset = { \"topology.path.delay\" = \"4 ms\" }\n\
                [[variant]]\nname = \"far\"\nset = { \"topology.path.delay\" = \"50 ms\" }\n\
                [[variant]]\nname = \"the same\"\n\
                set = { \"topology.path.delay\" = \"4 ms\", \"tcp.tw_reuse\" = true }\n";
    let three = text
        .split("[[variant]]\nname = \"the same\"")
        .next()
        .unwrap();
    let dir = directory(&[("best.toml", three), ("same.toml", text)]);
    let find = [
        "find",
        "best.toml",
        "--best",
        "connect_latency_p50_s",
        "--smallest",
    ];
    let (code, out, err) = said(dir.path(), &[&find[..], &["--out", "r"]].concat());
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("the smallest connect_latency_p50_s is that of \"nearer\" (8"),
        "{out}"
    );
    assert!(
        err.contains("\"far\": 10") && err.contains(", behind by 9"),
        "{err}"
    );
    assert_eq!(err.matches("]: out").count(), 2, "{err}");
    let page = std::fs::read_to_string(dir.path().join("r/report.html")).unwrap();
    assert!(
        page.contains("The search") && page.contains("4 replicas: "),
        "{page}"
    );
    let index = std::fs::read_to_string(dir.path().join("r/index.csv")).unwrap();
    assert_eq!(
        index.lines().count(),
        13,
        "three variants with four replicas each"
    );
    // A second call makes no runs, and prints the same.
    let again = said(dir.path(), &[&find[..], &["--out", "r"]].concat());
    assert_eq!((again.0, again.1), (0, out));
    // Equal variants remain undecided, and the report says so.
    let same = [
        "find",
        "same.toml",
        "--best",
        "connect_latency_p50_s",
        "--smallest",
    ];
    let (code, out, err) = said(
        dir.path(),
        &[&same[..], &["--out", "s", "--max-replicas", "8"]].concat(),
    );
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("which 8 replicas do not tell from \"the same\""),
        "{out}"
    );
    let index = std::fs::read_to_string(dir.path().join("s/index.csv")).unwrap();
    assert_eq!(index.lines().count(), 1 + 2 * 4 + 2 * 8);
    let (code, _, err) = said(
        dir.path(),
        &["find", "best.toml", "--best", "latency", "--smallest"],
    );
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("unknown metric \"latency\""), "{err}");
    let (code, _, err) = said(dir.path(), &["find", "best.toml", "--smallest"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("say what to find"), "{err}");
}
