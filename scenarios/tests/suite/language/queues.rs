//! Recorded queues, compared with numbers computed by hand; phase effects and their remedy.

use std::path::Path;

use crate::common::{make, metric, said};
use reports::RunSummary;
use reports::store::reader::Table;

/// Bulk transfers over a dumbbell with these keys of the topology.
fn dumbbell(topology: &str, rest: &str) -> String {
    format!(
        "name = \"t\"\nduration = \"20 s\"\n[topology]\nkind = \"dumbbell\"\n{topology}\n\
         [[workload]]\nkind = \"bulk\"\n{rest}"
    )
}

const SLOW: &str = "access = { rate = \"100 Mbit/s\", delay = \"1 ms\" }\n\
                    bottleneck = { rate = \"10 Mbit/s\", delay = \"9 ms\", queue = \"100 packets\" }";

#[test]
fn the_recorded_queue_has_every_packet_and_its_longest_wait_is_its_length() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("run");
    let summary = make(&dumbbell(SLOW, ""), &[], &dir);
    // A packet that takes the last of 100 places waits for 99 packets of 1500 bytes, 1.2 ms each, one
    // of which is being transmitted.
    let longest = metric(&summary, "queue_wait_max_s");
    assert!((0.1176..=0.1188).contains(&longest), "{longest}");
    assert_eq!(metric(&summary, "queue_backlog_max_bytes"), 150_000.0);
    let queues = Table::read(&dir, "queues").unwrap().expect("a table");
    let links = Table::read(&dir, "links").unwrap().expect("a table");
    let waits = Table::read(&dir, "queue_waits").unwrap().expect("a table");
    let sum = |table: &Table, column: &str| table.ints(column).unwrap().iter().sum::<i64>();
    let slow: Vec<usize> = (0..links.len())
        .filter(|i| links.floats("rate_bps").unwrap()[*i] == 1e7)
        .collect();
    let of_links = |column: &str| {
        let values = links.ints(column).unwrap();
        slow.iter().map(|i| values[*i]).sum::<i64>()
    };
    let let_in = of_links("offered_pkts") - of_links("queue_drops");
    assert_eq!(sum(&queues, "pkts"), let_in);
    assert_eq!(sum(&waits, "pkts"), let_in);
    assert_eq!(sum(&queues, "drops"), of_links("queue_drops"));
    assert!(of_links("queue_drops") > 0);
    // The link is busy from 1 s on.
    let (times, from) = (
        queues.floats("time_s").unwrap(),
        queues.texts("from_node").unwrap(),
    );
    let busy = queues.floats("utilisation").unwrap();
    let mut seen = 0;
    for i in (0..queues.len()).filter(|i| from[*i] == "left" && (2.0..19.0).contains(&times[*i])) {
        assert!(
            (0.999..=1.0).contains(&busy[i]),
            "{} at {}",
            busy[i],
            times[i]
        );
        seen += 1;
    }
    assert!(seen > 100, "{seen}");
    assert!(dir.join("figures/queue-delay.svg").exists());
    assert!(dir.join("figures/queue-backlog.csv").exists());
    let reported = summary
        .findings
        .iter()
        .any(|f| f.contains("slowest queue packets waited"));
    assert!(reported, "{:?}", summary.findings);
}

#[test]
fn a_managed_queue_is_recorded_with_its_marks_unless_queues_are_off() {
    let dir = tempfile::tempdir().unwrap();
    let codel = SLOW.replace("\"100 packets\"", "{ kind = \"codel\", ecn = true }");
    let ecn = "[tcp]\necn = \"active\"\n";
    let marked = make(&dumbbell(&codel, ecn), &[], &dir.path().join("codel"));
    let queues = Table::read(&dir.path().join("codel"), "queues").unwrap();
    let marks = queues.unwrap().ints("marks").unwrap().iter().sum::<i64>();
    assert_eq!(marks as f64, metric(&marked, "ce_marks_pkts"));
    assert!(marks > 5, "{marks}");
    let none = dir.path().join("none");
    let summary = make(&dumbbell(SLOW, "[record]\nqueues = 0\n"), &[], &none);
    assert!(!summary.metrics.contains_key("queue_wait_max_s"));
    assert_eq!(Table::read(&none, "queues").unwrap().map(|t| t.len()), None);
}

#[test]
fn flows_that_starve_by_phase_effects_are_named_and_processing_time_is_their_remedy() {
    let ten = "pairs = 10\naccess = { rate = \"100 Mbit/s\", delay = \"1 ms\" }\n\
               bottleneck = { rate = \"100 Mbit/s\", delay = \"10 ms\", queue = \"100 packets\" }";
    let dir = tempfile::tempdir().unwrap();
    let reported =
        |summary: &RunSummary| summary.findings.iter().any(|f| f.contains("phase effects"));
    let starved = make(&dumbbell(ten, ""), &[], &dir.path().join("plain"));
    let index = metric(&starved, "jain_index");
    assert!(
        index < 0.6 && reported(&starved),
        "{index} {:?}",
        starved.findings
    );
    let random = format!("processing = \"100 us\"\n{ten}");
    let fair = make(&dumbbell(&random, ""), &[], &dir.path().join("random"));
    let index = metric(&fair, "jain_index");
    assert!(index > 0.95 && !reported(&fair), "{index}");
    let check = |topology: &str| {
        let file = dir.path().join("s.toml");
        std::fs::write(&file, dumbbell(topology, "")).unwrap();
        let (code, out, _) = said(Path::new("."), &["check", file.to_str().unwrap()]);
        assert_eq!(code, 0);
        out
    };
    assert!(check(ten).contains("# phase effects: 10 flows"));
    assert!(!check(&random).contains("phase effects"));
}
