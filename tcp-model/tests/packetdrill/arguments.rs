//! Arguments of calls: each either takes effect or is compared; a misspelt one is an error; others are
//! reported as not supported.

use tcp_model::packetdrill::{ScriptFailure, ScriptOutcome, parse};

use super::play_text;

const SOCKET: &str = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n";

const ESTABLISHED: &str = "
0  socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < 5001 > 8080 S 0:0(0) win 65535 <mss 1000>
+0 > 8080 > 5001 S. 0:0(0) ack 1 <mss 1460>
+.1 < 5001 > 8080 . 1:1(0) ack 1 win 65535
";

const ACCEPT: &str = "+0 accept(3, ..., ...) = 4\n";

const DATA: &str = "+0 < 5001 > 8080 P. 1:101(100) ack 1 win 65535\n+0 > . 1:1(0) ack 101\n";

/// The outcome of a line on a new socket, 3.
fn fresh(line: &str) -> ScriptOutcome {
    play_text(&format!("{SOCKET}+0 {line}")).outcome
}

/// The outcome of lines on the accepted connection, 4.
fn connected(lines: &str) -> ScriptOutcome {
    play_text(&format!("{ESTABLISHED}{ACCEPT}{lines}")).outcome
}

fn is_wrong(outcome: ScriptOutcome, word: &str) {
    match outcome {
        ScriptOutcome::Invalid { what, .. } if what.contains(word) => {}
        other => panic!("{word}: {other:?}"),
    }
}

fn is_missing(outcome: ScriptOutcome, word: &str) {
    match outcome {
        ScriptOutcome::Unsupported { what, .. } if what.contains(word) => {}
        other => panic!("{word}: {other:?}"),
    }
}

fn differs(outcome: ScriptOutcome) -> (String, String) {
    match outcome {
        ScriptOutcome::Failed(ScriptFailure {
            expected, actual, ..
        }) => (expected, actual),
        other => panic!("{other:?}"),
    }
}

fn pair(expected: &str, actual: &str) -> (String, String) {
    (expected.into(), actual.into())
}

#[test]
fn misspelt_names_are_errors_wherever_they_stand() {
    is_wrong(
        play_text("0 socket(AF_INETT, SOCK_STREAM, IPPROTO_TCP) = 3").outcome,
        "AF_INET",
    );
    for (line, word) in [
        (
            "bind(3, {sa_family = AF_INETX, sin_port = htons(80)}, 16) = 0",
            "AF_INET",
        ),
        (
            "bind(3, {sa_family = AF_INET, sin_prt = htons(80)}, 16) = 0",
            "sin_port",
        ),
        (
            "bind(3, {sin_addr = inet_adr(\"0.0.0.0\")}, 16) = 0",
            "inet_addr",
        ),
        (
            "bind(3, {sin_port = htons(80), sin_port = htons(81)}, 16) = 0",
            "twice",
        ),
        ("bind(3, {sin_port = htons(80000)}, 16) = 0", "not a port"),
        ("bind(3, ..., SIXTEEN) = 0", "SIXTEEN"),
        ("bind(3, 5, 16) = 0", "not an address"),
        ("epoll_create1(EPOLL_CLOEXECX) = 5", "EPOLL_CLOEXEC"),
        (
            "setsockopt(3, SOL_SOCKET, SO_LINGER, {onof=1, lingr=0}, 8) = 0",
            "onoff",
        ),
        (
            "setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1}, 8) = 0",
            "linger is missing",
        ),
        (
            "setsockopt(3, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=1, tv_use=0}, 16) = 0",
            "tv_usec",
        ),
        (
            "getsockopt(3, SOL_TCP, TCP_INFO, {tcpi_stat=...}, [104]) = 0",
            "tcpi_state",
        ),
        ("poll([{fd=3, evnts=POLLIN}], 1, 0) = 0", "events"),
        ("poll([{fd=3, events=POLLIN}], 2, 0) = 0", "2 entries"),
    ] {
        is_wrong(fresh(line), word);
    }
    for (line, word) in [
        ("write(4, hello, 100) = 100", "hello"),
        ("recvmsg(4, {msg_iv(1)=[{..., 100}]}, 0) = 100", "msg_iov"),
        (
            "recvmsg(4, {msg_iov(1)=[{..., 100}], msg_control=[{cmsg_levl=1}]}, 0) = 1",
            "cmsg_level",
        ),
        ("writev(4, [{..., 100}], 2) = 100", "2 buffers"),
    ] {
        is_wrong(connected(&format!("+0 {line}")), word);
    }
}

