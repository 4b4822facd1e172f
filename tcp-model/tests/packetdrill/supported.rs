//! What a script asks for either takes effect, is an error, or is reported as not supported.

use tcp_model::packetdrill::ScriptOutcome;

use super::play_text;
use super::running::{ESTABLISHED, LISTEN, missing};

#[test]
fn system_parameters_are_set_and_other_commands_listed() {
    let report = play_text(&format!(
        "`./defaults.sh\nsysctl -q net.ipv4.tcp_timestamps=0 net.ipv4.tcp_sack=0
          ip route add default via 10.0.0.1`
         {LISTEN}+0 `echo 0 > /proc/sys/net/ipv4/tcp_window_scaling; nstat -n`
         +0 < S 0:0(0) win 65535 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>
         +0 > S. 0:0(0) ack 1 <mss 1460>"
    ));
    assert!(report.passed(), "{report}");
    let skipped: Vec<&str> = report.skipped.iter().map(|s| s.text.as_str()).collect();
    assert_eq!(skipped, ["ip route add default via 10.0.0.1", "nstat -n"]);
}

#[test]
fn system_parameters_the_model_lacks_are_not_supported() {
    let on = |command: &str| missing(&format!("`{command}`\n{LISTEN}"));
    assert!(on("sysctl -q net.ipv4.tcp_reflect_tos=1").contains("net.ipv4.tcp_reflect_tos"));
    assert!(on("sysctl -q net.ipv4.tcp_ecn=4").contains("net.ipv4.tcp_ecn = 4"));
    assert!(on("sysctl -q net.core.optmem_max=1").contains("net.core.optmem_max"));
    assert!(on("sysctl net.inet.tcp.no_such=1").contains("net.inet.tcp.no_such"));
    let listed = "echo 1 > /proc/sys/net/ipv4/tcp_reflect_tos";
    assert!(on(listed).contains("net.ipv4.tcp_reflect_tos"));
    // Settings that ask for what the model does anyway are accepted.
    let bsd = "sysctl net.inet.tcp.hostcache.purgenow=1 net.inet.tcp.log_in_vain=3";
    assert!(play_text(&format!("`{bsd}`\n{LISTEN}")).passed());
    let anyway = "sysctl -q net.ipv4.tcp_reflect_tos=0 net.ipv4.tcp_no_metrics_save=1";
    let report = play_text(&format!("`{anyway}`\n{LISTEN}"));
    assert!(report.passed() && report.skipped.is_empty(), "{report}");
}

#[test]
fn names_that_do_not_exist_are_errors_with_the_nearest_that_does() {
    let wrong = |line: &str| match play_text(&format!("{ESTABLISHED}{line}")).outcome {
        ScriptOutcome::Invalid { at, what } => (at.line, what),
        other => panic!("{line}: {other:?}"),
    };
    for (line, word) in [
        ("+0 conect(4, ..., ...) = 0", "did you mean connect?"),
        (
            "+0 `sysctl -q net.ipv4.tcp_timestamp=0`",
            "did you mean net.ipv4.tcp_timestamps?",
        ),
        (
            "+0 setsockopt(4, SOL_TCP, TCP_NODELY, [1], 4) = 0",
            "did you mean TCP_NODELAY?",
        ),
        ("+0 read(4, ..., 10) = -1 EAGAN", "did you mean EAGAIN?"),
        (
            "+0 %{ assert tcpi_snd_cwn == 10 }%",
            "did you mean tcpi_snd_cwnd?",
        ),
        (
            "+0 %{ assert tcpi_state == TCP_ESTABLISHD }%",
            "did you mean TCP_ESTABLISHED?",
        ),
        ("+0 < . 1:1(0) ack 1 win 9 <TS val 1 ecr 7>", "'ecr 7'"),
        (
            "+0 `sysctl -q net.core.somaxcon=9`",
            "did you mean net.core.somaxconn?",
        ),
        (
            "+0 `sysctl -q net.ipv4.ip_local_port_rnge=\"1 2\"`",
            "did you mean net.ipv4.ip_local_port_range?",
        ),
        (
            "+0 `echo 1 > /proc/sys/net/ipv6/bindv6onli`",
            "did you mean net.ipv6.bindv6only?",
        ),
        (
            "+0 `sysctl net.inet.tcp.delacktim=40`",
            "did you mean net.inet.tcp.delacktime?",
        ),
        (
            "+0 < icmp unreachable NOBODY [1:1(0)]",
            "--define its names",
        ),
    ] {
        let (at, what) = wrong(line);
        assert!(at == 9 && what.contains(word), "{line}: {at}: {what}");
    }
}

