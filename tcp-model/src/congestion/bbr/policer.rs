//! The detection of token-bucket policers by long-term sampling, as in Linux's `tcp_bbr`.
//!
//! A policer lets bursts through and then drops what exceeds its rate, so that the largest delivery rate is more than it
//! allows for long. Two consecutive intervals with many losses and about the same delivery rate show one: BBR then paces
//! at that rate, without probing, for a number of round trips.

use sim_core::SimTime;

use super::Bbr;

/// An interval lasts at least this many round trips, and is given up after four times as many.
const LEAST_ROUNDS: u32 = 4;
/// An interval counts if the bytes lost are at least this share of those delivered: a sixth of those sent.
const LOSS_THRESHOLD: f64 = 50.0 / 256.0;
/// The rates of two intervals are about the same if they differ by no more than this share ...
const RATE_RATIO: f64 = 1.0 / 8.0;
/// ... or by no more than this many bytes a second.
const RATE_DIFFERENCE: f64 = 4000.0 / 8.0;
/// Round trips for which the rate of a policer is used.
const ROUNDS_IN_USE: u32 = 48;

/// What is known of a policer.
#[derive(Clone, Debug, Default)]
pub(super) enum Policer {
    /// No interval is being measured: the next loss begins one.
    #[default]
    Unsuspected,
    /// An interval is being measured; the rate of the interval before, if that had many losses, in bytes a second.
    Suspected {
        interval: LossInterval,
        before: Option<f64>,
    },
    /// Found, with its rate in bytes a second, this many round trips ago.
    Found { rate: f64, rounds: u32 },
}

/// An interval that begins and ends with a loss.
#[derive(Clone, Debug)]
pub(super) struct LossInterval {
    start: SimTime,
    /// Bytes delivered and lost before.
    delivered: u64,
    lost: u64,
    rounds: u32,
}

/// What an ACK or a time-out contributes.
#[derive(Clone, Copy, Debug)]
pub(super) struct PolicerEvidence {
    /// The time of the latest delivery.
    pub(super) now: SimTime,
    /// Losses have been found since the ACK before.
    pub(super) losses: bool,
    /// The application or the phase, not the network, may have limited the rate.
    pub(super) limited: bool,
}

impl Policer {
    /// The rate that it allows, if one was found.
    pub(super) fn rate(&self) -> Option<f64> {
        match self {
            Policer::Found { rate, .. } => Some(*rate),
            _ => None,
        }
    }
}

impl Bbr {
    /// The delivery rate that the path is thought to allow, bytes a second.
    pub(super) fn path_rate(&self) -> f64 {
        self.policer.rate().unwrap_or_else(|| self.bandwidth.get())
    }

    fn begin_interval(&self, now: SimTime) -> LossInterval {
        LossInterval {
            start: now,
            delivered: self.delivered,
            lost: self.lost,
            rounds: 0,
        }
    }

    /// Takes account of the time-outs before an ACK: each is a loss, and the end of a round trip, at the time of the
    /// last delivery before it. Done with the ACK, which brings the number of bytes lost.
    pub(super) fn take_time_outs(&mut self) -> bool {
        let time_outs = std::mem::take(&mut self.time_outs);
        let round_start = std::mem::replace(&mut self.round_start, true);
        for _ in 0..time_outs {
            self.watch_for_policer(&PolicerEvidence {
                now: self.delivered_at,
                losses: true,
                limited: false,
            });
        }
        self.round_start = round_start;
        time_outs > 0
    }

    /// Looks for a policer, or counts the round trips for which the rate of one is used.
    pub(super) fn watch_for_policer(&mut self, ack: &PolicerEvidence) {
        if !self.detects_policers {
            return;
        }
        let new_round = self.round_start;
        match &mut self.policer {
            Policer::Found { rounds, .. } => {
                if new_round && self.mode == super::BbrState::ProbeBw {
                    *rounds += 1;
                    if *rounds >= ROUNDS_IN_USE {
                        self.policer = Policer::Unsuspected;
                        self.enter_probe_bw(ack.now);
                    }
                }
            }
            // The first loss: the tokens are used up.
            Policer::Unsuspected if ack.losses && !ack.limited => {
                let mut interval = self.begin_interval(ack.now);
                interval.rounds += u32::from(new_round);
                let before = None;
                self.policer = Policer::Suspected { interval, before };
            }
            Policer::Unsuspected => {}
            Policer::Suspected { interval, before } => {
                interval.rounds += u32::from(new_round);
                let (interval, before) = (interval.clone(), *before);
                self.judge_interval(&interval, before, ack);
            }
        }
    }

