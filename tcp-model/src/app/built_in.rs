//! The list of applications that have a name.

use sim_core::plugin::ModelKinds;

use super::heartbeat;
use super::named::AnyApplication;

/// The applications that come with the simulator.
pub fn built_in() -> ModelKinds<AnyApplication> {
    ModelKinds::new("application", vec![heartbeat::kind()])
}
