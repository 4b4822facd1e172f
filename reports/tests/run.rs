//! From records to a run directory, with made-up records.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{CLIENT, Made, SERVER, Story, at};
use reports::store::reader::Table;
use reports::{Completion, RunInfo, RunRecorder, RunSummary, RunWriter, render_run};
use sim_core::{Record, Recorder, RunStats, SimTime};
use tcp_model::sample::Side;
use tcp_model::{ConnId, State, TcpSample};

const STORY: Story = Story {
    duration_s: 30.0,
    per_s: 60.0,
    ports: 400,
    time_wait_s: 8.0,
    traced: 5,
};

fn record(
    dir: &Path,
    info: RunInfo,
    stats: RunStats,
    records: &[Record<TcpSample>],
    batch: usize,
) -> RunSummary {
    let mut recorder = RunRecorder::new(RunWriter::create(dir, false).unwrap(), info).unwrap();
    for part in records.chunks(batch) {
        recorder.write(part).unwrap();
    }
    recorder.finish(stats.reached).unwrap();
    let completion = Completion {
        timing: BTreeMap::from([("wall_s".to_owned(), 1.5)]),
        counters: BTreeMap::from([(
            "clients".to_owned(),
            BTreeMap::from([("syn_dropped".to_owned(), 3)]),
        )]),
        ..Completion::default()
    };
    recorder.complete(&stats, completion).unwrap()
}

fn tell(story: &Story, dir: &Path, batch: usize) -> RunSummary {
    record(dir, story.info(), story.stats(), &story.records(), batch)
}

fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(
                files(&path)
                    .into_iter()
                    .map(|(name, bytes)| (Path::new(path.file_name().unwrap()).join(name), bytes)),
            );
        } else {
            let bytes = std::fs::read(&path).unwrap();
            all.insert(PathBuf::from(path.file_name().unwrap()), bytes);
        }
    }
    all
}

#[test]
fn equal_records_make_equal_directories_however_they_are_batched() {
    let tmp = tempfile::tempdir().unwrap();
    let (a, b) = (tmp.path().join("a"), tmp.path().join("b"));
    let (one, two) = (tell(&STORY, &a, 1), tell(&STORY, &b, 4096));
    assert_eq!(one, two);
    let (one_files, two_files) = (files(&a), files(&b));
    assert!(one_files.len() > 20, "{:?}", one_files.keys());
    for (name, bytes) in &one_files {
        assert!(two_files.get(name) == Some(bytes), "{name:?} differs");
    }
    let other = Story { traced: 6, ..STORY };
    let other = tell(&other, &tmp.path().join("c"), 4096);
    assert_ne!(other.result_hash, one.result_hash);
    assert!(
        !one_files
            .keys()
            .any(|f| f.extension().is_some_and(|e| e == "tmp"))
    );
}

#[test]
fn figures_and_report_are_made_again_from_the_directory_alone() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("run");
    let summary = tell(&STORY, &dir, 1000);
    let before = files(&dir);
    std::fs::remove_dir_all(dir.join("figures")).unwrap();
    std::fs::remove_file(dir.join("report.html")).unwrap();
    assert_eq!(render_run(&dir).unwrap(), summary);
    assert!(files(&dir) == before);
    let page = std::fs::read_to_string(dir.join("report.html")).unwrap();
    for needed in [
        "<svg",
        "Little",
        "clients.rate",
        "syn_dropped",
        &summary.result_hash,
    ] {
        assert!(page.contains(needed), "{needed}");
    }
    assert!(
        !page.contains("src=\"") && !page.contains("href=\"http"),
        "it needs the network"
    );
    assert!(
        render_run(tmp.path())
            .unwrap_err()
            .to_string()
            .contains("synfin.json")
    );
}

