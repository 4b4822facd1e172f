//! What a program of a user's own adds by name: congestion controls and TCPs.
//!
//! ```no_run
//! use scenarios::registry::Registry;
//! use tcp_model::congestion::{Algorithm, Control};
//! static MINE: Algorithm = Algorithm {
//!     doc: "does as NewReno does",
//!     ..Algorithm::own("mine", |_, params| Control::default().make(params))
//! };
//!
//! fn main() -> std::process::ExitCode {
//!     scenarios::cli::main_with(Registry::new().control(&MINE))
//! }
//! ```
//!
//! The program is then `synfin`, and `tcp.congestion = "mine"` works in scenarios, sweeps and
//! `--set` like the names that come with it.

use tcp_model::TcpParams;
use tcp_model::congestion::{self, Algorithm};
use tcp_model::own_model::{self, OwnModel};

/// What is to be known by name.
#[derive(Debug, Default)]
pub struct Registry {
    controls: Vec<&'static Algorithm>,
    models: Vec<&'static OwnModel>,
}

/// A name is taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is a {what} {name:?} already; register yours under another name")]
pub struct NameTaken {
    what: &'static str,
    name: String,
}

impl Registry {
    /// Nothing but what comes with the simulator.
    pub fn new() -> Registry {
        Registry::default()
    }

    /// Adds a congestion control, for `tcp.congestion`.
    #[must_use]
    pub fn control(mut self, algorithm: &'static Algorithm) -> Registry {
        self.controls.push(algorithm);
        self
    }

    /// Adds a TCP, for `tcp.model`.
    #[must_use]
    pub fn tcp_model(mut self, model: &'static OwnModel) -> Registry {
        self.models.push(model);
        self
    }

    /// Makes everything known, in all of the process, before scenarios are read.
    ///
    /// # Errors
    /// When a name is taken; what came before it is known.
    pub fn install(self) -> Result<(), NameTaken> {
        for algorithm in self.controls {
            congestion::register(algorithm).map_err(|_| NameTaken {
                what: "congestion control",
                name: algorithm.name.to_owned(),
            })?;
        }
        for model in self.models {
            own_model::register_model(model).map_err(|name| NameTaken {
                what: "TCP model",
                name: name.to_owned(),
            })?;
        }
        Ok(())
    }
}

/// The versions of what is a user's own, as part of a run's identity: another version gives other
/// results. Empty for what comes with the simulator, whose version is that of results.
pub(crate) fn versions<'a>(all: impl Iterator<Item = &'a TcpParams>) -> String {
    let mut text = String::new();
    for params in all {
        if !params.congestion.is_built_in() {
            let own = params.congestion.algorithm();
            text.push_str(&format!(
                "congestion control {} {}\n",
                own.name, own.version
            ));
        }
        if let Some(own) = params.model.own() {
            text.push_str(&format!("TCP model {} {}\n", own.name, own.version));
        }
    }
    text
}
