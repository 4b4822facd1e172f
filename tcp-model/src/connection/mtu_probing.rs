//! Packetisation-layer path MTU discovery (RFC 4821), by Linux's rules: a connection begins with a
//! small MSS and probes with single larger segments, or does so only after time-outs that suggest a
//! black hole.
//!
//! A probe is half-way between the largest packet known to arrive and the smallest known not to. If it is
//! acknowledged, segments become that large. Its loss alone is no sign of congestion (section 7.6.2).
//!
//! Needs the log of sent segments, as the `linux` profile keeps it.

use sim_core::SimTime;

use super::Connection;
use crate::congestion::CongestionControl;
use crate::model::Outputs;
use crate::recovery::RecoveryPhase;
use crate::resend_rule::RetransmitReason;
use crate::seq::SeqNum;

/// The search, in bytes of IP packets.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) struct MtuSearch {
    /// Packets of this length arrive (`search_low`).
    low: u32,
    /// Longer ones do not (`search_high`).
    high: u32,
    probe: Option<MtuProbe>,
    /// When the search began.
    since: SimTime,
}

/// A probe in flight.
#[derive(Clone, Copy, Debug, Hash)]
struct MtuProbe {
    size: u32,
    start: SeqNum,
    end: SeqNum,
}

/// What to do before sending new data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProbeStep {
    /// Send as usual.
    Go,
    /// A probe would be possible once more has been acknowledged.
    Wait,
}

/// Smallest congestion window, in segments, with which Linux probes.
const LEAST_WINDOW: u64 = 11;

impl Connection {
    /// The connection opens: starts the search if it always probes.
    #[cold]
    pub(super) fn start_mtu_search(&mut self) {
        if self.params.mtu_probing >= 2 && self.keeps_log() {
            self.search_mtu(SimTime::ZERO);
        }
    }

    /// Begins a search with the smallest MSS.
    fn search_mtu(&mut self, now: SimTime) {
        let search = MtuSearch {
            low: self.packet_of(self.params.base_mss),
            high: self.largest_packet(),
            probe: None,
            since: now,
        };
        self.rare().mtu_search = Some(search);
        self.limit_mss(search.low);
    }

    fn search(&self) -> Option<MtuSearch> {
        self.rare.as_ref()?.mtu_search
    }

    /// Headers of a segment without further options.
    fn header_bytes(&self) -> u32 {
        let stamps = if self.rcv.ts_ok { 12 } else { 0 };
        self.params.ip_version.header_len() + 20 + stamps
    }

    fn packet_of(&self, mss: u32) -> u32 {
        mss.saturating_add(self.header_bytes())
    }

    fn mss_of(&self, packet: u32) -> u32 {
        let fits = packet.min(self.largest_packet());
        let least = self.params.min_mss.max(1);
        fits.saturating_sub(self.header_bytes()).max(least)
    }

    /// The longest packet that the peer's MSS, our own and what is known of the path allow.
    fn largest_packet(&self) -> u32 {
        let peer = self.rare.as_ref().map_or(0, |rare| rare.peer_mss);
        let own = u32::from(self.params.mss().max(64));
        let mss = u32::from(peer).max(self.params.min_mss).min(own);
        (mss + self.params.ip_version.header_len() + 20).min(self.mtu().into())
    }

    /// Limits segments to packets of length `packet`.
    fn limit_mss(&mut self, packet: u32) {
        let mss = self.mss_of(packet);
        if mss < self.snd.mss {
            self.snd.mss = mss;
            self.cc.on_mss(mss);
        }
    }

    /// Sends a probe if it is time for one (Linux `tcp_mtu_probe`).
    #[inline(never)]
    pub(super) fn probe_mtu(&mut self, now: SimTime, out: &mut Outputs) -> ProbeStep {
        let Some(search) = self.search() else {
            return ProbeStep::Go;
        };
        let mss = u64::from(self.snd.mss.max(1));
        let window = self.window() / mss;
        let calm = self.recovery.is_calm() && !self.recovery.is_reducing_for_ecn();
        if search.probe.is_some() || !calm || window < LEAST_WINDOW || self.rcv.ahead.is_some() {
            return ProbeStep::Go;
        }
        let size = (search.low + search.high) / 2;
        let len = self.mss_of(size);
        let few = self.params.mtu_probe_threshold;
        if len > self.mss_of(search.high) || search.high.saturating_sub(search.low) < few {
            self.search_again(search, now);
            return ProbeStep::Go;
        }
        // Enough data behind it to find its loss.
        let behind = (self.params.dup_ack_threshold + 1).saturating_mul(self.snd.mss);
        let needed = len.saturating_add(behind);
        let unsent = self.snd.unsent();
        if unsent < needed.into() || self.snd.wnd < needed {
            return ProbeStep::Go;
        }
        if self.snd.usable_window() < needed {
            return ProbeStep::Wait;
        }
        let flight = self.recovery.log().map_or(0, |log| log.in_flight());
        if u64::from(flight) + 2 > window {
            return match flight {
                0 => ProbeStep::Go,
                _ => ProbeStep::Wait,
            };
        }
        if self.unsent_of_record(unsent) < len.into() {
            return ProbeStep::Go;
        }
        let start = self.snd.nxt;
        let sent = self.send_range(start, len, None, now, out);
        let end = start + sent;
        let size = self.packet_of(sent);
        if let Some(search) = &mut self.rare().mtu_search {
            search.probe = Some(MtuProbe { size, start, end });
        }
        ProbeStep::Go
    }

