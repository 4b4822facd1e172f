//! Captures of runs, read as if they came from a real network: what is inferred is what the run recorded.

use std::collections::BTreeMap;
use std::path::Path;

use reports::store::reader::Table;
use scenarios::library;

use crate::common::{directory, planned, said};

/// The states of each node. LISTEN is left out, as a listener is not an end of a connection, and so is the
/// end of TIME-WAIT, which no packet shows.
fn states(dir: &Path) -> BTreeMap<String, Vec<String>> {
    let table = Table::read(dir, "states").unwrap().unwrap();
    let (nodes, to) = (table.texts("node").unwrap(), table.texts("to").unwrap());
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for i in (0..table.len()).filter(|&i| &to[i] != "LISTEN") {
        all.entry(nodes[i].clone()).or_default().push(to[i].clone());
    }
    for states in all.values_mut() {
        if states.ends_with(&["TIME-WAIT".to_owned(), "CLOSED".to_owned()]) {
            states.pop();
        }
    }
    all
}

/// The number of retransmissions, and of lost segments with data.
fn troubles(dir: &Path) -> (usize, usize) {
    let table = Table::read(dir, "segments").unwrap().unwrap();
    let again = table.bools("retransmission").unwrap();
    let (fates, len) = (table.texts("fate").unwrap(), table.ints("len").unwrap());
    let lost = (0..table.len()).filter(|&i| len[i] > 0 && fates[i].starts_with("lost"));
    (again.iter().filter(|again| **again).count(), lost.count())
}

#[test]
fn states_and_losses_inferred_from_captures_are_those_of_the_runs() {
    let lessons = [
        "handshake",
        "four-way-close",
        "simultaneous-close",
        "half-close",
        "lost-last-ack",
        "retransmission",
    ];
    let mut runs = 0;
    for name in lessons {
        for spec in &planned(library::find(name).unwrap().text, &[]).runs {
            let tmp = tempfile::tempdir().unwrap();
            let run = tmp.path().join("run");
            scenarios::run::execute(spec, &run, false, &mut |_| ()).unwrap();
            let packets = run.join("packets.pcapng").display().to_string();
            let (code, words, errors) = said(tmp.path(), &["read-pcap", &packets, "--out", "read"]);
            assert_eq!(code, 0, "{name}: {errors}");
            assert!(words.contains("in 1 connection"), "{words}");
            let read = tmp.path().join("read");
            assert_eq!(states(&read), states(&run), "{name} {:?}", spec.parameters);
            assert_eq!(
                troubles(&read),
                troubles(&run),
                "{name} {:?}",
                spec.parameters
            );
            let page = std::fs::read_to_string(read.join("report.html")).unwrap();
            assert!(page.contains("segment by segment"), "{name}");
            runs += 1;
        }
    }
    assert!(runs >= 15, "{runs}");
}

#[test]
fn what_is_no_capture_is_refused_and_nothing_is_overwritten() {
    let dir = directory(&[("text.pcap", "hello"), ("cut.pcapng", "\n\r\r\n\u{1c}")]);
    for (file, part) in [
        ("text.pcap", "neither pcap nor pcapng"),
        ("cut.pcapng", "neither pcap nor pcapng"),
        ("none.pcap", "cannot read"),
    ] {
        let (code, _, words) = said(dir.path(), &["read-pcap", file]);
        assert!(code == 2 && words.contains(part), "{file}: {code} {words}");
    }
    std::fs::create_dir(dir.path().join("text")).unwrap();
    let (code, _, words) = said(dir.path(), &["read-pcap", "text.pcap"]);
    assert!(code == 2 && words.contains("left alone"), "{words}");
}
