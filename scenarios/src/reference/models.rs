//! The models of links by name: queue disciplines, loss, extra delay, varying rates.

use std::fmt::Write as _;

use sim_core::LinkModels;
use sim_core::plugin::{Kind, Kinds, Parameter};

/// A model as text is made of it.
struct Model {
    /// What it is: "queue discipline".
    what: &'static str,
    /// The key of a link that takes it.
    key: &'static str,
    name: &'static str,
    doc: &'static str,
    parameters: &'static [Parameter],
}

fn of<T>(key: &'static str, kinds: &Kinds<T>) -> Vec<Model> {
    let what = kinds.what();
    let model = |kind: &Kind<T>| Model {
        what,
        key,
        name: kind.name,
        doc: kind.doc,
        parameters: kind.parameters,
    };
    kinds.iter().map(model).collect()
}

fn all() -> Vec<Model> {
    let models = LinkModels::default();
    let mut all = of("queue", &models.queues);
    all.extend(of("loss", &models.losses));
    all.extend(of("jitter", &models.delays));
    all.extend(of("rate_process", &models.rates));
    all
}

/// A parameter with what it takes: "`target`: … (duration, `5 ms`)".
fn parameter(p: &Parameter) -> String {
    let kind = format!("{:?}", p.kind).to_lowercase();
    let default = p
        .default
        .map_or("needed".to_owned(), |d| format!("default `{d}`"));
    format!("`{}`: {} ({kind}, {default})", p.name, p.doc)
}

/// The models as a section of the reference.
pub(super) fn section() -> String {
    let mut out = String::from(
        "\n## Models of a link\n\nIn place of a plain value, `queue`, `loss`, `jitter` and \
         `rate_process` take a table with the `kind` of a model and its parameters.\n\n",
    );
    for model in all() {
        let _ = writeln!(
            out,
            "- `{} = {{ kind = \"{}\", … }}`: {}",
            model.key, model.name, model.doc
        );
        for p in model.parameters {
            let _ = writeln!(out, "  - {}", parameter(p));
        }
    }
    out
}

/// Everything about a model, for people.
pub fn explain(name: &str) -> Option<String> {
    let model = all().into_iter().find(|m| m.name == name)?;
    let mut out = format!(
        "{}: {} of a link\n\n  {}\n\n",
        model.name, model.what, model.doc
    );
    for p in model.parameters {
        let _ = writeln!(out, "  {}", parameter(p).replace('`', ""));
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
