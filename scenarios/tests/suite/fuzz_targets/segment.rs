//! Arbitrary bytes as an IPv4 packet with a TCP segment: a decoded segment must encode, and decode
//! to itself again.

use sim_core::Packet;
use tcp_model::wire::{decode_ipv4, encode_ipv4};

pub(crate) fn run(bytes: &[u8]) {
    let Ok((ip, segment)) = decode_ipv4(bytes) else {
        return;
    };
    let packet = Packet {
        id: u64::from(ip.id),
        src: ip.src,
        dst: ip.dst,
        size: u32::from(ip.total_len),
        ttl: ip.ttl,
        tos: ip.tos,
        corrupt: false,
        payload: segment,
    };
    let mut encoded = Vec::new();
    if encode_ipv4(&packet, &mut encoded).is_err() {
        return;
    }
    let (_, again) = decode_ipv4(&encoded).expect("what was encoded can be decoded");
    assert_eq!(again, packet.payload);
}
