//! Backlog, accept queue, SYN queue.

use super::*;
use crate::params::SynCookies;

/// `n` clients at once against a server that never accepts, backlog 5.
fn never_accepts(n: u32, abort: bool, cookies: SynCookies) -> Done {
    let exchange = Arc::new(Exchange::default());
    let mut client = client(Arrivals::Burst(n), &exchange);
    client.limit = Some(u64::from(n));
    let params = TcpParams {
        abort_on_overflow: abort,
        syn_cookies: cookies,
        ..params()
    };
    let b = host(params.clone(), Vec::new()).with_app(Box::new(Deaf));
    joined(host(params, vec![AppSpec::Client(client)]), b)
        .until(at(200_000))
        .run()
}

/// Listens and never accepts.
#[derive(Debug)]
struct Deaf;

impl App for Deaf {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        if event == AppEvent::Start {
            socket.listen(80, 5).unwrap();
        }
    }
}

/// As measured on Linux (`accept_burst_abort0_cookies0`): 6 of 20 connect, 14 give up after their
/// SYN and ten repetitions.
#[test]
fn a_full_syn_queue_and_then_a_full_accept_queue_drop_syns() {
    for abort in [false, true] {
        let done = never_accepts(20, abort, SynCookies::Off);
        assert_eq!(done.count_outcomes(OpenResult::Established), 6);
        assert_eq!(done.count_outcomes(OpenResult::TimedOut), 14);
        let stats = done.b().stats();
        // 14 SYNs at once find the SYN queue full, the 140 repetitions the accept queue.
        assert_eq!((stats.listen_overflows, stats.listen_drops), (140, 154));
        assert_eq!(stats.resets_sent, 0);
    }
}

/// With cookies all 20 clients are answered and consider themselves connected; those whose cookie
/// comes back while the accept queue is full belong to no connection of the server.
#[test]
fn with_syn_cookies_a_full_syn_queue_drops_nothing() {
    let done = never_accepts(20, false, SynCookies::WhenFull);
    assert_eq!(done.count_outcomes(OpenResult::Established), 20);
    let stats = done.b().stats();
    assert_eq!(
        (stats.syn_cookies_sent, stats.syn_cookies_received),
        (14, 0)
    );
    assert!(
        stats.listen_overflows >= 14,
        "the ACKs, and the requests after them"
    );
    assert_eq!(done.b().connections(), 6);
    let always = never_accepts(6, false, SynCookies::Always).b().stats();
    assert_eq!(
        (always.syn_cookies_sent, always.syn_cookies_received),
        (6, 6)
    );
}

/// The cost of cookies: no SYN-ACK is sent again, and the MSS is rounded down.
#[test]
fn a_lost_syn_ack_with_a_cookie_is_repaired_by_the_client() {
    let exchange = Arc::new(Exchange::default());
    let server_params = TcpParams {
        syn_cookies: SynCookies::Always,
        ..params()
    };
    let client_params = TcpParams {
        mtu: 1450,
        ..params()
    };
    let mut pair = joined(
        host(
            client_params,
            vec![AppSpec::Client(client(Arrivals::Burst(1), &exchange))],
        ),
        host(server_params, vec![AppSpec::Server(server(&exchange))]),
    );
    pair.links[1].impairments.drop = vec![1];
    let done = pair.run();
    let sent = done.sent();
    assert_eq!(sent[1].split(' ').nth(2), Some("SYN,ACK"));
    assert_eq!(sent[2], "1000 a SYN 0(0)");
    assert_eq!(done.count_outcomes(OpenResult::Established), 1);
    assert_eq!(done.summaries(Side::Passive)[0].reason, EndReason::Closed);
    assert_eq!(done.b().stats().syn_cookies_received, 1);
    assert_eq!(done.summaries(Side::Active)[0].counts.bytes_received, 1000);
}

/// A listener that keeps nothing of a SYN still knows whose data arrives.
#[test]
fn data_on_a_connection_from_a_cookie_are_not_old_duplicates() {
    for connections in [1, 40] {
        let exchange = Arc::new(Exchange::default());
        let server_params = TcpParams {
            syn_cookies: SynCookies::Always,
            ..params()
        };
        let clients = client(Arrivals::Burst(connections), &exchange);
        let pair = joined(
            host(params(), vec![AppSpec::Client(clients)]),
            host(server_params, vec![AppSpec::Server(server(&exchange))]),
        );
        let done = pair.run();
        let passive = done.summaries(Side::Passive);
        assert_eq!(done.b().stats().syn_cookies_received, connections);
        assert_eq!(passive.len(), connections as usize);
        for summary in passive {
            assert_eq!(summary.counts.bytes_received, 100);
            assert_eq!(summary.counts.old_duplicate_bytes, 0);
        }
    }
}

