//! Loss on the wire: independent for each packet, or in bursts.

mod gilbert_elliott;
mod list;
mod periodic;

use std::fmt;

pub use gilbert_elliott::GilbertElliott;

use crate::plugin::{ModelKinds, Plugin};
use crate::rng::Rng;
use crate::time::SimTime;

/// The loss models that come with the simulator.
pub fn built_in() -> ModelKinds<AnyLoss> {
    ModelKinds::new(
        "loss model",
        vec![
            gilbert_elliott::kind(),
            periodic::periodic(),
            periodic::burst(),
            list::kind(),
        ],
    )
}

/// How a link loses packets.
#[derive(Clone, Debug, PartialEq)]
pub enum LossSpec {
    /// Each packet independently with this probability.
    Random(f64),
    /// As decided by a model with state.
    Model(Plugin<AnyLoss>),
}

impl LossSpec {
    /// The state at the beginning of a run.
    pub(crate) fn build(&self) -> AnyLoss {
        match self {
            LossSpec::Random(p) => AnyLoss::Random(*p),
            LossSpec::Model(plugin) => plugin.build(),
        }
    }
}

impl Default for LossSpec {
    /// No loss.
    fn default() -> Self {
        LossSpec::Random(0.0)
    }
}

impl From<f64> for LossSpec {
    fn from(probability: f64) -> Self {
        LossSpec::Random(probability)
    }
}

impl From<Plugin<AnyLoss>> for LossSpec {
    fn from(plugin: Plugin<AnyLoss>) -> Self {
        LossSpec::Model(plugin)
    }
}

/// Decides for each packet that a link sends whether it is lost.
pub trait LossModel: Send + fmt::Debug {
    /// Returns true if the packet whose transmission ends at `departs` is lost. Called once for
    /// each packet sent, in order; `rng` is the link's own stream.
    fn is_lost(&mut self, departs: SimTime, rng: &mut Rng) -> bool;
}

/// Any loss model; calls to the built-in ones are dispatched by `match`.
#[derive(Debug)]
pub enum AnyLoss {
    /// Each packet with this probability.
    Random(f64),
    /// [`GilbertElliott`].
    GilbertElliott(GilbertElliott),
    /// A user-defined model.
    Custom(Box<dyn LossModel>),
}

impl AnyLoss {
    /// Wraps a user-defined model.
    pub fn custom(model: impl LossModel + 'static) -> AnyLoss {
        AnyLoss::Custom(Box::new(model))
    }
}

impl LossModel for AnyLoss {
    fn is_lost(&mut self, departs: SimTime, rng: &mut Rng) -> bool {
        match self {
            AnyLoss::Random(p) => rng.chance(*p),
            AnyLoss::GilbertElliott(model) => model.is_lost(departs, rng),
            AnyLoss::Custom(model) => model.is_lost(departs, rng),
        }
    }
}
