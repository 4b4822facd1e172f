//! Varying rates, random or recorded, such as those of a radio link.

mod exponential;
mod trace;
mod two_state;

use std::fmt;

pub use two_state::TwoStateRate;

use crate::plugin::ModelKinds;
use crate::rng::Rng;
use crate::time::SimTime;
use crate::units::Rate;

/// The rate processes that come with the simulator.
pub fn built_in() -> ModelKinds<AnyRate> {
    let kinds = vec![two_state::kind(), exponential::kind(), trace::kind()];
    ModelKinds::new("rate process", kinds)
}

/// Decides how long a transmission takes.
pub trait RateProcess: Send + fmt::Debug {
    /// The end of the transmission of `bytes` bytes that begins at `start`; not before `start`.
    /// Calls come in order of time and do not overlap. `nominal` is the link's rate at `start`,
    /// `rng` its own stream.
    fn end_of_transmission(
        &mut self,
        start: SimTime,
        bytes: u32,
        nominal: Option<Rate>,
        rng: &mut Rng,
    ) -> SimTime;
}

/// Any rate process; calls to the built-in ones are dispatched by `match`.
#[derive(Debug)]
pub enum AnyRate {
    /// [`TwoStateRate`].
    TwoState(TwoStateRate),
    /// A user-defined process.
    Custom(Box<dyn RateProcess>),
}

impl AnyRate {
    /// Wraps a user-defined process.
    pub fn custom(process: impl RateProcess + 'static) -> AnyRate {
        AnyRate::Custom(Box::new(process))
    }
}

impl RateProcess for AnyRate {
    fn end_of_transmission(
        &mut self,
        start: SimTime,
        bytes: u32,
        nominal: Option<Rate>,
        rng: &mut Rng,
    ) -> SimTime {
        match self {
            AnyRate::TwoState(process) => process.end_of_transmission(start, bytes, nominal, rng),
            AnyRate::Custom(process) => process.end_of_transmission(start, bytes, nominal, rng),
        }
    }
}
