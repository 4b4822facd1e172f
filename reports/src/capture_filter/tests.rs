use sim_core::SimTime;
use tcp_model::RetransmitReason;
use tcp_model::Segment;
use tcp_model::sample::SegmentEvent;

use super::*;

/// A packet with one of two hosts at each end.
fn packet(src: [u8; 4], dst: [u8; 4], ports: (u16, u16), flags: Flags, len: u32) -> SegmentTrace {
    SegmentTrace {
        packet: 1,
        at: Some(SimTime::ZERO),
        number: 0,
        event: SegmentEvent::Sent,
        src: src.into(),
        dst: dst.into(),
        ttl: 64,
        tos: 0,
        state: Some(State::Established),
        retransmission: None,
        spurious: None,
        segment: Segment {
            src_port: ports.0,
            dst_port: ports.1,
            flags,
            len,
            ..Segment::EMPTY
        },
    }
}

fn is_taken(filter: &str, sent: &SegmentTrace) -> bool {
    let addresses = |name: &str| match name {
        "client" => vec![Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 9)],
        "server" => vec![Ipv4Addr::new(10, 0, 1, 1)],
        _ => Vec::new(),
    };
    let filter = CaptureFilter::parse(filter).unwrap_or_else(|e| panic!("{e}"));
    filter.resolve(&addresses).matches(sent)
}

#[test]
fn tests_select_by_ends_flags_state_and_length() {
    let syn = packet([10, 0, 0, 9], [10, 0, 1, 1], (40_000, 80), Flags::SYN, 0);
    let mut data = packet([10, 0, 1, 1], [10, 0, 0, 9], (80, 40_000), Flags::ACK, 100);
    data.retransmission = Some(RetransmitReason::ALL[0]);
    for (filter, of_syn, of_data) in [
        ("all", true, true),
        ("tcp", true, true),
        ("host server and port 80", true, true),
        ("host client", true, true),
        ("src host client", true, false),
        ("src client", true, false),
        ("dst client && src port 80", false, true),
        ("host 10.0.0.1", false, false),
        ("host 10.0.0.9", true, true),
        ("src net 10.0.1.0/24", false, true),
        ("net 10", true, true),
        ("net 11", false, false),
        ("net 0.0.0.0/0", true, true),
        ("port 81", false, false),
        ("port 81 or 80", true, true),
        ("dst portrange 80-90", true, false),
        ("tcp dst port 80", true, false),
        ("syn", true, false),
        ("tcp-syn or tcp-fin", true, false),
        ("ack and not syn", false, true),
        ("! ack", true, false),
        ("not (syn or data)", false, false),
        ("data", false, true),
        ("retransmission", false, true),
        ("state established", true, true),
        ("state TIME_WAIT", false, false),
        ("greater 140", false, true),
        ("greater 141", false, false),
        ("less 40", true, false),
        ("host \"server\"", true, true),
        ("host nobody", false, false),
        ("not host nobody", true, true),
    ] {
        assert_eq!(is_taken(filter, &syn), of_syn, "{filter}: SYN");
        assert_eq!(is_taken(filter, &data), of_data, "{filter}: data");
    }
}

#[test]
fn what_cannot_be_read_is_located_and_explained() {
    for (filter, at, problem, help) in [
        (
            "host server and prot 80",
            17,
            "`prot` is not a word",
            "did you mean `port`?",
        ),
        ("", 1, "empty", "`all`"),
        ("host", 5, "`host` needs a value", "host 10.0.0.1"),
        (
            "host and port 80",
            6,
            "needs a value, not `and`",
            "host server",
        ),
        (
            "port http",
            6,
            "\"http\" is not a number from 0 to 65535",
            "port 80",
        ),
        ("port 65536", 6, "is not a number", "port 80"),
        ("port (80 or 81)", 6, "needs a value, not `(`", "port 80"),
        ("port == 80", 6, "\"==\" is not a number", "port 80"),
        (
            "port 80 443",
            9,
            "follows a complete filter",
            "`and` or `or`",
        ),
        ("(port 80", 9, "`)` is missing", "character 1"),
        ("port 80)", 8, "closes nothing", "remove"),
        ("syn and", 8, "ends where a test", "host NAME"),
        ("syn and or fin", 9, "`or` stands where a test", "host NAME"),
        (
            "syn or fin and ack",
            12,
            "need parentheses",
            "(port 80 or port 443)",
        ),
        (
            "tcp[13] & 2 != 0",
            9,
            "is not part of a filter",
            "syn and not ack",
        ),
        ("tcp[13]", 1, "is not a word", "by name"),
        ("10.0.0.1", 1, "is not a word", "host 10.0.0.1"),
        (
            "net 10.1.2.3/8",
            5,
            "has bits beyond its 8",
            "net 10.0.0.0/8",
        ),
        ("net 10.0.0.0/33", 5, "is not a network", "net 10.1"),
        (
            "portrange 90-80",
            11,
            "is not a range of ports",
            "8000-8080",
        ),
        ("state TIMEWAIT", 7, "is not a state of TCP", "TIME-WAIT"),
        ("host 'a", 6, "closing quotation mark", "add"),
        ("主机 server", 1, "`主机` is not a word", "host NAME"),
    ] {
        let error = CaptureFilter::parse(filter).unwrap_err();
        assert_eq!(error.at, at, "{filter}: {error}");
        assert!(error.problem.contains(problem), "{filter}: {error}");
        assert!(error.help.contains(help), "{filter}: {}", error.help);
    }
    for deep in ["(", "!", "not "] {
        let error = CaptureFilter::parse(&deep.repeat(100_000)).unwrap_err();
        assert!(error.problem.contains("64 deep"), "{}", error.problem);
    }
}

#[test]
fn names_of_hosts_are_listed_with_their_places() {
    let filter = CaptureFilter::parse("host a and not (src b or host 10.0.0.1)").unwrap();
    let named: Vec<(&str, usize)> = filter
        .hosts()
        .iter()
        .map(|h| (h.name.as_str(), h.at))
        .collect();
    assert_eq!(named, [("a", 6), ("b", 21)]);
    let back: CaptureFilter =
        serde_json::from_str(&serde_json::to_string(&filter).unwrap()).unwrap();
    assert_eq!(back, filter);
}
