//! The slowdown of transfers against closed forms, on a path that they have to themselves.

use reports::store::reader::Table;
use scenarios::run;

use crate::common::{planned, run_once};

/// A client and a server over one link, whose description is `path`, with a request in each second.
fn text(path: &str, response: u64, record: &str) -> String {
    format!(
        "name = \"idle\"\nduration = \"5 s\"\n[tcp]\ndelayed_ack = \"0 s\"\n\
         [topology]\nkind = \"pair\"\npath = {{ {path} }}\n\
         [[workload]]\narrivals = {{ kind = \"fixed\", rate = \"1 /s\" }}\nrequest = \"100 B\"\nresponse = \"{response} B\"\n\
         [record]\n{record}\n"
    )
}

#[test]
fn a_response_of_one_window_takes_as_long_as_on_the_wire() {
    let summary = run_once(&text(
        "rate = \"10 Mbit/s\", delay = \"20 ms\"",
        10_000,
        "slowdown = true",
    ));
    let wire = |bytes: f64| 0.02 + bytes * 8.0 / 1e7;
    // Six full segments and one with 1,312 bytes, each with 52 bytes of headers.
    let exchange = wire(152.0) + wire(6.0 * 1500.0 + 1364.0);
    let ideal = 2.0 * wire(52.0) + exchange;
    // SYNs have 8 bytes of options more; the ACKs of the SYN-ACK and of the request leave before the request and
    // the response.
    let took = 2.0 * wire(60.0) + 2.0 * 52.0 * 8.0 / 1e7 + exchange;
    let seen = summary.metrics["slowdown_mean.10kB"];
    assert!(
        (seen - took / ideal).abs() < 1e-6,
        "{seen} for {}",
        took / ideal
    );
    assert_eq!(summary.metrics["slowdown_mean"], seen);
    assert_eq!(summary.metrics["slowdown_transfers.10kB"], 5.0);
    assert_eq!(summary.metrics["transfers_without_slowdown"], 0.0);
}

#[test]
fn slow_start_makes_a_response_of_three_windows_twice_as_slow() {
    // Without a rate only round trips count: handshake and response are two. Slow start needs windows of 10, 20
    // and 40 segments, so two more.
    let path = "delay = \"20 ms\"";
    for (segments, slowdown) in [
        (10, 1.0),
        (11, 1.5),
        (30, 1.5),
        (31, 2.0),
        (70, 2.0),
        (71, 2.5),
    ] {
        let response = segments * 1448;
        let summary = run_once(&text(path, response, "slowdown = true"));
        let seen = summary.metrics["slowdown_max"];
        assert!(
            (seen - slowdown).abs() < 1e-6,
            "{segments} segments: {seen}"
        );
    }
}

#[test]
fn a_bulk_flow_has_a_slowdown_a_table_and_a_figure_only_if_asked() {
    let bulk = "name = \"bulk\"\nduration = \"5 s\"\n[topology]\nkind = \"pair\"\n\
                path = { rate = \"10 Mbit/s\", delay = \"20 ms\" }\n[[workload]]\nkind = \"bulk\"\nbytes = \"10 kB\"\n";
    let tmp = tempfile::tempdir().unwrap();
    let run = |text: &str, name: &str| {
        let dir = tmp.path().join(name);
        let summary = run::execute(&planned(text, &[]).runs[0], &dir, true, &mut |_| ()).unwrap();
        (summary, dir)
    };
    let (summary, dir) = run(bulk, "without");
    assert!(!summary.metrics.keys().any(|name| name.contains("slowdown")));
    assert!(!dir.join("slowdown.parquet").exists());
    let (summary, dir) = run(&format!("{bulk}[record]\nslowdown = true\n"), "with");
    // The flow ends with the peer's FIN, a few headers of 42 us each after its last acknowledgement.
    let seen = summary.metrics["slowdown_max.10kB"];
    assert!((1.0..1.003).contains(&seen), "{seen}");
    let table = Table::read(&dir, "slowdown").unwrap().unwrap();
    assert_eq!(table.floats("to_bytes").unwrap(), [1e4]);
    assert_eq!(table.floats("mean_bytes").unwrap(), [1e4]);
    assert_eq!(table.ints("transfers").unwrap(), [1]);
    assert!(dir.join("figures/slowdown.svg").exists());
}

#[test]
fn a_path_that_goes_on_behind_a_balancer_has_no_ideal() {
    let summary = run_once(
        "name = \"via\"\nduration = \"3 s\"\n[topology]\nkind = \"graph\"\n\
         host = [{ name = \"client\" }, { name = \"server\", count = 2 }]\n\
         router = [{ name = \"lb\", middlebox = { kind = \"balancer\", servers = \"server\" } }]\n\
         link = [{ between = [\"client\", \"lb\"], delay = \"1 ms\" }, { between = [\"lb\", \"server\"], delay = \"1 ms\" }]\n\
         [[workload]]\nvia = \"lb\"\narrivals = { kind = \"fixed\", rate = \"1 /s\" }\n[record]\nslowdown = true\n",
    );
    assert_eq!(summary.metrics["transfers_without_slowdown"], 3.0);
    assert!(!summary.metrics.contains_key("slowdown_mean"));
}
