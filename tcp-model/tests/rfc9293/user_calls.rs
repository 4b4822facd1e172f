//! Sections 3.9.1.2 to 3.9.1.9: SEND and RECEIVE, error reports, the Diffserv field.

use std::sync::Arc;

use tcp_model::app::AppEvent;
use tcp_model::icmp::{IcmpError, IcmpKind};
use tcp_model::model::{Input, SendCall, Signal};
use tcp_model::{Flags, TcpParams};

use super::lan::{A, Lan, at};
use super::rig::*;

fn unpushed(bytes: u64) -> SendCall {
    SendCall {
        bytes,
        ..SendCall::default()
    }
}

#[test]
fn must_60_octets_sent_without_a_push_are_not_held_for_ever() {
    let mut rig = Rig::established(plain());
    let sent = rig.call(Input::Send(unpushed(10)));
    assert_eq!(sent[0].len, 10);
    // With data in flight, small segments wait for an acknowledgment, but not longer.
    assert!(rig.call(Input::Send(unpushed(10))).is_empty());
    assert_eq!(rig.get_ack()[0].len, 10);
    // Nor are they held for ever when the window is too small to be worth filling.
    let mut rig = Rig::established(plain());
    rig.write(1_000);
    rig.window = 200;
    rig.get_ack();
    rig.call(Input::Send(unpushed(5_000)));
    assert!(!rig.wait(secs(5)).is_empty());
}

#[test]
fn must_61_the_last_segment_of_what_is_buffered_is_pushed() {
    let mut rig = Rig::established(plain());
    let sent = rig.call(Input::Send(unpushed(2_500)));
    let mut pushed: Vec<_> = sent.iter().map(|s| s.flags.is_psh()).collect();
    rig.get_ack();
    pushed.push(rig.sent.last().unwrap().1.segment.flags.is_psh());
    assert_eq!(rig.sent.last().unwrap().1.segment.len, 500);
    assert_eq!(pushed, [false, false, true]);
}

#[test]
fn may_15_a_send_may_be_pushed() {
    // Later octets are buffered when the segment is sent; the push stays where it was requested.
    let mut rig = Rig::syn_sent(plain());
    rig.write(1_000);
    rig.call(Input::Send(unpushed(1_700)));
    rig.accept_syn(&[tcp_model::options::TcpOption::Mss(1_000)]);
    let data: Vec<_> = rig.sent.iter().filter(|(_, t)| t.segment.len > 0).collect();
    assert!(
        data[0].1.segment.flags.is_psh() && !data[1].1.segment.flags.is_psh(),
        "{data:?}"
    );
}

#[test]
fn shld_27_successive_pushes_are_collapsed() {
    let mut rig = Rig::syn_sent(plain());
    for _ in 0..30 {
        rig.write(100);
    }
    rig.accept_syn(&[tcp_model::options::TcpOption::Mss(1_000)]);
    let data: Vec<_> = rig
        .sent
        .iter()
        .filter(|(_, t)| t.segment.len > 0)
        .map(|(_, t)| t.segment.len)
        .collect();
    assert_eq!(data, [1_000, 1_000, 1_000]);
}

#[test]
fn shld_28_segments_are_as_large_as_they_can_be() {
    let mut rig = Rig::established(plain());
    rig.window = 60_000;
    rig.get_ack();
    let sent = rig.write(5_300);
    assert_eq!(sent.iter().map(|s| s.len).collect::<Vec<_>>(), [1_000; 5]);
    // Data sent in small segments are retransmitted in large segments.
    let mut rig = Rig::established(TcpParams {
        nagle: false,
        ..plain()
    });
    for _ in 0..10 {
        rig.write(100);
    }
    let again = rig.wait(ms(1_100));
    assert_eq!(again[0].1.len, 1_000);
}

#[test]
fn may_16_octets_without_a_push_may_be_gathered() {
    let mut rig = Rig::established(plain());
    rig.write(1);
    for _ in 0..9 {
        assert!(rig.call(Input::Send(unpushed(100))).is_empty());
    }
    assert_eq!(rig.get_ack()[0].len, 900);
}

