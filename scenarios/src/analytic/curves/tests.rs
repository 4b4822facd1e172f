//! Each theory gives its published values if its conditions hold, and no value if they do not.

use super::*;
use crate::overrides::Override;
use crate::problem::SourceText;
use crate::run;
use crate::sweep::Plan;

const TEXT: &str = "name = \"x\"\nduration = \"1 s\"\n[topology]\nkind = \"pair\"\n\
    path = { rate = \"1 Gbit/s\", delay = \"50 ms\", loss = 0.01, reverse = { loss = 0 } }\n\
    [[workload]]\nkind = \"bulk\"\n[sweep]\n\"topology.path.loss\" = [0, 0.0001, 0.01]\n";

fn points(text: &str, name: &str) -> Vec<(String, f64)> {
    let source = SourceText {
        name: "x".to_owned(),
        text: text.to_owned(),
    };
    let plan = Plan::new(&source, &[]).unwrap();
    curve(name, "goodput_bps", plan.runs.iter(), "topology.path.loss")
        .unwrap()
        .1
}

#[test]
fn formulas_have_their_published_values() {
    let windows = |name| -> Vec<f64> {
        let points = points(TEXT, name);
        assert_eq!(points.len(), 2, "none without losses");
        // Round trip of 100 ms, 1448 bytes.
        points
            .iter()
            .map(|p| (p.1 * 0.1 / 8.0 / 1448.0 * 10.0).round() / 10.0)
            .collect()
    };
    // sqrt(3/2) / sqrt(p); RFC 9438 table 1 has 187.4 and 12 (Reno-friendly, 1.2 / sqrt(p)).
    assert_eq!(windows("mathis"), [122.5, 12.2]);
    assert_eq!(windows("cubic"), [187.4, 12.2]);
    // By hand for p = 0.01: 1 / (0.1 * 0.0816 + 0.3 * 0.1837 * 0.01 * 1.0032) = 114.8 a second.
    assert_eq!(windows("pftk")[1], 11.5);
}

#[test]
fn there_is_no_curve_where_the_conditions_do_not_hold() {
    let jitter = TEXT.replace(
        "loss = 0.01,",
        "loss = 0.01, reorder = 0.1, reorder_delay = \"9 ms\",",
    );
    assert_eq!(points(&jitter, "mathis"), []);
    let two = TEXT.replace("kind = \"bulk\"", "kind = \"bulk\"\nflows = 2");
    assert_eq!(points(&two, "mathis"), []);
}

/// A flood of SYNs of 44 bytes over 1 Mbit/s: 2841 a second fill it.
const FLOOD: &str = "name = \"x\"\nduration = \"20 s\"\n[topology]\nkind = \"pair\"\n\
    path = { rate = \"1 Mbit/s\", delay = \"1 ms\" }\n\
    [[workload]]\nname = \"flood\"\nkind = \"syn-flood\"\n\
    arrivals = { kind = \"poisson\", rate = \"1000 /s\" }\n\
    [sweep]\n\"workload.flood.arrivals.rate\" = [\"1420.4545 /s\", \"2272.7273 /s\", \"3409.0909 /s\"]\n";

fn queue(text: &str, name: &str, metric: &str) -> Vec<f64> {
    let source = SourceText {
        name: "x".to_owned(),
        text: text.to_owned(),
    };
    let plan = Plan::new(&source, &[]).unwrap();
    let axis = "workload.flood.arrivals.rate";
    let points = curve(name, metric, plan.runs.iter(), axis).unwrap().1;
    points.iter().map(|p| p.1).collect()
}

/// Whether all values are as expected, except for rounding.
fn are(seen: &[f64], expected: &[f64]) -> bool {
    let mut pairs = seen.iter().zip(expected);
    seen.len() == expected.len() && pairs.all(|(a, b)| (a / b - 1.0).abs() < 1e-4)
}

