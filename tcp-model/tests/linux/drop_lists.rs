//! Bulk transfers with losses, lost ACKs and late segments drawn at random: the same segments are sent again in the
//! same order at the same times as on Linux.
//!
//! The links carry 10 Mbit/s with a queue of 625,000 bytes, or 100 Mbit/s with 1,250,000 bytes. A case agrees if a
//! run of the simulator and a measured run send the same segments again, each within 10 ms, and end within 12 ms of
//! each other, beyond the spread of the measured runs. Numbers of segments may differ by one, since a window that
//! ends within a segment shifts all later ones. Runs of the simulator differ in the phase of its clocks of a
//! millisecond, which the measurements do not control.
//!
//! Not every case agrees: where a window grows by what was read in a round trip, or slow start ends on the delay of
//! one ACK, a difference of under a millisecond can decide about all that follows. The cases that differ are listed;
//! one that begins to agree must leave the list.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use sim_core::impairments::delay::{AnyDelay, DelayModel};
use sim_core::plugin::Plugin;
use sim_core::queue_disc::QueueLimit;
use sim_core::record::Collect;
use sim_core::units::Bytes;
use sim_core::{
    LinkSpec, Network, NodeId, NodeKind, NodeSpec, Rate, Rng, RunConfig, SimDuration, SimTime,
    Simulation,
};
use tcp_model::TcpHost;
use tcp_model::app::spec::{HostConfig, TraceSpec};
use tcp_model::congestion::Control;
use tcp_model::sample::{SegmentEvent, TcpSample};
use tcp_model::segment::Flags;

use super::fixture::lines;
use super::replay::{ms, params};
use super::script::{AppScript, Do, When};

const CASES: &str = include_str!("drop-lists.csv");
const MSS: u64 = 1448;
/// Beyond the spread of the measured runs, in milliseconds: of a retransmission, and of the last segment.
const TOLERANCE: (f64, f64) = (10.0, 12.0);
/// Clock phases of the simulated runs: they begin this much later each.
const PHASES: u64 = 4;
const PHASE: SimDuration = SimDuration::from_micros(1250);
/// What the machine added on the way.
const ON_THE_WAY: SimDuration = SimDuration::from_micros(50);

/// Cases that do not agree.
const DIFFERENT: &[u32] = &[
    60, 106, 172, 173, 189, 190, 209, 226, 227, 239, 252, 253, 262, 269, 274, 290, 291,
];

/// Milliseconds since connect() and segment, counted from 1, of each retransmission; and when the last segment was
/// first sent.
#[derive(Debug)]
struct Sent {
    again: Vec<(f64, u64)>,
    last: f64,
}

struct Case {
    number: u32,
    control: String,
    mbps: u64,
    one_way: SimDuration,
    segments: u64,
    /// Segments, and how many transmissions of each are lost.
    dropped: Vec<(u64, f64)>,
    /// ACKs that are lost, counted without the SYN-ACK.
    acks_dropped: Vec<u64>,
    /// Segments whose first transmission is late, and by how many milliseconds.
    held: Vec<(u64, f64)>,
    measured: Vec<Sent>,
}

fn pairs(text: &str) -> Vec<(u64, f64)> {
    let pair = |text: &str| {
        let (first, second) = text.split_once(':').unwrap();
        (first.parse().unwrap(), second.parse().unwrap())
    };
    text.split_whitespace().map(pair).collect()
}

fn cases() -> Vec<Case> {
    let mut all: BTreeMap<u32, Case> = BTreeMap::new();
    for f in lines(CASES) {
        let number = f[0].parse().unwrap();
        let case = all.entry(number).or_insert_with(|| Case {
            number,
            control: f[1].replace("cubic", "cubic-linux"),
            mbps: f[2].parse().unwrap(),
            one_way: ms(f[3].parse().unwrap()),
            segments: f[4].parse().unwrap(),
            dropped: pairs(f[5]),
            acks_dropped: f[6]
                .split_whitespace()
                .map(|ack| ack.parse().unwrap())
                .collect(),
            held: pairs(f[7]),
            measured: Vec::new(),
        });
        let again = f[10].split_whitespace().map(|again| {
            let (at, segment) = again.split_once(':').unwrap();
            (at.parse().unwrap(), segment.parse().unwrap())
        });
        case.measured.push(Sent {
            again: again.collect(),
            last: f[9].parse().unwrap(),
        });
    }
    all.into_values().collect()
}

