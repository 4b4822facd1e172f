//! Details of a connection for inspection: the rest of Linux's `tcp_info`.

use sim_core::SimTime;

use super::Connection;
use crate::congestion::CongestionControl as _;
use crate::diagnostics::{CongestionState, ConnectionDetails, SenderState};
use crate::model::TcpModel;
use crate::recovery::RecoveryPhase;

impl Connection {
    /// The details that are tracked; without a log, segments are counted as full ones.
    pub(super) fn inspect(&self) -> ConnectionDetails {
        let outstanding = self.outstanding();
        let census = self.recovery.census(&outstanding);
        let segments = |octets: u32| octets.div_ceil(self.snd.mss.max(1));
        let log = self.recovery.log();
        let [sacked, lost, resent] = match log {
            Some(log) => log.census(),
            None => [census.left, census.lost, census.retransmitted].map(segments),
        };
        let congestion_state = self.congestion_state();
        let open = self.params.adaptive_receiver && self.state.is_synchronized();
        let guess = || open.then(|| self.first_guess(SimTime::ZERO));
        let adaptive = self.rcv.adaptive.as_deref().copied().or_else(guess);
        let probing = u32::from(self.timers.keepalive_sent).max(self.timers.probes());
        ConnectionDetails {
            congestion_state: Some(congestion_state),
            snd_mss: Some(self.snd.mss),
            lost: Some(lost),
            retransmitted: Some(resent),
            sacked: Some(sacked),
            min_rtt: log.and_then(|l| l.min_rtt()),
            timeouts_in_row: Some(self.timers.retransmissions()),
            backoff: Some(self.timers.retransmissions().max(self.timers.probes())),
            probes: Some(probing),
            rttvar: self.rtt.rttvar(),
            reordering: Some(self.reordering()),
            unsent: Some(self.snd.unsent()),
            rcv_mss: Some(adaptive.map_or(self.rcv.mss, |a| a.mss)),
            ato: adaptive.map(|a| a.ato),
            rcv_ssthresh: adaptive.map(|a| a.ssthresh),
            rcv_space: adaptive.map(|a| a.space),
            rcv_rtt: adaptive.map(|a| a.rtt),
            advertised_mss: Some(self.advertised_mss()),
            timestamps: Some(self.rcv.ts_ok),
            sack: Some(self.rcv.sack_ok),
            window_scale: self
                .rcv
                .shift_agreed
                .then_some((self.snd.shift, self.rcv.shift)),
            path_mtu: Some(u32::from(self.mtu())),
            ecn: Some(self.speaks_ecn()),
            ecn_seen: Some(self.ecn_seen()),
            syn_data_acked: Some(self.rare.as_ref().is_some_and(|r| r.syn_data_acked)),
            undone: Some(self.undone()),
            marked: Some(self.marked()),
            delivered_ce: self.accurate().map(|a| a.reported_packets().into()),
            accurate: self.accurate().map(|a| a.counts()),
            ..ConnectionDetails::default()
        }
    }

    fn congestion_state(&self) -> CongestionState {
        match self.recovery.phase() {
            RecoveryPhase::Fast => CongestionState::Recovery,
            RecoveryPhase::Loss => CongestionState::Loss,
            RecoveryPhase::Open if self.is_reacting() => CongestionState::Reduced,
            RecoveryPhase::Open if self.recovery.arrived(&self.outstanding()) > 0 => {
                CongestionState::Disorder
            }
            RecoveryPhase::Open => CongestionState::Open,
        }
    }

    /// The sender's state.
    pub(super) fn inspect_sender(&self) -> SenderState {
        let delivery = self.measure().map(|m| &m.delivery);
        let meter = self.meter.as_deref();
        let log = self.recovery.log().and_then(|log| log.min_rtt());
        SenderState {
            congestion: Some(self.congestion_state()),
            control: Some(self.cc.state()),
            pacing_rate: self.measure().and_then(|_| self.pacing_rate()),
            rttvar: self.rtt.rttvar(),
            min_rtt: log.or_else(|| meter.and_then(|m| m.min_rtt())),
            delivered: delivery.map(|d| d.delivered()),
            delivery_rate: delivery.and_then(|d| d.latest_rate()),
        }
    }

    /// The degree of reordering in segments: the path's, if it exceeds `dup_ack_threshold` (Linux
    /// `tcp_check_sack_reordering`).
    fn reordering(&self) -> u32 {
        /// `tcp_max_reordering`.
        const MOST: u32 = 300;
        let log = self.recovery.log();
        let span = log.map_or(0, |log| log.reordered_by());
        let seen = span.div_ceil(self.snd.mss.max(1)).min(MOST);
        seen.max(self.params.dup_ack_threshold)
    }
}
