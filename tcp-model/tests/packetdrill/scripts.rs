//! Every script passes, and names the rule it shows.

use tcp_model::packetdrill::{ScriptOutcome, parse};

use super::{all_scripts, play};

#[test]
fn every_script_passes() {
    let scripts = all_scripts();
    assert!(scripts.len() >= 700, "only {} scripts", scripts.len());
    let mut wrong = String::new();
    for (path, text) in &scripts {
        match parse(text) {
            Err(error) => wrong += &format!("{}:{error}\n", path.display()),
            Ok(script) => {
                let report = play(&script);
                if report.outcome != ScriptOutcome::Passed {
                    wrong += &format!("{}:{report}\n", path.display());
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_script_ends_with_no_segment_left_over() {
    for (path, text) in all_scripts() {
        let report = play(&parse(&text).unwrap());
        assert_eq!(report.unclaimed, 0, "{}: {report}", path.display());
    }
}

#[test]
fn every_script_names_the_rule_it_shows() {
    for (path, text) in all_scripts() {
        let first = text.lines().next().unwrap_or("");
        assert!(
            first.starts_with("// RFC") || first.starts_with("// Linux"),
            "{}: {first}",
            path.display()
        );
    }
}

#[test]
fn two_runs_of_a_script_are_the_same() {
    for (_, text) in all_scripts() {
        let script = parse(&text).unwrap();
        assert_eq!(play(&script), play(&script));
    }
}
