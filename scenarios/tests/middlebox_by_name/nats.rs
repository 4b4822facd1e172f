//! Source NATs, selected by name.

use std::collections::BTreeMap;

use crate::{assert_flows_are_conserved, done, plan};

/// Each client behind a NAT opens this many connections, to each port of two servers in turn, and keeps them
/// open.
fn behind_nat(clients: u32, connections: u32, gateway: &str) -> BTreeMap<String, f64> {
    let text = format!(
        r#"
name = "nat"
duration = "5 s"
[tcp]
profile = "linux"
port_selection = "random"
tcp_syn_retries = 1
[topology]
kind = "nat"
clients = {clients}
servers = 2
path = {{ delay = "1 ms" }}
gateway = {{ {gateway} }}
[[workload]]
name = "web"
ports = 2
arrivals = {{ kind = "burst", count = {} }}
service = "100 s"
"#,
        clients * connections
    );
    let plan = plan(&text).unwrap();
    crate::common::assert_same_in_every_partition(&plan);
    crate::common::assert_made_again_from_its_text(&plan);
    done(&plan).metrics
}

/// Two clients, and two ports of the NAT: they allow two connections to each of the four destinations, or to
/// each of the two addresses, or in total.
#[test]
fn a_nat_shares_its_ports_by_what_mappings_depend_on() {
    for (mapping, established) in [
        ("endpoint-dependent", 8.0),
        ("address-dependent", 4.0),
        ("endpoint-independent", 2.0),
    ] {
        let gateway = format!("ports = [2000, 2001], mapping = \"{mapping}\"");
        let done = behind_nat(2, 4, &gateway);
        assert_eq!(done["connects_established"], established, "{mapping}");
        assert_eq!(done["nat_mappings_made"], established, "{mapping}");
        assert_eq!(done["nat_ports_in_use_peak"], 2.0, "{mapping}");
    }
}

/// A second request after the NAT has forgotten the connection. If the NAT does not answer, as on Linux, the
/// client waits; if it sends a reset, as at AWS, the client notices at once.
#[test]
fn a_connection_that_a_nat_forgot_hangs_or_is_reset() {
    let idle = |gateway: &str| {
        let text = format!(
            "name = \"idle\"\nduration = \"60 s\"\n[topology]\nkind = \"nat\"\nclients = 2\n\
             access = {{ delay = \"1 ms\" }}\npath = {{ delay = \"5 ms\" }}\ngateway = {{ {gateway} }}\n\
             [tcp]\nprofile = \"linux\"\n[[workload]]\nname = \"web\"\n\
             arrivals = {{ kind = \"burst\", count = 10 }}\nrequests = 2\nthink = \"10 s\"\n"
        );
        let plan = plan(&text).unwrap_or_else(|e| panic!("{e}"));
        crate::common::assert_same_in_every_partition(&plan);
        done(&plan).metrics
    };
    let dropped = idle("established = \"5 s\"");
    assert!(!dropped.contains_key("nat_resets_sent"));
    assert_eq!(dropped["requests_unanswered_at_run_end"], 10.0);
    let reset = idle("established = \"5 s\", profile = \"aws\"");
    assert_eq!(reset["nat_resets_sent"], 10.0);
    assert_eq!(reset["requests_unanswered_reset"], 10.0);
    assert_flows_are_conserved(&reset);
    let kept = idle("profile = \"aws\"");
    assert_eq!(kept["nat_resets_sent"], 0.0);
    assert_eq!(kept["requests_done"], 20.0);
}

/// Twelve connections of each client, three to each destination, through a NAT with blocks of two ports.
#[test]
fn a_block_of_ports_limits_each_host_behind_a_nat() {
    let limited = |ports: &str| behind_nat(3, 12, &format!("ports = {ports}, block = 2"));
    assert_eq!(limited("[2000, 2099]")["connects_established"], 24.0);
    // There are only two blocks: the third client gets none.
    assert_eq!(limited("[2000, 2004]")["connects_established"], 16.0);
    assert_eq!(
        behind_nat(3, 12, "ports = [2000, 2099]")["connects_established"],
        36.0
    );
    let gcp = behind_nat(2, 12, "profile = \"gcp\"");
    assert_eq!(gcp["connects_established"], 24.0);
    let kept = behind_nat(2, 12, "profile = \"linux\"");
    assert_eq!(kept["connects_established"], 24.0);
}