#[test]
fn the_census_counts_what_counting_by_hand_counts() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("run");
    tell(&STORY, &dir, 777);
    let census = Table::read(&dir, "census").unwrap().unwrap();
    let records = STORY.records();
    let (times, scopes) = (
        census.floats("time_s").unwrap(),
        census.texts("scope").unwrap(),
    );
    assert_eq!(census.len(), 3 * 31, "t = 0 … 30 s, all and two groups");
    for (i, scope) in scopes.iter().enumerate() {
        let mut sockets: BTreeMap<(ConnId, Side), State> = BTreeMap::new();
        for record in records.iter().filter(|r| r.time <= at(times[i])) {
            let wanted = match scope.as_str() {
                "all" => true,
                "clients" => record.node == CLIENT,
                _ => record.node == SERVER,
            };
            if let (TcpSample::State(change), true) = (&record.sample, wanted) {
                sockets.insert((change.conn, change.side), change.to);
            }
        }
        for state in &State::ALL[1..] {
            let by_hand = sockets.values().filter(|s| *s == state).count() as i64;
            let counted = census.ints(state.name()).unwrap()[i];
            assert_eq!(counted, by_hand, "{state} at {} s, {scope}", times[i]);
        }
        let open = |(key, state): &(&(ConnId, Side), &State)| {
            key.1 == Side::Active && **state != State::Closed
        };
        let ports = sockets.iter().filter(open).count() as i64;
        assert_eq!(census.ints("ports_in_use").unwrap()[i], ports);
    }
}

#[test]
fn metrics_agree_with_the_records_and_with_theory() {
    let tmp = tempfile::tempdir().unwrap();
    let summary = tell(&Story::EXHAUSTION, &tmp.path().join("run"), 1 << 14);
    let get = |name: &str| summary.metrics[name];
    let story = Story::EXHAUSTION;
    // The ports run out for the first time after ports / rate; from then on each is free again
    // 60.061 s after it was taken.
    assert!((get("first_failure_s") - 2823.0 / 60.0).abs() < 0.02);
    assert_eq!(get("time_wait_peak"), 2823.0);
    assert_eq!(get("ports_in_use_peak"), 2823.0);
    assert_eq!(get("connects_attempted"), 10_800.0);
    let failed = get("connects_failed");
    assert_eq!(failed + get("connects_established"), 10_800.0);
    assert_eq!(get("connects_failed_share"), failed / 10_800.0);
    let rate = story.ports as f64 / 60.061;
    assert!((get("connects_failed_share") - (1.0 - rate / story.per_s)).abs() < 0.01);
    assert_eq!(get("offered_per_s_steady"), 60.0);
    assert!((get("connect_latency_mean_s") - 0.02).abs() < 1e-9);
    let text = summary.findings.join("\n");
    assert!(
        text.contains("Connects began to fail at t = 47.1 s"),
        "{text}"
    );
    assert!(text.contains("2,823 ports / 60.1 s"), "{text}");
}

#[test]
fn outcomes_and_segments_are_recorded_row_by_row() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("run");
    let summary = tell(&STORY, &dir, 500);
    let outcomes = Table::read(&dir, "outcomes").unwrap().unwrap();
    for (column, metric) in [
        ("attempts", "connects_attempted"),
        ("established", "connects_established"),
        ("addr_not_available", "connects_addr_not_available"),
    ] {
        let sum: i64 = outcomes.ints(column).unwrap().iter().sum();
        assert_eq!(sum as f64, summary.metrics[metric], "{column}");
    }
    assert_eq!(outcomes.len(), 30);
    let segments = Table::read(&dir, "segments").unwrap().unwrap();
    assert_eq!(segments.len(), 5 * 9 + 2);
    let fates = segments.texts("fate").unwrap();
    let is_lost = |i: usize| fates[i] == "lost: scripted drop";
    let lost: Vec<usize> = (0..segments.len()).filter(|i| is_lost(*i)).collect();
    assert_eq!(lost.len(), 2, "whether text before or after the sending");
    assert!(segments.floats("received_s").unwrap()[lost[0]].is_nan());
    assert_eq!(segments.texts("to_node").unwrap()[lost[1]], "server");
    let sent = segments.floats("sent_s").unwrap();
    assert!(sent.is_sorted(), "rows are in order of sending");
    for (i, received) in segments.floats("received_s").unwrap().iter().enumerate() {
        assert!(is_lost(i) || (received - sent[i] - 0.01).abs() < 1e-9);
    }
    let states = Table::read(&dir, "states").unwrap().unwrap();
    let serials = states.ints("conn").unwrap().iter();
    assert_eq!(
        serials.filter(|c| **c >= 0).max(),
        Some(&99),
        "the first hundred"
    );
}

