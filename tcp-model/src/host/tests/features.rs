//! Fast Open, ECN, options of one connection, addresses without a host.

use super::*;
use crate::host::ConnectOptions;
use crate::model::SendCall;
use crate::params::EcnMode;
use crate::segment::Ecn;

fn fast_open_pair(arrivals: Arrivals) -> TwoHosts {
    let exchange = Arc::new(Exchange {
        fast_open: true,
        ..Exchange::default()
    });
    let params = TcpParams {
        fast_open: TcpParams::FAST_OPEN_CLIENT | TcpParams::FAST_OPEN_SERVER,
        ..params()
    };
    joined(
        host(
            params.clone(),
            vec![AppSpec::Client(client(arrivals, &exchange))],
        ),
        host(params, vec![AppSpec::Server(server(&exchange))]),
    )
}

/// RFC 7413: the first connection fetches the cookie, the next saves a round trip.
#[test]
fn the_second_connection_to_a_server_has_its_response_a_round_trip_earlier() {
    let done = fast_open_pair(Arrivals::Fixed(5.0)).until(at(500)).run();
    let latency: Vec<u64> = done
        .records
        .iter()
        .filter_map(|r| match &r.sample {
            TcpSample::Request(request) => Some(request.latency.as_millis()),
            _ => None,
        })
        .collect();
    assert_eq!(latency[..2], [40, 20]);
    let sent = done.sent();
    let syns: Vec<&String> = sent.iter().filter(|l| l.contains("a SYN")).collect();
    assert!(
        syns[0].ends_with("0(0)") && syns[1].ends_with("(100)"),
        "{syns:?}"
    );
    assert_eq!(
        done.b().stats().fast_opens_accepted,
        latency.len() as u32 - 1
    );
    assert_eq!(done.b().stack.listeners[0].early, 0);
}

#[test]
fn fast_open_of_one_side_alone_is_an_ordinary_open() {
    for (a, b) in [(3, 0), (0, 3), (3, 1)] {
        let mut pair = fast_open_pair(Arrivals::Fixed(5.0));
        let exchange = Arc::new(Exchange {
            fast_open: true,
            ..Exchange::default()
        });
        let with = |fast_open| TcpParams {
            fast_open,
            ..params()
        };
        let client = client(Arrivals::Fixed(5.0), &exchange);
        pair.hosts[0] = host(with(a), vec![AppSpec::Client(client)]);
        pair.hosts[1] = host(with(b), vec![AppSpec::Server(server(&exchange))]);
        let done = pair.until(at(500)).run();
        let all = |r: &&Record<TcpSample>| match &r.sample {
            TcpSample::Request(request) => request.latency == ms(40),
            _ => false,
        };
        assert!(done.records.iter().filter(all).count() >= 2, "{a} {b}");
        assert_eq!(done.b().stats().fast_opens_accepted, 0);
    }
}

/// RFC 3168 section 5: the IP header has the codepoint of the connection, whatever the DS field
/// says.
#[test]
fn ect_is_in_the_ip_header_of_new_data_alone() {
    let exchange = Arc::new(Exchange::default());
    let ecn = TcpParams {
        ecn: EcnMode::Active,
        tos: 0x48 | 3, // the ECN bits are TCP's
        ..params()
    };
    let client = AppSpec::Client(client(Arrivals::Burst(1), &exchange));
    let done = joined(
        host(ecn.clone(), vec![client]),
        host(ecn, vec![AppSpec::Server(server(&exchange))]),
    )
    .run();
    let marks: Vec<(u32, u8)> = done
        .records
        .iter()
        .filter_map(|r| match &r.sample {
            TcpSample::Segment(t) if t.event == SegmentEvent::Sent => Some((t.segment.len, t.tos)),
            _ => None,
        })
        .collect();
    assert!(marks.iter().any(|(len, _)| *len > 0));
    for (len, tos) in marks {
        let expected = if len > 0 { Ecn::Ect0 } else { Ecn::NotEct };
        assert_eq!(tos, expected.on_tos(0x48), "{len}");
    }
}

/// MUST-46.
#[test]
fn addresses_of_no_host_are_refused() {
    #[derive(Debug)]
    struct Lost;
    impl App for Lost {
        fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
            if event != AppEvent::Start {
                return;
            }
            for address in [
                Ipv4Addr::BROADCAST,
                Ipv4Addr::new(224, 0, 0, 1),
                Ipv4Addr::UNSPECIFIED,
            ] {
                let connected = socket.connect(None, SocketAddrV4::new(address, 80));
                assert_eq!(connected, Err(ConnectError::NotUnicast(address)));
            }
        }
    }
    let a = host(params(), Vec::new()).with_app(Box::new(Lost));
    let done = joined(a, host(params(), Vec::new())).run();
    assert!(done.sent().is_empty());
}

