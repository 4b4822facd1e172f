//! Section 3.5: establishing a connection; section 3.9.1.1: OPEN.

use std::net::{Ipv4Addr, SocketAddrV4};

use tcp_model::app::AppEvent;
use tcp_model::host::ConnectError;
use tcp_model::model::{ConnectionEnd, Input};
use tcp_model::{Flags, Segment, SeqNum, State};

use super::lan::{A, B, Lan, SERVER, at};
use super::rig::*;

#[test]
fn must_10_two_syns_that_cross_make_one_connection() {
    let mut rig = Rig::syn_sent(plain());
    let syn = Segment {
        flags: Flags::SYN,
        ack: SeqNum(0),
        ..rig.segment(0)
    };
    let answer = rig.get(syn);
    assert_eq!(rig.state(), State::SynReceived);
    assert_eq!(shapes(&answer), [(Flags::SYN_ACK, 0)]);
    assert_eq!((answer[0].seq, answer[0].ack), (ISS, IRS + 1));
    // The peer's SYN-ACK repeats its SYN.
    let syn_ack = Segment {
        seq: IRS,
        flags: Flags::SYN_ACK,
        ..rig.segment(0)
    };
    rig.get(syn_ack);
    assert_eq!(rig.state(), State::Established);
    rig.get_data(10);
    assert_eq!(rig.view().readable, 10);
}

#[test]
fn must_11_a_reset_in_syn_received_returns_to_listen_or_refuses_by_how_it_was_opened() {
    // Opened actively, SYN-RECEIVED by a simultaneous open: "connection refused".
    let mut rig = Rig::syn_sent(plain());
    let syn = Segment {
        flags: Flags::SYN,
        ack: SeqNum(0),
        ..rig.segment(0)
    };
    rig.get(syn);
    rig.get(rig.flagged(Flags::RST, 0));
    assert_eq!(rig.end(), Some(ConnectionEnd::Refused));
    // Opened passively: the user is not informed, and the port continues to listen.
    let mut lan = Lan::new();
    lan.step(0, 0, |socket, known| {
        let id = socket.connect(None, SERVER).unwrap();
        known.sockets.push(id);
    });
    lan.step(0, 15, |socket, known| socket.abort(known.sockets[0])); // SYN-ACK under way
    lan.connect_at(1_000);
    let done = lan.run(at(2_000));
    let passive: Vec<_> = done.known[1].events.iter().map(|(_, e)| *e).collect();
    let accepted = |e: &&AppEvent| matches!(e, AppEvent::Acceptable(80));
    assert_eq!(passive.iter().filter(accepted).count(), 1, "{passive:?}");
    assert!(!passive.iter().any(|e| matches!(
        e,
        AppEvent::Ended(_, ConnectionEnd::Reset | ConnectionEnd::Refused)
    )));
}

#[test]
fn shld_2_a_reset_may_carry_data() {
    let mut rig = Rig::established(plain());
    let reset = rig.flagged(RST_ACK, 44);
    assert!(rig.get(reset).is_empty());
    assert_eq!(
        (rig.state(), rig.end()),
        (State::Closed, Some(ConnectionEnd::Reset))
    );
    assert_eq!(rig.view().readable, 0, "the text of a reset is no data");
}

#[test]
fn must_41_a_passive_open_disturbs_no_connection() {
    let mut lan = Lan::new();
    lan.finishes = false;
    lan.listens[0] = vec![];
    lan.connect_from(7_000, 80);
    lan.step(0, 500, |socket, known| {
        let before = socket.view(known.sockets[0]);
        socket.listen(7_000, 5).unwrap();
        assert_eq!(socket.view(known.sockets[0]), before);
        assert!(socket.listen(7_000, 5).is_err(), "a second one is an error");
        socket.write(known.sockets[0], 3_000);
    });
    // The new listener works while the connection from the same port exists.
    lan.step(1, 1_000, |socket, _| {
        socket.connect(None, SocketAddrV4::new(A, 7_000)).unwrap();
    });
    let done = lan.run(at(3_000));
    assert_eq!(done.received(0), 3_000);
    let accepted = done.known[0]
        .events
        .iter()
        .any(|(_, e)| *e == AppEvent::Acceptable(7_000));
    assert!(accepted, "{:?}", done.known[0].events);
}

