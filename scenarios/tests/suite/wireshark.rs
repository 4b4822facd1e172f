//! Wireshark's analysis of a capture against what the run itself recorded, packet by packet: retransmissions of
//! each kind, out-of-order segments, D-SACKs and windows of zero.
//!
//! Whether a segment repeats data is known in the run, and tshark finds exactly the same ones. Of which kind
//! they are differs in general, and never by chance:
//!
//! * A sender knows why it repeats (RACK, a time-out, a tail loss probe). tshark guesses from times: a fast
//!   retransmission is one within 20 ms of the last of two or more duplicate ACKs that ask for it, so a repair
//!   of the second hole (which no ACK number asks for) or on a long path is none.
//! * tshark calls a segment out of order that is sent within 3 ms of the segment with the highest sequence
//!   number; where the SYN was sent more than once, within the first round trip, from the last SYN to the first
//!   ACK. Captures hold each packet as its sender sent it, where nothing is out of order: all of these are
//!   repairs that a fast sender makes between two new segments.
//! * A retransmission is spurious to tshark if its data had been acknowledged when it was sent; to the run, if
//!   its data had arrived before it did. The run's is the larger set: it has those whose ACK was on its way, or
//!   was a SACK.
//!
//! So the expected kind of each packet is derived here by these rules (Wireshark User's Guide, "TCP Analysis")
//! from the run's own table, and compared with tshark's: equal for every packet.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::Command;

use crate::common::LOSSY;
use reports::store::reader::Table;
use scenarios::library;

/// Scenarios with the change that makes them short enough; most have losses, reordering or closed windows.
const SCENARIOS: [(&str, &[&str]); 18] = [
    ("handshake", &[]),
    ("four-way-close", &[]),
    ("simultaneous-close", &[]),
    ("half-close", &[]),
    ("lost-last-ack", &[]),
    ("reset", &[]),
    ("flow-control", &["workload.transfer.read_start=2 s"]),
    ("retransmission", &[]),
    ("slow-start", &[]),
    ("http-exchange", &[]),
    ("teardown", &[]),
    ("handshake-loss", &[]),
    ("lossy-link", &["duration=1.5 s"]),
    ("reordering", &["duration=5 s"]),
    ("ack-loss", &["duration=5 s"]),
    ("spurious-timeout", &["duration=20 s"]),
    ("bulk", &["duration=5 s"]),
    ("rate-drop", &["duration=12 s"]),
];

/// What is said about one packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Analysis {
    /// "retransmission", "fast", "spurious", "out of order", or nothing.
    kind: &'static str,
    dsack: bool,
    zero_window: bool,
}

/// tshark's analysis of each packet; `None` where there is no tshark.
fn of_tshark(packets: &Path) -> Option<Vec<Analysis>> {
    let fields = [
        "tcp.analysis.spurious_retransmission",
        "tcp.analysis.fast_retransmission",
        "tcp.analysis.out_of_order",
        "tcp.analysis.retransmission",
        "tcp.options.sack.dsack_le",
        "tcp.analysis.zero_window",
        "frame.number",
    ];
    // Reassembly would take what is sent again for fragments that overlap.
    let mut command = Command::new("tshark");
    command
        .arg("-r")
        .arg(packets)
        .args(["-o", "tcp.desegment_tcp_streams:FALSE"]);
    command.args(["-T", "fields"]);
    fields.iter().for_each(|field| {
        command.args(["-e", field]);
    });
    let output = command.output().ok()?;
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let analysis = |line: &str| {
        let said: Vec<bool> = line.split('\t').map(|cell| !cell.is_empty()).collect();
        let kinds = ["spurious", "fast", "out of order", "retransmission"];
        Analysis {
            kind: (0..4).find(|i| said[*i]).map_or("", |i| kinds[i]),
            dsack: said[4],
            zero_window: said[5],
        }
    };
    Some(text.lines().map(analysis).collect())
}

/// What an observer of a connection knows about one of its directions.
#[derive(Clone, Debug, Default)]
struct SeenDirection {
    /// The number after the highest sequence number seen, and when that was sent, nanoseconds.
    next: Option<u32>,
    advanced_ns: i64,
    /// The last acknowledgment sent, when, and how many duplicates of it.
    acked: Option<u32>,
    acked_ns: i64,
    duplicates: u32,
    window: i64,
}

/// The opening of a connection: SYNs without ACK, the time of the last, and from it to the first ACK,
/// nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
struct SeenOpening {
    syns: u32,
    syn_ns: i64,
    round_trip_ns: Option<i64>,
}

impl SeenOpening {
    /// How long after the highest sequence number a segment still counts as out of order.
    fn out_of_order_ns(&self) -> i64 {
        let repeated = self.round_trip_ns.filter(|_| self.syns > 1);
        repeated.unwrap_or(3_000_000)
    }
}

/// Whether sequence number `a` comes before `b` (RFC 9293 section 3.4).
fn before(a: u32, b: u32) -> bool {
    a != b && b.wrapping_sub(a) < 1 << 31
}

