//! Sections 3.1 and 3.2: the header, its checksum, its options; section 3.4: the ISN.

use std::net::Ipv4Addr;

use sim_core::Packet;
use tcp_model::model::Input;
use tcp_model::options::{Options, TcpOption, kind};
use tcp_model::wire::{WireError, decode_ipv4, encode_ipv4};
use tcp_model::{Flags, Segment, SeqNum, State};

use super::lan::{Lan, at};
use super::rig::*;

const SRC: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const DST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

fn packet(payload: Segment) -> Packet<Segment> {
    Packet {
        id: 7,
        src: SRC,
        dst: DST,
        size: payload.ipv4_len(),
        ttl: 64,
        tos: 0,
        corrupt: false,
        payload,
    }
}

fn bytes(segment: Segment) -> Vec<u8> {
    let mut out = Vec::new();
    encode_ipv4(&packet(segment), &mut out).unwrap();
    out
}

/// The one's complement sum over pseudo header and segment, computed word by word; all ones if the
/// checksum is right.
fn tcp_sum(packet: &[u8]) -> u16 {
    let tcp = &packet[20..];
    let mut words: Vec<u32> = Vec::new();
    words.extend(
        packet[12..20]
            .chunks(2)
            .map(|w| u32::from(w[0]) * 256 + u32::from(w[1])),
    );
    words.extend([6, tcp.len() as u32]);
    for pair in tcp.chunks(2) {
        words.push(u32::from(pair[0]) * 256 + pair.get(1).map_or(0, |b| u32::from(*b)));
    }
    words.into_iter().fold(0u32, |sum, word| {
        let sum = sum + word;
        (sum & 0xffff) + (sum >> 16)
    }) as u16
}

fn sample() -> Segment {
    Segment {
        src_port: 40_000,
        dst_port: 80,
        seq: SeqNum(0xdead_beef),
        ack: SeqNum(0x0102_0304),
        flags: Flags::ACK | Flags::PSH,
        window: 0xfff0,
        options: Options::timestamps_only(1, 2),
        len: 33,
        ..Segment::default()
    }
}

/// Sends 40000 octets, as far as the peer's window lets it.
fn filled_window(window: u16) -> u32 {
    let mut rig = Rig::new(tcp_model::TcpParams {
        initial_window: 100,
        ..plain()
    });
    rig.window = window;
    rig.call(Input::Connect);
    rig.accept_syn(&[TcpOption::Mss(1_000)]);
    rig.write(60_000).iter().map(|s| s.len).sum()
}

#[test]
fn must_1_a_window_with_its_top_bit_set_is_large_and_not_negative() {
    assert_eq!(filled_window(0x7fff), 32_000);
    assert_eq!(filled_window(0x8001), 32_000);
    assert_eq!(filled_window(0xa000), 40_000);
}

#[test]
fn must_2_every_segment_sent_has_its_checksum() {
    for len in [0, 1, 33, 1_460] {
        let packet = bytes(Segment { len, ..sample() });
        assert_eq!(tcp_sum(&packet), 0xffff, "{len} octets");
        assert_ne!(&packet[36..38], [0, 0], "the field is filled in");
    }
}

#[test]
fn must_3_a_segment_whose_checksum_fails_is_refused() {
    let good = bytes(sample());
    for bit in 0..(good.len() - 20) * 8 {
        let mut bad = good.clone();
        bad[20 + bit / 8] ^= 1 << (bit % 8);
        let refused = decode_ipv4(&bad);
        let data_offset = matches!(refused, Err(WireError::DataOffset(_)));
        assert!(
            refused == Err(WireError::TcpChecksum) || data_offset,
            "bit {bit}"
        );
    }
}

#[test]
fn must_3_a_host_drops_what_the_network_spoiled_and_the_data_come_again() {
    let mut lan = Lan::new();
    lan.corrupt(0.3);
    lan.exchange(20_000);
    let done = lan.run(at(600_000));
    let failures: u64 = done.hosts.iter().map(|h| h.stats().checksum_failures).sum();
    assert!(failures > 5, "{failures} packets were spoiled");
    assert_eq!(done.received(0), 20_000);
}

