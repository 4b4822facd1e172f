//! The grammar: what is parsed, and where errors are reported.

use proptest::prelude::*;
use sim_core::SimDuration;
use tcp_model::options::{Options, TcpOption};
use tcp_model::packetdrill::{Action, Expr, Moment, ScriptPacket, parse};
use tcp_model::segment::Flags;

fn packet(text: &str) -> ScriptPacket {
    let script = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    match &script.events[0].action {
        Action::Packet(packet) => (**packet).clone(),
        other => panic!("{other:?}"),
    }
}

fn options(all: &[TcpOption<'_>]) -> Option<Options> {
    let mut options = Options::NONE;
    all.iter().for_each(|option| options.push(*option).unwrap());
    Some(options)
}

#[test]
fn times_are_read_in_all_their_forms() {
    let ms = SimDuration::from_millis;
    for (text, moment, until) in [
        ("0", Moment::At(ms(0)), None),
        ("1.5", Moment::At(ms(1500)), None),
        ("+0.1", Moment::After(ms(100)), None),
        ("+.010", Moment::After(ms(10)), None),
        ("*", Moment::Any, None),
        ("0.1~0.2", Moment::Between(ms(100), ms(200)), None),
        ("+.1~+.2", Moment::AfterBetween(ms(100), ms(200)), None),
        ("0.1...0.2", Moment::At(ms(100)), Some(ms(200))),
        ("+0...0.2", Moment::After(ms(0)), Some(ms(200))),
    ] {
        let script = parse(&format!("{text} close(3) = 0")).unwrap();
        let event = &script.events[0];
        assert_eq!((event.moment, event.until), (moment, until), "{text}");
    }
}

#[test]
fn packets_are_read_field_by_field() {
    let p = packet("+0 < S 0:0(0) win 65535 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>");
    assert!(p.inbound && p.flags == Flags::SYN && p.window == Some(65535));
    assert_eq!(
        p.options,
        options(&[
            TcpOption::Mss(1460),
            TcpOption::SackPermitted,
            TcpOption::Timestamps(100, 0),
            TcpOption::Nop,
            TcpOption::WindowScale(7),
        ])
    );
    let p = packet("0 > [ect0, ttl 64] 8080 > 5001 FPU. 1:1001(1000) ack 7 urg 3 <...>");
    assert_eq!((p.seq, p.len, p.ack, p.urgent), (1, 1000, Some(7), Some(3)));
    assert_eq!((p.ports, p.options), (Some((8080, 5001)), None));
    assert_eq!(packet("0 > 5. 1:1(0) ack 1").flags.0, 0b1_0100_0000 | 0x10);
    assert_eq!(packet("0 > SEWA 0:0(0)").flags.0, 0x1c2);
    assert_eq!(packet("0 > - 0:0(0)").flags, Flags::NONE);
    let p = packet("0 < . 1:1(0) ack 1 win 5 <sack 1:1001 2001:3001,FO 0a0b,unknown 99 0x01>");
    assert_eq!(
        p.options,
        options(&[
            TcpOption::Sack(&[0, 0, 0, 1, 0, 0, 3, 233, 0, 0, 7, 209, 0, 0, 11, 185]),
            TcpOption::Unknown(34, &[10, 11]),
            TcpOption::Unknown(99, &[1]),
        ])
    );
    assert_eq!(packet("0 > . 4294967290:4(10) ack 1").seq, 4294967290);
}

#[test]
fn calls_are_read_with_errors_notes_and_structures() {
    let script = parse(
        "0 connect(3, {sa_family = AF_INET, sin_port = htons(80)}, 16) = \
         -1 EINPROGRESS (Operation now in progress)\n\
         +0 poll([{fd=3, events=POLLIN|POLLOUT, revents=0}], 1, 0) = 0 /* none */\n\
         +0 sendmsg(3, {msg_name(...)=..., msg_iov(2)=[{..., 10}, {\"ab\"..., 2}], msg_flags=0}, 0) = 12",
    )
    .unwrap();
    let Action::Call(call) = &script.events[0].action else {
        panic!()
    };
    assert_eq!(call.errno.as_deref(), Some("EINPROGRESS"));
    let port = call.args[1].field("sin_port").unwrap();
    assert_eq!(*port, Expr::Apply("htons".into(), vec![Expr::Int(80)]));
    assert_eq!(script.events.len(), 3);
}

#[test]
fn options_and_commands_stand_before_the_events() {
    let script = parse(
        "// a script\n--tolerance_usecs=1000\n--ip_version=ipv4 # four\n`sysctl -q a=1\n b`\n0 `x`\n+0 %{ assert tcpi_rto > 0, 'x' }%",
    )
    .unwrap();
    assert_eq!(script.options.len(), 2);
    assert_eq!(script.init[0].text, "sysctl -q a=1\n b");
    assert_eq!((script.init[0].at.line, script.events[1].at.line), (4, 7));
}

#[test]
fn what_is_not_in_the_language_is_refused_where_it_stands() {
    let mut wrong = Vec::new();
    for (text, place, word) in [
        ("0 < S 0:0(0) win 70000", "1:18", "65535"),
        ("0 < S 0:10(0)", "1:7", "is not"),
        ("0 < Q 0:0(0)", "1:5", "'Q'"),
        ("0 < S 0:0(0) ack 1", "1:19", "window"),
        ("0 < S 0:0(0) win 1 <>", "1:21", "empty"),
        ("--mtuu=9\n0 close(3) = 0", "1:1", "did you mean --mtu?"),
        (
            "0 < S 0:0(0) win 1 <wscal 1>",
            "1:21",
            "did you mean wscale?",
        ),
        ("`a`\n`b`\n0 close(3) = 0", "2:1", "one command"),
        ("0 close(3) = 0\n`a`\n0 close(4) = 0", "3:1", "cleans up"),
        (
            "0 < icmp unreachabel net_unknown [1:1(0)]",
            "1:10",
            "did you mean unreachable?",
        ),
        (
            "0 < icmp unreachable port_unreachible [1:1(0)]",
            "1:10",
            "did you mean port_unreachable?",
        ),
        ("0 < S 0:0(0) win 1 <mss>", "1:24", "mss"),
        ("0 < S 0:0(0) win 1 <oops 1>", "1:21", "oops"),
        ("0 < . 1:1(0) ack 1 win 1 <...>", "1:26", "spelt out"),
        ("\n0 close(3)", "2:11", "'='"),
        ("0 close(3) = 0 7", "1:17", "packet"),
        ("--no_such=1\n0 close(3) = 0", "1:1", "no_such"),
        ("0 `true", "1:4", "closed"),
        ("/* open", "1:1", "comment"),
        ("0 %{ for x in y: pass }%", "1:6", "for"),
        ("0 %{ assert tcpi_rto ? }%", "1:22", "end of the statement"),
        ("0.2~0.1 > . 1:1(0) ack 1", "1:1", "range"),
        ("0...1 < S 0:0(0) win 1", "1:7", "end time"),
        ("0 > [ipv6] S 0:0(0)", "1:6", "noecn"),
        ("0 < . 1:1(0) ack 1 win 1 <ECN ceb 1>", "1:36", "order"),
        ("0 %{ if a: pass\n else: pass\nelse: pass }%", "2:2", "else"),
        ("0 %{ if a:\nassert b }%", "2:1", "indented"),
        ("0 %{ x = 'abc }%", "1:10", "closed"),
        ("0 %{ x = 1e999 }%", "1:10", "number"),
        ("zero close(3) = 0", "1:1", "time"),
        (
            "0 f([[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
            "1:45",
            "deep",
        ),
    ] {
        let error = parse(text).expect_err(text);
        let found = error.to_string();
        if !found.starts_with(&format!("{place}: ")) || !error.message.contains(word) {
            wrong.push(format!("{text}: {place} {word}, but {found}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_letters_make_the_parser_panic(text in "(0 [<>`%a]|--)?\\PC{0,40}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[-0-9a-zA-Z +*~.<>(){}\\[\\]%`:,|=\"'/#\n]{0,80}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_script_makes_the_runner_panic(lines in proptest::collection::vec(0usize..LINES.len(), 0..30)) {
        let text: Vec<&str> = lines.iter().map(|&i| LINES[i]).collect();
        let script = parse(&text.join("\n")).unwrap();
        let _ = super::play(&script);
    }
}

/// Lines that can be combined in any order.
const LINES: [&str; 35] = [
    "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",
    "+0 bind(3, ..., ...) = 0",
    "+0 listen(3, 1) = 0",
    "+0 < S 0:0(0) win 1000 <mss 1000,sackOK,TS val 1 ecr 0,nop,wscale 3>",
    "* > S. 0:0(0) ack 1 <...>",
    "+0 < . 1:1(0) ack 1 win 500 <nop,nop,TS val 2 ecr 100>",
    "+0 accept(3, ..., ...) = 4",
    "+0 write(4, ..., 5000) = 5000",
    "+0 read(4, ..., 100) = 100",
    "+0 < P. 1:101(100) ack 1 win 500 <nop,nop,TS val 3 ecr 100>",
    "+0 < F. 1:1(0) ack 1 win 500",
    "+0 < R 1:1(0) win 0",
    "+0 < . 1:1(0) ack 1001 win 0 <nop,nop,sack 2001:3001>",
    "+0 close(4) = 0",
    "+0 close(3) = 0",
    "+0 shutdown(4, SHUT_WR) = 0",
    "+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {1, 0}, 8) = 0",
    "+0 %{ assert tcpi_unacked >= 0 }%",
    "+1 `sleep 1`",
    "+.1...0.2 read(4, ..., 100) = -1 ECONNRESET",
    "+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0",
    "+0 connect(3, ..., ...) = -1 EINPROGRESS",
    "+0 < S. 0:0(0) ack 1 win 1000 <mss 1000>",
    "+0 epoll_create(1) = 5",
    "+0 < . 1:2147483648(2147483647) ack 4294967295 win 65535",
    "+0 < FPU. 4294967295:10(11) ack 7 win 1 urg 65535",
    "+0 < SFRPUEWA. 5:15(10) ack 5 win 9 <mss 0,wscale 255,sack 9:1,unknown 1 0xff>",
    "+0 < S 0:0(0) win 0 <mss 1>",
    "+0 setsockopt(3, SOL_SOCKET, SO_RCVBUF, [0], 4) = 0",
    "+0 `sysctl -q net.ipv4.tcp_rto_max_ms=0 net.ipv4.tcp_rto_min_us=4294967295 net.ipv4.tcp_syn_retries=4294967295`",
    "+0 setsockopt(3, SOL_TCP, TCP_SYNCNT, [9223372036854775807], 4) = 0",
    "+1000000 > . 1:1(0) ack 1",
    "+0 setsockopt(3, SOL_TCP, TCP_USER_TIMEOUT, [9223372036854775807], 4) = 0",
    "+0 `sysctl -q net.ipv4.tcp_fin_timeout=4294967295 net.inet.tcp.msl=4294967295`",
    "+0 poll([{fd=4, events=POLLIN, revents=0}], 1, 9223372036854775807) = 0",
];
