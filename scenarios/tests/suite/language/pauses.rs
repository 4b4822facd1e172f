//! Hosts whose applications pause for a time, and hosts whose clock wraps around.

use crate::common::{assert_same_in_every_partition, plan, summary_of};
use scenarios::execution::Execution;

const WEB: &str = "name = \"gc\"\nduration = \"30 s\"\n[topology]\nkind = \"star\"\nclients = 3\nservers = 2\n\
    access = { delay = \"1 ms\" }\n[tcp]\nprofile = \"linux\"\n[[workload]]\nname = \"web\"\n\
    arrivals = { kind = \"fixed\", rate = \"20 /s\" }\nstop = \"25 s\"\nresponse = \"10 kB\"\n";

fn metrics(fault: &str) -> std::collections::BTreeMap<String, f64> {
    let plan = plan(&format!("{WEB}{fault}"), &[]).unwrap_or_else(|e| panic!("{e}"));
    summary_of(&plan, 0, Execution::default()).metrics
}

/// Requests that arrive while a server pauses wait until the pause ends, and nothing is lost: the server's
/// TCP keeps establishing connections. After a crash of the same length, only retransmitted SYNs find the
/// host up.
#[test]
fn a_pause_delays_requests_and_loses_none() {
    let pause = "[[fault]]\nnode = \"server\"\nat = \"10 s\"\nfor = \"4 s\"\npause = true\n";
    let paused = metrics(pause);
    assert_eq!(paused["requests_done"], 500.0);
    assert_eq!(paused["connects_failed"], 0.0);
    // The first request waits for 4 s, the last not at all; connecting takes no longer than usual.
    let longest = paused["request_latency_p99_s"];
    assert!((3.6..=4.01).contains(&longest), "{longest}");
    assert!(paused["connect_latency_max_s"] < 0.01);
    let none = metrics("");
    assert!(none["request_latency_p99_s"] < 0.01);
    let crashed = metrics(&pause.replace("pause = true\n", ""));
    assert!(crashed["connect_latency_max_s"] > 1.0);
    let stagger = plan(&format!("{WEB}{pause}stagger = \"2 s\"\n"), &[]).unwrap();
    assert_same_in_every_partition(&stagger);
}

/// A time-out that falls into the pause of its client takes effect when the pause ends, once.
#[test]
fn time_outs_during_a_pause_of_the_client_come_at_its_end() {
    let slow = "service = \"10 s\"\nrequest_timeout = \"1.5 s\"\n";
    let pause = "[[fault]]\nnode = \"client\"\nat = \"10 s\"\nfor = \"4 s\"\npause = true\n";
    let paused = metrics(&format!("{slow}{pause}"));
    assert_eq!(paused["requests_unanswered"], paused["requests_made"]);
    assert!(paused["requests_made"] > 400.0);
}

#[test]
fn pauses_and_clocks_are_faults_of_hosts() {
    for (fault, words) in [
        (
            "node = \"server\"\nat = \"1 s\"\npause = true",
            "a pause must end",
        ),
        (
            "node = \"server\"\nat = \"1 s\"\nfor = \"1 s\"\nquiet = \"1 s\"\npause = true",
            "nothing restarts after a pause",
        ),
        (
            "node = \"server\"\nat = \"1 s\"\nfor = \"1 s\"\nclock_wrap = true",
            "in no time",
        ),
        (
            "node = \"server\"\nat = \"1 s\"\nquiet = \"1 s\"\nclock_wrap = true",
            "nothing restarts after a clock",
        ),
        (
            "node = \"server\"\nat = \"1 s\"\nfor = \"1 s\"\npause = true\nclock_wrap = true",
            "a fault is of one kind",
        ),
        (
            "node = \"hub\"\nat = \"1 s\"\nclock_wrap = true",
            "a fault of hosts",
        ),
        (
            "node = \"server\"\nat = \"1 s\"\nclock_wrap = true\n[[fault]]\nnode = \"server-0\"\nat = \"9 s\"\n\
             clock_wrap = true",
            "wraps around already",
        ),
    ] {
        let refused = plan(&format!("{WEB}[[fault]]\n{fault}\n"), &[]).unwrap_err();
        assert!(refused.to_string().contains(words), "{refused}");
    }
}

/// Nothing depends on the clock's absolute value: PAWS compares modulo 2^32 (RFC 7323 section 5.2). The fault may fall
/// into an outage of the same host.
#[test]
fn a_clock_that_wraps_around_changes_no_number() {
    let wrap =
        "[[fault]]\nnode = \"server\"\nat = \"10 s\"\nclock_wrap = true\nstagger = \"2 s\"\n";
    let crash = "[[fault]]\nnode = \"server-0\"\nat = \"9 s\"\nfor = \"2 s\"\n";
    let reuse = "[tcp.host.client]\ntw_reuse = 1\n";
    for other in ["", crash, reuse] {
        assert_eq!(metrics(&format!("{wrap}{other}")), metrics(other));
    }
    let both = plan(&format!("{WEB}{wrap}{crash}"), &[]).unwrap();
    assert_same_in_every_partition(&both);
    let words = summary_of(&both, 0, Execution::default())
        .findings
        .join(" ");
    assert!(
        words.contains("the timestamp clock of server-1 wrapped around at t = 12 s"),
        "{words}"
    );
    let paused = WEB.to_owned()
        + "[[fault]]\nnode = \"server\"\nat = \"10 s\"\nfor = \"4 s\"\npause = true\n";
    let words = summary_of(&plan(&paused, &[]).unwrap(), 0, Execution::default()).findings;
    assert!(
        words
            .iter()
            .any(|w| w.contains("paused from t = 10 s to t = 14 s")),
        "{words:?}"
    );
}
