//! Floods of SYNs, checked.

use tcp_model::spec::Arrivals;

use super::{WorkloadKind, exchange};
use crate::dotted_path::DottedPath;
use crate::file::workload::WorkloadFile;
use crate::problem::Problem;

/// Maximum number of source addresses, those of 198.18.0.0/15.
const MOST: u32 = 1 << 17;

/// Checks the keys of a flood.
///
/// # Errors
/// When something is missing, out of range or contradictory.
pub(super) fn read(file: &WorkloadFile, at: &DottedPath) -> Result<WorkloadKind, Problem> {
    let sources = file.sources.unwrap_or(MOST);
    if !(1..=MOST).contains(&sources) {
        return Err(Problem::new(
            at.key("sources"),
            format!("`sources` = {sources} must lie between 1 and {MOST}"),
        ));
    }
    let arrivals = exchange::arrivals_of(file, at)?;
    if matches!(arrivals, Arrivals::Closed { .. }) {
        return Err(Problem::new(
            at.key("arrivals").key("kind"),
            "a flood has no users that wait for an answer",
        )
        .help("write kind = \"poisson\" with a rate"));
    }
    Ok(WorkloadKind::SynFlood {
        arrivals,
        limit: exchange::limit_of(file, at)?,
        sources,
    })
}
