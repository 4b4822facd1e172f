//! What users do with batches: export results, compose scenarios, limit the resources of runs, and make as many
//! replicas as needed.

mod exports;

use crate::common::{directory, said};

const TEXT: &str = r#"
name = "grid"
question = "Is it \"quick\"?"
duration = "2 s"
replicas = 2
topology = { kind = "pair", path = { delay = "1 ms", loss = 0.02 } }
[[workload]]
arrivals = { kind = "poisson", rate = "20 /s" }
[sweep]
"topology.path.delay" = ["1 ms", "10 ms"]
"tcp.tw_reuse" = [false, true]
"#;

fn read(dir: &std::path::Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(name)).unwrap()
}

#[test]
fn scenarios_are_made_of_others_and_their_results_stand_alone() {
    let own = "extends = \"parts/base.toml\"\ninclude = [\"parts/sweep.toml\"]\nduration = \"1 s\"\n\
               [topology.path]\ndelay = \"3 ms\"\n";
    let base = TEXT.split("[sweep]").next().unwrap();
    let sweep = "[sweep]\n\"tcp.tw_reuse\" = [false, true]\n";
    let dir = directory(&[("own.toml", own)]);
    std::fs::create_dir(dir.path().join("parts")).unwrap();
    for (name, text) in [("parts/base.toml", base), ("parts/sweep.toml", sweep)] {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let call = |args: &[&str]| said(dir.path(), args);
    let (code, _, err) = call(&["run", "own.toml", "--out", "r"]);
    assert_eq!(code, 0, "{err}");
    let kept = read(dir.path(), "r/batch.toml");
    assert!(
        kept.contains("delay = \"3 ms\"") && kept.contains("loss = 0.02"),
        "{kept}"
    );
    assert!(
        kept.contains("duration = \"1 s\"") && !kept.contains("extends"),
        "{kept}"
    );
    std::fs::remove_dir_all(dir.path().join("parts")).unwrap();
    let (code, _, err) = call(&["run", "r/batch.toml", "--out", "r"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("4 of 4 runs were complete already"), "{err}");
    let (code, _, err) = call(&["run", "own.toml", "--out", "r"]);
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("own.toml: cannot read parts/base.toml"),
        "{err}"
    );
    std::fs::write(
        dir.path().join("ready.toml"),
        "extends = \"time-wait\"\nduration = \"100 s\"\n",
    )
    .unwrap();
    let (code, _, err) = call(&["check", "ready.toml"]);
    assert_eq!(code, 0, "{err}");
}

#[test]
fn runs_that_would_take_too_much_fail_and_the_others_do_not() {
    let text = TEXT
        .replace(
            "\"20 /s\"",
            "\"20 /s\" }\nresponse = { kind = \"fixed\", size = \"1 kB\"",
        )
        .replace(
            "\"tcp.tw_reuse\" = [false, true]",
            "\"workload[0].arrivals.rate\" = [\"20 /s\", \"200000 /s\"]",
        )
        .replace(" }\nresponse = { kind = \"fixed\", size = \"1 kB\"", "");
    let dir = directory(&[("grid.toml", &text)]);
    let call = |args: &[&str]| said(dir.path(), args);
    let run = [
        "run",
        "grid.toml",
        "--set",
        "duration=20 s",
        "--out",
        "r",
        "--keep",
        "metrics",
    ];
    let limits = [
        "--run-memory",
        "100 MB",
        "--run-time",
        "60 s",
        "--progress",
        "progress.json",
    ];
    let (code, _, err) = call(&[&run[..], &limits].concat());
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("it is estimated to need"), "{err}");
    assert!(
        err.contains("4 of 8 runs failed; the others are complete"),
        "{err}"
    );
    let progress: serde_json::Value =
        serde_json::from_str(&read(dir.path(), "progress.json")).unwrap();
    assert_eq!(progress["has_ended"], true);
    assert_eq!(progress["runs"], 8);
    let (_, out, _) = call(&["status", "r"]);
    assert!(
        out.contains("4 of 8 runs are complete, 4 failed, 0 are missing"),
        "{out}"
    );
    let late = ["run", "grid.toml", "--out", "late", "--run-time", "1 ms"];
    let long = [
        "--set",
        "duration=200 s",
        "--set",
        "sweep={}",
        "--set",
        "workload[0].arrivals.rate=2000 /s",
    ];
    let (code, _, err) = call(&[&late[..], &long].concat());
    assert_eq!(code, 1, "{err}");
    assert!(
        err.contains("it took longer than the 0.001 s that --run-time allows"),
        "{err}"
    );
    let (code, _, err) = call(&["run", "grid.toml", "--run-time", "soon"]);
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("write for example --run-time \"10 min\""),
        "{err}"
    );
}

