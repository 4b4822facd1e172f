//! `synfin explain`.

use tcp_model::congestion;
use tcp_model::params::{self, PARAMS};

use super::Failure;
use crate::console::print;
use crate::suggest;

/// Where names are looked up, in order: what a name means, and the names for "did you mean".
const SOURCES: &[Source] = &[
    Source {
        explain: tcp_parameter,
        names: tcp_names,
    },
    Source {
        explain: congestion_control,
        names: control_names,
    },
    Source {
        explain: reports::metrics::explain,
        names: metric_names,
    },
];

/// A place where names are looked up.
struct Source {
    explain: fn(&str) -> Option<String>,
    names: fn() -> Vec<&'static str>,
}

/// Prints what a name means.
pub(super) fn explain(name: &str) -> Result<(), Failure> {
    if let Some(text) = SOURCES.iter().find_map(|s| (s.explain)(name)) {
        return print(&text);
    }
    let names: Vec<&str> = SOURCES.iter().flat_map(|s| (s.names)()).collect();
    let near = suggest::nearest(name, names.iter().copied());
    let near = near.map_or(String::new(), |n| format!("; did you mean {n:?}?"));
    Err(Failure::Usage(format!(
        "error: nothing is called {name:?}{near}\n  = help: `synfin explain tcp` lists the TCP \
         parameters"
    )))
}

fn tcp_parameter(name: &str) -> Option<String> {
    if name == "tcp" {
        return Some(all_parameters());
    }
    params::explain(name)
}

fn tcp_names() -> Vec<&'static str> {
    let others = PARAMS
        .iter()
        .flat_map(|p| p.names)
        .flat_map(|n| [n.name, n.short()]);
    PARAMS.iter().map(|p| p.key).chain(others).collect()
}

fn congestion_control(name: &str) -> Option<String> {
    congestion::find(name).map(congestion::Algorithm::explain)
}

fn control_names() -> Vec<&'static str> {
    congestion::algorithms().iter().map(|a| a.name).collect()
}

fn metric_names() -> Vec<&'static str> {
    reports::metrics::all().map(|m| m.id).collect()
}

/// A line for each parameter.
fn all_parameters() -> String {
    let mut out = String::from("TCP parameters, with the value of the profile linux:\n");
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
