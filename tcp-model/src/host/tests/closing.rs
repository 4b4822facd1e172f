//! Whole connections, from handshake to the end of TIME-WAIT.

use super::*;
use crate::app::spec::{CloseHow, Closer};

fn one(exchange: Exchange) -> TwoHosts {
    pair(Arrivals::Burst(1), exchange)
}

#[test]
fn a_request_and_its_response_take_these_segments_and_states() {
    let done = one(Exchange::default()).run();
    assert_eq!(
        done.sent(),
        [
            "0 a SYN 0(0)",
            "10 b SYN,ACK 0(0) ack 1",
            "20 a ACK 1(0) ack 1",
            "20 a PSH,ACK 1(100) ack 1",
            "30 b ACK 1(0) ack 101",
            "30 b PSH,ACK 1(1000) ack 101",
            "40 a ACK 101(0) ack 1001",
            "40 a FIN,ACK 101(0) ack 1001",
            "50 b FIN,ACK 1001(0) ack 102",
            "60 a ACK 102(0) ack 1002",
        ]
    );
    assert_eq!(
        done.states(C0, Side::Active),
        [
            (0, State::SynSent),
            (20, State::Established),
            (40, State::FinWait1),
            (60, State::FinWait2),
            (60, State::TimeWait),
            (60_060, State::Closed),
        ]
    );
    assert_eq!(
        done.states(C0, Side::Passive),
        [
            (10, State::SynReceived),
            (30, State::Established),
            (50, State::CloseWait),
            (50, State::LastAck),
            (70, State::Closed),
        ]
    );
    let [active] = done.summaries(Side::Active)[..] else {
        panic!("one active end")
    };
    assert_eq!(
        (active.closed_first, active.time_wait, active.reason),
        (true, true, EndReason::Closed)
    );
    assert_eq!(active.counts.bytes_received, 1000);
    assert_eq!((active.ended, active.app_closed), (at(60), Some(at(40))));
    let [passive] = done.summaries(Side::Passive)[..] else {
        panic!("one passive end")
    };
    assert!(!passive.closed_first && !passive.time_wait);
    assert_eq!(passive.counts.bytes_received, 100);
    let requests: Vec<_> = done
        .records
        .iter()
        .filter_map(|r| match r.sample {
            TcpSample::Request(q) => Some((q.conn, q.index, q.latency)),
            _ => None,
        })
        .collect();
    assert_eq!(requests, [(C0, 0, ms(20))]);
    assert_eq!((done.a().connections(), done.b().connections()), (0, 0));
    assert_eq!(done.a().time_waits(), 0);
}

#[test]
fn the_server_that_closes_first_holds_time_wait() {
    let done = one(Exchange {
        closer: Closer::Server,
        ..Exchange::default()
    })
    .run();
    let last = |side| {
        done.states(C0, side)
            .into_iter()
            .rev()
            .take(2)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        last(Side::Passive),
        [(60_050, State::Closed), (50, State::TimeWait)]
    );
    assert_eq!(last(Side::Active)[0], (60, State::Closed));
    assert!(done.summaries(Side::Passive)[0].closed_first);
}

#[test]
fn close_after_and_linger_delay_the_two_closes() {
    let done = one(Exchange {
        close_after: ms(100),
        linger: ms(7),
        ..Exchange::default()
    })
    .run();
    let active = done.states(C0, Side::Active);
    assert_eq!(
        active[2..4],
        [(140, State::FinWait1), (167, State::FinWait2)]
    );
    let passive = done.states(C0, Side::Passive);
    assert_eq!(
        passive[2..4],
        [(150, State::CloseWait), (157, State::LastAck)]
    );
}

#[test]
fn both_closing_crosses_the_fins_and_leaves_time_wait_on_both_sides() {
    for close_after in [SimDuration::ZERO, ms(50)] {
        let done = one(Exchange {
            closer: Closer::Both,
            close_after,
            ..Exchange::default()
        })
        .run();
        let close = close_after.as_millis();
        for side in [Side::Active, Side::Passive] {
            assert_eq!(
                done.states(C0, side)[2..],
                [
                    (40 + close, State::FinWait1),
                    (50 + close, State::Closing),
                    (60 + close, State::TimeWait),
                    (60_060 + close, State::Closed),
                ]
            );
            assert!(done.summaries(side)[0].closed_first);
        }
    }
}