    fn judge_interval(
        &mut self,
        interval: &LossInterval,
        before: Option<f64>,
        ack: &PolicerEvidence,
    ) {
        if ack.limited || interval.rounds > 4 * LEAST_ROUNDS {
            self.policer = Policer::Unsuspected;
            return;
        }
        let time = ack.now.since(interval.start).as_secs_f64();
        if interval.rounds < LEAST_ROUNDS || !ack.losses || time < 0.001 {
            return;
        }
        let delivered = (self.delivered - interval.delivered) as f64;
        let lost = (self.lost - interval.lost) as f64;
        if delivered == 0.0 || lost < LOSS_THRESHOLD * delivered {
            return;
        }
        let rate = delivered / time;
        self.policer = match before {
            Some(before) if is_about(rate, before) => Policer::Found {
                rate: (rate + before) / 2.0,
                rounds: 0,
            },
            _ => Policer::Suspected {
                interval: self.begin_interval(ack.now),
                before: Some(rate),
            },
        };
    }
}

/// Whether two rates are about the same.
fn is_about(rate: f64, before: f64) -> bool {
    let difference = (rate - before).abs();
    difference <= RATE_RATIO * before || difference <= RATE_DIFFERENCE
}

#[cfg(test)]
mod tests {
    use sim_core::SimDuration;

    use super::super::{ALGORITHM, Bbr, BbrState};
    use super::*;
    use crate::congestion::{
        AckEvent, Congestion, CongestionControl as _, CongestionEvent, ConnectionStart, Control,
        ControlValue, RateSample, SpuriousCongestion,
    };

    const ROUND: SimDuration = SimDuration::from_millis(100);

    /// A control in ProbeBW whose path lets bursts of 200 kB/s through.
    struct Policed {
        bbr: Bbr,
        now: SimTime,
        total: u64,
    }

    impl Policed {
        fn new(control: &Control) -> Policed {
            let mut bbr = Bbr::new(control);
            bbr.on_start(&ConnectionStart {
                mss: 1000,
                initial_window: 10_000,
                srtt: Some(ROUND),
            });
            bbr.full = true;
            bbr.mode = BbrState::ProbeBw;
            let now = SimTime::ZERO;
            let mut path = Policed { bbr, now, total: 0 };
            path.round(20_000, 0, false);
            path
        }

        /// A round trip that delivers `delivered` bytes, with one ACK, and in which `lost` are found lost.
        fn round(&mut self, delivered: u64, lost: u64, app_limited: bool) {
            self.now += ROUND;
            let prior_delivered = self.total;
            self.total += delivered;
            self.bbr.on_ack(&AckEvent {
                lost,
                delivered,
                rtt: Some(ROUND),
                rate: Some(RateSample {
                    delivered,
                    interval: ROUND,
                    prior_delivered,
                    total: self.total,
                    app_limited,
                    in_flight_at_send: delivered,
                }),
                ..AckEvent::plain(self.now, delivered)
            });
        }

        /// The rate at which it paces when it neither probes nor drains, bytes a second.
        fn rate(&self) -> u64 {
            (self.bbr.path_rate() + 0.5) as u64
        }
    }

    fn path() -> Policed {
        Policed::new(&Control::new(&ALGORITHM))
    }

    /// The first loss begins an interval of four round trips with 100 kB/s and losses of a quarter; the loss at its end
    /// begins the second.
    #[test]
    fn two_intervals_with_losses_and_equal_rates_show_a_policer_for_48_round_trips() {
        let mut path = path();
        path.round(10_000, 2500, false);
        // The round of the first loss counts, as in Linux: the fourth ends three later.
        for round in 0..7 {
            assert_eq!(path.rate(), 200_000, "round {round}");
            path.round(10_000, 2500, false);
        }
        assert_eq!(path.rate(), 100_000);
        assert_eq!(path.bbr.state(), "ProbeBW policed");
        // 1 % less, and no probing.
        assert_eq!(path.bbr.pacing_rate().map(|r| r.as_bps()), Some(99_000 * 8));
        let mut in_use = 0;
        while path.bbr.policer.rate().is_some() {
            path.round(10_000, 0, false);
            in_use += 1;
        }
        assert_eq!(in_use, 48);
    }