#[test]
fn may_17_a_push_received_is_passed_on() {
    let mut rig = Rig::established(TcpParams {
        hold_until_push: true,
        ..plain()
    });
    let readable = |rig: &Rig| rig.news.iter().any(|s| matches!(s, Signal::Readable(_)));
    rig.get_data(500);
    assert!(!readable(&rig), "more is to come");
    rig.get(rig.flagged(Flags::ACK | Flags::PSH, 500));
    assert!(rig.signalled(Signal::Readable(1_000)));
}

#[test]
fn must_47_soft_errors_are_reported_to_the_application() {
    let mut rig = Rig::established(plain());
    let sent = rig.write(100);
    let error = IcmpError {
        kind: IcmpKind::HostUnreachable,
        seq: sent[0].seq,
    };
    rig.call(Input::Icmp(&error));
    assert!(rig.signalled(Signal::SoftError(IcmpKind::HostUnreachable)));
}

#[test]
fn shld_20_an_application_may_disable_reports_of_errors() {
    // Nothing gets through: between R1 and R2 the trouble is reported.
    for on in [true, false] {
        let mut lan = Lan::new();
        lan.lose(1.0);
        lan.step(0, 0, move |socket, known| {
            let id = socket.connect(None, super::lan::SERVER).unwrap();
            socket.report_errors(id, on);
            known.sockets.push(id);
        });
        let done = lan.run(at(100_000));
        let is_report = |e: &&(_, AppEvent)| {
            matches!(e.1, AppEvent::DeliveryTrouble(_) | AppEvent::SoftError(..))
        };
        let reports = done.known[0].events.iter().filter(is_report).count();
        assert_eq!(reports, usize::from(on));
    }
}

/// DS fields of the packets that A sent, in order.
fn ds_fields(lan: Lan) -> Vec<u8> {
    let done = lan.run(at(2_000));
    done.sent()
        .filter(|t| t.src == A)
        .map(|t| t.tos >> 2)
        .collect()
}

/// A connects; its application changes the DS field after 100 ms and then writes.
fn changing(to: u8) -> Lan {
    let mut lan = Lan::new();
    lan.finishes = false;
    lan.connect_at(0);
    lan.step(0, 100, move |socket, known| {
        let id = known.sockets[0];
        let params = TcpParams {
            tos: to << 2,
            ..(*socket.params(id).unwrap()).clone()
        };
        assert!(socket.set_params(id, &Arc::new(params)));
        socket.write(id, 10);
    });
    lan
}

#[test]
fn must_48_an_application_sets_the_diffserv_field_of_what_it_sends() {
    let mut lan = Lan::new();
    lan.finishes = false;
    lan.step(0, 0, |socket, known| {
        let options = tcp_model::host::ConnectOptions {
            params: Some(Arc::new(TcpParams {
                tos: 0xb8, // expedited forwarding
                ..TcpParams::rfc9293()
            })),
            ..Default::default()
        };
        let id = socket.connect_with(super::lan::SERVER, options).unwrap();
        known.sockets.push(id);
    });
    lan.step(0, 100, |socket, known| {
        socket.write(known.sockets[0], 10);
    });
    let fields = ds_fields(lan);
    assert!(fields.len() >= 3);
    assert!(fields.iter().all(|f| *f == 46), "{fields:?}");
}

#[test]
fn shld_21_it_may_change_while_the_connection_is_open() {
    let fields = ds_fields(changing(46));
    assert_eq!(fields, [0, 0, 46]);
}

#[test]
fn shld_22_every_value_reaches_the_network_layer_unchanged() {
    for value in 0..64 {
        assert_eq!(ds_fields(changing(value)).last(), Some(&value));
    }
}

#[test]
fn shld_23_no_built_in_application_changes_it() {
    let fields = ds_fields({
        let mut lan = Lan::new();
        lan.params[0].tos = 40 << 2;
        lan.exchange(20_000);
        lan
    });
    assert!(
        fields.len() > 10 && fields.iter().all(|f| *f == 40),
        "{fields:?}"
    );
}
