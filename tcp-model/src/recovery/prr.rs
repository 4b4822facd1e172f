//! Proportional Rate Reduction (RFC 9937): how much may be sent on each ACK of fast recovery, so that the
//! window shrinks to the congestion control's threshold without a pause or a burst.
//!
//! Deviation: the amount allowed by the proportional reduction is rounded up to whole segments, as on
//! Linux.

/// The state of one fast recovery, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prr {
    /// RecoverFS: in flight when recovery began.
    flight: u64,
    /// The window at the end.
    ssthresh: u64,
    /// prr_delivered: delivered since.
    delivered: u64,
    /// prr_out: sent since, new data and retransmissions.
    out: u64,
    /// The congestion window.
    window: u64,
}

/// An ACK of fast recovery, after loss detection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrrAck {
    /// Bytes it newly delivers.
    pub delivered: u64,
    /// Bytes still in flight: the pipe.
    pub in_flight: u64,
    /// It acknowledges new data and shows no further loss: SafeACK.
    pub safe: bool,
    /// Bytes of a full segment.
    pub mss: u64,
}

impl Prr {
    /// Recovery starts with `flight` bytes in flight; `ssthresh` is the new threshold, and `window` applies
    /// until the first ACK.
    pub fn new(flight: u64, ssthresh: u64, window: u64) -> Prr {
        Prr {
            flight: flight.max(1),
            ssthresh,
            delivered: 0,
            out: 0,
            window,
        }
    }

    /// Computes what may be sent on an ACK (section 6.2): the window becomes the data in flight plus that.
    pub fn on_ack(&mut self, ack: &PrrAck) {
        if ack.delivered == 0 {
            return;
        }
        self.delivered += ack.delivered;
        let allowed = if ack.in_flight > self.ssthresh {
            self.share()
                .next_multiple_of(ack.mss.max(1))
                .saturating_sub(self.out)
        } else {
            // PRR-CRB, plus one segment if there is no further loss: the slow-start reduction bound.
            let bound = self.delivered.saturating_sub(self.out).max(ack.delivered);
            let bound = bound + if ack.safe { ack.mss } else { 0 };
            bound.min(self.ssthresh - ack.in_flight)
        };
        // The first retransmission is sent at once.
        let least = if self.out == 0 { ack.mss } else { 0 };
        self.window = ack.in_flight + allowed.max(least);
    }

    /// `delivered * ssthresh / flight`, rounded up.
    fn share(&self) -> u64 {
        // A division of 128 bits costs many times one of 64.
        match self.delivered.checked_mul(self.ssthresh) {
            Some(product) => product.div_ceil(self.flight),
            None => {
                let product = u128::from(self.delivered) * u128::from(self.ssthresh);
                product.div_ceil(self.flight.into()) as u64
            }
        }
    }

    /// Notes bytes sent.
    pub fn on_sent(&mut self, octets: u64) {
        self.out += octets;
    }

    /// True before the first ACK.
    pub fn has_not_begun(&self) -> bool {
        self.delivered == 0
    }

    /// True when nothing has been sent since recovery began.
    pub fn sent_nothing(&self) -> bool {
        self.out == 0
    }

