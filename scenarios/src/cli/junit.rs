//! Verdicts as JUnit XML, for build servers.

use std::fmt::Write;
use std::path::Path;

use reports::{Expectation, Judgement, Verdict};

use crate::console::CommandError;

/// The name of a failed run, and the reason.
pub(super) type FailedRun = (String, String);

/// Writes a test case for each expectation and for each run that failed. An undecided expectation
/// counts as skipped.
pub(super) fn write(
    file: &Path,
    scenario: &str,
    expectations: &[Expectation],
    judgements: &[Judgement],
    failed: &[FailedRun],
) -> Result<(), CommandError> {
    std::fs::write(file, text(scenario, expectations, judgements, failed))
        .map_err(|e| CommandError::Run(format!("error: cannot write {}: {e}", file.display())))
}

fn text(
    scenario: &str,
    expectations: &[Expectation],
    judgements: &[Judgement],
    failed: &[FailedRun],
) -> String {
    let count = |verdict| judgements.iter().filter(|j| j.verdict == verdict).count();
    let mut cases = String::new();
    for (expected, judgement) in expectations.iter().zip(judgements) {
        let inner = match judgement.verdict {
            Verdict::Holds => None,
            Verdict::Undecided => Some("skipped"),
            Verdict::Fails => Some("failure"),
        };
        case(
            &mut cases,
            scenario,
            &bounds(expected),
            inner,
            &judgement.words,
        );
    }
    for (run, why) in failed {
        case(
            &mut cases,
            scenario,
            &format!("run {run}"),
            Some("error"),
            why,
        );
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"{}\" tests=\"{}\" \
         failures=\"{}\" errors=\"{}\" skipped=\"{}\">\n{cases}</testsuite>\n</testsuites>\n",
        escaped(scenario),
        judgements.len() + failed.len(),
        count(Verdict::Fails),
        failed.len(),
        count(Verdict::Undecided),
    )
}

fn case(cases: &mut String, scenario: &str, name: &str, inner: Option<&str>, words: &str) {
    let (scenario, name, words) = (escaped(scenario), escaped(name), escaped(words));
    let inner = inner.map_or_else(
        || format!("<system-out>{words}</system-out>"),
        |inner| format!("<{inner} message=\"{words}\"/>"),
    );
    // Writing to a string cannot fail.
    let _ = writeln!(
        cases,
        "<testcase classname=\"{scenario}\" name=\"{name}\">{inner}</testcase>"
    );
}

/// "connects_failed_share below 0.001 where variant = reuse".
fn bounds(expected: &Expectation) -> String {
    let bounds = [
        ("above", expected.above),
        ("at least", expected.at_least),
        ("below", expected.below),
        ("at most", expected.at_most),
    ];
    let bounds = bounds
        .iter()
        .filter_map(|(word, bound)| bound.map(|b| format!("{word} {b}")));
    let bounds: Vec<String> = bounds.collect();
    let held: Vec<String> = expected
        .only
        .iter()
        .map(|(p, v)| format!("{p} = {v}"))
        .collect();
    let held = match held.is_empty() {
        true => String::new(),
        false => format!(" where {}", held.join(", ")),
    };
    format!("{} {}{held}", expected.metric, bounds.join(" and "))
}

/// Text for an attribute or an element; characters that XML 1.0 does not allow are replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' => escaped.push(' '),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c if c < ' ' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verdict_has_its_element_and_text_is_escaped() {
        let expected = |metric: &str, only: &[(&str, &str)]| Expectation {
            metric: metric.to_owned(),
            below: Some(0.001),
            only: only
                .iter()
                .map(|(p, v)| ((*p).to_owned(), (*v).to_owned()))
                .collect(),
            ..Expectation::default()
        };
        let judged = |verdict, words: &str| Judgement {
            verdict,
            words: words.to_owned(),
        };
        let expectations = [
            expected("a", &[("variant", "\"x\" & y")]),
            expected("b", &[]),
            expected("c", &[]),
        ];
        let judgements = [
            judged(Verdict::Holds, "fine"),
            judged(Verdict::Fails, "1 < 2\u{7}"),
            judged(Verdict::Undecided, "not known"),
        ];
        let failed = [("rate = 3".to_owned(), "disk\nfull".to_owned())];
        let text = text("s", &expectations, &judgements, &failed);
        for part in [
            "<testsuite name=\"s\" tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\">",
            "name=\"a below 0.001 where variant = &quot;x&quot; &amp; y\"><system-out>fine</system-out>",
            "<failure message=\"1 &lt; 2\u{fffd}\"/>",
            "<skipped message=\"not known\"/>",
            "name=\"run rate = 3\"><error message=\"disk full\"/>",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }
}
