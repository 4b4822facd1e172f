//! Whatever applications and the network do, the tables of a host are empty at the end.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::app::spec::{CloseHow, Closer};
use crate::params::{EcnMode, PortSelection, SynCookies, TwReuse};
use crate::ports::Destination;

fn exchanges() -> impl Strategy<Value = Exchange> {
    let closers = prop_oneof![
        Just(Closer::Client),
        Just(Closer::Server),
        Just(Closer::Both)
    ];
    let hows = prop_oneof![
        Just(CloseHow::Fin),
        Just(CloseHow::Half),
        Just(CloseHow::Rst)
    ];
    let times = (0u64..40, 0u64..40, 0u64..40, 0u64..40);
    (1u32..4, 0u32..20_000, closers, hows, times).prop_map(
        |(requests, response, closer, how, (think, service, close_after, linger))| Exchange {
            fast_open: requests % 2 == 0,
            requests,
            request: Distribution::Uniform(0.0, 3000.0),
            response: Distribution::Uniform(0.0, f64::from(response)),
            think: Distribution::Constant(think as f64 / 1e3),
            service: Distribution::Constant(service as f64 / 1e3),
            closer,
            how,
            close_after: ms(close_after),
            linger: ms(linger),
            connect_timeout: (linger % 4 == 1).then(|| ms(20)),
            request_timeout: (think % 3 == 1).then(|| ms(30)),
            respond_after: (closer == Closer::Server && requests == 1 && service % 2 == 1)
                .then_some(200),
        },
    )
}

fn hosts_params() -> impl Strategy<Value = TcpParams> {
    let selection = prop_oneof![
        Just(PortSelection::Linux),
        Just(PortSelection::Random),
        Just(PortSelection::Sequential)
    ];
    let flags = any::<[bool; 5]>();
    let features = any::<[bool; 6]>();
    (selection, 1u16..30, 0u32..8, flags, features).prop_map(
        |(port_selection, ports, limit, flags, [ecn, fast_open, bare, full, always, defer])| {
            TcpParams {
                ecn: if ecn { EcnMode::Active } else { EcnMode::Off },
                fast_open: if fast_open { 3 } else { 0 } | if bare { 0x204 } else { 0 },
                syn_cookies: match (full, always) {
                    (false, _) => SynCookies::Off,
                    (true, false) => SynCookies::WhenFull,
                    (true, true) => SynCookies::Always,
                },
                defer_accept: defer.then(|| SimDuration::from_secs(2)),
                challenge_ack_limit: ecn.then_some(3),
                ..more_params(port_selection, ports, limit, flags)
            }
        },
    )
}

fn more_params(
    port_selection: PortSelection,
    ports: u16,
    limit: u32,
    [reuse, rfc1337, abort, timestamps, accept]: [bool; 5],
) -> TcpParams {
    TcpParams {
        port_selection,
        port_range: (30_000, 29_999 + ports),
        tw_reuse: if reuse { TwReuse::On } else { TwReuse::Off },
        rfc1337,
        abort_on_overflow: abort,
        timestamps,
        tw_accept_syn: accept,
        max_tw_buckets: (limit > 4).then_some(limit),
        somaxconn: limit,
        time_wait: ms(300),
        tw_reuse_delay: ms(40),
        keepalive: Some(SimDuration::from_secs(5)),
        ..TcpParams::linux()
    }
}

fn impairments() -> impl Strategy<Value = Impairments> {
    (0u8..20, 0u8..10, 0u8..20, 0u8..20, 0u64..60).prop_map(
        |(loss, corrupt, duplicate, reorder, delay)| Impairments {
            loss: (f64::from(loss) / 100.0).into(),
            corrupt: f64::from(corrupt) / 100.0,
            duplicate: f64::from(duplicate) / 100.0,
            reorder: f64::from(reorder) / 100.0,
            reorder_delay: ms(delay),
            ..Impairments::default()
        },
    )
}

/// A server with SYN cookies keeps nothing of a handshake, so it can mistake a keep-alive probe of
/// a connection it has forgotten for the last ACK of a new one (the request and the response must
/// be of about the same length). Both ends then wait for each other, and every keep-alive is
/// answered: only an application that gives up ends that.
fn ends_despite_cookies(exchange: Exchange, params: &TcpParams) -> Exchange {
    if params.syn_cookies == SynCookies::Off {
        return exchange;
    }
    let patience = exchange
        .request_timeout
        .unwrap_or(SimDuration::from_secs(10));
    Exchange {
        request_timeout: Some(patience),
        ..exchange
    }
}

/// Checks that the state changes of every end point form a chain, from CLOSED or LISTEN to CLOSED.
fn check_states(records: &[Record<TcpSample>]) -> Result<(), TestCaseError> {
    let mut last: BTreeMap<(u32, ConnId, Side), State> = BTreeMap::new();
    for record in records {
        let TcpSample::State(change) = record.sample else {
            continue;
        };
        let key = (record.node.0, change.conn, change.side);
        let before = last.insert(key, change.to);
        let joins = match before {
            None | Some(State::Closed) => matches!(change.from, State::Closed | State::Listen),
            Some(state) => state == change.from,
        };
        prop_assert!(joins, "{key:?}: {before:?} then {change:?}");
    }
    for (key, state) in last {
        let over = matches!(state, State::Closed | State::Listen);
        prop_assert!(over, "{key:?} is left in {state}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_connection_ends_and_leaves_nothing_behind(
        exchange in exchanges(), params in hosts_params(), there in impairments(), back in impairments(),
        rate in 1u32..300, accept in proptest::option::of(5u32..200),
    ) {
        let exchange = Arc::new(ends_despite_cookies(exchange, &params));
        let mut client = client(Arrivals::Poisson(f64::from(rate)), &exchange);
        client.limit = Some(60);
        let server = ServerSpec {
            backlog: 10,
            accept_rate: accept.map(f64::from),
            ..server(&exchange)
        };
        let mut pair = joined(
            host(params.clone(), vec![AppSpec::Client(client)]),
            host(params, vec![AppSpec::Server(server)]),
        )
        .until(at(4_000_000));
        [pair.links[0].impairments, pair.links[1].impairments] = [there, back];
        let done = pair.run();
        prop_assert_eq!((done.a().connections(), done.b().connections()), (0, 0));
        prop_assert_eq!((done.a().time_waits(), done.b().time_waits()), (0, 0));
        for stats in [done.a().stats(), done.b().stats()] {
            let ended = stats.time_wait_expired
                + stats.time_wait_reused
                + stats.time_wait_recycled
                + stats.time_wait_killed;
            prop_assert_eq!(stats.time_wait_made + stats.time_wait_restored, ended, "{:?}", stats);
        }
        prop_assert_eq!(done.a().stack.demux.len() + done.b().stack.demux.len(), 0);
        let to = Destination { local: A, remote: SERVER };
        prop_assert_eq!(done.a().stack.ports.used(to), 0);
        prop_assert_eq!(done.b().stack.listeners[0].half_open, 0);
        prop_assert_eq!(done.outcomes().len(), 60);
        check_states(&done.records)?;
    }
}
