//! The table of requirements: it is complete, correct, and matches its documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequirementTable {
    row: Vec<Row>,
}

/// One row of appendix B; some labels have several.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    /// Distinguishes several rows with one label.
    case: Option<String>,
    section: String,
    says: String,
    #[serde(default)]
    implemented: Vec<String>,
    #[serde(default)]
    tests: Vec<String>,
    note: Option<String>,
    /// Why it cannot apply to a simulator.
    not_applicable: Option<String>,
    /// Why a MAY is not implemented.
    not_taken: Option<String>,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn table() -> Vec<Row> {
    let text = read(&root().join("compliance.toml"));
    toml::from_str::<RequirementTable>(&text).unwrap().row
}

/// All labels of RFC 9293, each with the number of its rows in appendix B.
fn labels() -> BTreeMap<String, usize> {
    let kinds = [("MUST", 69), ("SHLD", 31), ("MAY", 18), ("REC", 1)];
    let all = kinds
        .iter()
        .flat_map(|(kind, n)| (1..=*n).map(move |i| format!("{kind}-{i}")));
    let mut labels: BTreeMap<String, usize> = all.map(|id| (id, 1)).collect();
    for (id, rows) in [
        ("MUST-15", 2),
        ("MUST-20", 2),
        ("MUST-46", 2),
        ("MUST-56", 3),
        ("MUST-57", 2),
        ("SHLD-5", 2),
    ] {
        labels.insert(id.to_string(), rows);
    }
    labels
}

#[test]
fn every_label_has_all_its_rows() {
    let mut rows = BTreeMap::new();
    for row in table() {
        *rows.entry(row.id).or_insert(0) += 1;
    }
    assert_eq!(rows, labels());
    assert_eq!((rows.len(), rows.values().sum::<usize>()), (119, 126));
}

#[test]
fn every_row_is_implemented_and_tested_or_says_why_not() {
    // Only requirements about IP options may be marked as not applicable, because packets here have
    // none.
    let ip_options = [
        "MUST-51", "MUST-52", "MUST-53", "SHLD-24", "MAY-10", "MAY-11",
    ];
    for row in table() {
        let done = !row.implemented.is_empty() && !row.tests.is_empty();
        let ways = [done, row.not_applicable.is_some(), row.not_taken.is_some()];
        assert_eq!(ways.iter().filter(|w| **w).count(), 1, "{row:?}");
        if row.not_applicable.is_some() {
            assert!(ip_options.contains(&&*row.id), "{row:?}");
        }
        if row.not_taken.is_some() {
            assert!(row.id.starts_with("MAY-"), "{row:?}");
        }
        assert!(
            row.section.starts_with("3.") && row.says.len() > 10,
            "{row:?}"
        );
    }
}

#[test]
fn at_least_105_requirements_are_implemented_and_tested() {
    let done = |id: &String| {
        table()
            .iter()
            .filter(|r| r.id == *id)
            .all(|r| !r.tests.is_empty())
    };
    let done = labels().into_keys().filter(done).count();
    assert!(done >= 105, "only {done}");
}

/// Whether a source file defines an item, a field or a variant of this name.
fn defines(source: &str, name: &str) -> bool {
    let keywords = [
        "fn", "struct", "enum", "trait", "const", "mod", "type", "static",
    ];
    source.lines().any(|line| {
        let mut line = line.trim_start();
        if line.starts_with("//") {
            return false;
        }
        for word in ["pub(super) ", "pub(crate) ", "pub ", "const fn", "async "] {
            line = match word {
                "const fn" => line
                    .strip_prefix("const ")
                    .filter(|l| l.starts_with("fn "))
                    .unwrap_or(line),
                word => line.strip_prefix(word).unwrap_or(line),
            };
        }
        let item = keywords
            .iter()
            .find_map(|k| line.strip_prefix(k)?.strip_prefix(' '));
        let rest = |text: &str| {
            text.strip_prefix(name)
                .map(|r| r.chars().next().unwrap_or(' '))
        };
        match item {
            Some(item) => rest(item).is_some_and(|c| !c.is_alphanumeric() && c != '_'),
            // A field or a variant: it is followed by a colon, a comma, or its contents.
            None => rest(line).is_some_and(|c| ":,({ ".contains(c)) && !line.ends_with(';'),
        }
    })
}

