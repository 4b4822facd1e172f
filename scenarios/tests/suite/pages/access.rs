//! Accessible pages: contrast, names, order and keyboard, in both colour schemes.
//!
//! Our own script checks those requirements of WCAG 2.1 AA that a script can check. axe-core (MPL-2.0)
//! checks more; it is not included because of its size and licence. `SYNFIN_AXE=axe.min.js` uses it as well.

use std::path::Path;

use serde_json::json;

use super::{browser, drive, made};
use crate::common::said;

const ACCESS: &str = include_str!("access.js");

/// Checks a page in both colour schemes.
fn check(browser: &str, page: &Path) {
    for dark in [false, true] {
        let out = drive(browser, page, 1400, dark, ACCESS);
        let name = page.display();
        assert_eq!(
            out["bad"],
            json!([]),
            "{name}, dark {dark}: {:#}",
            out["bad"]
        );
        assert!(out["texts"].as_u64().unwrap() > 50, "{}", out["texts"]);
        assert!(out["worst"].as_f64().unwrap() < 21.0);
        if let Some(axe) = std::env::var_os("SYNFIN_AXE") {
            let axe = std::fs::read_to_string(axe)
                .unwrap()
                .replace("</script", "<\\/script");
            let script = format!(
                "{axe};const found=await axe.run(document,{{runOnly:['wcag2a','wcag2aa','wcag21a','wcag21aa']}});\
                 out.passes=found.passes.length;\
                 out.bad=found.violations.map(v=>v.id+': '+v.nodes.map(n=>n.target.join(' ')).join(', '));"
            );
            let out = drive(browser, page, 1400, dark, &script);
            assert_eq!(
                out["bad"],
                json!([]),
                "{name}, dark {dark}: {:#}",
                out["bad"]
            );
            assert!(out["passes"].as_u64().unwrap() > 10, "{}", out["passes"]);
        }
    }
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
}