#[test]
fn must_42_a_port_can_be_listened_on_while_a_connection_from_it_is_still_opening() {
    let mut lan = Lan::new();
    lan.listens[1] = vec![80];
    lan.finishes = false;
    lan.connect_from(7_000, 80);
    lan.step(0, 5, |socket, known| {
        let view = socket.view(known.sockets[0]).unwrap();
        assert_eq!(view.state, State::SynSent);
        socket.listen(7_000, 5).unwrap();
    });
    lan.step(1, 15, |socket, _| {
        socket.connect(None, SocketAddrV4::new(A, 7_000)).unwrap();
    });
    let done = lan.run(at(3_000));
    let connected = |host: usize| {
        let is = |e: &&(_, AppEvent)| matches!(e.1, AppEvent::Connected(_));
        done.known[host].events.iter().filter(is).count()
    };
    assert_eq!((connected(0), connected(1)), (1, 1));
}

#[test]
fn must_43_an_open_may_name_the_local_address() {
    let mut lan = Lan::new();
    lan.step(0, 0, |socket, known| {
        known.sockets.push(socket.connect(Some(A), SERVER).unwrap());
        let foreign = Ipv4Addr::new(192, 0, 2, 9);
        let refused = socket.connect(Some(foreign), SERVER);
        assert_eq!(refused, Err(ConnectError::NotLocal(foreign)));
    });
    let done = lan.run(at(1_000));
    let syn = done.sent().find(|t| t.segment.flags == Flags::SYN).unwrap();
    assert_eq!((syn.src, syn.dst), (A, B));
}

#[test]
fn must_44_without_one_the_host_chooses_before_the_first_syn() {
    let mut lan = Lan::new();
    lan.step(0, 0, |socket, known| {
        let id = socket.connect(None, SERVER).unwrap();
        let (local, _) = socket.ends(id).unwrap();
        known.notes.push(local.ip().to_string());
    });
    let done = lan.run(at(1_000));
    let syn = done.sent().find(|t| t.segment.flags == Flags::SYN).unwrap();
    assert_eq!(done.known[0].notes, [syn.src.to_string()]);
    assert_eq!(syn.src, A);
}

#[test]
fn must_45_all_segments_of_a_connection_have_the_same_local_address() {
    let mut lan = Lan::new();
    lan.exchange(30_000);
    let done = lan.run(at(900_000));
    assert!(done.sent().count() > 20);
    for trace in done.sent() {
        assert!([(A, B), (B, A)].contains(&(trace.src, trace.dst)));
    }
}

/// Every way of opening to this address is rejected, and nothing is sent.
fn is_refused(address: Ipv4Addr) {
    let mut lan = Lan::new();
    lan.step(0, 0, move |socket, known| {
        let remote = SocketAddrV4::new(address, 80);
        let refused = Err(ConnectError::NotUnicast(address));
        assert_eq!(socket.connect(None, remote), refused);
        assert_eq!(socket.connect(Some(A), remote), refused);
        let local = SocketAddrV4::new(A, 5_000);
        assert_eq!(socket.connect_from(local, remote), refused);
        known.notes.push("refused".into());
    });
    let done = lan.run(at(1_000));
    assert_eq!(done.known[0].notes, ["refused"]);
    assert_eq!(done.hosts[0].stats().segments_sent, 0);
}

#[test]
fn must_46_an_open_to_a_broadcast_or_multicast_address_is_an_error() {
    is_refused(Ipv4Addr::BROADCAST);
    is_refused(Ipv4Addr::new(224, 0, 0, 1));
    is_refused(Ipv4Addr::new(239, 255, 1, 2));
}

#[test]
fn must_46_an_open_to_an_invalid_address_is_an_error() {
    is_refused(Ipv4Addr::UNSPECIFIED);
}

#[test]
fn an_open_of_an_open_connection_does_nothing() {
    let mut rig = Rig::established(plain());
    let before = rig.view();
    assert!(rig.call(Input::Connect).is_empty() && rig.call(Input::Listen).is_empty());
    assert_eq!(rig.view(), before);
}
