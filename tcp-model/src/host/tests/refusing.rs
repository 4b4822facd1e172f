//! Segments without a receiver.

use super::*;
use crate::app::AppEvent;
use crate::segment::{Segment, Tag};
use crate::seq::SeqNum;

#[test]
fn a_port_without_listener_refuses() {
    let exchange = Arc::new(Exchange::default());
    let client = client(Arrivals::Burst(1), &exchange);
    let done = joined(
        host(params(), vec![AppSpec::Client(client)]),
        host(params(), Vec::new()),
    )
    .run();
    assert_eq!(done.sent(), ["0 a SYN 0(0)", "10 b RST,ACK 0(0) ack 1"]);
    let [(20, outcome)] = done.outcomes()[..] else {
        panic!("one outcome at 20 ms")
    };
    assert_eq!(
        (outcome.result, outcome.latency),
        (OpenResult::Refused, ms(20))
    );
    assert_eq!(done.summaries(Side::Active)[0].reason, EndReason::Refused);
    assert_eq!(done.b().stats().resets_sent, 1);
    // The port is free again.
    assert_eq!(done.a().connections(), 0);
}

#[test]
fn no_answer_at_all_times_out() {
    let mut pair = pair(Arrivals::Burst(1), Exchange::default());
    pair.links[0].impairments.loss = 1.0.into();
    let done = pair.until(at(200_000)).run();
    // SYNs at 0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67 s; ten repetitions, then 64 s of silence.
    let sent: Vec<String> = done.sent();
    let seconds = [0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67];
    let expected: Vec<String> = seconds
        .iter()
        .map(|s| format!("{} a SYN 0(0)", s * 1000))
        .collect();
    assert_eq!(sent, expected);
    let [(131_000, outcome)] = done.outcomes()[..] else {
        panic!("one outcome at 131 s: {:?}", done.outcomes())
    };
    assert_eq!(outcome.result, OpenResult::TimedOut);
    let lost = done
        .records
        .iter()
        .filter(|r| matches!(&r.sample, TcpSample::Segment(t) if matches!(t.event, SegmentEvent::Lost(_))))
        .count();
    assert_eq!(lost, 11);
}

#[test]
fn resets_have_acceptable_sequence_numbers() {
    let segment = Segment {
        src_port: 1,
        dst_port: 2,
        seq: SeqNum(u32::MAX),
        ack: SeqNum(500),
        len: 10,
        tag: Tag {
            conn: C0,
            offset: 7,
            traced: true,
            ..Tag::default()
        },
        ..Segment::default()
    };
    let answer = |flags| Segment { flags, ..segment }.refusal();
    let reset = answer(Flags::ACK).unwrap();
    assert_eq!((reset.src_port, reset.dst_port), (2, 1));
    assert_eq!(
        (reset.seq, reset.ack, reset.flags),
        (SeqNum(500), SeqNum(0), Flags::RST)
    );
    assert_eq!((reset.tag.conn, reset.tag.traced), (C0, true));
    let reset = answer(Flags::SYN | Flags::FIN).unwrap();
    assert_eq!(
        (reset.seq, reset.ack, reset.flags),
        (SeqNum(0), SeqNum(11), Flags::RST | Flags::ACK)
    );
    assert_eq!(answer(Flags::RST), None);
    assert_eq!(answer(Flags::RST | Flags::ACK), None);
}
/// Hands packets to its own host, as if they had come over the network.
#[derive(Debug)]
struct Forger(Vec<(Ipv4Addr, Ipv4Addr)>);

impl App for Forger {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        if event != AppEvent::Start {
            return;
        }
        socket.listen(80, 5).unwrap();
        for (src, dst) in self.0.drain(..) {
            let payload = Segment {
                src_port: 5,
                dst_port: 80,
                flags: Flags::SYN,
                tag: Tag {
                    traced: true,
                    ..Tag::default()
                },
                ..Segment::default()
            };
            let packet = Packet {
                id: 0,
                src,
                dst,
                size: payload.ipv4_len(),
                ttl: 64,
                tos: 0,
                corrupt: false,
                payload,
            };
            cx::with_either!(&mut socket.cx, cx => socket.stack.on_packet(&packet, cx));
        }
    }
}

/// What B sends when a SYN arrives with these addresses.
fn answer_to_syn(src: Ipv4Addr, dst: Ipv4Addr) -> Vec<String> {
    let forger = Forger(vec![(src, dst)]);
    let b = host(params(), Vec::new()).with_app(Box::new(forger));
    let a = host(params(), Vec::new());
    joined(a, b).until(at(500)).run().sent()
}

#[test]
fn must_57_a_syn_to_a_multicast_address_is_silently_dropped() {
    assert_eq!(answer_to_syn(A, B)[0], "0 b SYN,ACK 0(0) ack 1");
    let none: [&str; 0] = [];
    assert_eq!(answer_to_syn(A, Ipv4Addr::new(224, 0, 0, 1)), none);
    assert_eq!(answer_to_syn(A, Ipv4Addr::new(239, 1, 2, 3)), none);
}

#[test]
fn must_57_a_syn_to_the_broadcast_address_is_silently_dropped() {
    let none: [&str; 0] = [];
    assert_eq!(answer_to_syn(A, Ipv4Addr::BROADCAST), none);
}

#[test]
fn must_63_a_syn_from_an_invalid_source_address_is_ignored() {
    let none: [&str; 0] = [];
    for src in [
        Ipv4Addr::BROADCAST,
        Ipv4Addr::UNSPECIFIED,
        Ipv4Addr::new(230, 1, 1, 1),
    ] {
        assert_eq!(answer_to_syn(src, B), none, "{src}");
    }
}
