//! Runs an experiment in the simulator and compares it with the measurement.
//!
//! The kernel's tick count has a phase that differs between repetitions and that the set-up does not control:
//! coarse timers expire at multiples of up to 2.048 s of the tick count. Simulated hosts count from time
//! zero, so an experiment starts at a time that gives the phase: of 2048 start times, a millisecond apart,
//! the one that agrees best. All packets must then agree at once: one number cannot adjust twenty times.
//!
//! Tolerance: one tick, 4 ms, plus the spread of the packet's time over the repetitions.

use sim_core::network::LinkChange;
use sim_core::{Rate, Record, SimDuration, SimTime};
use tcp_model::app::spec::HostConfig;
use tcp_model::congestion::Control;
use tcp_model::params::TimerGranularity;
use tcp_model::sample::{EndReason, SegmentEvent, TcpSample};
use tcp_model::segment::{Flags, Segment};
use tcp_model::testing::two_hosts;
use tcp_model::{TcpHost, TcpParams};

use super::fixture::{Experiment, MeasuredPacket};
use super::script::{AppScript, Do, When};

/// The emulated delay plus what the machine added on the way: 0.1 ms per round trip in every handshake, so
/// that the time-out is 304 ms and not 300 ms.
pub(super) const ONE_WAY: f64 = 0.050_05;

/// One tick at HZ = 250.
pub(super) const TICK: f64 = 0.004;

pub(super) fn ms(n: u64) -> SimDuration {
    SimDuration::from_millis(n)
}

/// The measured hosts' settings.
pub(super) fn params() -> TcpParams {
    TcpParams {
        timers: TimerGranularity::Hz250,
        receive_buffer: 32 << 20,
        congestion: Control::default(), // the measured hosts had reno
        ..TcpParams::linux()
    }
}

/// What each side does, and what the network loses.
#[derive(Clone)]
pub(super) struct Setup {
    pub(super) params: TcpParams,
    /// The server's parameters, if they differ.
    pub(super) server_params: Option<TcpParams>,
    pub(super) client: Vec<(When, Do)>,
    pub(super) server: Vec<(When, Do)>,
    pub(super) server_reads: bool,
    /// One-way delay.
    pub(super) delay: SimDuration,
    /// Rate of the links, whose queue is unlimited.
    pub(super) rate: Option<Rate>,
    /// Packets to lose, from the client and from the server, numbered from 1.
    pub(super) lost: [Vec<u64>; 2],
    /// From this time on, everything is lost.
    pub(super) hole: Option<SimDuration>,
    pub(super) until: SimDuration,
}

impl Setup {
    pub(super) fn new(client: &[(When, Do)], server: &[(When, Do)]) -> Setup {
        Setup {
            params: params(),
            server_params: None,
            client: client.to_vec(),
            server: server.to_vec(),
            server_reads: true,
            delay: SimDuration::from_secs_f64(ONE_WAY),
            lost: [Vec::new(), Vec::new()],
            hole: None,
            until: ms(1000),
            rate: None,
        }
    }
}

/// The outcome; times in seconds since the start.
pub(super) struct Done {
    pub(super) packets: Vec<MeasuredPacket>,
    /// When an end point gave up, and on which side.
    pub(super) ended: Vec<(f64, char, EndReason)>,
}

/// Runs an experiment that begins at `start`.
pub(super) fn run(setup: &Setup, start: SimTime) -> Done {
    let records = simulate(setup, start);
    Done {
        packets: packets(&records, start),
        ended: ended(&records, start),
    }
}

/// When text arrived at the server, in seconds since the start, and how many octets.
pub(super) fn arrivals(setup: &Setup, start: SimTime) -> Vec<(f64, u32)> {
    let records = simulate(setup, start);
    let received = traces(&records)
        .filter(|(r, _, seg, event)| {
            r.node.0 == 1 && seg.len > 0 && *event == SegmentEvent::Received
        })
        .map(|(r, _, seg, _)| (seconds(r.time, start), seg.len));
    received.collect()
}

fn simulate(setup: &Setup, start: SimTime) -> Vec<Record<TcpSample>> {
    let host = |script: AppScript, params: &TcpParams| {
        let config = HostConfig::new(params.clone(), Vec::new()).tracing(10);
        TcpHost::new(config).with_app(Box::new(script))
    };
    let client = AppScript::new(start, 'C', setup.client.clone());
    let mut server = AppScript::new(start, 'S', setup.server.clone());
    server.reads = setup.server_reads;
    let other = setup.server_params.as_ref().unwrap_or(&setup.params);
    let mut pair = two_hosts(host(client, &setup.params), host(server, other))
        .with_delay(setup.delay)
        .until(start + setup.until);
    for (link, lost) in pair.links.iter_mut().zip(&setup.lost) {
        link.rate = setup.rate;
        link.impairments.drop.clone_from(lost);
        link.changes.extend(setup.hole.map(|at| LinkChange {
            at: start + at,
            rate: None,
            delay: None,
            loss: None,
            up: Some(false),
        }));
    }
    pair.run().records
}

