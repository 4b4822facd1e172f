//! Registration of a user's own parts by name: congestion controls, TCPs, applications, middleboxes, and
//! models of links.
//!
//! ```no_run
//! use scenarios::registry::Registry;
//! use tcp_model::congestion::{Algorithm, Control};
//! static MINE: Algorithm = Algorithm {
//!     doc: "does as NewReno does",
//!     ..Algorithm::own("mine", |_, context| Control::default().make(context))
//! };
//!
//! fn main() -> std::process::ExitCode {
//!     scenarios::cli::main_with(Registry::new().control(&MINE))
//! }
//! ```
//!
//! The program is then `synfin`, in which `tcp.congestion = "mine"` works in scenarios, sweeps and `--set`
//! like the built-in names.
//!
//! A [`Registry`] is a plain value until [`Registry::install`] registers its names for the whole process,
//! once, before scenarios are read. Names are resolved wherever a value is parsed - in scenario files,
//! `--set`, sweeps, the `run.toml` of a result and conformance scripts - none of which carries a registry.
//! Nothing is ever removed or replaced, so the meaning of a name never changes during a run, and the
//! versions of the parts that a run used belong to its identity. To use two parts under one name in a
//! process, construct them directly, without names: a [`Control`](tcp_model::congestion::Control) from its
//! algorithm, a TCP with [`TcpHost::with_model`](tcp_model::TcpHost::with_model), a link with its plug-ins.

use sim_core::LinkModels;
use sim_core::plugin::{ModelKind, ModelKinds};
use tcp_model::TcpParams;
use tcp_model::app;
use tcp_model::app::named::AnyApplication;
use tcp_model::congestion::{self, Algorithm};
use tcp_model::middlebox::{self, AnyMiddlebox};
use tcp_model::own_model::{self, OwnModel};

use crate::scenario::topology::{AlreadyInstalled, install_link_models, install_middleboxes};
use crate::scenario::workload::install_applications;

/// The parts to register; has no effect until installed.
#[derive(Debug, Default)]
pub struct Registry {
    controls: Vec<&'static Algorithm>,
    models: Vec<&'static OwnModel>,
    links: Option<LinkModels>,
    applications: Option<ModelKinds<AnyApplication>>,
    middleboxes: Option<ModelKinds<AnyMiddlebox>>,
}

/// Why a part cannot be registered; usually its name is taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RegistryError(String);

impl Registry {
    /// Only the built-in parts.
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

    /// Adds queue disciplines, loss, delay and rate models, for the keys of a link. They have no version:
    /// rename one whose behaviour changes, so that old results are not mistaken for new ones.
    #[must_use]
    pub fn links(mut self, add: impl FnOnce(&mut LinkModels)) -> Registry {
        add(self.links.get_or_insert_default());
        self
    }

    /// Adds an application, for `application` of a workload. It has no version: see
    /// [`Registry::links`].
    #[must_use]
    pub fn application(mut self, kind: ModelKind<AnyApplication>) -> Registry {
        let applications = self.applications.get_or_insert_with(app::built_in);
        applications.add(kind);
        self
    }

    /// Adds a middlebox, for `middlebox` of a router. It has no version: see [`Registry::links`].
    #[must_use]
    pub fn middlebox(mut self, kind: ModelKind<AnyMiddlebox>) -> Registry {
        let middleboxes = self.middleboxes.get_or_insert_with(middlebox::built_in);
        middleboxes.add(kind);
        self
    }

    /// Registers everything for the whole process. Call it before scenarios are read.
    ///
    /// # Errors
    /// When a name is taken, a control has too many parameters, or models of links, applications or
    /// middleboxes are installed after a scenario was read. Parts before the failing one stay registered.
    pub fn install(self) -> Result<(), RegistryError> {
        for algorithm in self.controls {
            congestion::register(algorithm).map_err(|e| RegistryError(e.to_string()))?;
        }
        if let Some(models) = self.links {
            install_link_models(models).map_err(|AlreadyInstalled| {
                RegistryError(
                    "models of links can be installed only once, before a scenario is read"
                        .to_owned(),
                )
            })?;
        }
        if let Some(kinds) = self.applications
            && !install_applications(kinds)
        {
            return Err(RegistryError(
                "applications can be installed only once, before a scenario is read".to_owned(),
            ));
        }
        if let Some(kinds) = self.middleboxes
            && !install_middleboxes(kinds)
        {
            return Err(RegistryError(
                "middleboxes can be installed only once, before a scenario is read".to_owned(),
            ));
        }
        for model in self.models {
            own_model::register_model(model).map_err(|name| {
                RegistryError(format!(
                    "there is a TCP model {name:?} already; register yours under another name"
                ))
            })?;
        }
        Ok(())
    }
}

/// The versions of a user's own parts, which belong to a run's identity since another version may give
/// other results. Empty for built-in parts, which are covered by the results version.
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
