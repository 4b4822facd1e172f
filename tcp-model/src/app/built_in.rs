//! The list of named applications.

use sim_core::plugin::ModelKinds;

use super::named::AnyApplication;
use super::{heartbeat, simultaneous_open};

/// The applications that come with the simulator.
pub fn built_in() -> ModelKinds<AnyApplication> {
    ModelKinds::new(
        "application",
        vec![heartbeat::kind(), simultaneous_open::kind()],
    )
}
