//! Ports and TIME-WAIT populations.

use super::*;
use crate::app::spec::Closer;
use crate::params::TwReuse;

fn narrow(ports: u16, params: TcpParams) -> TcpParams {
    TcpParams {
        port_range: (20_000, 19_999 + ports),
        ..params
    }
}

fn run(rate: f64, a: TcpParams, exchange: Exchange, end: SimTime) -> Done {
    let exchange = Arc::new(exchange);
    let client = AppSpec::Client(client(Arrivals::Fixed(rate), &exchange));
    let server = AppSpec::Server(server(&exchange));
    joined(host(a, vec![client]), host(params(), vec![server]))
        .until(end)
        .run()
}

#[test]
fn the_time_wait_population_is_rate_times_two_msl() {
    let (rate, life) = (100.0, 60);
    // From 60 ms on one connection enters TIME-WAIT every 10 ms.
    let done = run(rate, params(), Exchange::default(), at(70_000) + ms(5));
    assert_eq!(done.a().stats().peak_time_wait, 100 * life);
    assert_eq!(done.a().time_waits(), 100 * life);
    assert_eq!(done.b().time_waits(), 0);
    let early = run(rate, params(), Exchange::default(), at(1065));
    assert_eq!(early.a().time_waits(), 101);
}

#[test]
fn ports_run_out_when_time_wait_holds_them_all() {
    // As measured on Linux: 500 ports, 500 per second for 90 s, one port each per 60 s.
    for selection in [
        crate::params::PortSelection::Linux,
        crate::params::PortSelection::Random,
        crate::params::PortSelection::Sequential,
    ] {
        let p = TcpParams {
            port_selection: selection,
            ..narrow(500, params())
        };
        let done = run(500.0, p, Exchange::default(), at(90_000));
        let attempts = done.outcomes().len();
        assert_eq!(attempts, 45_000);
        assert_eq!(done.count_outcomes(OpenResult::Established), 1000);
        assert_eq!(done.count_outcomes(OpenResult::AddrNotAvailable), 44_000);
        let first = done
            .outcomes()
            .into_iter()
            .find(|(_, o)| o.result == OpenResult::AddrNotAvailable);
        assert_eq!(first.map(|(t, _)| t), Some(1000));
        let stats = done.a().stats();
        assert_eq!((stats.ports_exhausted, stats.peak_time_wait), (44_000, 500));
    }
}

#[test]
fn tw_reuse_takes_ports_over_after_a_second() {
    let p = TcpParams {
        tw_reuse: TwReuse::On,
        ..narrow(2000, params())
    };
    let done = run(100.0, p, Exchange::default(), at(90_000));
    assert_eq!(done.count_outcomes(OpenResult::AddrNotAvailable), 0);
    let reused = done.a().stats().time_wait_reused;
    // Measured on Linux: 7998, 7997, 7997 of 9000, peak 999.
    assert!((7950..8050).contains(&reused), "{reused}");
    let peak = done.a().stats().peak_time_wait;
    assert!((980..=1000).contains(&peak), "{peak}");
    // The server has left LAST-ACK by then: no reset is sent.
    assert_eq!(
        done.a().stats().resets_sent + done.b().stats().resets_sent,
        0
    );
}

#[test]
fn tw_reuse_without_timestamps_reuses_nothing() {
    let p = TcpParams {
        tw_reuse: TwReuse::On,
        timestamps: false,
        ..narrow(50, params())
    };
    let done = run(50.0, p, Exchange::default(), at(30_000));
    assert_eq!(done.a().stats().time_wait_reused, 0);
    assert_eq!(done.count_outcomes(OpenResult::Established), 50);
}

#[test]
fn a_server_in_time_wait_takes_the_same_port_again() {
    let exchange = Exchange {
        closer: Closer::Server,
        ..Exchange::default()
    };
    let done = run(100.0, narrow(20, params()), exchange, at(10_000));
    assert_eq!(done.count_outcomes(OpenResult::AddrNotAvailable), 0);
    let stats = done.b().stats();
    assert!(stats.time_wait_recycled > 900, "{stats:?}");
    assert!(stats.peak_time_wait <= 20);
    assert_eq!(done.a().stats().resets_sent, 0);
}

#[test]
fn a_full_time_wait_table_lets_connections_go_at_once() {
    let p = TcpParams {
        max_tw_buckets: Some(50),
        ..params()
    };
    let done = run(100.0, p, Exchange::default(), at(2055));
    // 200 connections have passed through FIN-WAIT-2 by then.
    let stats = done.a().stats();
    assert_eq!((stats.peak_time_wait, done.a().time_waits()), (50, 50));
    assert_eq!(stats.time_wait_overflows, 150);
    let overflowed = |s: &&&EndpointSummary| s.reason == EndReason::TimeWaitOverflow;
    assert_eq!(
        done.summaries(Side::Active)
            .iter()
            .filter(overflowed)
            .count(),
        150
    );
    let conn = ConnId::new(0, 199);
    let last: Vec<_> = done
        .states(conn, Side::Active)
        .into_iter()
        .rev()
        .take(2)
        .collect();
    // TIME-WAIT is left out: it would count in no census.
    assert_eq!(last, [(2050, State::Closed), (2050, State::FinWait2)]);
}

#[test]
fn an_entry_costs_little() {
    let done = run(100.0, params(), Exchange::default(), at(70_000));
    let memory = done.a().memory();
    assert!(memory.per_time_wait <= 67, "{memory:?}");
    let each = (memory.time_wait + memory.demux) as f64 / 6000.0;
    assert!(each < 70.0, "{each} {memory:?}");
}

/// Plays a host that forgot everything: sends one bare SYN from a port it had used, and answers nothing, so
/// that its TCP answers the SYN-ACK with a reset.
#[test]
fn an_old_duplicate_syn_gives_time_wait_back() {
    #[derive(Debug)]
    struct Forgetful(SocketAddrV4);
    impl App for Forgetful {
        fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
            match event {
                AppEvent::Start => {
                    socket.connect_from(self.0, SERVER).unwrap();
                    socket.wake(at(1000), 0);
                }
                // The second connection disappears before its SYN-ACK arrives, as if the SYN were an old
                // duplicate.
                AppEvent::Wake(_) => {
                    let id = socket.connect_from(self.0, SERVER).unwrap();
                    socket.close(id);
                }
                AppEvent::PeerClosed(id) => socket.close(id),
                AppEvent::Readable(id, n) => {
                    socket.read(id, n);
                }
                AppEvent::Connected(id) => {
                    socket.write(id, 100);
                }
                _ => {}
            }
        }
    }
    let exchange = Arc::new(Exchange {
        closer: Closer::Server,
        ..Exchange::default()
    });
    let local = SocketAddrV4::new(A, 40_000);
    let a = host(params(), Vec::new()).with_app(Box::new(Forgetful(local)));
    let b = host(params(), vec![AppSpec::Server(server(&exchange))]);
    let done = joined(a, b).run();
    assert_eq!(
        done.states(C0, Side::Passive)[4..],
        [
            (50, State::TimeWait),
            (1010, State::Closed),
            (1030, State::TimeWait),
            (60_050, State::Closed),
        ]
    );
    let stats = done.b().stats();
    assert_eq!((stats.time_wait_recycled, stats.time_wait_restored), (1, 1));
    assert_eq!(done.b().connections(), 0);
}
