//! How long a transfer takes on an idle path, the denominator of its slowdown.
//!
//! The ideal is what the links alone require: nothing else uses them, no window limits the sender, nothing is
//! lost, and hosts take no time. A connection that opens with the transfer costs the round trip of a SYN and
//! its answer. A message then leaves as full segments and a last one with the rest; each link of the path
//! transmits one at a time and passes on complete packets; links without a rate only delay. The transfer ends
//! with the last byte of the response or, for bulk flows, with its acknowledgement.
//!
//! Leaves out: slow start, so that a transfer of several windows is slower than the ideal on an idle path
//! too; the options of SYNs beyond the timestamp; the packets that close a connection; the service time of
//! servers.

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;

use sim_core::NodeId;

/// A link of a path.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hop {
    /// Bit rate; `None` for a link without transmission time.
    pub rate_bps: Option<f64>,
    /// Propagation delay, seconds.
    pub delay_s: f64,
}

impl Hop {
    /// Transmission time of a packet, seconds.
    fn transmit_s(&self, bytes: f64) -> f64 {
        self.rate_bps.map_or(0.0, |rate| 8.0 * bytes / rate)
    }
}

/// The path of a transfer from the host that connects, and back, while it is idle.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IdealPath {
    /// The links to the server.
    pub there: Vec<Hop>,
    /// The links back.
    pub back: Vec<Hop>,
    /// Payload of a full segment, bytes; at least one.
    pub payload: u64,
    /// Bytes of the headers of each packet, with its options.
    pub header: u64,
}

impl IdealPath {
    /// Time of a bulk flow from the call of connect until its bytes are acknowledged, seconds.
    pub fn bulk_s(&self, bytes: u64) -> f64 {
        self.handshake_s() + self.message_s(&self.there, bytes) + self.message_s(&self.back, 0)
    }

    /// Time of a request of `sent` bytes and its response of `received`, seconds; `opens`: from the call
    /// of connect, otherwise on an existing connection.
    pub fn exchange_s(&self, sent: u64, received: u64, opens: bool) -> f64 {
        let handshake = if opens { self.handshake_s() } else { 0.0 };
        handshake + self.message_s(&self.there, sent) + self.message_s(&self.back, received)
    }

    /// Time from the call of connect until the connection is established, seconds.
    fn handshake_s(&self) -> f64 {
        self.message_s(&self.there, 0) + self.message_s(&self.back, 0)
    }

    /// Time until the last of `bytes` bytes has crossed these links, seconds; of an empty segment for
    /// none.
    ///
    /// All segments but the last have the same size, so they wait at the slowest link only. The last one
    /// follows the others as far as some link k: it then takes the time of a full segment over the links up
    /// to k, of the others at the slowest of these, and of its own transmission from k on. The latest of all
    /// k is its arrival.
    fn message_s(&self, hops: &[Hop], bytes: u64) -> f64 {
        let payload = self.payload.max(1);
        let segments = bytes.div_ceil(payload).max(1);
        let size = |payload: u64| (payload + self.header) as f64;
        let (full, last) = (size(payload), size(bytes - (segments - 1) * payload));
        let delay: f64 = hops.iter().map(|hop| hop.delay_s).sum();
        let mut rest: f64 = hops.iter().map(|hop| hop.transmit_s(last)).sum();
        if segments == 1 {
            return delay + rest;
        }
        let (mut first, mut slowest, mut latest) = (0.0_f64, 0.0_f64, 0.0_f64);
        for hop in hops {
            first += hop.transmit_s(full);
            slowest = slowest.max(hop.transmit_s(full));
            latest = latest.max(first + (segments - 2) as f64 * slowest + rest);
            rest -= hop.transmit_s(last);
        }
        delay + latest
    }
}

/// Looks up the idle path from a host to an address.
type FindPath = dyn Fn(NodeId, Ipv4Addr) -> Option<IdealPath> + Send + Sync;