#[test]
fn calls_have_as_many_arguments_as_they_take() {
    for (line, word) in [
        ("close(4, hello) = 0", "close takes 1 argument, not 2"),
        ("shutdown(4, SHUT_WR, 9, foo) = 0", "shutdown takes 2"),
        ("read(4, ...) = 0", "read takes 3"),
        ("fcntl(4) = 0", "fcntl takes 2 to 3 arguments, not 1"),
    ] {
        is_wrong(connected(&format!("+0 {line}")), word);
    }
    assert!(
        tcp_model::packetdrill::parse("0 recvmsg(4, {msg_iov(2)=[{..., 100}]}, 0) = 1").is_err()
    );
}

#[test]
fn tcp_info_is_that_of_the_descriptor() {
    let state = |fd: i64, state: i64| {
        connected(&format!(
            "+0 getsockopt({fd}, SOL_TCP, TCP_INFO, {{tcpi_state={state}}}, [104]) = 0"
        ))
    };
    assert_eq!(
        (state(4, 1), state(3, 10)),
        (ScriptOutcome::Passed, ScriptOutcome::Passed)
    );
    assert_eq!(differs(state(3, 1)), pair("tcpi_state=1", "tcpi_state=10"));
    let two = |fd: i64, mss: i64| {
        play_text(&format!(
            "{}{ACCEPT}
             +0 < 5002 > 8080 S 0:0(0) win 65535 <mss 500>
             +0 > 8080 > 5002 S. 0:0(0) ack 1 <mss 1460>
             +.1 < 5002 > 8080 . 1:1(0) ack 1 win 65535
             +0 accept(3, ..., ...) = 5
             +0 getsockopt({fd}, SOL_TCP, TCP_INFO, {{tcpi_snd_mss={mss}}}, [104]) = 0",
            ESTABLISHED.replace("listen(3, 1)", "listen(3, 5)")
        ))
        .outcome
    };
    assert_eq!(
        (two(4, 1000), two(5, 500)),
        (ScriptOutcome::Passed, ScriptOutcome::Passed)
    );
    assert_eq!(
        differs(two(4, 500)),
        pair("tcpi_snd_mss=500", "tcpi_snd_mss=1000")
    );
}