#[test]
fn options_of_the_tool_have_their_effect_or_are_listed() {
    let ends = |options: &str| {
        let report = play_text(&format!(
            "{options}\n{ESTABLISHED}+0 write(4, ..., 10) = 11\n+0 > P. 1:12(11) ack 1"
        ));
        let skipped: Vec<String> = report.skipped.iter().map(|s| s.text.clone()).collect();
        (report.outcome, skipped)
    };
    let (outcome, _) = ends("--non_fatal=packet");
    assert!(matches!(outcome, ScriptOutcome::Failed(f) if f.what == "result of write"));
    let (outcome, skipped) = ends("--non_fatal=packet,syscall");
    assert_eq!((outcome, skipped.len()), (ScriptOutcome::Passed, 2));
    assert!(skipped[0].starts_with("result of write: expected 11, actual 10"));
    assert!(skipped[1].starts_with("length: expected"), "{skipped:?}");

    let listed = |options: &str| {
        ends(&format!("--non_fatal=packet,syscall\n{options}"))
            .1
            .len()
    };
    assert_eq!(listed("--tun_dev=tun9\n--gateway_ip=192.168.0.2"), 4);
    assert_eq!(listed("--code_format=python\n--local_ip=10.0.0.1"), 2);
    for option in [
        "--code_format=php",
        "--code_sockopt=TCP_CC_INFO",
        "--wire_client",
        "--speed=5",
    ] {
        let (outcome, _) = ends(option);
        assert!(
            matches!(outcome, ScriptOutcome::Unsupported { .. }),
            "{option}"
        );
    }
    let (outcome, _) = ends("--local_ip=10.0.0.256");
    assert!(matches!(outcome, ScriptOutcome::Invalid { .. }));
}

#[test]
fn other_protocols_are_not_supported() {
    let socket = |call: &str| missing(&format!("0 socket({call}) = 3"));
    assert!(socket("..., SOCK_STREAM, IPPROTO_SCTP").contains("IPPROTO_TCP"));
    assert!(socket("..., SOCK_STREAM, IPPROTO_MPTCP").contains("IPPROTO_TCP"));
    let on = |line: &str| missing(&format!("{ESTABLISHED}{line}"));
    assert!(on("+0 < sctp: COOKIE_ACK[flgs=0]").contains("sctp"));
    assert!(on("+0 sctp_sendmsg(4, ..., 10) = 10").contains("sctp_sendmsg"));
    assert!(on("+0 < S 0:0(0) win 1 <mss 1460,mp_capable>").contains("MPTCP"));
}

#[test]
fn what_cannot_be_done_is_neither_passed_nor_failed() {
    let on = |line: &str| missing(&format!("{ESTABLISHED}{line}"));
    assert!(on("+0 > icmp unreachable port_unreachable [1:1001(1000)]").contains("ICMP"));
    assert!(on("+0 < udp (1000)").contains("a packet of udp"));
    assert!(on("+0 < ipv4 10.0.0.1 > 10.0.0.2: . 1:1(0) ack 1 win 5").contains("ipv4"));
    assert!(on("+0 send(4, ..., 10, MSG_RST) = 10").contains("MSG_RST"));
    assert!(on("+0 setsockopt(4, SOL_TCP, TCP_REPAIR, [1], 4) = 0").contains("TCP_REPAIR"));
    assert!(on("+0 vmsplice(4, ..., 1, 0) = 10").contains("vmsplice"));
    assert!(on("+0 send(4, ..., 10, MSG_PROXY) = 10").contains("MSG_PROXY"));
    assert!(on("+0 %{ assert tcpi_delivery_rate == 0 }%").contains("tcpi_delivery_rate"));
    assert!(missing("0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3").contains("SOCK_STREAM"));
}

#[test]
fn an_option_whose_effect_is_not_modelled_is_reported() {
    let socket = "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n";
    let set = |option: &str| format!("{socket}+0 setsockopt(3, {option}, [1], 4) = 0\n");
    for (calls, what) in [
        (set("SOL_TCP, TCP_SAVE_SYN"), "TCP_SAVE_SYN"),
        (set("SOL_IPV6, IPV6_AUTOFLOWLABEL"), "IPV6_AUTOFLOWLABEL"),
        (
            format!("{socket}+0 getsockopt(3, SOL_TCP, TCP_SAVED_SYN, ..., [40]) = 0"),
            "reading socket option TCP_SAVED_SYN",
        ),
        (
            set("SOL_IP, IP_BIND_ADDRESS_NO_PORT")
                + "+0 bind(3, {sa_family = AF_INET, sin_port = htons(0), \
                   sin_addr = inet_addr(\"0.0.0.0\")}, ...) = 0",
            "bind() to port 0 with IP_BIND_ADDRESS_NO_PORT",
        ),
        (
            set("SOL_IP, IP_FREEBIND")
                + "+0 bind(3, {sa_family = AF_INET, sin_port = htons(8080), \
                   sin_addr = inet_addr(\"203.0.113.9\")}, ...) = 0",
            "bind() to an address of another host",
        ),
        (
            set("SOL_IPV6, IPV6_V6ONLY") + "+0 bind(3, ..., ...) = 0",
            "IPV6_V6ONLY where packets are IPv4",
        ),
    ] {
        let said = missing(&calls);
        assert!(said.contains(what), "{calls}: {said}");
    }
    // The same options are accepted if they need nothing that is not supported.
    for calls in [
        format!("{socket}+0 setsockopt(3, SOL_TCP, TCP_SAVE_SYN, [0], 4) = 0"),
        set("SOL_IP, IP_FREEBIND") + "+0 bind(3, ..., ...) = 0",
        format!("--ip_version=ipv6\n{}", set("SOL_IPV6, IPV6_V6ONLY")) + "+0 bind(3, ..., ...) = 0",
    ] {
        assert_eq!(play_text(&calls).outcome, ScriptOutcome::Passed, "{calls}");
    }
}
