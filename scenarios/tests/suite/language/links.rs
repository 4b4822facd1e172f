//! Packets dropped by their kind, compared with timelines computed by hand; connections of a host with itself.

use crate::common::{make, metric};
use reports::RunSummary;
use reports::store::reader::Table;

fn run_in(dir: &std::path::Path, seconds: u32, link: &str, rest: &str) -> RunSummary {
    let text = format!(
        "name = \"t\"\nduration = \"{seconds} s\"\n[topology]\nkind = \"pair\"\n\
         path = {{ delay = \"10 ms\", {link} }}\n{rest}\n[record]\nsegments = \"all\"\n"
    );
    make(&text, &[], dir)
}

fn run(seconds: u32, link: &str, rest: &str) -> RunSummary {
    let dir = tempfile::tempdir().unwrap();
    run_in(&dir.path().join("run"), seconds, link, rest)
}

/// Connections that the client closes, one every 2 s.
const PAGES: &str = "[[workload]]\narrivals = { kind = \"fixed\", rate = \"0.5 /s\" }\nlimit = 3\n";

#[test]
fn a_lost_syn_costs_every_connection_the_first_time_out() {
    for (rule, extra) in [("client SYN 1", 1.0), ("server SYN 1", 1.0)] {
        let summary = run(20, &format!("drop = [\"{rule}\"]"), PAGES);
        assert_eq!(metric(&summary, "connects_established"), 3.0);
        let latency = metric(&summary, "connect_latency_max_s");
        assert!((latency - 0.02 - extra).abs() < 1e-9, "{rule}: {latency}");
    }
    // Two losses cost 2 s: the first retransmissions of a SYN are a second apart.
    let summary = run(20, "drop = [\"client SYN 1\", \"client SYN 2\"]", PAGES);
    let latency = metric(&summary, "connect_latency_max_s");
    assert!((latency - 2.02).abs() < 1e-9, "{latency}");
}

#[test]
fn the_header_of_ipv6_takes_20_octets_more_of_the_link() {
    // At 80 kbit/s an octet takes 0.1 ms. A SYN has 40 octets of TCP header.
    let connect = |version: &str, ip_header: u32| {
        let tcp = format!("{PAGES}response = \"10 kB\"\n[tcp]\nip_version = \"{version}\"\n");
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("run");
        let summary = run_in(&dir, 20, "rate = \"80 kbit/s\"", &tcp);
        let latency = metric(&summary, "connect_latency_max_s");
        let expected = 2.0 * (0.01 + 0.0001 * f64::from(ip_header + 40));
        assert!((latency - expected).abs() < 1e-9, "{version}: {latency}");
        let table = Table::read(&dir, "segments").unwrap().unwrap();
        let largest = table.ints("len").unwrap().iter().copied().max();
        // 32 octets of TCP header with timestamps.
        assert_eq!(largest, Some(1500 - i64::from(ip_header) - 32));
    };
    connect("ipv4", 20);
    connect("ipv6", 40);
}

#[test]
fn a_rule_for_one_connection_spares_the_others() {
    let summary = run(20, "drop = [\"client SYN 1, connection 2\"]", PAGES);
    let mean = metric(&summary, "connect_latency_mean_s");
    assert!((mean - (3.0 * 0.02 + 1.0) / 3.0).abs() < 1e-6, "{mean}");
}

#[test]
fn the_named_segment_and_no_other_is_lost() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("run");
    let page = "[[workload]]\narrivals = { kind = \"burst\", count = 1 }\nresponse = \"10 kB\"\n";
    let link = "rate = \"10 Mbit/s\", queue = \"20 packets\", drop = [\"server data segment 5\", \
                \"server data segment 5, second transmission\", \"client FIN 1\"]";
    let summary = run_in(&dir, 90, link, page);
    assert_eq!(metric(&summary, "requests_done"), 1.0);
    let table = Table::read(&dir, "segments").unwrap().unwrap();
    let (from, flags) = (
        table.texts("from_node").unwrap(),
        table.texts("flags").unwrap(),
    );
    let (seq, len) = (table.ints("seq").unwrap(), table.ints("len").unwrap());
    let received = table.floats("received_s").unwrap();
    let lost: Vec<usize> = (0..table.len()).filter(|&i| received[i].is_nan()).collect();
    let first = (0..table.len())
        .find(|&i| from[i] == "server" && len[i] > 0)
        .unwrap();
    let fifth = (seq[first] + 4 * len[first]) % (1 << 32);
    let data: Vec<usize> = lost.iter().copied().filter(|&i| len[i] > 0).collect();
    assert_eq!(data.len(), 2);
    assert!(data.iter().all(|&i| from[i] == "server" && seq[i] == fifth));
    let fins: Vec<usize> = lost.iter().copied().filter(|&i| len[i] == 0).collect();
    assert_eq!(fins.len(), 1);
    assert_eq!(
        (from[fins[0]].as_str(), flags[fins[0]].as_str()),
        ("client", "FIN,ACK")
    );
}

#[test]
fn a_dropped_packet_takes_no_time_of_the_link() {
    // At 352 bit/s a SYN of 44 bytes occupies the link for a second, unless it is dropped before the link.
    let link = |drop: &str| {
        let flood =
            "[[workload]]\nkind = \"syn-flood\"\narrivals = { kind = \"burst\", count = 2 }\n";
        let text = format!("rate = \"352 bit/s\", queue = \"1 packets\", {drop}");
        run(10, &text, flood)
    };
    // The first SYN occupies the link, so the second finds the queue full.
    let full = link("reorder = 0.0");
    assert_eq!(metric(&full, "queue_drops_pkts"), 1.0);
    let spared = link("drop = [1]");
    assert_eq!(metric(&spared, "queue_drops_pkts"), 0.0);
    assert_eq!(metric(&spared, "wire_losses_pkts"), 1.0);
}

#[test]
fn a_host_talks_to_itself_over_its_loopback_and_reuses_its_ports_there() {
    let reuse = |tw_reuse: u8| {
        let text = format!(
            "name = \"t\"\nduration = \"20 s\"\n[tcp]\nip_local_port_range = [32768, 32867]\n\
             time_wait = \"60 s\"\ntcp_tw_reuse = {tw_reuse}\n[topology]\nkind = \"graph\"\n\
             host = [{{ name = \"web\" }}, {{ name = \"other\" }}]\n\
             [[topology.link]]\nbetween = [\"web\", \"web\"]\ndelay = \"20 us\"\n\
             [[topology.link]]\nbetween = [\"web\", \"other\"]\ndelay = \"20 us\"\n\
             [[workload]]\nname = \"self\"\nclient = \"web\"\nserver = \"web\"\n\
             arrivals = {{ kind = \"fixed\", rate = \"20 /s\" }}\n\
             [[workload]]\nname = \"far\"\nclient = \"web\"\nserver = \"other\"\nport = 81\n\
             arrivals = {{ kind = \"fixed\", rate = \"20 /s\" }}\n"
        );
        let dir = tempfile::tempdir().unwrap();
        let summary = make(&text, &[], &dir.path().join("run"));
        assert_eq!(metric(&summary, "requests_unanswered"), 0.0);
        metric(&summary, "connects_established")
    };
    // 100 ports to each server, and 400 connects to each.
    assert_eq!(reuse(0), 200.0);
    assert_eq!(reuse(2), 500.0);
    assert_eq!(reuse(1), 800.0);
}
