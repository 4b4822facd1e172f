//! Middleboxes that routers choose by name: built-in ones, and one defined by the user.

mod common;
mod middlebox_by_name {
    mod balancers;
    mod nats;
}

use std::collections::BTreeMap;
use std::sync::{Arc, Once};

use common::summary_of;
use reports::store::RunSummary;
use scenarios::execution::Execution;
use scenarios::registry::Registry;
use scenarios::sweep::Plan;
use sim_core::Packet;
use sim_core::plugin::{Maker, ModelKind};
use tcp_model::middlebox::{BoxedMiddlebox, Middlebox, MiddleboxCx};
use tcp_model::segment::Packed;

/// Drops everything.
#[derive(Debug)]
struct Wall;

impl Middlebox for Wall {
    fn on_packet(
        &mut self,
        packet: Packet<Packed>,
        cx: &mut MiddleboxCx<'_, '_>,
    ) -> Option<Packet<Packed>> {
        cx.drop(packet);
        None
    }

    fn on_crash(&mut self) {}
}

fn wall() -> ModelKind<BoxedMiddlebox> {
    ModelKind::new("wall", "lets nothing pass", &[], |_| {
        let make: Maker<BoxedMiddlebox> = Arc::new(|| Box::new(Wall));
        Ok(make)
    })
}

fn plan(text: &str) -> Result<Plan, String> {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        let registry = Registry::new().middlebox(wall());
        registry.install().expect("nothing was read before");
    });
    common::plan(text, &[]).map_err(|refused| refused.to_string())
}

/// Twenty clients connect at once through a firewall that admits a burst of five SYNs, and ten SYNs a second.
const FIREWALL: &str = r#"
name = "firewall"
duration = "0.9 s"
[topology]
kind = "graph"
host = [{ name = "client", count = 20 }, { name = "server" }]
router = [{ name = "firewall", middlebox = { kind = "syn-limit", rate = 10 } }]
link = [
    { between = ["client", "firewall"], delay = "1 ms" },
    { between = ["firewall", "server"], delay = "1 ms" },
]
[[workload]]
name = "beat"
kind = "application"
client = "client"
server = "server"
application = { kind = "heartbeat" }
"#;

fn established(text: &str) -> f64 {
    let plan = plan(text).unwrap();
    summary_of(&plan, 0, Execution::default()).metrics["connects_established"]
}

/// SYNs are retransmitted after 1 s and 2 s; each time the firewall admits five.
#[test]
fn five_connections_pass_at_once_and_five_at_each_retry() {
    let lasting = |time: &str| FIREWALL.replace("0.9 s", time);
    assert_eq!(established(FIREWALL), 5.0);
    assert_eq!(established(&lasting("1.9 s")), 10.0);
    assert_eq!(established(&lasting("2.9 s")), 15.0);
    let wide = FIREWALL.replace("rate = 10", "rate = 10, burst = 20");
    assert_eq!(established(&wide), 20.0);
}

#[test]
fn their_parameters_are_swept_and_written_out() {
    let swept =
        format!("{FIREWALL}[sweep]\n\"topology.router.firewall.middlebox.burst\" = [7, 8]\n");
    let first = plan(&swept).unwrap();
    let done = |run| summary_of(&first, run, Execution::default()).metrics["connects_established"];
    assert_eq!((done(0), done(1)), (7.0, 8.0));
    common::assert_made_again_from_its_text(&first);
}

#[test]
fn they_are_the_same_in_every_partition() {
    let plan = plan(&FIREWALL.replace("0.9 s", "4 s")).unwrap();
    common::assert_same_in_every_partition(&plan);
}

#[test]
fn a_users_own_is_chosen_by_its_name() {
    let text = FIREWALL.replace("\"syn-limit\", rate = 10", "\"wall\"");
    assert_eq!(established(&text), 0.0);
}

#[test]
fn what_is_missing_unknown_or_too_much_is_named() {
    let refused = |from: &str, to: &str| plan(&FIREWALL.replace(from, to)).unwrap_err();
    let unknown = refused("\"syn-limit\"", "\"syn-limits\"");
    assert!(unknown.contains("syn-limit"), "{unknown}");
    let key = refused("rate = 10", "rat = 10");
    assert!(key.contains("did you mean `rate`?"), "{key}");
    let zero = refused("rate = 10", "rate = 0");
    assert!(zero.contains("must lie between 1 and"), "{zero}");
    let missing = refused(", rate = 10", "");
    assert!(missing.contains("`rate` is missing"), "{missing}");
    let both = refused("middlebox =", "nat = { addresses = 2 }, middlebox =");
    assert!(both.contains("`nat` or `middlebox`, not both"), "{both}");
}

