//! How long a flow takes on a path without losses: from the SYN to the arrival of the last octet.

use sim_core::{Rate, SimDuration};
use tcp_model::params::{ParamValue, param};

use super::fixture::{FLOWS, lines};
use super::replay::{Setup, arrivals, phases};
use super::script::Do::{Connect, Listen, Nothing, Shutdown, Write};
use super::script::When::{After, Eof, Open};

/// A measured flow; the time is the median of three.
struct Flow {
    control: &'static str,
    rate: u64,
    rtt: u64,
    bytes: u64,
    seconds: f64,
}

fn flows() -> impl Iterator<Item = Flow> {
    lines(FLOWS).map(|f| Flow {
        control: match f[0] {
            "reno" => "newreno",
            other => other,
        },
        rate: f[1].parse().unwrap(),
        rtt: f[2].parse().unwrap(),
        bytes: f[3].parse().unwrap(),
        seconds: f[4].parse().unwrap(),
    })
}

/// Seconds until the last octet arrives.
fn replay(flow: &Flow) -> f64 {
    let now = After(SimDuration::ZERO);
    let mut setup = Setup::new(
        &[
            (now, Connect),
            (Open, Write(flow.bytes)),
            (now, Shutdown),
            (Eof, Nothing),
        ],
        &[(now, Listen)],
    );
    let control = param("congestion").unwrap();
    control
        .set(&mut setup.params, &ParamValue::text(flow.control))
        .unwrap();
    // The two stacks add 0.1 ms to each round trip.
    setup.delay = SimDuration::from_secs_f64(flow.rtt as f64 / 2e3 + 0.000_05);
    setup.rate = Some(Rate::from_bps(flow.rate * 1_000_000).unwrap());
    setup.params.send_buffer = 16 << 20; // holds every flow in one call
    setup.until = SimDuration::from_secs_f64(flow.seconds * 1.5 + 1.0);
    let phase = phases().next().unwrap();
    let arrivals = arrivals(&setup, phase);
    let octets: u64 = arrivals.iter().map(|(_, len)| u64::from(*len)).sum();
    assert!(octets >= flow.bytes, "{octets} of {}", flow.bytes);
    arrivals.last().unwrap().0
}

/// The tolerance is 2 %, or 1 ms if that is more.
#[test]
fn a_flow_without_loss_takes_as_long_as_measured() {
    let mut wrong = Vec::new();
    for flow in flows() {
        let seconds = replay(&flow);
        let off = seconds - flow.seconds;
        let line = format!(
            "{} {} Mbit/s {} ms {} B: {seconds:.4} s for {:.4} s, {:+.1} ms, {:+.2} %",
            flow.control,
            flow.rate,
            flow.rtt,
            flow.bytes,
            flow.seconds,
            off * 1e3,
            off / flow.seconds * 1e2
        );
        println!("{line}");
        if off.abs() > (flow.seconds * 0.02).max(0.001) {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
