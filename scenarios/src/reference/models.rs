//! The reference of named models: models of links (queue disciplines, loss, extra delay, varying rates),
//! applications, and middleboxes.

use std::fmt::Write as _;

use sim_core::LinkModels;
use sim_core::plugin::{ModelKind, ModelKinds, ModelParameter, Presets};

use crate::scenario::topology::middleboxes;
use crate::scenario::workload::applications;

/// A model in the reference.
struct Model {
    /// What it is: "queue discipline".
    what: &'static str,
    /// The key that takes it.
    key: &'static str,
    /// The part of a scenario that has this key.
    owner: &'static str,
    name: &'static str,
    doc: &'static str,
    presets: Option<&'static Presets>,
    parameters: &'static [ModelParameter],
}

fn of<T>(owner: &'static str, key: &'static str, kinds: &ModelKinds<T>) -> Vec<Model> {
    let what = kinds.what();
    let model = |kind: &ModelKind<T>| Model {
        what,
        key,
        owner,
        name: kind.name,
        doc: kind.doc,
        presets: kind.presets(),
        parameters: kind.parameters,
    };
    kinds.iter().map(model).collect()
}

fn of_links() -> Vec<Model> {
    let models = LinkModels::default();
    let mut all = of("link", "queue", &models.queues);
    all.extend(of("link", "loss", &models.losses));
    all.extend(of("link", "jitter", &models.delays));
    all.extend(of("link", "rate_process", &models.rates));
    all
}

fn all() -> Vec<Model> {
    let mut all = of_links();
    all.extend(of("workload", "application", applications()));
    all.extend(of("router", "middlebox", middleboxes()));
    all
}

/// A parameter with its type and default: "`target`: … (duration, default `5 ms`)".
fn parameter(p: &ModelParameter) -> String {
    let kind = format!("{:?}", p.kind).to_lowercase();
    let default = p
        .default
        .map_or("needed".to_owned(), |d| format!("default `{d}`"));
    format!("`{}`: {} ({kind}, {default})", p.name, p.doc)
}

impl Model {
    /// The descriptions of its keys other than `kind`.
    fn keys(&self) -> impl Iterator<Item = String> {
        let presets = self.presets.map(|presets| {
            let names: Vec<&str> = presets.names().collect();
            let (key, doc) = (presets.key, presets.doc);
            format!("`{key}`: {doc} (`{}`; default none)", names.join("`, `"))
        });
        presets
            .into_iter()
            .chain(self.parameters.iter().map(parameter))
    }
}

/// The models as a section of the reference.
pub(super) fn section() -> String {
    let mut out = String::from(
        "\n## Models of a link\n\nIn place of a plain value, `queue`, `loss`, `jitter` and \
         `rate_process` take a table with the `kind` of a model and its parameters.\n\n",
    );
    list(&mut out, &of_links());
    out.push_str(
        "\n## Applications\n\nA workload takes one of these as `application`, with its parameters; that makes it one of that kind.\n\n",
    );
    list(&mut out, &of("workload", "application", applications()));
    out.push_str(
        "\n## Middleboxes\n\nA router takes one of these as `middlebox`, with its parameters. `nat = { … }` is short for a middlebox of \
         kind `nat`.\n\n",
    );
    list(&mut out, &of("router", "middlebox", middleboxes()));
    out
}

fn list(out: &mut String, models: &[Model]) {
    for model in models {
        let _ = writeln!(
            out,
            "- `{} = {{ kind = \"{}\", … }}`: {}",
            model.key, model.name, model.doc
        );
        for key in model.keys() {
            let _ = writeln!(out, "  - {key}");
        }
    }
}

/// Explains a model.
pub fn explain(name: &str) -> Option<String> {
    let model = all().into_iter().find(|m| m.name == name)?;
    let mut out = format!(
        "{}: {} of a {}\n\n  {}\n\n",
        model.name, model.what, model.owner, model.doc
    );
    for key in model.keys() {
        let _ = writeln!(out, "  {}", key.replace('`', ""));
    }
    let _ = writeln!(
        out,
        "\n  example  {} = {{ kind = \"{}\" }}",
        model.key, model.name
    );
    Some(out)
}

/// Names for "did you mean".
pub fn names() -> Vec<String> {
    all().iter().map(|m| m.name.to_owned()).collect()
}
