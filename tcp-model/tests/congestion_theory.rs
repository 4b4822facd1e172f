//! The throughput of long transfers against closed forms from the literature, where they hold.
//!
//! `SYNFIN_LARGE=1` takes more loss rates, longer runs and more seeds.

#[path = "congestion_theory/ideal_sender.rs"]
mod ideal_sender;

use sim_core::{LinkSpec, Rate, SimDuration, SimTime};
use tcp_model::congestion::{Control, ControlValue};
use tcp_model::spec::HostConfig;
use tcp_model::testing::bulk_transfer;
use tcp_model::{TcpHost, TcpParams};

use ideal_sender::IdealSender;

/// Payload of a segment with timestamps, bytes.
const MSS: f64 = 1448.0;

fn large() -> bool {
    std::env::var_os("SYNFIN_LARGE").is_some()
}

/// Linux with large buffers and an ACK for each segment.
fn params(control: Control) -> TcpParams {
    let mut params = TcpParams::linux();
    params.congestion = control;
    params.send_buffer = 64 << 20;
    params.receive_buffer = 64 << 20;
    params.adaptive_receiver = false;
    params.delayed_ack = SimDuration::ZERO;
    params
}

/// Segments per second of one endless flow that is limited neither by buffers nor by the link, with
/// an ACK for each segment. `lose` prepares the link to the receiver.
fn throughput(
    params: TcpParams,
    rtt: f64,
    seconds: u64,
    seed: u64,
    lose: impl Fn(&mut LinkSpec),
) -> f64 {
    let host = |app| TcpHost::new(HostConfig::new(params.clone(), vec![app]));
    let mut pair = bulk_transfer(None, host)
        .with_delay(SimDuration::from_secs_f64(rtt / 2.0))
        .until(SimTime::ZERO + SimDuration::from_secs(seconds));
    pair.seed = seed;
    lose(&mut pair.links[0]);
    let done = pair.run();
    let bytes = done.hosts[1]
        .as_ref()
        .map_or(0, |h| h.counts().bytes_received);
    bytes as f64 / MSS / seconds as f64
}

/// Padhye, Firoiu, Towsley and Kurose 1998, the full model of their section 3 without a window
/// limit, for one ACK per segment: segments per second.
fn pftk(p: f64, rtt: f64, rto: f64) -> f64 {
    let window = 1.0 + libm::sqrt(8.0 * (1.0 - p) / (3.0 * p) + 1.0);
    let kept = |n: f64| libm::pow(1.0 - p, n);
    let timeout = (1.0 - kept(3.0)) * (1.0 + kept(3.0) * (1.0 - kept(window - 3.0)));
    let timeout = (timeout / (1.0 - kept(window))).min(1.0);
    // The back-off: 1 + p + 2 p^2 + ... + 32 p^6.
    let back_off: f64 = 1.0
        + (0..6)
            .map(|i| libm::pow(2.0 * p, f64::from(i)) * p)
            .sum::<f64>();
    let segments = (1.0 - p) / p + window + timeout / (1.0 - p);
    segments / (rtt * (window / 2.0 + 1.0) + timeout * rto * back_off / (1.0 - p))
}

/// RFC 9438 section 5.1, equation 6, for C = 0.4 and beta = 0.7: the average window in segments if
/// one segment in every 1/p is lost.
fn cubic_window(p: f64, rtt: f64) -> f64 {
    1.054 * libm::pow(rtt, 0.75) / libm::pow(p, 0.75)
}

/// Mean of some values and half the width of its 99 % interval, by Student's t.
fn interval(values: &[f64]) -> (f64, f64) {
    let t = match values.len() {
        8 => 3.499,
        40 => 2.708,
        n => panic!("no t for {n} values"),
    };
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, t * libm::sqrt(variance / n))
}

