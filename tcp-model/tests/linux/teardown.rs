//! Handshake and teardown, RTT 100 ms: the client sends 100 B, the server answers with 1000 B.

use sim_core::SimDuration;
use tcp_model::TcpParams;
use tcp_model::sample::EndReason;

use super::fixture::{MeasuredPacket, TEARDOWN, ends, experiment};
use super::replay::{ONE_WAY, Setup, check, check_end, lost, ms, params, until};
use super::script::Do::{self, Abort, Close, Connect, Listen, Nothing, Shutdown, Write};
use super::script::When::{self, After, At, Eof, Got, Open};

const NOW: When = After(SimDuration::ZERO);
const ASK: [(When, Do); 2] = [(NOW, Connect), (Open, Write(100))];
const ANSWER: [(When, Do); 2] = [(NOW, Listen), (Got(100), Write(1000))];

fn whole(first: &[(When, Do)], then: &[(When, Do)]) -> Vec<(When, Do)> {
    [first, then].concat()
}

/// How long the measured machine delayed an application that should have reacted to a packet at
/// once. The replay includes this delay.
fn hesitation(measured: &[MeasuredPacket], on: (char, char), then: (char, char)) -> When {
    let kind = |p: &&MeasuredPacket, (side, kind)| {
        p.side == side
            && if kind == 'D' {
                p.len > 0
            } else {
                p.flags.contains(kind)
            }
    };
    let cause = measured.iter().find(|p| kind(p, on) && !p.lost);
    let effect = measured.iter().find(|p| kind(p, then));
    let late = match (cause, effect) {
        (Some(cause), Some(effect)) => effect.t - cause.t - ONE_WAY,
        _ => 0.0,
    };
    After(SimDuration::from_secs_f64(if late > 0.005 {
        late
    } else {
        0.0
    }))
}

fn setup(measured: &[MeasuredPacket], client: &[(When, Do)], server: &[(When, Do)]) -> Setup {
    Setup {
        lost: lost(measured),
        until: until(measured),
        ..Setup::new(client, server)
    }
}

/// The client closes first; what is lost depends on the experiment.
fn client_closes_first(name: &str) {
    check(&experiment(TEARDOWN, name), true, |measured| {
        let asks = hesitation(measured, ('S', 'S'), ('C', 'D'));
        let answers = hesitation(measured, ('C', 'D'), ('S', 'D'));
        let closes = hesitation(measured, ('S', 'D'), ('C', 'F'));
        let follows = hesitation(measured, ('C', 'F'), ('S', 'F'));
        setup(
            measured,
            &[
                (NOW, Connect),
                (Open, Nothing),
                (asks, Write(100)),
                (Got(1000), Nothing),
                (closes, Close),
            ],
            &[
                (NOW, Listen),
                (Got(100), Nothing),
                (answers, Write(1000)),
                (Eof, Nothing),
                (follows, Close),
            ],
        )
    });
}

#[test]
fn the_client_closes_first() {
    client_closes_first("client_closes_first");
}

#[test]
fn a_lost_last_ack_of_the_handshake_goes_unnoticed() {
    client_closes_first("handshake_ack_lost");
}

#[test]
fn a_lost_fin_is_sent_again() {
    client_closes_first("fin_lost_1");
}

#[test]
fn a_fin_into_a_black_hole_is_probed_for_once_and_then_backs_off() {
    client_closes_first("fin_blackhole");
}

#[test]
fn a_lost_last_ack_makes_the_fin_come_again() {
    client_closes_first("last_ack_lost_1");
    client_closes_first("last_ack_lost_3");
}

#[test]
fn a_lost_syn_is_sent_again() {
    client_closes_first("syn_lost_1");
    client_closes_first("syn_lost_2");
}

#[test]
fn the_server_closes_first() {
    check(&experiment(TEARDOWN, "server_closes_first"), true, |m| {
        setup(
            m,
            &whole(&ASK, &[(Eof, Close)]),
            &whole(&ANSWER, &[(NOW, Close)]),
        )
    });
}

#[test]
fn both_close_at_once() {
    check(&experiment(TEARDOWN, "simultaneous_close"), true, |m| {
        let close = [(At(ms(1100)), Close)];
        setup(m, &whole(&ASK, &close), &whole(&ANSWER, &close))
    });
}

#[test]
fn a_half_close_lets_data_through() {
    check(&experiment(TEARDOWN, "half_close"), true, |m| {
        setup(
            m,
            &whole(&ASK, &[(NOW, Shutdown), (Eof, Close)]),
            // The FIN arrives while the server is still thinking.
            &[
                (NOW, Listen),
                (Got(100), Nothing),
                (After(ms(1)), Write(1000)),
                (After(ms(500)), Write(1000)),
                (After(ms(200)), Close),
            ],
        )
    });
}

#[test]
fn closing_with_unread_data_resets() {
    check(&experiment(TEARDOWN, "rst_unread_data"), true, |m| Setup {
        server_reads: false,
        ..setup(
            m,
            &ASK,
            &[(NOW, Listen), (Open, Nothing), (After(ms(300)), Close)],
        )
    });
}

#[test]
fn closing_without_linger_resets() {
    check(&experiment(TEARDOWN, "rst_linger0"), true, |m| {
        setup(
            m,
            &whole(&ASK, &[(Got(1000), Nothing), (After(ms(200)), Abort)]),
            &whole(&ANSWER, &[]),
        )
    });
}

#[test]
fn a_closed_port_answers_with_a_reset() {
    check(&experiment(TEARDOWN, "closed_port"), true, |m| {
        setup(m, &[(NOW, Connect)], &[])
    });
}

#[test]
fn both_open_at_once() {
    check(&experiment(TEARDOWN, "simultaneous_open"), true, |m| {
        setup(
            m,
            &whole(&ASK, &[(Got(1000), Close)]),
            &[(NOW, Connect), (Got(100), Write(1000)), (Eof, Close)],
        )
    });
}

fn syn_black_hole(name: &str, params: TcpParams) {
    let experiment = experiment(TEARDOWN, name);
    let server = [(NOW, Listen)];
    let whole = |m: &[MeasuredPacket]| Setup {
        params: params.clone(),
        ..setup(m, &[(NOW, Connect)], &server)
    };
    check(&experiment, true, whole);
    let patient = Setup {
        until: ms(140_000),
        ..whole(&experiment.repetitions[0])
    };
    check_end(name, &ends(name), &patient, 'C', EndReason::TimedOut);
}

#[test]
fn syns_into_a_black_hole_are_linear_first_and_then_back_off() {
    syn_black_hole("syn_blackhole", params());
}

#[test]
fn syns_back_off_at_once_without_linear_timeouts() {
    let params = TcpParams {
        syn_linear_timeouts: 0,
        ..params()
    };
    syn_black_hole("syn_blackhole_linear0", params);
}

#[test]
fn syn_acks_are_sent_again_by_timer_and_for_each_syn() {
    syn_black_hole("synack_blackhole", params());
}
