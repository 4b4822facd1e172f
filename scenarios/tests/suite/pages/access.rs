//! Accessible pages: contrast, names, order and keyboard, in both colour schemes.
//!
//! Our own script checks those requirements of WCAG 2.1 AA that a script can check. axe-core checks more. It is
//! not part of the repository, because of its size and licence (MPL-2.0): `.ci/run` fetches it from the npm
//! registry, and `SYNFIN_AXE=axe.min.js` names a copy of your own. Without it the test says that it is skipped.

use std::path::Path;

use serde_json::json;

use super::{browser, drive, made};
use crate::common::said;

const ACCESS: &str = include_str!("access.js");

/// Checks a page in both colour schemes.
fn check(browser: &str, page: &Path) {
    let name = page.display();
    for dark in [false, true] {
        let out = drive(browser, page, 1400, dark, ACCESS);
        assert_eq!(
            out["bad"],
            json!([]),
            "{name}, dark {dark}: {:#}",
            out["bad"]
        );
        assert!(out["texts"].as_u64().unwrap() > 50, "{}", out["texts"]);
        assert!(out["worst"].as_f64().unwrap() < 21.0);
    }
    check_with_axe(browser, page);
}

/// What axe-core finds in a page: each violation with its impact (minor to critical) and where it is.
fn check_with_axe(browser: &str, page: &Path) {
    let Some(axe) = std::env::var_os("SYNFIN_AXE") else {
        println!("skipped: no axe-core (npm pack axe-core; SYNFIN_AXE=package/axe.min.js)");
        return;
    };
    let axe = std::fs::read_to_string(&axe)
        .unwrap_or_else(|e| panic!("SYNFIN_AXE={}: {e}", Path::new(&axe).display()));
    let axe = axe.replace("</script", "<\\/script");
    let script = format!(
        "{axe};await wait(200);$$('button.step')[0]?.click();\
         const found=await axe.run(document,{{resultTypes:['violations'],\
         runOnly:['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']}});\
         out.passes=found.passes.length;\
         out.bad=found.violations.map(v=>v.impact+': '+v.id+': '+v.nodes.map(n=>n.target.join(' ')).join(', '));"
    );
    for dark in [false, true] {
        let out = drive(browser, page, 1400, dark, &script);
        assert!(out["passes"].as_u64().unwrap() > 10, "{}", out["passes"]);
        let all = out["bad"].as_array().unwrap().iter();
        let grave: Vec<&str> = all
            .filter_map(|v| v.as_str())
            .filter(|v| v.starts_with("serious") || v.starts_with("critical"))
            .collect();
        assert!(
            grave.is_empty(),
            "{}, dark {dark}: {grave:#?}",
            page.display()
        );
    }
}

/// The page of a live run, as it is while runs are executed.
fn live_page() -> String {
    use reports::live::{LiveCounts, LiveProgress, LiveRow, LiveView};
    use sim_core::{SimDuration, SimTime};

    let mut counts = LiveCounts::new(SimDuration::from_secs(10));
    let run = counts.snapshot(SimTime::ZERO + SimDuration::from_secs(4));
    let view = LiveView {
        name: "remedies".into(),
        question: "Which setting helps?".into(),
        is_batch: true,
        progress: LiveProgress {
            runs: 9,
            to_simulate_s: 90.0,
            simulated_s: 45.0,
            ..LiveProgress::default()
        },
        running: vec![("tw_reuse = true".into(), run)],
        metrics: vec!["time_wait_peak".into(), "connects_failed".into()],
        completed: vec![
            LiveRow {
                name: "tw_reuse = false".into(),
                page: Some("runs/0123/report.html".into()),
                values: Some(vec![Some(28_232.0), Some(12.0)]),
            },
            LiveRow::default(),
        ],
        ..LiveView::default()
    };
    let page = reports::live_page(&view, reports::Language::English);
    // Opened as a file, there is no server for the script to ask.
    page.replace("<script src=\"live.js\"></script>", "")
}

#[test]
fn everybody_can_read_the_pages() {
    let Some(browser) = browser() else { return };
    let run = made("http-exchange", &[]);
    check(browser, &run.path().join("r/report.html"));
    let bulk = made("bulk", &["--set", "duration=5 s"]);
    check(browser, &bulk.path().join("r/report.html"));
    let batch = made("four-way-close", &[]);
    check(browser, &batch.path().join("r/report.html"));
    let runs = std::fs::read_dir(batch.path().join("r/runs")).unwrap();
    let mut runs: Vec<String> = runs
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir())
        .map(|p| p.display().to_string())
        .collect();
    runs.sort();
    let (code, _, words) = said(batch.path(), &["compare", &runs[0], &runs[1]]);
    assert_eq!(code, 0, "{words}");
    check(browser, &batch.path().join("comparison.html"));
    let packets = run.path().join("r/packets.pcapng").display().to_string();
    let (code, _, words) = said(run.path(), &["read-pcap", &packets, "--out", "read"]);
    assert_eq!(code, 0, "{words}");
    check(browser, &run.path().join("read/report.html"));
    let sweep = made(
        "time-wait",
        &["--set", "duration=2 s", "--set", "replicas=1"],
    );
    check(browser, &sweep.path().join("r/report.html"));
    let live = run.path().join("live.html");
    std::fs::write(&live, live_page()).unwrap();
    check_with_axe(browser, &live);
}
