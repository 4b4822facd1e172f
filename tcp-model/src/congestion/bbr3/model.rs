//! The model of the path (draft-ietf-ccwg-bbr section 5.5): rounds, bandwidth, losses, aggregation,
//! the smallest round trip.

use sim_core::SimTime;

use super::{
    AckEvent, AckPhase, Bbr3, Bbr3Sample, Bbr3State, MIN_RTT_INTERVALS, PROBE_RTT_TIME, SavedBounds,
};

/// The pipe is full if the rate grows by less than this for this many rounds.
const FULL_GROWTH: f64 = 1.25;
const FULL_ROUNDS: u32 = 3;
/// BBRStartupFullLossCnt.
const FULL_LOSSES: u32 = 6;
/// BBR.MaxBwFilterLen, cycles.
const RATE_CYCLES: u64 = 2;
/// BBR.ExtraAckedFilterLen, rounds.
const EXTRA_ROUNDS: u64 = 10;

impl Bbr3 {
    /// NoteLoss and HandleLostPacket, section 5.5.10.2, for the losses of an ACK.
    pub(super) fn note_losses(&mut self, ack: &AckEvent) {
        if ack.lost == 0 {
            return;
        }
        if !self.loss_in_round {
            self.loss_round = self.delivered;
            self.save_state();
        }
        self.loss_in_round = true;
        self.loss_events += 1;
        self.lost_in_round += ack.lost as f64;
        if !self.probe_sample {
            return;
        }
        let sample = self.sample(ack);
        if self.is_too_high(&sample) {
            self.handle_too_high(&sample, ack.now);
        }
    }

    /// IsInflightTooHigh.
    pub(super) fn is_too_high(&self, sample: &Bbr3Sample) -> bool {
        let in_flight = sample.in_flight_at_send;
        in_flight > 0.0 && sample.lost > in_flight * self.loss_threshold
    }

    fn handle_too_high(&mut self, sample: &Bbr3Sample, now: SimTime) {
        self.too_high = true;
        self.probe_sample = false;
        if !sample.app_limited {
            let least = self.bdp(1.0).min(self.cwnd) * self.beta;
            self.long = sample.in_flight_at_send.max(least);
        }
        if self.state == Bbr3State::Up {
            if let Some(saved) = &mut self.saved {
                saved.state = Some(Bbr3State::Up);
            }
            self.start_down(now);
        }
    }

    /// SaveStateUponLoss.
    pub(super) fn save_state(&mut self) {
        self.saved = Some(SavedBounds {
            state: None,
            rate_short: self.rate_short,
            short: self.short,
            long: self.long,
        });
    }

    /// Undoes what an unnecessary recovery has changed (section 5.5.11.2).
    pub(super) fn restore_state(&mut self) {
        self.loss_in_round = false;
        self.reset_full();
        let Some(saved) = self.saved.take() else {
            return;
        };
        self.rate_short = self.rate_short.max(saved.rate_short);
        self.short = self.short.max(saved.short);
        self.long = self.long.max(saved.long);
        match saved.state {
            Some(Bbr3State::Startup) if self.state != Bbr3State::Startup => {
                self.full_reached = false;
                if self.state != Bbr3State::ProbeRtt {
                    self.state = Bbr3State::Startup;
                }
            }
            Some(Bbr3State::Up) if !matches!(self.state, Bbr3State::Up | Bbr3State::ProbeRtt) => {
                self.start_refill();
            }
            _ => {}
        }
    }

    /// UpdateLatestDeliverySignals, section 5.5.10.3.
    pub(super) fn update_latest(&mut self, ack: &AckEvent, sample: &Bbr3Sample) {
        self.loss_round_start = false;
        self.round_start = false;
        let Some(rate) = &ack.rate else {
            return;
        };
        self.delivered = rate.total as f64;
        self.rate_latest = self.rate_latest.max(sample.rate);
        self.latest = self.latest.max(sample.delivered);
        let sent_at = rate.prior_delivered as f64;
        if sent_at >= self.loss_round {
            self.loss_round = self.delivered;
            self.loss_round_start = true;
        }
        if sent_at >= self.next_round {
            self.start_round();
            self.rounds += 1;
            self.rounds_since_probe += 1;
            self.round_start = true;
        }
    }

    pub(super) fn start_round(&mut self) {
        self.next_round = self.delivered;
    }

    /// UpdateCongestionSignals.
    pub(super) fn update_congestion(&mut self, ack: &AckEvent, sample: &Bbr3Sample) {
        let known = self.max_rate.get();
        if ack.rate.is_some() && sample.rate > 0.0 && (!sample.app_limited || sample.rate >= known)
        {
            self.max_rate
                .update(RATE_CYCLES - 1, self.cycle_count, sample.rate);
        }
        if !self.loss_round_start {
            return;
        }
        let probing = matches!(
            self.state,
            Bbr3State::Startup | Bbr3State::Refill | Bbr3State::Up
        );
        if self.loss_in_round && !probing {
            self.lower_bounds();
        }
        self.loss_in_round = false;
    }

    /// InitLowerBounds and LossLowerBounds.
    fn lower_bounds(&mut self) {
        let (rate, volume) = (self.max_rate.get(), self.cwnd);
        let short = |value: f64, first: f64| if value.is_infinite() { first } else { value };
        let rate = short(self.rate_short, rate);
        let volume = short(self.short, volume);
        self.rate_short = self.rate_latest.max(self.beta * rate);
        self.short = self.latest.max(self.beta * volume);
    }

