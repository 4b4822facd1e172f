//! The page of lessons is correct: every mechanism of a TCP textbook appears in it, and the segments that it
//! names do what it says.

use std::collections::BTreeMap;
use std::path::Path;

use reports::store::reader::Table;
use scenarios::library;

use crate::common::planned;

/// What a textbook chapter on TCP explains: each header field, opening and closing.
const MECHANISMS: [&str; 27] = [
    "HTTP request",
    "reliable byte stream",
    "retransmission",
    "source and destination port",
    "sequence number",
    "acknowledgment number",
    "data offset",
    "reserved bits",
    "control bits",
    "URG",
    "PSH",
    "RST",
    "ACK (the bit)",
    "SYN = 1, ACK = 0",
    "SYN = 1, ACK = 1",
    "window (16 bits)",
    "CLOSED and LISTEN",
    "SYN-SENT",
    "SYN-RECEIVED",
    "ESTABLISHED",
    "FIN-WAIT-1",
    "CLOSE-WAIT",
    "FIN-WAIT-2",
    "LAST-ACK",
    "TIME-WAIT",
    "2MSL",
    "MSL",
];

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lessons.md");
    std::fs::read_to_string(path).unwrap()
}

/// The rows of the table whose header line begins with `header`.
fn table(page: &str, header: &str) -> Vec<Vec<String>> {
    let from = page.find(header).unwrap();
    let lines = page[from..].lines().skip(2);
    let rows = lines.take_while(|line| line.starts_with('|'));
    let cells = |line: &str| {
        let inner = line.trim_matches('|');
        inner
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    rows.map(cells).collect()
}

/// Names of scenarios in a text.
fn scenarios_in(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted
        .filter(|name| library::find(name).is_some())
        .collect()
}

#[test]
fn every_mechanism_has_its_place_in_a_lesson() {
    let page = page();
    for lesson in table(&page, "| lesson |") {
        assert_eq!(scenarios_in(&lesson[0]).len(), 1, "{lesson:?}");
    }
    let rows = table(&page, "| mechanism |");
    assert!(rows.len() > 20, "{}", rows.len());
    for row in &rows {
        let place = &row[1];
        let header = ["header", "top of every ladder", "as above"];
        let is_there =
            header.iter().any(|h| place.contains(h)) || place.starts_with("data segments");
        assert!(is_there || !scenarios_in(place).is_empty(), "{row:?}");
    }
    for mechanism in MECHANISMS {
        let found = rows.iter().any(|row| row[0].contains(mechanism));
        assert!(found, "{mechanism} has no row");
    }
}

/// Flags, and the states of sender and receiver, of each segment of the first run.
fn segments(name: &str) -> Vec<(String, String, String)> {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("run");
    let plan = planned(library::find(name).unwrap().text, &[]);
    scenarios::run::execute(&plan.runs[0], &dir, false, &mut |_| ()).unwrap();
    let all = Table::read(&dir, "segments").unwrap().unwrap();
    let text = |column: &str| all.texts(column).unwrap();
    let (flags, from, to) = (
        text("flags"),
        text("state_at_sender"),
        text("state_at_receiver"),
    );
    let sent = all.floats("sent_s").unwrap();
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by(|a, b| sent[*a].total_cmp(&sent[*b]));
    let row = |i: usize| (flags[i].clone(), from[i].clone(), to[i].clone());
    order.into_iter().map(row).collect()
}

#[test]
fn segments_named_by_number_do_what_the_table_says() {
    let page = page();
    let mut made: BTreeMap<String, Vec<(String, String, String)>> = BTreeMap::new();
    let mut checked = 0;
    for row in table(&page, "| mechanism |") {
        let Some((name, number)) = row[1].split_once("`, segment ") else {
            continue;
        };
        let (name, number) = (
            name.trim_matches('`').to_owned(),
            number.parse::<usize>().unwrap(),
        );
        let all = made.entry(name.clone()).or_insert_with(|| segments(&name));
        let (flags, sender, receiver) = &all[number - 1];
        let what = row[0].split(": ").nth(1).unwrap();
        let named: Vec<&str> = what.split([',', ';']).map(str::trim).collect();
        for flag in ["SYN", "FIN", "ACK"] {
            // Every FIN has an ACK; the table names the ACK only for the second FIN.
            let wanted = named.contains(&flag) || (flag == "ACK" && named.contains(&"FIN"));
            let has = flags.split(',').any(|f| f == flag);
            assert_eq!(has, wanted, "{row:?}: {flags}");
        }
        for state in named.iter().filter_map(|n| n.split(' ').next()) {
            if tcp_model::State::ALL.iter().any(|s| s.name() == state) {
                assert!(
                    [sender, receiver].iter().any(|s| *s == state),
                    "{row:?}: {sender}, {receiver}"
                );
            }
        }
        checked += 1;
    }
    assert_eq!(checked, 7, "three segments open, four close");
}
