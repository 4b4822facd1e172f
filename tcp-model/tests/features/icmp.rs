//! ICMP errors: RFC 9293 section 3.9.2.2, RFC 1122 section 4.2.3.9, RFC 5927, RFC 1191.

use tcp_model::icmp::{IcmpError, IcmpKind};
use tcp_model::params::IpVersion;

use super::*;

const HARD: [IcmpKind; 2] = [IcmpKind::ProtocolUnreachable, IcmpKind::PortUnreachable];
const SOFT: [IcmpKind; 5] = [
    IcmpKind::NetUnreachable,
    IcmpKind::HostUnreachable,
    IcmpKind::SourceRouteFailed,
    IcmpKind::TimeExceeded,
    IcmpKind::ParameterProblem,
];

fn error(end: &mut TestEnd, kind: IcmpKind, at: u32) {
    let seq = SeqNum(ISS) + at;
    end.step(Input::Icmp(&IcmpError { kind, seq }));
}

fn connecting(params: TcpParams) -> TestEnd {
    let mut end = TestEnd::new(params);
    end.step(Input::Connect);
    end.take();
    end.news();
    end
}

/// SHLD-26; MUST-54 requires that the error reaches this connection.
#[test]
fn a_hard_error_ends_a_connection_attempt_in_both_profiles() {
    for params in [TcpParams::rfc9293(), TcpParams::linux()] {
        for kind in HARD {
            let mut end = connecting(params.clone());
            error(&mut end, kind, 0);
            assert_eq!(end.state(), State::Closed);
            assert_eq!(
                end.ended(),
                Some(tcp_model::ConnectionEnd::Unreachable(kind))
            );
            let mut passive = TestEnd::new(params.clone());
            passive.step(Input::Listen);
            passive.arrives(syn());
            error(&mut passive, kind, 0);
            assert_eq!(passive.state(), State::Closed);
        }
    }
}

/// SHLD-26, and RFC 5927 section 5.2, which Linux follows.
#[test]
fn a_hard_error_ends_an_established_connection_by_the_rfc_and_not_on_linux() {
    for (params, dies) in [(TcpParams::rfc9293(), true), (TcpParams::linux(), false)] {
        for kind in HARD {
            let mut end = TestEnd::established(params.clone());
            end.writes(1000);
            end.take();
            error(&mut end, kind, 1);
            assert_eq!(end.state() == State::Closed, dies, "{kind}");
            assert!(end.take().is_empty(), "no reset to whom nothing reaches");
        }
    }
}

/// MUST-56, SHLD-25.
#[test]
fn soft_errors_are_reported_and_end_nothing() {
    for kind in SOFT {
        let mut opening = connecting(plain());
        error(&mut opening, kind, 0);
        assert_eq!(opening.state(), State::SynSent, "{kind}");
        assert_eq!(opening.news(), [Signal::SoftError(kind)]);
        for params in [plain(), TcpParams::linux()] {
            let mut end = TestEnd::established(params);
            end.writes(1000);
            end.news();
            error(&mut end, kind, 1);
            assert_eq!(end.state(), State::Established, "{kind}");
            assert_eq!(end.news(), [Signal::SoftError(kind)]);
        }
    }
}

/// RFC 5461 section 3.1: Linux gives up a connection attempt at once.
#[test]
fn on_linux_a_soft_error_ends_a_connection_attempt() {
    let mut end = connecting(TcpParams::linux());
    error(&mut end, IcmpKind::HostUnreachable, 0);
    let why = tcp_model::ConnectionEnd::Unreachable(IcmpKind::HostUnreachable);
    assert_eq!((end.state(), end.ended()), (State::Closed, Some(why)));
}

/// MUST-55.
#[test]
fn source_quench_changes_nothing() {
    let mut end = TestEnd::established(plain());
    end.writes(5000);
    end.take();
    end.news();
    let before = end.tcp.view();
    error(&mut end, IcmpKind::SourceQuench, 1);
    assert_eq!(end.tcp.view(), before);
    assert!(end.news().is_empty() && end.take().is_empty());
}

/// RFC 5927 section 4.1.
#[test]
fn an_error_about_what_is_not_outstanding_is_ignored() {
    let mut end = TestEnd::established(TcpParams::rfc9293());
    end.writes(1000);
    end.arrives(ack(1, 501));
    end.take();
    end.news();
    for at in [0, 500, 1002, 5000] {
        error(&mut end, IcmpKind::PortUnreachable, at);
        error(&mut end, IcmpKind::PacketTooBig(600), at);
        assert_eq!(
            (end.state(), end.news()),
            (State::Established, vec![]),
            "{at}"
        );
    }
    assert!(end.take().is_empty());
    error(&mut end, IcmpKind::PortUnreachable, 501);
    assert_eq!(end.state(), State::Closed);
}

