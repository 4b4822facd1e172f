//! The names of the TCPs there are, of which a host uses one.

use std::fmt;
use std::sync::{PoisonError, RwLock};

/// The name of the TCP that comes with the simulator, [`crate::Connection`].
pub const BUILT_IN_MODEL: &str = "full";

/// The name of the TCP whose transfer goes by formula, [`crate::Lifecycle`].
pub const LIFECYCLE_MODEL: &str = "lifecycle";

/// Those of users' own TCPs.
static OWN_NAMES: RwLock<Vec<&'static str>> = RwLock::new(Vec::new());

/// Which TCP the connections of a host use: the name of one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ModelChoice(&'static str);

impl ModelChoice {
    /// The TCP of that name; `None` when there is none.
    pub fn named(name: &str) -> Option<ModelChoice> {
        model_names()
            .into_iter()
            .find(|known| *known == name)
            .map(ModelChoice)
    }

    /// It is the TCP whose transfer goes by formula.
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

/// Lets parameters choose a user's own TCP by this name.
pub(crate) fn add_model_name(name: &'static str) {
    let mut names = OWN_NAMES.write().unwrap_or_else(PoisonError::into_inner);
    if !names.contains(&name) {
        names.push(name);
    }
}

/// The names there are.
pub fn model_names() -> Vec<&'static str> {
    let own = OWN_NAMES.read().unwrap_or_else(PoisonError::into_inner);
    [BUILT_IN_MODEL, LIFECYCLE_MODEL]
        .into_iter()
        .chain(own.iter().copied())
        .collect()
}