#[test]
fn odd_and_empty_streams_are_recorded_without_panic() {
    let tmp = tempfile::tempdir().unwrap();
    let empty = record(
        &tmp.path().join("empty"),
        RunInfo::default(),
        RunStats::default(),
        &[],
        1,
    );
    assert!(empty.metrics.values().all(|v| v.is_finite()));
    let mut made = Made::default();
    for (i, from) in State::ALL.into_iter().enumerate() {
        for (j, to) in State::ALL.into_iter().enumerate() {
            let conn = ConnId(u64::MAX - (i * 11 + j) as u64);
            made.state(1.0, sim_core::NodeId(9_999), conn, Side::Active, from, to);
        }
    }
    made.bulk(0.0);
    let mut info = STORY.info();
    info.duration_s = f64::NAN;
    info.record.interval_s = f64::NAN;
    info.record.steady_s = Some((5.0, -5.0));
    info.analytic.time_wait_s = Some(f64::INFINITY);
    info.analytic.offered_per_s = vec![(3.0, 1.0), (2.0, f64::NAN)];
    let stats = RunStats {
        reached: at(2.0),
        ..RunStats::default()
    };
    let summary = record(&tmp.path().join("odd"), info, stats, &made.records, 10);
    assert!(summary.metrics.values().all(|v| v.is_finite()));
    assert_eq!(summary.reached_s, 2.0);
    assert!(RunSummary::read(&tmp.path().join("odd")).is_ok());
}

#[test]
fn a_run_that_is_not_completed_leaves_no_result() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("run");
    let mut recorder =
        RunRecorder::new(RunWriter::create(&dir, false).unwrap(), STORY.info()).unwrap();
    recorder.write(&STORY.records()).unwrap();
    recorder.finish(SimTime::ZERO).unwrap();
    drop(recorder);
    assert_eq!(std::fs::read_dir(tmp.path()).unwrap().count(), 0);
}

#[test]
fn tshark_reads_the_packets_and_finds_no_fault() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("run");
    tell(&STORY, &dir, 500);
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(dir.join("packets.pcapng"));
    tshark.args([
        "-o",
        "ip.check_checksum:TRUE",
        "-o",
        "tcp.check_checksum:TRUE",
        "-T",
        "fields",
    ]);
    for field in [
        "frame.time_epoch",
        "frame.interface_name",
        "ip.checksum.status",
        "tcp.checksum.status",
        "_ws.malformed",
        "frame.comment",
    ] {
        tshark.args(["-e", field]);
    }
    let Ok(output) = tshark.output() else {
        eprintln!("skipped: tshark is not installed");
        return;
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|l| l.split('\t').collect()).collect();
    assert_eq!(rows.len(), 5 * 9 + 2);
    for row in &rows {
        assert_eq!(row[2..5], ["1", "1", ""], "{row:?}");
        assert!(["client", "server"].contains(&row[1]));
    }
    let commented = rows.iter().filter(|r| r[5].contains("lost: scripted drop"));
    assert_eq!(commented.count(), 2);
    let times: Vec<f64> = rows.iter().map(|r| r[0].parse().unwrap()).collect();
    assert!(times.is_sorted() && (times[0] - 1e-4).abs() < 1e-9);
}
