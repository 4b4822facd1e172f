//! Resets that middleboxes send in answer to packets of connections that they do not know.

use sim_core::Packet;

use crate::segment::Packed;

/// Length of the IP header of a reset, and of the whole packet.
const RESET: (u32, u32) = (20, 40);

/// Turns a packet into the reset that answers it (RFC 9293 section 3.10.7.1), addressed to its sender. False, without
/// a change, for a packet that is not answered: a reset itself, or one that is damaged.
pub(super) fn refuse(packet: &mut Packet<Packed>) -> bool {
    let reset = packet.payload.segment(packet.size).refusal();
    let Some(reset) = reset.filter(|_| !packet.corrupt) else {
        return false;
    };
    let (ip_header, size) = RESET;
    std::mem::swap(&mut packet.src, &mut packet.dst);
    packet.payload = Packed::new(&reset, ip_header, &mut Vec::new());
    packet.size = size;
    packet.ttl = 64;
    true
}
