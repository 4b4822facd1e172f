//! SYN cookies as in Linux: a listener keeps no state for a SYN and recovers what it needs from the ACK
//! that completes the handshake (RFC 4987 section 3.6).
//!
//! The cookie is the initial sequence number of the SYN-ACK: a keyed hash of the 4-tuple, the minute, and
//! an index into a table of MSS values. Other information is lost: the MSS is rounded down, and window
//! scale, SACK and ECN survive only if the peer echoes a timestamp, in whose low bits they are encoded. A
//! lost SYN-ACK is not retransmitted.

use std::net::SocketAddrV4;

use sim_core::SimTime;
use siphasher::sip::SipHasher13;

use crate::params::{EcnMode, IpVersion, TcpParams};
use crate::segment::{Ecn, Flags, Segment, Tag};
use crate::seq::SeqNum;
use crate::syn_options::SynOptions;
use crate::ts_clock::ts_clock;

/// The state of a handshake recovered from a SYN cookie and the segment that returned it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieHandshake {
    /// Our initial sequence number: the cookie.
    pub iss: SeqNum,
    /// The peer's initial sequence number.
    pub irs: SeqNum,
    /// The peer's MSS, rounded down to one that a cookie can encode.
    pub mss: u16,
    /// Shift count of the peer's window field; `None`: no scaling.
    pub window_shift: Option<u8>,
    /// SACK was offered.
    pub sack: bool,
    /// The peer's timestamp; `None`: it sends none.
    pub ts_recent: Option<u32>,
    /// ECN was requested.
    pub ecn: bool,
}

/// MSS values that a cookie can encode, the most common ones (Linux `msstab`).
const MSS_TABLE: [u16; 4] = [536, 1300, 1440, 1460];
const MSS_TABLE_V6: [u16; 4] = [1280 - 60, 1480 - 60, 1500 - 60, 9000 - 60];
/// Bits below the minute.
const DATA_BITS: u32 = 24;
const DATA_MASK: u32 = (1 << DATA_BITS) - 1;
/// Minutes after which a cookie expires, and for which cookies are checked after the last one was sent.
const MAX_AGE: u32 = 2;
/// Bits of a timestamp that encode the shift count, SACK and ECN.
const TS_BITS: u32 = 6;
const TS_MASK: u32 = (1 << TS_BITS) - 1;
const TS_NO_SHIFT: u32 = 0xf;
const TS_SACK: u32 = 1 << 4;
const TS_ECN: u32 = 1 << 5;

/// Creates and verifies cookies.
#[derive(Clone, Copy, Debug)]
pub struct SynCookieKey(u64, u64);

/// The ends of a connection and the offset of its timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieEndpoints {
    /// Local address and port.
    pub local: SocketAddrV4,
    /// The peer's.
    pub remote: SocketAddrV4,
    /// The host's timestamp offset for this 4-tuple.
    pub ts_offset: u32,
}

impl SynCookieKey {
    /// A key.
    pub fn new((first, second): (u64, u64)) -> SynCookieKey {
        SynCookieKey(first, second)
    }

    fn hash(&self, ends: &CookieEndpoints, count: u32, which: u8) -> u32 {
        let mut bytes = [0; 17];
        bytes[..4].copy_from_slice(&ends.local.ip().octets());
        bytes[4..8].copy_from_slice(&ends.remote.ip().octets());
        bytes[8..10].copy_from_slice(&ends.local.port().to_be_bytes());
        bytes[10..12].copy_from_slice(&ends.remote.port().to_be_bytes());
        bytes[12..16].copy_from_slice(&count.to_be_bytes());
        bytes[16] = which;
        SipHasher13::new_with_keys(self.0, self.1).hash(&bytes) as u32
    }

    fn make(&self, ends: &CookieEndpoints, irs: SeqNum, minute: u32, data: u32) -> SeqNum {
        let low = self.hash(ends, minute, 1).wrapping_add(data) & DATA_MASK;
        let base = self.hash(ends, 0, 0).wrapping_add(irs.0);
        SeqNum(base.wrapping_add(minute << DATA_BITS).wrapping_add(low))
    }