#[test]
fn every_item_that_is_named_exists() {
    let mut wrong = Vec::new();
    for row in table() {
        for place in &row.implemented {
            let (file, item) = place.split_once("::").expect("file::item");
            let path = root().join(file);
            if !path.is_file() || !defines(&read(&path), item) {
                wrong.push(format!("{}: {place}", row.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Names of the tests of a source file, without ignored ones.
fn tests_of(source: &str) -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    let mut attributes = String::new();
    for line in source.lines().map(str::trim) {
        if line.starts_with("#[") {
            attributes += line;
            continue;
        }
        let name = line.strip_prefix("fn ").and_then(|l| l.split('(').next());
        if let Some(name) = name
            && attributes.contains("#[test]")
            && !attributes.contains("#[ignore")
            && !attributes.contains("#[cfg")
        {
            tests.insert(name.to_string());
        }
        attributes.clear();
    }
    tests
}

#[test]
fn every_test_that_is_named_exists() {
    let mut wrong = Vec::new();
    for row in table() {
        for test in &row.tests {
            let (file, name) = test.split_once("::").unwrap_or((test, ""));
            let path = root().join(file);
            let exists = if file.ends_with(".pkt") {
                path.is_file() && file.starts_with("tests/packetdrill/")
            } else {
                path.is_file() && tests_of(&read(&path)).contains(name)
            };
            if !exists {
                wrong.push(format!("{}: {test}", row.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// "MUST-12" of "must_12_the_application_...".
fn label_of(test: &str) -> Option<String> {
    let (kind, rest) = test.split_once('_')?;
    let number = rest.split('_').next()?;
    let kinds = ["must", "shld", "may", "rec"];
    let is_label = kinds.contains(&kind) && number.parse::<u8>().is_ok();
    is_label.then(|| format!("{}-{number}", kind.to_uppercase()))
}

#[test]
fn every_test_that_carries_a_label_is_in_its_row() {
    let named: BTreeSet<(String, String)> = table()
        .iter()
        .flat_map(|r| r.tests.iter().map(|t| (r.id.clone(), t.clone())))
        .collect();
    let mut files: Vec<String> = std::fs::read_dir(root().join("tests/rfc9293"))
        .unwrap()
        .map(|f| format!("tests/rfc9293/{}", f.unwrap().file_name().to_str().unwrap()))
        .collect();
    files.push("src/host/tests/refusing.rs".into());
    let mut labelled = 0;
    for file in files {
        for test in tests_of(&read(&root().join(&file))) {
            if let Some(id) = label_of(&test) {
                labelled += 1;
                let place = format!("{file}::{test}");
                assert!(named.contains(&(id, place.clone())), "{place} is in no row");
            }
        }
    }
    assert!(labelled >= 105, "{labelled} tests carry a label");
}

#[test]
fn the_checks_of_the_table_can_fail() {
    let source = "#[test]\nfn real() {}\n#[test]\n#[ignore]\nfn asleep() {}\nfn helper() {}\n\
                  pub(super) struct Thing {\n    pub field: u8,\n}\nenum E {\n    Variant(u8),\n}\n// fn ghost()";
    assert_eq!(tests_of(source), BTreeSet::from(["real".to_string()]));
    for name in ["real", "Thing", "field", "Variant", "E"] {
        assert!(defines(source, name), "{name}");
    }
    for name in ["ghost", "Thin", "fiel", "nothing", "Varian"] {
        assert!(!defines(source, name), "{name}");
    }
    assert_eq!(label_of("must_12_the_end").as_deref(), Some("MUST-12"));
    assert_eq!(label_of("must_be_so"), None);
}

fn names(list: &[String]) -> String {
    let short = |t: &String| {
        let t = t
            .strip_prefix("tests/")
            .or(t.strip_prefix("src/"))
            .unwrap_or(t);
        format!("`{t}`")
    };
    list.iter().map(short).collect::<Vec<_>>().join("<br>")
}

/// The page of the crate's documentation.
fn page(rows: &[Row]) -> String {
    let count = |f: fn(&Row) -> bool| {
        let of = |id: &String| rows.iter().filter(|r| r.id == *id).all(f);
        labels().keys().filter(|id| of(id)).count()
    };
    let done = count(|r| !r.tests.is_empty());
    let (absent, left) = (
        count(|r| r.not_applicable.is_some()),
        count(|r| r.not_taken.is_some()),
    );
    let mut page = format!(
        "RFC 9293 labels 119 requirements, in 126 rows of its appendix B. Of the 119, {done} are \
         implemented and tested, {left} are choices (MAY) that are not made use of, and {absent} \
         concern IP options, which packets here do not have.\n\n\
         Three more tests look at a connection as a whole:\n\n\
         * `states_by_segments`: each of the eleven states meets each class of segment - flags, \
         place in the window, length, acknowledgement, window, timestamp; about a million \
         meetings. An oracle that tells section 3.10.7 in its own words says what is to come of \
         each: next state, answer with its numbers, octets delivered, end.\n\
         * `model_check`: two end points and a channel that loses, duplicates and reorders, with \
         every interleaving of arrivals, calls and time-outs within stated bounds; about two \
         million states. No deadlock, no arc outside figure 5, no octet lost, doubled or \
         misplaced, and from every state both sides come to their end once the channel behaves.\n\
         * `segment_fuzz`: any segments, calls, errors and time-outs in any order; no panic, no \
         flood, bounded memory.\n\n\
         In the table, places are files of `src/` with an item in them; tests are files of \
         `tests/` or `src/` with a function, or scripts. It is made of `compliance.toml`, and tests \
         keep both true.\n\n\
         | label | section | in our words | where | tests |\n|---|---|---|---|---|\n"
    );
    for row in rows {
        let case = row
            .case
            .as_ref()
            .map_or(String::new(), |c| format!("<br>({c})"));
        let note = row.note.as_ref().map_or(String::new(), |n| format!(" {n}"));
        let (place, tests) = match (&row.not_applicable, &row.not_taken) {
            (Some(why), _) => (format!("not applicable: {why}"), String::new()),
            (_, Some(why)) => (format!("not made use of: {why}"), String::new()),
            _ => (names(&row.implemented), names(&row.tests)),
        };
        let (id, section, says) = (&row.id, &row.section, &row.says);
        writeln!(
            page,
            "| {id}{case} | {section} | {says}{note} | {place} | {tests} |"
        )
        .unwrap();
    }
    page
}

#[test]
fn the_page_is_what_the_table_makes() {
    let (path, made) = (root().join("docs/compliance.md"), page(&table()));
    if std::env::var_os("SYNFIN_RETELL").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &made).unwrap();
    }
    assert!(
        read(&path) == made,
        "run with SYNFIN_RETELL=1 to regenerate docs/compliance.md"
    );
}
