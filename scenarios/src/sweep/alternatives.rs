//! `[[variant]]`: named alternatives to compare with each other.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{SweepAxis, may_vary};
use crate::dotted_path::{DottedPath, PathStep};
use crate::file::{ScenarioFile, VariantFile};
use crate::problem::Problem;
use crate::unreadable::Unreadable;

/// Name of the variants' axis in tables and figures.
const NAME: &str = "variant";

/// The axis of the variants; `None` if there are none.
///
/// # Errors
/// When a variant has no name or one that is taken, or changes a key that cannot vary.
pub(super) fn axis(variants: &[VariantFile]) -> Result<Option<SweepAxis>, Problem> {
    if variants.is_empty() {
        return Ok(None);
    }
    let mut axis = SweepAxis {
        name: NAME.to_owned(),
        path: DottedPath::from(NAME),
        values: Vec::new(),
        sets: Vec::new(),
        companions: Vec::new(),
        base_points: None,
    };
    for (i, variant) in variants.iter().enumerate() {
        let at = DottedPath::from(NAME).index(i);
        let name = variant.name.trim();
        let value = Value::String(name.to_owned());
        if name.is_empty() {
            return Err(Problem::new(at.key("name"), "this variant has no name")
                .help("name it after what it changes: name = \"wide port range\""));
        }
        if axis.values.contains(&value) {
            return Err(Problem::new(
                at.key("name"),
                format!("two variants have the name {name:?}"),
            )
            .help("give each variant its own name"));
        }
        let mut set = Vec::new();
        flatten(&variant.set, "", &at.key("set"), &mut set)?;
        axis.values.push(value);
        axis.sets.push(set);
    }
    Ok(Some(axis))
}

/// The texts of a scenario and the names of its variants in Chinese; `None` if it has none.
pub(super) fn translation(file: &ScenarioFile) -> Option<reports::Translation> {
    let named = file.variant.iter().filter_map(|v| {
        let zh = v.zh.clone()?;
        Some((v.name.trim().to_owned(), zh))
    });
    let variants: BTreeMap<String, String> = named.collect();
    if file.zh.is_none() && variants.is_empty() {
        return None;
    }
    let texts = file.zh.clone().unwrap_or_default();
    Some(reports::Translation {
        question: texts.question,
        description: texts.description,
        variants,
    })
}

/// The notes and hazards of variants.
pub(super) fn notes(variants: &[VariantFile]) -> Vec<reports::VariantNote> {
    let said = variants.iter().map(|v| reports::VariantNote {
        variant: v.name.trim().to_owned(),
        note: v.note.clone().unwrap_or_default(),
        hazard: v.hazard.clone().unwrap_or_default(),
    });
    said.filter(|n| !n.note.is_empty() || !n.hazard.is_empty())
        .collect()
}

/// Collects values by path: `"tcp.tw_reuse" = true` and `tcp.tw_reuse = true` are the same. A table with a
/// `kind` is a model and is set as a whole.
fn flatten(
    table: &Table,
    prefix: &str,
    at: &DottedPath,
    all: &mut Vec<(DottedPath, Value)>,
) -> Result<(), Problem> {
    for (key, value) in table {
        let name = match prefix {
            "" => key.clone(),
            prefix => format!("{prefix}.{key}"),
        };
        match value {
            Value::Table(inner) if !inner.contains_key("kind") => flatten(inner, &name, at, all)?,
            value => {
                let at = DottedPath([at.0.clone(), vec![PathStep::Key(name.clone())]].concat());
                let path: DottedPath = name
                    .parse()
                    .map_err(|e: Unreadable| Problem::new(at.clone(), e.to_string()))?;
                may_vary(&path, &at)?;
                all.push((path, value.clone()));
            }
        }
    }
    Ok(())
}