/// The analysis that the run's table of segments implies.
fn of_run(segments: &Table) -> Vec<Analysis> {
    let int = |column: &str| segments.ints(column).unwrap();
    let text = |column: &str| segments.texts(column).unwrap();
    let sent = segments.floats("sent_s").unwrap();
    let (src, sport, dst, dport) = (
        int("src_ip"),
        int("src_port"),
        int("dst_ip"),
        int("dst_port"),
    );
    let (seq, ack, len, window) = (int("seq"), int("ack"), int("len"), int("window"));
    let (flags, reason, options) = (text("flags"), text("reason"), text("options"));
    let mut seen: HashMap<(i64, i64, i64, i64), SeenDirection> = HashMap::new();
    let mut openings: HashMap<(i64, i64, i64, i64), SeenOpening> = HashMap::new();
    let mut all = Vec::new();
    // A packet that a middlebox or an earlier instant made has no sending of its own.
    for i in (0..segments.len()).filter(|i| sent[*i].is_finite()) {
        let has = |flag: &str| flags[i].split(',').any(|f| f == flag);
        let (syn, fin, rst, acks) = (has("SYN"), has("FIN"), has("RST"), has("ACK"));
        let (seq, ack, len) = (seq[i] as u32, ack[i] as u32, len[i] as u32);
        // Captures cut picoseconds off. A tenth of one makes up for the rounding of seconds.
        let now = (sent[i] * 1e9 + 1e-4).floor() as i64;
        let key = (src[i], sport[i], dst[i], dport[i]);
        let back = (key.2, key.3, key.0, key.1);
        let other = seen.get(&back).cloned().unwrap_or_default();
        let opening = openings.entry(key.min(back)).or_default();
        let own = seen.entry(key).or_default();
        if syn && !acks && reason[i].is_empty() {
            // Another connection between the same ends.
            *own = SeenDirection::default();
            *opening = SeenOpening::default();
        }
        let end = seq.wrapping_add(len + u32::from(syn) + u32::from(fin));
        let is_duplicate = len == 0
            && window[i] != 0
            && own.window == window[i]
            && own.next == Some(seq)
            && own.acked == Some(ack)
            && !(syn || fin || rst);
        if is_duplicate {
            own.duplicates += 1;
        } else if acks && own.acked != Some(ack) {
            own.duplicates = 0;
        }
        // What the run calls a retransmission, if it takes sequence numbers: probes of a window do not.
        let kind = if reason[i].is_empty() || end == seq {
            ""
        } else if len > 0
            && other
                .acked
                .is_some_and(|acked| !before(acked, seq.wrapping_add(len)))
        {
            "spurious"
        } else if other.duplicates >= 2
            && other.acked == Some(seq)
            && now - other.acked_ns < 20_000_000
        {
            "fast"
        } else if now - own.advanced_ns < opening.out_of_order_ns() && own.next != Some(end) {
            "out of order"
        } else {
            "retransmission"
        };
        all.push(Analysis {
            kind,
            dsack: is_dsack(&options[i], ack),
            zero_window: window[i] == 0 && !(syn || fin || rst),
        });
        if syn && !acks {
            (opening.syns, opening.syn_ns) = (opening.syns + 1, now);
        } else if acks && !syn && opening.syns > 0 && opening.round_trip_ns.is_none() {
            opening.round_trip_ns = Some(now - opening.syn_ns);
        }
        if own.next.is_none_or(|next| before(next, end)) {
            (own.next, own.advanced_ns) = (Some(end), now);
        }
        if acks {
            (own.acked, own.acked_ns) = (Some(ack), now);
        }
        own.window = window[i];
    }
    all
}

/// Whether the first SACK block reports data that arrived twice: it lies below the acknowledgment, or within
/// the second block (RFC 2883 section 4).
fn is_dsack(options: &str, ack: u32) -> bool {
    let Some(blocks) = options.split(',').find_map(|o| o.strip_prefix("sack ")) else {
        return false;
    };
    let ends = |block: &str| {
        let (left, right) = block.split_once(':').unwrap();
        (left.parse::<u32>().unwrap(), right.parse::<u32>().unwrap())
    };
    let mut blocks = blocks.split(' ').map(ends);
    let (left, right) = blocks.next().unwrap();
    let within = |(l, r): (u32, u32)| !before(left, l) && !before(r, right);
    before(left, ack) || blocks.next().is_some_and(within)
}

#[test]
fn tshark_finds_what_the_run_knows_in_every_packet() {
    let of_library = SCENARIOS.iter().map(|(name, sets)| {
        let text = library::find(name).unwrap().text.to_owned();
        let sets = sets.iter().chain(&[
            "record.pcap=true",
            "record.segments=1",
            "record.traced_clients=2",
        ]);
        (*name, text, sets.copied().collect::<Vec<&str>>())
    });
    let runs = of_library.chain([("lossy", LOSSY.to_owned(), Vec::new())]);
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut dsacks, mut windows) = (0, 0);
    for (name, text, sets) in runs {
        let plan = crate::common::planned(&text, &sets);
        for i in crate::common::few(plan.runs.len()) {
            let dir = tempfile::tempdir().unwrap();
            let dir = dir.path().join("run");
            scenarios::run::execute(&plan.runs[i], &dir, false, &mut |_| ()).unwrap();
            let Some(theirs) = of_tshark(&dir.join("packets.pcapng")) else {
                println!("skipped: tshark is not installed");
                return;
            };
            let ours = of_run(&Table::read(&dir, "segments").unwrap().unwrap());
            assert_eq!(ours.len(), theirs.len(), "{name}, run {i}");
            for (place, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
                assert_eq!(ours, theirs, "{name}, run {i}, packet {}", place + 1);
                if !ours.kind.is_empty() {
                    *kinds.entry(ours.kind).or_default() += 1;
                }
                dsacks += usize::from(ours.dsack);
                windows += usize::from(ours.zero_window);
            }
        }
    }
    println!("{kinds:?}, {dsacks} D-SACKs, {windows} windows of zero");
    // Each kind occurs, so that none of the comparisons is empty.
    assert_eq!(kinds.len(), 4, "{kinds:?}");
    assert!(dsacks > 0 && windows > 0, "{dsacks}, {windows}");
}
