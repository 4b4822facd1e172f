//! The list of named applications.

use sim_core::plugin::ModelKinds;

use super::heartbeat;
use super::named::AnyApplication;

/// The applications that come with the simulator.
pub fn built_in() -> ModelKinds<AnyApplication> {
    ModelKinds::new("application", vec![heartbeat::kind()])
}
