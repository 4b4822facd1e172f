//! Congestion controls on simulated paths: compared with measurements of real Linux, and each alone on a path.

use sim_core::queue_disc::{self, QueueLimit, QueueSpec};
use sim_core::rng::Rng;
use sim_core::units::Bytes;
use sim_core::{Finished, Rate, Record, SimDuration, SimTime};
use tcp_model::congestion::{BUILT_IN, Control, ControlValue};
use tcp_model::params::{EcnMode, TimerGranularity};
use tcp_model::sample::{ConnectionCounts, Side, TcpSample};
use tcp_model::spec::{AppSpec, HostConfig};
use tcp_model::testing::bulk_transfer;
use tcp_model::{TcpHost, TcpParams};

/// The share of a 1500-byte packet that is payload, with timestamps.
const PAYLOAD: f64 = 1448.0 / 1500.0;

/// A bulk transfer through one bottleneck.
struct Path {
    control: Control,
    mbps: u64,
    /// One-way delay.
    delay: SimDuration,
    queue: QueueSpec,
    /// Share of the data that is lost at random before it is queued, and the seed.
    loss: f64,
    seed: u64,
    ecn: EcnMode,
    /// Window reductions are spread over a round trip (PRR).
    prr: bool,
    /// The time that the receiving process takes to wake up.
    wake_up: SimDuration,
    /// Bursts wait for more window; those of ns-3 do not.
    waits: bool,
}

impl Path {
    /// Counters of the sender and the receiver after this many seconds.
    fn run(&self, seconds: u64) -> [ConnectionCounts; 2] {
        let done = self.finished(seconds);
        [0, 1].map(|i| {
            done.hosts[i]
                .as_ref()
                .map(|h| h.counts())
                .unwrap_or_default()
        })
    }

    /// Time in seconds and window in segments, every 10 ms.
    fn windows(&self, seconds: u64) -> Vec<(f64, f64)> {
        let done = self.finished(seconds);
        let window = |r: &Record<TcpSample>| match &r.sample {
            TcpSample::Sender(s) if s.side == Side::Active => {
                Some((r.time.as_secs_f64(), s.cwnd as f64 / 1448.0))
            }
            _ => None,
        };
        done.records.iter().filter_map(window).collect()
    }

    fn finished(&self, seconds: u64) -> Finished<TcpHost> {
        let mut params = TcpParams::linux();
        params.congestion = self.control;
        params.ecn = self.ecn;
        params.prr = self.prr;
        if !self.waits {
            params.tso_win_divisor = 65_535;
        }
        params.timers = TimerGranularity::Hz250;
        params.send_buffer = 64 << 20;
        params.receive_buffer = 32 << 20;
        let host = |mut app| {
            if let AppSpec::Sink(sink) = &mut app {
                sink.read_delay = self.wake_up;
            }
            let mut config = HostConfig::new(params.clone(), vec![app]);
            config.trace.segments = 1; // samples of the sender, too
            TcpHost::new(config)
        };
        let rate = Rate::from_bps(self.mbps * 1_000_000);
        let mut pair = bulk_transfer(None, host)
            .with_delay(self.delay)
            .with_links(|link| link.rate = rate)
            .until(SimTime::ZERO + SimDuration::from_secs(seconds));
        pair.links[0].queue = self.queue.clone();
        let mut rng = Rng::stream(self.seed, "loss", 0);
        let data = 3..200_000; // after the handshake
        pair.links[0].impairments.drop = data.filter(|_| rng.chance(self.loss)).collect();
        pair.seed = self.seed;
        pair.run()
    }

    /// Goodput in Mbit/s between two times.
    fn goodput(&self, from: u64, to: u64) -> f64 {
        let received = |seconds| self.run(seconds)[1].bytes_received;
        let bytes = received(to) - received(from);
        bytes as f64 * 8.0 / 1e6 / (to - from) as f64
    }
}

fn drop_tail(bytes: u64) -> QueueSpec {
    QueueLimit::Bytes(Bytes(bytes)).into()
}

