//! Every pair of congestion controls with three buffer sizes: the tables in `docs/coexistence.md`.
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

/// How far a share may differ from the tables, in percentage points: a change that moves single packets changes
/// shares a little, and the tables need not be regenerated for that.
const SLACK: f64 = 6.0;

/// Runs of each pair.
const SEEDS: u64 = 5;

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/coexistence.md")
}

/// All controls that adapt to the available rate.
fn controls() -> Vec<&'static str> {
    let names = BUILT_IN.iter().map(|algorithm| algorithm.name);
    names.filter(|name| *name != "fixed").collect()
}

/// How two controls share the bottleneck: means over the runs.
#[derive(Clone, Copy)]
struct Sharing {
    /// The share of the total goodput, in per cent, that the first one gets.
    share: f64,
    /// Jain's index.
    jain: f64,
}

impl Sharing {
    /// The same for the second one.
    fn of_other(self) -> Sharing {
        Sharing {
            share: 100.0 - self.share,
            ..self
        }
    }
}

/// How `one` shares with `other`, which starts at this time; `processing` of packets in hosts takes up to this long.
fn sharing(one: &str, other: &str, buffer: &str, (processing, start): (&str, &str)) -> Sharing {
    let entry = library::find("coexistence").unwrap();
    let mut source = entry.source();
    let sweep = source.text.find("[sweep]").expect("a sweep");
    source.text.truncate(sweep);
    let changes = [
        format!("replicas={SEEDS}"),
        format!("topology.processing={processing:?}"),
        format!("tcp.host.cubic.congestion={one:?}"),
        format!("tcp.host.other.congestion={other:?}"),
        format!("topology.link[2].queue={buffer:?}"),
        format!("workload.other.start={start:?}"),
    ];
    let changes = changes.map(|change| Override::parse(&change).unwrap());
    let plan = Plan::new(&source, &changes).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(plan.runs.len() as u64, SEEDS);
    let tmp = tempfile::tempdir().unwrap();
    let (mut share, mut index) = (0.0, 0.0);
    for (n, run) in plan.runs.iter().enumerate() {
        let dir = tmp.path().join(n.to_string());
        let summary = run::execute(run, &dir, false, &mut |_| ()).unwrap();
        let goodput = |host: &str| {
            let name = format!("flow_goodput.{host}_bps");
            summary.metrics.get(&name).copied().unwrap_or(0.0)
        };
        let (one, other) = (goodput("cubic"), goodput("other"));
        share += 100.0 * one / (one + other);
        index += jain(100.0 * one / (one + other));
    }
    Sharing {
        share: share / SEEDS as f64,
        jain: index / SEEDS as f64,
    }
}

/// How each control (row) shares with each other control (column).
fn sharings(buffer: &str) -> Vec<Vec<Sharing>> {
    let names = controls();
    let n = names.len();
    let rows: Vec<Vec<Sharing>> = std::thread::scope(|scope| {
        let names = &names;
        let cell =
            move |i: usize, j: usize| sharing(names[i], names[j], buffer, (PROCESSING, "0 s"));
        let row = move |i: usize| (i..n).map(|j| cell(i, j)).collect();
        let rows: Vec<_> = (0..n).map(|i| scope.spawn(move || row(i))).collect();
        rows.into_iter().map(|row| row.join().unwrap()).collect()
    });
    let of = |i: usize, j: usize| match i <= j {
        true => rows[i][j - i],
        false => rows[j][i - j].of_other(),
    };
    (0..n).map(|i| (0..n).map(|j| of(i, j)).collect()).collect()
}

/// A table with a value for each pair.
fn table(sharings: &[Vec<Sharing>], cell: impl Fn(Sharing) -> String) -> String {
    let names = controls();
    let mut text = format!("| | {} |\n|---|", names.join(" | "));
    text.push_str(&"--:|".repeat(names.len()));
    text.push('\n');
    for (name, row) in names.iter().zip(sharings) {
        let cells: Vec<String> = row.iter().map(|sharing| cell(*sharing)).collect();
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    }
    text
}

/// Jain's index of two shares, of which one is `share` per cent.
fn jain(share: f64) -> f64 {
    let (a, b) = (share / 100.0, 1.0 - share / 100.0);
    (a + b).powi(2) / (2.0 * (a * a + b * b))
}

