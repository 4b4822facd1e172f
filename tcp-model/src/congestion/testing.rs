//! Round trips, losses and a bottleneck for the tests of algorithms.

use std::collections::VecDeque;

use sim_core::{SimDuration, SimTime};

use super::{
    AckEvent, Algorithm, AnyCc, Congestion, CongestionControl, CongestionEvent, ConnectionStart,
    Control, ControlContext, ControlValue,
};
use crate::delivery_rate::DeliveryRate;
use crate::seq::SeqNum;

/// Bytes of a segment.
const MSS: u64 = 1000;

/// A control with a clock, to which rounds are applied one after the other.
#[derive(Clone, Debug)]
pub(super) struct RoundTester {
    control: AnyCc,
    now: SimTime,
    acked: u64,
    min_rtt: Option<SimDuration>,
}

impl RoundTester {
    pub(super) fn cwnd(&self) -> u64 {
        self.control.cwnd()
    }
}

/// One that has just started with this many segments.
pub(super) fn started(algorithm: &'static Algorithm, segments: u64) -> RoundTester {
    started_with(algorithm, segments, &[])
}

/// The same with these values of its parameters; switches are 0 or 1.
pub(super) fn started_with(
    algorithm: &'static Algorithm,
    segments: u64,
    values: &[(&str, f64)],
) -> RoundTester {
    let choice = values
        .iter()
        .fold(Control::new(algorithm), |control, &(name, value)| {
            let number = control.with(name, ControlValue::Number(value));
            let switch = || control.with(name, ControlValue::Switch(value != 0.0));
            let time = || control.with(name, ControlValue::Time(SimDuration::from_secs_f64(value)));
            number
                .or_else(|_| switch())
                .or_else(|_| time())
                .expect("a value that fits")
        });
    let mut control = choice.make(&ControlContext::new(Some(1)));
    control.on_start(&ConnectionStart {
        mss: MSS as u32,
        initial_window: segments * MSS,
        srtt: None,
    });
    RoundTester {
        control,
        now: SimTime::ZERO,
        acked: 0,
        min_rtt: None,
    }
}

/// A round trip of this many milliseconds, in which the whole window is acknowledged by this many
/// ACKs.
pub(super) fn round(tested: &mut RoundTester, rtt_ms: u64, acks: u64) {
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
            prior_in_flight: window,
            in_flight: window - acked,
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
pub(super) fn lose(tested: &mut RoundTester, segments: u64) {
    tested.control.on_congestion(&CongestionEvent {
        cause: Congestion::Loss,
        now: tested.now,
        in_flight: segments * MSS,
        pipe: segments * MSS,
        gentle: false,
        whole: false,
    });
}

/// One bulk flow over a bottleneck with an endless queue; each segment is acknowledged by itself,
/// and none is lost.
pub(super) struct Bottleneck {
    pub(super) control: AnyCc,
    pub(super) now: SimTime,
    /// Time that a segment takes on the bottleneck, and the round trip without it.
    pub(super) spacing: SimDuration,
    pub(super) delay: SimDuration,
    rate: DeliveryRate,
    /// Segments in flight: when the ACK arrives, and when they were sent.
    out: VecDeque<(SimTime, SimTime)>,
    /// When the bottleneck is free.
    free: SimTime,
    next_send: SimTime,
    sent: u64,
    acked: u64,
    srtt: Option<SimDuration>,
}

impl Bottleneck {
    /// `rate` in segments a second, `rtt` in milliseconds without queue or transmission.
    pub(super) fn new(algorithm: &'static Algorithm, rate: u64, rtt: u64) -> Bottleneck {
        let mut control = Control::new(algorithm).make(&ControlContext::default());
        let delay = SimDuration::from_millis(rtt);
        control.on_start(&ConnectionStart {
            mss: MSS as u32,
            initial_window: 10 * MSS,
            srtt: Some(delay),
        });
        Bottleneck {
            control,
            now: SimTime::ZERO,
            spacing: SimDuration::from_ps(1_000_000_000_000 / rate),
            delay,
            rate: DeliveryRate::default(),
            out: VecDeque::new(),
            free: SimTime::ZERO,
            next_send: SimTime::ZERO,
            sent: 0,
            acked: 0,
            srtt: Some(delay),
        }
    }

    /// Bytes in flight.
    pub(super) fn in_flight(&self) -> u64 {
        self.out.len() as u64 * MSS
    }

    /// Bytes acknowledged.
    pub(super) fn acked(&self) -> u64 {
        self.acked
    }

    /// Processes the next ACK, or sends the next segment.
    pub(super) fn step(&mut self) {
        let may = self.in_flight() + MSS <= self.control.cwnd() || self.out.is_empty();
        let send = self.next_send.max(self.now);
        match self.out.front() {
            Some(&(ack, _)) if !may || ack <= send => self.on_ack(ack),
            _ => self.on_send(send),
        }
    }

    /// Runs for the next `ms` milliseconds.
    pub(super) fn run(&mut self, ms: u64) {
        let end = self.now.saturating_add(SimDuration::from_millis(ms));
        while self.now < end {
            self.step();
        }
    }

    fn on_send(&mut self, at: SimTime) {
        self.now = at;
        let in_flight = self.in_flight();
        self.sent += MSS;
        let end = SeqNum(self.sent as u32);
        self.rate.on_sent(end, MSS as u32, in_flight, at);
        self.free = self.free.max(at).saturating_add(self.spacing);
        self.out
            .push_back((self.free.saturating_add(self.delay), at));
        let pace = self.control.pacing_rate();
        let gap = pace.map_or(SimDuration::ZERO, |r| r.transmission_time(MSS));
        self.next_send = self.next_send.max(at).saturating_add(gap);
    }

    fn on_ack(&mut self, at: SimTime) {
        let Some((_, left)) = self.out.pop_front() else {
            return;
        };
        self.now = at;
        self.acked += MSS;
        self.rate.on_acked(SeqNum(self.acked as u32), at);
        let rtt = at.since(left);
        self.srtt = Some(self.srtt.map_or(rtt, |s| (s * 7 + rtt) / 8));
        self.rate.take_rtt();
        let ack = AckEvent {
            prior_in_flight: self.in_flight() + MSS,
            in_flight: self.in_flight(),
            una: self.acked,
            nxt: self.sent,
            rtt: Some(rtt),
            srtt: self.srtt,
            min_rtt: self.rate.min_rtt(),
            rate: self.rate.take_sample(),
            ..AckEvent::plain(at, MSS)
        };
        self.control.on_ack(&ack);
    }
}
