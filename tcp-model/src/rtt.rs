//! Round-trip time estimation and the retransmission time-out: RFC 6298, and Linux's variation.

use sim_core::SimDuration;

use crate::seq::SeqNum;
use crate::timer_granularity::TimerGranularity;

/// How the time-out is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtoBounds {
    /// Before any sample.
    pub initial: SimDuration,
    /// Minimum.
    pub min: SimDuration,
    /// Maximum.
    pub max: SimDuration,
    /// Added to every time-out, also after back-off, except the first without a sample.
    pub slop: SimDuration,
    /// Use Linux's estimate: see [`RttEstimator`].
    pub linux: bool,
    /// Time-outs are whole ticks of these timers.
    pub timers: TimerGranularity,
}

/// The current estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum RttEstimate {
    NoSample,
    Measured {
        srtt: SimDuration,
        rttvar: SimDuration,
    },
    Linux(Deviation),
}

/// SRTT, RTTVAR, and the time-out with its back-off.
///
/// By RFC 6298, RTO = max(minimum, SRTT + 4 RTTVAR). Linux takes a sample from every acknowledgement and
/// keeps the largest deviation of each round trip; the minimum applies to that deviation instead of the
/// sum: RTO = SRTT + max(minimum, deviation).
///
/// Clock granularity: G is a picosecond in the RFC's estimate, a microsecond in Linux's, and the
/// time-out is then whole ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RttEstimator {
    estimate: RttEstimate,
    rto: SimDuration,
}

/// Linux's estimate in microseconds; scaled for integer arithmetic: four times the mean deviation, eight
/// times the round trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Deviation {
    srtt8: u32,
    mdev4: u32,
    /// Largest of `mdev4` in this round trip, at least the minimum.
    max4: u32,
    /// The deviation used for the time-out.
    var4: u32,
    /// The round trip ends when this is acknowledged.
    round: SeqNum,
}

impl Deviation {
    fn first(r: u32, floor: u32, nxt: SeqNum) -> Deviation {
        let mdev4 = r.saturating_mul(2);
        let var4 = mdev4.max(floor);
        Deviation {
            srtt8: r.saturating_mul(8).max(1),
            mdev4,
            max4: var4,
            var4,
            round: nxt,
        }
    }

    fn update(&mut self, r: u32, floor: u32, una: SeqNum, nxt: SeqNum) {
        let error = i64::from(r) - i64::from(self.srtt8 / 8);
        self.srtt8 = (i64::from(self.srtt8) + error).clamp(1, u32::MAX.into()) as u32;
        let mut change = error.abs() - i64::from(self.mdev4 / 4);
        if error < 0 && change > 0 {
            // A shorter round trip should not increase the time-out: weight it by an eighth (an idea of the
            // Eifel algorithm).
            change /= 8;
        }
        self.mdev4 = (i64::from(self.mdev4) + change).clamp(0, u32::MAX.into()) as u32;
        if self.mdev4 > self.max4 {
            self.max4 = self.mdev4;
            self.var4 = self.var4.max(self.max4);
        }
        if una.after(self.round) {
            self.var4 -= self.var4.saturating_sub(self.max4) / 4;
            self.round = nxt;
            self.max4 = floor;
        }
    }
}

/// Microseconds, limited to 2^28 so that eight times the value fits.
fn micros(d: SimDuration) -> u32 {
    (d.as_ps() / 1_000_000).min(1 << 28) as u32
}

impl RttEstimator {
    /// No sample yet; RFC 6298 rule 2.1.
    pub fn new(bounds: &RtoBounds) -> RttEstimator {
        RttEstimator {
            estimate: RttEstimate::NoSample,
            rto: bounds.initial,
        }
    }

