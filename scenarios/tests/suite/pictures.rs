//! `synfin plot` writes pictures to files: figures of a batch on request, and those that a run or batch has.

use std::fs;
use std::path::Path;

use crate::common::{directory, said};

const TEXT: &str = r#"
name = "two"
duration = "1 s"
topology = { kind = "pair", path = { delay = "1 ms" } }
[[workload]]
arrivals = { kind = "burst", count = 3 }
[sweep]
"topology.path.delay" = ["1 ms", "10 ms"]
[[figure]]
name = "latency"
x = "topology.path.delay"
y = "connect_latency_p50_s"
"#;

fn batch() -> tempfile::TempDir {
    let dir = directory(&[("two.toml", TEXT)]);
    let (code, _, err) = said(dir.path(), &["run", "two.toml", "-q", "--out", "r"]);
    assert_eq!(code, 0, "{err}");
    dir
}

/// The directory of the first run, relative to that of the test.
fn run_of(dir: &Path) -> String {
    let runs = fs::read_dir(dir.join("r/runs")).unwrap();
    let mut names: Vec<_> = runs.map(|r| r.unwrap().file_name()).collect();
    names.sort();
    format!("r/runs/{}", names[0].display())
}

#[test]
fn a_figure_that_is_there_is_written_under_another_name() {
    let dir = batch();
    let run = run_of(dir.path());
    for (place, name) in [("r", "latency"), (run.as_str(), "states_timeline")] {
        let plot = ["plot", place, "--figure", name, "--out", "copy.svg"];
        let (code, words, err) = said(dir.path(), &plot);
        assert_eq!(
            (code, words.as_str()),
            (0, "copy.svg, numbers in copy.csv\n"),
            "{err}"
        );
        for ending in ["svg", "csv"] {
            let of = |path: String| fs::read(dir.path().join(path)).unwrap();
            let original = of(format!("{place}/figures/{name}.{ending}"));
            assert!(of(format!("copy.{ending}")) == original);
        }
    }
    for (args, part) in [
        (&["r", "--figure", "latncy"][..], "did you mean \"latency\""),
        (
            &["r", "--figure", "latency", "--log-x"],
            "cannot be used with",
        ),
        (
            &["r", "--figure", "latency", "--dpi", "300"],
            "--dpi is for PNG",
        ),
        (&["r"], "--y <METRIC>"),
        (
            &[run.as_str(), "--y", "connects_failed"],
            "--figure NAME writes one",
        ),
    ] {
        let (code, _, words) = said(dir.path(), &[&["plot"], args].concat());
        assert!(code == 2 && words.contains(part), "{args:?}: {words}");
    }
}

/// Without the feature the message says how to get it, and nothing is written.
#[cfg(not(feature = "png"))]
#[test]
fn png_is_refused_with_the_way_to_get_it() {
    let dir = batch();
    let png = ["plot", "r", "--figure", "latency", "--out", "p.png"];
    let (code, _, words) = said(dir.path(), &png);
    assert!(code == 2 && words.contains("--features png"), "{words}");
    assert!(!dir.path().join("p.png").exists() && !dir.path().join("p.csv").exists());
}

#[cfg(feature = "png")]
mod png {
    use std::process::Command;

    use super::*;

    /// Runs `synfin plot` with a configuration of fonts, or that of the system.
    fn plot(dir: &Path, fonts: Option<&Path>, more: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_synfin"));
        command.current_dir(dir).arg("plot").args(more);
        if let Some(fonts) = fonts {
            let config = dir.join("fonts.conf");
            let text = format!("<fontconfig><dir>{}</dir></fontconfig>", fonts.display());
            fs::write(&config, text).unwrap();
            command.env("FONTCONFIG_FILE", config).env("HOME", dir);
        }
        let output = command.output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), words)
    }

    /// Width and height, from the header (PNG specification, section 11.2.2).
    fn size(bytes: &[u8]) -> (u32, u32) {
        assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
        let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        (number(16), number(20))
    }

    #[test]
    fn pictures_are_as_large_as_asked_and_the_same_every_time() {
        let dir = batch();
        let made = |args: &[&str]| {
            let (code, words) = plot(dir.path(), None, &[args, &["--out", "p.png"]].concat());
            assert_eq!(code, Some(0), "{words}");
            fs::read(dir.path().join("p.png")).unwrap()
        };
        let drawn = ["r", "--y", "connect_latency_p50_s"];
        let screen = made(&drawn);
        assert_eq!(size(&screen), (1920, 840), "twice the size of the SVG");
        assert!(screen == made(&drawn));
        let paper = made(&[&drawn[..], &["--style", "paper"]].concat());
        // 89 mm at 600 dpi.
        assert_eq!(size(&paper).0, 2102);
        let small = made(&[&drawn[..], &["--style", "paper", "--dpi", "300"]].concat());
        assert_eq!(size(&small).0, 1051);
        let run = run_of(dir.path());
        let (width, height) = size(&made(&[&run, "--figure", "states_timeline"]));
        assert!(width > 1_000 && height > 300, "{width} x {height}");
        let zh = made(&[&drawn[..], &["--lang", "zh"]].concat());
        assert!(zh != screen, "the words are different");
    }

    #[test]
    fn without_fonts_no_picture_is_written() {
        let dir = batch();
        let none = dir.path().join("none");
        fs::create_dir(&none).unwrap();
        let y = ["r", "--y", "connect_latency_p50_s", "--out", "p.png"];
        let (code, words) = plot(dir.path(), Some(&none), &y);
        assert!(
            code == Some(1) && words.contains("no fonts are installed"),
            "{words}"
        );
        assert!(!dir.path().join("p.png").exists());
        let latin = Path::new("/usr/share/fonts/truetype/dejavu");
        if latin.is_dir() {
            let zh = [&y[..], &["--lang", "zh"]].concat();
            let (code, words) = plot(dir.path(), Some(latin), &zh);
            assert!(
                code == Some(1) && words.contains("no installed font has"),
                "{words}"
            );
            assert!(!dir.path().join("p.png").exists());
        }
    }
}
