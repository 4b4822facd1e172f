//! `synfin explain`.

use std::path::Path;

use tcp_model::congestion;
use tcp_model::params::{self, PARAMS};

use super::single_run;
use crate::console::{CommandError, print};
use crate::{outputs, reference, suggest};

/// Explains a connection of a run segment by segment.
pub(super) fn connection(dir: &Path, which: &str, chinese: bool) -> Result<(), CommandError> {
    let (dir, summary) = single_run::open(dir)?;
    let text = reports::figures::explain_connection(&dir, which, chinese);
    match text.map_err(|e| CommandError::Run(format!("error: {e}")))? {
        Some(story) => print(story.trim_end()),
        None => Err(CommandError::Usage(format!(
            "error: no segments of a connection {which:?} are recorded in {}\n  = help: give a place \
             from 0, or a name as in 0.3; --set 'record.segments=100' records more connections{}",
            dir.display(),
            match summary.left_out.is_empty() {
                true => "",
                false => "; the report lists what was left out",
            }
        ))),
    }
}

/// The lookups in which a name is tried, in order.
const SOURCES: &[Lookup] = &[
    Lookup {
        explain: tcp_parameter,
        names: tcp_names,
    },
    Lookup {
        explain: congestion_control,
        names: control_names,
    },
    Lookup {
        explain: reference::explain,
        names: reference::names,
    },
    Lookup {
        explain: reports::metrics::explain,
        names: metric_names,
    },
    Lookup {
        explain: reports::findings::explain,
        names: finding_names,
    },
    Lookup {
        explain: reference::models::explain,
        names: reference::models::names,
    },
];

/// A lookup by name, and all its names for "did you mean".
struct Lookup {
    explain: fn(&str) -> Option<String>,
    names: fn() -> Vec<String>,
}

/// Prints the explanation of a name.
pub(super) fn explain(name: &str) -> Result<(), CommandError> {
    if let Some(text) = SOURCES.iter().find_map(|s| (s.explain)(name)) {
        return print(&text);
    }
    let names: Vec<String> = SOURCES.iter().flat_map(|s| (s.names)()).collect();
    let near = suggest::nearest(name, names.iter().map(String::as_str));
    let near = near.map_or(String::new(), |n| format!("; did you mean {n:?}?"));
    Err(CommandError::Usage(format!(
        "error: unknown name {name:?}{near}\n  = help: `synfin explain tcp` lists the TCP \
         parameters, `synfin explain findings` the findings; scenarios/docs has scenario.md for keys \
         and metrics.md for metrics"
    )))
}

fn tcp_parameter(name: &str) -> Option<String> {
    if name == "tcp" {
        return Some(all_parameters());
    }
    params::explain(name)
}

fn tcp_names() -> Vec<String> {
    let names = PARAMS.iter().flat_map(|p| p.names);
    let others = names.flat_map(|n| [n.name, n.short()]);
    let keys = PARAMS.iter().map(|p| p.key);
    keys.chain(others).map(str::to_owned).collect()
}

fn metric_names() -> Vec<String> {
    reports::metrics::names([])
}

fn finding_names() -> Vec<String> {
    let all = reports::findings::all();
    all.map(|finding| finding.name.to_owned()).collect()
}

/// Prints the JSON schema of an output, or of scenario files.
pub(super) fn schema(of: Option<&str>) -> Result<(), CommandError> {
    if let Some(name) = of {
        let found = outputs::named(name).ok_or_else(|| {
            let unknown = suggest::unknown("output", name, outputs::names());
            CommandError::Usage(format!("error: --of: {unknown}"))
        })?;
        return print(found.trim_end());
    }
    let text = serde_json::to_string_pretty(&crate::schema::schema());
    print(&text.map_err(|e| CommandError::Run(format!("error: cannot write the schema: {e}")))?)
}

fn congestion_control(name: &str) -> Option<String> {
    congestion::find(name).map(congestion::Algorithm::explain)
}

fn control_names() -> Vec<String> {
    let all = congestion::algorithms();
    all.iter().map(|a| a.name.to_owned()).collect()
}

/// A line for each parameter.
fn all_parameters() -> String {
    let mut out = String::from("TCP parameters, with their values in the profile linux:\n");
    let mut section = "";
    for param in PARAMS {
        if param.section != section {
            section = param.section;
            out.push_str(&format!("\n{section}\n"));
        }
        let names: Vec<&str> = param.names.iter().map(|n| n.short()).collect();
        let line = format!("  {:44}  {}", param.example(), names.join(", "));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
