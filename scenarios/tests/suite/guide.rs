//! The guide is true: every command of its tours runs and prints what the page says, the page on validation has the
//! numbers of the tests, and every link leads to a file.

mod validation;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::directory;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// A fenced block: its language, its text, and the line before it that is not empty.
#[derive(Debug)]
struct Block {
    language: String,
    text: String,
    before: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let (mut all, mut open, mut before) = (Vec::new(), None::<Block>, String::new());
    for line in page.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => all.push(block),
            (Some(language), None) => {
                let (language, text, before) = (language.to_owned(), String::new(), before.clone());
                open = Some(Block {
                    language,
                    text,
                    before,
                });
            }
            (None, Some(mut block)) => {
                block.text.push_str(&format!("{line}\n"));
                open = Some(block);
            }
            (None, None) if !line.is_empty() => line.clone_into(&mut before),
            (None, None) => (),
        }
    }
    assert!(open.is_none(), "a block does not end");
    all
}

/// The name of the file that a block is the text of: in backticks in the line before it.
fn file_name(block: &Block) -> Option<&str> {
    let named = block.before.strip_prefix("Save this as `")?;
    named.split('`').next()
}

/// Splits a command into words; words in single quotes may have blanks.
fn words(command: &str) -> Vec<String> {
    let quoted = command.split('\'').enumerate();
    let mut all = Vec::new();
    for (i, part) in quoted {
        match i % 2 {
            1 => all.push(part.to_owned()),
            _ => all.extend(part.split_whitespace().map(str::to_owned)),
        }
    }
    all
}

/// The program of a command with its arguments: `synfin`, or an example that was built with the tests. `None` if the
/// example was not built.
fn program(command: &str) -> Option<Command> {
    let synfin = PathBuf::from(env!("CARGO_BIN_EXE_synfin"));
    let all = words(command);
    if all[0] == "synfin" {
        let mut program = Command::new(synfin);
        program.args(&all[1..]);
        return Some(program);
    }
    assert!(
        command.starts_with("cargo run --release -p "),
        "what runs {command}?"
    );
    let example = synfin.with_file_name("examples").join(all.last().unwrap());
    if !example.is_file() {
        println!("skipped: {command}: its example has not been built");
        return None;
    }
    Some(Command::new(example))
}

/// Whether the lines occur in the output in this order; "…" stands for any lines, and without it they follow each
/// other.
fn agrees(expected: &str, printed: &str) -> bool {
    let mut rest: Vec<&str> = printed.lines().map(str::trim_end).collect();
    let mut any = false;
    for line in expected.lines() {
        if line == "…" {
            any = true;
            continue;
        }
        let at = rest.iter().position(|printed| *printed == line.trim_end());
        match at {
            Some(0) => (),
            Some(_) if any => (),
            _ => return false,
        }
        rest.drain(..=at.unwrap());
        any = false;
    }
    any || rest.is_empty()
}

/// Runs the commands of a page in one directory.
fn check(name: &str) {
    let page = fs::read_to_string(docs().join("guide").join(name)).unwrap();
    let dir = directory(&[]);
    let mut printed: Option<String> = None;
    let mut commands = 0;
    for block in blocks(&page) {
        match (block.language.as_str(), file_name(&block)) {
            (_, Some(file)) => fs::write(dir.path().join(file), &block.text).unwrap(),
            ("sh", None) => {
                let (mut output, mut complete) = (String::new(), true);
                for line in block.text.lines() {
                    let (command, code) = match line.split_once("  # exit code ") {
                        Some((command, code)) => (command, code.parse().unwrap()),
                        None => (line, 0),
                    };
                    let Some(mut program) = program(command) else {
                        complete = false;
                        continue;
                    };
                    let done = program.current_dir(dir.path()).output().unwrap();
                    let said = String::from_utf8_lossy(&done.stderr);
                    assert_eq!(done.status.code(), Some(code), "{name}: {command}: {said}");
                    output.push_str(&String::from_utf8_lossy(&done.stdout));
                    commands += 1;
                }
                printed = complete.then_some(output);
            }
            ("text", None) => {
                if let Some(output) = printed.take() {
                    assert!(
                        agrees(&block.text, &output),
                        "{name} says\n{}\nprinted was\n{output}",
                        block.text
                    );
                }
            }
            (other, None) => panic!("{name}: what is this {other}?"),
        }
    }
    assert!(commands >= 3, "{name}: {commands} commands");
}

#[test]
fn the_tour_for_people_who_run_servers_is_true() {
    check("sre.md");
}

#[test]
fn the_tour_for_researchers_is_true() {
    check("researcher.md");
}

#[test]
fn the_tour_for_teachers_is_true() {
    check("teacher.md");
}

#[test]
fn the_tour_for_protocol_engineers_is_true() {
    check("protocol-engineer.md");
}

#[test]
fn the_tour_for_developers_of_simulators_is_true() {
    check("simulator-developer.md");
}

#[test]
fn every_tour_is_listed_and_checked() {
    let here = include_str!("guide.rs");
    let contents = fs::read_to_string(docs().join("README.md")).unwrap();
    for file in fs::read_dir(docs().join("guide")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(
            here.contains(&format!("check({name:?})")),
            "{name} has no test"
        );
        assert!(
            contents.contains(&format!("(guide/{name})")),
            "{name} is not in README.md"
        );
    }
}

#[test]
fn output_is_compared_line_by_line() {
    let printed = "one\ntwo\nthree\n";
    for (expected, same) in [
        ("one\ntwo\nthree\n", true),
        ("one\n…\nthree\n", true),
        ("one\n…\n", true),
        ("…\nthree\n", true),
        ("one\ntwo\n", false),
        ("one\nthree\n", false),
        ("…\ntwo\n", false),
        ("three\n…\none\n…\n", false),
    ] {
        assert_eq!(agrees(expected, printed), same, "{expected:?}");
    }
    assert_eq!(
        words("synfin run a --set 'x=1 s' --out b"),
        ["synfin", "run", "a", "--set", "x=1 s", "--out", "b"]
    );
}

/// Pages of Markdown below a directory.
fn pages(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let of = |path: PathBuf| match path.is_dir() {
        true => pages(&path),
        false => vec![path],
    };
    entries
        .flat_map(of)
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect()
}

#[test]
fn every_link_of_the_documentation_leads_somewhere() {
    let root = docs().join("../..");
    let mut all = pages(&docs());
    all.extend(["README.md", "CONTRIBUTING.md"].map(|name| root.join(name)));
    let mut wrong = Vec::new();
    for path in &all {
        let text = fs::read_to_string(path).unwrap();
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let (file, part) = link.split_once('#').unwrap_or((link, ""));
            if file.contains("://") {
                continue;
            }
            let target = path.parent().unwrap().join(file);
            let there =
                target.exists() && (part.is_empty() || has_heading(&target, path, file, part));
            if !there {
                wrong.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a page has a heading that becomes this anchor.
fn has_heading(target: &Path, from: &Path, file: &str, part: &str) -> bool {
    let page = if file.is_empty() { from } else { target };
    let text = fs::read_to_string(page).unwrap();
    let anchor = |line: &str| -> String {
        let kept = line.trim_start_matches('#').trim().chars();
        let kept = kept.filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| {
            if c == ' ' {
                '-'
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect()
    };
    text.lines()
        .any(|line| line.starts_with('#') && anchor(line) == part)
}
