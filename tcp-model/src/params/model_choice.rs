//! The names of the available TCP models, one of which each host uses.

use std::fmt;
use std::sync::{PoisonError, RwLock};

/// The name of the built-in TCP model, [`crate::Connection`].
pub const BUILT_IN_MODEL: &str = "full";

/// The name of the TCP whose transfer follows a formula, [`crate::Lifecycle`].
pub const LIFECYCLE_MODEL: &str = "lifecycle";

/// Names of users' own TCP models.
static OWN_NAMES: RwLock<Vec<&'static str>> = RwLock::new(Vec::new());

/// The name of the TCP model that a host's connections use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ModelChoice(&'static str);

impl ModelChoice {
    /// The model with this name; `None` when there is none.
    pub fn named(name: &str) -> Option<ModelChoice> {
        model_names()
            .into_iter()
            .find(|known| *known == name)
            .map(ModelChoice)
    }

    /// Whether it is the TCP whose transfer follows a formula.
    pub fn is_lifecycle(&self) -> bool {
        self.0 == LIFECYCLE_MODEL
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.0
    }
}

impl Default for ModelChoice {
    fn default() -> Self {
        ModelChoice(BUILT_IN_MODEL)
    }
}

impl fmt::Debug for ModelChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Makes a user's own TCP model available under this name.
pub(crate) fn add_model_name(name: &'static str) {
    let mut names = OWN_NAMES.write().unwrap_or_else(PoisonError::into_inner);
    if !names.contains(&name) {
        names.push(name);
    }
}

/// All available names.
pub fn model_names() -> Vec<&'static str> {
    let own = OWN_NAMES.read().unwrap_or_else(PoisonError::into_inner);
    [BUILT_IN_MODEL, LIFECYCLE_MODEL]
        .into_iter()
        .chain(own.iter().copied())
        .collect()
}