/// NewReno is compared with two theories.
///
/// PFTK: within the 15 % for which the formula is usually taken to hold. It is biased for independent losses,
/// since it assumes that losses are evenly spaced apart from bursts, which gives a window of sqrt(3/2) / sqrt(p)
/// = 1.2247 / sqrt(p). For independent losses the stationary mean over time is 1.3098 / sqrt(p) (Ott, Kemperman
/// and Mathis 1996): 6.9 % more. Where it counts time-outs (p of 0.01 and more), SACK and RACK avoid most.
///
/// [`IdealSender`], which has no such bias: the slack is that of the 99 % intervals of both means over seeds, and
/// nothing else.
#[test]
fn newreno_has_the_throughput_of_the_pftk_formula() {
    let rates: &[f64] = match large() {
        true => &[1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 5e-2, 0.1],
        false => &[1e-3, 1e-2, 5e-2, 0.1],
    };
    let rtt = 0.1;
    for &p in rates {
        // The number of losses in a run, which lasts two hours at most.
        let losses = if large() { 500.0 } else { 200.0 };
        let seconds = (losses / p / pftk(p, rtt, 0.3)).clamp(200.0, 7200.0) as u64;
        let mut params = params(Control::named("newreno").unwrap());
        let few_duplicates = p > 0.03;
        if few_duplicates {
            // The formula's sender waits for a time-out if three duplicate ACKs do not arrive. With
            // small windows that is the rule, and the features that avoid it make the transfer one
            // and a half times as fast.
            (params.sack, params.rack, params.tail_loss_probe) = (false, false, false);
            params.frto = false;
        }
        let of_seed = |seed| {
            throughput(params.clone(), rtt, seconds, seed, |link| {
                link.impairments.loss = p.into();
            })
        };
        // Short runs, whose intervals are narrow with many seeds.
        let seeds = if p < 0.01 { 8 } else { 40 };
        let (mean, half) = interval(&(1..=seeds).map(of_seed).collect::<Vec<_>>());
        let expected = pftk(p, rtt, 0.3);
        let off = mean / expected - 1.0;
        println!(
            "p = {p}: {mean:.1} +- {half:.1} segments a second, formula {expected:.1}, {:+.1} %",
            off * 100.0
        );
        assert!(off.abs() < 0.15, "p = {p}: {mean} instead of {expected}");
        if few_duplicates {
            continue;
        }
        let rounds = seconds as f64 / rtt;
        let ideal = |seed| IdealSender::new(p, seed).segments_by(rounds) / rounds / rtt;
        let (ideal, about) = interval(&(1..=40).map(ideal).collect::<Vec<_>>());
        println!(
            "  ideal sender {ideal:.1} +- {about:.1}, {:+.1} %",
            (mean / ideal - 1.0) * 100.0
        );
        assert!(
            (mean - ideal).abs() < libm::hypot(half, about),
            "p = {p}: {mean} +- {half} instead of {ideal} +- {about}"
        );
    }
}

/// CUBIC in its own region against equation 6 of RFC 9438, within the 15 % for which such formulas are taken to hold.
///
/// The equation leaves out fast convergence, which is off here: it releases a window whenever a cycle ends a
/// little below the last one, and lowers the mean by 9 %. It also leaves out the round trip of each recovery,
/// in which nothing grows (at 1e-3 and 400 ms one of eleven), and the beginning, which approaches the
/// stationary cycle from the far larger window of slow start over tens of cycles.
#[test]
fn cubic_has_the_window_of_its_response_function() {
    // At these round trips CUBIC's window is above Reno's at every loss rate used.
    let cases: &[(f64, f64)] = match large() {
        true => &[(1e-3, 0.4), (1e-4, 0.1), (1e-4, 0.2), (1e-4, 0.4)],
        false => &[(1e-3, 0.4)],
    };
    for &(p, rtt) in cases {
        let off = ["reno_friendly", "hystart", "fast_convergence"];
        let control = off
            .iter()
            .fold(Control::named("cubic").unwrap(), |c, name| {
                c.with(name, ControlValue::Switch(false)).unwrap()
            });
        let every = libm::round(1.0 / p) as u64;
        let expected = cubic_window(p, rtt);
        // About 300 losses.
        let seconds = (300.0 * every as f64 / (expected / rtt)) as u64;
        let rate = throughput(params(control), rtt, seconds, 1, |link| {
            // At one time, RACK cannot tell what was sent first.
            link.rate = Some(Rate::mbps(1000));
            link.impairments.drop = (1..=400).map(|i| i * every).collect();
        });
        let window = rate * rtt;
        let off = window / expected - 1.0;
        println!(
            "p = {p}, {rtt} s: {window:.1} segments, formula {expected:.1}, {:+.1} %",
            off * 100.0
        );
        assert!(
            off.abs() < 0.15,
            "p = {p}, {rtt} s: {window} instead of {expected}"
        );
    }
}

/// Bytes received after a time in a transfer whose receiver acknowledges every segment.
fn received_after(control: Control, rtt: f64, seconds: f64) -> u64 {
    let params = params(control);
    let host = |app| TcpHost::new(HostConfig::new(params.clone(), vec![app]));
    let done = bulk_transfer(None, host)
        .with_delay(SimDuration::from_secs_f64(rtt / 2.0))
        .until(SimTime::ZERO + SimDuration::from_secs_f64(seconds))
        .run();
    done.hosts[1]
        .as_ref()
        .map_or(0, |h| h.counts().bytes_received)
}

/// Without loss, and on a link without a rate, round k of slow start brings 10 * 2^k segments, the
/// first of them one and a half round trips after the connect: the data that have arrived are known
/// to the segment.
#[test]
fn slow_start_doubles_with_every_round_to_the_segment() {
    for name in [
        "newreno",
        "cubic",
        "cubic-linux",
        "dctcp",
        "westwood",
        "htcp",
        "bic",
    ] {
        let control = Control::named(name).unwrap();
        for (rtt, rounds) in [(0.1, 0..7u32), (0.02, 0..5)] {
            for k in rounds {
                let seconds = rtt * (1.5 + f64::from(k)) + 0.0001;
                let segments = 10 * (2u64.pow(k + 1) - 1);
                assert_eq!(
                    received_after(control, rtt, seconds),
                    segments * 1448,
                    "{name}, {rtt} s, round {k}"
                );
            }
        }
    }
}