const HEAD: &str = "\
# Every pair of congestion controls

Two endless transfers share a link of 10 Mbit/s with a round trip of 40 ms for 40 s, as in `synfin run
coexistence`, five runs for each pair of controls and each of three buffers. For each buffer, the first table has
the share of the total goodput, in per cent, that the control of the row gets beside the control of the column.
The second has Jain's fairness index of the two shares: 1.00 if they are equal, 0.50 if one transfer gets
everything. On the diagonal both transfers use the same control. Each value is the mean of the five runs: as the
diagonal shows, differences of a few per cent mean little.

Generated by `UPDATE=1 cargo test --workspace --locked --test suite coexistence`.

## What is known

| known from the literature | pair | share of the first with 10 kB, 50 kB, 400 kB |
|---|---|---|
";

/// What the literature says, and the pair that shows it.
const KNOWN: [(&str, &str, &str); 10] = [
    (
        "BBRv1 takes far more than its share from loss-based controls where the buffer is smaller than the \
         bandwidth-delay product, and less than half where it is several times as large (Hock et al. 2017, Ware et al. \
         2019)",
        "bbr",
        "cubic",
    ),
    ("the same beside Reno", "bbr", "newreno"),
    (
        "BBRv3 leaves CUBIC and Reno more than BBRv1 does where the buffer is small (draft-ietf-ccwg-bbr)",
        "bbr3",
        "cubic",
    ),
    (
        "Vegas yields to Reno, the more the larger the buffer (Mo et al. 1999)",
        "vegas",
        "newreno",
    ),
    (
        "CUBIC gets about as much as Reno on paths as small as this one, in its Reno-friendly region (RFC 9438 \
         section 4.3)",
        "cubic",
        "newreno",
    ),
    (
        "LEDBAT yields when the queue takes longer than its target of 100 ms, here only with the largest buffer, and \
         grows more slowly the longer the queue (RFC 6817)",
        "ledbat",
        "newreno",
    ),
    (
        "LEDBAT++ yields earlier: its target is 60 ms and it grows more slowly (draft-irtf-iccrg-ledbat-plus-plus)",
        "ledbat++",
        "newreno",
    ),
    (
        "HighSpeed TCP is Reno up to a window of 38 segments (RFC 3649); beyond, with the largest buffer, there are few \
         losses in 40 s",
        "highspeed",
        "newreno",
    ),
    (
        "Scalable TCP backs off by an eighth only, so it takes more from a window of 16 segments on (Kelly 2003)",
        "scalable",
        "newreno",
    ),
    (
        "DCTCP without marks reacts to losses as Reno does (RFC 8257 section 3.5)",
        "dctcp",
        "newreno",
    ),
];

/// The time that hosts take for a packet, at most, as in the scenario.
const PROCESSING: &str = "500 us";

const BESIDE_LINUX: &str = "
## Beside the real Linux

The same two transfers between two network namespaces with Linux 6.18.44, over a drop-tail queue and a delay made by a
program that forwards packets, three runs of 40 s each; and simulated with the `linux` profile, the mean of five runs.
Hosts take up to 50 us for a packet here: with the 500 us of the tables, which are more than Linux takes, bursts are
spread. The second transfer begins 40 ms after the first, as it did on Linux: who begins first moves the shares of
CUBIC and Reno by up to six points. A test requires that the simulated mean lies within five points of the range of
the measured runs.

| pair | buffer | share of the first on Linux, per cent | simulated |
|---|---|--:|--:|
";

/// The share of the first on Linux in each of three runs, in per cent.
const MEASURED: [(&str, &str, [[f64; 3]; 3]); 3] = [
    (
        "bbr",
        "cubic-linux",
        [[97.3, 97.0, 96.0], [85.9, 84.2, 84.6], [27.5, 25.0, 26.8]],
    ),
    (
        "bbr",
        "newreno",
        [[96.6, 96.7, 96.7], [88.8, 87.6, 87.1], [33.2, 31.4, 32.6]],
    ),
    (
        "cubic-linux",
        "newreno",
        [[54.9, 48.7, 49.6], [53.8, 58.6, 56.3], [54.6, 47.9, 54.7]],
    ),
];

