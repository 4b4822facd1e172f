//! Timers of an open connection: retransmission, tail loss probe, window probes, keep-alive.

use tcp_model::TcpParams;
use tcp_model::params::GiveUp;
use tcp_model::sample::EndReason;

use super::fixture::{BLACK_HOLE, TIMERS, ends, experiment, lines};
use super::replay::{ONE_WAY, Setup, TICK, check, check_end, ms, params, phases, run, until};
use super::script::Do::{self, Connect, Listen, Nothing, Write};
use super::script::When::{self, After, Open};

const NOW: When = After(sim_core::SimDuration::ZERO);

fn keepalive(alive: bool) -> Setup {
    let client = TcpParams {
        keepalive: Some(ms(2000)),
        keepalive_interval: ms(1000),
        keepalive_probes: 3,
        ..params()
    };
    Setup {
        params: client,
        server_params: Some(params()),
        hole: (!alive).then(|| ms(151)),
        ..Setup::new(&[(NOW, Connect)], &[(NOW, Listen)])
    }
}

/// Only the client sends probes: the server has no keep-alive.
#[test]
fn keep_alive_probes_of_a_live_peer_follow_its_last_answer() {
    check(&experiment(TIMERS, "keepalive_alive"), true, |m| Setup {
        until: until(m),
        ..keepalive(true)
    });
}

#[test]
fn keep_alive_ends_a_dead_connection_with_a_reset() {
    let experiment = experiment(TIMERS, "keepalive_dead");
    check(&experiment, true, |m| Setup {
        until: until(m),
        ..keepalive(false)
    });
    let patient = Setup {
        until: ms(8000),
        ..keepalive(false)
    };
    check_end(
        "keepalive_dead",
        &ends("keepalive_dead"),
        &patient,
        'C',
        EndReason::TimedOut,
    );
}

/// PSH is not compared: Linux sets it on the last of the segments that it passes to the device
/// together. The first repetition is not compared either: a delayed ACK and a segment coincided
/// within 0.1 ms, the machine ran the timer after the segment arrived, and one ACK covered that
/// segment too.
#[test]
fn window_probes_back_off_although_they_are_answered() {
    let mut experiment = experiment(TIMERS, "zwp");
    experiment.repetitions.remove(0);
    check(&experiment, false, |m| Setup {
        server_reads: false,
        until: until(m),
        ..Setup::new(
            &[
                (NOW, Connect),
                (Open, Nothing),
                (After(ms(50)), Write(1 << 20)),
            ],
            &[(NOW, Listen)],
        )
    });
}

/// Ten segments 0.3 s apart; then everything is lost, and `last` bytes are written.
fn black_hole(last: u64, params: TcpParams) -> (Setup, f64) {
    let mut client: Vec<(When, Do)> = vec![(NOW, Connect), (Open, Nothing)];
    client.extend([(After(ms(300)), Write(100)); 10]);
    client.push((After(ms(300)), Write(last)));
    let setup = Setup {
        params,
        hole: Some(ms(100 + 300 * 10 + 150)),
        until: ms(140_000),
        ..Setup::new(&client, &[(NOW, Listen)])
    };
    (setup, 2.0 * ONE_WAY + 0.3 * 11.0)
}

/// For each repetition: time since the first transmission in seconds, relative sequence number, length.
type Sent = Vec<(f64, u32, u32)>;

fn measured(name: &str) -> Vec<Sent> {
    let mut repetitions: Vec<Sent> = vec![Vec::new(); 3];
    for f in lines(BLACK_HOLE).filter(|f| f[0] == name) {
        let number: usize = f[1].parse().unwrap();
        let packet = (
            f[2].parse().unwrap(),
            f[3].parse().unwrap(),
            f[4].parse().unwrap(),
        );
        repetitions[number - 1].push(packet);
    }
    repetitions
}

fn check_black_hole(name: &str, last: u64, params: TcpParams) {
    let measured = measured(name);
    let (setup, since) = black_hole(last, params);
    let spread = |i: usize| {
        let times = measured.iter().filter_map(|r| r.get(i)).map(|p| p.0);
        times.clone().fold(f64::MIN, f64::max) - times.fold(f64::MAX, f64::min)
    };
    for (number, m) in measured.iter().enumerate() {
        let end = m.last().unwrap().0;
        let beyond = |phase| {
            let packets = run(&setup, phase).packets;
            let sent = packets.iter().filter(|p| p.side == 'C' && p.len > 0);
            let sent: Sent = sent
                .map(|p| (p.t - since, p.seq.wrapping_sub(1001), p.len))
                .filter(|p| p.0 > -0.01 && p.0 < end + 0.06)
                .collect();
            let shape = |s: &Sent| s.iter().map(|p| (p.1, p.2)).collect::<Vec<_>>();
            if shape(&sent) != shape(m) {
                return f64::MAX;
            }
            let off = m.iter().zip(&sent).enumerate();
            off.map(|(i, (m, s))| (m.0 - s.0).abs() - TICK - spread(i))
                .fold(f64::MIN, f64::max)
        };
        let best = phases()
            .map(beyond)
            .scan(false, |done, b| {
                (!std::mem::replace(done, b <= 0.0)).then_some(b)
            })
            .fold(f64::MAX, f64::min);
        println!("{name} {}: {:.1} ms beyond", number + 1, best * 1e3);
        assert!(
            best <= 0.0,
            "{name}, repetition {}: {best} s beyond",
            number + 1
        );
    }
}

#[test]
fn a_single_segment_is_probed_for_when_the_time_out_would_be_and_then_backs_off() {
    check_black_hole("rto_100", 100, params());
}

#[test]
fn ten_segments_are_probed_for_after_two_round_trips() {
    check_black_hole("rto_100_bulk", 14_480, params());
}

#[test]
fn tcp_retries2_is_a_time() {
    let params = TcpParams {
        data_give_up: GiveUp::Retries(5),
        ..params()
    };
    check_black_hole("rto_100_retries2_5", 100, params.clone());
    // The sender's own report was sampled, so the time is accurate to 4 ms.
    let (setup, since) = black_hole(100, params);
    let ends = [20.289, 20.262, 20.234].map(|t| t + since);
    check_end(
        "rto_100_retries2_5",
        &ends,
        &setup,
        'C',
        EndReason::TimedOut,
    );
}
