//! The runs that a command line selects, and the directory of their results.

use std::path::{Path, PathBuf};

use reports::store::resolve;

use super::scenario_args::ScenarioArgs;
use crate::console::CommandError;
use crate::output_dir::default_dir;
use crate::overrides::Override;
use crate::problem::SourceText;
use crate::sweep::Plan;

/// The runs that `synfin run` executes and `synfin plan` describes.
pub(super) struct WantedRuns {
    pub(super) source: SourceText,
    /// The values that the command line sets.
    pub(super) changes: Vec<Override>,
    pub(super) plan: Plan,
    /// The directory of the results.
    pub(super) dir: PathBuf,
    /// Which runs `--filter` chooses, in the order of the plan; `None` for all.
    pub(super) only: Option<Vec<bool>>,
}

impl WantedRuns {
    /// Reads the scenario, expands it into runs, and determines the directory of their results.
    ///
    /// # Errors
    /// When the scenario, `--out` or `--filter` is invalid.
    pub(super) fn new(
        scenario: &ScenarioArgs,
        out: Option<&Path>,
        filter: Option<&str>,
    ) -> Result<WantedRuns, CommandError> {
        let (source, changes) = (scenario.source()?, scenario.changes()?);
        let plan = scenario.plan(&source)?;
        let dir = match out {
            Some(out) => resolve(out).map_err(|e| CommandError::Usage(format!("error: {e}")))?,
            None => default_dir(&plan.name, &changes),
        };
        let only = filter.map(|filter| plan.matching(filter)).transpose();
        let only = only.map_err(|e| CommandError::Usage(format!("error: --filter {e}")))?;
        Ok(WantedRuns {
            source,
            changes,
            plan,
            dir,
            only,
        })
    }
}