/// Percentage points by which a simulated mean may lie outside the range of the measured runs.
const BESIDE: f64 = 5.0;

/// The rows of the comparison with Linux, which must agree.
fn beside_linux() -> String {
    let mut rows = String::new();
    for (one, other, measured) in MEASURED {
        for ((buffer, _), runs) in BUFFERS.iter().zip(measured) {
            let simulated = sharing(one, other, buffer, ("50 us", "40 ms")).share;
            let (least, most) = (
                runs.iter().fold(100.0, |a: f64, b| a.min(*b)),
                runs.iter().fold(0.0, |a: f64, b| a.max(*b)),
            );
            assert!(
                (least - BESIDE..=most + BESIDE).contains(&simulated),
                "{one} beside {other} at {buffer}: {simulated}, on Linux {least} to {most}"
            );
            let _ = writeln!(
                rows,
                "| `{one}`, `{other}` | {buffer} | {least} to {most} | {simulated:.1} |"
            );
        }
    }
    rows
}

/// A row of the page without its last column, and that.
fn split(row: &str) -> (&str, f64) {
    let (words, simulated) = row.rsplit_once(" | ").unwrap();
    (words, simulated.trim_end_matches(" |").parse().unwrap())
}

#[test]
fn pairs_share_the_bottleneck_as_on_linux() {
    let made = beside_linux();
    if std::env::var_os("UPDATE").is_some() {
        return; // the page is being written
    }
    let text = std::fs::read_to_string(page()).unwrap();
    assert!(text.contains(BESIDE_LINUX), "the words have changed");
    for row in made.lines() {
        let (words, simulated) = split(row);
        let documented = text.lines().find(|line| line.starts_with(words));
        let documented = documented.unwrap_or_else(|| panic!("not in the page: {words}"));
        let (_, documented) = split(documented);
        assert!(
            (simulated - documented).abs() < BESIDE,
            "{words}: {simulated}, documented {documented}"
        );
    }
}

/// The rows of known results, with what the runs show.
fn known(all: &[Vec<Vec<Sharing>>]) -> String {
    let names = controls();
    let place = |name| names.iter().position(|n| *n == name).unwrap();
    let rows = KNOWN.iter().map(|(text, one, other)| {
        let seen: Vec<String> = all
            .iter()
            .map(|sharings| format!("{:.0}", sharings[place(*one)][place(*other)].share))
            .collect();
        format!("| {text} | `{one}`, `{other}` | {} |\n", seen.join(", "))
    });
    rows.collect()
}

#[test]
fn the_tables_of_pairs_are_those_of_the_simulator() {
    if std::env::var_os("UPDATE").is_some() {
        let all = BUFFERS.map(|(buffer, _)| sharings(buffer));
        let mut text = HEAD.to_owned() + &known(&all) + BESIDE_LINUX + &beside_linux();
        for ((buffer, words), sharings) in BUFFERS.iter().zip(&all) {
            let percent = table(sharings, |s| format!("{:.0}", s.share));
            let index = table(sharings, |s| format!("{:.2}", s.jain));
            let _ = write!(
                text,
                "\n## A buffer of {buffer}: {words}\n\nShare of the row, per cent:\n\n{percent}\n\
                 Jain's index:\n\n{index}"
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
        let cell = |row: &str| -> f64 {
            row.split('|')
                .nth(column + 2)
                .unwrap()
                .trim()
                .parse()
                .unwrap()
        };
        let documented = cell(row);
        let index = part.split("Jain's index:").nth(1).unwrap();
        let index = index.lines().find(|l| l.starts_with(&format!("| {one} |")));
        // As in the table: the control that comes first in the list is the first host.
        let place = |name| names.iter().position(|n| *n == name);
        let made = match place(one) < place(other) {
            true => sharing(one, other, buffer, (PROCESSING, "0 s")),
            false => sharing(other, one, buffer, (PROCESSING, "0 s")).of_other(),
        };
        assert!(
            (made.share - documented).abs() < SLACK,
            "{one} beside {other} at {buffer}: {}, documented {documented}",
            made.share
        );
        assert!((made.jain - cell(index.unwrap())).abs() < 0.06);
    }
}
