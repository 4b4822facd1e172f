//! Routers whose function has a name: ours, and a user's.

mod common;

use std::sync::{Arc, Once};

use common::summary_of;
use scenarios::execution::Execution;
use scenarios::registry::Registry;
use scenarios::sweep::Plan;
use sim_core::Packet;
use sim_core::plugin::{Maker, ModelKind};
use tcp_model::middlebox::{AnyMiddlebox, Middlebox, MiddleboxCx};
use tcp_model::segment::Packed;

/// Lets nothing pass.
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

fn wall() -> ModelKind<AnyMiddlebox> {
    ModelKind::new("wall", "lets nothing pass", &[], |_| {
        let make: Maker<AnyMiddlebox> = Arc::new(|| AnyMiddlebox::Custom(Box::new(Wall)));
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

/// Twenty clients connect at once through a firewall that takes five SYNs at once and ten a second.
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

/// SYNs are sent again after 1 s and 2 s: each time there is room for five.
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

/// Ten connections a second, closed by the client after a request, through a firewall that remembers 100
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

/// Little's law: 10 a second stay 12 s, so that 100 places are taken after 10 s.
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
        "their SYNs were sent again"
    );
    assert!(
        full.findings[0].starts_with("A firewall's table of 100 connections was full from t = 10"),
        "{:?}",
        full.findings
    );
    let ended = get("conntrack_entries_expired")
        + get("conntrack_entries_replaced")
        + get("conntrack_early_drops")
        + get("conntrack_entries_end");
    assert_eq!(get("conntrack_entries_made"), ended);
    let large = summary_of(&tracked(200), 0, Execution::default()).metrics;
    assert_eq!(large["conntrack_full_drops_pkts"], 0.0);
    assert!((large["conntrack_entries_peak"] - 120.0).abs() <= 2.0);
}