    /// The table index encoded in a cookie, if it is valid and not expired.
    fn read(
        &self,
        ends: &CookieEndpoints,
        irs: SeqNum,
        cookie: SeqNum,
        minute: u32,
    ) -> Option<usize> {
        let bare = cookie
            .0
            .wrapping_sub(self.hash(ends, 0, 0).wrapping_add(irs.0));
        let age = minute.wrapping_sub(bare >> DATA_BITS) & (u32::MAX >> DATA_BITS);
        if age >= MAX_AGE {
            return None;
        }
        let data = bare.wrapping_sub(self.hash(ends, minute.wrapping_sub(age), 1)) & DATA_MASK;
        (data < MSS_TABLE.len() as u32).then_some(data as usize)
    }

    /// The SYN-ACK that answers a SYN.
    pub fn answer(
        &self,
        params: &TcpParams,
        ends: &CookieEndpoints,
        syn: &Segment,
        now: SimTime,
    ) -> Segment {
        let offered = SynOptions::read(&syn.options, params);
        let table = table(params.ip_version);
        let place = table.iter().rposition(|m| *m <= offered.mss).unwrap_or(0);
        let ecn = Flags::ECE | Flags::CWR;
        let ecn = params.ecn != EcnMode::Off && syn.flags.contains(ecn) && syn.ecn == Ecn::NotEct;
        let stamp = offered.timestamps.map(|(val, _)| {
            let hidden = offered.window_shift.map_or(TS_NO_SHIFT, u32::from)
                | if offered.sack { TS_SACK } else { 0 }
                | if ecn { TS_ECN } else { 0 };
            let clock = ts_clock(now);
            let mut stamp = clock & !TS_MASK | hidden;
            if stamp > clock {
                stamp = stamp.wrapping_sub(1 << TS_BITS);
            }
            (stamp.wrapping_add(ends.ts_offset), val)
        });
        // Without timestamps the other options would be lost.
        let kept = stamp.is_some();
        let options = SynOptions {
            mss: params.mss(),
            sack: offered.sack && kept,
            timestamps: stamp,
            window_shift: offered
                .window_shift
                .filter(|_| kept)
                .map(|_| params.window_shift()),
        };
        let ece = if ecn && kept { Flags::ECE } else { Flags::NONE };
        Segment {
            src_port: ends.local.port(),
            dst_port: ends.remote.port(),
            seq: self.make(ends, syn.seq, minute(now), place as u32),
            ack: syn.seq + 1,
            flags: Flags::SYN_ACK | ece,
            window: params
                .first_window(if stamp.is_some() { 12 } else { 0 })
                .min(0xffff) as u16,
            options: options.write(params.syn_layout),
            tag: Tag {
                conn: syn.tag.conn,
                offset: 0,
                traced: syn.tag.traced,
                ..Tag::default()
            },
            ..Segment::default()
        }
    }

    /// The state of the handshake, if this segment acknowledges a cookie at most two minutes old.
    pub fn check(
        &self,
        params: &TcpParams,
        ends: &CookieEndpoints,
        seg: &Segment,
        now: SimTime,
    ) -> Option<CookieHandshake> {
        let others = Flags(Flags::SYN.0 | Flags::RST.0);
        if !seg.flags.is_ack() || seg.flags.without(others) != seg.flags {
            return None;
        }
        let (iss, irs) = (seg.ack - 1, seg.seq - 1);
        let place = self.read(ends, irs, iss, minute(now))?;
        let mut agreed = CookieHandshake {
            iss,
            irs,
            mss: table(params.ip_version)[place],
            window_shift: None,
            sack: false,
            ts_recent: None,
            ecn: false,
        };
        let stamps = seg.options.timestamps().filter(|_| params.timestamps);
        if let Some((val, echo)) = stamps {
            let hidden = echo.wrapping_sub(ends.ts_offset) & TS_MASK;
            agreed.ts_recent = Some(val);
            agreed.sack = hidden & TS_SACK != 0;
            agreed.ecn = hidden & TS_ECN != 0;
            let shift = hidden & TS_NO_SHIFT;
            agreed.window_shift = (shift != TS_NO_SHIFT).then_some(shift as u8);
        }
        Some(agreed)
    }
}

