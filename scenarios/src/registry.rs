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
//! This program is `synfin` with one more name: `tcp.congestion = "mine"` works in scenarios, sweeps and
//! `--set` like the built-in names.
//!
//! A [`Registry`] is a plain value until [`Registry::install`] registers its names for the whole process,
//! once, before scenarios are read. The names are global because they are resolved wherever a value is
//! parsed: in scenario files, `--set`, sweeps, the `run.toml` of a result and conformance scripts, none of
//! which has access to a registry. Nothing is ever removed or replaced, so the meaning of a name never
//! changes during a run, and the versions of the parts that a run used belong to its identity. To use two
//! parts with the same name in a process, construct them directly: a
//! [`Control`](tcp_model::congestion::Control) from its algorithm, a TCP with
//! [`TcpHost::with_model`](tcp_model::TcpHost::with_model), a link with its plug-ins.

use sim_core::LinkModels;
use sim_core::impairments::{DelaySpec, LossSpec};
use sim_core::plugin::{ModelKind, ModelKinds};
use sim_core::queue_disc::QueueSpec;
use tcp_model::app;
use tcp_model::app::named::AnyApplication;
use tcp_model::congestion::{self, Algorithm};
use tcp_model::middlebox::{self, BoxedMiddlebox};
use tcp_model::own_model::{self, OwnModel};

use crate::scenario::Scenario;
use crate::scenario::topology::{AlreadyInstalled, install_link_models, install_middleboxes};
use crate::scenario::workload::{WorkloadKind, install_applications};

/// Parts to register; they have no effect until [`Registry::install`].
#[derive(Debug, Default)]
pub struct Registry {
    controls: Vec<&'static Algorithm>,
    models: Vec<&'static OwnModel>,
    links: Option<LinkModels>,
    applications: Option<ModelKinds<AnyApplication>>,
    middleboxes: Option<ModelKinds<BoxedMiddlebox>>,
}

/// Why a part cannot be registered; usually its name is taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RegistryError(String);

impl Registry {
    /// Creates a registry with only the built-in parts.
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

    /// Adds queue disciplines, loss, delay and rate models, for the keys of a link. Raise the
    /// [version](ModelKind::with_version) of one whose behaviour changes, so that old results are not mistaken
    /// for new ones.
    #[must_use]
    pub fn links(mut self, add: impl FnOnce(&mut LinkModels)) -> Registry {
        add(self.links.get_or_insert_default());
        self
    }

    /// Adds an application, for `application` of a workload; for its version see
    /// [`Registry::links`].
    #[must_use]
    pub fn application(mut self, kind: ModelKind<AnyApplication>) -> Registry {
        let applications = self.applications.get_or_insert_with(app::built_in);
        applications.add(kind);
        self
    }

    /// Adds a middlebox, for `middlebox` of a router; for its version see [`Registry::links`].
    #[must_use]
    pub fn middlebox(mut self, kind: ModelKind<BoxedMiddlebox>) -> Registry {
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

/// The versions of a user's own parts, which belong to a run's identity because another version may give
/// other results. Built-in parts are left out: the results version covers them.
pub(crate) fn versions(scenario: &Scenario) -> String {
    let mut text = String::new();
    for params in scenario.tcp.all() {
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
    add_model_versions(scenario, &mut text);
    text
}

/// Adds the versions of models whose version is not 1.
fn add_model_versions(scenario: &Scenario, text: &mut String) {
    let mut add = |what: &str, name: &str, version: u32| {
        if version != 1 {
            text.push_str(&format!("{what} {name} {version}\n"));
        }
    };
    for link in &scenario.topology.links {
        for way in [&link.there, &link.back] {
            if let QueueSpec::Managed(queue) = &way.queue {
                add("queue discipline", queue.name(), queue.version());
            }
            if let Some(rate) = &way.rate_process {
                add("rate process", rate.name(), rate.version());
            }
            if let LossSpec::Model(loss) = &way.impairments.loss {
                add("loss model", loss.name(), loss.version());
            }
            if let DelaySpec::Model(delay) = &way.impairments.extra_delay {
                add("delay model", delay.name(), delay.version());
            }
        }
    }
    for middlebox in scenario
        .topology
        .routers
        .iter()
        .filter_map(|r| r.middlebox.as_ref())
    {
        add("middlebox", middlebox.name(), middlebox.version());
    }
    for workload in &scenario.workloads {
        if let WorkloadKind::Named { application } = &workload.kind {
            add("application", application.name(), application.version());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_spec::RunSpec;

    /// Puts a model of this version into a scenario.
    type Put = fn(&mut Scenario, u32);

    const EACH: [Put; 6] = [
        |scenario, version| {
            let queue = model(&LinkModels::default().queues, "codel", version, &[]);
            topology(scenario).links[0].there.queue = QueueSpec::Managed(queue);
        },
        |scenario, version| {
            let given = [("other", "1 Mbit/s")];
            let rate = model(&LinkModels::default().rates, "two-state", version, &given);
            topology(scenario).links[0].back.rate_process = Some(rate);
        },
        |scenario, version| {
            let given = [("good_to_bad", "0.01"), ("bad_to_good", "0.3")];
            let kinds = LinkModels::default().losses;
            let loss = model(&kinds, "gilbert-elliott", version, &given);
            topology(scenario).links[0].there.impairments.loss = LossSpec::Model(loss);
        },
        |scenario, version| {
            let kinds = LinkModels::default().delays;
            let delay = model(&kinds, "exponential", version, &[("mean", "1 ms")]);
            topology(scenario).links[0].there.impairments.extra_delay = DelaySpec::Model(delay);
        },
        |scenario, version| {
            let given = [("rate", "100")];
            let middlebox = model(&middlebox::built_in(), "syn-limit", version, &given);
            topology(scenario).routers[0].middlebox = Some(middlebox);
        },
        |scenario, version| {
            let application = model(&app::built_in(), "heartbeat", version, &[]);
            scenario.workloads[0].kind = WorkloadKind::Named { application };
        },
    ];

    fn topology(scenario: &mut Scenario) -> &mut crate::scenario::topology::Topology {
        std::sync::Arc::make_mut(&mut scenario.topology)
    }

    fn model<T>(
        kinds: &ModelKinds<T>,
        name: &str,
        version: u32,
        given: &[(&str, &str)],
    ) -> sim_core::plugin::Plugin<T> {
        let kind = kinds.get(name).unwrap().clone().with_version(version);
        kind.plugin(given).unwrap()
    }

    #[test]
    fn another_version_of_any_model_makes_another_run() {
        let text = crate::library::find("bufferbloat").unwrap().text;
        let file = crate::read::file(text).unwrap();
        let plain = Scenario::new(&file).unwrap();
        for (i, put) in EACH.into_iter().enumerate() {
            let id = |version| {
                let mut scenario = plain.clone();
                put(&mut scenario, version);
                RunSpec::new(&scenario, 0, &[]).id
            };
            assert_ne!(id(1), id(2), "model {i}");
        }
    }
}
