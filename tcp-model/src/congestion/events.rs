//! The events that a congestion control receives.

use sim_core::{SimDuration, SimTime};

use crate::delivery_rate::RateSample;
use crate::recovery::RecoveryPhase;

/// The connection is established: its segment size is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionStart {
    /// Payload bytes of a full segment.
    pub mss: u32,
    /// Initial window, bytes.
    pub initial_window: u64,
    /// Round trip of the handshake, if it was measured.
    pub srtt: Option<SimDuration>,
}

/// An ACK arrived for data in flight, in recovery or not; includes duplicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AckEvent {
    /// When.
    pub now: SimTime,
    /// Payload bytes newly acknowledged; zero for a duplicate.
    pub acked: u64,
    /// Bytes that this ACK shows to have arrived: newly acknowledged ones that were not known to
    /// have arrived before, and newly SACKed ones. Without SACK, a duplicate ACK stands for one
    /// segment.
    pub delivered: u64,
    /// Bytes inferred lost since the previous ACK, by any rule. Only if
    /// [`super::CongestionControl::needs_measurements`].
    pub lost: u64,
    /// The part of `lost` that a timer found, before this ACK arrived.
    pub lost_by_timer: u64,
    /// Bytes in flight before the ACK.
    pub prior_in_flight: u64,
    /// Bytes in flight after it.
    pub in_flight: u64,
    /// Stream offset of the first byte not acknowledged.
    pub una: u64,
    /// Stream offset of the next byte to send: when it is acknowledged, a round trip has passed.
    pub nxt: u64,
    /// The phase of loss recovery when the ACK arrived.
    pub phase: RecoveryPhase,
    /// Whether the window, not the application or the peer, limited the sender.
    pub cwnd_limited: bool,
    /// Round-trip time that this ACK shows.
    pub rtt: Option<SimDuration>,
    /// Smoothed round-trip time.
    pub srtt: Option<SimDuration>,
    /// Smallest round-trip time of the connection. Only where
    /// [`super::CongestionControl::needs_round_trips`].
    pub min_rtt: Option<SimDuration>,
    /// The delivery rate. Only if [`super::CongestionControl::needs_measurements`].
    pub rate: Option<RateSample>,
    /// The peer echoes a congestion mark (ECE, RFC 3168).
    pub ecn_echo: bool,
    /// Bytes reported as marked; as in RFC 8257 section 3.3, all of `acked` if the ACK echoes a mark.
    pub marked: u64,
}

impl AckEvent {
    /// An ACK of `acked` new bytes at `now`, of a full window and without measurements: a base for other ACKs in
    /// tests.
    pub fn plain(now: SimTime, acked: u64) -> AckEvent {
        AckEvent {
            now,
            acked,
            delivered: acked,
            lost: 0,
            lost_by_timer: 0,
            prior_in_flight: acked,
            in_flight: 0,
            una: 0,
            nxt: 0,
            phase: RecoveryPhase::Open,
            cwnd_limited: true,
            rtt: None,
            srtt: None,
            min_rtt: None,
            rate: None,
            ecn_echo: false,
            marked: 0,
        }
    }
}

/// The signal of congestion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Congestion {
    /// Duplicate or selective ACKs: fast recovery begins.
    Loss,
    /// The retransmission timer expired for a segment for the first time.
    Timeout,
    /// It expired again for the same segment.
    RepeatedTimeout,
    /// The peer echoes a congestion mark (RFC 3168): at most once a round trip.
    Ecn,
}

/// Congestion: recovery begins, or the window must be reduced for a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CongestionEvent {
    /// What showed it.
    pub cause: Congestion,
    /// When.
    pub now: SimTime,
    /// Bytes in flight then: FlightSize of RFC 5681.
    pub in_flight: u64,
    /// Whether a mark reduces the window less than a loss (RFC 8511).
    pub gentle: bool,
    /// Whether the threshold is rounded down to whole segments, as on Linux.
    pub whole: bool,
    /// Bytes in flight without those known to have arrived or considered lost, including this loss.
    pub pipe: u64,
}

/// The latest loss or time-out was spurious: segments were late, not lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpuriousCongestion {
    /// The window before the reduction, bytes.
    pub cwnd: u64,
    /// The slow-start threshold before it, bytes.
    pub ssthresh: Option<u64>,
    /// When that was detected.
    pub now: SimTime,
}

/// The application sends after a pause of more than one retransmission time-out with nothing in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AfterIdle {
    /// When it sends again.
    pub now: SimTime,
    /// How long nothing was sent.
    pub silent: SimDuration,
    /// The window should not be larger than this (RFC 5681 section 4.1, RFC 2861); `None` if the parameters do not
    /// restrict it.
    pub restart_window: Option<u64>,
}
