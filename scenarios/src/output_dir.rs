//! The directory of results: its default name, and files that must not be overwritten.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use reports::store::hash::text_hash;

use crate::overrides::Override;
use crate::sweep::label;

/// Longest name of a default directory, bytes; most file systems allow 255.
const LONGEST: usize = 120;

/// Returns the default directory for a scenario's results: `results/NAME`, followed by the changes of `--set`
/// and `--seed`, as in `results/time-wait,tcp.tw_reuse=true`.
///
/// Changes that do not affect results, or only add runs to a batch, are left out: `engine.…` and `replicas`.
/// Blanks and quotes are dropped; other characters that are special to a shell or file system become `_`. If
/// that or shortening could make two names equal, `~` and eight digits of a hash are added.
pub fn default_dir(name: &str, changes: &[Override]) -> PathBuf {
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    for change in changes.iter().filter(|c| !c.is_engine()) {
        // `workload.0.port` is another spelling of `workload[0].port` that is not a shell pattern.
        let path = change.path.to_string().replace('[', ".").replace(']', "");
        if path != "replicas" && path != "name" {
            values.insert(path, label(&change.value));
        }
    }
    let exact: String = values
        .iter()
        .map(|(path, value)| format!(",{path}={value}"))
        .collect();
    let mut short = String::new();
    let mut same = true;
    for c in exact.chars().filter(|c| !matches!(c, ' ' | '"')) {
        let plain = c.is_ascii_alphanumeric() || ",=.-_+".contains(c);
        same &= plain;
        short.push(if plain { c } else { '_' });
    }
    let room = LONGEST.saturating_sub(name.len());
    if short.len() > room {
        // The name is ASCII at this point.
        short.truncate(room);
        same = false;
    }
    if !same {
        short.push('~');
        short.push_str(&text_hash(&exact)[..8]);
    }
    PathBuf::from("results").join(format!("{name}{short}"))
}

/// Returns the message if results must not go to `dir` because the scenario file `input` would be overwritten
/// or deleted. `file` with `text` is the copy of the scenario in the results: reading a batch's own
/// `batch.toml` and writing the same text again is allowed.
pub fn overwrites_input(
    input: Option<&Path>,
    dir: &Path,
    (file, text): (&str, &str),
    force: bool,
) -> Option<String> {
    let given = input?;
    let input = given.canonicalize().ok()?;
    let dir = dir.canonicalize().ok()?;
    let message = |what: &str| {
        format!(
            "error: {} is the scenario and {what}; choose another directory with --out DIR, or copy the scenario out of this one",
            given.display()
        )
    };
    for own in ["run.toml", "batch.toml"] {
        if input == dir.join(own) {
            let same = std::fs::read_to_string(&input).is_ok_and(|there| there == text);
            return (own != file || !same).then(|| message("would be overwritten"));
        }
    }
    let below = input.starts_with(dir.join("runs"));
    (below && force).then(|| message("could be deleted with the runs that --force replaces"))
}

/// Joins words into a command line for a shell. Words with special characters are quoted.
pub fn shell_words<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(shell_word).collect();
    quoted.join(" ")
}

fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/.,:=_+-@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(sets: &[&str]) -> String {
        let changes: Vec<Override> = sets.iter().map(|s| Override::parse(s).unwrap()).collect();
        default_dir("small", &changes).display().to_string()
    }

    #[test]
    fn commands_can_be_pasted() {
        assert_eq!(
            shell_words(["synfin", "run", "my file", "it's", ""]),
            "synfin run 'my file' 'it'\\''s' ''"
        );
    }

    #[test]
    fn the_default_directory_is_named_after_what_is_changed() {
        for (sets, name) in [
            (&[] as &[&str], "results/small"),
            (&["tcp.tw_reuse=true"], "results/small,tcp.tw_reuse=true"),
            (
                &[
                    "seed=2",
                    "tcp.time_wait=30 s",
                    "replicas=3",
                    "engine.event_queue=heap",
                ],
                "results/small,seed=2,tcp.time_wait=30s",
            ),
            (&["seed=2", "seed=3"], "results/small,seed=3"),
        ] {
            assert_eq!(named(sets), name);
        }
        let [a, b] = ["10 /s", "10 _s"].map(|rate| named(&[&format!("workload[0].rate={rate}")]));
        assert!(a.starts_with("results/small,workload.0.rate=10_s~"), "{a}");
        assert_ne!(a, b);
        for evil in ["../../etc", "a/b", "\u{1b}[2J", "x'; rm -rf *"] {
            let name = named(&[&format!("question={evil}")]);
            let name = name.strip_prefix("results/").unwrap();
            assert!(!name.contains(['/', '\'', ' ', '\u{1b}', '*']), "{name}");
        }
        let long = named(&[&format!("question={}", "x".repeat(1000))]);
        let other = named(&[&format!("question={}y", "x".repeat(1000))]);
        assert!(long.len() < 140 && long != other, "{long}");
    }
}
