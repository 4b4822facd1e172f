//! Small scenarios whose results are known without a simulation.

use reports::RunSummary;

use crate::common::{metric, run_once};

/// One client and one server on this path.
fn run(path: &str, rest: &str) -> RunSummary {
    run_once(&format!(
        "name = \"small\"\n{rest}\n[topology]\nkind = \"pair\"\npath = {{ {path} }}\n"
    ))
}

/// A round trip of 1.002 s is longer than a time-out of 1 s, so the SYN is sent twice. On Linux one
/// retransmission leaves the initial window at ten segments (RFC 5681 section 3.1 reduces it if the SYN was
/// lost), so the 70 segments take three round trips with either time-out.
#[test]
fn a_syn_that_is_sent_again_in_vain_does_not_slow_the_request_down() {
    for rto in ["1 s", "3 s"] {
        let summary = run(
            "delay = \"501 ms\"",
            &format!(
                "duration = \"60 s\"\ntcp = {{ profile = \"linux\", initial_rto = \"{rto}\" }}\n\
                 [[workload]]\nrequest = \"100 kB\"\narrivals = {{ kind = \"burst\", count = 1 }}"
            ),
        );
        let latency = metric(&summary, "request_latency_max_s");
        assert!((latency - 3.01).abs() < 0.005, "{rto}: {latency} s");
    }
}

/// 55,536 ports, each in use for a minute, are enough for 925 connects per second.
#[test]
fn freebsd_does_not_run_out_of_ports_at_500_connects_per_second() {
    let summary = run(
        "delay = \"1 ms\"",
        "duration = \"90 s\"\ntcp = { profile = \"freebsd\" }\n[[workload]]\n\
         arrivals = { kind = \"fixed\", rate = \"500 /s\" }",
    );
    assert!(metric(&summary, "connects_established") > 44_000.0);
    assert_eq!(metric(&summary, "connects_failed"), 0.0);
}

/// The buffers grow to 2 MiB; a round trip of 100 ms needs 1.25 MB.
#[test]
fn freebsd_fills_a_long_path() {
    let summary = run(
        "rate = \"100 Mbit/s\", delay = \"50 ms\"",
        "duration = \"60 s\"\ntcp = { profile = \"freebsd\" }\n[[workload]]\nkind = \"bulk\"",
    );
    let goodput = metric(&summary, "goodput_bps") / 1e6;
    assert!((90.0..=96.0).contains(&goodput), "{goodput} Mbit/s");
}

/// In 25 days the timestamp clocks advance by more than half of their range.
#[test]
fn a_connection_answers_after_25_days_of_silence() {
    for profile in ["linux", "freebsd", "rfc9293"] {
        let summary = run(
            "delay = \"10 ms\"",
            &format!(
                "duration = \"2300000 s\"\ntcp = {{ profile = \"{profile}\", keepalive = \"never\" }}\n[[workload]]\nrequests = 2\n\
                 think = \"2200000 s\"\narrivals = {{ kind = \"burst\", count = 1 }}"
            ),
        );
        assert_eq!(metric(&summary, "requests_done"), 2.0, "{profile}");
        assert!(metric(&summary, "segments_sent") < 40.0, "{profile}");
    }
}