#[test]
fn replicas_are_made_until_the_mean_is_known_and_a_second_call_makes_none() {
    let until = "until = { metric = \"connects_attempted\", relative = 0.05, max_replicas = 40 }\n";
    let dir = directory(&[("grid.toml", &format!("{until}{TEXT}"))]);
    let call = |args: &[&str]| said(dir.path(), args);
    let run = ["run", "grid.toml", "--out", "r", "--keep", "metrics"];
    let (code, _, err) = call(&run);
    assert_eq!(code, 0, "{err}");
    let index = read(dir.path(), "r/index.csv");
    let runs = index.lines().count() - 1;
    // About 40 arrivals with a standard deviation of 6: a relative half-width of 5 % takes a few dozen replicas.
    assert!((4 * 12..=4 * 40).contains(&runs), "{runs}");
    assert!(!index.contains(",missing,"), "{index}");
    let (code, _, err) = call(&run);
    assert_eq!(code, 0, "{err}");
    assert!(
        err.contains(&format!("{runs} of 160 runs were complete already")),
        "{err}"
    );
    assert_eq!(read(dir.path(), "r/index.csv"), index);
    assert_eq!(call(&["collect", "r"]).0, 0);
    assert_eq!(read(dir.path(), "r/index.csv"), index);
    let wrong = [
        "run",
        "grid.toml",
        "--set",
        "until.metric=connects",
        "--out",
        "x",
    ];
    let (code, _, err) = call(&wrong);
    assert_eq!(code, 2, "{err}");
    let few = [
        "run",
        "grid.toml",
        "--set",
        "until.max_replicas=3",
        "--out",
        "x",
    ];
    let (code, _, err) = call(&few);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("less than the 5 that are made first"), "{err}");
}

