//! The paths in `[sweep]`: which of them may be swept, and the position of their values in the file.

use crate::dotted_path::{DottedPath, PathStep};
use crate::problem::Problem;
use crate::unreadable::Unreadable;

/// Keys that cannot be swept, and what to do instead.
const NOT_SWEPT: [(&str, &str); 8] = [
    (
        "until",
        "it decides how many runs there are of each variant",
    ),
    (
        "replicas",
        "`replicas` is the number of runs of each variant: write it as a key of its own",
    ),
    (
        "sweep",
        "name the swept value itself, as in \"tcp.time_wait\"",
    ),
    ("figure", "a figure is drawn over all runs"),
    (
        "variant",
        "list every alternative as a [[variant]] of its own",
    ),
    ("run", "`[run]` says which run a run.toml is"),
    (
        "expect",
        "expectations are the same for all runs; `where` restricts one to given values of swept paths",
    ),
    ("name", "all runs of a batch have one name"),
];

/// The path that a name in `[sweep]` stands for.
pub(super) fn path_of(name: &str) -> Result<DottedPath, Problem> {
    let at = swept(name);
    let path: DottedPath = name
        .parse()
        .map_err(|e: Unreadable| Problem::new(at.clone(), e.to_string()))?;
    may_vary(&path, &at)?;
    Ok(path)
}

pub(super) fn joined(prefix: &str, key: &str) -> String {
    match prefix {
        "" => key.to_owned(),
        prefix => format!("{prefix}.{key}"),
    }
}

/// The path of a swept path's values in the scenario file.
pub(super) fn swept(name: &str) -> DottedPath {
    DottedPath(vec![
        PathStep::Key("sweep".into()),
        PathStep::Key(name.to_owned()),
    ])
}

/// Rejects paths that must be the same in all runs of a batch.
pub(super) fn may_vary(path: &DottedPath, at: &DottedPath) -> Result<(), Problem> {
    let fixed = NOT_SWEPT
        .iter()
        .find(|(key, _)| path.is_within(&(*key).into()));
    match fixed {
        Some((_, help)) => {
            let message = format!("{path} cannot be swept");
            Err(Problem::new(at.clone(), message).help(*help))
        }
        None => Ok(()),
    }
}
