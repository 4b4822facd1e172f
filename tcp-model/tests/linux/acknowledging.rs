//! When segments are acknowledged: quick ACKs, delayed ACKs, ACKs carried by replies, Nagle.

use std::collections::BTreeMap;

use sim_core::{SimDuration, SimTime};
use tcp_model::TcpParams;

use super::fixture::{ACK_DELAY, MeasuredPacket, lines};
use super::replay::{ONE_WAY, Setup, TICK, params, phases, run};
use super::script::Do::{Connect, Listen, Nothing, Write};
use super::script::When::{self, After, At, Got, Open};

const NOW: When = After(SimDuration::ZERO);

/// A data segment of the client, and how it was acknowledged.
#[derive(Clone, Debug)]
struct Row {
    /// When it was sent, in seconds.
    t: f64,
    len: u64,
    /// From its arrival to its ACK, in seconds.
    delay: f64,
    /// Whether data carried the ACK.
    by_data: bool,
    think: f64,
}

fn measured(name: &str) -> Vec<Vec<Row>> {
    let mut repetitions: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    for f in lines(ACK_DELAY).filter(|f| f[0] == name && !f[5].is_empty()) {
        repetitions.entry(f[1]).or_default().push(Row {
            t: f[3].parse().unwrap(),
            len: f[4].parse().unwrap(),
            delay: f[5].parse::<f64>().unwrap() / 1e3,
            by_data: f[6] == "data",
            think: f[7].parse::<f64>().unwrap_or(0.0) / 1e3,
        });
    }
    assert!(!repetitions.is_empty(), "{name} was not measured");
    repetitions.into_values().collect()
}

fn secs(s: f64) -> SimDuration {
    SimDuration::from_secs_f64(s)
}

/// The same table from a replay.
fn rows(packets: &[MeasuredPacket]) -> Vec<Row> {
    let data = packets.iter().filter(|p| p.side == 'C' && p.len > 0);
    data.filter_map(|p| {
        let covers = |a: &&MeasuredPacket| {
            a.side == 'S' && a.t > p.t + 0.049 && a.ack.is_some_and(|ack| ack >= p.seq + p.len)
        };
        let ack = packets.iter().find(covers)?;
        Some(Row {
            t: p.t,
            len: u64::from(p.len),
            delay: ack.t - p.t - ONE_WAY,
            by_data: ack.len > 0,
            think: 0.0,
        })
    })
    .collect()
}

/// Spread of a segment's delay over the repetitions.
fn spread(repetitions: &[Vec<Row>], i: usize) -> f64 {
    let delays = repetitions.iter().filter_map(|r| r.get(i)).map(|r| r.delay);
    delays.clone().fold(f64::MIN, f64::max) - delays.fold(f64::MAX, f64::min)
}

/// Replays each repetition with its own write times, and compares every delay. The measured machine
/// stalled now and then, which delayed ACKs for reasons outside TCP. So at least one repetition
/// must agree in every segment, and at most one in twenty of the segments of all repetitions may differ.
fn check(name: &str, setup: impl Fn(&[Row]) -> Setup) {
    let repetitions = measured(name);
    let wrong: Vec<Vec<String>> = repetitions
        .iter()
        .map(|m| {
            let setup = setup(m);
            let mut best = judge(&repetitions, m, &setup, phases().next().unwrap());
            for phase in phases().take(64) {
                if best.is_empty() {
                    break;
                }
                let found = judge(&repetitions, m, &setup, phase);
                if found.len() < best.len() {
                    best = found;
                }
            }
            best
        })
        .collect();
    for (number, wrong) in wrong.iter().enumerate() {
        println!("{name} {}: {} wrong {wrong:?}", number + 1, wrong.len());
    }
    let segments: usize = repetitions.iter().map(Vec::len).sum();
    let all: usize = wrong.iter().map(Vec::len).sum();
    assert!(wrong.iter().any(Vec::is_empty), "{name}\n{wrong:#?}");
    assert!(
        all * 20 <= segments,
        "{name}: {all} of {segments}\n{wrong:#?}"
    );
}