    /// Restarts the search, whose range is narrow enough by now, if it began long enough ago: paths change
    /// (section 7.7).
    fn search_again(&mut self, search: MtuSearch, now: SimTime) {
        if now.since(search.since) >= self.params.mtu_probe_interval {
            let again = MtuSearch {
                low: self.packet_of(self.snd.mss),
                high: self.largest_packet(),
                probe: None,
                since: now,
            };
            self.rare().mtu_search = Some(again);
        }
    }

    /// The part of the window that a probe in flight takes: one segment, since the probe counts as
    /// two.
    pub(super) fn probe_share(&self) -> u64 {
        match self.search() {
            Some(MtuSearch { probe: Some(_), .. }) => self.snd.mss.into(),
            _ => 0,
        }
    }

    /// Checks whether the acknowledgement of data up to SND.UNA includes the probe
    /// (`tcp_mtup_probe_success`).
    #[inline(never)]
    pub(super) fn judge_mtu_probe(&mut self) {
        let Some(search) = self.search() else {
            return;
        };
        let Some(probe) = search.probe.filter(|p| p.end.at_or_before(self.snd.una)) else {
            return;
        };
        let old = u64::from(self.packet_of(self.snd.mss));
        let segments = (self.window() / u64::from(self.snd.mss.max(1))) * old;
        let segments = (segments / u64::from(probe.size.max(1))).max(1);
        self.rare().mtu_search = Some(MtuSearch {
            low: probe.size,
            probe: None,
            ..search
        });
        let mss = self.mss_of(probe.size);
        if mss > self.snd.mss {
            self.snd.mss = mss;
            self.cc.on_larger_mss(mss, segments * u64::from(mss));
        }
    }

    /// Recovery is about to begin: if only the probe is lost, it is sent again in segments of the usual size,
    /// and the window stays (`tcp_mtup_probe_failed`, `tcp_simple_retransmit`). True if so.
    pub(super) fn forgives_mtu_probe(&mut self) -> bool {
        let Some(search) = self.search() else {
            return false;
        };
        let head = |probe: &MtuProbe| probe.start == self.snd.una;
        let Some(probe) = search.probe.filter(head) else {
            return false;
        };
        self.rare().mtu_search = Some(MtuSearch {
            high: probe.size - 1,
            probe: None,
            ..search
        });
        let outstanding = self.outstanding();
        self.recovery.resend_first(&outstanding, probe.end);
        self.recovered_before = true;
        self.loss_reason = RetransmitReason::PathMtu;
        debug_assert_eq!(self.recovery.phase(), RecoveryPhase::Loss);
        true
    }

    /// Abandons the probe because data are retransmitted: its result would prove nothing.
    pub(super) fn drop_mtu_probe(&mut self) {
        if let Some(search) = self.rare.as_mut().and_then(|r| r.mtu_search.as_mut()) {
            search.probe = None;
        }
    }

    /// Time-outs up to R1 suggest that packets of this length do not arrive: starts the search, or
    /// halves the MSS (`tcp_mtu_probing`).
    pub(super) fn suspect_black_hole(&mut self, now: SimTime) {
        if self.params.mtu_probing == 0 || !self.keeps_log() {
            return;
        }
        let Some(search) = self.search() else {
            self.search_mtu(now);
            return;
        };
        let half = self.mss_of(search.low) / 2;
        let mss = half.min(self.params.base_mss).max(self.params.min_mss);
        let low = self.packet_of(mss);
        self.rare().mtu_search = Some(MtuSearch { low, ..search });
        self.limit_mss(low);
    }
}