    /// The congestion window.
    pub fn window(&self) -> u64 {
        self.window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MSS: u64 = 1000;

    /// Sends as much as the window allows, in whole segments.
    fn send(prr: &mut Prr, in_flight: &mut u64) -> u64 {
        let n = prr.window().saturating_sub(*in_flight) / MSS;
        prr.on_sent(n * MSS);
        *in_flight += n * MSS;
        n
    }

    /// The next segment arrives and is acknowledged.
    fn ack(prr: &mut Prr, in_flight: &mut u64, safe: bool) -> u64 {
        *in_flight -= MSS;
        prr.on_ack(&PrrAck {
            delivered: MSS,
            in_flight: *in_flight,
            safe,
            mss: MSS,
        });
        send(prr, in_flight)
    }

    #[test]
    fn one_loss_of_twenty_halves_by_sending_on_every_other_ack() {
        // 20 segments, the first is lost, 19 SACKs arrive: three before recovery begins with the last of
        // them; the threshold is 10.
        let mut in_flight = 19 * MSS - 2 * MSS;
        let mut prr = Prr::new(20 * MSS, 10 * MSS, 0);
        let sent: Vec<u64> = (0..16)
            .map(|_| ack(&mut prr, &mut in_flight, false))
            .collect();
        let sends = |n: usize| sent[..n].iter().sum::<u64>();
        // Half of what is delivered, rounded up: 1, 1, 2, 2, 3, ...
        for n in 1..=12 {
            assert_eq!(sends(n), (n as u64).div_ceil(2), "after {n} ACKs");
        }
        assert!(sent.iter().all(|&n| n <= 1), "{sent:?}");
        assert_eq!(in_flight, 10 * MSS, "the threshold, once it is reached");
    }

    #[test]
    fn with_cubics_threshold_seven_of_ten_acks_send() {
        let mut in_flight = 100 * MSS;
        let mut prr = Prr::new(100 * MSS, 70 * MSS, 0);
        let sent: u64 = (0..50).map(|_| ack(&mut prr, &mut in_flight, true)).sum();
        assert_eq!(sent, 35);
    }

    #[test]
    fn the_share_is_exact_where_its_product_exceeds_64_bits() {
        for (flight, ssthresh, delivered, share) in [
            (1 << 40, 1 << 39, 1 << 30, 1 << 29),
            (3 << 40, 2 << 40, 10, 7),
        ] {
            let mut prr = Prr::new(flight, ssthresh, 0);
            prr.on_ack(&PrrAck {
                delivered,
                in_flight: flight,
                safe: true,
                mss: 1,
            });
            assert_eq!(prr.window(), flight + share);
        }
    }

    #[test]
    fn after_heavy_loss_it_sends_what_arrives_and_one_more_while_it_goes_well() {
        // Ten of 20 segments are lost: the pipe is below the threshold at once.
        for (safe, per_ack) in [(false, 1), (true, 2)] {
            let mut in_flight = 5 * MSS;
            let mut prr = Prr::new(20 * MSS, 10 * MSS, 0);
            let sent: Vec<u64> = (0..4)
                .map(|_| ack(&mut prr, &mut in_flight, safe))
                .collect();
            assert_eq!(sent, [per_ack; 4]);
        }
        // Never beyond the threshold.
        let mut in_flight = 9 * MSS;
        let mut prr = Prr::new(20 * MSS, 10 * MSS, 0);
        (0..10).for_each(|_| _ = ack(&mut prr, &mut in_flight, true));
        assert_eq!(in_flight, 10 * MSS);
    }

    #[test]
    fn the_first_retransmission_goes_at_once_and_an_ack_that_delivers_nothing_sends_nothing() {
        let mut prr = Prr::new(20 * MSS, 10 * MSS, 0);
        let mut in_flight = 10 * MSS;
        prr.on_ack(&PrrAck {
            delivered: MSS,
            in_flight,
            safe: false,
            mss: MSS,
        });
        assert_eq!(send(&mut prr, &mut in_flight), 1);
        prr.on_ack(&PrrAck {
            delivered: 0,
            in_flight,
            safe: true,
            mss: MSS,
        });
        assert_eq!(send(&mut prr, &mut in_flight), 0);
    }

    #[test]
    fn six_of_ten_lost_sends_one_and_then_three() {
        // Ten segments out, 2, 3 and 9 SACKed: six are lost, two are in flight, the threshold is 7
        // (CUBIC). Then 1 to 4 are acknowledged at once.
        let mut prr = Prr::new(10 * MSS, 7 * MSS, 0);
        let mut in_flight = MSS;
        prr.on_ack(&PrrAck {
            delivered: MSS,
            in_flight,
            safe: false,
            mss: MSS,
        });
        assert_eq!(send(&mut prr, &mut in_flight), 1);
        in_flight -= MSS;
        prr.on_ack(&PrrAck {
            delivered: 2 * MSS,
            in_flight,
            safe: true,
            mss: MSS,
        });
        assert_eq!(send(&mut prr, &mut in_flight), 3);
    }
}