    /// Takes a sample from a segment sent once (the caller applies Karn's rule); ends back-off. `una` and
    /// `nxt` are SND.UNA and SND.NXT.
    pub fn on_sample(&mut self, r: SimDuration, una: SeqNum, nxt: SeqNum, bounds: &RtoBounds) {
        if bounds.linux {
            let (r, floor) = (micros(r), micros(bounds.min));
            match &mut self.estimate {
                RttEstimate::Linux(deviation) => deviation.update(r, floor, una, nxt),
                other => *other = RttEstimate::Linux(Deviation::first(r, floor, nxt)),
            }
        } else {
            // RFC 6298 rules 2.2 and 2.3; RTTVAR before SRTT, alpha = 1/8, beta = 1/4.
            let (srtt, rttvar) = match self.estimate {
                RttEstimate::Measured { srtt, rttvar } => {
                    ((srtt * 7 + r) / 8, (rttvar * 3 + srtt.abs_diff(r)) / 4)
                }
                _ => (r, r / 2),
            };
            self.estimate = RttEstimate::Measured { srtt, rttvar };
        }
        self.recompute(bounds);
    }

    fn recompute(&mut self, bounds: &RtoBounds) {
        let base = match self.estimate {
            RttEstimate::NoSample => bounds.initial,
            RttEstimate::Measured { srtt, rttvar } => {
                (srtt + rttvar * 4).max(bounds.min) + bounds.slop
            }
            RttEstimate::Linux(d) => SimDuration::from_micros(u64::from(d.srtt8 / 8 + d.var4)),
        };
        self.rto = bounds.timers.round_up(base).min(bounds.max);
    }

    /// Ends the back-off without a new sample.
    pub fn end_back_off(&mut self, bounds: &RtoBounds) {
        self.recompute(bounds);
    }

    /// Doubles the time-out, rule 5.5.
    pub fn back_off(&mut self, bounds: &RtoBounds) {
        // The first time-out without a sample has no slop.
        let bare = self.estimate == RttEstimate::NoSample && self.rto <= bounds.initial;
        let base = match bare {
            true => self.rto,
            false => self.rto.saturating_sub(bounds.slop),
        };
        self.rto = (base * 2 + bounds.slop).min(bounds.max);
    }

    /// Rule 5.7: after a retransmitted SYN, data start with at least three seconds, unless there is a
    /// sample.
    pub fn after_syn_loss(&mut self) {
        if self.estimate == RttEstimate::NoSample {
            self.rto = self.rto.max(SimDuration::from_secs(3));
        }
    }

    /// The current time-out.
    pub fn rto(&self) -> SimDuration {
        self.rto
    }

    /// The smoothed round-trip time.
    pub fn srtt(&self) -> Option<SimDuration> {
        match self.estimate {
            RttEstimate::NoSample => None,
            RttEstimate::Measured { srtt, .. } => Some(srtt),
            RttEstimate::Linux(d) => Some(SimDuration::from_micros(u64::from(d.srtt8 / 8))),
        }
    }

