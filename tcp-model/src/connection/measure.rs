//! Delivery rate, losses and pacing: tracked for congestion controls that need them, and for pacing.

use sim_core::{SimDuration, SimTime};

use super::Connection;
use crate::congestion::{AckEvent, AnyCc, CongestionControl};
use crate::delivery_rate::DeliveryRate;
use crate::recovery::RecoveryPhase;
use crate::round_trip_times::RoundTripTimes;
use crate::segment::Segment;
use crate::seq::SeqNum;

/// What is measured.
#[derive(Clone, Debug, Hash)]
pub(super) enum Meter {
    /// Round trips alone: the control needs nothing else, and nothing is recorded.
    RoundTrips(RoundTripTimes),
    /// Delivery rate and losses, and pacing.
    Rate(Measure),
}

/// The measurements of delivery, and when the next segment may leave.
#[derive(Clone, Debug, Hash, Default)]
pub(super) struct Measure {
    pub(super) delivery: DeliveryRate,
    /// Octets found lost since the last ACK.
    pub(super) lost: u64,
    /// Those of them that a timer found.
    pub(super) lost_by_timer: u64,
    /// Segments sent.
    pub(super) departed: u32,
    /// The earliest time for the next segment.
    pub(super) next_send: SimTime,
    /// How late the burst being sent began.
    pub(super) late: SimDuration,
    /// Data wait for that time.
    pub(super) waiting: bool,
}

/// The sender's state before an ACK is processed.
#[derive(Clone, Copy, Debug)]
pub(super) struct BeforeAck {
    phase: RecoveryPhase,
    /// Octets in flight, and octets known to have arrived but not acknowledged; zero if
    /// [`Connection::control_needs_counts`] is false.
    in_flight: u32,
    pub(super) arrived: u32,
    /// Octets lost and not yet retransmitted; zero outside recovery.
    pub(super) lost: u32,
    /// Whether the counts are valid.
    counted: bool,
}

impl Meter {
    /// Bytes allocated separately.
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Meter::RoundTrips(times) => times.heap_bytes(),
            Meter::Rate(measure) => measure.delivery.heap_bytes(),
        }
    }

    /// The minimum round-trip time so far.
    pub(super) fn min_rtt(&self) -> Option<SimDuration> {
        match self {
            Meter::RoundTrips(times) => times.min_rtt(),
            Meter::Rate(measure) => measure.delivery.min_rtt(),
        }
    }

    /// Adds the measurements to an ACK event.
    #[inline(never)]
    fn complete(&mut self, ack: &mut AckEvent, seg: &Segment) {
        match self {
            Meter::RoundTrips(times) => {
                times.on_acked(seg.ack, ack.now);
                each_sack(seg, |start, end| times.on_sacked(start, end, ack.now));
                ack.rtt = times.take_rtt().or(ack.rtt);
                ack.min_rtt = times.min_rtt();
            }
            Meter::Rate(measure) => measure.complete(ack, seg),
        }
    }
}

/// Passes the blocks that report data beyond what the ACK acknowledges.
#[inline]
fn each_sack(seg: &Segment, mut take: impl FnMut(SeqNum, SeqNum)) {
    if seg.options.is_usual() {
        return;
    }
    for (start, end) in seg.options.sack_blocks() {
        if start.after(seg.ack) && start.before(end) {
            take(start, end);
        }
    }
}

impl BeforeAck {
    /// The same state with another phase, for the control.
    pub(super) fn in_phase(self, phase: RecoveryPhase) -> BeforeAck {
        BeforeAck { phase, ..self }
    }
}

impl Connection {
    /// Starts measuring if the congestion control or pacing needs it. The handshake's round trip, the only
    /// one so far, is the minimum.
    pub(super) fn start_measuring(&mut self) {
        let minimum = match self.meter.as_deref() {
            None if self.wants_measuring() => self.rtt.srtt(),
            Some(meter @ Meter::RoundTrips(_)) if self.wants_rate() => meter.min_rtt(),
            _ => return,
        };
        self.meter = Some(Box::new(match self.wants_rate() || self.traced {
            true => Meter::Rate(Measure {
                delivery: DeliveryRate::new(minimum),
                ..Measure::default()
            }),
            false => Meter::RoundTrips(RoundTripTimes::new(minimum)),
        }));
    }