    pub(super) fn reset_short_term(&mut self) {
        self.rate_short = f64::INFINITY;
        self.short = f64::INFINITY;
    }

    pub(super) fn reset_congestion(&mut self) {
        self.loss_in_round = false;
        self.rate_latest = 0.0;
        self.latest = 0.0;
    }

    /// UpdateACKAggregation, section 5.5.9.
    pub(super) fn measure_aggregation(&mut self, now: SimTime, acked: f64) {
        let mut expected = self.rate * now.since(self.extra_since).as_secs_f64();
        if self.extra_delivered <= expected {
            (self.extra_delivered, self.extra_since, expected) = (0.0, now, 0.0);
        }
        self.extra_delivered += acked;
        let extra = (self.extra_delivered - expected).min(self.cwnd);
        let span = if self.full_reached { EXTRA_ROUNDS } else { 1 };
        self.extra.update(span, self.rounds, extra);
    }

    pub(super) fn reset_full(&mut self) {
        (self.full_rate, self.full_count, self.full_now) = (0.0, 0, false);
    }

    /// CheckFullBWReached, section 5.3.1.2.
    pub(super) fn check_full(&mut self, sample: &Bbr3Sample) {
        if self.full_now || !self.round_start || sample.app_limited {
            return;
        }
        if sample.rate >= self.full_rate * FULL_GROWTH {
            self.reset_full();
            self.full_rate = sample.rate;
            return;
        }
        self.full_count += 1;
        self.full_now = self.full_count >= FULL_ROUNDS;
        self.full_reached |= self.full_now;
    }

    /// CheckStartupDone, with the exit for high loss of section 5.3.1.3.
    pub(super) fn check_startup(&mut self, sample: &Bbr3Sample) {
        if self.round_start && self.state == Bbr3State::Startup && self.in_recovery {
            self.loss_rounds += 1;
            let lossy =
                self.loss_rounds > 1 && self.loss_events >= FULL_LOSSES && self.is_too_high(sample);
            if lossy && !self.full_reached {
                if let Some(saved) = &mut self.saved {
                    saved.state = Some(Bbr3State::Startup);
                }
                self.full_reached = true;
                self.long = self.bdp(1.0).max(self.latest);
            }
        }
        if self.round_start {
            (self.lost_in_round, self.loss_events) = (0.0, 0);
        }
        if self.state == Bbr3State::Startup && self.full_reached {
            self.state = Bbr3State::Drain;
            self.drain_start = self.rounds;
        }
    }

    /// UpdateMinRTT, section 5.3.4.3.
    pub(super) fn update_min_rtt(&mut self, ack: &AckEvent) {
        let seen = *self.probe_min_at.get_or_insert(ack.now);
        self.probe_expired = ack.now.since(seen) > self.probe_rtt_interval;
        if let Some(rtt) = ack.rtt
            && (self.probe_expired || self.probe_min.is_none_or(|min| rtt < min))
        {
            (self.probe_min, self.probe_min_at) = (Some(rtt), Some(ack.now));
        }
        let memory = self.probe_rtt_interval * MIN_RTT_INTERVALS;
        let stale = ack.now.since(self.min_rtt_at) > memory;
        if let Some(probe) = self.probe_min
            && (stale || self.min_rtt.is_none_or(|min| probe < min))
        {
            self.min_rtt = Some(probe);
            self.min_rtt_at = self.probe_min_at.unwrap_or(ack.now);
        }
    }

    /// CheckProbeRTT.
    pub(super) fn check_probe_rtt(&mut self, ack: &AckEvent) {
        if self.state != Bbr3State::ProbeRtt && self.probe_expired && !self.idle {
            self.save_window();
            self.state = Bbr3State::ProbeRtt;
            self.probe_done = None;
            self.ack_phase = AckPhase::Stopping;
            self.start_round();
        }
        if self.state == Bbr3State::ProbeRtt {
            self.handle_probe_rtt(ack);
        }
        if ack.delivered > 0 {
            self.idle = false;
        }
    }

    fn handle_probe_rtt(&mut self, ack: &AckEvent) {
        // Rate samples of data sent now are ignored.
        self.little_until = self.delivered + ack.in_flight as f64;
        if self.probe_done.is_none() {
            if ack.in_flight as f64 <= self.probe_rtt_window() {
                self.probe_done = Some(ack.now.saturating_add(PROBE_RTT_TIME));
                self.probe_round_done = false;
                self.start_round();
            }
            return;
        }
        self.probe_round_done |= self.round_start;
        if self.probe_round_done {
            self.check_probe_rtt_done(ack.now);
        }
    }

    /// CheckProbeRTTDone and ExitProbeRTT.
    pub(super) fn check_probe_rtt_done(&mut self, now: SimTime) {
        if self.probe_done.is_none_or(|done| now <= done) {
            return;
        }
        self.probe_min_at = Some(now);
        self.restore_window();
        self.reset_short_term();
        if self.full_reached {
            self.start_down(now);
            self.state = Bbr3State::Cruise;
        } else {
            self.state = Bbr3State::Startup;
        }
    }
}
