//! No text that resembles a script makes the parser or the runner panic, or run without end.

use proptest::prelude::*;
use tcp_model::Connection;
use tcp_model::packetdrill::{RunOptions, parse, run};

use super::all_scripts;

/// Numbers at the limits of their types.
const EDGES: [&str; 14] = [
    "0",
    "1",
    "255",
    "256",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551616",
    "0x",
    "0xffffffff",
];

/// A change of a text; the numbers say where, and what.
#[derive(Clone, Debug)]
enum Edit {
    /// Keep only the beginning.
    Cut(u32),
    /// Remove some characters.
    Drop(u32, u8),
    /// Insert a character.
    Put(u32, char),
    /// Replace a number by another.
    Number(u32, u8),
    /// Remove, repeat or move a line.
    DropLine(u32),
    RepeatLine(u32),
    MoveLine(u32, u32),
    /// Insert a line of another script.
    Borrow(u32, u32),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        1 => any::<u32>().prop_map(Edit::Cut),
        2 => (any::<u32>(), any::<u8>()).prop_map(|(at, n)| Edit::Drop(at, n % 8)),
        2 => (any::<u32>(), prop::sample::select(vec![
            '<', '>', '.', '~', '*', '+', '-', '(', ')', '[', ']', '{', '}', ',', '=', '`', '%',
            '"', '\'', '|', '#', '/', ':', ' ', '\n', 'S', 'F', 'R', 'é', '\0',
        ])).prop_map(|(at, c)| Edit::Put(at, c)),
        6 => (any::<u32>(), any::<u8>()).prop_map(|(at, n)| Edit::Number(at, n)),
        3 => any::<u32>().prop_map(Edit::DropLine),
        3 => any::<u32>().prop_map(Edit::RepeatLine),
        3 => (any::<u32>(), any::<u32>()).prop_map(|(a, b)| Edit::MoveLine(a, b)),
        3 => (any::<u32>(), any::<u32>()).prop_map(|(a, b)| Edit::Borrow(a, b)),
    ]
}

fn apply(text: &str, edit: &Edit, donor: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut lines: Vec<&str> = text.lines().collect();
    let within = |at: u32, len: usize| at as usize % len.max(1);
    match edit {
        Edit::Cut(at) => chars[..within(*at, chars.len())].iter().collect(),
        Edit::Drop(at, n) => {
            let at = within(*at, chars.len());
            let rest = chars.iter().skip(at + usize::from(*n));
            chars[..at].iter().chain(rest).collect()
        }
        Edit::Put(at, c) => {
            let at = within(*at, chars.len());
            let (before, after) = chars.split_at(at);
            before.iter().chain([c]).chain(after).collect()
        }
        Edit::Number(at, n) => {
            let digits: Vec<usize> = (0..chars.len())
                .filter(|i| chars[*i].is_ascii_digit())
                .collect();
            let Some(&at) = digits.get(within(*at, digits.len())) else {
                return text.to_string();
            };
            let end = (at..chars.len()).find(|i| !chars[*i].is_ascii_digit());
            let mut all: String = chars[..at].iter().collect();
            all += EDGES[usize::from(*n) % EDGES.len()];
            all.extend(&chars[end.unwrap_or(chars.len())..]);
            all
        }
        _ if lines.is_empty() => String::new(),
        Edit::DropLine(at) => {
            lines.remove(within(*at, lines.len()));
            lines.join("\n")
        }
        Edit::RepeatLine(at) => {
            let at = within(*at, lines.len());
            lines.insert(at, lines[at]);
            lines.join("\n")
        }
        Edit::MoveLine(from, to) => {
            let line = lines.remove(within(*from, lines.len()));
            lines.insert(within(*to, lines.len()), line);
            lines.join("\n")
        }
        Edit::Borrow(at, from) => {
            let donor: Vec<&str> = donor.lines().collect();
            if let Some(line) = donor.get(within(*from, donor.len())) {
                lines.insert(within(*at, lines.len()), line);
            }
            lines.join("\n")
        }
    }
}

thread_local! {
    static SCRIPTS: Vec<String> = all_scripts().into_iter().map(|(_, text)| text).collect();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn no_broken_script_breaks_parser_or_runner(
        which in any::<u32>(),
        other in any::<u32>(),
        edits in prop::collection::vec(edit(), 1..6),
    ) {
        let (mut text, donor) = SCRIPTS.with(|all| {
            let pick = |n: u32| all[n as usize % all.len()].clone();
            (pick(which), pick(other))
        });
        for edit in &edits {
            text = apply(&text, edit, &donor);
        }
        if let Ok(script) = parse(&text) {
            let options = RunOptions {
                max_timeouts: 5_000,
                ..RunOptions::for_script(&script)
            };
            let report = run(&script, &mut |ctx| Box::new(Connection::new(ctx)), &options);
            prop_assert!(report.ladder.len() < 200_000, "{} segments", report.ladder.len());
        }
    }
}