/// SHLD-9, SHLD-20.
#[test]
fn delivery_trouble_is_reported_unless_the_application_disables_it() {
    #[derive(Debug)]
    struct Worried(bool);
    impl App for Worried {
        fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
            match event {
                AppEvent::Start => {
                    let id = socket.connect(None, SERVER).unwrap();
                    socket.report_errors(id, self.0);
                }
                AppEvent::DeliveryTrouble(id) => {
                    assert!(self.0);
                    socket.abort(id);
                }
                _ => {}
            }
        }
    }
    for informed in [true, false] {
        let a = host(params(), Vec::new()).with_app(Box::new(Worried(informed)));
        let mut pair = joined(a, host(params(), Vec::new()));
        pair.links[0].impairments.loss = 1.0.into();
        let done = pair.until(at(200_000)).run();
        assert_eq!(done.a().stats().path_advices, 1);
        let result = if informed {
            OpenResult::Aborted
        } else {
            OpenResult::TimedOut
        };
        assert_eq!(done.count_outcomes(result), 1);
    }
}

/// MUST-48, MUST-49, SHLD-21: per connection, and changed while it is open.
#[test]
fn ttl_and_ds_field_are_a_connection_s_own_and_change() {
    #[derive(Debug)]
    struct Marked;
    impl App for Marked {
        fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
            match event {
                AppEvent::Start => {
                    let params = TcpParams {
                        ttl: 9,
                        tos: 0x20,
                        ..params()
                    };
                    let options = ConnectOptions {
                        params: Some(Arc::new(params)),
                        ..ConnectOptions::default()
                    };
                    socket.connect_with(SERVER, options).unwrap();
                }
                AppEvent::Connected(id) => {
                    let mut params = (*socket.params(id).unwrap()).clone();
                    assert_eq!(params.ttl, 9);
                    params.tos = 0x40;
                    assert!(socket.set_params(id, &Arc::new(params)));
                    socket.send(id, SendCall::pushed(10));
                    // SO_LINGER of zero: a close resets.
                    socket.set_linger(id, Some(ms(0)));
                    socket.close(id);
                }
                _ => {}
            }
        }
    }
    let exchange = Arc::new(Exchange::default());
    let a = host(params(), Vec::new()).with_app(Box::new(Marked));
    let done = joined(a, host(params(), vec![AppSpec::Server(server(&exchange))])).run();
    let sent: Vec<(u8, u8, String)> = done
        .records
        .iter()
        .filter_map(|r| match &r.sample {
            TcpSample::Segment(t) if t.event == SegmentEvent::Sent && t.src == A => {
                Some((t.ttl, t.tos, t.segment.flags.to_string()))
            }
            _ => None,
        })
        .collect();
    let expected = [
        (9, 0x20, "SYN"),
        (9, 0x20, "ACK"),
        (9, 0x40, "PSH,ACK"),
        (9, 0x40, "RST,ACK"),
    ];
    let expected = expected.map(|(ttl, tos, f)| (ttl, tos, f.to_owned()));
    assert_eq!(sent[..4], expected, "what follows is a host's reset");
}

/// Timestamps are compared modulo 2^32 (RFC 7323 section 5.2): connections before, during and after the time at which
/// the clocks of both hosts pass it are as with clocks that do not, and PAWS drops nothing.
#[test]
fn a_timestamp_clock_that_wraps_around_changes_nothing() {
    let run = |wraps: Option<u64>| {
        let exchange = Arc::new(Exchange {
            requests: 20,
            think: Distribution::Constant(0.1),
            ..Exchange::default()
        });
        let clock = |host: TcpHost, after: u64| match wraps {
            Some(time) => host.with_clock_wrap(at(time + after)),
            None => host,
        };
        let client = AppSpec::Client(client(Arrivals::Fixed(2.0), &exchange));
        let a = clock(host(params(), vec![client]), 0);
        let b = clock(
            host(params(), vec![AppSpec::Server(server(&exchange))]),
            700,
        );
        joined(a, b).until(at(6_000)).run()
    };
    let (plain, wrapped) = (run(None), run(Some(3_000)));
    assert_eq!(plain.sent(), wrapped.sent());
    let stamps = |host: u32| {
        let sent = wrapped.records.iter().filter(move |r| r.node.0 == host);
        let stamps = sent.filter_map(|r| match &r.sample {
            TcpSample::Segment(trace) if trace.event == SegmentEvent::Sent => {
                let (stamp, _) = trace.segment.options.timestamps()?;
                Some((r.time, stamp))
            }
            _ => None,
        });
        stamps.collect::<Vec<_>>()
    };
    for (node, time) in [(0, 3_000), (1, 3_700)] {
        let all = stamps(node);
        let (before, after): (Vec<_>, Vec<_>) = all.iter().partition(|(when, _)| *when < at(time));
        assert!(before.iter().all(|(_, stamp)| *stamp > u32::MAX - 4_000));
        assert!(after.iter().all(|(_, stamp)| *stamp < 4_000));
        assert!(before.len() > 50 && after.len() > 50);
    }
}