/// RFC 9293 section 3.8.3 with 3.9.2.2: at R2, the application gets the error that the network
/// reported.
#[test]
fn a_connection_that_times_out_after_a_soft_error_ends_with_it() {
    let mut end = TestEnd::established(plain());
    end.writes(1000);
    error(&mut end, IcmpKind::HostUnreachable, 1);
    end.runs_to(ms(400_000));
    let why = tcp_model::ConnectionEnd::Unreachable(IcmpKind::HostUnreachable);
    assert_eq!(end.ended(), Some(why));
    // An acknowledgement shows that the path works again.
    let mut end = TestEnd::established(plain());
    end.writes(1000);
    error(&mut end, IcmpKind::HostUnreachable, 1);
    end.arrives(ack(1, 501));
    end.runs_to(ms(400_000));
    assert_eq!(end.ended(), Some(tcp_model::ConnectionEnd::TimedOut));
}

/// RFC 1191 section 6.4: retransmitted at once, in segments that fit, without a smaller window.
#[test]
fn packet_too_big_makes_segments_smaller_and_sends_again() {
    let mut end = TestEnd::established(TcpParams {
        nagle: false,
        ..plain()
    });
    end.writes(4000);
    assert_eq!(end.take().len(), 4);
    let cwnd = end.tcp.view().cwnd;
    error(&mut end, IcmpKind::PacketTooBig(640), 1);
    assert_eq!(
        end.text(),
        [
            (1, 600),
            (601, 600),
            (1201, 600),
            (1801, 600),
            (2401, 600),
            (3001, 600),
            (3601, 400)
        ]
    );
    assert_eq!(
        end.tcp.view().cwnd,
        cwnd * 600 / 1000,
        "the same number of segments"
    );
    assert_eq!(end.tcp.view().ssthresh, None, "no congestion");
    assert_eq!(end.tcp.details().path_mtu, Some(640));
    error(&mut end, IcmpKind::PacketTooBig(640), 1);
    error(&mut end, IcmpKind::PacketTooBig(1400), 1);
    assert!(end.take().is_empty(), "no news");
    end.arrives(ack(1, 4001));
    end.writes(1500);
    assert_eq!(end.text(), [(4001, 600), (4601, 600), (5201, 300)]);
}

/// RFC 5927 section 7.3, RFC 8200 section 5, RFC 1191 section 7.1.
#[test]
fn a_path_mtu_has_a_lower_bound_and_an_unknown_one_the_next_plateau() {
    let mtu_after = |params: TcpParams, mtu| {
        let mut end = TestEnd::established(params);
        end.writes(1000);
        error(&mut end, IcmpKind::PacketTooBig(mtu), 1);
        end.tcp.details().path_mtu.unwrap()
    };
    assert_eq!(mtu_after(plain(), 68), 552);
    assert_eq!(mtu_after(plain(), 0), 1492);
    let v6 = TcpParams {
        ip_version: IpVersion::V6,
        ..plain()
    };
    assert_eq!(mtu_after(v6, 600), 1280);
    let off = TcpParams {
        path_mtu_discovery: false,
        ..plain()
    };
    assert_eq!(mtu_after(off, 600), 1500);
}

#[test]
fn a_path_mtu_learnt_by_the_syn_bounds_the_mss() {
    let mut end = connecting(plain());
    error(&mut end, IcmpKind::PacketTooBig(600), 0);
    assert_eq!(end.state(), State::SynSent);
    end.arrives(syn_ack(1));
    assert_eq!(end.tcp.details().snd_mss, Some(560));
}

/// MUST-15.
#[test]
fn without_an_mss_option_the_default_of_the_ip_version_counts() {
    for (ip_version, mss) in [(IpVersion::V4, 536), (IpVersion::V6, 1220)] {
        let mut end = TestEnd::new(TcpParams {
            ip_version,
            ..plain()
        });
        end.step(Input::Listen);
        end.arrives(Segment {
            options: Options::NONE,
            ..syn()
        });
        end.arrives(ack(1, 1));
        assert_eq!(end.tcp.details().snd_mss, Some(mss));
    }
}
