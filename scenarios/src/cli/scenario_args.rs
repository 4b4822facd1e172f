//! The scenario of a command: a ready-made one or a file, with the changes of the command line.

use std::path::Path;

use clap::Args;
use reports::store::read_text_file;

use crate::assemble::{Assembly, without_segments};
use crate::console::CommandError;
use crate::console::note;
use crate::extends;
use crate::library;
use crate::list_file;
use crate::output_dir::shell_words;
use crate::overrides::{Override, OverrideSource};
use crate::problem::{RefusedScenario, SourceText};
use crate::run_spec::RunSpec;
use crate::suggest;
use crate::sweep::Plan;

#[derive(Debug, Default, Args)]
pub(super) struct ScenarioArgs {
    /// Name of a ready-made scenario, or a TOML file
    pub(super) scenario: String,
    /// Change a value, as in --set tcp.time_wait="30 s"; repeatable
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub(super) set: Vec<String>,
    /// Write the packets of traced connections that a filter selects to packets.pcapng, as in 'host server and
    /// port 80'; `all` for all of them. The same as --set record.pcap=FILTER
    #[arg(long, value_name = "FILTER")]
    pub(super) pcap: Option<String>,
    /// Seed of the random numbers
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub(super) seed: Option<u64>,
    /// Number of runs of each variant, each with different random numbers
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) replicas: Option<u32>,
}

/// Largest scenario file accepted, bytes.
const MOST_SCENARIO: u64 = 64 << 20;

impl ScenarioArgs {
    /// The text of the scenario, from the library or a file.
    pub(super) fn source(&self) -> Result<SourceText, CommandError> {
        let name = &self.scenario;
        if let Some(entry) = library::find(name) {
            return Ok(entry.source());
        }
        let text = read_text_file(Path::new(name), MOST_SCENARIO);
        let directory = Path::new(name).parent().unwrap_or(Path::new(""));
        let name = name.clone();
        match text {
            Ok(text) => {
                let text = list_file::named_from_here(text, directory);
                let whole = extends::resolve(&text, &name, directory);
                match whole.map_err(|e| CommandError::Usage(format!("error: {e}")))? {
                    None => Ok(SourceText { name, text }),
                    Some(text) => Ok(SourceText {
                        name: format!("{name} and the files it extends"),
                        text,
                    }),
                }
            }
            Err(error) => Err(CommandError::Usage(unreadable(&name, &error))),
        }
    }

    /// The file the scenario is read from; `None` for a ready-made one.
    pub(super) fn file(&self) -> Option<&Path> {
        let is_ready_made = library::find(&self.scenario).is_some();
        (!is_ready_made).then_some(Path::new(&self.scenario))
    }

    /// The changes made by the command line.
    pub(super) fn changes(&self) -> Result<Vec<Override>, CommandError> {
        let mut texts = self.set.clone();
        texts.extend(self.seed.map(|seed| format!("seed={seed}")));
        texts.extend(self.replicas.map(|n| format!("replicas={n}")));
        let parsed: Result<Vec<Override>, _> = texts.iter().map(|t| Override::parse(t)).collect();
        let mut all = parsed.map_err(|e| CommandError::Usage(format!("error: {e}")))?;
        all.extend(self.pcap.as_ref().map(|filter| Override {
            path: "record.pcap".into(),
            value: toml::Value::String(filter.clone()),
            by: OverrideSource::Set,
        }));
        Ok(all)
    }

    /// The runs of the scenario. Those without segments are assembled to see whether they can be simulated.
    pub(super) fn plan(&self, source: &SourceText) -> Result<Plan, CommandError> {
        let changes = self.changes()?;
        let usage = |refused: RefusedScenario| CommandError::Usage(refused.to_string());
        let plan = Plan::new(source, &changes).map_err(usage)?;
        for twin in &plan.twins {
            note(&format!(
                "the variant {:?} is left out: with these values it is the same as {:?}",
                twin.name, twin.of
            ));
        }
        let wanted = |run: &&RunSpec| without_segments::is_wanted(&run.scenario);
        for run in plan.runs.iter().filter(wanted) {
            Assembly::new(run).map_err(|problem| {
                let origins: Vec<_> = changes.iter().map(Override::origin).collect();
                usage(RefusedScenario::new(problem, source, &origins))
            })?;
        }
        Ok(plan)
    }

    /// Returns an equivalent command line, without options that do not affect results.
    pub(super) fn command(&self) -> String {
        let mut words = vec!["synfin".to_owned(), "run".to_owned(), self.scenario.clone()];
        let sets = self.set.iter();
        let telling = sets.filter(|s| Override::parse(s).is_ok_and(|o| !o.is_engine()));
        words.extend(telling.flat_map(|set| ["--set".to_owned(), set.clone()]));
        words.extend(
            self.pcap
                .iter()
                .flat_map(|p| ["--pcap".to_owned(), p.clone()]),
        );
        words.extend(
            self.seed
                .iter()
                .flat_map(|s| ["--seed".to_owned(), s.to_string()]),
        );
        let replicas = self.replicas.iter();
        words.extend(replicas.flat_map(|n| ["--replicas".to_owned(), n.to_string()]));
        shell_words(words.iter().map(String::as_str))
    }
}

/// The message for a name that is neither a ready-made scenario nor a readable file.
fn unreadable(name: &str, error: &std::io::Error) -> String {
    let beside = format!("{name}.toml");
    if error.kind() == std::io::ErrorKind::NotFound && Path::new(&beside).is_file() {
        return format!(
            "error: there is no ready-made scenario {name:?}, but a file {beside}\n  = help: did you mean `synfin run {}`?",
            shell_words([beside.as_str()])
        );
    }
    let looks_like_file = name.ends_with(".toml") || name.contains('/');
    if looks_like_file || error.kind() != std::io::ErrorKind::NotFound {
        return format!(
            "error: cannot read {name}: {error}\n  = help: give a TOML file, or a name from `synfin list`"
        );
    }
    let names = library::ALL.iter().map(|e| e.name);
    format!(
        "error: {}\n  = help: `synfin list` describes the ready-made scenarios; give a file by its path",
        suggest::unknown("scenario", name, names)
    )
}