/// What `synfin submit` passes to schedulers.
#[test]
fn a_job_names_shards_that_are_missing_and_quotes_what_a_shell_would_read() {
    let dir = directory(&[("my grid.toml", TEXT)]);
    let call = |args: &[&str]| said(dir.path(), args);
    let submit = ["my grid.toml", "--shards", "4", "--out", "r", "--print"];
    let slurm = [
        &["submit", "slurm"][..],
        &submit,
        &["--partition", "main", "--time", "1:00:00"],
    ]
    .concat();
    let (code, out, err) = call(&slurm);
    assert_eq!(code, 0, "{err}");
    for line in [
        "#SBATCH --array=1-4",
        "#SBATCH --requeue",
        "#SBATCH --partition=main",
        "#SBATCH --signal=B:TERM@60",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    assert!(out.contains("my grid.toml' --out "), "{out}");
    assert!(
        out.contains(" --shard auto/4 --keep metrics --threads \"${SLURM_CPUS_PER_TASK:-1}\""),
        "{out}"
    );
    assert_eq!(
        call(&["run", "my grid.toml", "--out", "r", "--shard", "2/4"]).0,
        0
    );
    let missing = [&slurm[..], &["--only-missing"]].concat();
    let (_, out, _) = call(&missing);
    assert!(out.contains("#SBATCH --array=1,3-4\n"), "{out}");
    let (_, out, _) = call(&[&["submit", "hq"][..], &submit].concat());
    assert!(
        out.starts_with("hq submit --array 1-4 --name synfin-grid"),
        "{out}"
    );
    let (_, out, _) = call(&[&["submit", "k8s"][..], &submit].concat());
    assert!(
        out.contains("completionMode: Indexed") && out.contains("--shard auto/4"),
        "{out}"
    );
    assert_eq!(call(&["run", "my grid.toml", "--out", "r", "--quiet"]).0, 0);
    let (code, out, err) = call(&missing);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    assert!(err.contains("nothing to submit"), "{err}");
}

/// With common random numbers the controls of `compare-controls` get the same requests, so that the variance of
/// a difference within pairs of replicas is at least five times smaller than between independent replicas. (Two
/// greedy transfers that share a queue, as in `coexistence`, behave chaotically and differently in each
/// replica, so pairs gain nothing there.)
#[test]
fn pairs_of_replicas_differ_far_less_than_independent_ones() {
    let dir = directory(&[]);
    let run = [
        "run",
        "compare-controls",
        "--out",
        "r",
        "--keep",
        "metrics",
        "--quiet",
    ];
    assert_eq!(said(dir.path(), &run).0, 0);
    let (_, rows) = reports::read_batch(&dir.path().join("r")).unwrap();
    let variance = |values: &[f64]| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
        squares / (values.len() - 1) as f64
    };
    let mut compared = 0;
    for queue in ["20 kB", "100 kB", "800 kB"] {
        let of = |control: &str| -> Vec<f64> {
            let own = rows.iter().filter(|row| row.values == [queue, control]);
            let latency = |row: &reports::BatchRow| row.metrics.get("request_latency_mean_s");
            own.map(|row| latency(row).unwrap()).collect()
        };
        let base = of("cubic");
        assert_eq!(base.len(), 6);
        for other in ["newreno", "bbr", "bbr3", "vegas"] {
            let own = of(other);
            let differences: Vec<f64> = own.iter().zip(&base).map(|(a, b)| a - b).collect();
            let (paired, independent) = (variance(&differences), variance(&own) + variance(&base));
            assert!(
                paired * 5.0 < independent,
                "{other} with {queue}: {paired} {independent}"
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 12);
}

/// 28,232 ports that wait for 60 s each allow 470.5 connections/s: this is found within half a percent. By
/// default with a tenth of the ports and of the time; with all of them if `SYNFIN_CASES` is set.
#[test]
fn the_limit_of_the_ports_is_found_in_a_fraction_of_a_grid() {
    let dir = tempfile::tempdir().unwrap();
    let small = [
        "tcp.ip_local_port_range=32768 35590",
        "tcp.time_wait=6 s",
        "duration=6200 ms",
    ];
    let large = ["duration=62 s"];
    let sets: &[&str] = match std::env::var_os("SYNFIN_CASES") {
        Some(_) => &large,
        None => &small,
    };
    let path = "workload.web.arrivals.rate";
    let mut args = vec![
        "find",
        "time-wait",
        "--vary",
        path,
        "--from",
        "100 /s",
        "--to",
        "2000 /s",
    ];
    sets.iter().for_each(|set| args.extend(["--set", set]));
    args.extend([
        "--largest",
        "--expect",
        "connects_failed <= 0",
        "--resolution",
        "0.005",
        "--json",
    ]);
    let (code, out, err) = said(dir.path(), &args);
    assert_eq!(code, 0, "{err}");
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    let rate = |key: &str| -> f64 {
        let text = found[0][key].as_str().unwrap();
        text.trim_end_matches(" /s").parse().unwrap()
    };
    let (good, bad, limit) = (rate("good"), rate("bad"), 28_232.0 / 60.0);
    assert!(good <= limit && limit < bad, "{good} {bad}");
    assert!(
        (limit - good) / limit < 0.005 && (bad - limit) / limit < 0.005,
        "{good} {bad}"
    );
    let runs = found[0]["runs"].as_u64().unwrap() as f64;
    let grid = (2000.0 - 100.0) / (0.005 * limit);
    assert!(runs < grid / 10.0, "{runs} of {grid}");
}

/// A theoretical curve belongs to the panel whose values it was computed for.
#[test]
fn theory_is_drawn_for_each_value_that_it_depends_on() {
    let text = "name = \"loss\"\nduration = \"200 ms\"\n\
                topology = { kind = \"pair\", path = { rate = \"10 Mbit/s\", delay = \"10 ms\", loss = 0.01 } }\n\
                [[workload]]\nkind = \"bulk\"\n\
                [sweep]\n\"topology.path.loss\" = [0.01, 0.1]\n\
                \"tcp.congestion\" = [\"newreno\", \"cubic\"]\n\
                \"topology.path.delay\" = [\"10 ms\", \"40 ms\"]\n\
                [[figure]]\nname = \"goodput\"\nx = \"topology.path.loss\"\ny = \"goodput_bps\"\n\
                series = \"tcp.congestion\"\ntheory = [\"mathis\"]\n";
    let dir = directory(&[("loss.toml", text)]);
    let run = [
        "run",
        "loss.toml",
        "--out",
        "r",
        "--keep",
        "metrics",
        "--quiet",
    ];
    assert_eq!(said(dir.path(), &run).0, 0);
    let (info, _) = reports::read_batch(&dir.path().join("r")).unwrap();
    let curves = &info.figures[0].theory;
    let delay = |value: &str| vec![("topology.path.delay".to_owned(), value.to_owned())];
    assert_eq!(
        curves.len(),
        2,
        "the control makes no difference: {curves:?}"
    );
    assert_eq!(
        (&curves[0].only, &curves[1].only),
        (&delay("10 ms"), &delay("40 ms"))
    );
    let ratio = curves[0].points[0].1 / curves[1].points[0].1;
    assert!(
        (3.5..4.1).contains(&ratio),
        "a quarter of the round trip: {ratio}"
    );
    let svg = read(dir.path(), "r/figures/goodput.svg");
    assert_eq!(
        svg.matches("theory: Mathis et al. 1997").count(),
        1,
        "one name for both panels"
    );
}