#[test]
fn queues_have_the_values_of_the_textbooks() {
    const WAIT: &str = "queue_wait_mean_s";
    let service = 352e-6;
    // Loads of 0.5, 0.8 and 1.2; a queue without a limit has no steady state at 1.2.
    let m_d_1 = queue(FLOOD, "m/d/1", WAIT);
    assert!(are(&m_d_1, &[0.5 * service, 2.0 * service]), "{m_d_1:?}");
    let random = FLOOD.replace("delay", "rate_process = { kind = \"exponential\" }, delay");
    let m_m_1 = queue(&random, "m/m/1", WAIT);
    assert!(are(&m_m_1, &[service, 4.0 * service]), "{m_m_1:?}");
    assert!(are(
        &queue(&random, "m/m/1", "busiest_link_utilisation"),
        &[0.5, 0.8]
    ));
    // K = 2: probabilities 4/7, 2/7, 1/7 at a load of 0.5; 25/61, 20/61, 16/61 at 0.8; 25/91, 30/91, 36/91
    // at 1.2.
    let bounded = random.replace("delay", "queue = \"2 packets\", delay");
    let full = [1.0 / 7.0, 16.0 / 61.0, 36.0 / 91.0];
    // A packet that finds one other waits for it: p1 / (p0 + p1) of those admitted, one service time each.
    let expected = [
        service * 2.0 / 6.0,
        service * 20.0 / 45.0,
        service * 30.0 / 55.0,
    ];
    let m_m_1_k = queue(&bounded, "m/m/1/k", WAIT);
    assert!(are(&m_m_1_k, &expected), "{m_m_1_k:?}");
    let drops = queue(&bounded, "m/m/1/k", "queue_drops_pkts");
    let offered = [1420.4545, 2272.7273, 3409.0909].map(|rate| 20.0 * rate);
    let expected: Vec<f64> = full.iter().zip(offered).map(|(p, n)| p * n).collect();
    assert!(are(&drops, &expected), "{drops:?}");
    let busy = queue(&bounded, "m/m/1/k", "busiest_link_utilisation");
    assert!(
        are(&busy, &[3.0 / 7.0, 36.0 / 61.0, 66.0 / 91.0]),
        "{busy:?}"
    );
}

#[test]
fn a_queue_has_no_curve_where_the_conditions_do_not_hold() {
    let random = "rate_process = { kind = \"exponential\" }, delay";
    for (name, from, to) in [
        ("m/d/1", "\"poisson\"", "\"fixed\""),
        ("m/d/1", "delay", random),
        ("m/d/1", "delay", "queue = \"9 packets\", delay"),
        ("m/d/1", "delay", "queue = { kind = \"codel\" }, delay"),
        ("m/d/1", "delay", "loss = 0.1, delay"),
        (
            "m/d/1",
            "kind = \"pair\"",
            "kind = \"pair\"\nprocessing = \"1 ms\"",
        ),
        (
            "m/d/1",
            "kind = \"syn-flood\"",
            "kind = \"syn-flood\"\nstart = \"1 s\"",
        ),
        ("m/m/1", "delay", "delay"),
        ("m/m/1/k", "delay", random),
    ] {
        let text = FLOOD.replace(from, to);
        let points = queue(&text, name, "queue_wait_mean_s");
        assert!(points.is_empty(), "{name}, {to}: {points:?}");
    }
}

/// 64 flows over a path of 50 Mbit/s and 120 ms, a bandwidth-delay product of 500 segments.
const BUFFER: &str = "name = \"x\"\nduration = \"30 s\"\n[topology]\nkind = \"pair\"\nprocessing = \"2 ms\"\n\
    path = { rate = \"50 Mbit/s\", delay = \"60 ms\", queue = \"1 packets\" }\n\
    [[workload]]\nkind = \"bulk\"\nflows = 64\n\
    [tcp]\ncongestion = \"newreno\"\nsend_buffer = \"1 MB\"\nreceive_buffer = \"1 MB\"\n\
    [sweep]\n\"topology.path.queue\" = [\"15 packets\", \"62500 B\", \"125 kB\"]\n";

fn utilisation(text: &str) -> Vec<f64> {
    let source = SourceText {
        name: "x".to_owned(),
        text: text.to_owned(),
    };
    let plan = Plan::new(&source, &[]).unwrap();
    let metric = "busiest_link_utilisation";
    let points = curve(
        "square-root",
        metric,
        plan.runs.iter(),
        "topology.path.queue",
    );
    points.unwrap().1.iter().map(|p| p.1).collect()
}

#[test]
fn the_square_root_rule_has_the_values_of_the_paper() {
    // With a product of 750 kB: erf(1.837 * 22.5 * 8 / 772.5), erf(1.837 * 62.5 * 8 / 812.5),
    // erf(1.837 * 125 * 8 / 875).
    let expected = [0.455_025, 0.890_09, 0.997_01];
    let seen = utilisation(BUFFER);
    let mut pairs = seen.iter().zip(expected);
    assert!(
        seen.len() == 3 && pairs.all(|(a, b)| (a - b).abs() < 1e-3),
        "{seen:?}"
    );
    // The table of section 3: 98.99 % for 10,000 flows and a buffer of 1/100 of the product.
    assert!((buffers::at_least(1.0, 0.01, 10_000.0) - 0.9899).abs() < 5e-5);
}