/// Where a replay differs from the measurement.
fn judge(repetitions: &[Vec<Row>], m: &[Row], setup: &Setup, phase: SimTime) -> Vec<String> {
    let replayed = rows(&run(setup, phase).packets);
    let mut wrong = Vec::new();
    for (i, (m, r)) in m.iter().zip(&replayed).enumerate() {
        let off = (m.delay - r.delay).abs();
        if off > TICK + spread(repetitions, i) || m.by_data != r.by_data {
            let (m, r) = (m.delay * 1e3, r.delay * 1e3);
            wrong.push(format!(
                "segment {}: measured {m:.1} ms, replayed {r:.1} ms",
                i + 1
            ));
        }
    }
    if replayed.len() < m.len() {
        wrong.push(format!("{} of {} acknowledged", replayed.len(), m.len()));
    }
    wrong
}

/// Data in one direction, written at the measured times.
fn one_way(rows: &[Row], reads: bool) -> Setup {
    let mut client = vec![(NOW, Connect)];
    client.extend(rows.iter().map(|r| (At(secs(r.t)), Write(r.len))));
    Setup {
        params: TcpParams {
            nagle: false,
            ..params()
        },
        server_reads: reads,
        until: secs(rows.last().unwrap().t + 0.4),
        ..Setup::new(&client, &[(NOW, Listen)])
    }
}

#[test]
fn an_application_that_reads_at_once_has_its_data_acknowledged_at_once() {
    for name in [
        "delack_gap10",
        "delack_gap30",
        "delack_gap150",
        "delack_gap500",
    ] {
        check(name, |rows| one_way(rows, true));
    }
    check("delack_full_segments", |rows| one_way(rows, true));
}

#[test]
fn without_a_reader_the_delay_follows_the_gap_between_segments() {
    for name in [
        "delack_noread_gap20",
        "delack_noread_gap150",
        "delack_noread_gap500",
    ] {
        check(name, |rows| one_way(rows, false));
    }
}

#[test]
fn a_gap_about_as_long_as_the_time_out_is_on_the_edge_of_quick_acks() {
    check("delack_noread_gap300", |rows| one_way(rows, false));
}

#[test]
fn an_ack_rides_on_a_reply_that_comes_soon() {
    check("delack_pingpong", |rows| {
        let mut client = vec![(NOW, Connect)];
        client.extend(rows.iter().map(|r| (At(secs(r.t)), Write(r.len))));
        let mut server = vec![(NOW, Listen)];
        let mut got = 0;
        for row in rows {
            got += row.len;
            // The server's own delay if the ACK shows it; otherwise longer than the delay of the ACK.
            let think = if row.by_data {
                row.delay
            } else {
                row.think.max(row.delay + 0.001)
            };
            server.extend([(Got(got), Nothing), (After(secs(think)), Write(100))]);
        }
        Setup {
            params: TcpParams {
                nagle: false,
                ..params()
            },
            until: secs(rows.last().unwrap().t + 0.4),
            ..Setup::new(&client, &server)
        }
    });
}

#[test]
fn nagle_lets_the_second_small_segment_wait_for_the_first_ones_ack() {
    let repetitions = measured("nagle");
    for m in &repetitions {
        let mut client = vec![(NOW, Connect), (Open, Nothing)];
        for pair in m.chunks(2) {
            client.extend([(At(secs(pair[0].t)), Write(100)), (NOW, Write(100))]);
        }
        let setup = Setup {
            until: secs(m.last().unwrap().t + 0.4),
            ..Setup::new(&client, &[(NOW, Listen)])
        };
        let replayed = rows(&run(&setup, phases().next().unwrap()).packets);
        assert_eq!(replayed.len(), m.len());
        for (i, (m, r)) in m.iter().zip(&replayed).enumerate() {
            let times = repetitions.iter().map(|r| r[i].t - r[i - i % 2].t);
            let spread = times.clone().fold(f64::MIN, f64::max) - times.fold(f64::MAX, f64::min);
            assert!(
                (m.t - r.t).abs() <= TICK + spread,
                "segment {}: {m:?} {r:?}",
                i + 1
            );
            assert!(
                (m.delay - r.delay).abs() <= TICK,
                "segment {}: {m:?} {r:?}",
                i + 1
            );
        }
    }
}