#[test]
fn must_4_end_of_list_no_operation_and_mss_are_understood() {
    let list = [TcpOption::Nop, TcpOption::Mss(700), TcpOption::Eol];
    let rig = Rig::connected(plain(), &list);
    assert_eq!(first_segment(rig), 700);
    // After the end-of-list option, nothing counts.
    let list = [TcpOption::Eol, TcpOption::Mss(700)];
    assert_eq!(first_segment(Rig::connected(plain(), &list)), 536);
}

fn first_segment(mut rig: Rig) -> u32 {
    rig.write(5_000)[0].len
}

#[test]
fn must_5_options_are_taken_from_any_segment() {
    let params = tcp_model::TcpParams {
        timestamps: true,
        ..plain()
    };
    let mut rig = Rig::connected(params, &[TcpOption::Timestamps(70, 0)]);
    let data = Segment {
        options: options(&[
            TcpOption::Unknown(200, &[1, 2, 3]),
            TcpOption::Timestamps(80, 0),
        ]),
        ..rig.segment(2_000)
    };
    let answer = rig.get(data);
    assert_eq!(
        answer[0].options.timestamps().map(|(_, echo)| echo),
        Some(80)
    );
}

#[test]
fn must_6_unknown_options_are_skipped_by_their_length() {
    let list = [TcpOption::Unknown(99, &[2, 4, 1, 1]), TcpOption::Mss(800)];
    assert_eq!(first_segment(Rig::connected(plain(), &list)), 800);
    for data in [&[][..], &[1], &[4, 2, 4]] {
        let list = [TcpOption::Unknown(99, data), TcpOption::Mss(800)];
        assert_eq!(
            first_segment(Rig::connected(plain(), &list)),
            800,
            "{data:?}"
        );
    }
    let mut rig = Rig::connected(plain(), &list);
    let data = Segment {
        options: options(&[TcpOption::Unknown(253, &[0; 20])]),
        ..rig.segment(10)
    };
    rig.get(data);
    assert_eq!(rig.view().readable, 10);
}

#[test]
fn must_7_an_illegal_option_length_does_no_harm() {
    for list in [
        &[2u8, 0, 0, 0][..],
        &[2, 1, 0, 0],
        &[1, 1, 1, 2],
        &[8, 255, 0, 0],
        &[99, 0, 0, 0],
    ] {
        let mut rig = Rig::syn_sent(plain());
        rig.now += ms(100);
        let syn_ack = Segment {
            flags: Flags::SYN_ACK,
            options: Options::from_bytes(list).unwrap(),
            ..rig.segment(0)
        };
        rig.get(syn_ack);
        assert_eq!(rig.state(), State::Established, "{list:?}");
        let data = Segment {
            options: Options::from_bytes(list).unwrap(),
            ..rig.segment(10)
        };
        rig.get(data);
        assert_eq!(rig.view().readable, 10, "{list:?}");
        assert_eq!(rig.write(5_000)[0].len, 536, "{list:?}");
    }
}

#[test]
fn must_64_options_are_read_wherever_they_begin() {
    for nops in 0..4 {
        let mut list = vec![TcpOption::Nop; nops];
        list.push(TcpOption::Mss(900));
        assert_eq!(
            first_segment(Rig::connected(plain(), &list)),
            900,
            "after {nops} octets"
        );
    }
}

#[test]
fn must_65_the_mss_option_goes_with_no_segment_but_a_syn() {
    let mut lan = Lan::new();
    lan.exchange(50_000);
    let done = lan.run(at(600_000));
    assert!(done.sent().count() > 30);
    for trace in done.sent() {
        let has = trace
            .segment
            .options
            .iter()
            .any(|o| matches!(o, Ok(TcpOption::Mss(_))));
        assert_eq!(has, trace.segment.flags.is_syn(), "{:?}", trace.segment);
    }
}