/// The idle paths of a network; without any, no slowdown is computed.
#[derive(Clone, Default)]
pub struct IdealPaths(Option<Arc<FindPath>>);

impl IdealPaths {
    /// Paths found by a function; it returns `None` for an address whose path ends elsewhere than at the
    /// host that answers, such as behind a load balancer.
    pub fn new(
        find: impl Fn(NodeId, Ipv4Addr) -> Option<IdealPath> + Send + Sync + 'static,
    ) -> IdealPaths {
        IdealPaths(Some(Arc::new(find)))
    }

    /// The path from a host to an address.
    pub(crate) fn find(&self, from: NodeId, to: Ipv4Addr) -> Option<IdealPath> {
        self.0.as_ref()?(from, to)
    }
}

impl fmt::Debug for IdealPaths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IdealPaths")
            .field(&self.0.is_some())
            .finish()
    }
}

/// Equal if both have paths, or neither: the functions are not compared.
impl PartialEq for IdealPaths {
    fn eq(&self, other: &IdealPaths) -> bool {
        self.0.is_some() == other.0.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(rate_bps: f64, delay_s: f64) -> Hop {
        Hop {
            rate_bps: Some(rate_bps),
            delay_s,
        }
    }

    fn path(hops: &[Hop]) -> IdealPath {
        IdealPath {
            there: hops.to_vec(),
            back: hops.to_vec(),
            payload: 960,
            header: 40,
        }
    }

    /// The arrival of the last of some packets by simulation of each packet on each link.
    fn by_recursion(hops: &[Hop], sizes: &[f64]) -> f64 {
        let mut free = vec![0.0_f64; hops.len()];
        let mut arrived = 0.0;
        for size in sizes {
            let mut at = 0.0_f64;
            for (hop, free) in hops.iter().zip(&mut free) {
                *free = free.max(at) + hop.transmit_s(*size);
                at = *free + hop.delay_s;
            }
            arrived = at;
        }
        arrived
    }

    #[test]
    fn segments_follow_each_other_at_the_slowest_link() {
        // 1,000 bytes take 8 ms at 1 Mbit/s and 4 ms at 2 Mbit/s.
        let path = path(&[hop(2e6, 0.01), hop(1e6, 0.02)]);
        let small = 0.03 + 40.0 * 8.0 * 1.5e-6;
        // Three full segments: the first over both links, two more at the slower.
        let message = 0.03 + 0.004 + 0.008 + 2.0 * 0.008;
        assert!((path.bulk_s(3 * 960) - (3.0 * small + message)).abs() < 1e-12);
        assert!(
            (path.exchange_s(1, 3 * 960, false) - (small + 8.0 * 1.5e-6 + message)).abs() < 1e-12
        );
        let opened = path.exchange_s(1, 3 * 960, true) - path.exchange_s(1, 3 * 960, false);
        assert!((opened - 2.0 * small).abs() < 1e-12);
    }

    #[test]
    fn the_last_segment_arrives_when_each_link_transmits_one_packet_at_a_time() {
        let rates = [1e6, 3e6, 0.5e6, 10e6, 0.7e6];
        for a in rates {
            for b in rates {
                for c in rates {
                    let hops = [hop(a, 0.001), hop(b, 0.02), hop(c, 0.003)];
                    for bytes in [1, 500, 960, 961, 5 * 960 - 1, 7 * 960, 7 * 960 + 13] {
                        let mut sizes = vec![1000.0; (bytes / 960) as usize];
                        sizes.extend((bytes % 960 > 0).then_some((bytes % 960 + 40) as f64));
                        let (found, told) = (
                            path(&hops).message_s(&hops, bytes),
                            by_recursion(&hops, &sizes),
                        );
                        assert!(
                            (found - told).abs() < 1e-12,
                            "{a} {b} {c} {bytes}: {found} {told}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn links_without_a_rate_only_delay() {
        let free = Hop {
            rate_bps: None,
            delay_s: 0.05,
        };
        assert_eq!(path(&[free]).bulk_s(1_000_000), 0.2);
    }
}
