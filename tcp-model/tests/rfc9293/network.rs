//! Section 3.9.2: the interface to the network layer.

use std::net::Ipv4Addr;

use tcp_model::icmp::{IcmpError, IcmpKind};
use tcp_model::model::{ConnectionEnd, Input, Signal, TcpModel};
use tcp_model::wire::decode_ipv4;
use tcp_model::{SeqNum, State};

use super::lan::{A, Lan, at};
use super::rig::*;

#[test]
fn must_49_the_time_to_live_of_what_is_sent_is_configurable() {
    for ttl in [64, 1, 255] {
        let mut lan = Lan::new();
        lan.params[0].ttl = ttl;
        lan.exchange(1_000);
        let done = lan.run(at(2_000));
        let ttls: Vec<u8> = done.sent().filter(|t| t.src == A).map(|t| t.ttl).collect();
        assert!(ttls.len() > 1 && ttls.iter().all(|t| *t == ttl), "{ttls:?}");
    }
}

/// A TCP packet with these IP options.
fn with_ip_options(options: &[u8]) -> Vec<u8> {
    assert_eq!(options.len() % 4, 0);
    let segment = tcp_model::Segment {
        src_port: 1,
        dst_port: 2,
        seq: SeqNum(77),
        flags: tcp_model::Flags::SYN,
        ..Default::default()
    };
    let packet = sim_core::Packet {
        id: 1,
        src: A,
        dst: Ipv4Addr::new(10, 0, 0, 2),
        size: 40,
        ttl: 9,
        tos: 0,
        corrupt: false,
        payload: segment,
    };
    let mut bytes = Vec::new();
    tcp_model::wire::encode_ipv4(&packet, &mut bytes).unwrap();
    bytes.splice(20..20, options.iter().copied());
    bytes[0] = 0x40 | (5 + options.len() / 4) as u8;
    let total = bytes.len() as u16;
    bytes[2..4].copy_from_slice(&total.to_be_bytes());
    bytes[10..12].fill(0);
    let header = 20 + options.len();
    let sum = bytes[..header].chunks(2).fold(0u32, |sum, w| {
        let sum = sum + u32::from(w[0]) * 256 + u32::from(w[1]);
        (sum & 0xffff) + (sum >> 16)
    });
    bytes[10..12].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    bytes
}

#[test]
fn must_50_ip_options_that_are_not_understood_are_passed_over() {
    for options in [
        &[0x5e, 4, 1, 2][..],                   // experimental
        &[1, 1, 1, 0],                          // no operations
        &[7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0], // record route
        &[0xff; 40],
    ] {
        let (meta, segment) = decode_ipv4(&with_ip_options(options)).unwrap();
        assert_eq!((segment.seq, meta.ttl), (SeqNum(77), 9));
    }
}

/// The effect of an ICMP error about data in flight.
fn error(kind: IcmpKind) -> Rig {
    let mut rig = Rig::established(plain());
    let seq = rig.write(100)[0].seq;
    rig.call(Input::Icmp(&IcmpError { kind, seq }));
    rig
}

fn is_soft(kind: IcmpKind) {
    let mut rig = error(kind);
    assert_eq!(
        (rig.state(), rig.end()),
        (State::Established, None),
        "{kind}"
    );
    assert!(rig.signalled(Signal::SoftError(kind)), "{kind}");
    // The segment is retransmitted, and the connection continues.
    assert_eq!(rig.wait(ms(1_100)).len(), 1);
    rig.get_ack();
    assert_eq!(rig.view().send_queue, 0);
}

#[test]
fn must_54_errors_are_acted_on_and_matched_to_the_connection() {
    assert_eq!(error(IcmpKind::PortUnreachable).state(), State::Closed);
    // An error about data that are not in flight belongs to another connection, or is forged.
    let mut rig = Rig::established(plain());
    let seq = rig.write(100)[0].seq;
    for strange in [seq - 1, seq + 101, seq + 0x4000_0000] {
        let kind = IcmpKind::PortUnreachable;
        rig.call(Input::Icmp(&IcmpError { kind, seq: strange }));
    }
    assert_eq!((rig.state(), rig.news.len()), (State::Established, 0));
}

#[test]
fn must_55_source_quench_is_silently_dropped() {
    let mut rig = Rig::established(plain());
    let seq = rig.write(5_000)[0].seq;
    let (before, timeout) = (rig.view(), rig.tcp.next_timeout());
    let kind = IcmpKind::SourceQuench;
    assert!(rig.call(Input::Icmp(&IcmpError { kind, seq })).is_empty());
    assert_eq!((rig.view(), rig.tcp.next_timeout()), (before, timeout));
    assert!(rig.news.is_empty());
}

#[test]
fn must_56_unreachable_network_host_and_route_abort_no_connection() {
    is_soft(IcmpKind::NetUnreachable);
    is_soft(IcmpKind::HostUnreachable);
    is_soft(IcmpKind::SourceRouteFailed);
}

#[test]
fn must_56_an_exceeded_time_aborts_no_connection() {
    is_soft(IcmpKind::TimeExceeded);
}

#[test]
fn must_56_a_parameter_problem_aborts_no_connection() {
    is_soft(IcmpKind::ParameterProblem);
}

#[test]
fn shld_25_soft_errors_are_made_available_to_the_application() {
    for (code, kind) in [
        (0, IcmpKind::NetUnreachable),
        (1, IcmpKind::HostUnreachable),
        (5, IcmpKind::SourceRouteFailed),
    ] {
        assert_eq!(IcmpKind::from_v4(3, code, 0), Some(kind));
        assert!(error(kind).signalled(Signal::SoftError(kind)));
    }
}

#[test]
fn shld_26_hard_errors_abort_the_connection() {
    for (code, kind) in [
        (2, IcmpKind::ProtocolUnreachable),
        (3, IcmpKind::PortUnreachable),
    ] {
        assert_eq!(IcmpKind::from_v4(3, code, 0), Some(kind));
        let rig = error(kind);
        assert_eq!(
            (rig.state(), rig.end()),
            (State::Closed, Some(ConnectionEnd::Unreachable(kind)))
        );
        assert_eq!(rig.tcp.next_timeout(), None);
    }
    // Code 4 belongs to path MTU discovery: it makes segments smaller instead.
    let rig = error(IcmpKind::PacketTooBig(700));
    assert_eq!(rig.state(), State::Established);
}
