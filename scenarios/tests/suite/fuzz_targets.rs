//! The fuzz targets of `fuzz/`, on valid inputs with a few changes, which are the same every time.
//! `SYNFIN_CASES` sets the number for each target; `SYNFIN_FUZZ=1 .ci/run` also runs the
//! coverage-guided fuzzers.

use std::net::Ipv4Addr;
use std::path::Path;

use sim_core::{Packet, Rng};
use tcp_model::segment::{Flags, Segment};
use tcp_model::wire::encode_ipv4;

mod options;
mod packetdrill;
mod scenario;
mod segment;

#[test]
fn changed_packets_are_refused_or_encode_to_what_they_say() {
    feed(&packets(), 2000, segment::run);
}

#[test]
fn changed_options_are_refused_or_keep_their_bytes() {
    let options = packets().into_iter().map(|p| p[40..].to_vec()).collect();
    let mut seeds: Vec<Vec<u8>> = options;
    seeds.push(vec![
        2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7,
    ]);
    seeds.push(vec![
        1, 1, 5, 18, 0, 0, 0, 9, 0, 0, 1, 9, 0, 0, 2, 9, 0, 0, 3, 9,
    ]);
    feed(&seeds, 2000, options::run);
}

#[test]
fn changed_scenarios_are_accepted_or_refused_with_a_message() {
    feed(&files(Path::new("library"), "toml"), 100, scenario::run);
}

#[test]
fn changed_scripts_are_refused_or_run_to_an_outcome() {
    let scripts = files(Path::new("../tcp-model/tests/packetdrill"), "pkt");
    feed(&scripts, 300, packetdrill::run);
}

/// Feeds the target every seed, then seeds with a few changes each.
fn feed(seeds: &[Vec<u8>], usual: u64, target: impl Fn(&[u8])) {
    assert!(!seeds.is_empty());
    let cases = std::env::var("SYNFIN_CASES").map_or(usual, |n| n.parse().expect("a number"));
    seeds.iter().for_each(|seed| target(seed));
    for case in 0..cases {
        let mut rng = Rng::stream(1, "changes", case);
        let mut input = seeds[below(&mut rng, seeds.len())].clone();
        for _ in 0..=below(&mut rng, 4) {
            change(&mut input, seeds, &mut rng);
        }
        target(&input);
    }
}

fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], rng: &mut Rng) {
    let at = below(rng, input.len() + 1);
    let end = at + below(rng, (input.len() - at).min(30) + 1);
    match below(rng, 5) {
        0 => drop(input.drain(at..end)),
        1 => {
            let piece = input[at..end].to_vec();
            drop(input.splice(at..at, piece));
        }
        2 => {
            let other = &seeds[below(rng, seeds.len())];
            let from = below(rng, other.len() + 1);
            let to = from + below(rng, (other.len() - from).min(30) + 1);
            drop(input.splice(at..end, other[from..to].iter().copied()));
        }
        3 => {
            let extremes: [&[u8]; 6] = [b"0", b"-1", b"1e308", b"4294967295", b"\"", b"[[a]]"];
            let value = extremes[below(rng, extremes.len())];
            drop(input.splice(at..end, value.iter().copied()));
        }
        _ => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << below(rng, 8);
            }
        }
    }
}

fn below(rng: &mut Rng, bound: usize) -> usize {
    rng.below(bound as u64) as usize
}

/// The contents of small files with this extension in a directory and below.
fn files(dir: &Path, extension: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = std::fs::read_dir(dir)
        .expect("a directory of the repository")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(std::fs::read(&path).expect("a file of the repository"));
        }
    }
    found.retain(|content| content.len() < 4096);
    found
}

/// A segment of each kind, as the bytes of an IPv4 packet.
fn packets() -> Vec<Vec<u8>> {
    let kinds = [
        Flags::SYN,
        Flags::SYN | Flags::ACK,
        Flags::ACK,
        Flags::FIN | Flags::ACK,
    ];
    let encode = |flags| {
        let segment = Segment {
            src_port: 40_000,
            dst_port: 80,
            flags,
            ..Segment::EMPTY
        };
        let packet = Packet {
            id: 1,
            src: Ipv4Addr::new(192, 0, 2, 1),
            dst: Ipv4Addr::new(198, 51, 100, 1),
            size: 40,
            ttl: 64,
            tos: 0,
            corrupt: false,
            payload: segment,
        };
        let mut bytes = Vec::new();
        encode_ipv4(&packet, &mut bytes).expect("a packet that can be encoded");
        bytes
    };
    kinds.into_iter().map(encode).collect()
}
