//! Users' own TCPs, registered by name, so that a scenario can choose one: `tcp.model = "mine"`.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use crate::model::{OpenContext, TcpModel};

/// A user's own TCP that can be chosen by name.
#[derive(Debug)]
pub struct OwnModel {
    /// Its name in scenarios: lower case, words joined by hyphens.
    pub name: &'static str,
    /// What is special about it, in a sentence.
    pub doc: &'static str,
    /// Raised whenever it behaves differently, so that results of before are not taken for those
    /// of now.
    pub version: u32,
    /// Makes an end point.
    pub make: fn(OpenContext) -> Box<dyn TcpModel>,
}

/// Which TCP the connections of a host use.
#[derive(Clone, Copy, Default)]
pub struct ModelChoice(Option<&'static OwnModel>);

/// The name of the TCP that comes with the simulator, [`crate::Connection`].
pub const BUILT_IN_MODEL: &str = "full";

static REGISTERED: RwLock<Vec<&'static OwnModel>> = RwLock::new(Vec::new());

/// Makes a TCP known by its name, in all of the process. To be done before scenarios are read.
///
/// # Errors
/// The name, when it is taken.
pub fn register_model(model: &'static OwnModel) -> Result<(), &'static str> {
    let mut all = REGISTERED.write().unwrap_or_else(PoisonError::into_inner);
    if all.iter().any(|m| std::ptr::eq(*m, model)) {
        return Ok(());
    }
    if model.name == BUILT_IN_MODEL || all.iter().any(|m| m.name == model.name) {
        return Err(model.name);
    }
    all.push(model);
    Ok(())
}

/// The names there are.
pub fn model_names() -> Vec<&'static str> {
    let all = REGISTERED.read().unwrap_or_else(PoisonError::into_inner);
    let own = all.iter().map(|m| m.name);
    std::iter::once(BUILT_IN_MODEL).chain(own).collect()
}

impl ModelChoice {
    /// The TCP of that name; `None` when there is none.
    pub fn named(name: &str) -> Option<ModelChoice> {
        if name == BUILT_IN_MODEL {
            return Some(ModelChoice(None));
        }
        let all = REGISTERED.read().unwrap_or_else(PoisonError::into_inner);
        let found = all.iter().find(|m| m.name == name);
        found.map(|m| ModelChoice(Some(m)))
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.0.map_or(BUILT_IN_MODEL, |m| m.name)
    }

    /// The user's own TCP, if it is one.
    pub fn own(&self) -> Option<&'static OwnModel> {
        self.0
    }
}

impl PartialEq for ModelChoice {
    fn eq(&self, other: &ModelChoice) -> bool {
        self.name() == other.name()
    }
}

impl Eq for ModelChoice {}

impl fmt::Debug for ModelChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