/// Connections that meet the full accept queue with their last ACK: six are accepted into the
/// queue, the others stay in SYN-RECEIVED and retransmit SYN-ACKs.
#[test]
fn a_last_ack_that_finds_the_accept_queue_full_is_treated_as_lost() {
    let done = two_bursts(false);
    assert_eq!(done.count_outcomes(OpenResult::Established), 10);
    let synacks = done
        .sent()
        .iter()
        .filter(|l| l.contains("b SYN,ACK"))
        .count();
    // Ten, and five repetitions each for the four that found no place.
    assert_eq!(synacks, 10 + 4 * 5);
    assert_eq!(done.b().connections(), 6);
}

#[test]
fn with_abort_on_overflow_it_is_answered_by_a_reset() {
    let done = two_bursts(true);
    assert_eq!(done.count_outcomes(OpenResult::Established), 10);
    let reset = |s: &&&EndpointSummary| s.reason == EndReason::Reset;
    assert_eq!(done.summaries(Side::Active).iter().filter(reset).count(), 4);
    assert_eq!(done.b().stats().resets_sent, 4);
}

/// Four connections at once, and six more 1 s later, against backlog 5; the clients send nothing.
fn two_bursts(abort: bool) -> Done {
    let params = TcpParams {
        abort_on_overflow: abort,
        syn_cookies: SynCookies::Off,
        ..params()
    };
    let a = host(params.clone(), Vec::new()).with_app(Box::new(Bursts));
    let b = host(params, Vec::new()).with_app(Box::new(Deaf));
    joined(a, b).until(at(80_000)).run()
}

/// Opens four connections, then six, and does nothing with them.
#[derive(Debug)]
struct Bursts;

impl App for Bursts {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        let n = match event {
            AppEvent::Start => {
                socket.wake(at(1000), 0);
                4
            }
            AppEvent::Wake(_) => 6,
            _ => 0,
        };
        for _ in 0..n {
            socket.connect(None, SERVER).unwrap();
        }
    }
}

#[test]
fn an_accept_rate_spaces_the_answers() {
    let exchange = Arc::new(Exchange::default());
    let client = client(Arrivals::Burst(5), &exchange);
    let server = ServerSpec {
        accept_rate: Some(10.0),
        ..server(&exchange)
    };
    let done = joined(
        host(params(), vec![AppSpec::Client(client)]),
        host(params(), vec![AppSpec::Server(server)]),
    )
    .run();
    let answered: Vec<u64> = done
        .records
        .iter()
        .filter(|r| matches!(r.sample, TcpSample::Request(_)))
        .map(|r| r.time.since(SimTime::ZERO).as_millis())
        .collect();
    // The first at once, the others every 100 ms after the handshake at 30 ms.
    assert_eq!(answered, [40, 140, 240, 340, 440]);
}

#[test]
fn a_connection_that_ended_in_the_queue_is_not_accepted() {
    #[derive(Debug)]
    struct Late(u32);
    impl App for Late {
        fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
            match event {
                AppEvent::Start => {
                    socket.listen(80, 5).unwrap();
                    socket.wake(at(500), 0);
                }
                AppEvent::Wake(_) => {
                    while socket.accept(80).is_some() {
                        self.0 += 1;
                    }
                    assert_eq!(self.0, 1);
                }
                _ => {}
            }
        }
    }
    #[derive(Debug)]
    struct Fickle;
    impl App for Fickle {
        fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
            match event {
                AppEvent::Start => {
                    socket.connect(None, SERVER).unwrap();
                    socket.connect(None, SERVER).unwrap();
                }
                AppEvent::Connected(id) if id.slot() == 0 => {
                    socket.write(id, 10);
                    socket.abort(id);
                }
                _ => {}
            }
        }
    }
    let a = host(params(), Vec::new()).with_app(Box::new(Fickle));
    let b = host(params(), Vec::new()).with_app(Box::new(Late(0)));
    let done = joined(a, b).until(at(1000)).run();
    assert_eq!(done.count_outcomes(OpenResult::Established), 2);
    assert_eq!(done.b().connections(), 1);
}

#[test]
fn a_listener_shows_in_the_records() {
    let done = pair(Arrivals::Burst(0), Exchange::default()).run();
    let conn = ConnId::new(1, u32::MAX - 80);
    assert_eq!(done.states(conn, Side::Passive), [(0, State::Listen)]);
}