#[test]
fn addresses_are_those_of_the_peer_and_the_host() {
    let connect = |option: &str, address: &str| {
        let line = format!(
            "connect(3, {{sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr(\"{address}\")}}, 16)"
        );
        let socket = SOCKET.replace("SOCK_STREAM", "SOCK_STREAM|SOCK_NONBLOCK");
        let syn = "+0 > S 0:0(0) <...>";
        play_text(&format!(
            "{option}{socket}+0 {line} = -1 EINPROGRESS\n{syn}"
        ))
        .outcome
    };
    let other = "--remote_ip=198.51.100.7\n";
    assert_eq!(connect("", "192.0.2.1"), ScriptOutcome::Passed);
    assert_eq!(connect(other, "198.51.100.7"), ScriptOutcome::Passed);
    is_missing(connect(other, "192.0.2.1"), "192.0.2.1");
    is_missing(connect("", "192.0.2.77"), "192.0.2.77");
    is_missing(connect("", "127.0.0.1"), "loopback");
    let to = "{sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr(\"192.0.2.9\")}";
    is_missing(
        fresh(&format!(
            "sendto(3, ..., 10, MSG_FASTOPEN, {to}, 16) = -1 EINPROGRESS"
        )),
        "192.0.2.9",
    );

    let returned = |call: &str, port: u16, address: &str| {
        let address = format!(
            "{{sa_family=AF_INET, sin_port=htons({port}), sin_addr=inet_addr(\"{address}\")}}, [16]"
        );
        let fd = if call.starts_with("accept") { 4 } else { 0 };
        let accept = if fd == 0 { ACCEPT } else { "" };
        play_text(&format!(
            "{ESTABLISHED}{accept}+0 {call}, {address}) = {fd}"
        ))
        .outcome
    };
    for (call, port, address) in [
        ("accept(3", 5001, "192.0.2.1"),
        ("getpeername(4", 5001, "192.0.2.1"),
        ("getsockname(4", 8080, "192.168.0.1"),
        ("getsockname(3", 8080, "0.0.0.0"),
    ] {
        assert_eq!(
            returned(call, port, address),
            ScriptOutcome::Passed,
            "{call}"
        );
        let (expected, _) = differs(returned(call, port, "198.51.100.9"));
        assert_eq!(expected, "address 198.51.100.9");
        assert_eq!(differs(returned(call, 77, address)).0, "port 77");
    }
}

#[test]
fn messages_are_compared_in_all_that_is_written() {
    let receive = |parts: &str, flags: &str| {
        connected(&format!(
            "{DATA}+0 recvmsg(4, {{msg_name(...)=..., msg_iov(1)=[{{..., 100}}]{parts}}}, {flags}) = 100"
        ))
    };
    assert_eq!(receive(", msg_flags=0", "0"), ScriptOutcome::Passed);
    let kept = receive(", msg_flags=MSG_CMSG_CLOEXEC", "MSG_CMSG_CLOEXEC");
    assert_eq!(kept, ScriptOutcome::Passed);
    assert_eq!(
        differs(receive(", msg_flags=MSG_TRUNC", "0")),
        pair("msg_flags=MSG_TRUNC", "msg_flags=0")
    );
    let name = ", msg_name={sa_family=AF_INET, sin_port=htons(1)}";
    is_wrong(receive(name, "0"), "twice");

    let send = "+0 sendmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 100}], msg_flags=0";
    let control = "msg_control=[{cmsg_level=SOL_SOCKET, cmsg_type=SO_TIMESTAMPING, \
                   cmsg_data=SOF_TIMESTAMPING_TX_ACK}]";
    is_missing(
        connected(&format!("{send}, {control}}}, 0) = 100")),
        "control messages",
    );
    let sent = format!("{send}}}, 0) = 100\n+0 > P. 1:101(100) ack 1");
    assert_eq!(connected(&sent), ScriptOutcome::Passed);
}

