//! The reference of scenario keys: `docs/scenario.md` and `synfin explain`.

use std::fmt::Write as _;

use crate::dotted_path::{DottedPath, PathStep};
use crate::file::ScenarioFile;
use crate::file::keys::{KeyForm, ScenarioKey, TableInfo};
pub use crate::scenario::topology::kinds as topology_kinds;

pub mod models;

/// A table and the paths where it occurs.
struct KeyPlace {
    info: &'static TableInfo,
    paths: Vec<String>,
}

/// Returns all tables, each once, outer ones first.
fn places() -> Vec<KeyPlace> {
    let mut all = vec![KeyPlace {
        info: ScenarioFile::KEYS,
        paths: vec![String::new()],
    }];
    let mut i = 0;
    while i < all.len() {
        let (info, prefix) = (all[i].info, all[i].paths[0].clone());
        for key in info.keys {
            let Some(table) = (key.form)().table() else {
                continue;
            };
            let path = match prefix.as_str() {
                "" => key.name().to_owned(),
                prefix => format!("{prefix}.{}", key.name()),
            };
            match all.iter_mut().find(|p| p.info.name == table.name) {
                Some(place) => place.paths.push(path),
                None => all.push(KeyPlace {
                    info: table,
                    paths: vec![path],
                }),
            }
        }
        i += 1;
    }
    all
}

/// Returns all keys as a page of Markdown.
pub fn reference() -> String {
    let mut out = String::from(HEAD);
    for place in places() {
        let title = match place.paths[0].as_str() {
            "" => "A scenario".to_owned(),
            _ => {
                let quoted: Vec<String> = place.paths.iter().map(|p| format!("`{p}`")).collect();
                quoted.join(", ")
            }
        };
        let _ = write!(out, "\n## {title}\n\n{}\n\n", place.info.text());
        out.push_str("| key | takes | default | example | |\n|---|---|---|---|---|\n");
        for key in place.info.keys {
            let cell = |text: &str| text.replace('|', "\\|");
            let code = |text: &str| match text {
                "" => String::new(),
                text => format!("`{}`", cell(text)),
            };
            let _ = writeln!(
                out,
                "| `{}` | {} | {} | {} | {} |",
                key.name(),
                cell(&key.takes(&topology_kinds())),
                cell(&default(key)),
                code(key.info.example),
                cell(&key.text()),
            );
        }
    }
    out.push_str(&models::section());
    out
}

/// The default, in words.
fn default(key: &ScenarioKey) -> String {
    match key.info.default {
        "" if key.required || key.info.needed => "none; needed".to_owned(),
        default => default.to_owned(),
    }
}

/// Explains a key. A name without a path is looked up in all tables. `None` for an unknown name.
pub fn explain(name: &str) -> Option<String> {
    if let Some(text) = name.parse().ok().and_then(|path| at_path(&path)) {
        return Some(text);
    }
    let mut found = Vec::new();
    for place in places() {
        for key in place.info.keys.iter().filter(|k| k.name() == name) {
            for path in &place.paths {
                found.push((format!("{path}.{name}"), key));
            }
        }
    }
    match &found[..] {
        [] => None,
        [(path, key)] => Some(explain_key(path, key)),
        all => {
            let mut out = format!("{name}: key of several tables\n\n");
            for (path, key) in all {
                let _ = writeln!(out, "  {path:36} {}", key.text());
            }
            out.push_str("\n`synfin explain PATH` says more about one of them.\n");
            Some(out)
        }
    }
}

/// Names for "did you mean".
pub fn names() -> Vec<String> {
    let mut all = Vec::new();
    for place in places() {
        for key in place.info.keys {
            all.push(key.name().to_owned());
            let prefixes = place.paths.iter().filter(|p| !p.is_empty());
            all.extend(prefixes.map(|p| format!("{p}.{}", key.name())));
        }
    }
    all
}

/// The key at a path, ignoring indices and names of list elements.
fn at_path(path: &DottedPath) -> Option<String> {
    let (mut table, mut last) = (ScenarioFile::KEYS, None::<&ScenarioKey>);
    let mut in_list = false;
    for step in &path.0 {
        let PathStep::Key(name) = step else { continue };
        match table.keys.iter().find(|k| k.name() == name) {
            Some(key) => {
                let form = (key.form)();
                in_list = matches!(form, KeyForm::List(_));
                last = Some(key);
                match form.table() {
                    Some(inner) => table = inner,
                    None => table = NOTHING,
                }
            }
            None if in_list => in_list = false, // the name of an element
            None => return None,
        }
    }
    last.map(|key| explain_key(&path.to_string(), key))
}

/// The table of a plain value, which has no keys.
const NOTHING: &TableInfo = &TableInfo {
    name: "",
    doc: "",
    keys: &[],
};

fn explain_key(path: &str, key: &ScenarioKey) -> String {
    let mut out = format!("{path}: key of a scenario\n\n  {}\n\n", key.text());
    let _ = writeln!(
        out,
        "  takes    {}",
        key.takes(&topology_kinds()).replace('`', "")
    );
    let _ = writeln!(out, "  default  {}", default(key).replace('`', ""));
    if !key.info.example.is_empty() {
        let _ = writeln!(out, "  example  {} = {}", key.name(), key.info.example);
    }
    if let Some(table) = (key.form)().table() {
        out.push_str("\n  keys\n");
        for key in table.keys {
            let _ = writeln!(out, "    {:18} {}", key.name(), key.text());
        }
    }
    out
}

const HEAD: &str = "\
# The keys of a scenario

Generated from the definitions in `scenarios/src/file/`; `UPDATE=1 cargo test -p synfin --test suite reference`
updates this page. `synfin explain PATH` prints its entry for one key, `synfin schema` a JSON schema for editors,
and `synfin check FILE` a scenario with every default written out.

In `--set` and `[sweep]` a key is given by its path, as in `topology.path.rate`, and an element of a list by its
index (`topology.link[0].rate`) or its `name` (`workload.upstream.port`). The keys of
`[tcp]` are in [`tcp-model/docs/parameters.md`](../../tcp-model/docs/parameters.md), the metrics for
figures in [`metrics.md`](metrics.md).
";