/// Linux 6.18 over 10 Mbit/s, 100 ms and a queue of 125,000 bytes: goodput from the tenth to the
/// sixtieth second, the mean of three repetitions.
#[test]
fn steady_goodput_is_that_of_linux() {
    for (name, measured) in [("reno", 9.607), ("cubic-linux", 9.647), ("bbr", 9.328)] {
        let path = Path {
            control: Control::named(name).unwrap(),
            mbps: 10,
            delay: SimDuration::from_millis(50),
            queue: drop_tail(125_000),
            loss: 0.0,
            seed: 1,
            ecn: EcnMode::Passive,
            prr: true,
            wake_up: SimDuration::ZERO,
            waits: true,
        };
        let goodput = path.goodput(10, 60);
        let off = goodput / measured - 1.0;
        println!(
            "{name}: {goodput:.3} Mbit/s, measured {measured}, {:+.1} %",
            off * 100.0
        );
        assert!(off.abs() < 0.03, "{name}: {goodput} instead of {measured}");
    }
}

/// A measurement with random losses: control, share of lost packets, smallest and largest goodput
/// of three runs in Mbit/s.
type LossyCell = (&'static str, f64, f64, f64);

/// Linux 6.18 with random losses at 100 ms, from the tenth second on: reno and cubic over 100
/// Mbit/s up to the 120th, bbr over 10 Mbit/s up to the 60th. Data are lost before they are queued,
/// and the queue never overflowed.
const LOSSY: [LossyCell; 9] = [
    ("reno", 0.001, 4.28, 4.65),
    ("reno", 0.01, 1.17, 1.35),
    ("reno", 0.03, 0.73, 0.77),
    ("cubic-linux", 0.001, 4.44, 5.26),
    ("cubic-linux", 0.01, 1.15, 1.29),
    ("cubic-linux", 0.03, 0.68, 0.69),
    ("bbr", 0.001, 9.34, 9.39),
    ("bbr", 0.01, 9.31, 9.38),
    ("bbr", 0.03, 9.14, 9.22),
];

/// The times that the measured receiver took to wake up, in microseconds. Packets arrived 120 us apart, and
/// at 0.1 % loss one ACK covered 2.1 to 2.5 segments; the ACK of a reader that is never late covers two. So
/// it must have read sometimes two and sometimes three segments at a time, which a single value cannot show:
/// the threshold is 360 us.
/// `acks_per_segment_are_those_of_linux` checks the values by themselves; the goodput follows, because
/// an odd segment is then read, and acknowledged, together with others instead of waiting 40 ms for
/// the next one.
const WAKE_UP_US: [u64; 4] = [300, 330, 350, 390];

fn lossy(name: &str, loss: f64, seed: u64) -> Path {
    Path {
        control: Control::named(name).unwrap(),
        mbps: if name == "bbr" { 10 } else { 100 },
        delay: SimDuration::from_micros(50_050),
        queue: drop_tail(1_250_000),
        loss,
        seed,
        ecn: EcnMode::Passive,
        prr: true,
        wake_up: SimDuration::from_micros(WAKE_UP_US[seed as usize % WAKE_UP_US.len()]),
        waits: true,
    }
}

/// The runs differ by chance, in the simulator as much as in Linux: the bound is the measured
/// spread plus, on either side, the 95 % interval of a mean of three simulated runs.
/// `SYNFIN_LARGE=1` runs all cells.
#[test]
fn goodput_with_random_losses_is_that_of_linux() {
    let large = std::env::var_os("SYNFIN_LARGE").is_some();
    for (name, loss, least, most) in LOSSY {
        let bbr = name == "bbr";
        if !large && (loss == 0.001 || (bbr && loss != 0.03)) {
            continue;
        }
        // Student's t for this number of runs less one, two-sided.
        let (seeds, t) = if bbr && !large {
            (8u64, 2.365)
        } else {
            (30, 2.045)
        };
        let end = if bbr { 60 } else { 120 };
        let runs = (1..=seeds).map(|seed| lossy(name, loss, seed).goodput(10, end));
        let (mean, spread) = mean_and_spread(&runs.collect::<Vec<_>>());
        let interval = t * spread / 3f64.sqrt();
        println!("{name} {loss}: {mean:.3} +- {interval:.3}, measured {least} to {most} Mbit/s");
        assert!(
            mean + interval >= least && mean - interval <= most,
            "{name} {loss}: {mean} +- {interval}, measured {least} to {most}"
        );
    }
}

/// Mean and standard deviation.
fn mean_and_spread(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0)).sqrt())
}