#[test]
fn the_error_queue_is_compared_in_all_that_is_written() {
    let queue = |flags: &str, message: &str| {
        connected(&format!(
            "+0 setsockopt(4, SOL_SOCKET, SO_TIMESTAMPING, [SOF_TIMESTAMPING_TX_ACK|\
                 SOF_TIMESTAMPING_SOFTWARE|SOF_TIMESTAMPING_OPT_ID], 4) = 0
             +0 write(4, ..., 100) = 100
             +0 > P. 1:101(100) ack 1
             +.1 < 5001 > 8080 . 1:1(0) ack 101 win 65535
             +0 recvmsg(4, {{msg_name(...)=..., msg_iov(1)=[{{..., 100}}], msg_flags={flags}, \
                 msg_control=[{{{message}}}]}}, MSG_ERRQUEUE) = 0"
        ))
    };
    let error = "cmsg_level=SOL_IP, cmsg_type=IP_RECVERR, cmsg_data={ee_errno=ENOMSG, ee_data=99}";
    assert_eq!(queue("MSG_ERRQUEUE", error), ScriptOutcome::Passed);
    let (expected, actual) = differs(queue("MSG_OOB", error));
    assert_eq!(
        (expected.as_str(), actual.as_str()),
        ("msg_flags=MSG_OOB", "msg_flags=MSG_ERRQUEUE")
    );
    let time = "cmsg_level=SOL_SOCKET, cmsg_type=SCM_TIMESTAMPING, cmsg_data={scm_sec=0, scm_nsec=200000000}";
    assert_eq!(queue("MSG_ERRQUEUE", time), ScriptOutcome::Passed);
    for wrong in [
        error.replace(
            "cmsg_level=SOL_IP, cmsg_type=IP_RECVERR",
            "cmsg_level=SOL_TCP, cmsg_type=TCP_INQ",
        ),
        error.replace("SOL_IP", "SOL_SOCKET"),
        error.replace("=IP_RECVERR", "=IP_RECVTTL"),
        error.replace("ee_data=99", "ee_data=98"),
        time.replace("scm_sec=0", "scm_sec=1"),
    ] {
        differs(queue("MSG_ERRQUEUE", &wrong));
    }
    is_wrong(
        queue("MSG_ERRQUEUE", &time.replace("scm_sec", "ee_data")),
        "ee_data",
    );
}

#[test]
fn values_and_lengths_of_options_are_checked() {
    let set = |option: &str, value: &str, length: i64| {
        fresh(&format!("setsockopt(3, {option}, {value}, {length}) = 0"))
    };
    for (option, value, length, errno) in [
        ("SOL_SOCKET, SO_SNDLOWAT", "[4000]", 4, "ENOPROTOOPT"),
        ("SOL_IP, IP_MTU_DISCOVER", "[99]", 4, "EINVAL"),
        ("SOL_SOCKET, SO_REUSEADDR", "[1]", 0, "EINVAL"),
        ("SOL_TCP, TCP_NODELAY", "[1]", 3, "EINVAL"),
        ("SOL_SOCKET, SO_LINGER", "{onoff=1, linger=0}", 4, "EINVAL"),
        ("SOL_SOCKET, SO_TIMESTAMPING", "[0x1000000]", 4, "EINVAL"),
    ] {
        let (_, actual) = differs(set(option, value, length));
        assert_eq!(actual, format!("-1 {errno}"), "{option}");
    }
    for flag in [
        "TX_HARDWARE",
        "RX_SOFTWARE",
        "RX_HARDWARE",
        "RAW_HARDWARE",
        "OPT_STATS",
    ] {
        let flag = format!("SOF_TIMESTAMPING_{flag}");
        let value = format!("[SOF_TIMESTAMPING_SOFTWARE|{flag}]");
        is_missing(set("SOL_SOCKET, SO_TIMESTAMPING", &value, 4), &flag);
    }
    is_missing(
        set("SOL_TCP, TCP_CONGESTION", "\"cubic\"", 3),
        "a length of 3",
    );
    let only_v6 = "setsockopt(3, SOL_IPV6, IPV6_V6ONLY, [1], 4) = 0\n+0 listen(3, 1) = 0";
    is_missing(fresh(only_v6), "IPV6_V6ONLY");
    let bsd = format!("`sysctl -q net.inet.tcp.msl=500`\n{SOCKET}");
    let low = "+0 setsockopt(3, SOL_SOCKET, SO_SNDLOWAT, [4000], 4) = 0";
    is_missing(play_text(&format!("{bsd}{low}")).outcome, "SO_SNDLOWAT");
}

