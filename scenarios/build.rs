//! Finds out which commit and which compiler make the program, for the provenance of results.
//!
//! Of a published package the commit is in `.cargo_vcs_info.json`, which Cargo puts there; of a checkout Git
//! knows it. Elsewhere, as in an archive or a copy in another repository, it is unknown, and nothing depends on
//! it. A debug build is not made again for a commit, so that its commit always counts as changed.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let here = env::var("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let here = here.unwrap_or_default();
    println!("cargo::rerun-if-changed=build.rs");
    let commit = published(&here).or_else(|| checked_out(&here));
    let shown = commit.as_deref().unwrap_or("unknown");
    println!("cargo::rustc-env=SYNFIN_COMMIT_SHOWN={shown}");
    let commit = commit.unwrap_or_default();
    println!("cargo::rustc-env=SYNFIN_COMMIT={commit}");
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = said(Command::new(rustc).arg("--version")).unwrap_or_default();
    println!("cargo::rustc-env=SYNFIN_RUSTC={version}");
    let profile = env::var("PROFILE").unwrap_or_default();
    let target = env::var("TARGET").unwrap_or_default();
    println!("cargo::rustc-env=SYNFIN_BUILD={profile} {target}");
}

/// The commit of a published package.
fn published(here: &Path) -> Option<String> {
    let path = here.join(".cargo_vcs_info.json");
    let text = std::fs::read_to_string(&path).ok()?;
    println!("cargo::rerun-if-changed={}", path.display());
    let hash = text.split("\"sha1\"").nth(1)?.split('"').nth(1)?;
    let is_dirty = text.contains("\"dirty\": true");
    Some(named(hash, is_dirty))
}

/// The commit of a checkout of synfin. A package below another repository, tracked there or not, has none.
fn checked_out(here: &Path) -> Option<String> {
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(here).env("GIT_OPTIONAL_LOCKS", "0");
        said(git.args(args))
    };
    git(&["ls-files", "--error-unmatch", "Cargo.toml"])?;
    // A copy in another repository has other commits.
    let place = git(&["rev-parse", "--show-prefix"])?;
    if place != "scenarios/" {
        return None;
    }
    let hash = git(&["rev-parse", "HEAD"])?;
    if env::var("PROFILE").is_ok_and(|profile| profile == "debug") {
        return Some(named(&hash, true));
    }
    // A commit changes the log of HEAD; an edit changes a source.
    let log = git(&[
        "rev-parse",
        "--path-format=absolute",
        "--git-path",
        "logs/HEAD",
    ])?;
    let sources = ["sim-core", "tcp-model", "reports", "scenarios"];
    let sources = sources.map(|name| here.join("..").join(name).join("src"));
    for path in sources.into_iter().chain([PathBuf::from(log)]) {
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    let changes = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(named(&hash, !changes.is_empty()))
}

fn named(hash: &str, is_dirty: bool) -> String {
    match is_dirty {
        true => format!("{hash}-dirty"),
        false => hash.to_owned(),
    }
}

/// What a program prints, without the end of the line; `None` where it fails or does not exist.
fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|o| o.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned())
}
