use proptest::prelude::*;

use super::*;
use crate::options::TcpOption;
use crate::segment::ConnId;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn packet(payload: Segment) -> Packet<Segment> {
    Packet {
        id: 0x9_1234,
        src: Ipv4Addr::new(10, 0, 0, 1),
        dst: Ipv4Addr::new(10, 0, 0, 2),
        size: payload.ipv4_len(),
        ttl: 64,
        tos: 0,
        corrupt: false,
        payload,
    }
}

fn encoded(packet: &Packet<Segment>) -> Vec<u8> {
    let mut out = Vec::new();
    encode_ipv4(packet, &mut out).unwrap();
    out
}

/// A SYN as Linux sends it; the bytes were made by another program.
#[test]
fn a_syn_has_the_bytes_another_encoder_gives_it() {
    let mut options = Options::NONE;
    for option in [
        TcpOption::Mss(1460),
        TcpOption::SackPermitted,
        TcpOption::Timestamps(1, 0),
        TcpOption::Nop,
        TcpOption::WindowScale(7),
    ] {
        options.push(option).unwrap();
    }
    let syn = Segment {
        src_port: 32768,
        dst_port: 80,
        seq: SeqNum(0x0102_0304),
        flags: Flags::SYN,
        window: 64240,
        options,
        ..Segment::default()
    };
    assert_eq!(
        hex(&encoded(&packet(syn))),
        "4500003c12344000400614860a0000010a0000028000005001020304\
         00000000a002faf0b4b50000020405b40402080a000000010000000001030307"
    );
}

/// All flags, reserved bits, odd payload length, malformed options.
#[test]
fn odd_fields_have_the_bytes_another_encoder_gives_them() {
    let segment = Segment {
        src_port: 80,
        dst_port: 32768,
        seq: SeqNum(0xffff_fffe),
        ack: SeqNum(0x0102_0305),
        flags: Flags(0x1ff),
        reserved: 5,
        window: 1,
        urgent: 0xbeef,
        options: Options::from_bytes(&[5, 2, 9]).unwrap(),
        len: 5,
        ecn: Ecn::NotEct,
        tag: Tag {
            conn: ConnId(9),
            offset: 26 * 4 + 24,
            traced: true,
            ..Tag::default()
        },
        ..Segment::default()
    };
    let packet = Packet {
        id: 0xffff,
        src: Ipv4Addr::new(10, 0, 0, 2),
        dst: Ipv4Addr::new(10, 0, 0, 1),
        ttl: 1,
        tos: 3,
        ..packet(segment)
    };
    assert_eq!(
        hex(&encoded(&packet)),
        "45030031ffff4000010665c20a0000020a00000100508000fffffffe\
         010203056bff0001f0b3beef05020900797a616263"
    );
}

#[test]
fn what_is_wrong_is_named() {
    let good = encoded(&packet(Segment {
        flags: Flags::ACK,
        len: 3,
        ..Segment::default()
    }));
    let decode_with = |changes: &[(usize, u8)]| {
        let mut bytes = good.clone();
        for &(at, value) in changes {
            bytes[at] = value;
        }
        if changes.iter().any(|&(at, _)| at < 20 && at != 8) {
            let ihl = usize::from(bytes[0] & 15) * 4;
            put16(&mut bytes, 10, 0);
            let checksum = !fold(sum(&bytes[..ihl.min(43)]));
            put16(&mut bytes, 10, checksum);
        }
        decode_ipv4(&bytes).unwrap_err()
    };
    assert_eq!(decode_with(&[(0, 0x65)]), WireError::Version(6));
    assert_eq!(decode_with(&[(0, 0x44)]), WireError::HeaderLength(16));
    assert_eq!(decode_with(&[(0, 0x4f)]), WireError::HeaderLength(60));
    let total = |total| WireError::TotalLength { total, have: 43 };
    assert_eq!(decode_with(&[(3, 44)]), total(44));
    assert_eq!(decode_with(&[(3, 19)]), total(19));
    assert_eq!(decode_with(&[(8, 63)]), WireError::IpChecksum);
    assert_eq!(decode_with(&[(6, 0x20)]), WireError::Fragment);
    assert_eq!(decode_with(&[(7, 1)]), WireError::Fragment);
    assert_eq!(decode_with(&[(9, 17)]), WireError::Protocol(17));
    assert_eq!(decode_with(&[(32, 0x40)]), WireError::DataOffset(16));
    assert_eq!(decode_with(&[(32, 0x60)]), WireError::DataOffset(24));
    assert_eq!(decode_with(&[(42, b'x')]), WireError::TcpChecksum);
    // The checksum covers the pseudo header: the same segment with another address.
    assert_eq!(decode_with(&[(19, 3)]), WireError::TcpChecksum);
    assert_eq!(
        decode_with(&[(3, 39)]),
        WireError::TooShort {
            what: "a TCP header",
            need: 20,
            have: 19
        }
    );
    assert_eq!(
        decode_ipv4(&good[..19]),
        Err(WireError::TooShort {
            what: "an IPv4 header",
            need: 20,
            have: 19
        })
    );
    let mut out = vec![7];
    let long = packet(Segment {
        len: 65_496,
        ..Segment::default()
    });
    assert_eq!(
        encode_ipv4(&long, &mut out),
        Err(WireError::TooLong(65_536))
    );
    assert_eq!(out, [7]);
}