fn table(version: IpVersion) -> &'static [u16; 4] {
    match version {
        IpVersion::V4 => &MSS_TABLE,
        IpVersion::V6 => &MSS_TABLE_V6,
    }
}

fn minute(now: SimTime) -> u32 {
    (now.as_ps() / sim_core::SimDuration::from_secs(60).as_ps()) as u32
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use sim_core::SimDuration;

    use super::*;
    use crate::options::{Options, TcpOption};
    use crate::params::SynLayout;

    fn ends(port: u16) -> CookieEndpoints {
        CookieEndpoints {
            local: SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 2), 80),
            remote: SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), port),
            ts_offset: 0x1234_5678,
        }
    }

    fn syn(mss: u16, timestamps: bool) -> Segment {
        let options = SynOptions {
            mss,
            sack: true,
            timestamps: timestamps.then_some((77, 0)),
            window_shift: Some(7),
        };
        Segment {
            seq: SeqNum(u32::MAX),
            flags: Flags::SYN | Flags::ECE | Flags::CWR,
            options: options.write(SynLayout::Linux),
            ..Segment::default()
        }
    }

    /// The ACK that answers a SYN-ACK.
    fn ack(answer: &Segment) -> Segment {
        let options = match answer.options.timestamps() {
            Some((val, _)) => Options::timestamps_only(78, val),
            None => Options::NONE,
        };
        Segment {
            seq: answer.ack,
            ack: answer.seq + 1,
            flags: Flags::ACK,
            options,
            ..Segment::default()
        }
    }

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(seconds)
    }

    #[test]
    fn a_cookie_with_timestamps_keeps_all_but_the_exact_mss() {
        let key = SynCookieKey::new((1, 2));
        let params = TcpParams::linux();
        for (mss, encoded) in [
            (100, 536),
            (1399, 1300),
            (1440, 1440),
            (1459, 1440),
            (9000, 1460),
        ] {
            let answer = key.answer(&params, &ends(5), &syn(mss, true), at(59));
            assert!(answer.flags == Flags::SYN_ACK | Flags::ECE);
            let agreed = key.check(&params, &ends(5), &ack(&answer), at(61)).unwrap();
            let expected = CookieHandshake {
                iss: answer.seq,
                irs: SeqNum(u32::MAX),
                mss: encoded,
                window_shift: Some(7),
                sack: true,
                ts_recent: Some(78),
                ecn: true,
            };
            assert_eq!(agreed, expected);
        }
    }

    #[test]
    fn without_timestamps_a_cookie_holds_only_the_mss() {
        let key = SynCookieKey::new((1, 2));
        let params = TcpParams::linux();
        let answer = key.answer(&params, &ends(5), &syn(1460, false), at(10));
        assert_eq!(answer.flags, Flags::SYN_ACK);
        let all: Vec<_> = answer.options.iter().collect();
        assert_eq!(all, [Ok(TcpOption::Mss(1460))]);
        let agreed = key.check(&params, &ends(5), &ack(&answer), at(11)).unwrap();
        assert_eq!(
            (agreed.mss, agreed.window_shift, agreed.sack),
            (1460, None, false)
        );
    }

    #[test]
    fn old_and_foreign_cookies_are_rejected() {
        let key = SynCookieKey::new((1, 2));
        let other = SynCookieKey::new((1, 3));
        let params = TcpParams::linux();
        let good = ack(&key.answer(&params, &ends(5), &syn(1460, true), at(30)));
        let known = |key: &SynCookieKey, port, seg: &Segment, s| {
            key.check(&params, &ends(port), seg, at(s)).is_some()
        };
        assert!(known(&key, 5, &good, 30) && known(&key, 5, &good, 119));
        assert!(
            !known(&key, 5, &good, 120),
            "minute 2 is two after minute 0"
        );
        assert!(!known(&key, 6, &good, 31) && !known(&other, 5, &good, 31));
        for wrong in [1, 7, 1 << 20] {
            let seg = Segment {
                ack: good.ack + wrong * 4,
                ..good
            };
            assert!(!known(&key, 5, &seg, 31), "{wrong}");
        }
        let reset = Segment {
            flags: Flags::RST | Flags::ACK,
            ..good
        };
        assert!(!known(&key, 5, &reset, 31));
    }
}
