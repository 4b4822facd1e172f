//! What a model can report beyond [`TcpView`](crate::model::TcpView), for diagnosis: the
//! rest of Linux's `tcp_info`.

use sim_core::{Rate, SimDuration};

/// The sender's view of the network, as in Linux's `tcpi_ca_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CongestionState {
    /// No sign of congestion.
    Open,
    /// Duplicate ACKs or SACKs, too few to indicate a loss.
    Disorder,
    /// The window was reduced for an ECN echo.
    Reduced,
    /// Fast recovery.
    Recovery,
    /// Recovery after a retransmission time-out.
    Loss,
}

impl CongestionState {
    /// All of them.
    pub const ALL: [CongestionState; 5] = [
        CongestionState::Open,
        CongestionState::Disorder,
        CongestionState::Reduced,
        CongestionState::Recovery,
        CongestionState::Loss,
    ];

    /// Linux's word for it, used in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            CongestionState::Open => "open",
            CongestionState::Disorder => "disorder",
            CongestionState::Reduced => "CWR",
            CongestionState::Recovery => "recovery",
            CongestionState::Loss => "loss",
        }
    }
}

/// Counts of spurious window reductions that were undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UndoCounts {
    /// By an echoed timestamp older than the retransmission (Eifel, RFC 3522).
    pub eifel: u32,
    /// By the report of every retransmission as a duplicate (D-SACK, RFC 3708).
    pub dsack: u32,
    /// By data sent once that arrived after a time-out (F-RTO, RFC 5682).
    pub frto: u32,
}

/// Segments that arrived with a congestion mark (CE).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CeReceived {
    /// How many, those without data included where feedback is accurate.
    pub segments: u64,
    /// Their payload, bytes.
    pub bytes: u64,
}

/// The counters of accurate ECN (RFC 9768), without their initial values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccurateCounts {
    /// Segments received with CE.
    pub received_ce: u32,
    /// Payload bytes received with CE, ECT(0) and ECT(1).
    pub received_bytes: [u32; 3],
    /// Payload bytes that the peer reports to have received with CE, ECT(0) and ECT(1).
    pub delivered_bytes: [u32; 3],
}

/// The state of a sender's congestion control and recovery, cheap to query at every ACK.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderState {
    /// State of congestion control.
    pub congestion: Option<CongestionState>,
    /// The control's own state ([`CongestionControl::state`]).
    ///
    /// [`CongestionControl::state`]: crate::congestion::CongestionControl::state
    pub control: Option<&'static str>,
    /// The pacing rate; `None` without pacing.
    pub pacing_rate: Option<Rate>,
    /// Variation of the round-trip time.
    pub rttvar: Option<SimDuration>,
    /// Minimum round-trip time.
    pub min_rtt: Option<SimDuration>,
    /// Bytes delivered, if the delivery rate is measured.
    pub delivered: Option<u64>,
    /// The latest delivery-rate sample, if measured.
    pub delivery_rate: Option<Rate>,
}

/// Details of an end point; `None` for values that a model does not provide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionDetails {
    /// State of congestion control.
    pub congestion_state: Option<CongestionState>,
    /// Payload bytes of a full segment sent.
    pub snd_mss: Option<u32>,
    /// Segments considered lost and not yet acknowledged.
    pub lost: Option<u32>,
    /// Retransmitted segments in flight.
    pub retransmitted: Option<u32>,
    /// Segments reported by SACK.
    pub sacked: Option<u32>,
    /// Time-outs in a row without progress.
    pub timeouts_in_row: Option<u32>,
    /// Window probes or keep-alive probes in a row without answer.
    pub probes: Option<u32>,
    /// Variation of the round-trip time.
    pub rttvar: Option<SimDuration>,
    /// Minimum round-trip time.
    pub min_rtt: Option<SimDuration>,
    /// Segments a later one may overtake without a loss being suspected.
    pub reordering: Option<u32>,
    /// Segments delivered, according to ACKs and SACKs.
    pub delivered: Option<u64>,
    /// Bytes written and not yet sent.
    pub unsent: Option<u64>,
    /// Doublings of the retransmission time-out.
    pub backoff: Option<u32>,
    /// Maximum delay of an ACK.
    pub ato: Option<SimDuration>,
    /// Largest payload seen in, or expected of, the peer's segments.
    pub rcv_mss: Option<u32>,
    /// Largest payload announced to the peer.
    pub advertised_mss: Option<u32>,
    /// Path MTU.
    pub path_mtu: Option<u32>,
    /// Bytes of receive buffer that may be offered, the target of autotuning.
    pub rcv_ssthresh: Option<u32>,
    /// Bytes the application read in the last round trip.
    pub rcv_space: Option<u32>,
    /// Round-trip time as the receiver measures it.
    pub rcv_rtt: Option<SimDuration>,
    /// Segments delivered with a congestion mark.
    pub delivered_ce: Option<u64>,
    /// The counters of accurate ECN, if it is in use.
    pub accurate: Option<AccurateCounts>,
    /// Spurious window reductions that were undone, by evidence.
    pub undone: Option<UndoCounts>,
    /// Segments that arrived with a congestion mark.
    pub marked: Option<CeReceived>,
    /// D-SACK blocks received.
    pub dsacks_received: Option<u32>,
    /// Whether timestamps are in use.
    pub timestamps: Option<bool>,
    /// Whether SACK is in use.
    pub sack: Option<bool>,
    /// Shift counts of the peer's window field and of our own, if window scaling is in use.
    pub window_scale: Option<(u8, u8)>,
    /// Whether ECN is in use.
    pub ecn: Option<bool>,
    /// A segment with an ECN codepoint has arrived.
    pub ecn_seen: Option<bool>,
    /// Data on the SYN of either end were acknowledged.
    pub syn_data_acked: Option<bool>,
}
