//! Time-outs of workloads, checked.

use sim_core::SimDuration;

use crate::dotted_path::DottedPath;
use crate::problem::Problem;

/// Checks a time that must not be zero.
///
/// # Errors
/// When it is zero.
pub(super) fn longer_than_zero(
    value: Option<SimDuration>,
    key: &str,
    at: &DottedPath,
) -> Result<Option<SimDuration>, Problem> {
    if value.is_some_and(SimDuration::is_zero) {
        return Err(
            Problem::new(at.key(key), format!("`{key}` must be longer than zero"))
                .help("leave it out for no time-out"),
        );
    }
    Ok(value)
}
