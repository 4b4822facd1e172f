//! Names with placeholders: `<state>.<group>_peak`.

use tcp_model::State;

/// A part of a pattern.
enum PatternPart<'a> {
    Text(&'a str),
    Placeholder(&'a str),
}

fn parts(pattern: &str) -> Vec<PatternPart<'_>> {
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let Some((text, after)) = rest.split_once('<') {
        let Some((name, after)) = after.split_once('>') else {
            break;
        };
        if !text.is_empty() {
            parts.push(PatternPart::Text(text));
        }
        parts.push(PatternPart::Placeholder(name));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(PatternPart::Text(rest));
    }
    parts
}

/// The states that have metrics, with their names in these metrics: all but CLOSED.
pub(super) fn states() -> impl Iterator<Item = (State, String)> {
    let id = |s: State| s.name().to_ascii_lowercase().replace('-', "_");
    State::ALL[1..].iter().map(move |&s| (s, id(s)))
}

/// What replaces the placeholders of `pattern` in `id`, if it matches. A state must be one; other placeholders
/// take any text that is not empty.
pub(super) fn bind<'p, 'i>(pattern: &'p str, id: &'i str) -> Option<Vec<(&'p str, &'i str)>> {
    let mut bound = Vec::new();
    bind_parts(&parts(pattern), id, &mut bound).then_some(bound)
}

fn bind_parts<'p, 'i>(
    parts: &[PatternPart<'p>],
    id: &'i str,
    bound: &mut Vec<(&'p str, &'i str)>,
) -> bool {
    match parts {
        [] => id.is_empty(),
        [PatternPart::Text(text), rest @ ..] => id
            .strip_prefix(text)
            .is_some_and(|after| bind_parts(rest, after, bound)),
        [PatternPart::Placeholder("state"), rest @ ..] => states().any(|(_, name)| {
            let Some(after) = id.strip_prefix(name.as_str()) else {
                return false;
            };
            bound.push(("state", &id[..name.len()]));
            bind_parts(rest, after, bound) || {
                bound.pop();
                false
            }
        }),
        [PatternPart::Placeholder(name), rest @ ..] => {
            // No family has more than one free placeholder, and only text may follow it.
            let suffix = match rest {
                [] => "",
                [PatternPart::Text(text)] => text,
                _ => return false,
            };
            let free = id.strip_suffix(suffix).filter(|free| !free.is_empty());
            free.is_some_and(|free| {
                bound.push((name, free));
                true
            })
        }
    }
}

/// A text with its placeholders filled in; states by their names in RFC 9293, sizes with a space before the unit.
pub(super) fn fill(text: &str, bound: &[(&str, &str)]) -> String {
    bound.iter().fold(text.to_owned(), |text, (name, value)| {
        let shown = match *name {
            "state" => value.to_ascii_uppercase().replace('_', "-"),
            "size" => match value.find(|c: char| c.is_ascii_alphabetic()) {
                Some(unit) => format!("{} {}", &value[..unit], &value[unit..]),
                None => (*value).to_owned(),
            },
            _ => (*value).to_owned(),
        };
        text.replace(&format!("<{name}>"), &shown)
    })
}

/// The members of a family, for every state and these groups; other placeholders are kept.
pub(super) fn expand<'a>(
    pattern: &str,
    groups: impl IntoIterator<Item = &'a str> + Clone,
) -> Vec<String> {
    let with_states: Vec<String> = if pattern.contains("<state>") {
        states()
            .map(|(_, name)| pattern.replace("<state>", &name))
            .collect()
    } else {
        vec![pattern.to_owned()]
    };
    if !pattern.contains("<group>") {
        return with_states;
    }
    let of_groups = |id: &String| {
        let id = id.clone();
        let groups = groups.clone().into_iter();
        groups
            .map(move |g| id.replace("<group>", g))
            .collect::<Vec<_>>()
    };
    with_states.iter().flat_map(of_groups).collect()
}
