//! Jitter: delay of single packets in addition to the propagation delay.

mod aggregation;
mod distribution;

use std::fmt;
use std::sync::Arc;

use crate::plugin::{ModelKind, ModelKinds, ModelParameter, Plugin, ValueKind};
use crate::rng::Rng;
use crate::time::{SimDuration, SimTime};

/// The delay models that come with the simulator.
pub fn built_in() -> ModelKinds<AnyDelay> {
    ModelKinds::new(
        "delay model",
        vec![
            exponential(),
            distribution::normal(),
            distribution::pareto(),
            distribution::empirical(),
            aggregation::kind(),
        ],
    )
}

/// The extra delay of packets.
#[derive(Clone, Debug, PartialEq)]
pub enum DelaySpec {
    /// Uniform between zero and this; packets may overtake each other.
    Uniform(SimDuration),
    /// As given by a model.
    Model(Plugin<AnyDelay>),
}

impl DelaySpec {
    /// The state at the beginning of a run.
    pub(crate) fn build(&self) -> AnyDelay {
        match self {
            DelaySpec::Uniform(most) => AnyDelay::Uniform(*most),
            DelaySpec::Model(plugin) => plugin.build(),
        }
    }

    /// True when packets can overtake each other.
    pub fn may_reorder(&self) -> bool {
        match self {
            DelaySpec::Uniform(most) => !most.is_zero(),
            DelaySpec::Model(plugin) => plugin.build().may_reorder(),
        }
    }
}

impl Default for DelaySpec {
    /// No extra delay.
    fn default() -> Self {
        DelaySpec::Uniform(SimDuration::ZERO)
    }
}

impl From<SimDuration> for DelaySpec {
    fn from(most: SimDuration) -> Self {
        DelaySpec::Uniform(most)
    }
}

impl From<Plugin<AnyDelay>> for DelaySpec {
    fn from(plugin: Plugin<AnyDelay>) -> Self {
        DelaySpec::Model(plugin)
    }
}

/// Delays packets one by one.
pub trait DelayModel: Send + fmt::Debug {
    /// The extra delay of the packet whose transmission ends at `departs`. Called once for each
    /// packet that is not lost, in order; `rng` is the link's own stream.
    fn extra(&mut self, departs: SimTime, rng: &mut Rng) -> SimDuration;

    /// Returns true if a packet may overtake one sent before it; otherwise packets wait for those
    /// before them.
    fn may_reorder(&self) -> bool {
        true
    }
}

/// Any delay model; calls to the built-in ones are dispatched by `match`.
#[derive(Debug)]
pub enum AnyDelay {
    /// Uniform between zero and this.
    Uniform(SimDuration),
    /// Exponential with this mean; packets keep their order if the flag is false.
    Exponential(SimDuration, bool),
    /// A user-defined model.
    Custom(Box<dyn DelayModel>),
}

impl AnyDelay {
    /// Wraps a user-defined model.
    pub fn custom(model: impl DelayModel + 'static) -> AnyDelay {
        AnyDelay::Custom(Box::new(model))
    }
}

impl DelayModel for AnyDelay {
    fn extra(&mut self, departs: SimTime, rng: &mut Rng) -> SimDuration {
        match self {
            AnyDelay::Uniform(most) => {
                SimDuration::from_ps(rng.below(most.as_ps().saturating_add(1)))
            }
            AnyDelay::Exponential(mean, _) => rng.exponential(*mean),
            AnyDelay::Custom(model) => model.extra(departs, rng),
        }
    }

    fn may_reorder(&self) -> bool {
        match self {
            AnyDelay::Uniform(most) => !most.is_zero(),
            AnyDelay::Exponential(_, reorders) => *reorders,
            AnyDelay::Custom(model) => model.may_reorder(),
        }
    }
}

/// Whether packets keep their order.
const REORDER: ModelParameter = ModelParameter::new(
    "reorder",
    ValueKind::Flag,
    "false",
    "packets may overtake each other; otherwise they keep their order",
);

/// An exponentially distributed delay, like that of a queue elsewhere on the path.
fn exponential() -> ModelKind<AnyDelay> {
    const PARAMETERS: &[ModelParameter] = &[
        ModelParameter::needed("mean", ValueKind::Duration, "the mean of the extra delay"),
        REORDER,
    ];
    ModelKind::new(
        "exponential",
        "an exponentially distributed extra delay",
        PARAMETERS,
        |values| {
            let (mean, reorders) = (values.duration("mean"), values.flag("reorder"));
            values.positive(&["mean"], "write for example 1 ms")?;
            Ok(Arc::new(move || AnyDelay::Exponential(mean, reorders)))
        },
    )
}
