//! The commit in the provenance of results, wherever the program is built: `build.rs` is compiled and run in places of each
//! kind.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles `build.rs`.
fn build_script(dir: &Path) -> PathBuf {
    let program = dir.join("build-script");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("build.rs");
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let mut rustc = Command::new(rustc);
    let rustc = rustc.args(["--edition", "2024", "-o"]).arg(&program);
    let done = rustc.arg(source).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    program
}

/// The commit that the script finds for a package in `place`, and the one it shows to users.
fn commit(script: &Path, place: &Path) -> (String, String) {
    let done = Command::new(script)
        .env("CARGO_MANIFEST_DIR", place)
        .env("PROFILE", "release")
        .env("GIT_CEILING_DIRECTORIES", place.ancestors().nth(2).unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    let value = |name: &str| {
        let prefix = format!("cargo::rustc-env={name}=");
        let mut lines = said.lines();
        lines
            .find_map(|line| line.strip_prefix(&prefix))
            .unwrap()
            .to_owned()
    };
    (value("SYNFIN_COMMIT"), value("SYNFIN_COMMIT_SHOWN"))
}

/// Runs Git in `dir`; returns what it prints.
fn git(dir: &Path, args: &[&str]) -> String {
    let user = [
        "-c",
        "user.name=synfin",
        "-c",
        "user.email=synfin@example.org",
    ];
    let done = Command::new("git")
        .current_dir(dir)
        .args(user)
        .args(args)
        .output();
    let done = done.unwrap();
    assert!(done.status.success(), "git {args:?}: {done:?}");
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_commit_is_that_of_the_sources_or_unknown() {
    if Command::new("git").arg("--version").output().is_err() {
        eprintln!("left out: Git is not installed");
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    let script = build_script(tmp.path());
    let package = |below: &str| {
        let place = tmp.path().join(below);
        std::fs::create_dir_all(place.join("src")).unwrap();
        std::fs::write(place.join("Cargo.toml"), "[package]\n").unwrap();
        std::fs::write(place.join("src/main.rs"), "fn main() {}\n").unwrap();
        place
    };
    // A checkout, and then with a change.
    let checkout = package("checkout/scenarios");
    let root = tmp.path().join("checkout");
    git(&root, &["init", "-q"]);
    git(&root, &["add", "."]);
    git(&root, &["commit", "-q", "-m", "first"]);
    let hash = git(&root, &["rev-parse", "HEAD"]);
    assert_eq!(commit(&script, &checkout), (hash.clone(), hash.clone()));
    std::fs::write(checkout.join("src/main.rs"), "fn main() { }\n").unwrap();
    assert_eq!(commit(&script, &checkout).0, format!("{hash}-dirty"));
    // A package as Cargo publishes it, in a place without Git and in a repository of somebody else.
    let unknown = (String::new(), "unknown".to_owned());
    for (below, tracked) in [
        ("registry/synfin-0.1.0", false),
        ("theirs/vendor/synfin", true),
    ] {
        let place = package(below);
        if tracked {
            let root = tmp.path().join("theirs");
            git(&root, &["init", "-q"]);
            git(&root, &["add", "."]);
            git(&root, &["commit", "-q", "-m", "theirs"]);
        }
        assert_eq!(commit(&script, &place), unknown, "{below}");
        for (dirty, ending) in [("", ""), (",\n    \"dirty\": true", "-dirty")] {
            let info = format!("{{\n  \"git\": {{\n    \"sha1\": \"0d17d538\"{dirty}\n  }}\n}}");
            std::fs::write(place.join(".cargo_vcs_info.json"), info).unwrap();
            assert_eq!(
                commit(&script, &place).0,
                format!("0d17d538{ending}"),
                "{below}"
            );
        }
    }
}
