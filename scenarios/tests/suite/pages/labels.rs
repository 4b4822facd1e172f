//! The texts of static figures: none overlaps another, and none is cut off at the edge.

use std::path::Path;

use crate::common::{SHORT, directory, said};
use crate::golden::CUT;
use scenarios::library;
use scenarios::overrides::Override;
use scenarios::run;
use scenarios::sweep::Plan;
use serde_json::json;

use super::{browser, drive};

/// Measures the texts as the browser lays them out.
const OVERLAPS: &str = include_str!("overlaps.js");

/// The figures of a page, including the unfolded ladders, each in its own element.
fn pictures(name: &str, page: &str) -> String {
    let svgs = page.split("<svg role=\"img\"").skip(1);
    let svgs = svgs.filter_map(|rest| rest.split("</svg>").next());
    let figure = |(i, svg): (usize, &str)| {
        let title = svg.split('"').nth(1).unwrap_or_default();
        format!(
            "<figure id=\"{name} {i} {title}\"><div class=\"frame\"><svg{svg}</svg></div></figure>\n"
        )
    };
    svgs.enumerate().map(figure).collect()
}

/// Measures figures, and asserts that their texts do not overlap.
fn measure(browser: &str, pictures: &str, least: u64) {
    let page = format!(
        "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n</head>\n<body>{pictures}</body></html>"
    );
    let dir = directory(&[("pictures.html", &page)]);
    let out = drive(
        browser,
        &dir.path().join("pictures.html"),
        1400,
        false,
        OVERLAPS,
    );
    assert!(out["texts"].as_u64().unwrap() >= least, "{}", out["texts"]);
    assert_eq!(out["overlaps"], json!([]), "{:#}", out["overlaps"]);
    assert_eq!(out["clipped"], json!([]), "{:#}", out["clipped"]);
}

fn page(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("report.html")).unwrap()
}

#[test]
fn no_texts_of_figures_overlap_in_any_ready_made_scenario() {
    let Some(browser) = browser() else { return };
    let tmp = tempfile::tempdir().unwrap();
    let mut all = String::new();
    for entry in library::ALL {
        let cut = CUT.iter().chain(&SHORT);
        let cut = cut.filter(|(name, _)| *name == entry.name);
        let changes: Vec<Override> = cut.map(|(_, set)| Override::parse(set).unwrap()).collect();
        let plan = Plan::new(&entry.source(), &changes).unwrap_or_else(|e| panic!("{e}"));
        let dir = tmp.path().join(entry.name);
        run::execute(&plan.runs[0], &dir, false, &mut |_| ()).unwrap();
        all += &pictures(entry.name, &page(&dir));
    }
    measure(browser, &all, 5_000);
}

#[test]
fn no_texts_of_a_batchs_figures_overlap() {
    let Some(browser) = browser() else { return };
    let mut all = String::new();
    // Curves with panels and a long title; names along x; a phase diagram; lessons with their ladders.
    for (scenario, more) in [
        ("reordering", ["replicas=1", "duration=3 s"]),
        ("compare-controls", ["replicas=1", "duration=3 s"]),
        ("remedies", ["replicas=1", "duration=3 s"]),
        ("retransmission", ["seed=1", "replicas=1"]),
    ] {
        let dir = directory(&[]);
        let sets = more.iter().flat_map(|set| ["--set", set]);
        let args: Vec<&str> = ["run", scenario, "-q", "--out", "r"]
            .into_iter()
            .chain(sets)
            .collect();
        let (_, _, words) = said(dir.path(), &args);
        assert!(dir.path().join("r/report.html").exists(), "{words}");
        all += &pictures(scenario, &page(&dir.path().join("r")));
    }
    measure(browser, &all, 500);
}
