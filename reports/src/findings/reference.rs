//! The reference of findings, as text.

use super::{Finding, all, table};

/// A finding for the terminal; `None` for an unknown name. "findings" lists all.
pub fn explain(name: &str) -> Option<String> {
    if name == "findings" {
        return Some(list());
    }
    let finding = all().find(|f| f.name == name)?;
    Some(format!(
        "finding {}\n  {}\n  based on {}\n  source   {}",
        finding.name, finding.says, finding.made_of, finding.source
    ))
}

/// A line for each finding.
fn list() -> String {
    let widest = all().map(|f| f.name.len()).max().unwrap_or(0);
    let lines = all().map(|f| {
        let first = f.says.split_once(". ").map_or(f.says, |(first, _)| first);
        let first = first.trim_end_matches('.');
        format!("  {:widest$}  {first}.\n", f.name)
    });
    "Findings, in the order of a report:\n".to_owned() + &lines.collect::<String>()
}

/// The reference of all findings in Markdown.
pub fn reference() -> String {
    let mut text = INTRODUCTION.to_owned();
    let parts = [
        ("What is unusual", table::UNUSUAL),
        ("What every run reports", table::USUAL),
    ];
    for (title, findings) in parts {
        text.push_str(&format!(
            "\n## {title}\n\n| finding | what it says | based on | source |\n|---|---|---|---|\n"
        ));
        for finding in findings {
            let Finding {
                name,
                says,
                made_of,
                source,
            } = finding.about;
            text.push_str(&format!("| `{name}` | {says} | {made_of} | {source} |\n"));
        }
    }
    text
}

const INTRODUCTION: &str = "\
# Findings

<!-- Generated from the table in reports/src/findings; do not edit. To update it, run
     UPDATE_DOCS=1 cargo test -p synfin --test suite metrics -->

The sentences at the head of a run's report, in `summary.json` under `findings`, and printed by
`synfin run`. Each appears only if it applies, in this order. They are based on the run's
[metrics](metrics.md) and on closed forms that hold for it. `synfin explain NAME` shows one of them.
";