#[test]
fn flags_of_descriptors_are_kept() {
    let flags = |lines: &str| play_text(&format!("{SOCKET}{lines}")).outcome;
    let read = "+0 fcntl(3, F_GETFD) = 0\n";
    let set = "+0 fcntl(3, F_SETFD, FD_CLOEXEC) = 0\n+0 fcntl(3, F_GETFD) = FD_CLOEXEC\n";
    let clear = "+0 fcntl(3, F_SETFD, 0) = 0\n+0 fcntl(3, F_GETFD) = 0\n";
    assert_eq!(flags(&format!("{read}{set}{clear}")), ScriptOutcome::Passed);
    let socket = SOCKET.replace("SOCK_STREAM", "SOCK_STREAM|SOCK_CLOEXEC");
    let made = format!(
        "{socket}+0 fcntl(3, F_GETFD) = 1\n+0 epoll_create1(EPOLL_CLOEXEC) = 5\n+0 fcntl(5, F_GETFD) = 1"
    );
    assert_eq!(play_text(&made).outcome, ScriptOutcome::Passed);
    let accepted = |call: &str, flag: i64| {
        format!("{ESTABLISHED}+0 {call} = 4\n+0 fcntl(4, F_GETFD) = {flag}")
    };
    for text in [
        accepted("accept4(3, ..., ..., SOCK_CLOEXEC)", 1),
        accepted("accept(3, ..., ...)", 0),
    ] {
        assert_eq!(play_text(&text).outcome, ScriptOutcome::Passed);
    }
    is_missing(fresh("fcntl(3, F_SETFL, O_APPEND|O_RDWR) = 0"), "O_APPEND");
}

#[test]
fn numbers_without_meaning_are_refused_or_reported() {
    for (line, errno) in [
        ("write(4, ..., -5) = 0", "EINVAL"),
        ("writev(4, [{..., -5}], 1) = 0", "EINVAL"),
        ("epoll_create(0) = 5", "EINVAL"),
        ("epoll_create1(1) = 5", "EINVAL"),
        ("accept4(3, ..., ..., 1) = 5", "EINVAL"),
        ("pipe2([5, 6], 1) = 0", "EINVAL"),
        (
            "pipe([5, 6]) = 0\n+0 splice(4, NULL, 6, NULL, 100, 0x80) = 100",
            "EINVAL",
        ),
        (
            "epoll_create(1) = 5\n+0 epoll_wait(5, {}, 0, 0) = 0",
            "EINVAL",
        ),
    ] {
        assert_eq!(
            differs(connected(&format!("+0 {line}"))).1,
            format!("-1 {errno}"),
            "{line}"
        );
    }
    for (line, word) in [
        ("send(4, ..., -5, 0) = 0", "negative"),
        ("pipe2([5, 6], O_DIRECT) = 0", "O_DIRECT"),
        (
            "pipe([5, 6]) = 0\n+0 splice(4, [5], 6, NULL, 100, 0) = 100",
            "offsets",
        ),
        (
            "poll([{fd=4, events=POLLOUT|0x4000, revents=POLLOUT}], 1, 0) = 1",
            "0x4000",
        ),
        (
            "epoll_create(1) = 5\n+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLOUT|0x800000, fd=4}) = 0",
            "0x800000",
        ),
        (
            "open(\"/proc/sys/net/ipv4/tcp_sack\", O_WRONLY) = 5",
            "/proc/sys",
        ),
        (
            "open(\"file\", O_WRONLY|O_CREAT, 0600) = 5\n+0 write(5, ..., 1) = 1",
            "to a file",
        ),
    ] {
        is_missing(connected(&format!("+0 {line}")), word);
    }
    let waits = "+0 pipe2([5, 6], O_NONBLOCK) = 0\n+0 splice(4, NULL, 6, NULL, 10, 0) = -1 EAGAIN";
    assert_eq!(connected(waits), ScriptOutcome::Passed);
}