#[test]
fn a_half_close_lets_the_response_through() {
    let done = one(Exchange {
        how: CloseHow::Half,
        service: Distribution::Constant(0.5),
        ..Exchange::default()
    })
    .run();
    let active = done.states(C0, Side::Active);
    assert_eq!(
        active[2..5],
        [
            (20, State::FinWait1),
            (80, State::FinWait2), // the server delays its ACK
            (540, State::TimeWait)
        ]
    );
    assert_eq!(done.summaries(Side::Active)[0].counts.bytes_received, 1000);
    assert_eq!(done.summaries(Side::Active)[0].app_closed, Some(at(540)));
}

#[test]
fn an_abort_ends_both_sides_without_time_wait() {
    let done = one(Exchange {
        how: CloseHow::Rst,
        ..Exchange::default()
    })
    .run();
    assert_eq!(
        done.states(C0, Side::Active).last(),
        Some(&(40, State::Closed))
    );
    assert_eq!(
        done.states(C0, Side::Passive).last(),
        Some(&(50, State::Closed))
    );
    assert_eq!(done.summaries(Side::Active)[0].reason, EndReason::Aborted);
    assert_eq!(done.summaries(Side::Passive)[0].reason, EndReason::Reset);
    assert_eq!(
        (done.a().stats().resets_sent, done.b().stats().resets_sent),
        (1, 0)
    );
}

#[test]
fn a_persistent_connection_carries_many_requests() {
    let done = one(Exchange {
        requests: 50,
        request: Distribution::Uniform(1.0, 5000.0),
        response: Distribution::Exponential(8000.0),
        think: Distribution::Exponential(0.01),
        service: Distribution::Exponential(0.01),
        ..Exchange::default()
    })
    .run();
    let indices: Vec<u32> = done
        .records
        .iter()
        .filter_map(|r| match r.sample {
            TcpSample::Request(q) => Some(q.index),
            _ => None,
        })
        .collect();
    assert_eq!(indices, (0..50).collect::<Vec<u32>>());
    let [a] = done.summaries(Side::Active)[..] else {
        panic!("one active end")
    };
    let [b] = done.summaries(Side::Passive)[..] else {
        panic!("one passive end")
    };
    assert_eq!(a.counts.bytes_received, b.counts.bytes_acked);
    assert_eq!(b.counts.bytes_received, a.counts.bytes_acked);
    assert_eq!((a.reason, b.reason), (EndReason::Closed, EndReason::Closed));
}

#[test]
fn requests_without_responses_are_sent_back_to_back() {
    let done = one(Exchange {
        requests: 3,
        response: Distribution::Constant(0.0),
        ..Exchange::default()
    })
    .run();
    assert_eq!(done.summaries(Side::Passive)[0].counts.bytes_received, 300);
    assert_eq!(done.summaries(Side::Active)[0].reason, EndReason::Closed);
}

#[test]
fn losses_are_repaired_and_everything_ends() {
    let exchange = Arc::new(Exchange {
        requests: 3,
        ..Exchange::default()
    });
    let mut spec = client(Arrivals::Fixed(50.0), &exchange);
    spec.limit = Some(500);
    let a = host(params(), vec![AppSpec::Client(spec)]);
    let b = host(params(), vec![AppSpec::Server(server(&exchange))]);
    let pair = joined(a, b).until(at(300_000)).with_links(|link| {
        link.impairments = Impairments {
            loss: 0.05.into(),
            corrupt: 0.02,
            duplicate: 0.02,
            reorder: 0.02,
            reorder_delay: ms(15),
            ..Impairments::default()
        };
    });
    let done = pair.run();
    assert_eq!(done.count_outcomes(OpenResult::Established), 500);
    let ended = done.summaries(Side::Active);
    let complete = |s: &&&EndpointSummary| s.counts.bytes_received == 3000;
    assert_eq!(ended.iter().filter(complete).count(), 500);
    assert_eq!((done.a().connections(), done.b().connections()), (0, 0));
    assert_eq!((done.a().time_waits(), done.b().time_waits()), (0, 0));
    assert!(done.a().stats().checksum_failures > 0);
    assert_eq!(done.a().stack.demux.len(), 0);
}