/// Ten connections a second, each closed by the client after a request, through a firewall whose table holds `most`
/// connections, each for 12 s after its end.
fn tracked(most: u32) -> Plan {
    let firewall = format!("\"conntrack\", max = {most}, time_wait = \"12 s\"");
    let text = FIREWALL.replace("\"syn-limit\", rate = 10", &firewall);
    let (before, _) = text.split_once("[[workload]]").unwrap();
    let text = format!(
        "{}[tcp]\nprofile = \"linux\"\n[[workload]]\nname = \"web\"\n\
         arrivals = {{ kind = \"fixed\", rate = \"10 /s\" }}\nstop = \"15 s\"\n",
        before.replace("0.9 s", "40 s")
    );
    plan(&text).unwrap()
}

/// Little's law: ten connections a second stay for 12 s, so that 100 places are taken after 10 s.
#[test]
fn a_full_firewall_drops_syns_until_entries_time_out() {
    let plan = tracked(100);
    common::assert_same_in_every_partition(&plan);
    let full = summary_of(&plan, 0, Execution::default());
    let get = |name: &str| full.metrics[name];
    assert_eq!(get("conntrack_entries_peak"), 100.0);
    assert_eq!(get("conntrack_use_share_peak"), 1.0);
    let first = get("conntrack_full_first_s");
    assert!((first - 10.0).abs() < 0.11, "{first}");
    assert!(get("conntrack_full_drops_pkts") > 0.0);
    assert!(
        get("connect_latency_max_s") > 1.0,
        "their SYNs were retransmitted"
    );
    assert!(
        full.findings[0].starts_with("A firewall's table of 100 connections was full from t = 10"),
        "{:?}",
        full.findings
    );
    assert_flows_are_conserved(&full.metrics);
    let large = summary_of(&tracked(200), 0, Execution::default()).metrics;
    assert_eq!(large["conntrack_full_drops_pkts"], 0.0);
    assert!((large["conntrack_entries_peak"] - 120.0).abs() <= 2.0);
}

fn done(plan: &Plan) -> RunSummary {
    summary_of(plan, 0, Execution::default())
}

/// Every entry that a balancer, a firewall or a NAT created either ended in exactly one way or still exists at the
/// end of the run.
fn assert_flows_are_conserved(metrics: &BTreeMap<String, f64>) {
    let families: [(&str, &[&str]); 3] = [
        (
            "balancer_connections",
            &[
                "balancer_entries_closed",
                "balancer_entries_replaced",
                "balancer_entries_drained",
                "balancer_entries_crashed",
                "balancer_entries_end",
                "balancer_idle_forgotten",
            ],
        ),
        (
            "conntrack_entries_made",
            &[
                "conntrack_entries_expired",
                "conntrack_entries_replaced",
                "conntrack_early_drops",
                "conntrack_entries_crashed",
                "conntrack_entries_end",
            ],
        ),
        (
            "nat_mappings_made",
            &[
                "nat_mappings_expired",
                "nat_mappings_lost",
                "nat_mappings_end",
            ],
        ),
    ];
    let there = families
        .iter()
        .filter(|(made, _)| metrics.contains_key(*made));
    assert!(there.clone().count() > 0, "no middlebox");
    for (made, ends) in there {
        let ended: f64 = ends.iter().map(|end| metrics[*end]).sum();
        assert_eq!(metrics[*made], ended, "{made}: {metrics:#?}");
    }
}

