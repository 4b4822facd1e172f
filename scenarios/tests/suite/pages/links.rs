//! Links have a target: from a batch to its runs, from a run back to the batch, to tables and captures,
//! and from a comparison to what it compares.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{browser, drive};
use crate::common::{SMALL, SWEEP, directory, said};

/// A batch of four runs with captures, in `r`.
fn batch() -> tempfile::TempDir {
    let text = format!("{SMALL}{SWEEP}");
    let dir = directory(&[("s.toml", &text)]);
    let (code, _, words) = said(dir.path(), &["run", "s.toml", "-q", "--out", "r"]);
    assert_eq!(code, 0, "{words}");
    dir
}

fn runs(dir: &Path) -> Vec<PathBuf> {
    let mut runs: Vec<PathBuf> = fs::read_dir(dir.join("r/runs"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir())
        .collect();
    runs.sort();
    runs
}

/// The targets of a page's links, without those within the page.
fn targets(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let body = &text[text.find("<body>").unwrap()..];
    let all = body.split("href=\"").skip(1);
    let all = all.filter_map(|rest| rest.split('"').next());
    all.filter(|to| !to.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// Decodes `%20` and the like.
fn decoded(address: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = address.bytes();
    while let Some(b) = rest.next() {
        let mut digit = || {
            rest.next()
                .map(char::from)
                .and_then(|c| c.to_digit(16))
                .unwrap() as u8
        };
        bytes.push(if b == b'%' { digit() * 16 + digit() } else { b });
    }
    String::from_utf8(bytes).unwrap()
}

fn assert_all_lead_somewhere(page: &Path) -> Vec<String> {
    let all = targets(page);
    for to in &all {
        let file = page.parent().unwrap().join(decoded(to));
        assert!(file.exists(), "{}: {to} leads nowhere", page.display());
    }
    all
}

#[test]
fn every_link_between_batch_runs_tables_and_captures_leads_somewhere() {
    let dir = batch();
    let page = dir.path().join("r/report.html");
    let from_batch = assert_all_lead_somewhere(&page);
    for run in runs(dir.path()) {
        let id = run.file_name().unwrap().to_str().unwrap();
        let to = format!("runs/{id}/report.html");
        assert!(from_batch.contains(&to), "{to}: {from_batch:?}");
        let from_run = assert_all_lead_somewhere(&run.join("report.html"));
        for to in ["packets.pcapng", "connections.parquet", "run.toml"] {
            assert!(from_run.iter().any(|t| t == to), "{to}: {from_run:?}");
        }
    }
    // A run's page adds the link back to the batch if the run is part of one.
    if let Some(browser) = browser() {
        let script =
            "out.up=[...document.querySelectorAll('#to-batch')].map(a=>a.getAttribute('href'));";
        let run = drive(
            browser,
            &runs(dir.path())[0].join("report.html"),
            1400,
            false,
            script,
        );
        assert_eq!(run["up"], json!(["../../report.html"]));
        let batch = drive(browser, &page, 1400, false, script);
        assert_eq!(batch["up"], json!([]));
    }
    // A single run does not belong to a batch.
    let alone = directory(&[("s.toml", SMALL)]);
    let (code, _, words) = said(alone.path(), &["run", "s.toml", "-q", "--out", "r"]);
    assert_eq!(code, 0, "{words}");
    let from_run = assert_all_lead_somewhere(&alone.path().join("r/report.html"));
    assert!(!from_run.iter().any(|t| t.contains("..")), "{from_run:?}");
}

#[test]
fn a_page_links_only_to_runs_that_have_a_directory() {
    let text = format!("{SMALL}{SWEEP}");
    let dir = directory(&[("s.toml", &text)]);
    let call = |args: &[&str]| {
        let (code, _, words) = said(dir.path(), args);
        assert_eq!(code, 0, "{args:?}: {words}");
    };
    let metrics = ["run", "s.toml", "-q", "--out", "r", "--keep", "metrics"];
    call(&metrics);
    let page = dir.path().join("r/report.html");
    let to_runs = |all: Vec<String>| all.into_iter().filter(|to| to.starts_with("runs/")).count();
    assert_eq!(to_runs(assert_all_lead_somewhere(&page)), 0);
    // One run is repeated with everything.
    let index = fs::read_to_string(dir.path().join("r/index.csv")).unwrap();
    let id = index.lines().nth(1).unwrap().split(',').next().unwrap();
    call(&["report", &format!("r/runs/{id}")]);
    call(&["report", "r"]);
    assert!(to_runs(assert_all_lead_somewhere(&page)) > 0);
}

#[test]
fn a_comparison_shows_runs_beside_one_another() {
    let dir = batch();
    let runs = runs(dir.path());
    let names = [runs[0].to_str().unwrap(), runs[1].to_str().unwrap()];
    let compare = |args: &[&str]| said(dir.path(), &[&["compare"], args].concat());
    fs::create_dir(dir.path().join("a # b")).unwrap();
    let out = ["--out", "a # b/c.html"];
    let (code, said_, words) = compare(&[&names[..], &out].concat());
    assert_eq!(code, 0, "{words}");
    assert!(said_.contains("They differ in"), "{said_}");
    let page = dir.path().join("a # b/c.html");
    let hash = runs[0].file_name().unwrap().to_str().unwrap();
    let html = fs::read_to_string(&page).unwrap();
    assert!(
        html.contains(" = ") && !html.contains(&format!(">{hash}<")),
        "named by what differs"
    );
    let to = assert_all_lead_somewhere(&page);
    assert!(
        to.iter().filter(|t| t.ends_with("/report.html")).count() >= 4,
        "{to:?}"
    );
    // Again: our own page is replaced, but not somebody else's.
    assert_eq!(compare(&[&names[..], &out].concat()).0, 0);
    fs::write(&page, "my notes").unwrap();
    let (code, _, words) = compare(&[&names[..], &out].concat());
    assert_eq!(code, 2, "{words}");
    assert_eq!(fs::read_to_string(&page).unwrap(), "my notes");
    // A run and a batch cannot be compared.
    let (code, _, words) = compare(&[names[0], "r"]);
    assert!(
        code == 2 && words.contains("compare runs with runs"),
        "{words}"
    );
    let (code, _, words) = compare(&["r", "r"]);
    assert_eq!(code, 0, "{words}");
    let batches = fs::read_to_string(dir.path().join("comparison.html")).unwrap();
    assert!(batches.contains("All have the same parameters."));

    let Some(browser) = browser() else { return };
    fs::remove_file(&page).unwrap();
    assert_eq!(compare(&[&names[..], &out].concat()).0, 0);
    let script = "
out.charts=$$('.live canvas').length;out.plots=$$('script.plot').length;
const pair=$('.beside'),[a,b]=$$('figure',pair).map(f=>f.getBoundingClientRect());
out.beside=b.left>=a.right&&Math.abs(a.top-b.top)<2;
out.ids=new Set($$('[id]').map(e=>e.id)).size===$$('[id]').length;
out.wide=document.documentElement.scrollWidth<=innerWidth;";
    let out = drive(browser, &page, 1400, false, script);
    assert_eq!(out["charts"], out["plots"], "{out}");
    assert!(out["charts"].as_u64().unwrap() >= 4, "{out}");
    for what in ["beside", "ids", "wide"] {
        assert_eq!(out[what], json!(true), "{what}: {out}");
    }
    let narrow = drive(
        browser,
        &page,
        400,
        true,
        "out.wide=document.documentElement.scrollWidth<=innerWidth;",
    );
    assert_eq!(narrow["wide"], json!(true));
}

#[test]
fn a_figure_is_drawn_on_request() {
    let dir = batch();
    let plot = |args: &[&str]| said(dir.path(), &[&["plot", "r"], args].concat());
    let drawn = [
        "--y",
        "connects_attempted",
        "--x",
        "time_wait",
        "--out",
        "p.svg",
    ];
    let (code, words, errors) = plot(&drawn);
    assert_eq!(code, 0, "{errors}");
    assert!(words.contains("p.svg, numbers in p.csv"), "{words}");
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(read("p.csv").lines().count(), 5, "{}", read("p.csv"));
    // The print style: one column wide, in greys, without the title.
    let (code, _, errors) = plot(&[&drawn[..], &["--style", "paper"]].concat());
    assert_eq!(code, 0, "{errors}");
    let paper = read("p.svg");
    assert!(paper.contains("width=\"89mm\""), "{}", &paper[..200]);
    let colours = paper.split('#').skip(1).filter_map(|rest| rest.get(..6));
    let colours: Vec<&str> = colours
        .filter(|c| c.bytes().all(|b| b.is_ascii_hexdigit()))
        .collect();
    assert!(colours.len() > 10);
    for c in colours {
        assert!(c[..2] == c[2..4] && c[2..4] == c[4..], "#{c} is no grey");
    }
    // One value of the other parameter.
    let one = ["--filter", "requests == 3"];
    let (code, _, errors) = plot(&[&drawn[..], &one].concat());
    assert_eq!(code, 0, "{errors}");
    assert_eq!(read("p.csv").lines().count(), 3, "{}", read("p.csv"));
    for (args, part) in [
        (
            &["--y", "connects_atempted"][..],
            "did you mean \"connects_attempted\"",
        ),
        (
            &["--y", "connects_attempted", "--x", "tme_wait"][..],
            "unknown swept parameter",
        ),
        (
            &["--y", "connects_attempted", "--filter", "requests == 7"][..],
            "holds for no run",
        ),
        (
            &["--y", "connects_attempted", "--out", "p.pdf"][..],
            "ends neither in .svg nor in .png",
        ),
    ] {
        let (code, _, words) = plot(args);
        assert!(code == 2 && words.contains(part), "{args:?}: {words}");
    }
    let run = runs(dir.path())[0].display().to_string();
    let (code, _, words) = said(dir.path(), &["plot", &run, "--y", "connects_attempted"]);
    assert!(code == 2 && words.contains("single run"), "{words}");
}

#[test]
fn a_figure_on_request_has_the_theory_that_is_asked_for() {
    let dir = directory(&[]);
    let one = "tcp.congestion == \"newreno\"";
    let run = [
        "run",
        "lossy-link",
        "-q",
        "--out",
        "r",
        "--keep",
        "metrics",
        "--set",
        "duration=2 s",
        "--set",
        "replicas=1",
        "--filter",
        one,
    ];
    let (code, _, words) = said(dir.path(), &run);
    assert_eq!(code, 0, "{words}");
    let plot = |more: &[&str]| {
        let all = [
            "plot",
            "r",
            "--y",
            "goodput_bps",
            "--x",
            "topology.path.loss",
        ];
        said(dir.path(), &[&all[..], &["--out", "p.svg"], more].concat())
    };
    for (name, label) in [
        ("mathis", "Mathis et al. 1997"),
        ("pftk", "Padhye et al. 1998"),
    ] {
        let (code, _, errors) = plot(&["--theory", name]);
        assert_eq!(code, 0, "{errors}");
        let drawn = fs::read_to_string(dir.path().join("p.svg")).unwrap();
        assert!(drawn.contains(label), "{label}");
        assert_eq!(
            drawn.matches(" et al. ").count(),
            1,
            "only what was asked for"
        );
    }
    for (more, part) in [
        (&["--theory", "mathiss"][..], "did you mean \"mathis\""),
        (
            &["--theory", "mathis", "--kind", "cdf"][..],
            "--theory goes with means",
        ),
    ] {
        let (code, _, words) = plot(more);
        assert!(code == 2 && words.contains(part), "{more:?}: {words}");
    }
}