#[test]
fn mistakes_about_a_nat_are_named() {
    let refused = |gateway: &str| {
        let text = format!(
            "name = \"n\"\nduration = \"1 s\"\n[topology]\nkind = \"nat\"\npath = {{ delay = \"1 ms\" }}\ngateway = {{ {gateway} }}\n[[workload]]\narrivals = {{ kind = \"burst\", count = 1 }}\n"
        );
        plan(&text).unwrap_err()
    };
    let profile = refused("profile = \"aw\"");
    assert!(profile.contains("linux, aws, azure, gcp"), "{profile}");
    let mapping = refused("mapping = \"full-cone\"");
    assert!(mapping.contains("endpoint-independent"), "{mapping}");
    let block = refused("block = 0");
    assert!(block.contains("0 is out of range"), "{block}");
    let forward = refused("forward = \"sever\"");
    assert!(forward.contains("did you mean \"server\""), "{forward}");
}

/// A server behind a NAT, reached at the NAT's address by users outside, and by a client in the same network, which a
/// switch joins with the server.
fn forwarded(nat: &str) -> BTreeMap<String, f64> {
    let text = format!(
        r#"
name = "forwarded"
duration = "20 s"
[tcp]
profile = "linux"
tcp_syn_retries = 2
[topology]
kind = "graph"
host = [{{ name = "user", count = 3 }}, {{ name = "client", count = 2 }}, {{ name = "server", count = 2 }}]
router = [{{ name = "nat", nat = {{ closed = "2 s"{nat} }} }}, {{ name = "switch" }}]
link = [
    {{ between = ["user", "nat"], delay = "5 ms" }},
    {{ between = ["nat", "switch"], delay = "1 ms" }},
    {{ between = ["client", "switch"], delay = "1 ms" }},
    {{ between = ["server", "switch"], delay = "1 ms" }},
]
[[workload]]
name = "outside"
client = "user"
via = "nat"
limit = 30
arrivals = {{ kind = "fixed", rate = "10 /s" }}
[[workload]]
name = "inside"
client = "client"
via = "nat"
limit = 20
arrivals = {{ kind = "fixed", rate = "10 /s" }}
"#
    );
    let plan = plan(&text).unwrap_or_else(|e| panic!("{e}"));
    crate::common::assert_same_in_every_partition(&plan);
    crate::common::assert_made_again_from_its_text(&plan);
    let metrics = done(&plan).metrics;
    assert_flows_are_conserved(&metrics);
    metrics
}

#[test]
fn a_nat_forwards_connections_to_a_host_behind_it() {
    let closed = forwarded("");
    assert_eq!(closed["connects_established"], 0.0);
    assert!(!closed.contains_key("nat_forwarded"));
    // The server's answers to the client take the direct way, with an address that the client does not know.
    let open = forwarded(", forward = \"server\"");
    assert_eq!(open["connects_established"], 30.0);
    assert!(open["nat_forwarded"] >= 50.0);
    let hairpin = forwarded(", forward = \"server\", hairpin = \"client\"");
    assert_eq!(hairpin["connects_established"], 50.0);
    assert_eq!(hairpin["requests_done"], 50.0);
    assert_eq!(hairpin["nat_forwarded"], 50.0);
    assert_eq!(hairpin["nat_hairpinned"], 20.0);
    assert_eq!(hairpin["nat_mappings_end"], 0.0);
    // A mapping for each forwarded connection, and another for each that turns back.
    assert_eq!(hairpin["nat_mappings_made"], 70.0);
}