    #[test]
    fn what_does_not_show_a_policer() {
        // Rates and losses of the two intervals, the data delivered in each round.
        let seen = |first: (u64, u64), second: (u64, u64)| {
            let mut path = path();
            path.round(10_000, 1, false);
            (0..3).for_each(|_| path.round(first.0, first.1, false));
            (0..4).for_each(|_| path.round(second.0, second.1, false));
            path.bbr.policer.rate().is_some()
        };
        assert!(seen((10_000, 2500), (10_000, 2500)));
        assert!(seen((10_000, 2500), (11_000, 3000)), "a tenth more");
        assert!(!seen((10_000, 2500), (13_000, 3500)), "a third more");
        assert!(!seen((10_000, 1900), (10_000, 1900)), "19 % lost");
        assert!(!seen((10_000, 2500), (10_000, 0)), "none lost");
    }

    #[test]
    fn a_pause_of_the_application_and_a_long_interval_begin_again() {
        let mut path = path();
        (0..5).for_each(|_| path.round(10_000, 2500, false));
        assert!(matches!(path.bbr.policer, Policer::Suspected { .. }));
        path.round(10_000, 2500, true);
        assert!(matches!(path.bbr.policer, Policer::Unsuspected));
        path.round(10_000, 2500, false);
        (0..15).for_each(|_| path.round(10_000, 0, false));
        assert!(matches!(path.bbr.policer, Policer::Suspected { .. }));
        path.round(10_000, 0, false);
        assert!(matches!(path.bbr.policer, Policer::Unsuspected));
    }

    /// An interval ends with a loss: not with its fourth round trip, if nothing is lost in that.
    #[test]
    fn an_interval_lasts_until_a_loss() {
        let mut path = path();
        path.round(10_000, 1, false);
        (0..3).for_each(|_| path.round(10_000, 2500, false));
        (0..3).for_each(|_| path.round(10_000, 4000, false));
        path.round(10_000, 0, false);
        assert_eq!(path.bbr.policer.rate(), None);
        path.round(10_000, 1, false);
        assert_eq!(path.bbr.policer.rate(), Some(100_000.0));
    }

    #[test]
    fn rates_of_4_kbit_a_second_more_or_less_are_about_the_same() {
        assert!(is_about(1400.0, 1000.0) && is_about(1500.0, 1000.0));
        assert!(!is_about(1501.0, 1000.0) && is_about(9000.0, 8000.0));
        assert!(!is_about(9001.0, 8000.0) && is_about(7000.0, 8000.0));
    }

    /// A time-out counts as a loss at the end of a round trip, at the last delivery: the silence before it is no part of
    /// the interval that it ends, but of the next one.
    #[test]
    fn a_time_out_ends_an_interval_at_the_last_delivery() {
        let mut path = path();
        path.round(10_000, 1, false);
        // Rounds 2 and 3, in which a half is lost in all, and then the time-out.
        path.round(10_000, 4000, false);
        path.round(10_000, 0, false);
        path.bbr.on_congestion(&CongestionEvent {
            cause: Congestion::Timeout,
            now: path.now + SimDuration::from_secs(1),
            in_flight: 10_000,
            pipe: 0,
            gentle: false,
            whole: true,
        });
        path.now += SimDuration::from_secs(1);
        path.round(1000, 5000, false);
        let Policer::Suspected { interval, before } = &path.bbr.policer else {
            panic!("{:?}", path.bbr.policer);
        };
        // 20 kB in 200 ms; the ACK after the silence is the first round of the next.
        assert_eq!(*before, Some(100_000.0));
        assert_eq!((interval.rounds, interval.delivered), (1, 50_000));
    }

    #[test]
    fn an_undone_reduction_ends_the_suspicion() {
        let mut path = path();
        (0..5).for_each(|_| path.round(10_000, 2500, false));
        path.bbr.on_undo(&SpuriousCongestion {
            now: path.now,
            cwnd: 20_000,
            ssthresh: None,
        });
        assert!(matches!(path.bbr.policer, Policer::Unsuspected));
    }

    #[test]
    fn it_can_be_switched_off() {
        let off = Control::new(&ALGORITHM)
            .with("detect_policers", ControlValue::Switch(false))
            .unwrap();
        let mut path = Policed::new(&off);
        (0..20).for_each(|_| path.round(10_000, 2500, false));
        assert!(matches!(path.bbr.policer, Policer::Unsuspected));
    }
}