/// A scenario with a middlebox. The kind of middlebox, its time-outs, losses, crashes, the TCP model and the
/// behaviour of the clients are drawn at random.
fn random_world(number: u64) -> String {
    let mut state = number;
    let mut draw = |n: usize| {
        state = sim_core::rng::mix(state.wrapping_add(0x9e37_79b9_7f4a_7c15));
        (state >> 33) as usize % n
    };
    let function = [
        "middlebox = { kind = \"balancer\", servers = \"server\", method = \"hash\", idle_timeout = \"2 s\", closed = \"1 s\" }",
        "middlebox = { kind = \"balancer\", servers = \"server\", method = \"least-connections\", reset = false, drain = \"server-1\", drain_at = \"4 s\", drain_time = \"2 s\" }",
        "middlebox = { kind = \"conntrack\", max = 60, time_wait = \"3 s\", close = \"1 s\", established = \"4 s\", gc = \"1 s\" }",
        "nat = { ports = [2000, 2040], closed = \"2 s\", mapping = \"endpoint-independent\" }",
        "nat = { ports = [2000, 2099], closed = \"2 s\", established = \"3 s\", block = 25, keep_port = true }",
        "middlebox = { kind = \"balancer\", servers = \"server\", closed = \"1 s\", health_interval = \"500 ms\", health_timeout = \"200 ms\", rise = 1, fall = 2 }",
        "nat = { ports = [2000, 2099], closed = \"2 s\", forward = \"server\", hairpin = \"client\" }",
    ][draw(7)];
    let via = if function.contains("balancer") || function.contains("forward") {
        "via = \"box\"\n"
    } else {
        ""
    };
    let loss = ["0", "0.01", "0.1"][draw(3)];
    let model = ["full", "lifecycle"][draw(2)];
    let client = [
        "requests = 3\nthink = \"1 s\"\n",
        "pool = { max = 4, idle_timeout = \"3 s\" }\nretries = { max = 2, backoff = \"100 ms\" }\n",
        "how = \"rst\"\n",
        "close = \"server\"\n",
        "http = \"http/2\"\npool = { streams = 5, max_requests = 20 }\nrequest_timeout = \"500 ms\"\nretries = { max = 1 }\n",
        "pool = { max = 4 }\nbreaker = { failures = 3, open = \"1 s\" }\nrequest_timeout = \"500 ms\"\n",
    ][draw(6)];
    let crash = [
        "",
        "[[fault]]\nnode = \"box\"\nat = \"5 s\"\nfor = \"1 s\"\n",
        "[[fault]]\nnode = \"server\"\nat = \"4 s\"\nfor = \"1 s\"\nstagger = \"2 s\"\n",
    ][draw(3)];
    format!(
        r#"
name = "world"
duration = "12 s"
[tcp]
profile = "linux"
model = "{model}"
time_wait = "2 s"
[topology]
kind = "graph"
host = [{{ name = "client", count = 3 }}, {{ name = "server", count = 2 }}]
router = [{{ name = "box", {function} }}]
link = [
    {{ between = ["client", "box"], delay = "3 ms", loss = {loss} }},
    {{ between = ["box", "server"], delay = "5 ms" }},
]
[[workload]]
name = "web"
{via}arrivals = {{ kind = "poisson", rate = "30 /s" }}
response = {{ kind = "exponential", mean = "20 kB" }}
{client}{crash}"#
    )
}

#[test]
fn flows_are_conserved_in_random_worlds_with_middleboxes_crashes_and_pools() {
    for number in 0..18 {
        let text = random_world(number);
        let plan = plan(&text).unwrap_or_else(|e| panic!("world {number}: {e}"));
        assert_flows_are_conserved(&done(&plan).metrics);
        if number % 6 == 0 {
            common::assert_same_in_every_partition(&plan);
        }
    }
}

/// Ten connections a second, each with an entry until 2 s after its last packet: the table grows to 20 entries, and
/// the node loses all of them in a crash.
#[test]
fn entries_of_a_middlebox_are_recorded_over_time() {
    let text = "name = \"entries\"\nduration = \"20 s\"\n[topology]\nkind = \"nat\"\nclients = 2\n\
        access = { delay = \"1 ms\" }\npath = { delay = \"5 ms\" }\ngateway = { closed = \"2 s\" }\n\
        [tcp]\nprofile = \"linux\"\n[[workload]]\nname = \"web\"\n\
        arrivals = { kind = \"fixed\", rate = \"10 /s\" }\n[record]\ncensus_interval = \"1 s\"\n\
        [[fault]]\nnode = \"nat\"\nat = \"10 s\"\nfor = \"2 s\"\n";
    let dir = tempfile::tempdir().unwrap();
    let plan = plan(text).unwrap_or_else(|e| panic!("{e}"));
    let path = dir.path().join("run");
    scenarios::run::execute(&plan.runs[0], &path, false, &mut |_| ()).unwrap();
    let table = reports::store::reader::Table::read(&path, "entries")
        .unwrap()
        .unwrap();
    let (times, entries) = (
        table.floats("time_s").unwrap(),
        table.floats("entries").unwrap(),
    );
    for (t, n) in times.iter().zip(entries) {
        let expected = match *t {
            t if t < 1.0 => 5.0..6.5,
            t if (3.0..10.0).contains(&t) => 20.0..21.0,
            t if (10.0..12.0).contains(&t) => 0.0..0.01,
            t if t >= 15.0 => 19.5..21.0,
            _ => 0.0..60.0, // retransmitted SYNs arrive
        };
        assert!(expected.contains(n), "{n} at {t}");
    }
    assert!(path.join("figures/middlebox-entries.svg").exists());
    common::assert_same_in_every_partition(&plan);
}
