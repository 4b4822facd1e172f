//! Initial sequence numbers (RFC 6528) and timestamp offsets (RFC 7323 section 5.4).

use sim_core::{Rng, SimTime};
use siphasher::sip::SipHasher13;

use super::four_tuple::FourTuple;
use crate::seq::SeqNum;

/// Picoseconds per tick of the ISN clock: 4 microseconds (RFC 9293 section 3.4.1).
const TICK_PS: u64 = 4_000_000;

/// Fixed numbers, for scripts that need the same ones every time.
#[derive(Clone, Copy, Debug)]
pub struct FixedNumbers {
    /// The initial sequence number of the first connection.
    pub first: SeqNum,
    /// Increment for each further connection.
    pub step: u32,
    /// Offset added to the millisecond clock for timestamps.
    pub ts_offset: u32,
}

/// The host's secret, from which both are derived per 4-tuple.
#[derive(Clone, Copy, Debug)]
pub(super) struct Secret(u64, u64);

impl Secret {
    pub(super) fn draw(rng: &mut Rng) -> Secret {
        Secret(rng.next_u64(), rng.next_u64())
    }

    /// Derives a key for another purpose, which reveals nothing about the secret.
    pub(super) fn derive(&self, purpose: &str) -> (u64, u64) {
        let half = |n: u64| SipHasher13::new_with_keys(self.0 ^ n, self.1).hash(purpose.as_bytes());
        (half(1), half(2))
    }

    fn hash(&self, flow: FourTuple) -> u64 {
        SipHasher13::new_with_keys(self.0, self.1).hash(&flow.bytes())
    }

    /// `ISN = M + F(4-tuple, secret)` with M the 4 us clock, and the timestamp offset.
    pub(super) fn isn_and_offset(&self, flow: FourTuple, now: SimTime) -> (SeqNum, u32) {
        let hash = self.hash(flow);
        let clock = (now.as_ps() / TICK_PS) as u32;
        (SeqNum(hash as u32) + clock, (hash >> 32) as u32)
    }

    /// The timestamp offset of all connections, where there is one clock: how long ago the host booted, in
    /// milliseconds, up to 12 days.
    pub(super) fn clock_offset(&self) -> u32 {
        (self.derive("timestamps").0 >> 34) as u32
    }

    /// The timestamp offset alone.
    pub(super) fn ts_offset(&self, flow: FourTuple) -> u32 {
        (self.hash(flow) >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn the_isn_of_a_flow_advances_every_four_microseconds() {
        let flow = |port| FourTuple::from_parts(Ipv4Addr::LOCALHOST, port, Ipv4Addr::LOCALHOST, 80);
        let secret = Secret::draw(&mut Rng::stream(1, "isn", 0));
        let at = |us: u64| SimTime::from_ps(us * 1_000_000);
        let (start, offset) = secret.isn_and_offset(flow(1), SimTime::ZERO);
        assert_eq!(secret.isn_and_offset(flow(1), at(3)), (start, offset));
        assert_eq!(secret.isn_and_offset(flow(1), at(4)).0, start + 1);
        assert_eq!(
            secret.isn_and_offset(flow(1), at(4_000_000)).0,
            start + 1_000_000
        );
        assert_eq!(secret.ts_offset(flow(1)), offset);
        let other = secret.isn_and_offset(flow(2), SimTime::ZERO);
        assert!(other.0 != start && other.1 != offset);
        let stranger = Secret::draw(&mut Rng::stream(2, "isn", 0));
        assert_ne!(stranger.isn_and_offset(flow(1), SimTime::ZERO).0, start);
    }
}
