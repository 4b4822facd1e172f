//! What a model can tell of itself beyond [`TcpView`](crate::model::TcpView), for diagnosis: the
//! rest of Linux's `tcp_info`.

use sim_core::SimDuration;

/// What the sender thinks of the network, as Linux's `tcpi_ca_state` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CongestionState {
    /// Nothing is suspicious.
    Open,
    /// Duplicate ACKs or SACKs, too few to mean a loss.
    Disorder,
    /// The window was reduced for an ECN echo.
    Reduced,
    /// Fast recovery.
    Recovery,
    /// Recovery after a retransmission time-out.
    Loss,
}

/// Details of an end point; `None` is what a model does not keep or does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// State of congestion control.
    pub congestion_state: Option<CongestionState>,
    /// Payload bytes of a full segment sent.
    pub snd_mss: Option<u32>,
    /// Segments thought lost and not yet acknowledged.
    pub lost: Option<u32>,
    /// Retransmitted segments in flight.
    pub retransmitted: Option<u32>,
    /// Segments reported by SACK.
    pub sacked: Option<u32>,
    /// Time-outs in a row without progress.
    pub timeouts_in_row: Option<u32>,
    /// Window probes in a row without answer.
    pub probes: Option<u32>,
    /// Variation of the round-trip time.
    pub rttvar: Option<SimDuration>,
    /// Smallest round-trip time.
    pub min_rtt: Option<SimDuration>,
    /// Segments a later one may overtake without a loss being suspected.
    pub reordering: Option<u32>,
    /// Segments delivered, as told by ACKs and SACKs.
    pub delivered: Option<u64>,
    /// Bytes written and not yet sent.
    pub unsent: Option<u64>,
}
