//! Active opens: simultaneous, explicit ports, plugged-in models.

use super::*;

/// Connects from a given port to the same port of the other host.
#[derive(Debug)]
struct Meet {
    local: SocketAddrV4,
    remote: SocketAddrV4,
}

impl App for Meet {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        match event {
            AppEvent::Start => {
                let id = socket.connect_from(self.local, self.remote).unwrap();
                assert_eq!(socket.ends(id), Some((self.local, self.remote)));
                let again = socket.connect_from(self.local, self.remote);
                assert_eq!(again, Err(ConnectError::AddrInUse));
                let foreign = socket.connect(Some(Ipv4Addr::LOCALHOST), self.remote);
                assert_eq!(foreign, Err(ConnectError::NotLocal(Ipv4Addr::LOCALHOST)));
            }
            AppEvent::Connected(id) => socket.close(id),
            _ => {}
        }
    }
}

#[test]
fn two_active_opens_meet_and_make_one_connection() {
    let end = |address| SocketAddrV4::new(address, 40_000);
    let meet = |local, remote| {
        let app = Meet {
            local: end(local),
            remote: end(remote),
        };
        host(params(), Vec::new()).with_app(Box::new(app))
    };
    let done = joined(meet(A, B), meet(B, A)).run();
    for conn in [C0, ConnId::new(1, 0)] {
        assert_eq!(
            done.states(conn, Side::Active),
            [
                (0, State::SynSent),
                (10, State::SynReceived),
                (20, State::Established),
                (20, State::FinWait1),
                (30, State::Closing),
                (40, State::TimeWait),
                (60_040, State::Closed),
            ]
        );
    }
    assert_eq!(done.count_outcomes(OpenResult::Established), 2);
    assert_eq!(done.count_outcomes(OpenResult::AddrNotAvailable), 2);
    let duplicates = done
        .summaries(Side::Active)
        .iter()
        .map(|s| s.counts.old_duplicate_bytes)
        .sum::<u64>();
    assert_eq!(duplicates, 0);
}

#[test]
fn a_factory_makes_every_connection() {
    use std::sync::atomic::{AtomicU32, Ordering};
    let made = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&made);
    let exchange = Exchange::default();
    let mut with_factory = pair(Arrivals::Burst(3), exchange.clone());
    let [a, b] = with_factory.hosts;
    let b = b.with_model(Arc::new(move |context| {
        counted.fetch_add(1, Ordering::Relaxed);
        Box::new(crate::Connection::new(context))
    }));
    with_factory.hosts = [a, b];
    let custom = with_factory.run();
    assert_eq!(made.load(Ordering::Relaxed), 3);
    let plain = pair(Arrivals::Burst(3), exchange).run();
    assert_eq!(custom.records, plain.records);
}

#[test]
fn a_closed_loop_keeps_its_users_busy() {
    let arrivals = Arrivals::Closed {
        users: 4,
        think: Distribution::Constant(0.94),
    };
    let done = pair(arrivals, Exchange::default()).until(at(10_000)).run();
    // Each round: 60 ms from connect to TIME-WAIT, then 940 ms of thought.
    assert_eq!(done.count_outcomes(OpenResult::Established), 4 * 10);
    assert_eq!(done.a().stats().peak_connections, 4);
}

#[test]
fn bulk_data_arrive_whole() {
    use crate::app::spec::{BulkSpec, SinkSpec};
    let late = SimDuration::from_millis(3);
    for (read_rate, read_delay) in [
        (None, SimDuration::ZERO),
        (None, late),
        // Less than the first window of 80 kB per round trip of 20 ms: the buffer grows only if data read do not wait.
        (Some(2_500_000), SimDuration::ZERO),
        (Some(2_500_000), late),
    ] {
        let bulk = AppSpec::Bulk(BulkSpec {
            name: "bulk".to_owned(),
            local: A,
            remote: SERVER,
            start: at(5),
            bytes: Some(20_000_000),
        });
        let sink = AppSpec::Sink(SinkSpec {
            port: 80,
            backlog: 1,
            read_rate,
            read_delay,
            ..SinkSpec::default()
        });
        let a = host(params(), vec![bulk]);
        let done = joined(a, host(params(), vec![sink]))
            .until(at(30_000))
            .run();
        let [passive] = done.summaries(Side::Passive)[..] else {
            panic!("{read_rate:?}: the connection has not ended")
        };
        assert_eq!(passive.counts.bytes_received, 20_000_000);
        assert_eq!(passive.reason, EndReason::Closed);
        if let Some(rate) = read_rate {
            let least = 20_000_000 / rate * 1000;
            let took = passive.ended.since(SimTime::ZERO).as_millis();
            assert!((least..least + 300).contains(&took), "{took}");
        }
        let samples: Vec<SimTime> = done
            .records
            .iter()
            .filter(|r| matches!(&r.sample, TcpSample::Sender(s) if s.side == Side::Active))
            .map(|r| r.time)
            .collect();
        assert!(samples.len() > 5);
        assert!(samples.windows(2).all(|w| w[1].since(w[0]) >= ms(10)));
    }
}

#[test]
fn clients_take_addresses_and_servers_in_turn() {
    let exchange = Arc::new(Exchange::default());
    let mut spec = client(Arrivals::Burst(4), &exchange);
    spec.remotes = vec![SERVER, SocketAddrV4::new(B, 81)].into();
    let servers = [80, 81].map(|port| {
        AppSpec::Server(ServerSpec {
            port,
            ..server(&exchange)
        })
    });
    let a = host(params(), vec![AppSpec::Client(spec)]);
    let done = joined(a, host(params(), servers.to_vec())).run();
    let ports: Vec<u16> = done
        .summaries(Side::Active)
        .iter()
        .map(|s| s.remote.port())
        .collect();
    assert_eq!(ports, [80, 81, 80, 81]);
}
