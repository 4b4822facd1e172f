//! Maps dotted paths to positions in the text of a scenario, and back.

use std::ops::Range;

use tcp_model::params;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use crate::aliases;
use crate::dotted_path::{DottedPath, PathStep};

/// Returns the position of the value at `path`, or of the longest part of the path that is present. `None` if
/// the text is not TOML or has no part of the path.
pub fn span_of(text: &str, path: &DottedPath) -> Option<Range<usize>> {
    spans_of(text, std::slice::from_ref(path)).pop().flatten()
}

/// The same for several paths; the text is parsed once.
pub fn spans_of(text: &str, paths: &[DottedPath]) -> Vec<Option<Range<usize>>> {
    match DeTable::parse(text) {
        Ok(root) => paths.iter().map(|p| span_in(root.get_ref(), p)).collect(),
        Err(_) => vec![None; paths.len()],
    }
}

fn span_in(root: &DeTable<'_>, path: &DottedPath) -> Option<Range<usize>> {
    let (mut here, mut span) = (None::<&DeValue<'_>>, None);
    for step in &path.0 {
        let child = match (here, step) {
            (None, PathStep::Key(key)) => find(root, key),
            (Some(DeValue::Table(table)), PathStep::Key(key)) => find(table, key),
            (Some(DeValue::Array(list)), PathStep::Index(i)) => list.get(*i),
            (Some(DeValue::Array(list)), PathStep::Key(name)) => list.iter().find(|item| {
                let Some(named) = item.get_ref().as_table().and_then(|t| find(t, "name")) else {
                    return false;
                };
                named.get_ref().as_str() == Some(name)
            }),
            _ => None,
        };
        let Some(child) = child else { break };
        (here, span) = (Some(child.get_ref()), Some(child.span()));
    }
    span
}

/// The value of a key, or of an alias of the same TCP parameter.
fn find<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> Option<&'a Spanned<DeValue<'i>>> {
    let stands_for = |name: &str| params::find(name).is_some_and(|n| n.keys().contains(&key));
    let alias = || table.iter().find(|(k, _)| stands_for(k.get_ref()));
    let found = table
        .iter()
        .find(|(k, _)| k.get_ref() == key)
        .or_else(alias);
    found.map(|(_, value)| value)
}

/// Returns the path in a comparable form: list elements by index, TCP parameters by their canonical names.
pub fn place(tree: &Table, path: &DottedPath) -> DottedPath {
    let mut here = None::<&Value>;
    let mut steps = Vec::new();
    for step in &aliases::canonical(path).0 {
        let (next, step) = match (here, step) {
            (None, PathStep::Key(key)) if steps.is_empty() => (tree.get(key), step.clone()),
            (Some(Value::Array(list)), PathStep::Key(name)) => {
                let found = list
                    .iter()
                    .position(|v| v.get("name").and_then(Value::as_str) == Some(name));
                (
                    found.and_then(|i| list.get(i)),
                    found.map_or(step.clone(), PathStep::Index),
                )
            }
            (Some(value), PathStep::Key(key)) => (value.get(key), step.clone()),
            (Some(value), PathStep::Index(i)) => (value.get(*i), step.clone()),
            _ => (None, step.clone()),
        };
        here = next;
        steps.push(step);
    }
    DottedPath(steps)
}

/// Returns the path of the innermost key or value at `place`.
pub fn path_at(text: &str, place: Range<usize>) -> DottedPath {
    let mut best = (usize::MAX, DottedPath::default());
    if let Ok(root) = DeTable::parse(text) {
        visit_table(root.get_ref(), &DottedPath::default(), &place, &mut best);
    }
    best.1
}

type BestMatch = (usize, DottedPath);

fn consider(span: Range<usize>, path: &DottedPath, place: &Range<usize>, best: &mut BestMatch) {
    let inside = span.start <= place.start && place.end <= span.end;
    // If spans are equal, the outer one wins: a header denotes its table, not the content.
    if inside && span.len() < best.0 {
        *best = (span.len(), path.clone());
    }
}

fn visit_table(table: &DeTable<'_>, at: &DottedPath, place: &Range<usize>, best: &mut BestMatch) {
    for (key, value) in table {
        let path = at.key(key.get_ref());
        consider(key.span(), &path, place, best);
        visit(value, &path, place, best);
    }
}

fn visit(
    value: &Spanned<DeValue<'_>>,
    at: &DottedPath,
    place: &Range<usize>,
    best: &mut BestMatch,
) {
    consider(value.span(), at, place, best);
    match value.get_ref() {
        DeValue::Table(table) => visit_table(table, at, place, best),
        DeValue::Array(list) => {
            for (i, item) in list.iter().enumerate() {
                visit(item, &at.index(i), place, best);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a = 1\n[t]\nb = \"x\"\n[[l]]\nname = \"one\"\nc = { d = [1, 22] }\n";

    #[test]
    fn paths_find_their_text_and_back() {
        for (path, found) in [
            ("a", "1"),
            ("t.b", "\"x\""),
            ("l[0].c.d[1]", "22"),
            ("l.one.c.d[0]", "1"),
            ("l[0].c.missing", "{ d = [1, 22] }"),
        ] {
            let span = span_of(TEXT, &path.parse().unwrap()).unwrap();
            assert_eq!(&TEXT[span], found, "{path}");
        }
        let place = TEXT.find("22").unwrap();
        assert_eq!(path_at(TEXT, place..place + 2).to_string(), "l[0].c.d[1]");
        assert_eq!(span_of(TEXT, &"nothing".parse().unwrap()), None);
    }
}
