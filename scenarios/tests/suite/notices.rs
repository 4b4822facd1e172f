//! `notices.txt`, which `synfin licenses` prints, names every package that is built into the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const HEAD: &str = "\
synfin is distributed under the terms of the MIT licence or the Apache licence, version 2.0, at your
choice; LICENSE-MIT and LICENSE-APACHE in its source have the texts.

It contains the packages listed here; those with \", png\" behind their licence only if it was built with
the feature png. Where a package offers a choice that includes Apache-2.0, that is the licence taken.
The source of each package, unchanged, is at https://crates.io/crates/NAME/VERSION.

Reports contain uPlot 1.6.32 (MIT), a JavaScript library: https://github.com/leeoniya/uPlot.

";

/// Packages that are built into the program on Linux with these features, except ours; `None` if cargo cannot find
/// them, for example without a network.
fn packages(features: &str) -> Option<Vec<Value>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--features", features])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let all: Value = serde_json::from_slice(&output.stdout).ok()?;
    let nodes = all["resolve"]["nodes"].as_array()?;
    let by_id: BTreeMap<&str, &Value> = nodes
        .iter()
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let is_normal = |dep: &&Value| {
        let kinds = dep["dep_kinds"].as_array();
        kinds.is_some_and(|kinds| kinds.iter().any(|k| k["kind"].is_null()))
    };
    let root = by_id.keys().find(|id| id.contains("/scenarios#"))?;
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut open = vec![*root];
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            let deps = by_id.get(id)?["deps"].as_array()?;
            open.extend(
                deps.iter()
                    .filter(is_normal)
                    .filter_map(|d| d["pkg"].as_str()),
            );
        }
    }
    let packages = all["packages"].as_array()?.iter();
    let used = packages.filter(|p| p["id"].as_str().is_some_and(|id| seen.contains(id)));
    Some(used.filter(|p| !p["source"].is_null()).cloned().collect())
}

/// The licence texts of a package to be quoted: all of them, but only Apache's if that may be chosen.
fn texts(package: &Value) -> Vec<String> {
    let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
    let takes_apache = package["license"]
        .as_str()
        .is_some_and(|l| l.contains("Apache-2.0") && !l.contains(" AND "));
    let entries = fs::read_dir(manifest.parent().unwrap()).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    files.sort();
    let named = |path: &Path, names: &[&str]| {
        let name = path.file_name().unwrap().to_string_lossy().to_uppercase();
        path.is_file() && names.iter().any(|n| name.starts_with(n))
    };
    let notices = files.iter().filter(|f| named(f, &["NOTICE"]));
    let licences = files
        .iter()
        .filter(|f| named(f, &["LICENSE", "LICENCE", "COPYING", "UNLICENSE", "MPL-"]));
    let is_apache = |text: &str| text.contains("Apache License") && text.contains("Version 2.0");
    let mut all: Vec<String> = notices.map(|f| fs::read_to_string(f).unwrap()).collect();
    for file in licences {
        let text = String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned();
        if !takes_apache && !is_apache(&text) {
            all.push(text);
        }
    }
    all
}

/// The notices for all packages; `always` are those that do not depend on a feature.
fn notices(packages: &[Value], always: &[Value]) -> String {
    let mut out = HEAD.to_owned();
    let mut quoted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let licence = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../reports/src/html/assets/uPlot-LICENSE"
    );
    let licence = fs::read_to_string(licence).unwrap().trim().to_owned();
    quoted.insert(licence, vec!["uPlot".to_owned()]);
    let mut sorted: Vec<&Value> = packages.iter().collect();
    sorted.sort_by_key(|p| (p["name"].to_string(), p["version"].to_string()));
    for package in sorted {
        let of = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
        let (name, version) = (of("name"), of("version"));
        let is_always = always.iter().any(|p| p["id"] == package["id"]);
        let mark = if is_always { "" } else { ", png" };
        let _ = writeln!(out, "{name} {version}: {}{mark}", of("license"));
        for text in texts(package) {
            let text = text.replace("\r\n", "\n").trim().to_owned();
            quoted.entry(text).or_default().push(name.clone());
        }
    }
    for (text, names) in &quoted {
        let line = "-".repeat(78);
        let _ = write!(out, "\n{line}\n{}\n{line}\n\n{text}\n", names.join(", "));
    }
    let apache = concat!(env!("CARGO_MANIFEST_DIR"), "/../LICENSE-APACHE");
    let line = "-".repeat(78);
    let text = fs::read_to_string(apache).unwrap();
    let _ = write!(out, "\n{line}\nApache-2.0\n{line}\n\n{}\n", text.trim_end());
    out
}

#[test]
fn the_notices_name_every_package_that_is_built_in() {
    let (Some(always), Some(packages)) = (packages(""), packages("png")) else {
        println!("skipped: cargo cannot list the packages here; cargo fetch makes it possible");
        return;
    };
    assert!(always.len() > 30, "{}", always.len());
    let of_png = ["resvg", "png"];
    for name in of_png {
        let is_in = |list: &[Value]| list.iter().any(|p| p["name"] == name);
        assert!(
            is_in(&packages) && !is_in(&always),
            "{name}: the feature is off by default"
        );
    }
    let expected = notices(&packages, &always);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/notices.txt");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(file, &expected).unwrap();
    }
    let written = fs::read_to_string(file).unwrap();
    assert!(
        written == expected,
        "notices.txt is out of date: UPDATE=1 cargo test -p synfin --test suite notices"
    );
    assert!(written.contains("priority-queue") && written.contains("Mozilla Public License"));
    let dir = crate::common::directory(&[]);
    let (code, said, _) = crate::common::said(dir.path(), &["licenses"]);
    // The tested program contains the file as it was when the program was built: only its beginning is checked.
    assert!(code == 0 && said.starts_with("synfin is distributed"));
}