#[test]
fn the_square_root_rule_has_no_curve_where_the_conditions_do_not_hold() {
    for (from, to) in [
        ("flows = 64", "flows = 8"),
        ("flows = 64", "flows = 640"),
        ("flows = 64", "flows = 64\nbytes = \"10 MB\""),
        ("\"newreno\"", "\"bbr\""),
        ("delay =", "loss = 0.01, delay ="),
        ("processing = \"2 ms\"", "processing = \"0 s\""),
        ("\"30 s\"", "\"20 s\""),
        ("send_buffer = \"1 MB\"", "send_buffer = \"9 kB\""),
    ] {
        let points = utilisation(&BUFFER.replace(from, to));
        assert!(points.is_empty(), "{to}: {points:?}");
    }
}

/// The values of some metrics in the runs of a scenario, by run.
fn measured(text: &str, changes: &[&str], metrics: &[&str]) -> Vec<Vec<f64>> {
    let source = SourceText {
        name: "x".to_owned(),
        text: text.to_owned(),
    };
    let changes = changes.iter().map(|set| Override::parse(set).unwrap());
    let plan = Plan::new(&source, &changes.collect::<Vec<_>>()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let runs = plan.runs.iter().enumerate().map(|(i, spec)| {
        let dir = dir.path().join(i.to_string());
        let summary = run::execute(spec, &dir, false, &mut |_| ()).unwrap();
        metrics
            .iter()
            .map(|metric| summary.metrics[*metric])
            .collect()
    });
    runs.collect()
}

/// Number of seeds, and Student's t for 99.9 % with as many values.
const SEEDS: usize = 8;
const T: f64 = 5.408;

/// Mean, and half the width of its 99.9 % interval.
fn interval(values: &[f64; SEEDS]) -> (f64, f64) {
    let n = SEEDS as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, T * (variance / n).sqrt())
}

/// The mean over seeds is that of the formula within its 99.9 % interval, and a term for the beginning: the queue
/// starts empty, which concerns a share of the run of at most the relaxation time, 1 / (1 - sqrt(load))^2 service
/// times for M/M/1 (Morse 1955) and less for M/D/1 and bounded queues.
#[test]
fn queues_agree_with_the_curves() {
    let long = FLOOD.replace("delay", "queue = \"500 packets\", delay");
    let bounded = FLOOD.replace(
        "delay",
        "queue = \"5 packets\", rate_process = { kind = \"exponential\" }, delay",
    );
    let (wait, busy) = ("queue_wait_mean_s", "busiest_link_utilisation");
    for (name, text, metrics) in [
        ("m/d/1", &long, &[wait, busy][..]),
        ("m/m/1/k", &bounded, &[wait, busy, "queue_drops_pkts"][..]),
    ] {
        let by_seed: [Vec<Vec<f64>>; SEEDS] =
            std::array::from_fn(|seed| measured(text, &[&format!("seed={}", seed + 1)], metrics));
        for (m, metric) in metrics.iter().enumerate() {
            let expected = queue(text, name, metric);
            assert!(expected.len() >= 2, "{name}");
            for (i, (expected, load)) in expected.iter().zip([0.5_f64, 0.8, 1.2]).enumerate() {
                let (seen, half) = interval(&std::array::from_fn(|seed| by_seed[seed][i][m]));
                let relaxation = match load < 1.0 {
                    true => 352e-6 / (1.0 - load.sqrt()).powi(2),
                    false => 5.0 * 352e-6,
                };
                let slack = half + expected * relaxation / 20.0;
                assert!(
                    (seen - expected).abs() < slack,
                    "{name}, {metric} at {load}: {seen} +- {slack} for {expected}"
                );
            }
        }
    }
}

/// The rule is a bound on the steady state. A run also has a beginning, whose lost share c / T falls with the
/// length T of the run: first nobody sends, then 64 initial windows arrive at once, more than path and buffer hold,
/// and many transfers wait for a time-out. Two lengths give both: the steady utilisation is (T2 u2 - T1 u1) / (T2 -
/// T1). It must not be below the bound by more than its 99.9 % interval over seeds.
#[test]
fn buffers_agree_with_the_square_root_rule() {
    let only = "topology.path.queue=125 kB";
    let metrics = ["busiest_link_utilisation"];
    let steady: [f64; SEEDS] = std::array::from_fn(|seed| {
        let seed = format!("seed={}", seed + 1);
        let of = |length: &str| {
            let length = format!("duration={length} s");
            measured(BUFFER, &[only, &seed, &length], &metrics)[0][0]
        };
        (80.0 * of("80") - 30.0 * of("30")) / 50.0
    });
    let (seen, half) = interval(&steady);
    let bound = utilisation(BUFFER)[2];
    println!("utilisation {seen} +- {half}, at least {bound}");
    assert!(seen + half > bound, "{seen} +- {half} for at least {bound}");
    assert!(half < 0.005, "{half}");
}