#[test]
fn link_padding_is_not_payload() {
    let mut bytes = encoded(&packet(Segment::default()));
    bytes.extend_from_slice(&[0; 6]);
    let (meta, segment) = decode_ipv4(&bytes).unwrap();
    assert_eq!((meta.total_len, segment.len), (40, 0));
    assert_eq!((meta.id, meta.dont_fragment), (0x1234, true));
}

fn segments() -> impl Strategy<Value = Segment> {
    let words = (any::<u32>(), any::<u32>(), any::<u64>());
    let options = proptest::collection::vec(any::<u8>(), 0..=40);
    let small = (0u16..512, 0u8..8, 0u32..3000);
    (words, any::<[u16; 4]>(), small, options).prop_map(
        |((seq, ack, offset), half, (flags, reserved, len), options)| Segment {
            src_port: half[0],
            dst_port: half[1],
            seq: SeqNum(seq),
            ack: SeqNum(ack),
            flags: Flags(flags),
            reserved,
            window: half[2],
            urgent: half[3],
            options: Options::from_bytes(&options).unwrap(),
            len,
            ecn: Ecn::NotEct,
            tag: Tag {
                offset,
                ..Tag::default()
            },
            ..Segment::default()
        },
    )
}

proptest! {
    #[test]
    fn segments_survive_the_wire(segment in segments(), src: u32, dst: u32, ttl: u8, tos: u8) {
        let packet = Packet {
            src: Ipv4Addr::from(src), dst: Ipv4Addr::from(dst), ttl, tos, ..packet(segment)
        };
        let bytes = encoded(&packet);
        prop_assert_eq!(bytes.len() as u32, segment.ipv4_len());
        let (meta, read) = decode_ipv4(&bytes).unwrap();
        prop_assert_eq!((meta.src, meta.dst, meta.ttl, meta.tos), (packet.src, packet.dst, ttl, tos));
        let mut padded = segment.options.as_bytes().to_vec();
        padded.resize(segment.options.padded_len(), 0);
        let expected = Segment {
            options: Options::from_bytes(&padded).unwrap(), ecn: Ecn::from_tos(tos),
            tag: Tag::default(), ..segment
        };
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn any_single_changed_bit_is_noticed(segment in segments(), place: prop::sample::Index) {
        let mut bytes = encoded(&packet(segment));
        let bit = place.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(decode_ipv4(&bytes).is_err());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120), plausible: bool) {
        let mut bytes = bytes;
        if plausible && bytes.len() >= 20 {
            let total = bytes.len() as u16;
            (bytes[0], bytes[6], bytes[7], bytes[9]) = (0x45, 0, 0, 6);
            put16(&mut bytes, 2, total);
            put16(&mut bytes, 10, 0);
            let checksum = !fold(sum(&bytes[..20]));
            put16(&mut bytes, 10, checksum);
        }
        let _ = decode_ipv4(&bytes);
    }
}
