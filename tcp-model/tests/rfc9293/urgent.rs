//! Section 3.8.5: urgent data.

use tcp_model::app::spec::{
    AppSpec, Arrivals, BulkSpec, ClientSpec, Exchange, ServerSpec, SinkSpec,
};
use tcp_model::model::{Input, SendCall, Signal};
use tcp_model::{Flags, Segment};

use super::rig::*;

fn urgently(bytes: u64) -> SendCall {
    SendCall {
        bytes,
        push: true,
        urgent: true,
        ..SendCall::default()
    }
}

fn rig() -> Rig {
    Rig::established(tcp_model::TcpParams {
        nagle: false,
        ..plain()
    })
}

/// Octets with an urgent pointer `pointer` octets after the first.
fn urgent(rig: &Rig, len: u32, pointer: u16) -> Segment {
    Segment {
        urgent: pointer,
        ..rig.flagged(Flags::ACK | Flags::URG, len)
    }
}

#[test]
fn must_30_urgent_data_are_sent_and_received() {
    let mut rig = rig();
    let sent = rig.call(Input::Send(urgently(5)));
    assert!(sent[0].flags.is_urg());
    rig.get(urgent(&rig, 5, 5));
    assert!(rig.news.iter().any(|s| matches!(s, Signal::Urgent(_))));
    assert_eq!(rig.view().readable, 5, "urgent data stay in the stream");
}

#[test]
fn must_31_urgent_data_may_be_of_any_length() {
    let mut rig = rig();
    rig.window = 60_000;
    let sent = rig.call(Input::Send(urgently(4_500)));
    let ends: Vec<_> = sent
        .iter()
        .map(|s| (s.flags.is_urg(), s.seq + u32::from(s.urgent)))
        .collect();
    let end = sent[0].seq + 4_500;
    assert_eq!(
        ends,
        [(true, end); 5],
        "every segment points at the same end"
    );
    // Longer than the pointer can express: it points as far as possible, and further later.
    let mut rig = Rig::established(tcp_model::TcpParams {
        initial_window: 100,
        ..plain()
    });
    rig.window = 60_000;
    rig.write(1);
    rig.get_ack();
    let sent = rig.call(Input::Send(urgently(100_000)));
    assert_eq!((sent[0].flags.is_urg(), sent[0].urgent), (true, u16::MAX));
    // The urgent pointer names data far beyond what has arrived.
    let mut rig = self::rig();
    rig.get(urgent(&rig, 10, 50_000));
    assert!(rig.signalled(Signal::Urgent(50_000)));
}

#[test]
fn must_32_the_application_is_informed_when_urgent_data_appear_or_advance() {
    let mut rig = rig();
    let signals = |rig: &Rig| {
        rig.news
            .iter()
            .filter(|s| matches!(s, Signal::Urgent(_)))
            .count()
    };
    rig.get(urgent(&rig, 10, 10));
    assert_eq!(signals(&rig), 1);
    rig.get(urgent(&rig, 10, 0));
    assert_eq!(signals(&rig), 1, "the same end again");
    rig.get(urgent(&rig, 10, 40));
    assert_eq!(signals(&rig), 2, "it advanced");
    rig.get_data(10);
    assert_eq!(signals(&rig), 2);
}

#[test]
fn must_33_the_application_learns_how_much_urgent_data_remain() {
    let mut rig = rig();
    assert_eq!(rig.view().urgent, None);
    rig.get(urgent(&rig, 10, 25));
    assert_eq!(rig.view().urgent, Some(25));
    rig.read(10);
    assert_eq!(rig.view().urgent, Some(15));
    rig.get_data(15);
    rig.read(14);
    assert_eq!(rig.view().urgent, Some(1));
    rig.read(1);
    assert_eq!(rig.view().urgent, None);
}

#[test]
fn must_62_the_pointer_points_behind_the_last_urgent_octet() {
    let mut rig = rig();
    let sent = rig.call(Input::Send(urgently(7)));
    assert_eq!((sent[0].len, sent[0].urgent), (7, 7));
    rig.get_ack();
    let sent = rig.call(Input::Send(urgently(1)));
    assert_eq!(sent[0].urgent, 1);
    // And is read accordingly.
    let mut rig = self::rig();
    rig.get(urgent(&rig, 3, 3));
    assert!(rig.signalled(Signal::Urgent(3)));
}

#[test]
fn shld_13_no_built_in_application_uses_it() {
    // Bulk, request and response, over whole connections: no segment has URG.
    let exchange = std::sync::Arc::new(Exchange::default());
    let client = AppSpec::Client(ClientSpec {
        name: "client".into(),
        locals: Vec::new(),
        remotes: vec![super::lan::SERVER].into(),
        start: sim_core::SimTime::ZERO,
        stop: sim_core::SimTime::MAX,
        limit: None,
        arrivals: Arrivals::Burst(3),
        exchange: exchange.clone(),
        ..ClientSpec::default()
    });
    let bulk = AppSpec::Bulk(BulkSpec {
        name: "bulk".into(),
        local: super::lan::A,
        remote: std::net::SocketAddrV4::new(super::lan::B, 90),
        start: sim_core::SimTime::ZERO,
        bytes: Some(100_000),
    });
    let server = AppSpec::Server(ServerSpec {
        port: 80,
        backlog: 10,
        accept_rate: None,
        exchange,
        ..ServerSpec::default()
    });
    let sink = AppSpec::Sink(SinkSpec {
        port: 90,
        backlog: 10,
        read_rate: None,
        ..SinkSpec::default()
    });
    let done = super::lan::run_apps([vec![client, bulk], vec![server, sink]]);
    assert!(done.sent().count() > 100);
    assert!(done.sent().all(|t| !t.segment.flags.is_urg()));
}
