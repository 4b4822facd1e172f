//! Every pair of congestion controls at three buffers: the tables in `docs/coexistence.md`.
//!
//! `UPDATE=1 cargo test -p synfin --test suite coexistence` writes them again; otherwise some cells are made
//! again and compared.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use scenarios::library;
use scenarios::overrides::Override;
use scenarios::run;
use scenarios::sweep::Plan;
use tcp_model::congestion::BUILT_IN;

const BUFFERS: [(&str, &str); 3] = [
    ("10 kB", "a fifth of what the path holds"),
    ("50 kB", "what the path holds"),
    ("400 kB", "eight times what the path holds"),
];

/// How far the tables may be behind, per cent: a change that moves single packets moves shares a little, and
/// is no reason to write them again.
const SLACK: f64 = 8.0;

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/coexistence.md")
}

/// All controls that look for their share.
fn controls() -> Vec<&'static str> {
    let names = BUILT_IN.iter().map(|algorithm| algorithm.name);
    names.filter(|name| *name != "fixed").collect()
}

/// Per cent of what both get that goes to `one` beside `other`.
fn share(one: &str, other: &str, buffer: &str) -> f64 {
    let entry = library::find("compare-controls").unwrap();
    let mut source = entry.source();
    let sweep = source.text.find("[sweep]").expect("a sweep");
    source.text.truncate(sweep);
    let changes = [
        format!("tcp.host.cubic.congestion={one:?}"),
        format!("tcp.host.other.congestion={other:?}"),
        format!("topology.link[2].queue={buffer:?}"),
    ];
    let changes = changes.map(|change| Override::parse(&change).unwrap());
    let plan = Plan::new(&source, &changes).unwrap_or_else(|e| panic!("{e}"));
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("run");
    let summary = run::execute(&plan.runs[0], &dir, false, &mut |_| ()).unwrap();
    let goodput = |host: &str| {
        let name = format!("flow_goodput.{host}_bps");
        summary.metrics.get(&name).copied().unwrap_or(0.0)
    };
    let (one, other) = (goodput("cubic"), goodput("other"));
    100.0 * one / (one + other)
}

/// Shares of each control, by row, beside each, by column.
fn table(buffer: &str) -> String {
    let names = controls();
    let n = names.len();
    let rows: Vec<Vec<f64>> = std::thread::scope(|scope| {
        let names = &names;
        let row = move |i: usize| (i..n).map(|j| share(names[i], names[j], buffer)).collect();
        let rows: Vec<_> = (0..n).map(|i| scope.spawn(move || row(i))).collect();
        rows.into_iter().map(|row| row.join().unwrap()).collect()
    });
    let of = |i: usize, j: usize| match i <= j {
        true => rows[i][j - i],
        false => 100.0 - rows[j][i - j],
    };
    let shares: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| of(i, j)).collect()).collect();
    let mut text = format!("| | {} |\n|---|", names.join(" | "));
    text.push_str(&"--:|".repeat(names.len()));
    text.push('\n');
    for (name, row) in names.iter().zip(&shares) {
        let cells: Vec<String> = row.iter().map(|x| format!("{x:.0}")).collect();
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    }
    text
}

const HEAD: &str = "\
# Every pair of congestion controls

Two transfers share 10 Mbit/s with a round trip of 40 ms for 40 s, as in `synfin run compare-controls`. The
control of the row gets so many per cent of what both get beside that of the column. Of two shares Jain's
index follows: 1.00 at 50 %, 0.96 at 60, 0.86 at 70, 0.74 at 80, 0.61 at 90 and 0.50 at 100 %. On the
diagonal the two are alike, and what differs from 50 is chance and which one came first.

Made by `UPDATE=1 cargo test -p synfin --test suite coexistence`.

What is known of such pairs, and what the tables show:

| known | here |
|---|---|
| BBRv1 takes far more than its share of loss-based controls where the buffer is shorter than the path, and less where it is several times as long (Hock et al. 2017; Ware et al. 2019) | rows `bbr` and `cubic` |
| BBRv3 is milder towards CUBIC and Reno than BBRv1 in short buffers (draft-ietf-ccwg-bbr) | rows `bbr3` and `bbr` |
| Vegas yields to Reno, the more the longer the buffer (Mo et al. 1999) | rows `vegas` and `newreno` |
| CUBIC acts like Reno on short paths, and takes more where its window grows beyond Reno's (RFC 9438 section 4.3) | rows `cubic` and `newreno` |
| LEDBAT yields once the queue is longer than its target, 100 ms (RFC 6817), LEDBAT++ with its 60 ms and slower growth earlier | rows `ledbat` and `ledbat++` |
| Scalable and HighSpeed act like Reno at windows of some 40 segments or less (RFC 3649) | rows `scalable` and `highspeed` |
";

#[test]
fn the_tables_of_pairs_are_those_of_the_simulator() {
    if std::env::var_os("UPDATE").is_some() {
        let mut text = HEAD.to_owned();
        for (buffer, words) in BUFFERS {
            let _ = write!(
                text,
                "\n## A buffer of {buffer}: {words}\n\n{}",
                table(buffer)
            );
        }
        std::fs::write(page(), text).unwrap();
    }
    let text = std::fs::read_to_string(page()).unwrap();
    assert!(text.starts_with(HEAD), "the words have changed");
    let names = controls();
    for (buffer, one, other) in [
        ("10 kB", "bbr", "cubic"),
        ("50 kB", "newreno", "vegas"),
        ("400 kB", "bbr3", "cubic"),
    ] {
        let part = text
            .split(&format!("## A buffer of {buffer}:"))
            .nth(1)
            .unwrap();
        let row = part
            .lines()
            .find(|l| l.starts_with(&format!("| {one} |")))
            .unwrap();
        let column = names.iter().position(|n| *n == other).unwrap();
        let documented: f64 = row
            .split('|')
            .nth(column + 2)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        // As the table makes it: the control that comes first in the list goes first.
        let place = |name| names.iter().position(|n| *n == name);
        let made = match place(one) < place(other) {
            true => share(one, other, buffer),
            false => 100.0 - share(other, one, buffer),
        };
        assert!(
            (made - documented).abs() < SLACK,
            "{one} beside {other} at {buffer}: {made}, documented {documented}"
        );
    }
}
