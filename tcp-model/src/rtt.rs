//! Round-trip time estimation and the retransmission time-out (RFC 6298).

use sim_core::SimDuration;

/// How the time-out is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtoBounds {
    /// Before any sample.
    pub initial: SimDuration,
    /// Least.
    pub min: SimDuration,
    /// Largest.
    pub max: SimDuration,
    /// Where the least applies: to the whole time-out (RFC 6298 rule 2.4) or, as Linux does it, to
    /// the variance term alone, so that RTO = SRTT + max(min, 4 RTTVAR).
    pub min_on_variance: bool,
}

/// The estimator's knowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Estimate {
    NoSample,
    Measured {
        srtt: SimDuration,
        rttvar: SimDuration,
    },
}

/// SRTT, RTTVAR, and the time-out with its back-off.
///
/// Leaves out clock granularity: G is one picosecond of simulated time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RttEstimator {
    estimate: Estimate,
    rto: SimDuration,
}

impl RttEstimator {
    /// No sample yet; RFC 6298 rule 2.1.
    pub fn new(bounds: &RtoBounds) -> RttEstimator {
        RttEstimator {
            estimate: Estimate::NoSample,
            rto: bounds.initial,
        }
    }

    /// Takes a sample of a segment that was sent once (Karn's rule is the caller's); ends back-off.
    pub fn on_sample(&mut self, r: SimDuration, bounds: &RtoBounds) {
        // RFC 6298 rules 2.2 and 2.3; RTTVAR before SRTT, alpha = 1/8, beta = 1/4.
        let (srtt, rttvar) = match self.estimate {
            Estimate::NoSample => (r, r / 2),
            Estimate::Measured { srtt, rttvar } => {
                ((srtt * 7 + r) / 8, (rttvar * 3 + srtt.abs_diff(r)) / 4)
            }
        };
        self.estimate = Estimate::Measured { srtt, rttvar };
        self.recompute(bounds);
    }

    fn recompute(&mut self, bounds: &RtoBounds) {
        let base = match self.estimate {
            Estimate::NoSample => bounds.initial,
            Estimate::Measured { srtt, rttvar } if bounds.min_on_variance => {
                srtt + (rttvar * 4).max(bounds.min)
            }
            Estimate::Measured { srtt, rttvar } => (srtt + rttvar * 4).max(bounds.min),
        };
        self.rto = base.min(bounds.max);
    }

    /// Doubles the time-out, rule 5.5.
    pub fn back_off(&mut self, bounds: &RtoBounds) {
        self.rto = (self.rto * 2).min(bounds.max);
    }

    /// Rule 5.7: after a SYN had to be sent again, data begins with at least three seconds, unless
    /// a sample is there.
    pub fn after_syn_loss(&mut self) {
        if self.estimate == Estimate::NoSample {
            self.rto = self.rto.max(SimDuration::from_secs(3));
        }
    }

    /// The current time-out.
    pub fn rto(&self) -> SimDuration {
        self.rto
    }

    /// Its mean deviation.
    pub fn rttvar(&self) -> Option<SimDuration> {
        match self.estimate {
            Estimate::NoSample => None,
            Estimate::Measured { rttvar, .. } => Some(rttvar),
        }
    }

    /// The smoothed round-trip time.
    pub fn srtt(&self) -> Option<SimDuration> {
        match self.estimate {
            Estimate::NoSample => None,
            Estimate::Measured { srtt, .. } => Some(srtt),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC: RtoBounds = RtoBounds {
        initial: SimDuration::from_secs(1),
        min: SimDuration::from_secs(1),
        max: SimDuration::from_secs(60),
        min_on_variance: false,
    };
    const LINUX: RtoBounds = RtoBounds {
        min: SimDuration::from_millis(200),
        min_on_variance: true,
        ..RFC
    };

    #[test]
    fn samples_move_the_estimate_as_the_rfc_says() {
        let secs = SimDuration::from_secs;
        let mut e = RttEstimator::new(&RFC);
        assert_eq!(e.rto(), secs(1));
        e.on_sample(secs(1), &RFC);
        assert_eq!((e.srtt(), e.rto()), (Some(secs(1)), secs(3)));
        e.on_sample(secs(2), &RFC);
        // RTTVAR = 3/4 * 0.5 + 1/4 * 1 = 0.625; SRTT = 7/8 + 2/8 = 1.125; RTO = 3.625.
        let ms = SimDuration::from_millis;
        assert_eq!((e.srtt(), e.rto()), (Some(ms(1125)), ms(3625)));
    }

    #[test]
    fn the_time_out_keeps_its_bounds_and_backs_off() {
        let ms = SimDuration::from_millis;
        let mut rfc = RttEstimator::new(&RFC);
        rfc.on_sample(ms(100), &RFC);
        assert_eq!(rfc.rto(), SimDuration::from_secs(1));
        let mut linux = RttEstimator::new(&LINUX);
        (0..40).for_each(|_| linux.on_sample(ms(100), &LINUX));
        assert_eq!(linux.rto(), ms(300));
        linux.back_off(&LINUX);
        assert_eq!(linux.rto(), ms(600));
        (0..20).for_each(|_| linux.back_off(&LINUX));
        assert_eq!(linux.rto(), SimDuration::from_secs(60));
        linux.on_sample(ms(100), &LINUX);
        assert_eq!(linux.rto(), ms(300));
    }

    #[test]
    fn a_lost_syn_raises_the_first_data_time_out() {
        let mut e = RttEstimator::new(&RFC);
        e.after_syn_loss();
        assert_eq!(e.rto(), SimDuration::from_secs(3));
        e.on_sample(SimDuration::from_millis(50), &RFC);
        e.after_syn_loss();
        assert_eq!(e.rto(), SimDuration::from_secs(1));
    }
}