/// Delays some packets, counted from 1 among those that are not lost.
#[derive(Debug)]
struct Late {
    count: u64,
    packets: Vec<(u64, SimDuration)>,
}

impl DelayModel for Late {
    fn extra(&mut self, _: SimTime, _: &mut Rng) -> SimDuration {
        self.count += 1;
        let late = self.packets.iter().find(|late| late.0 == self.count);
        late.map_or(SimDuration::ZERO, |late| late.1)
    }
}

/// A transmission of a data segment, and its number among the packets of its direction that are not lost.
struct Transmission {
    at: f64,
    segment: u64,
    again: bool,
    passed: u64,
}

fn run(case: &Case, late: &[(u64, SimDuration)], phase: u64) -> Vec<Transmission> {
    let start = SimTime::ZERO + ms(5000) + PHASE * phase;
    let mut tcp = params();
    tcp.send_buffer = 64 << 20;
    tcp.congestion = Control::named(&case.control).expect("a control");
    let host = |script: AppScript| {
        TcpHost::new(HostConfig {
            params: Arc::new(tcp.clone()),
            apps: Vec::new(),
            trace: TraceSpec {
                segments: 10,
                ..TraceSpec::default()
            },
        })
        .with_app(Box::new(script))
    };
    let now = When::After(SimDuration::ZERO);
    let client = [
        (now, Do::Connect),
        (When::Open, Do::Write(case.segments * MSS)),
        (now, Do::Shutdown),
    ];
    let server = [(now, Do::Listen), (When::Eof, Do::Close)];
    let node = |name: &str| NodeSpec {
        name: name.to_owned(),
        kind: NodeKind::Host { addresses: 1 },
    };
    let rate = Rate::from_bps(case.mbps * 1_000_000);
    let queue = QueueLimit::Bytes(Bytes(if case.mbps == 10 { 625_000 } else { 1_250_000 }));
    let link = |from, to| {
        LinkSpec::new(NodeId(from), NodeId(to), rate, case.one_way + ON_THE_WAY).with_queue(queue)
    };
    let (mut there, mut back) = (link(0, 1), link(1, 0));
    there.impairments.drop_named = dropped(case);
    if !late.is_empty() {
        let packets = late.to_vec();
        let model = move || {
            let packets = packets.clone();
            AnyDelay::custom(Late { count: 0, packets })
        };
        there.impairments.extra_delay = Plugin::of("late", model).into();
    }
    back.impairments.drop = case.acks_dropped.iter().map(|ack| ack + 1).collect();
    let network = Network::new(vec![node("client"), node("server")], vec![there, back]).unwrap();
    let hosts = vec![
        Some(host(AppScript::new(start, 'C', client.to_vec()))),
        Some(host(AppScript::new(SimTime::ZERO, 'S', server.to_vec()))),
    ];
    let config = RunConfig::new(1, start + ms(60_000));
    let mut records = Collect::default();
    Simulation::new(Arc::new(network), hosts, &config)
        .run(&mut records, &mut |_| ControlFlow::Continue(()))
        .unwrap();
    transmissions(case, &records, start)
}

/// The rules for what is lost.
fn dropped(case: &Case) -> Vec<String> {
    let rules = case.dropped.iter().flat_map(|&(segment, times)| {
        (1..=times as u64).map(move |time| match time {
            1 => format!("client data segment {segment}"),
            _ => format!("client data segment {segment}, transmission {time}"),
        })
    });
    rules.collect()
}