fn seconds(time: SimTime, start: SimTime) -> f64 {
    time.since(start).as_secs_f64()
}

fn ended(records: &[Record<TcpSample>], start: SimTime) -> Vec<(f64, char, EndReason)> {
    let of = |r: &Record<TcpSample>| match &r.sample {
        TcpSample::Ended(s) if s.reason != EndReason::StillOpen => {
            let side = if r.node.0 == 0 { 'C' } else { 'S' };
            Some((seconds(r.time, start), side, s.reason))
        }
        _ => None,
    };
    records.iter().filter_map(of).collect()
}

fn packets(records: &[Record<TcpSample>], start: SimTime) -> Vec<MeasuredPacket> {
    let mut isn: [Option<u32>; 2] = [None; 2];
    let mut packets = Vec::new();
    let lost: Vec<u64> = traces(records)
        .filter(|(_, _, _, event)| matches!(event, SegmentEvent::Lost(_)))
        .map(|(_, packet, _, _)| packet)
        .collect();
    for (record, id, segment, event) in traces(records) {
        if event != SegmentEvent::Sent {
            continue;
        }
        let own = record.node.0 as usize;
        let base = match isn[own] {
            Some(base) => base,
            // A reset for an unknown connection has no initial sequence number.
            None if segment.flags.is_syn() => *isn[own].insert(segment.seq.0),
            None => segment.seq.0,
        };
        let peer = isn[1 - own].unwrap_or(0);
        packets.push(MeasuredPacket {
            t: seconds(record.time, start),
            side: if own == 0 { 'C' } else { 'S' },
            flags: letters(segment.flags),
            seq: segment.seq.0.wrapping_sub(base),
            ack: segment
                .flags
                .is_ack()
                .then(|| segment.ack.0.wrapping_sub(peer)),
            len: segment.len,
            window: Some(u32::from(segment.window)),
            options: Some(option_names(&segment)),
            lost: lost.contains(&id),
        });
    }
    packets
}

fn traces(
    records: &[Record<TcpSample>],
) -> impl Iterator<Item = (&Record<TcpSample>, u64, Segment, SegmentEvent)> {
    records.iter().filter_map(|r| match &r.sample {
        TcpSample::Segment(t) => Some((r, t.packet, t.segment, t.event)),
        _ => None,
    })
}

fn letters(flags: Flags) -> String {
    let names = [
        (Flags::SYN, 'S'),
        (Flags::FIN, 'F'),
        (Flags::RST, 'R'),
        (Flags::PSH, 'P'),
        (Flags::ACK, 'A'),
    ];
    let set = names.iter().filter(|(flag, _)| flags.contains(*flag));
    set.map(|(_, name)| *name).collect()
}

fn option_names(segment: &Segment) -> String {
    use tcp_model::options::TcpOption;
    let name = |option| match option {
        TcpOption::Eol => "eol",
        TcpOption::Nop => "nop",
        TcpOption::Mss(_) => "mss",
        TcpOption::WindowScale(_) => "wscale",
        TcpOption::SackPermitted => "sackok",
        TcpOption::Sack(_) => "sack",
        TcpOption::Timestamps(..) => "ts",
        _ => "other",
    };
    let names: Vec<&str> = segment.options.iter().flatten().map(name).collect();
    names.join(" ")
}

/// The first difference between measurement and replay, if there is one.
fn difference(measured: &MeasuredPacket, replayed: &MeasuredPacket, push: bool) -> Option<String> {
    let flags = |p: &MeasuredPacket| {
        if push {
            p.flags.clone()
        } else {
            p.flags.replace('P', "")
        }
    };
    let same = flags(measured) == flags(replayed)
        && (measured.seq, measured.ack, measured.len) == (replayed.seq, replayed.ack, replayed.len)
        && measured.window.is_none_or(|w| replayed.window == Some(w))
        && measured.options.is_none_or_same(&replayed.options);
    (!same).then(|| format!("measured {measured:?}\n  replayed {replayed:?}"))
}

trait NoneOrSame {
    fn is_none_or_same(&self, other: &Self) -> bool;
}

impl NoneOrSame for Option<String> {
    fn is_none_or_same(&self, other: &Self) -> bool {
        self.is_none() || self == other
    }
}

fn side(packets: &[MeasuredPacket], side: char) -> Vec<&MeasuredPacket> {
    packets.iter().filter(|p| p.side == side).collect()
}

/// Compares an experiment packet by packet, each side separately: flags, relative numbers, length, window,
/// options and time.
pub(super) struct Comparison<'a> {
    pub(super) experiment: &'a Experiment,
    /// Whether PSH is compared.
    pub(super) push: bool,
}

