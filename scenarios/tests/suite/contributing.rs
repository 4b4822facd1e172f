//! `CONTRIBUTING.md` says which files to change to add a congestion control, a queue discipline and so
//! on. Each existing member of a kind may be mentioned in these files and in no others.

mod circles;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use circles::{Crate, Module};
use table::{METRIC_SOURCES, METRIC_TABLE, Members, PARAMETER_TABLE, ROWS, SHARED, SORTS, Sort};
use tcp_model::params::PARAMS;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

const CRATES: [&str; 4] = ["sim-core", "tcp-model", "reports", "scenarios"];

/// All files below these folders whose names end with one of `ends`, relative to the root.
pub(crate) fn files(folders: impl Iterator<Item = PathBuf>, ends: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = folders.collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let relative = path.strip_prefix(root()).unwrap();
            let relative = relative.to_str().unwrap().replace('\\', "/");
            if ends.iter().any(|end| relative.ends_with(end)) {
                found.push(relative);
            }
        }
    }
    found
}

/// All source files of the crates except tests, relative to the root.
fn sources() -> Vec<String> {
    let folders = CRATES.map(|name| root().join(name).join("src"));
    let mut found = files(folders.into_iter(), &[".rs"]);
    found.retain(|path| !path.contains("/tests/") && !path.ends_with("/tests.rs"));
    found
}

/// The text of a source file without comments and tests.
fn code(path: &str) -> String {
    let text = fs::read_to_string(root().join(path)).unwrap();
    let before_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = before_tests.lines();
    let code = lines.filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether `word` occurs in `text` as a whole word.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let is_part = |c: char| is_word(c) || c == '-';
        !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part)
    })
}

impl Sort {
    /// The members in the list.
    fn members(&self) -> BTreeSet<String> {
        let (path, start, end) = self.list;
        let code = code(path) + "\n";
        let (_, list) = code
            .split_once(start)
            .unwrap_or_else(|| panic!("no {start:?} in {path}"));
        let list = list.split(end).next().unwrap();
        let mut found = BTreeSet::new();
        match self.members {
            Members::Quoted => {
                found.extend(list.split('"').skip(1).step_by(2).map(str::to_owned));
            }
            Members::Modules => {
                for (at, _) in list.match_indices("::") {
                    let name = list[..at].rsplit(|c| !is_word(c)).next().unwrap();
                    if name.starts_with(char::is_lowercase) && name != "super" {
                        found.insert(name.to_owned());
                    }
                }
            }
        }
        assert!(!found.is_empty(), "{path}: no member");
        found
    }

    /// The files that the table must name.
    fn files(&self) -> impl Iterator<Item = &'static str> {
        let also = self.also.iter().copied();
        self.own.into_iter().chain([self.list.0]).chain(also)
    }
}

/// Source files with their code.
fn all_code() -> BTreeMap<String, String> {
    let with_code = |path: String| (path.clone(), code(&path));
    let sources: BTreeMap<String, String> = sources().into_iter().map(with_code).collect();
    assert!(sources.len() > 200, "{}", sources.len());
    sources
}

/// The crate of a source file, and its module in that crate.
fn module(path: &str) -> (&str, Module) {
    let (name, inside) = path.split_once("/src/").unwrap();
    let parts = inside.trim_end_matches(".rs").split('/');
    (name, parts.map(str::to_owned).collect())
}

#[test]
fn every_member_has_its_file_and_is_known_to_its_list_alone() {
    let crates = CRATES.map(|name| (name, Crate::new(name)));
    let mut found = BTreeSet::new();
    let known = SHARED.iter();
    let known = known.map(|(member, user, _)| ((*member).to_owned(), (*user).to_owned()));
    let mut shared: BTreeSet<(String, String)> = known.collect();
    for sort in SORTS {
        for member in sort.members() {
            let Some(own) = sort.own.map(|own| own.replace("NAME", &member)) else {
                continue;
            };
            assert!(root().join(&own).exists(), "{}: no {own}", sort.row);
            if sort.members == Members::Quoted {
                continue;
            }
            let (name, of_member) = module(&own);
            let may_know = |user: &Module| {
                let files = sort.files().filter(|file| !file.contains("NAME"));
                user.starts_with(&of_member) || files.map(module).any(|(_, m)| m == *user)
            };
            let (_, this) = crates.iter().find(|(n, _)| *n == name).unwrap();
            for (user, used) in this.uses() {
                if used.starts_with(&of_member) && !may_know(user) {
                    found.insert((of_member.join("/"), user.join("/")));
                }
            }
        }
    }
    found.retain(|names| !shared.remove(names));
    assert!(found.is_empty(), "members and who names them: {found:#?}");
    assert!(shared.is_empty(), "these are gone: {shared:?}");
}