/// The same runs of Linux: ACKs per data segment, including duplicate ACKs and those of quick-ACK
/// mode.
#[test]
fn acks_per_segment_are_those_of_linux() {
    let measured = [
        ("reno", 0.001, 0.397, 0.468),
        ("reno", 0.01, 0.422, 0.462),
        ("reno", 0.03, 0.473, 0.530),
        ("cubic-linux", 0.001, 0.397, 0.467),
        ("cubic-linux", 0.01, 0.425, 0.479),
        ("cubic-linux", 0.03, 0.469, 0.497),
    ];
    for (name, loss, least, most) in measured {
        let seeds = if loss == 0.001 { 4 } else { 8 };
        let ratio = |seed| {
            let [sender, receiver] = lossy(name, loss, seed).run(120);
            receiver.segments_sent as f64 / sender.segments_sent as f64
        };
        let (mean, _) = mean_and_spread(&(1..=seeds).map(ratio).collect::<Vec<_>>());
        println!("{name} {loss}: {mean:.3}, measured {least} to {most}");
        assert!(
            mean >= least - 0.03 && mean <= most + 0.03,
            "{name} {loss}: {mean}, measured {least} to {most}"
        );
    }
}

/// 50 Mbit/s with a queue that marks or drops by delay, as in ns-3's `tcp-validation`.
fn like_ns3(name: &str, one_way_ms: u64, queue: (&str, &[(&str, &str)])) -> Path {
    let queue = queue_disc::built_in().plugin(queue.0, queue.1);
    Path {
        control: Control::named(name).unwrap(),
        mbps: 50,
        delay: SimDuration::from_millis(one_way_ms),
        queue: queue.expect("a discipline").into(),
        loss: 0.0,
        seed: 1,
        ecn: EcnMode::Active,
        prr: false, // ns-3 halves its window at once for a mark
        wake_up: SimDuration::ZERO,
        waits: false,
    }
}

/// ns-3 expects of DCTCP, with marks above 1 ms of delay: over 10 ms 48 to 49 Mbit/s from 5.6 s on,
/// and over 80 ms 47.5 to 48.5 Mbit/s from 32 s on. Until 14 s it expects less than 20 Mbit/s
/// there; this sender exceeds that at 11 s, because its window grows by the data acknowledged, a
/// segment each round trip, while that of ns-3 grows by the number of ACKs, half as fast with
/// delayed ones. With PRR, which Linux uses to reduce after a mark, the window does not grow in the
/// round trip of a reduction: the goodput over 10 ms is then 47.8 Mbit/s.
#[test]
fn dctcp_has_the_throughput_that_ns3_validates() {
    let marks = (
        "step",
        &[("threshold", "1 ms"), ("limit", "1000 packets")][..],
    );
    let near = like_ns3("dctcp", 5, marks).goodput(6, 20);
    assert!((48.0..49.0).contains(&near), "{near}");
    let mut spread = like_ns3("dctcp", 5, marks);
    spread.prr = true;
    let near = spread.goodput(6, 20);
    assert!((47.5..48.0).contains(&near), "{near}");
    let far = like_ns3("dctcp", 40, marks);
    let late = far.goodput(32, 44);
    assert!((47.5..48.5).contains(&late), "{late}");
    let (before, after) = (far.goodput(8, 10), far.goodput(12, 14));
    assert!(before < 20.0 && after > 20.0, "{before}, {after}");
}

/// Over 50 ms and CoDel, ns-3 expects of CUBIC a window of 511 segments 0.46 s after the start, and
/// then maxima of 236 and 234 segments, 3.8 s apart. Its senders are paced; this one is not, and
/// its slow start ends at 580 segments.
#[test]
fn cubic_has_the_windows_that_ns3_validates() {
    let windows = like_ns3("cubic", 25, ("codel", &[])).windows(16);
    let highest = |from: f64, to: f64| {
        let part = windows.iter().filter(|w| w.0 >= from && w.0 < to);
        part.copied()
            .fold((0.0, 0.0), |a, w| if w.1 > a.1 { w } else { a })
    };
    let first = highest(0.0, 2.0);
    assert!(
        (0.4..0.5).contains(&first.0) && (500.0..600.0).contains(&first.1),
        "{first:?}"
    );
    let (one, two) = (highest(6.0, 10.0), highest(10.5, 14.0));
    for maximum in [one, two] {
        assert!((230.0..240.0).contains(&maximum.1), "{maximum:?}");
    }
    assert!((3.6..4.1).contains(&(two.0 - one.0)), "{one:?}, {two:?}");
}

