//! Named middleboxes: `middlebox = { kind = "syn-limit", rate = 100 }`.

use std::sync::OnceLock;

use sim_core::plugin::{ModelKinds, Plugin};
use tcp_model::middlebox::{BoxedMiddlebox, built_in};

use super::{DottedPath, Problem, models};
use crate::file::values::{MiddleboxOnly, OrModel};

static MIDDLEBOXES: OnceLock<ModelKinds<BoxedMiddlebox>> = OnceLock::new();

/// The named middleboxes.
pub(crate) fn middleboxes() -> &'static ModelKinds<BoxedMiddlebox> {
    MIDDLEBOXES.get_or_init(built_in)
}

/// Replaces the built-in set of middleboxes for the whole process; false if a scenario has already been read.
pub(crate) fn install_middleboxes(kinds: ModelKinds<BoxedMiddlebox>) -> bool {
    MIDDLEBOXES.set(kinds).is_ok()
}

/// Checks the middlebox of a router.
///
/// # Errors
/// When it is unknown, or its parameters are wrong.
pub(super) fn read(
    file: &OrModel<MiddleboxOnly>,
    at: &DottedPath,
) -> Result<Plugin<BoxedMiddlebox>, Problem> {
    match file {
        OrModel::Plain(never) => match *never {},
        OrModel::Model(model) => models::plugin(model, middleboxes(), &[], at),
    }
}

/// The middlebox as it would be written.
pub(super) fn to_file(plugin: &Plugin<BoxedMiddlebox>) -> OrModel<MiddleboxOnly> {
    OrModel::Model(models::to_file(plugin))
}
