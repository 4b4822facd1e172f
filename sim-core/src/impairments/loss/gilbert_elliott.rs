//! Gilbert-Elliott: a channel that is good or bad, and loses more while it is bad.
//!
//! Gilbert (1960), "Capacity of a burst-noise channel"; Elliott (1963), "Estimates of error rates
//! for codes on burst-noise channels". The state changes from packet to packet; the first one is drawn from
//! the stationary distribution, so that the first packet is lost with the same probability as any other.

use std::sync::Arc;

use super::{AnyLoss, LossModel};
use crate::plugin::{InvalidValue, ModelKind, ModelParameter, ModelValues, Plugin, ValueKind};
use crate::rng::Rng;
use crate::time::SimTime;

const PARAMETERS: &[ModelParameter] = &[
    ModelParameter::needed(
        "good_to_bad",
        ValueKind::Probability,
        "the probability that a packet finds the channel turned bad",
    ),
    ModelParameter::needed(
        "bad_to_good",
        ValueKind::Probability,
        "the probability that a packet finds the channel turned good again; bad spells last 1 / bad_to_good packets on average",
    ),
    ModelParameter::new(
        "loss_in_good",
        ValueKind::Probability,
        "0",
        "the probability of loss while the channel is good",
    ),
    ModelParameter::new(
        "loss_in_bad",
        ValueKind::Probability,
        "1",
        "the probability of loss while the channel is bad",
    ),
];

/// Gilbert-Elliott as a kind of loss model.
pub(super) fn kind() -> ModelKind<AnyLoss> {
    ModelKind::new(
        "gilbert-elliott",
        "loss in bursts: a channel that is good or bad (Gilbert 1960, Elliott 1963)",
        PARAMETERS,
        |values: &ModelValues| {
            let model = GilbertElliott::new(
                [values.number("good_to_bad"), values.number("bad_to_good")],
                [values.number("loss_in_good"), values.number("loss_in_bad")],
            );
            if model.turns == [0.0, 0.0] {
                return Err(InvalidValue::new(
                    "good_to_bad",
                    "and `bad_to_good` must not both be zero: the channel would never change",
                    "write for example good_to_bad = 0.01 and bad_to_good = 0.3",
                ));
            }
            Ok(Arc::new(move || AnyLoss::GilbertElliott(model)))
        },
    )
}

/// The channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GilbertElliott {
    /// Probability of turning bad while good, and of turning good while bad.
    turns: [f64; 2],
    /// Probability of loss while good, and while bad.
    loss: [f64; 2],
    /// `None` before the first packet.
    is_bad: Option<bool>,
}

impl GilbertElliott {
    /// A channel that turns bad with probability `turns[0]` from one packet to the next and good
    /// again with `turns[1]`, and loses packets with probability `loss[0]` while it is good and
    /// `loss[1]` while it is bad.
    pub fn new(turns: [f64; 2], loss: [f64; 2]) -> GilbertElliott {
        GilbertElliott {
            turns,
            loss,
            is_bad: None,
        }
    }

    /// The channel as a plugin for a link.
    pub fn plugin(self) -> Plugin<AnyLoss> {
        let text = [self.turns, self.loss].map(|pair| pair.map(|p| p.to_string()));
        let [[to_bad, to_good], [good, bad]] = &text;
        let given = [
            ("good_to_bad", to_bad.as_str()),
            ("bad_to_good", to_good),
            ("loss_in_good", good),
            ("loss_in_bad", bad),
        ];
        kind().plugin(&given).unwrap_or_else(|_| {
            Plugin::of("gilbert-elliott", move || AnyLoss::GilbertElliott(self))
        })
    }

    /// The share of packets that find the channel bad in the long run.
    pub fn bad_share(&self) -> f64 {
        let [to_bad, to_good] = self.turns;
        if to_bad + to_good == 0.0 {
            return 0.0;
        }
        to_bad / (to_bad + to_good)
    }
}

impl LossModel for GilbertElliott {
    fn is_lost(&mut self, _departs: SimTime, rng: &mut Rng) -> bool {
        let is_bad = match self.is_bad {
            None => rng.chance(self.bad_share()),
            Some(was_bad) => was_bad ^ rng.chance(self.turns[usize::from(was_bad)]),
        };
        self.is_bad = Some(is_bad);
        rng.chance(self.loss[usize::from(is_bad)])
    }
}
