//! What a model can report beyond [`TcpView`](crate::model::TcpView), for diagnosis: the
//! rest of Linux's `tcp_info`.

use sim_core::{Rate, SimDuration};

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

impl CongestionState {
    /// All of them.
    pub const ALL: [CongestionState; 5] = [
        CongestionState::Open,
        CongestionState::Disorder,
        CongestionState::Reduced,
        CongestionState::Recovery,
        CongestionState::Loss,
    ];

    /// The word that tables use, Linux's.
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

/// Reductions of the window that proved needless and were undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// By an echoed timestamp older than the retransmission (Eifel, RFC 3522).
    pub eifel: u32,
    /// By the report of every retransmission as a duplicate (D-SACK, RFC 3708).
    pub dsack: u32,
    /// By data sent once that arrived after a time-out (F-RTO, RFC 5682).
    pub frto: u32,
}

/// Segments that arrived with a congestion mark (CE).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Marked {
    /// How many, those without data included where feedback is accurate.
    pub segments: u64,
    /// Their payload, bytes.
    pub bytes: u64,
}

/// What a sender's congestion control and recovery are about, cheap to ask at every ACK.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderState {
    /// State of congestion control.
    pub congestion: Option<CongestionState>,
    /// What the control is about, in its own words ([`CongestionControl::state`]).
    ///
    /// [`CongestionControl::state`]: crate::congestion::CongestionControl::state
    pub control: Option<&'static str>,
    /// The rate at which segments leave; `None` where they are not paced.
    pub pacing_rate: Option<Rate>,
    /// Variation of the round-trip time.
    pub rttvar: Option<SimDuration>,
    /// Smallest round-trip time.
    pub min_rtt: Option<SimDuration>,
    /// Bytes delivered, where the delivery rate is measured.
    pub delivered: Option<u64>,
    /// The latest sample of the delivery rate, where it is measured.
    pub delivery_rate: Option<Rate>,
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
    /// Window probes or keep-alive probes in a row without answer.
    pub probes: Option<u32>,
    /// Variation of the round-trip time.
    pub rttvar: Option<SimDuration>,
    /// Smallest round-trip time.
    pub min_rtt: Option<SimDuration>,
    /// Segments a later one may overtake without a loss being suspected.
    pub reordering: Option<u32>,
    /// Segments delivered, according to ACKs and SACKs.
    pub delivered: Option<u64>,
    /// Bytes written and not yet sent.
    pub unsent: Option<u64>,
    /// Doublings of the retransmission time-out.
    pub backoff: Option<u32>,
    /// How long an ACK may be delayed at most.
    pub ato: Option<SimDuration>,
    /// Largest payload a segment of the peer has had, or is expected to have.
    pub rcv_mss: Option<u32>,
    /// Largest payload that the peer was asked to send.
    pub advertised_mss: Option<u32>,
    /// Packet length the path is thought to carry.
    pub path_mtu: Option<u32>,
    /// Bytes of receive buffer that may be offered, and the aim of its autotuning.
    pub rcv_ssthresh: Option<u32>,
    /// Bytes the application took in the last round trip.
    pub rcv_space: Option<u32>,
    /// Round-trip time as the receiver measures it.
    pub rcv_rtt: Option<SimDuration>,
    /// Segments delivered with a congestion mark.
    pub delivered_ce: Option<u64>,
    /// Reductions of the window that proved needless and were undone, by what proved it.
    pub undone: Option<Undone>,
    /// Segments that arrived with a congestion mark.
    pub marked: Option<Marked>,
    /// D-SACK blocks received.
    pub dsacks_received: Option<u32>,
    /// What was agreed: timestamps.
    pub timestamps: Option<bool>,
    /// What was agreed: SACK.
    pub sack: Option<bool>,
    /// What was agreed: shift counts of the peer's and of the own window field.
    pub window_scale: Option<(u8, u8)>,
    /// What was agreed: ECN.
    pub ecn: Option<bool>,
    /// A segment with an ECN codepoint has arrived.
    pub ecn_seen: Option<bool>,
    /// Data went with the SYN, of either end's, and were acknowledged.
    pub syn_data_acked: Option<bool>,
}
