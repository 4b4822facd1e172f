//! Runs without segments (`tcp.lifecycle_segments = false`).

use sim_core::Network;
use tcp_model::host::check_without_segments;
use tcp_model::spec::HostConfig;

use super::NodeExtra;
use crate::problem::Problem;
use crate::scenario::Scenario;

const KEY: &str = "tcp.lifecycle_segments";

/// Whether a run asks for connections without segments. Whether it can be simulated is seen when it is assembled.
pub fn is_wanted(scenario: &Scenario) -> bool {
    let mut all = scenario.tcp.all();
    all.any(|params| params.model.is_lifecycle() && !params.lifecycle_segments)
}

/// Whether its connections have no segments.
pub(super) fn check(
    network: &Network,
    hosts: &[Option<HostConfig>],
    extras: &[(sim_core::NodeId, NodeExtra)],
) -> Result<bool, Problem> {
    let refused = |why: String| {
        Problem::new(
            KEY.into(),
            format!("this run cannot be simulated without segments: {why}"),
        )
        .help("leave out `lifecycle_segments = false`, or what prevents it")
    };
    let wanted = check_without_segments(network, hosts).map_err(refused)?;
    if wanted && !extras.is_empty() {
        let why = "it has middleboxes, or nodes with faults";
        return Err(refused(why.to_owned()));
    }
    Ok(wanted)
}
