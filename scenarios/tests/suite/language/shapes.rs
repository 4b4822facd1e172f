//! Network shapes that need only a few lines: their sizes, computed by hand, and that all clients reach their
//! servers; routers that translate addresses.

use crate::common::{make, plan};

/// A scenario with this topology, in which 40 connections are opened.
fn scenario(topology: &str) -> String {
    format!(
        "name = \"shape\"\nduration = \"2 s\"\n[topology]\n{topology}\n\
         access = {{ rate = \"1 Gbit/s\", delay = \"10 us\" }}\n\
         core = {{ rate = \"1 Gbit/s\", delay = \"100 us\" }}\n\
         [[workload]]\nname = \"w\"\nlimit = 40\narrivals = {{ kind = \"fixed\", rate = \"40 /s\" }}\n"
    )
}

/// Topology, nodes and links. A fat tree with four pods has 16 hosts, and 8 edge, 8 aggregation and 4 core routers;
/// there are 16 links each to hosts, within pods, and to the core. A torus of 3 by 4 has a router, a client and a
/// server at each place, with two links to neighbours and two to hosts. Five sites in a ring have one link each, and
/// one for each of 14 hosts.
const SHAPES: [(&str, usize, usize); 3] = [
    ("kind = \"fat-tree\"\npods = 4", 36, 48),
    ("kind = \"torus\"\nrows = 3\ncolumns = 4", 36, 48),
    ("kind = \"sites\"\nsites = 5\npairs = 7", 19, 19),
];

#[test]
fn shapes_of_data_centres_and_sites_have_the_size_they_are_given() {
    for (topology, nodes, links) in SHAPES {
        let text = scenario(topology);
        let plan = plan(&text, &[]).unwrap();
        let network = plan.runs[0].scenario.topology.network().unwrap();
        let found = (network.nodes().len(), network.links().len());
        assert_eq!(found, (nodes, 2 * links), "{topology}");
        let dir = tempfile::tempdir().unwrap();
        let summary = make(&text, &[], &dir.path().join("run"));
        assert_eq!(summary.metrics["connects_established"], 40.0, "{topology}");
        assert_eq!(summary.metrics["requests_done"], 40.0, "{topology}");
    }
}

/// Two clients, a router with this key, and a server; the clients open 20 connections a second.
fn translated(key: &str) -> String {
    format!(
        "name = \"nat\"\nduration = \"5 s\"\n[topology]\nkind = \"graph\"\n\
         host = [{{ name = \"client\", count = 2 }}, {{ name = \"server\" }}]\n\
         router = [{{ name = \"gw\", {key} }}]\n\
         link = [{{ between = [\"client\", \"gw\"], delay = \"1 ms\" }}, {{ between = [\"gw\", \"server\"], delay = \"1 ms\" }}]\n\
         [[workload]]\nname = \"w\"\narrivals = {{ kind = \"fixed\", rate = \"20 /s\" }}\n"
    )
}

/// `nat = { … }` is short for a middlebox of kind `nat` with the same keys: both make the same run.
#[test]
fn a_nat_is_a_middlebox_by_name() {
    let id = |key: &str| plan(&translated(key), &[]).unwrap().runs[0].id.clone();
    let mut ids = Vec::new();
    for keys in [
        "",
        "addresses = 2",
        "profile = \"azure\"",
        "profile = \"gcp\", block = 32, closed = \"1 s\"",
        "mapping = \"endpoint-independent\", keep_port = true",
        "ports = [2000, 2019]",
    ] {
        let short = id(&format!("nat = {{ {keys} }}"));
        let comma = if keys.is_empty() { "" } else { ", " };
        assert_eq!(
            short,
            id(&format!("middlebox = {{ kind = \"nat\"{comma}{keys} }}")),
            "{keys}"
        );
        assert!(!ids.contains(&short), "{keys}");
        ids.push(short);
    }
    let dir = tempfile::tempdir().unwrap();
    let text = translated("middlebox = { kind = \"nat\", ports = [2000, 2019] }");
    let summary = make(&text, &[], &dir.path().join("run"));
    // One port for each connection, held for the 120 s after its end: after 20 connections, in the first second, none
    // is left.
    assert_eq!(summary.metrics["nat_mappings_made"], 20.0);
    assert_eq!(summary.metrics["nat_ports_in_use_share_peak"], 1.0);
    assert_eq!(summary.counters["gw"]["nat_mappings_peak"], 20);
    let first = summary.metrics["nat.gw_first_drop_s"];
    assert!((0.95..1.1).contains(&first), "{first}");
}

#[test]
fn a_wrong_key_of_a_nat_is_shown_in_its_place() {
    for (key, part) in [
        (
            "nat = { profile = \"gpc\" }",
            "router[0].nat.profile \"gpc\" is not known; known are: linux",
        ),
        ("nat = { ports = [9, 8] }", "must be two ports from 1 on"),
        (
            "nat = { reset = \"0 s\" }",
            "router[0].nat.reset must be greater than zero",
        ),
        (
            "middlebox = { kind = \"nat\", mapping = \"cone\" }",
            "\"cone\" is not known; known are: endpoint-independent",
        ),
        (
            "middlebox = { kind = \"nat\", profil = \"aws\" }",
            "did you mean `profile`?",
        ),
    ] {
        let refused = plan(&translated(key), &[]).unwrap_err().to_string();
        assert!(refused.contains(part), "{key}: {refused}");
    }
}