/// The ECN bits of `tos` take effect in both directions, the DS bits only in sent packets.
#[test]
fn ds_bits_of_an_arriving_packet_are_reported() {
    let marked = |inward: &str, outward: &str| {
        let text = format!(
            "`sysctl -q net.ipv4.tcp_ecn=1`\n{SOCKET}+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0
             +0 < {inward}SEW 0:0(0) win 65535 <mss 1000>\n+0 > {outward}SE. 0:0(0) ack 1 <mss 1460>
             +0 < . 1:1(0) ack 1 win 65535\n+0 accept(3, ..., ...) = 4
             +0 < {inward}. 1:1001(1000) ack 1 win 65535\n+0 > . 1:1(0) ack 1001"
        );
        play_text(&text).outcome
    };
    assert_eq!(marked("", ""), ScriptOutcome::Passed);
    assert_eq!(marked("[tos 0x0] ", "[tos 0x0] "), ScriptOutcome::Passed);
    is_missing(
        marked("[tos 0x10] ", ""),
        "DS bits of an arriving packet (tos 0x10)",
    );
    is_missing(marked("[ect0,tos 0x2e] ", ""), "(tos 0x2c)");
    let ce = "+0 < [tos 0x3] . 1:1001(1000) ack 1 win 65535\n+0 > E. 1:1(0) ack 1001";
    let text = format!(
        "`sysctl -q net.ipv4.tcp_ecn=1`\n{SOCKET}+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0
         +0 < SEW 0:0(0) win 65535 <mss 1000>\n+0 > SE. 0:0(0) ack 1 <mss 1460>
         +0 < . 1:1(0) ack 1 win 65535\n+0 accept(3, ..., ...) = 4\n{ce}"
    );
    assert_eq!(play_text(&text).outcome, ScriptOutcome::Passed);
}

#[test]
fn an_ecn_field_that_is_written_twice_must_be_the_same() {
    let read = |marks: &str| parse(&format!("0 < [{marks}] . 1:1(0) ack 1 win 1000"));
    assert!(read("ect0,tos 0x2").is_ok() && read("ect01,tos 0x1").is_ok());
    let wrong = read("ect0,tos 0x3").unwrap_err().to_string();
    assert!(
        wrong.contains("ect0 and the ECN bits of tos 0x3 differ"),
        "{wrong}"
    );
}

#[test]
fn flow_labels_and_parts_of_shell_lines_are_reported() {
    let labelled = |inward: &str, outward: &str| {
        play_text(&format!(
            "--ip_version=ipv6\n{SOCKET}+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0
             +0 < {inward}S 0:0(0) win 65535 <mss 1000>\n+0 > {outward}S. 0:0(0) ack 1 <mss 1440>"
        ))
        .outcome
    };
    assert_eq!(labelled("", ""), ScriptOutcome::Passed);
    is_missing(labelled("[flowlabel 0x123] ", ""), "flow labels");
    is_missing(labelled("", "[flowlabel 0x1] "), "flow labels");
    let skipped = |line: &str| -> Vec<String> {
        let report = play_text(&format!("`{line}`\n{SOCKET}"));
        assert!(report.passed(), "{report}");
        report.skipped.into_iter().map(|part| part.text).collect()
    };
    let other = skipped("sysctl -q net.ipv4.tcp_sack=0 kernel.unknown=7");
    assert_eq!(other, ["sysctl kernel.unknown=7"]);
    let otherwise = skipped("sysctl -q net.ipv4.tcp_sack=0 || echo failed");
    assert_eq!(otherwise, ["echo failed"]);
    let misspelt = format!("`sysctl -q nte.ipv4.tcp_sack=0`\n{SOCKET}");
    is_wrong(play_text(&misspelt).outcome, "did you mean net?");
    for bits in [2, 4, 5, 6] {
        let set = format!("`sysctl -q net.ipv4.tcp_recovery={bits}`\n{SOCKET}");
        is_missing(play_text(&set).outcome, "tcp_recovery");
    }
    assert!(skipped("sysctl -q net.ipv4.tcp_recovery=0").is_empty());
}