fn transmissions(case: &Case, records: &Collect<TcpSample>, start: SimTime) -> Vec<Transmission> {
    let (mut isn, mut passed, mut next) = (0, 0, 0);
    let mut seen: BTreeMap<u64, u32> = BTreeMap::new();
    let mut all = Vec::new();
    for record in records.0.iter().filter(|record| record.node.0 == 0) {
        let TcpSample::Segment(trace) = &record.sample else {
            continue;
        };
        if trace.event != SegmentEvent::Sent {
            continue;
        }
        let seg = &trace.segment;
        if seg.flags.contains(Flags::SYN) {
            isn = seg.seq.0;
        }
        let offset = u64::from(seg.seq.0.wrapping_sub(isn + 1));
        let segment = offset / MSS + 1;
        let mut lost = false;
        if seg.len > 0 {
            let times = seen.entry(segment).or_default();
            *times += 1;
            let rule = case.dropped.iter().find(|rule| rule.0 == segment);
            lost = rule.is_some_and(|rule| f64::from(*times) <= rule.1);
        }
        passed += u64::from(!lost);
        if seg.len > 0 {
            all.push(Transmission {
                at: record.time.since(start).as_secs_f64() * 1e3,
                segment,
                again: offset < next,
                passed,
            });
            next = next.max(offset + u64::from(seg.len));
        }
    }
    all
}

/// Runs a case. The place of a late segment among the packets is known only once the earlier ones are late, so
/// they are made late one at a time.
fn replay(case: &Case, phase: u64) -> Sent {
    let mut late = Vec::new();
    let mut done = run(case, &late, phase);
    for &(segment, delay) in &case.held {
        let first = done.iter().find(|sent| sent.segment == segment).unwrap();
        late.push((first.passed, SimDuration::from_secs_f64(delay / 1e3)));
        done = run(case, &late, phase);
    }
    let again = done.iter().filter(|sent| sent.again);
    Sent {
        again: again.map(|sent| (sent.at, sent.segment)).collect(),
        last: done.last().map_or(0.0, |sent| sent.at),
    }
}

/// How far apart two runs are: the retransmissions at most, and the last segments; `None` if they do not send the
/// same segments again. A window that ends within a segment shifts the numbers of those after it by one.
fn apart(a: &Sent, b: &Sent) -> Option<(f64, f64)> {
    let both = || a.again.iter().zip(&b.again);
    let same = a.again.len() == b.again.len() && both().all(|(a, b)| a.1.abs_diff(b.1) <= 1);
    same.then(|| {
        let most = both().map(|(a, b)| (a.0 - b.0).abs()).fold(0.0, f64::max);
        (most, (a.last - b.last).abs())
    })
}

/// What differs, if a case does not agree.
fn judge(case: &Case) -> Option<String> {
    let measured = &case.measured;
    let mut spread = (0.0f64, 0.0f64);
    for (i, a) in measured.iter().enumerate() {
        for (again, last) in measured[..i].iter().filter_map(|b| apart(a, b)) {
            spread = (spread.0.max(again), spread.1.max(last));
        }
    }
    let runs: Vec<Sent> = (0..PHASES).map(|phase| replay(case, phase)).collect();
    let found: Vec<(f64, f64)> = runs
        .iter()
        .flat_map(|run| measured.iter().filter_map(|m| apart(run, m)))
        .collect();
    if found.is_empty() {
        return Some(format!("{:?}, measured {:?}", runs[0], measured[0]));
    }
    let most = (TOLERANCE.0 + spread.0, TOLERANCE.1 + spread.1);
    let agrees = found.iter().any(|f| f.0 <= most.0 && f.1 <= most.1);
    (!agrees).then(|| format!("{found:.1?} ms apart, spread {spread:.1?}"))
}

#[test]
fn random_losses_are_repaired_as_on_linux() {
    let cases = cases();
    assert!(cases.len() > 300);
    let mut wrong = Vec::new();
    let mut different = 0;
    for case in &cases {
        let known = DIFFERENT.contains(&case.number);
        match judge(case) {
            Some(_) if known => different += 1,
            Some(why) => wrong.push(format!("{} {}: {why}", case.number, case.control)),
            None if known => wrong.push(format!("{} agrees", case.number)),
            None => {}
        }
    }
    println!("{different} of {} cases differ", cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
