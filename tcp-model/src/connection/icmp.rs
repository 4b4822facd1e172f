//! ICMP errors (RFC 9293 section 3.9.2.2, RFC 5927, RFC 5461) and path MTU discovery (RFC 1191,
//! RFC 8201).
//!
//! Leaves out back-off reversal (RFC 6069), and retrying a larger MTU after some minutes (RFC 1191 section
//! 6.3). Packetisation-layer discovery is in [`super::mtu_probing`].

use sim_core::SimTime;

use super::Connection;
use crate::congestion::CongestionControl;
use crate::icmp::{IcmpError, IcmpKind};
use crate::model::{ConnectionEnd, Outputs, Signal};
use crate::params::IpVersion;
use crate::resend_rule::RetransmitReason;
use crate::state::State;
use crate::state_machine::StateMachine as _;

/// RFC 1191 section 7.1: MTUs to try when a router does not report its own.
const PLATEAUS: [u16; 11] = [
    65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68,
];

/// RFC 8200 section 5: the minimum MTU of IPv6 links.
const IPV6_LEAST_MTU: u16 = 1280;

impl Connection {
    /// Handles an ICMP error (MUST-54) whose addresses and ports the caller has matched.
    #[inline(never)]
    pub(super) fn on_icmp(&mut self, error: &IcmpError, now: SimTime, out: &mut Outputs) {
        // RFC 5927 section 4.1: an error about data that are not outstanding is stale or forged. SND.NXT
        // itself is accepted, since the segment may have been empty.
        let plausible = error.seq.at_or_after(self.snd.una) && error.seq.at_or_before(self.snd.nxt);
        if !plausible || matches!(self.state, State::Closed | State::Listen | State::TimeWait) {
            return;
        }
        match error.kind {
            IcmpKind::SourceQuench => {} // MUST-55
            IcmpKind::PacketTooBig(mtu) => {
                if self.params.path_mtu_discovery {
                    self.on_packet_too_big(mtu, now, out);
                }
            }
            kind => self.on_unreachable(kind, out),
        }
    }

    fn on_unreachable(&mut self, kind: IcmpKind, out: &mut Outputs) {
        let opening = matches!(self.state, State::SynSent | State::SynReceived);
        let fatal = match (kind.is_hard(), opening) {
            // SHLD-26.
            (true, true) => true,
            // Deviation if `icmp_hard_abort` is off: RFC 5927 section 5.2, as Linux. A forged error should
            // not end an established connection.
            (true, false) => self.params.icmp_hard_abort,
            // Deviation if `icmp_soft_abort_connect` is on: RFC 5461 section 3.1, as Linux.
            (false, true) => self.params.icmp_soft_abort_connect,
            // MUST-56.
            (false, false) => false,
        };
        if fatal {
            self.end(ConnectionEnd::Unreachable(kind), out);
            return;
        }
        self.rare().soft_error = Some(kind);
        out.signals.push(Signal::SoftError(kind)); // SHLD-25
    }

    /// A router found the packet too long for its next link (RFC 1191 section 6).
    fn on_packet_too_big(&mut self, mtu: u32, now: SimTime, out: &mut Outputs) {
        let before = self.mtu();
        let reported = match u16::try_from(mtu).unwrap_or(u16::MAX) {
            0 => PLATEAUS.into_iter().find(|p| *p < before).unwrap_or(68),
            reported => reported,
        };
        let least = match self.params.ip_version {
            IpVersion::V4 => self.params.min_path_mtu,
            IpVersion::V6 => self.params.min_path_mtu.max(IPV6_LEAST_MTU),
        };
        let path = reported.max(least);
        if path >= before {
            return;
        }
        self.rare().path_mtu = Some(path);
        if matches!(self.state, State::SynSent | State::SynReceived) {
            // The MSS is limited once the handshake is complete. A SYN that is too big carries data:
            // retransmit it without.
            if self.rare.as_ref().is_some_and(|r| r.syn_data > 0) {
                self.send_syn(Some(RetransmitReason::PathMtu), now, out);
            }
            return;
        }
        if self.fit_mss() && self.snd.flight() > 0 {
            self.send_all_again(now, out);
        }
    }

    /// Limits the MSS to the path MTU (MUST-16); true when it became smaller.
    #[cold]
    pub(super) fn fit_mss(&mut self) -> bool {
        let headers = self.params.ip_version.header_len() + 20;
        let options = if self.rcv.ts_ok { 12 } else { 0 };
        let fits = u32::from(self.mtu()).saturating_sub(headers).max(64) - options;
        let smaller = fits < self.snd.mss;
        if smaller {
            self.snd.mss = fits;
            self.cc.on_mss(fits);
        }
        smaller
    }

    /// Retransmits the data in flight, which were too big to arrive, in smaller segments. This is no sign
    /// of congestion (RFC 1191 section 6.5).
    fn send_all_again(&mut self, now: SimTime, out: &mut Outputs) {
        self.snd.timed = None; // Karn
        // Even data sent just now are lost.
        self.enter_loss(RetransmitReason::PathMtu, SimTime::MAX);
        self.transmit(now, out);
    }
}
