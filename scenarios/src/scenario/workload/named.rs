//! Workloads that run a named application: `application = { kind = "heartbeat" }`.

use std::sync::OnceLock;

use sim_core::plugin::{ModelKinds, Plugin};
use tcp_model::app::built_in;
use tcp_model::app::named::AnyApplication;

use super::WorkloadKind;
use crate::dotted_path::DottedPath;
use crate::file::values::OrModel;
use crate::file::workload::WorkloadFile;
use crate::problem::Problem;
use crate::scenario::topology::models;

static APPLICATIONS: OnceLock<ModelKinds<AnyApplication>> = OnceLock::new();

/// The named applications.
pub(crate) fn applications() -> &'static ModelKinds<AnyApplication> {
    APPLICATIONS.get_or_init(built_in)
}

/// Replaces the built-in set of applications for the whole process; false if a scenario has already been
/// read.
pub(crate) fn install_applications(kinds: ModelKinds<AnyApplication>) -> bool {
    APPLICATIONS.set(kinds).is_ok()
}

/// Checks the application of a workload.
///
/// # Errors
/// When it is missing or unknown, or its parameters are wrong.
pub(super) fn read(file: &WorkloadFile, at: &DottedPath) -> Result<WorkloadKind, Problem> {
    let Some(OrModel::Model(model)) = &file.application else {
        let message = format!("`application` is missing in {at}");
        let help = "add application = { kind = \"heartbeat\", interval = \"1 s\" }";
        return Err(Problem::new(at.clone(), message).help(help));
    };
    let at = at.key("application");
    Ok(WorkloadKind::Named {
        application: models::plugin(model, applications(), &[], &at)?,
    })
}

/// The application as it would be written.
pub(super) fn to_file(application: &Plugin<AnyApplication>) -> crate::file::values::ModelFile {
    models::to_file(application)
}
