//! Workloads whose application has a name of its own: `application = { kind = "heartbeat" }`.

use std::sync::OnceLock;

use sim_core::plugin::{ModelKinds, Plugin};
use tcp_model::app::built_in;
use tcp_model::app::named::AnyApplication;

use super::WorkloadKind;
use crate::file::values::OrModel;
use crate::file::workload::WorkloadFile;
use crate::path::DottedPath;
use crate::problem::Problem;
use crate::scenario::topology::models;

static APPLICATIONS: OnceLock<ModelKinds<AnyApplication>> = OnceLock::new();

/// The applications known by name.
pub(crate) fn applications() -> &'static ModelKinds<AnyApplication> {
    APPLICATIONS.get_or_init(built_in)
}

/// Makes applications known by name in the whole process, in place of those that come with the
/// simulator; false when a scenario was read before.
pub(crate) fn install_applications(kinds: ModelKinds<AnyApplication>) -> bool {
    APPLICATIONS.set(kinds).is_ok()
}

/// Checks the application of a workload.
///
/// # Errors
/// When it is missing, unknown, or its parameters are not what it takes.
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