    /// Its mean deviation.
    pub fn rttvar(&self) -> Option<SimDuration> {
        match self.estimate {
            RttEstimate::NoSample => None,
            RttEstimate::Measured { rttvar, .. } => Some(rttvar),
            RttEstimate::Linux(d) => Some(SimDuration::from_micros(u64::from(d.mdev4 / 4))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const Z: SeqNum = SeqNum(0);
    const RFC: RtoBounds = RtoBounds {
        initial: SimDuration::from_secs(1),
        min: SimDuration::from_secs(1),
        max: SimDuration::from_secs(60),
        slop: SimDuration::ZERO,
        linux: false,
        timers: TimerGranularity::Exact,
    };
    const FREEBSD: RtoBounds = RtoBounds {
        min: SimDuration::from_millis(30),
        slop: SimDuration::from_millis(200),
        ..RFC
    };
    const LINUX: RtoBounds = RtoBounds {
        min: SimDuration::from_millis(200),
        linux: true,
        ..RFC
    };

    #[test]
    fn samples_move_the_estimate_as_the_rfc_says() {
        let secs = SimDuration::from_secs;
        let mut e = RttEstimator::new(&RFC);
        assert_eq!(e.rto(), secs(1));
        e.on_sample(secs(1), Z, Z, &RFC);
        assert_eq!((e.srtt(), e.rto()), (Some(secs(1)), secs(3)));
        e.on_sample(secs(2), Z, Z, &RFC);
        // RTTVAR = 3/4 * 0.5 + 1/4 * 1 = 0.625; SRTT = 7/8 + 2/8 = 1.125; RTO = 3.625.
        let ms = SimDuration::from_millis;
        assert_eq!((e.srtt(), e.rto()), (Some(ms(1125)), ms(3625)));
    }

    #[test]
    fn the_time_out_keeps_its_bounds_and_backs_off() {
        let ms = SimDuration::from_millis;
        let mut rfc = RttEstimator::new(&RFC);
        rfc.on_sample(ms(100), Z, Z, &RFC);
        assert_eq!(rfc.rto(), SimDuration::from_secs(1));
        let mut linux = RttEstimator::new(&LINUX);
        (0..40).for_each(|_| linux.on_sample(ms(100), Z, Z, &LINUX));
        assert_eq!(linux.rto(), ms(300));
        linux.back_off(&LINUX);
        assert_eq!(linux.rto(), ms(600));
        (0..20).for_each(|_| linux.back_off(&LINUX));
        assert_eq!(linux.rto(), SimDuration::from_secs(60));
        linux.on_sample(ms(100), Z, Z, &LINUX);
        assert_eq!(linux.rto(), ms(300));
    }

    #[test]
    fn a_lost_syn_raises_the_first_data_time_out() {
        let mut e = RttEstimator::new(&RFC);
        e.after_syn_loss();
        assert_eq!(e.rto(), SimDuration::from_secs(3));
        e.on_sample(SimDuration::from_millis(50), Z, Z, &RFC);
        e.after_syn_loss();
        assert_eq!(e.rto(), SimDuration::from_secs(1));
    }

    #[test]
    fn linux_keeps_the_largest_deviation_of_a_round_trip() {
        let ms = SimDuration::from_millis;
        let s = SeqNum;
        let mut e = RttEstimator::new(&LINUX);
        // The first sample: the deviation counts half the round trip, four times.
        e.on_sample(ms(400), s(0), s(1000), &LINUX);
        assert_eq!(e.rto(), ms(1200));
        // The same again within the round trip: the deviation falls, the time-out does not follow.
        (0..20).for_each(|_| e.on_sample(ms(400), s(1000), s(1000), &LINUX));
        assert_eq!(e.rto(), ms(1200));
        // The next round trip takes the largest deviation of the one before, by a quarter.
        e.on_sample(ms(400), s(1001), s(2000), &LINUX);
        assert_eq!(e.rto(), ms(1200)); // the first one's was 800 ms throughout
        e.on_sample(ms(400), s(2001), s(3000), &LINUX);
        assert_eq!(e.rto(), ms(400 + 800 - 150));
        // A longer round trip counts at once: srtt = 500 ms, deviation 4 * 800 / 4.
        e.on_sample(ms(1200), s(2500), s(3000), &LINUX);
        assert!(e.rto() > ms(500 + 800), "{}", e.rto());
    }

    #[test]
    fn the_time_out_is_whole_ticks() {
        let bounds = RtoBounds {
            timers: TimerGranularity::Hz250,
            ..LINUX
        };
        let mut e = RttEstimator::new(&bounds);
        for i in 0..40 {
            let sample = SimDuration::from_micros(100_157);
            e.on_sample(sample, SeqNum(i * 100), SeqNum(i * 100 + 50), &bounds);
        }
        assert_eq!(e.rto(), SimDuration::from_millis(304));
        e.back_off(&bounds);
        assert_eq!(e.rto(), SimDuration::from_millis(608));
    }

    #[test]
    fn freebsd_adds_slop_to_every_time_out_except_the_first() {
        let ms = SimDuration::from_millis;
        let mut rtt = RttEstimator::new(&FREEBSD);
        let mut seen = vec![rtt.rto()];
        for _ in 0..3 {
            rtt.back_off(&FREEBSD);
            seen.push(rtt.rto());
        }
        assert_eq!(seen, [ms(1000), ms(2200), ms(4200), ms(8200)]);
        rtt.on_sample(ms(100), Z, Z, &FREEBSD);
        let mut seen = vec![rtt.rto()];
        for _ in 0..2 {
            rtt.back_off(&FREEBSD);
            seen.push(rtt.rto());
        }
        assert_eq!(seen, [ms(500), ms(800), ms(1400)]);
    }
}
