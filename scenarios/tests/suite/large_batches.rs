//! Batches that keep only metrics, and batches run in shards.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::common::{directory, files, said};

const TEXT: &str = r#"
name = "grid"
duration = "1 s"
replicas = 3
topology = { kind = "pair", path = { delay = "1 ms" } }
[[workload]]
arrivals = { kind = "poisson", rate = "20 /s" }
[sweep]
"topology.path.delay" = ["1 ms", "10 ms"]
"tcp.tw_reuse" = [false, true]
"#;

/// The index of a batch, and the figures drawn from it.
fn results(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = files(dir);
    all.retain(|name, _| name.starts_with("index.") || name.starts_with("figures/"));
    assert!(all.len() > 4, "{:?}", all.keys());
    all
}

/// The names of the entries of a directory; none if it does not exist.
fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_batch_of_metrics_has_the_index_of_a_batch_of_directories_and_its_runs_unfold() {
    let dir = directory(&[("grid.toml", TEXT)]);
    let call = |args: &[&str]| said(dir.path(), args);
    assert_eq!(call(&["run", "grid.toml", "--out", "whole"]).0, 0);
    let slim = ["run", "grid.toml", "--out", "slim", "--keep", "metrics"];
    let (code, _, err) = call(&[&slim[..], &["--threads", "2"]].concat());
    assert_eq!(code, 0, "{err}");
    let (whole, slim_dir) = (dir.path().join("whole"), dir.path().join("slim"));
    assert!(results(&whole) == results(&slim_dir));
    assert_eq!(names(&slim_dir.join("runs")), Vec::<String>::new());
    assert_eq!(names(&slim_dir.join("parts")), ["run-0001.runs"]);
    let page = fs::read_to_string(slim_dir.join("report.html")).unwrap();
    assert!(page.contains("synfin report DIR/runs/ID") && !page.contains("runs/ID/report.html"));
    // All runs exist already, and the report can be drawn again.
    let (_, _, err) = call(&slim);
    assert!(err.contains("12 of 12 runs were complete already"), "{err}");
    let (_, out, _) = call(&["status", "slim"]);
    assert!(out.contains("12 of 12 runs are complete"), "{out}");
    let (_, out, _) = call(&["plan", "grid.toml", "--out", "slim"]);
    assert!(out.contains("complete: 12; to run: 0"), "{out}");
    let drawn = results(&slim_dir);
    assert_eq!(call(&["report", "slim"]).0, 0);
    assert!(results(&slim_dir) == drawn);
    // One run is inspected.
    let id = names(&whole.join("runs")).remove(0);
    let (code, out, err) = call(&["report", &format!("slim/runs/{id}")]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("only its metrics were kept"), "{err}");
    assert!(out.contains("report: slim/runs/"), "{out}");
    let of = |batch: &Path| fs::read(batch.join("runs").join(&id).join("summary.json")).unwrap();
    assert!(of(&whole) == of(&slim_dir));
    let (code, _, err) = call(&["run", "grid.toml", "--out", "slim", "--keep", "all"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(names(&slim_dir.join("runs")), names(&whole.join("runs")));
}

/// A page that grew with the product of figures and runs would soon be too large to open: that of 216 runs is far below
/// 5 MB, and it is drawn from the index without the runs. `synfin bench report` gives the time.
#[test]
fn the_page_of_216_runs_is_small_and_drawn_from_the_index_alone() {
    let values = "[\"1 ms\", \"2 ms\", \"3 ms\", \"5 ms\", \"8 ms\", \"13 ms\"]";
    let grid = format!(
        "name = \"cube\"\nduration = \"200 ms\"\n\
         topology = {{ kind = \"pair\", path = {{ delay = \"1 ms\" }} }}\n\
         [[workload]]\nname = \"web\"\narrivals = {{ kind = \"burst\", count = 2 }}\n\
         [sweep]\n\"topology.path.delay\" = {values}\n\"workload.web.service\" = {values}\n\
         \"workload.web.think\" = {values}\n"
    );
    let dir = directory(&[("cube.toml", &grid)]);
    let args = ["run", "cube.toml", "-q", "--out", "b"];
    let (code, _, err) = said(dir.path(), &args);
    assert_eq!(code, 0, "{err}");
    let batch = dir.path().join("b");
    let index = fs::read_to_string(batch.join("index.csv")).unwrap();
    assert_eq!(index.lines().count(), 1 + 216);
    let drawn = results(&batch);
    fs::remove_dir_all(batch.join("parts")).unwrap();
    reports::render_batch(&batch).unwrap();
    assert!(results(&batch) == drawn, "without the runs");
    let page = fs::read_to_string(batch.join("report.html")).unwrap();
    let ids = index.lines().skip(1).map(|line| line.split(',').next());
    assert!(
        ids.flatten().all(|id| page.contains(id)),
        "every run is named"
    );
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
}

#[test]
fn a_part_that_is_cut_or_changed_costs_the_runs_of_its_lines() {
    let dir = directory(&[("grid.toml", TEXT)]);
    let args = ["run", "grid.toml", "--out", "b", "--keep", "metrics"];
    let call = |args: &[&str]| said(dir.path(), args);
    assert_eq!(call(&args).0, 0);
    let batch = dir.path().join("b");
    let whole = results(&batch);
    let part = batch.join("parts/run-0001.runs");
    let text = fs::read_to_string(&part).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    // Half a line at the end, as after a power failure, and a changed digit in the line before.
    let last = lines.len() - 1;
    let mut cut = lines[..last].join("\n");
    let at = cut.rfind("\"s\":").unwrap();
    cut.replace_range(at..at + 5, "\"s\":9");
    cut.push('\n');
    cut.push_str(&lines[last][..40]);
    fs::write(&part, &cut).unwrap();
    let (code, _, err) = call(&["report", "b"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("2 of 12 runs are damaged"), "{err}");
    let (code, _, err) = call(&args);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("10 of 12 runs were complete already"), "{err}");
    assert!(
        err.contains("not used: b/parts/run-0001.runs: line"),
        "{err}"
    );
    assert!(results(&batch) == whole);
    assert_eq!(
        fs::read_to_string(&part).unwrap(),
        cut,
        "the file is left alone"
    );
    // Another batch takes its place: changed files stay, the others are deleted.
    let other = [
        "run",
        "grid.toml",
        "--set",
        "duration=2 s",
        "--out",
        "b",
        "--force",
    ];
    assert_eq!(call(&[&other[..], &["--keep", "metrics"]].concat()).0, 0);
    assert_eq!(
        names(&batch.join("parts")),
        ["run-0001.runs", "run-0003.runs"]
    );
}

#[test]
fn shards_side_by_side_make_the_batch_that_one_process_makes() {
    let dir = directory(&[("grid.toml", TEXT)]);
    assert_eq!(said(dir.path(), &["run", "grid.toml", "--out", "one"]).0, 0);
    std::thread::scope(|scope| {
        for i in 1..=3 {
            let dir = dir.path();
            scope.spawn(move || {
                let shard = format!("{i}/3");
                let keep = if i == 2 { "all" } else { "metrics" };
                let args = ["run", "grid.toml", "--out", "s", "--shard", &shard];
                let (code, out, err) = said(dir, &[&args[..], &["--keep", keep]].concat());
                assert_eq!((code, out.as_str()), (0, ""), "{err}");
                assert!(err.contains(": 4 runs completed, 0 failed"), "{err}");
            });
        }
    });
    let call = |args: &[&str]| said(dir.path(), args);
    let sharded = dir.path().join("s");
    assert!(!sharded.join("index.csv").exists());
    let (_, out, _) = call(&["status", "s"]);
    assert!(out.contains("12 of 12 runs are complete"), "{out}");
    let (code, out, err) = call(&["collect", "s"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("report: s/report.html"), "{out}");
    assert!(results(&sharded) == results(&dir.path().join("one")));
    let parts = names(&sharded.join("parts"));
    assert_eq!(
        parts,
        [
            "shard-0001-of-0003-0001.runs",
            "shard-0003-of-0003-0001.runs"
        ]
    );
    // Without a scheduler the number of the shard is unknown.
    let (code, _, err) = call(&["run", "grid.toml", "--out", "s", "--shard", "auto/3"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("SLURM_ARRAY_TASK_ID"), "{err}");
}

/// The column `id` of an index.
fn ids(index: &str) -> Vec<String> {
    let at = index
        .lines()
        .next()
        .unwrap()
        .split(',')
        .position(|c| c == "id");
    let id = |line: &str| line.split(',').nth(at.unwrap()).unwrap().to_owned();
    index.lines().skip(1).map(id).collect()
}

#[test]
fn directories_of_a_batch_of_hundreds_of_runs_fan_out() {
    let text = TEXT
        .replace(
            "duration = \"1 s\"\nreplicas = 3",
            "duration = \"50 ms\"\nreplicas = 2",
        )
        .replace(
            "[\"1 ms\", \"10 ms\"]",
            "{ from = \"1 ms\", to = \"65 ms\", count = 65 }",
        );
    let dir = directory(&[("grid.toml", &text)]);
    let call = |args: &[&str]| said(dir.path(), args);
    let run = ["run", "grid.toml", "--out", "b", "--quiet", "--keep"];
    assert_eq!(call(&[&run[..], &["metrics"]].concat()).0, 0);
    let batch = dir.path().join("b");
    let before = results(&batch);
    let ids = ids(std::str::from_utf8(&before["index.csv"]).unwrap());
    assert_eq!(ids.len(), 260);
    // One run is inspected, under either of its names.
    let id = &ids[100];
    let flat = format!("b/runs/{id}");
    let (code, out, err) = call(&["report", &flat]);
    assert_eq!(code, 0, "{err}");
    let place = format!("b/runs/{}/{id}", &id[..2]);
    assert!(
        out.contains(&format!("report: {place}/report.html")),
        "{out}"
    );
    assert!(dir.path().join(&place).join("summary.json").exists());
    assert!(!dir.path().join(&flat).exists());
    for name in [&flat, &place] {
        let (code, _, err) = call(&["report", name]);
        assert_eq!(
            (code, err.contains("only its metrics")),
            (0, false),
            "{err}"
        );
        let (code, out, err) = call(&["show", name, "--command"]);
        assert!(code == 0 && out.contains("synfin run"), "{out}{err}");
    }
    let (code, _, err) = call(&["rerun", &flat]);
    assert!(
        code == 0 && err.contains("its metrics equal those of"),
        "{err}"
    );
    // Some are repeated with everything; all are there, and the index is the same.
    let some = ["all", "--filter", "topology.path.delay == '7 ms'"];
    let (code, _, err) = call(&[&run[..], &some].concat());
    assert_eq!(code, 0, "{err}");
    let prefixes = names(&batch.join("runs"));
    assert!(prefixes.iter().all(|name| name.len() == 2), "{prefixes:?}");
    let below = prefixes
        .iter()
        .map(|name| names(&batch.join("runs").join(name)));
    let mut below: Vec<String> = below.flatten().collect();
    let mut made: Vec<String> = ids[6 * 4..7 * 4].to_vec();
    made.push(id.clone());
    made.sort();
    below.sort();
    assert_eq!(below, made);
    let (_, out, _) = call(&["status", "b"]);
    assert!(out.contains("260 of 260 runs are complete"), "{out}");
    assert_eq!(call(&["collect", "b"]).0, 0);
    assert!(results(&batch) == before);
    let page = fs::read_to_string(batch.join("report.html")).unwrap();
    assert!(page.contains("synfin report DIR/runs/ID"), "{page}");
    // Damage in a subdirectory is found.
    let summary = dir.path().join(&place).join("summary.json");
    let whole = fs::read(&summary).unwrap();
    fs::write(&summary, &whole[..whole.len() / 2]).unwrap();
    let (_, _, err) = call(&["report", &place]);
    assert!(err.contains("summary.json"), "{err}");
    // Another batch removes them, and the subdirectories with them.
    let other = ["metrics", "--force", "--set", "duration=60 ms"];
    let (code, _, err) = call(&[&run[..], &other].concat());
    assert_eq!(code, 0, "{err}");
    let left = names(&batch.join("runs"));
    assert!(left.is_empty() || left == [&id[..2]], "{left:?}");
}
