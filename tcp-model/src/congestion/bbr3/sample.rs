//! What an ACK shows: the draft's RS.

use super::Bbr3;
use crate::congestion::{AckEvent, RateSample};

/// The current ACK, as the draft's RS: bytes and bytes a second.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bbr3Sample {
    pub(super) rate: f64,
    pub(super) delivered: f64,
    pub(super) acked: f64,
    pub(super) in_flight_at_send: f64,
    pub(super) in_flight: f64,
    pub(super) app_limited: bool,
    pub(super) cwnd_limited: bool,
    /// Lost in the current round trip.
    pub(super) lost: f64,
}

impl Bbr3 {
    pub(super) fn sample(&self, ack: &AckEvent) -> Bbr3Sample {
        let rate = |s: &RateSample| s.delivered as f64 / s.interval.as_secs_f64();
        let base = Bbr3Sample {
            acked: ack.delivered as f64,
            in_flight: ack.in_flight as f64,
            cwnd_limited: ack.cwnd_limited,
            lost: self.lost_in_round,
            ..Bbr3Sample::default()
        };
        match &ack.rate {
            None => base,
            Some(s) => Bbr3Sample {
                rate: rate(s),
                delivered: s.delivered as f64,
                in_flight_at_send: s.in_flight_at_send as f64,
                app_limited: s.app_limited || (s.prior_delivered as f64) < self.little_until,
                ..base
            },
        }
    }
}