    /// The measurements of delivery, if there are any.
    #[inline]
    pub(super) fn measure(&self) -> Option<&Measure> {
        match self.meter.as_deref() {
            Some(Meter::Rate(measure)) => Some(measure),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn measure_mut(&mut self) -> Option<&mut Measure> {
        match self.meter.as_deref_mut() {
            Some(Meter::Rate(measure)) => Some(measure),
            _ => None,
        }
    }

    /// Whether the counts for an ACK are needed. NewReno, the control of most connections, needs none.
    #[inline]
    fn control_needs_counts(&self) -> bool {
        !matches!(self.cc, AnyCc::NewReno(_))
            || self.meter.is_some()
            || ((self.params.linux_cwnd || self.params.prr) && !self.recovery.is_calm())
            || (self.params.linux_cwnd && self.expects_reordering())
    }

    /// The sender's state before an ACK.
    #[inline(always)]
    pub(super) fn before_ack(&self) -> BeforeAck {
        let counted = self.control_needs_counts();
        if !self.recovery.is_calm() {
            return self.count_before_ack(self.recovery.phase(), counted);
        }
        BeforeAck {
            phase: RecoveryPhase::Open,
            in_flight: if counted { self.snd.flight() } else { 0 },
            arrived: 0,
            lost: 0,
            counted,
        }
    }

    /// The same during a suspected or actual loss.
    #[inline(never)]
    fn count_before_ack(&self, phase: RecoveryPhase, counted: bool) -> BeforeAck {
        let outstanding = self.outstanding();
        let mut before = BeforeAck {
            phase,
            in_flight: 0,
            arrived: 0,
            lost: 0,
            counted,
        };
        if phase != RecoveryPhase::Open {
            before.lost = self.recovery.lost(&outstanding);
        }
        if counted {
            before.in_flight = self.recovery.pipe_without(&outstanding, before.lost);
            before.arrived = self.recovery.arrived(&outstanding);
        }
        before
    }

    /// Passes a processed ACK to the congestion control; `acked`: payload bytes.
    #[inline]
    pub(super) fn tell_control(
        &mut self,
        seg: &Segment,
        acked: u64,
        rtt: Option<SimDuration>,
        before: &BeforeAck,
        now: SimTime,
    ) {
        let cwnd_limited = self.may_grow(before);
        // On Linux data that the ACK reports beyond a gap count as well.
        let plain = !before.counted && (!self.params.linux_cwnd || self.recovery.is_calm());
        match &mut self.cc {
            AnyCc::NewReno(control) if plain => {
                control.on_acked(acked, before.phase, cwnd_limited);
            }
            _ => self.tell_control_all(seg, acked, rtt, before, cwnd_limited, now),
        }
    }

    /// Whether the window limits the sender and is not being reduced.
    #[inline]
    fn may_grow(&self, before: &BeforeAck) -> bool {
        (self.used_window() || before.phase == RecoveryPhase::Loss)
            && !self.recovery.is_reducing_for_ecn()
    }

    /// Octets newly known to have arrived from an ACK of `acked` octets.
    pub(super) fn newly_arrived(&self, acked: u64, before: &BeforeAck) -> u64 {
        let arrived = u64::from(self.recovery.arrived(&self.outstanding()));
        (acked + arrived).saturating_sub(before.arrived.into())
    }

    /// [`Connection::tell_control`] with all measurements.
    #[inline(never)]
    fn tell_control_all(
        &mut self,
        seg: &Segment,
        acked: u64,
        rtt: Option<SimDuration>,
        before: &BeforeAck,
        cwnd_limited: bool,
        now: SimTime,
    ) {
        let calm = self.recovery.is_calm();
        let (delivered, in_flight) = match calm {
            true => {
                let delivered = acked.saturating_sub(before.arrived.into());
                (delivered, self.snd.flight())
            }
            false => {
                let in_flight = self.recovery.pipe(&self.outstanding());
                (self.newly_arrived(acked, before), in_flight)
            }
        };
        let (echo, marked) = match self.rare {
            Some(_) => self.marks_of(seg, acked),
            None => (false, 0),
        };
        let mut ack = AckEvent {
            now,
            acked: self.counted(acked, delivered),
            delivered,
            lost: 0,
            lost_by_timer: 0,
            prior_in_flight: before.in_flight.into(),
            in_flight: in_flight.into(),
            una: self.snd.acked,
            nxt: self.snd.acked + u64::from(self.snd.flight()),
            phase: before.phase,
            cwnd_limited,
            rtt,
            srtt: self.rtt.srtt(),
            min_rtt: None,
            rate: None,
            ecn_echo: echo,
            marked,
        };
        if let Some(meter) = &mut self.meter {
            meter.complete(&mut ack, seg);
        } else if let Some(log) = self.recovery.log()
            && self.cc.needs_round_trips()
        {
            ack.rtt = log.latest_rtt().or(rtt);
            ack.min_rtt = log.min_rtt();
        }
        self.cc.on_ack(&ack);
        if self.meter.is_some() {
            self.stop_measuring_if_done();
        }
    }

    /// Whether the control or pacing needs measurements that the log does not have.
    fn wants_measuring(&self) -> bool {
        self.wants_rate() || (self.cc.needs_round_trips() && !self.keeps_log())
    }

    /// Whether the control or pacing needs more than round trips.
    fn wants_rate(&self) -> bool {
        self.is_paced() || self.cc.needs_measurements()
    }

    /// Stops measuring when neither the control nor pacing nor records need it any more.
    fn stop_measuring_if_done(&mut self) {
        let wanted = match self.meter.as_deref() {
            Some(Meter::RoundTrips(_)) => self.cc.needs_round_trips() && !self.keeps_log(),
            _ => self.wants_measuring(),
        };
        if !self.traced && !wanted {
            self.meter = None;
        }
    }

    /// Octets of an ACK that open the window. On Linux, those newly delivered: octets SACKed earlier, or
    /// counted for a duplicate ACK, were counted then, without growth unless the path is known to reorder
    /// (`tcp_may_raise_cwnd`).
    fn counted(&self, acked: u64, delivered: u64) -> u64 {
        if !self.params.linux_cwnd || acked == delivered {
            return acked;
        }
        if acked == 0 {
            return if self.expects_reordering() {
                delivered
            } else {
                0
            };
        }
        let least = if self.rcv.sack_ok { 0 } else { self.snd.mss };
        delivered.max(least.into())
    }

    /// Whether segments have overtaken each other by more than the threshold of duplicate ACKs, and SACK shows
    /// what a duplicate ACK delivers.
    #[inline]
    fn expects_reordering(&self) -> bool {
        if !self.rcv.sack_ok {
            return false;
        }
        let usual = self.params.dup_ack_threshold.saturating_mul(self.snd.mss);
        let log = self.recovery.log();
        log.is_some_and(|log| log.reordered_by() > usual)
    }

    /// Notes that `octets` from `seq` are sent, for the first time or `again`.
    #[inline]
    pub(super) fn note_departure(&mut self, seq: SeqNum, octets: u32, again: bool, now: SimTime) {
        match self.meter.as_deref_mut() {
            None => {}
            Some(Meter::RoundTrips(times)) if again => times.on_resent(seq, seq + octets, now),
            Some(Meter::RoundTrips(times)) => times.on_sent(seq + octets, octets, now),
            Some(Meter::Rate(_)) => self.measure_departure(seq, octets, again, now),
        }
    }

    #[inline(never)]
    fn measure_departure(&mut self, seq: SeqNum, octets: u32, again: bool, now: SimTime) {
        // New data are in flight by now; a retransmission is not yet counted.
        let pipe = self.recovery.pipe(&self.outstanding());
        let new = if again { 0 } else { octets };
        let in_flight = u64::from(pipe.saturating_sub(new));
        let rate = self.pacing_rate();
        let unpaced = self.params.unpaced_segments;
        let makes_up = self.params.pacing_makes_up;
        let Some(measure) = self.measure_mut() else {
            return;
        };
        let end = seq + octets;
        if again {
            measure.delivery.on_resent(seq, end, in_flight, now);
        } else {
            measure.delivery.on_sent(end, octets, in_flight, now);
        }
        measure.pace(octets, rate, (unpaced, makes_up), now);
    }

    /// Notes that the application limits sending: it has no more data although the network could take more.
    #[inline]
    pub(super) fn note_app_limit(&mut self) {
        if let Some(measure) = self.measure()
            && !(self.snd.flight() == 0 && measure.delivery.knows_pause())
        {
            self.measure_app_limit();
        }
    }

    #[inline(never)]
    fn measure_app_limit(&mut self) {
        let in_flight = u64::from(self.recovery.pipe(&self.outstanding()));
        let nothing_lost = self.recovery.lost(&self.outstanding()) == 0;
        let window = self.window();
        if let Some(measure) = self.measure_mut()
            && in_flight < window
            && nothing_lost
        {
            measure.delivery.on_app_limited(in_flight);
        }
    }
}

impl Measure {
    /// Adds the measurements to an ACK event.
    fn complete(&mut self, ack: &mut AckEvent, seg: &Segment) {
        let delivery = &mut self.delivery;
        delivery.on_acked(seg.ack, ack.now);
        each_sack(seg, |start, end| delivery.on_sacked(start, end, ack.now));
        if let Some(rtt) = self.delivery.take_rtt() {
            ack.rtt = Some(rtt);
        }
        ack.min_rtt = self.delivery.min_rtt();
        ack.rate = self.delivery.take_sample();
        ack.lost = std::mem::take(&mut self.lost);
        ack.lost_by_timer = std::mem::take(&mut self.lost_by_timer);
    }
}
