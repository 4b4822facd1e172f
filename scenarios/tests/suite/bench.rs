//! `synfin bench`: every workload at a small size, and what is simulated in it. Nothing here depends
//! on the clock.

use crate::common::said;
use serde_json::Value;

/// The measurements that `synfin bench ARGS --json` prints.
fn bench(args: &str) -> Vec<Value> {
    let dir = tempfile::tempdir().unwrap();
    let words: Vec<&str> = ["bench"]
        .into_iter()
        .chain(args.split(' '))
        .chain(["--json"])
        .collect();
    let (code, stdout, stderr) = said(dir.path(), &words);
    assert_eq!(code, 0, "{args}: {stderr}");
    let lines = stdout.lines().map(serde_json::from_str);
    lines.map(|line| line.unwrap()).collect()
}

fn number(m: &Value, name: &str) -> f64 {
    m[name].as_f64().unwrap_or_else(|| panic!("{name} in {m}"))
}

#[test]
fn bulk_flows_fill_their_bottleneck_whatever_the_queue() {
    let runs: Vec<Value> = ["wheel", "heap", "priority-queue"]
        .iter()
        .map(|queue| bench(&format!("dumbbell 3 --seconds 5 --event-queue {queue}")).remove(0))
        .collect();
    let m = &runs[0];
    let segments = number(m, "segments");
    assert!((0.7..=1.0).contains(&number(m, "utilisation")), "{m}");
    // The bottleneck carries 30 Mbit/s for 5 s; every packet crosses three links, and its ACK crosses
    // three links back.
    assert!(number(m, "packet_hops") > 4.0 * segments, "{m}");
    assert!(number(m, "drops") > 0.0, "{m}");
    for other in &runs {
        assert_eq!(other["outcome"], m["outcome"]);
        assert_eq!(other["segments"], m["segments"]);
    }
}

#[test]
fn a_random_processing_time_prevents_phase_effects() {
    let jain = |more: &str| {
        let m = bench(&format!("dumbbell 10 --seconds 10{more}")).remove(0);
        number(&m, "jain_index")
    };
    let (without, with) = (jain(""), jain(" --processing 50us"));
    assert!(without < 0.6, "{without}");
    assert!(with > 0.95, "{with}");
}

#[test]
fn repetitions_have_a_median() {
    let columns = bench("dumbbell 1 --seconds 1 --reps 3");
    let names: Vec<&str> = columns
        .iter()
        .map(|m| m["repetition"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["1", "2", "3", "median"]);
    assert_eq!(columns[3]["segments"], columns[0]["segments"]);
    let mut cpu: Vec<f64> = columns[..3].iter().map(|m| number(m, "cpu_s")).collect();
    cpu.sort_by(f64::total_cmp);
    assert_eq!(number(&columns[3], "cpu_s"), cpu[1]);
    assert_eq!(columns[1]["kib_per_flow"], Value::Null);
}

#[test]
fn connections_come_and_go_and_leave_their_time_wait() {
    for first in ["client", "server"] {
        let columns = bench(&format!(
            "churn 1000 --seconds 8 --time-wait 2 --first {first}"
        ));
        let (total, intervals) = columns.split_last().unwrap();
        assert_eq!(number(total, "connections"), 8000.0);
        assert_eq!(number(total, "failed"), 0.0);
        // All except those of the last 20 ms are answered, and all except those of the last 30 ms are closed.
        assert_eq!(number(total, "completed"), 7980.0);
        let time_wait = number(total, "time_wait_end");
        assert!((1990.0..=2000.0).contains(&time_wait), "{time_wait}");
        let sum: f64 = intervals.iter().map(|m| number(m, "connections")).sum();
        assert_eq!(sum, 8000.0);
        assert_eq!(number(intervals.last().unwrap(), "time_wait"), time_wait);
    }
}

#[test]
fn idle_connections_have_no_events() {
    let m = bench("idle 1001").remove(0);
    assert_eq!(number(&m, "end_points"), 2002.0);
    assert_eq!(number(&m, "events_in_idle_minute"), 0.0);
    let bytes = number(&m, "table_bytes_per_end_point");
    assert!((100.0..2000.0).contains(&bytes), "{bytes}");
}

#[test]
fn all_entries_of_time_wait_are_there_at_once() {
    for first in ["client", "server"] {
        let m = bench(&format!("time-wait 20000 --first {first}"))
            .pop()
            .unwrap();
        assert_eq!(number(&m, "entries"), 20_000.0);
        let bytes = number(&m, "entry_bytes");
        assert!((20.0..200.0).contains(&bytes), "{bytes}");
    }
}

#[test]
fn an_entry_that_ends_too_early_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let words = ["bench", "time-wait", "100", "--time-wait", "5"];
    let (code, stdout, stderr) = said(dir.path(), &words);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(
        stderr.contains("is TIME-WAIT shorter than a minute?"),
        "{stderr}"
    );
}

