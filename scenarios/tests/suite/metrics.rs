//! The registry of metrics, compared with what runs emit, what figures use, and the reference.

use crate::common::said;
use reports::metrics;
use scenarios::overrides::Override;
use scenarios::problem::SourceText;
use scenarios::sweep::Plan;
use scenarios::{library, run};

/// The first run of a library scenario, cut short.
fn first_run(name: &str) -> reports::RunSummary {
    let text = library::find(name).unwrap().text;
    let source = SourceText {
        name: name.to_owned(),
        text: text.to_owned(),
    };
    // Long enough for every workload to have started.
    let duration = match name {
        "late-comer" => "duration=25 s",
        "why-time-wait" | "rfc1337-hazards" => "duration=245 s",
        _ => "duration=6 s",
    };
    let short = [duration, "record.census_interval=1 s"];
    let short: Vec<Override> = short.iter().map(|s| Override::parse(s).unwrap()).collect();
    let plan = Plan::new(&source, &short).unwrap_or_else(|e| panic!("{e}"));
    let dir = tempfile::tempdir().unwrap();
    run::execute(&plan.runs[0], &dir.path().join("run"), false, &mut |_| ()).unwrap()
}

#[test]
fn every_metric_of_the_library_is_registered_and_within_the_range_of_its_kind() {
    for scenario in library::ALL {
        let summary = first_run(scenario.name);
        assert!(summary.metrics.len() > 40, "{}", scenario.name);
        for (id, value) in &reports::row_metrics(&summary) {
            let found = metrics::find(id);
            let found = found.unwrap_or_else(|| panic!("{id} of {}", scenario.name));
            let (low, high) = found.metric.kind.range();
            assert!(
                (low..=high).contains(value),
                "{id} = {value} of {}",
                scenario.name
            );
            if let Some((part, whole)) = found.metric.ratio {
                let share = summary.metrics[part] / summary.metrics[whole];
                assert!((share - value).abs() < 1e-12, "{id} of {}", scenario.name);
            }
        }
    }
}

#[test]
fn the_reference_of_metrics_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
    let text = metrics::reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap() == text,
        "docs/metrics.md is out of date: UPDATE_DOCS=1 cargo test -p synfin --test suite metrics"
    );
}

#[test]
fn the_reference_of_findings_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/findings.md");
    let text = reports::findings::reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap_or_default() == text,
        "docs/findings.md is out of date: UPDATE_DOCS=1 cargo test -p synfin --test suite metrics"
    );
}

#[test]
fn every_finding_is_explained_by_its_name_and_made_of_metrics_that_exist() {
    let mut names = std::collections::BTreeSet::new();
    for finding in reports::findings::all() {
        assert!(names.insert(finding.name), "{} stands twice", finding.name);
        assert!(finding.says.ends_with('.') && !finding.source.is_empty());
        let text = reports::findings::explain(finding.name).unwrap();
        assert!(text.contains(finding.says), "{text}");
        for metric in finding
            .made_of
            .split(", ")
            .map(|m| m.split(' ').next().unwrap())
        {
            let known = metrics::explain(metric).is_some() || metric.contains('*');
            assert!(known, "{} of {}", metric, finding.name);
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let (code, stdout, _) = said(dir.path(), &["explain", "unsafe-time-wait"]);
    assert!(code == 0 && stdout.contains("RFC 1337"), "{stdout}");
    let (code, stdout, _) = said(dir.path(), &["explain", "findings"]);
    assert!(
        code == 0 && names.iter().all(|n| stdout.contains(n)),
        "{stdout}"
    );
    let (code, _, stderr) = said(dir.path(), &["explain", "unsafe-timewait"]);
    assert!(
        code == 2 && stderr.contains("did you mean \"unsafe-time-wait\"?"),
        "{stderr}"
    );
}

#[test]
fn a_figure_of_a_misspelled_metric_is_refused_with_the_right_name() {
    let dir = tempfile::tempdir().unwrap();
    let text = library::find("time-wait").unwrap().text;
    let wrong = text.replace(
        "connects_failed_share_steady",
        "connects_failed_share_stedy",
    );
    assert_ne!(wrong, text);
    std::fs::write(dir.path().join("wrong.toml"), wrong).unwrap();
    for command in ["check", "run"] {
        let (code, stdout, stderr) = said(dir.path(), &[command, "wrong.toml"]);
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        assert!(
            stderr.contains("did you mean \"connects_failed_share_steady\"?"),
            "{stderr}"
        );
        assert!(stderr.contains("wrong.toml:40:5 (figure[0].y)"), "{stderr}");
    }
    assert!(!dir.path().join("results").exists());
}

#[test]
fn a_metric_is_explained_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let explain = |name: &str| said(dir.path(), &["explain", name]);
    let (code, stdout, _) = explain("connects_failed_share_steady");
    assert_eq!(code, 0);
    assert!(stdout.contains("share of connects that failed"), "{stdout}");
    assert!(
        stdout.contains("`connects_failed_steady` / `connects_settled_steady`"),
        "{stdout}"
    );
    let (code, stdout, _) = explain("time_wait.client_peak");
    assert!(
        code == 0 && stdout.contains("sockets of client in TIME-WAIT, peak"),
        "{stdout}"
    );
    let (code, _, stderr) = explain("connects_failed_shar_steady");
    assert_eq!(code, 2);
    assert!(
        stderr.contains("did you mean \"connects_failed_share_steady\"?"),
        "{stderr}"
    );
}
