//! Round trips and losses for the tests of algorithms.

use sim_core::{SimDuration, SimTime};

use super::{
    AckEvent, Algorithm, AnyCc, Congestion, CongestionControl, CongestionEvent, Control, Start,
};
use crate::params::TcpParams;

/// Bytes of a segment.
const MSS: u64 = 1000;

/// A control with a clock, so that rounds follow each other.
#[derive(Clone, Debug)]
pub(super) struct Tested {
    control: AnyCc,
    now: SimTime,
    acked: u64,
    min_rtt: Option<SimDuration>,
}

impl Tested {
    pub(super) fn cwnd(&self) -> u64 {
        self.control.cwnd()
    }
}

/// One that has just started with this many segments.
pub(super) fn started(algorithm: &'static Algorithm, segments: u64) -> Tested {
    let mut control = Control::new(algorithm).make(&TcpParams::rfc9293());
    control.on_start(&Start {
        mss: MSS as u32,
        initial_window: segments * MSS,
        srtt: None,
    });
    Tested {
        control,
        now: SimTime::ZERO,
        acked: 0,
        min_rtt: None,
    }
}

/// A round trip of this many milliseconds, in which the whole window is acknowledged by this many
/// ACKs.
pub(super) fn round(tested: &mut Tested, rtt_ms: u64, acks: u64) {
    let rtt = SimDuration::from_millis(rtt_ms);
    let window = tested.cwnd();
    let min = tested.min_rtt.map_or(rtt, |m| m.min(rtt));
    tested.min_rtt = Some(min);
    let start = tested.now;
    let end = tested.acked + window;
    for i in 0..acks {
        let acked = window / acks;
        tested.acked += acked;
        let now = start + SimDuration::from_ps(rtt.as_ps() / acks * (i + 1));
        tested.control.on_ack(&AckEvent {
            una: tested.acked,
            nxt: end + tested.acked - (end - window),
            rtt: Some(rtt),
            srtt: Some(rtt),
            min_rtt: Some(min),
            ..AckEvent::plain(now, acked)
        });
    }
    tested.now = start + rtt;
}

/// A loss while this many segments are in flight; recovery is over at once.
pub(super) fn lose(tested: &mut Tested, segments: u64) {
    tested.control.on_congestion(&CongestionEvent {
        cause: Congestion::Loss,
        now: tested.now,
        in_flight: segments * MSS,
    });
}