#[test]
fn must_68_every_option_sent_but_two_has_its_length() {
    let mut params = tcp_model::TcpParams::rfc9293();
    params.receive_buffer = 1 << 20;
    let syn = Rig::syn_sent(params).sent[0].1.segment;
    let (list, mut at, mut kinds) = (syn.options.as_bytes(), 0, Vec::new());
    while at < list.len() {
        kinds.push(list[at]);
        at += match list[at] {
            kind::EOL | kind::NOP => 1,
            _ => usize::from(list[at + 1]).max(2),
        };
    }
    assert_eq!(at, list.len(), "the lengths lead to the end");
    for wanted in [
        kind::MSS,
        kind::SACK_PERMITTED,
        kind::TIMESTAMPS,
        kind::WINDOW_SCALE,
    ] {
        assert!(kinds.contains(&wanted), "{kinds:?}");
    }
}

#[test]
fn must_69_what_follows_the_options_is_zero() {
    let list = options(&[
        TcpOption::Nop,
        TcpOption::Mss(1_460),
        TcpOption::Nop,
        TcpOption::Eol,
    ]);
    let packet = bytes(Segment {
        options: list,
        len: 0,
        ..sample()
    });
    assert_eq!(packet.len(), 20 + 20 + 8);
    assert_eq!(packet[40..48], [1, 2, 4, 5, 180, 1, 0, 0]);
    assert_eq!(packet[32] >> 4, 7, "the data offset counts the padding");
}

#[test]
fn rec_1_windows_are_stored_and_computed_in_32_bits() {
    let params = tcp_model::TcpParams {
        window_scaling: true,
        receive_buffer: 900 << 20,
        ..plain()
    };
    let list = [TcpOption::Mss(1_000), TcpOption::WindowScale(14)];
    let mut rig = Rig::connected(params, &list);
    rig.window = 0xffff;
    rig.write(1_000);
    rig.get_ack();
    assert_eq!(rig.view().snd_wnd, 0xffff << 14);
    let shown = rig.get_data(2_000)[0].window;
    assert!(u64::from(shown) << 14 > 800 << 20, "{shown}");
    assert!(rig.view().rcv_wnd > 800 << 20);
}

/// The ISN of a connection that is the first of its run and opens at this time.
fn isn(seed: u64, millis: u64) -> SeqNum {
    let mut lan = Lan::new();
    lan.seed = seed;
    lan.connect_at(millis);
    let done = lan.run(at(millis + 1_000));
    let syn = done.sent().find(|t| t.segment.flags == Flags::SYN).unwrap();
    syn.segment.seq
}

#[test]
fn must_8_the_isn_of_a_pair_of_sockets_follows_a_clock_of_four_microseconds() {
    assert_eq!(isn(1, 1_000).offset_from(isn(1, 0)), 250_000);
    assert_eq!(
        isn(1, 18_000_000).offset_from(isn(1, 0)),
        (18_000_000_000u64 / 4) as u32
    );
}

#[test]
fn must_9_without_the_secret_the_isn_cannot_be_known() {
    // Same sockets, same time, different secrets: the bits look random.
    let all: Vec<u32> = (0..64).map(|seed| isn(seed, 0).0).collect();
    for bit in 0..32 {
        let ones = all.iter().filter(|isn| *isn >> bit & 1 == 1).count();
        assert!((10..=54).contains(&ones), "bit {bit}: {ones} of 64");
    }
    let distinct: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len());
}

#[test]
fn shld_1_the_isn_is_the_clock_and_a_function_of_both_sockets() {
    let of = |port: u16, server: u16| {
        let mut lan = Lan::new();
        lan.connect_from(port, server);
        let done = lan.run(at(1_000));
        let syn = done.sent().find(|t| t.segment.flags == Flags::SYN).unwrap();
        syn.segment.seq
    };
    assert_eq!(
        of(30_000, 80),
        of(30_000, 80),
        "the same sockets, the same number space"
    );
    let others = [
        of(30_000, 80),
        of(30_001, 80),
        of(30_000, 81),
        of(30_001, 81),
    ];
    for (i, a) in others.iter().enumerate() {
        for b in &others[..i] {
            assert!(
                a.offset_from(*b) > 1_000 && b.offset_from(*a) > 1_000,
                "{others:?}"
            );
        }
    }
}