/// With any control, a long transfer alone on a path uses most of its rate, but not more than its
/// rate.
#[test]
fn every_control_uses_a_path_that_it_has_for_itself() {
    for algorithm in BUILT_IN {
        let path = Path {
            control: Control::new(algorithm),
            mbps: 10,
            delay: SimDuration::from_millis(20),
            queue: drop_tail(50_000), // what the path holds
            loss: 0.0,
            seed: 1,
            ecn: EcnMode::Passive,
            prr: true,
            wake_up: SimDuration::ZERO,
            waits: true,
        };
        let share = path.goodput(5, 25) / (10.0 * PAYLOAD);
        println!("{}: {:.1} %", algorithm.name, share * 100.0);
        let least = if algorithm.name == "fixed" { 0.0 } else { 0.7 };
        assert!(
            share > least && share <= 1.001,
            "{}: {share}",
            algorithm.name
        );
    }
}

/// 100 Mbit/s, 10 ms, marks above 20 packets: no packet is lost, and the link is busy.
#[test]
fn controls_that_count_marks_keep_a_marking_queue_short_and_the_link_busy() {
    let queue = queue_disc::built_in()
        .plugin(
            "step",
            &[("threshold", "20 packets"), ("limit", "200 packets")],
        )
        .expect("a discipline");
    let names = ["dctcp", "prague"];
    let modes = [EcnMode::Active, EcnMode::Accurate];
    for (name, ecn) in names.iter().flat_map(|n| modes.map(|m| (*n, m))) {
        let path = Path {
            control: Control::named(name).unwrap(),
            mbps: 100,
            delay: SimDuration::from_millis(5),
            queue: queue.clone().into(),
            loss: 0.0,
            seed: 1,
            ecn,
            prr: true,
            wake_up: SimDuration::ZERO,
            waits: true,
        };
        let share = path.goodput(2, 6) / (100.0 * PAYLOAD);
        // Slow start may overrun the queue; nothing is lost afterwards.
        let lost = path.run(6)[0].retransmissions - path.run(2)[0].retransmissions;
        println!("{name} {ecn:?}: {:.1} %, {lost} sent again", share * 100.0);
        assert!(share > 0.9, "{name} {ecn:?}: {share}");
        assert_eq!(lost, 0, "{name} {ecn:?}");
    }
}

/// A policer of 10 Mbit/s on a link of 100: once BBR has found it, it paces at its rate for 48 round trips at a time.
/// Only while it looks for the policer again is much lost, so that there are a quarter fewer losses at least.
#[test]
fn bbr_loses_less_at_a_policer_that_it_looks_for() {
    let policer =
        queue_disc::built_in().plugin("policer", &[("rate", "10 Mbit/s"), ("burst", "100 kB")]);
    let queue: QueueSpec = policer.expect("a discipline").into();
    let [found, unknown] = [true, false].map(|detects| {
        let bbr = Control::named("bbr").unwrap();
        let path = Path {
            control: bbr
                .with("detect_policers", ControlValue::Switch(detects))
                .unwrap(),
            mbps: 100,
            delay: SimDuration::from_millis(20),
            queue: queue.clone(),
            loss: 0.0,
            seed: 1,
            ecn: EcnMode::Off,
            prr: true,
            wake_up: SimDuration::ZERO,
            waits: true,
        };
        let [sender, receiver] = path.run(60);
        let goodput = receiver.bytes_received as f64 * 8.0 / 60e6;
        let lost = f64::from(sender.retransmissions) * 1448.0 / receiver.bytes_received as f64;
        println!("detects: {detects}, {goodput:.2} Mbit/s, {lost:.3} sent again");
        (goodput, lost)
    });
    assert!(found.1 < unknown.1 * 0.75, "{found:?} {unknown:?}");
    for (goodput, _) in [found, unknown] {
        assert!((8.5..9.7).contains(&goodput), "{goodput} Mbit/s");
    }
}
