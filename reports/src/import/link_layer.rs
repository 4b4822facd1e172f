//! Finds the IP packet in a frame.

/// Link types (tcpdump.org/linktypes.html) that can be read.
const NULL: u32 = 0;
const ETHERNET: u32 = 1;
const RAW_OF_BSD: [u32; 2] = [12, 14];
const RAW: u32 = 101;
const LOOP: u32 = 108;
const LINUX_SLL: u32 = 113;
const IPV4: u32 = 228;
const LINUX_SLL2: u32 = 276;

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPES_VLAN: [u16; 3] = [0x8100, 0x88a8, 0x9100];

/// The bytes from the IP header on; `None` if the frame carries something else.
pub(super) fn ip_packet(link_type: u32, frame: &[u8]) -> Option<&[u8]> {
    let word = |at: usize| Some(u16::from_be_bytes([*frame.get(at)?, *frame.get(at + 1)?]));
    match link_type {
        RAW | IPV4 => Some(frame),
        other if RAW_OF_BSD.contains(&other) => Some(frame),
        NULL | LOOP => frame.get(4..),
        ETHERNET => {
            let mut at = 12;
            while ETHERTYPES_VLAN.contains(&word(at)?) {
                at += 4;
            }
            (word(at)? == ETHERTYPE_IPV4).then(|| frame.get(at + 2..))?
        }
        LINUX_SLL => (word(14)? == ETHERTYPE_IPV4).then(|| frame.get(16..))?,
        LINUX_SLL2 => (word(0)? == ETHERTYPE_IPV4).then(|| frame.get(20..))?,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_link_layer_is_skipped() {
        let packet = [0x45, 1, 2, 3];
        let framed = |head: &[u8]| [head, &packet].concat();
        let mut ethernet = vec![0; 12];
        let mut tagged = ethernet.clone();
        ethernet.extend([8, 0]);
        tagged.extend([0x81, 0, 0, 5, 8, 0]);
        let mut sll = vec![0; 14];
        sll.extend([8, 0]);
        let mut sll2 = vec![8, 0];
        sll2.resize(20, 0);
        for (kind, head) in [
            (RAW, vec![]),
            (NULL, vec![2, 0, 0, 0]),
            (ETHERNET, ethernet),
            (ETHERNET, tagged),
            (LINUX_SLL, sll),
            (LINUX_SLL2, sll2),
        ] {
            assert_eq!(ip_packet(kind, &framed(&head)), Some(&packet[..]), "{kind}");
            for cut in 0..head.len() {
                let _ = ip_packet(kind, &framed(&head)[..cut]);
            }
        }
        assert_eq!(ip_packet(ETHERNET, &[0; 30]), None);
        assert_eq!(ip_packet(999, &packet), None);
    }
}