#[test]
fn threads_do_not_change_what_is_simulated() {
    let columns = bench("pairs 16 --seconds 0.3 --compare-threads");
    assert_eq!(columns[0]["outcome"], columns[1]["outcome"]);
    assert_eq!(number(&columns[0], "threads"), 1.0);
    assert_eq!(number(&columns[1], "threads"), 2.0);
    let three = bench("pairs 16 --seconds 0.3 --threads 3").remove(0);
    assert_eq!(three["outcome"], columns[0]["outcome"]);
    // At least half of what 16 flows of 100 Mbit/s carry after slow start.
    assert!(
        number(&three, "segments") > 0.5 * 16.0 * 0.3 * 8300.0,
        "{three}"
    );
}

#[test]
fn trees_and_tori_are_the_same_in_parts() {
    for (args, hosts) in [
        ("fat-tree 4 --flows 2 --seconds 0.01", 16.0),
        ("torus 4 --seconds 0.3", 16.0),
    ] {
        let columns = bench(&format!("{args} --compare-threads"));
        assert_eq!(columns[0]["outcome"], columns[1]["outcome"]);
        assert_eq!(number(&columns[0], "hosts"), hosts);
        // The pods are too close to each other for two threads to be faster.
        let threads = if args.starts_with("torus") { 2.0 } else { 1.0 };
        assert_eq!(number(&columns[1], "threads"), threads, "{args}");
        assert!(number(&columns[0], "segments") > 100.0, "{args}");
        assert!(number(&columns[1], "speed_up") > 0.0);
    }
    let dir = tempfile::tempdir().unwrap();
    let (code, _, stderr) = said(dir.path(), &["bench", "fat-tree", "5"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("5 is odd"), "{stderr}");
}

#[test]
fn what_cannot_gain_is_run_by_one_thread() {
    for args in ["dumbbell 2 --seconds 1", "churn 500 --seconds 2"] {
        let columns = bench(&format!("{args} --compare-threads"));
        let compared = &columns[columns.len() - 2..];
        assert_eq!(compared[0]["outcome"], compared[1]["outcome"]);
        assert_eq!(number(&compared[1], "threads"), 1.0, "{args}");
    }
}

#[test]
fn connections_of_the_same_activity_have_the_same_events() {
    let columns = bench("growth 4");
    assert_eq!(columns.len(), 2);
    assert_eq!(columns[1]["connections"], "10^4");
    for m in &columns {
        // The timer of the next request, two packets, and further timers.
        let events = number(m, "events_per_connection_and_s");
        assert!((3.0..8.0).contains(&events), "{m}");
    }
}

#[test]
fn memory_is_reported_for_every_state() {
    let columns = bench("memory 50");
    let (objects, states) = columns.split_first().unwrap();
    assert_eq!(number(objects, "event"), 32.0);
    let connection = number(objects, "connection");
    assert!((200.0..2000.0).contains(&connection), "{objects}");
    let of = |state: &str, case: &str| {
        let found = states
            .iter()
            .find(|m| m["state"] == state && m["case"] == case);
        found.unwrap_or_else(|| panic!("{state} where {case}"))
    };
    let idle = of("ESTABLISHED", "idle");
    assert_eq!(number(idle, "count"), 100.0);
    assert_eq!(number(idle, "bytes_each"), connection);
    // Scoreboards and reassembly queues are allocated when needed.
    let busy = of("ESTABLISHED", "bulk transfer with loss");
    assert!(number(busy, "bytes_each") > connection, "{busy}");
    assert!(number(busy, "bytes_at_most") > connection + 40.0, "{busy}");
    assert!(number(of("TIME-WAIT", "closed"), "bytes_each") < 100.0);
    let mut names: Vec<&str> = states
        .iter()
        .map(|m| m["state"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    names.dedup();
    // All states except LISTEN and CLOSED.
    assert_eq!(names.len(), 9, "{names:?}");
}

#[test]
fn all_event_queues_hold() {
    let columns = bench("hold 3 --holds 2000");
    assert_eq!(columns.len(), 2);
    for (m, pending) in columns.iter().zip(["100", "1000"]) {
        assert_eq!(m["pending"], pending);
        for queue in ["wheel", "heap", "priority-queue"] {
            assert!(number(m, queue) >= 0.0);
        }
    }
}

#[test]
fn whole_runs_are_measured_beside_their_simulation() {
    let (columns, batch): (Vec<_>, Vec<_>) = bench("report --part 0.01")
        .into_iter()
        .partition(|m| m["kept"].is_null());
    for (m, kept) in batch.iter().zip(["all", "metrics"]) {
        assert_eq!((&m["kept"], number(m, "runs")), (&kept.into(), 8.0));
        assert!(
            number(m, "report_s") > 0.0 && number(m, "page_kib") > 10.0,
            "{m}"
        );
    }
    assert_eq!(batch.len(), 2);
    let names: Vec<&str> = columns
        .iter()
        .map(|m| m["workload"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["bulk", "time-wait", "churn", "star"]);
    for m in &columns {
        let ratio = number(m, "whole_s") / number(m, "simulation_s");
        assert!((number(m, "ratio") / ratio - 1.0).abs() < 1e-9, "{m}");
        assert!(
            number(m, "events") > 1000.0 && number(m, "files_kib") > 10.0,
            "{m}"
        );
    }
    // 10 MB: every segment sent and received, compared with those needed for a ladder.
    let bulk = &columns[0];
    assert!(number(bulk, "records_all_segments") > 10_000.0, "{bulk}");
    assert!(number(bulk, "records") < 4_000.0, "{bulk}");
    for m in &columns {
        for name in [
            "simulating_cpu_ratio",
            "ns_per_record",
            "ns_per_record_all_segments",
        ] {
            assert!(
                number(m, name) >= 0.0 && number(m, name).is_finite(),
                "{name} of {m}"
            );
        }
    }
}

#[test]
fn a_table_is_for_people() {
    let dir = tempfile::tempdir().unwrap();
    let (code, stdout, _) = said(dir.path(), &["bench", "dumbbell", "1", "--seconds", "0.5"]);
    assert_eq!(code, 0);
    assert!(stdout.starts_with("dumbbell 1, 0.5 s, wheel\n"), "{stdout}");
    assert!(stdout.contains("\n  segments_per_cpu_s"), "{stdout}");
    for (args, expected) in [
        (["bench", "dumbbell", "0"], "0 is not in 1.."),
        (["bench", "churn", "x"], "invalid digit"),
        (
            ["bench", "hold", "--event-queue=list"],
            "one of priority-queue, heap, wheel",
        ),
        (["bench", "hold", "--seconds=-1"], "a number of seconds"),
    ] {
        let (code, _, stderr) = said(dir.path(), &args);
        assert_eq!(code, 2);
        assert!(stderr.contains(expected), "{stderr}");
    }
}

#[test]
fn queues_give_the_same_order_for_recorded_workloads() {
    let columns = bench("replay --operations 20000");
    assert_eq!(columns.len(), 4);
    for m in &columns {
        assert_eq!(number(m, "operations"), 20_000.0, "{m}");
        assert!(number(m, "most_pending") > 5.0, "{m}");
        for queue in ["wheel", "heap", "priority-queue"] {
            assert!(number(m, queue) > 0.0, "{m}");
        }
    }
}