/// A file that names all members of a kind is a list to which a new one must be added, even in tests and
/// expected outputs.
#[test]
fn no_file_but_those_in_the_table_lists_all_members() {
    let folders = CRATES.map(|name| root().join(name));
    let inside = folders
        .iter()
        .flat_map(|f| ["src", "tests", "benches", "examples"].map(|name| f.join(name)));
    let mut texts = all_code();
    for path in files(inside, &[".rs", ".txt", ".toml"]) {
        let place = root().join(&path);
        let text = || fs::read_to_string(&place).unwrap_or_default();
        texts.entry(path).or_insert_with(text);
    }
    let mut found = Vec::new();
    for sort in SORTS {
        let members = sort.members();
        if members.len() < 5 {
            continue; // so few may be named together for another reason
        }
        for (path, text) in &texts {
            let is_in_table = sort.files().any(|file| file == path);
            let has = |member: &String| {
                has_word(text, member) || has_word(text, &member.replace('_', "-"))
            };
            if !is_in_table && members.iter().all(has) {
                found.push(format!("{path} names every member of {}", sort.row));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The name of the parameter whose row begins on this line: `field: Type {` or `field "name": Type {`.
fn row_name(line: &str) -> Option<&str> {
    let (field, value) = line.trim().split_once(": ")?;
    let name = match field.split_once(" \"") {
        Some((_, quoted)) => quoted.strip_suffix('"')?,
        None => field,
    };
    let is_row = name.chars().all(is_word) && value.ends_with(" {");
    is_row.then_some(name)
}

#[test]
fn every_tcp_parameter_has_one_row_in_one_file_and_no_other_list_has_them_all() {
    let sources = all_code();
    let in_table = |path: &str| path.starts_with(PARAMETER_TABLE);
    let table = sources.iter().filter(|(path, _)| in_table(path));
    let rows: Vec<&str> = table
        .flat_map(|(_, code)| code.lines().filter_map(row_name))
        .collect();
    let names: BTreeSet<&str> = rows.iter().copied().collect();
    assert_eq!(rows.len(), names.len(), "a parameter has two rows");
    let params: BTreeSet<&str> = PARAMS.iter().map(|param| param.key).collect();
    assert_eq!(names, params, "rows and parameters");
    for (path, code) in sources.iter().filter(|(path, _)| !in_table(path)) {
        let has_all = names.iter().all(|name| has_word(code, name));
        assert!(!has_all, "{path} names every parameter");
    }
}

/// Whether this quoted text can produce a metric's name. `{…}` in it stands for anything; without braces
/// it may also be only the beginning of the name.
fn can_make(literal: &str, id: &str) -> bool {
    let mut fixed = literal.split('{');
    let first = fixed.next().unwrap_or_default();
    let others = fixed.map(|part| part.split_once('}').map_or("", |(_, text)| text));
    let parts: Vec<&str> = std::iter::once(first).chain(others).collect();
    if parts.len() == 1 {
        let starts = id
            .strip_prefix(literal.trim_end_matches('_'))
            .is_some_and(|rest| rest.starts_with('_'));
        return id == literal || (literal.len() >= 4 && starts);
    }
    if parts.iter().map(|part| part.len()).sum::<usize>() < 4 {
        return false;
    }
    let (last, middle) = parts[1..].split_last().unwrap();
    let Some(mut rest) = id.strip_prefix(first) else {
        return false;
    };
    for part in middle {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[test]
fn every_metric_has_one_row_in_one_file_and_is_computed_where_the_table_says() {
    let sources = all_code();
    let quoted = |code: &str| -> Vec<String> {
        code.split('"')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    let in_source = |path: &str| METRIC_SOURCES.iter().any(|place| path.starts_with(place));
    let from = sources.iter().filter(|(path, _)| in_source(path));
    let literals: BTreeSet<String> = from.flat_map(|(_, code)| quoted(code)).collect();
    let table: Vec<(&String, Vec<String>)> = sources
        .iter()
        .filter(|(path, _)| path.starts_with(METRIC_TABLE))
        .map(|(path, code)| (path, quoted(code)))
        .collect();
    let ids: Vec<&str> = reports::metrics::all().map(|metric| metric.id).collect();
    let mut wrong = Vec::new();
    for id in ids.iter().copied().filter(|id| !id.starts_with("custom.")) {
        let rows = table
            .iter()
            .filter(|(_, all)| all.iter().any(|text| text == id));
        let rows: Vec<_> = rows.map(|(path, _)| path).collect();
        if rows.len() != 1 {
            wrong.push(format!("{id}: rows in {rows:?}"));
        }
        if !literals.iter().any(|literal| can_make(literal, id)) {
            wrong.push(format!("{id}: computed in none of {METRIC_SOURCES:?}"));
        }
    }
    for (path, code) in &sources {
        if !path.starts_with(METRIC_TABLE) && ids.iter().all(|id| has_word(code, id)) {
            wrong.push(format!("{path} names every metric"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_of_metrics_are_recognized_in_texts_with_places() {
    assert!(
        can_make("goodput_bps", "goodput_bps")
            && can_make("connect_latency", "connect_latency_p99_s")
    );
    assert!(can_make("ended_{reason}_first_s", "ended_reset_first_s"));
    assert!(can_make("{name}_mean_steady", "sockets_mean_steady"));
    assert!(!can_make("goodput", "goodputs_bps") && !can_make("{name}_end", "sockets_mean"));
    assert!(!can_make("{a}{b}", "sockets_mean") && !can_make("pkt", "pkt_drops"));
}

/// The files named in a row: the texts in backticks, with `{a,b}` expanded.
fn named_in(row: &str) -> Vec<String> {
    let quoted = row.split('`').skip(1).step_by(2);
    let expand = |text: &str| match (text.split_once('{'), text.split_once('}')) {
        (Some((before, _)), Some((inside, after))) if inside.contains('{') => {
            let parts = inside.split_once('{').unwrap().1.split(',');
            parts.map(|part| format!("{before}{part}{after}")).collect()
        }
        _ => vec![text.to_owned()],
    };
    quoted.flat_map(expand).collect()
}

#[test]
fn the_table_names_these_files() {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let of_sorts = SORTS.iter().map(|s| (s.row, s.files().collect::<Vec<_>>()));
    let of_rows = ROWS.iter().map(|(row, files)| (*row, files.to_vec()));
    let all: Vec<(&str, Vec<&str>)> = of_sorts.chain(of_rows).collect();
    for (row, files) in &all {
        let start = format!("| {row}");
        let line = text
            .lines()
            .find(|line| line.starts_with(&start))
            .unwrap_or_else(|| panic!("there is no row {start:?}"));
        let named = named_in(line);
        for path in files {
            // By its full path, or by the end of it.
            let is_it = |name: &String| path == name || path.ends_with(&format!("/{name}"));
            assert!(named.iter().any(is_it), "{row}: no {path} in {line}");
        }
    }
    let table = text.split("| to add |").nth(1).unwrap();
    let table = table.split("\n\n").next().unwrap();
    for line in table.lines().skip(2) {
        let is_checked = |(row, _): &(&str, _)| line.starts_with(&format!("| {row}"));
        assert!(all.iter().any(is_checked), "no test of {line}");
    }
}

#[test]
fn names_in_a_row_are_read() {
    let row = "| x | `a/{b,c}/NAME.rs` and `d.rs` |";
    assert_eq!(named_in(row), ["a/b/NAME.rs", "a/c/NAME.rs", "d.rs"]);
}
