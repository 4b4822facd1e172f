//! Section 3.7: segment sizes, Nagle's algorithm, path MTU.

use std::sync::Arc;

use tcp_model::icmp::{IcmpError, IcmpKind};
use tcp_model::model::{Input, Outputs, TcpModel};
use tcp_model::options::TcpOption;
use tcp_model::params::IpVersion;
use tcp_model::{Flags, Segment, TcpParams};

use super::lan::{Lan, at};
use super::rig::*;

fn offered_mss(segment: &Segment) -> Option<u16> {
    segment.options.iter().find_map(|o| match o {
        Ok(TcpOption::Mss(mss)) => Some(mss),
        _ => None,
    })
}

fn full_segment(mut rig: Rig) -> u32 {
    rig.write(20_000)[0].len
}

fn v6() -> TcpParams {
    TcpParams {
        ip_version: IpVersion::V6,
        ..plain()
    }
}

#[test]
fn must_14_the_mss_option_is_sent_and_received() {
    let rig = Rig::syn_sent(plain());
    assert_eq!(offered_mss(&rig.sent[0].1.segment), Some(1_460));
    let rig = Rig::syn_received(plain(), &[TcpOption::Mss(900)]);
    assert_eq!(offered_mss(&rig.sent[0].1.segment), Some(1_460));
    assert_eq!(
        full_segment(Rig::connected(plain(), &[TcpOption::Mss(900)])),
        900
    );
}

#[test]
fn must_15_without_the_option_an_ipv4_peer_gets_536() {
    assert_eq!(full_segment(Rig::connected(plain(), &[])), 536);
}

#[test]
fn must_15_without_the_option_an_ipv6_peer_gets_1220() {
    assert_eq!(full_segment(Rig::connected(v6(), &[])), 1_220);
}

#[test]
fn must_16_the_smaller_of_what_the_peer_and_the_network_layer_take_is_sent() {
    let of = |mtu, mss| {
        let params = TcpParams { mtu, ..plain() };
        full_segment(Rig::connected(params, &[TcpOption::Mss(mss)]))
    };
    assert_eq!(of(1_500, 1_000), 1_000);
    assert_eq!(of(1_500, 9_000), 1_460);
    assert_eq!(of(600, 9_000), 560);
    // "TCPs ... MUST ... account for the size of the options": Eff.snd.MSS less twelve octets.
    let params = TcpParams {
        timestamps: true,
        ..plain()
    };
    let list = [TcpOption::Mss(1_000), TcpOption::Timestamps(1, 0)];
    assert_eq!(full_segment(Rig::connected(params, &list)), 988);
}

#[test]
fn must_67_the_mss_offered_is_what_can_be_received_less_the_headers() {
    let of = |params| offered_mss(&Rig::syn_sent(params).sent[0].1.segment);
    let with = |mtu| TcpParams { mtu, ..plain() };
    assert_eq!(of(with(1_500)), Some(1_460));
    assert_eq!(of(with(9_000)), Some(8_960));
    assert_eq!(of(TcpParams { mtu: 1_500, ..v6() }), Some(1_440));
}

#[test]
fn shld_5_a_receiver_of_other_than_536_says_so_over_ipv4() {
    let params = TcpParams {
        mtu: 1_000,
        ..plain()
    };
    let rig = Rig::syn_received(params, &[]);
    assert_eq!(offered_mss(&rig.sent[0].1.segment), Some(960));
}

#[test]
fn shld_5_a_receiver_of_other_than_1220_says_so_over_ipv6() {
    let rig = Rig::syn_received(v6(), &[]);
    assert_eq!(offered_mss(&rig.sent[0].1.segment), Some(1_440));
}

#[test]
fn may_3_the_mss_is_sent_even_when_it_is_the_default() {
    let v4 = TcpParams {
        mtu: 576,
        ..plain()
    };
    assert_eq!(offered_mss(&Rig::syn_sent(v4).sent[0].1.segment), Some(536));
    let v6 = TcpParams { mtu: 1_280, ..v6() };
    assert_eq!(
        offered_mss(&Rig::syn_sent(v6).sent[0].1.segment),
        Some(1_220)
    );
}

#[test]
fn shld_6_the_mss_offered_fits_the_smallest_of_what_the_path_has_carried() {
    // The application or host bounds it for paths with several MTUs; the smallest is announced.
    let params = TcpParams {
        max_segment: Some(700),
        ..plain()
    };
    let rig = Rig::syn_sent(params.clone());
    assert_eq!(offered_mss(&rig.sent[0].1.segment), Some(700));
    let mut rig = Rig::connected(params, &[TcpOption::Mss(1_460)]);
    assert_eq!(rig.write(5_000)[0].len, 700);
}

#[test]
fn path_mtu_discovery_cuts_segments_to_what_the_path_carries() {
    let mut rig = Rig::connected(plain(), &[TcpOption::Mss(1_460)]);
    let sent = rig.write(1_460);
    let error = IcmpError {
        kind: IcmpKind::PacketTooBig(1_000),
        seq: sent[0].seq,
    };
    let again = rig.call(Input::Icmp(&error));
    assert_eq!(again[0].len, 960, "sent again at once, cut to the path");
    rig.get_ack();
    assert!(rig.write(5_000).iter().all(|s| s.len <= 960));
}

#[test]
fn shld_7_nagle_holds_a_small_segment_while_data_are_unacknowledged() {
    let mut rig = Rig::established(plain());
    assert_eq!(
        shapes(&rig.write(10)),
        [(Flags::ACK | Flags::PSH, 10)],
        "nothing in flight"
    );
    assert!(rig.write(10).is_empty());
    assert!(rig.write(10).is_empty());
    assert_eq!(rig.get_ack()[0].len, 20, "both at once");
    // A full segment does not wait.
    assert_eq!(rig.write(1_000).len(), 1);
}

#[test]
fn must_17_an_application_switches_nagle_off_for_its_connection() {
    let mut rig = Rig::established(plain());
    rig.write(10);
    assert!(rig.write(10).is_empty());
    let off = Arc::new(TcpParams {
        nagle: false,
        ..plain()
    });
    let mut out = Outputs::default();
    assert!(rig.tcp.change_params(&off, rig.now, &mut out));
    assert_eq!(out.segments[0].segment.len, 10, "what waited goes");
    assert_eq!(rig.write(10).len(), 1);
    // Another connection of the host keeps the old value.
    let mut other = Rig::established(plain());
    other.write(10);
    assert!(other.write(10).is_empty());
}

#[test]
fn may_4_a_retransmission_is_a_packet_of_its_own() {
    // Identifications may be the same; here each packet has its own, even a retransmission.
    let mut lan = Lan::new();
    lan.corrupt(0.4);
    lan.exchange(10_000);
    let done = lan.run(at(900_000));
    let again: Vec<_> = done
        .sent()
        .filter(|t| t.retransmission.is_some() && t.segment.len > 0)
        .collect();
    assert!(!again.is_empty());
    for trace in again {
        let twins = done
            .sent()
            .filter(|t| t.src == trace.src && t.segment.seq == trace.segment.seq);
        let mut ids: Vec<_> = twins.map(|t| tcp_model::wire::ipv4_id(t.packet)).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }
}