impl Comparison<'_> {
    /// The spread over the repetitions of the time of a side's `i`-th packet.
    fn spread(&self, of: char, i: usize) -> f64 {
        let times = self.experiment.repetitions.iter();
        let times: Vec<f64> = times
            .filter_map(|r| side(r, of).get(i).map(|p| p.t))
            .collect();
        let most = times.iter().copied().fold(f64::MIN, f64::max);
        most - times.iter().copied().fold(f64::MAX, f64::min)
    }

    /// How far the replay exceeds the tolerance at its worst packet, in seconds (negative: it is within the
    /// tolerance), with the deviation and a description of that packet.
    fn judge(
        &self,
        measured: &[MeasuredPacket],
        replayed: &[MeasuredPacket],
    ) -> Result<(f64, f64, String), (usize, String)> {
        let mut worst = (f64::MIN, 0.0, String::new());
        for of in ['C', 'S'] {
            let (m, r) = (side(measured, of), side(replayed, of));
            for (i, (m, r)) in m.iter().zip(&r).enumerate() {
                if let Some(text) = difference(m, r, self.push) {
                    return Err((i, format!("{of} packet {}:\n  {text}", i + 1)));
                }
                let off = (m.t - r.t).abs();
                let beyond = off - TICK - self.spread(of, i);
                if beyond > worst.0 {
                    let text = format!(
                        "{of} packet {}: measured {:.4}, replayed {:.4}",
                        i + 1,
                        m.t,
                        r.t
                    );
                    worst = (beyond, off, text);
                }
            }
            if m.len() != r.len() {
                worst.0 += 100.0;
                worst.2 += &format!("; {of} sent {} packets, replayed {}", m.len(), r.len());
            }
        }
        Ok(worst)
    }
}

/// Replays every repetition of an experiment, each with the phase that agrees best.
pub(super) fn check(
    experiment: &Experiment,
    push: bool,
    setup: impl Fn(&[MeasuredPacket]) -> Setup,
) {
    let comparison = Comparison { experiment, push };
    for (number, measured) in experiment.repetitions.iter().enumerate() {
        let setup = setup(measured);
        let mut best: Option<(f64, f64, String)> = None;
        let mut wrong = (0, String::new());
        for phase in phases() {
            match comparison.judge(measured, &run(&setup, phase).packets) {
                Ok(found) => {
                    let enough = found.0 <= 0.0;
                    if best.as_ref().is_none_or(|b| found.0 < b.0) {
                        best = Some(found);
                    }
                    if enough {
                        break;
                    }
                }
                Err(found) if found.0 >= wrong.0 => wrong = found,
                Err(_) => {}
            }
        }
        let name = &experiment.name;
        let Some((beyond, off, place)) = best else {
            panic!("{name}, repetition {}: {}", number + 1, wrong.1);
        };
        println!(
            "{name} {}: worst {:.1} ms off, {place}",
            number + 1,
            off * 1e3
        );
        assert!(
            beyond <= 0.0,
            "{name}, repetition {}: {:.1} ms beyond the tolerance, {place}",
            number + 1,
            beyond * 1e3
        );
    }
}

/// Start times that give the phases of the tick count, a millisecond apart over the coarsest slot that
/// matters. The first is later than zero, so that hosts have time to start.
pub(super) fn phases() -> impl Iterator<Item = SimTime> {
    (0..2048).map(|n| SimTime::ZERO + ms(4096 + n))
}

/// The packets that the measurement lost, by direction.
pub(super) fn lost(measured: &[MeasuredPacket]) -> [Vec<u64>; 2] {
    ['C', 'S'].map(|of| {
        let numbered = side(measured, of).into_iter().zip(1..);
        numbered.filter(|(p, _)| p.lost).map(|(_, n)| n).collect()
    })
}

/// The end of an experiment, and a little longer to see that nothing follows.
pub(super) fn until(measured: &[MeasuredPacket]) -> SimDuration {
    let last = measured.iter().map(|p| p.t).fold(0.0, f64::max);
    SimDuration::from_secs_f64(last + 0.06)
}

/// Whether a side gave up at each measured time, within one tick plus their spread.
pub(super) fn check_end(name: &str, times: &[f64], setup: &Setup, of: char, why: EndReason) {
    let spread = times.iter().copied().fold(f64::MIN, f64::max)
        - times.iter().copied().fold(f64::MAX, f64::min);
    for (number, time) in times.iter().enumerate() {
        let off = phases()
            .filter_map(|phase| {
                let done = run(setup, phase);
                let end = done.ended.iter().find(|e| e.1 == of && e.2 == why)?;
                Some((end.0 - time).abs())
            })
            .fold(f64::MAX, f64::min);
        println!("{name} {}: given up {:.1} ms off", number + 1, off * 1e3);
        assert!(
            off <= TICK + spread,
            "{name}, repetition {}: {off}",
            number + 1
        );
    }
}
