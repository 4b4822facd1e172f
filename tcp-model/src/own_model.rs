//! Users' own TCPs, registered by name, so that a scenario can choose one: `tcp.model = "mine"`.

use std::sync::{PoisonError, RwLock};

use crate::lifecycle::Lifecycle;
use crate::model::{OpenContext, TcpModel};
use crate::params::add_model_name;
pub use crate::params::{BUILT_IN_MODEL, LIFECYCLE_MODEL, ModelChoice, model_names};

/// A user's own TCP that can be chosen by name.
#[derive(Debug)]
pub struct OwnModel {
    /// Its name in scenarios: lower case, words joined by hyphens.
    pub name: &'static str,
    /// A one-sentence description.
    pub doc: &'static str,
    /// Raise it whenever behaviour changes, so that old results are not mistaken for new ones.
    pub version: u32,
    /// Creates an end point.
    pub make: fn(OpenContext) -> Box<dyn TcpModel>,
}

/// The library's second TCP in the form of a user's own.
static LIFECYCLE: OwnModel = OwnModel {
    name: LIFECYCLE_MODEL,
    doc: "simulates handshake, close and TIME-WAIT, and computes the transfer by formula",
    version: 1,
    make: |context| Box::new(Lifecycle::new(context)),
};

static REGISTERED: RwLock<Vec<&'static OwnModel>> = RwLock::new(Vec::new());

/// Registers a TCP by name, for the whole process. Call it before scenarios are read.
///
/// # Errors
/// The name, if it is taken.
pub fn register_model(model: &'static OwnModel) -> Result<(), &'static str> {
    let mut all = REGISTERED.write().unwrap_or_else(PoisonError::into_inner);
    if all.iter().any(|m| std::ptr::eq(*m, model)) {
        return Ok(());
    }
    let built_in = [BUILT_IN_MODEL, LIFECYCLE_MODEL];
    if built_in.contains(&model.name) || all.iter().any(|m| m.name == model.name) {
        return Err(model.name);
    }
    all.push(model);
    add_model_name(model.name);
    Ok(())
}

impl ModelChoice {
    /// The registered model that creates its end points; `None` for [`BUILT_IN_MODEL`].
    pub fn own(&self) -> Option<&'static OwnModel> {
        if self.name() == BUILT_IN_MODEL {
            return None;
        }
        if self.is_lifecycle() {
            return Some(&LIFECYCLE);
        }
        let all = REGISTERED.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|m| m.name == self.name()).copied()
    }
}
