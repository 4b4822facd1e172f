//! What a run reports: differences, what it skipped, and what it cannot do.

use std::sync::Arc;

use sim_core::SimTime;
use tcp_model::diagnostics::{CongestionState, ConnectionDetails};
use tcp_model::packetdrill::{RunOptions, ScriptFailure, ScriptOutcome, parse, run};
use tcp_model::{Input, Outputs, TcpModel, TcpParams, TcpView};

use super::play_text;

pub(super) const LISTEN: &str = "
0  socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
";

pub(super) const ESTABLISHED: &str = "
0  socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 65535 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 65535
+0 accept(3, ..., ...) = 4
";

pub(super) fn failure(text: &str) -> ScriptFailure {
    match play_text(text).outcome {
        ScriptOutcome::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

pub(super) fn missing(text: &str) -> String {
    match play_text(text).outcome {
        ScriptOutcome::Unsupported { what, .. } => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_failure_reports_line_expected_actual_and_ladder() {
    let report = play_text(&format!(
        "{ESTABLISHED}+0 write(4, ..., 100) = 100\n+0 > P. 1:102(101) ack 1"
    ));
    let text = report.to_string();
    assert_eq!(
        text,
        "10:1: length\n  expected: P. 1:102(101) ack 1\n  actual:   P. 1:101(100) ack 1 win 64240\n    \
         0.000000 < S 0:0(0) win 65535 <mss 1000>\n    \
         0.000000 > S. 0:0(0) ack 1 win 64240 <mss 1460>\n    \
         0.100000 < . 1:1(0) ack 1 win 65535\n    \
         0.100000 > P. 1:101(100) ack 1 win 64240\n"
    );
}

#[test]
fn an_unexpected_segment_fails_the_next_expectation() {
    let found = failure(&format!(
        "{ESTABLISHED}+0 write(4, ..., 100) = 100\n+0 write(4, ..., 1000) = 1000\n+0 > P. 101:1101(1000) ack 1"
    ));
    assert_eq!(found.what, "sequence number, length");
}

#[test]
fn silence_fails_an_expectation_once_its_time_is_over() {
    let found = failure(&format!("{LISTEN}+.1 > S. 0:0(0) ack 1"));
    assert_eq!(found.what, "no segment");
    assert_eq!(found.actual, "nothing up to 0.112500 s");
}

#[test]
fn segments_left_over_are_counted() {
    let report = play_text(&format!("{ESTABLISHED}+0 write(4, ..., 2500) = 2500"));
    assert_eq!((report.passed(), report.unclaimed), (true, 3));
}

#[test]
fn strict_segments_are_not_joined() {
    let rest = "+0 write(4, ..., 2000) = 2000\n+0 > P. 1:2001(2000) ack 1";
    assert!(play_text(&format!("{ESTABLISHED}{rest}")).passed());
    let strict = format!("--strict_segments\n{ESTABLISHED}{rest}");
    assert_eq!(failure(&strict).what, "flags, length");
}

#[test]
fn wrong_results_of_calls_are_shown_with_their_errors() {
    let found = failure("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 read(3, ..., 1) = 1");
    assert_eq!(
        (found.expected.as_str(), found.actual.as_str()),
        ("1", "-1 ENOTCONN")
    );
    let found =
        failure("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 read(3, ..., 1) = -1 EBADF");
    assert_eq!(found.expected, "-1 EBADF");
    let found = failure(&format!(
        "{ESTABLISHED}+0 getsockopt(4, SOL_TCP, TCP_MAXSEG, [999], [4]) = 0"
    ));
    assert_eq!(
        (found.expected.as_str(), found.actual.as_str()),
        ("[999]", "[1000]")
    );
}

#[test]
fn a_call_that_never_returns_is_a_failure_at_its_own_line() {
    let found = failure(&format!(
        "{LISTEN}+0 accept(3, ..., ...) = 4\n+0 close(3) = 0"
    ));
    assert_eq!((found.at.line, found.what.as_str()), (5, "the call blocks"));
    let found = failure(&format!(
        "{LISTEN}+0...1 accept(3, ..., ...) = 4\n+2 close(3) = 0"
    ));
    assert_eq!(
        (found.at.line, found.what.as_str()),
        (5, "time of the call's return")
    );
}

#[test]
fn calls_return_when_their_own_time_limit_is_over() {
    let report = play_text(&format!(
        "{ESTABLISHED}+0 setsockopt(4, SOL_SOCKET, SO_RCVTIMEO, {{tv_sec=0, tv_usec=500000}}, 16) = 0
         +0...0.5 read(4, ..., 10) = -1 EAGAIN (Resource temporarily unavailable)"
    ));
    assert!(report.passed(), "{report}");
}

#[test]
fn echoes_are_of_timestamps_that_were_sent() {
    let stamped = |ecr: u32, option: &str| {
        play_text(&format!(
            "{option}{LISTEN}+0 < S 0:0(0) win 65535 <mss 1000,TS val 5 ecr 0>
             +0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,TS val 100 ecr 5>
             +.1 < . 1:1(0) ack 1 win 65535 <nop,nop,TS val 6 ecr {ecr}>
             +0 accept(3, ..., ...) = 4"
        ))
    };
    assert!(stamped(100, "").passed());
    assert!(matches!(
        stamped(101, "").outcome,
        ScriptOutcome::Invalid { .. }
    ));
    assert!(stamped(90, "--tcp_ts_ecr_scaled\n").passed());
}

#[test]
fn a_preamble_that_is_given_is_what_it_says() {
    let script = parse(&format!(
        "`./defaults.sh`\n{LISTEN}+0 < S 0:0(0) win 65535 <mss 1460,sackOK>
         +0 > S. 0:0(0) ack 1 <mss 1460>"
    ))
    .unwrap();
    let play = |text: Option<&str>| {
        let options = RunOptions {
            preamble_text: text.map(str::to_owned),
            ..RunOptions::default()
        };
        let mut make = |ctx| Box::new(tcp_model::Connection::new(ctx)) as Box<dyn TcpModel>;
        run(&script, &mut make, &options)
    };
    assert!(!play(None).passed());
    let report = play(Some(
        "#!/bin/sh\nsysctl -q net.ipv4.tcp_sack=0 \\\n  net.ipv4.tcp_reflect_tos=1\n",
    ));
    assert!(report.passed(), "{report}");
    assert_eq!(
        report.skipped[0].text,
        "net.ipv4.tcp_reflect_tos=1 of defaults.sh"
    );
}

#[test]
fn an_address_of_another_host_cannot_be_bound() {
    let bind = |address: &str| {
        format!(
            "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
             +0 bind(3, {{sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr(\"{address}\")}}, 16) = 0"
        )
    };
    assert!(play_text(&bind("0.0.0.0")).passed());
    assert!(play_text(&bind("192.168.0.1")).passed());
    assert_eq!(failure(&bind("203.0.113.9")).actual, "-1 EADDRNOTAVAIL");
    let own = format!("--local_ip=203.0.113.9\n{}", bind("203.0.113.9"));
    assert!(play_text(&own).passed());
}

#[test]
fn sleeping_passes_time() {
    let report = play_text(&format!(
        "{LISTEN}+0 < S 0:0(0) win 65535 <mss 1460>\n+0 > S. 0:0(0) ack 1 <mss 1460>\n+0 `sleep 0.5`\n+.5 > S. 0:0(0) ack 1 <mss 1460>"
    ));
    assert!(report.passed(), "{report}");
}

#[test]
fn code_asserts_prints_and_remembers() {
    let report = play_text(
        &format!(
            "{ESTABLISHED}+0 %{{
x = tcpi_snd_cwnd * 2; print(x, 'segments', [1, 2 ** 0 if False else 3] == [1, 3])
assert 5 < x <= 20 and not tcpi_unacked, x
assert (tcpi_state == TCP_ESTABLISHED or
        tcpi_state in (TCP_CLOSE, TCP_CLOSE_WAIT))
assert -7 // 2 == -4 and -7 % 3 == 2 and 1 << 4 | 3 == 19 ^ 0
assert max(1, tcpi_snd_mss) == 1000, 'mss %d' % tcpi_snd_mss  # a comment
}}%"
        )
        .replace("2 ** 0", "2"),
    );
    assert!(report.passed(), "{report}");
    assert_eq!(report.printed, ["20 segments 1"]);
    let found = failure(&format!(
        "{ESTABLISHED}\n+0 %{{\nassert tcpi_snd_cwnd == 3, tcpi_snd_cwnd\n}}%"
    ));
    assert_eq!(
        (
            found.at.line,
            found.expected.as_str(),
            found.actual.as_str()
        ),
        (11, "tcpi_snd_cwnd == 3", "10")
    );
    let outcome = play_text("0 %{ assert oops }%").outcome;
    assert!(matches!(outcome, ScriptOutcome::Invalid { what, .. } if what.contains("oops")));
}

#[test]
fn tcp_info_has_details_of_a_connection() {
    let report = play_text(&format!(
        "{ESTABLISHED}+0 %{{ assert tcpi_lost == 0 and tcpi_ca_state == 0 and tcpi_snd_mss == 1000 }}%"
    ));
    assert!(report.passed(), "{report}");
}

#[test]
fn options_of_a_connection_may_be_set() {
    let report = play_text(&format!(
        "{ESTABLISHED}+0 setsockopt(4, SOL_TCP, TCP_NODELAY, [0], 4) = 0
         +0 write(4, ..., 100) = 100
         +0 > P. 1:101(100) ack 1
         +0 write(4, ..., 100) = 100
         +.01 setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0
         +0 > P. 101:201(100) ack 1
         +0 write(4, ..., 100) = 100
         +0 > P. 201:301(100) ack 1"
    ));
    assert!(report.passed(), "{report}");
}

#[test]
fn times_that_have_passed_are_failures() {
    let found = failure("1 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n0.5 close(3) = 0");
    assert_eq!(found.what, "the time of this event has passed");
}

#[test]
fn any_time_and_ranges_of_time_are_waited_for() {
    let syn_ack = |time: &str| {
        format!(
            "{LISTEN}+0 < S 0:0(0) win 65535\n+0 > S. 0:0(0) ack 1 <...>\n{time} > S. 0:0(0) ack 1 <...>"
        )
    };
    assert!(play_text(&syn_ack("*")).passed());
    assert!(play_text(&syn_ack("+.5~+1.5")).passed());
    assert!(play_text(&syn_ack("0.5~1.0")).passed());
    assert!(!play_text(&syn_ack("+.5~+.8")).passed());
    assert!(!play_text(&syn_ack("+1.2~+1.8")).passed());
}

/// Scripts that expect something the simulated host does not do must fail.
#[test]
fn limits_of_the_host_reach_scripts() {
    let challenged = "+0 < R 100:100(0) win 0\n+0 > . 1:1(0) ack 1\n";
    let limit = |limit: &str| {
        let set = format!(
            "`sysctl -q net.ipv4.tcp_invalid_ratelimit=0 net.ipv4.tcp_challenge_ack_limit={limit}`"
        );
        format!("{set}{ESTABLISHED}{}", challenged.repeat(3))
    };
    assert!(play_text(&limit("3")).passed());
    let found = failure(&limit("1"));
    assert_eq!((found.at.line, found.what.as_str()), (12, "no segment"));

    let bound_twice = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
        +0 bind(3, ..., ...) = 0
        +0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 4
        +0 bind(4, ..., ...) = 0";
    let found = failure(bound_twice);
    assert_eq!((found.at.line, found.actual.as_str()), (4, "-1 EADDRINUSE"));

    let to = "{sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr(\"192.0.2.1\")}";
    let connect = |fd: u8| {
        format!(
            "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = {fd}
             +0 fcntl({fd}, F_SETFL, O_RDWR|O_NONBLOCK) = 0
             +0 connect({fd}, {to}, 16) = -1 EINPROGRESS (Operation now in progress)
             +0 > S 0:0(0) <...>\n"
        )
    };
    let range = |high: u16| {
        let set = format!("`sysctl -q net.ipv4.ip_local_port_range=\"40000 {high}\"`\n");
        format!("{set}{}{}", connect(3), connect(4))
    };
    assert!(play_text(&range(40001)).passed());
    let found = failure(&range(40000));
    assert_eq!(
        (found.at.line, found.actual.as_str()),
        (8, "-1 EADDRNOTAVAIL")
    );
}

/// A connection that accepts changed options without effect, and reports some details.
#[derive(Debug)]
struct Willing(tcp_model::Connection);

impl TcpModel for Willing {
    fn step(&mut self, input: Input<'_>, now: SimTime, out: &mut Outputs) {
        self.0.step(input, now, out);
    }
    fn next_timeout(&self) -> Option<SimTime> {
        self.0.next_timeout()
    }
    fn view(&self) -> TcpView {
        self.0.view()
    }
    fn change_params(&mut self, params: &Arc<TcpParams>, _: SimTime, _: &mut Outputs) -> bool {
        !params.nagle
    }
    fn details(&self) -> ConnectionDetails {
        ConnectionDetails {
            congestion_state: Some(CongestionState::Recovery),
            lost: Some(2),
            ..ConnectionDetails::default()
        }
    }
}

#[test]
fn models_may_change_options_and_report_details() {
    let willing = |rest: &str| {
        let script = parse(&format!("{ESTABLISHED}{rest}")).unwrap();
        let mut make =
            |ctx| Box::new(Willing(tcp_model::Connection::new(ctx))) as Box<dyn TcpModel>;
        run(&script, &mut make, &RunOptions::default()).outcome
    };
    let nodelay = "+0 setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0\n";
    let ask = "+0 getsockopt(4, SOL_TCP, TCP_NODELAY, [1], [4]) = 0\n";
    assert_eq!(willing(&format!("{nodelay}{ask}")), ScriptOutcome::Passed);
    let keepalive = "+0 setsockopt(4, SOL_SOCKET, SO_KEEPALIVE, [1], 4) = 0\n";
    assert!(matches!(
        willing(keepalive),
        ScriptOutcome::Unsupported { .. }
    ));
    let script = "+0 %{ assert tcpi_ca_state == TCP_CA_Recovery and tcpi_lost == 2 }%\n";
    assert_eq!(willing(script), ScriptOutcome::Passed);
    let not_reported = "+0 %{ assert tcpi_reordering == 3 }%\n";
    assert!(matches!(
        willing(not_reported),
        ScriptOutcome::Unsupported { .. }
    ));
}
