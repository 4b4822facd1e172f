//! Section 3.8.4: keep-alives.

use std::sync::Arc;

use tcp_model::model::{ConnectionEnd, Input, Outputs, TcpModel};
use tcp_model::packetdrill::{RunOptions, parse, run};
use tcp_model::{Connection, Flags, Segment, State, TcpParams};

use super::rig::*;

fn kept() -> TcpParams {
    TcpParams {
        keepalive: Some(secs(7_200)),
        ..plain()
    }
}

fn switch(rig: &mut Rig, params: TcpParams) {
    let mut out = Outputs::default();
    assert!(rig.tcp.change_params(&Arc::new(params), rig.now, &mut out));
    assert!(out.segments.is_empty());
}

#[test]
fn may_5_keep_alive_probes_an_idle_peer() {
    let mut rig = Rig::established(kept());
    let begun = rig.now;
    let sent = rig.wait(secs(7_200));
    assert_eq!(Rig::gaps(&sent, begun), [7_200_000]);
    let probe = sent[0].1;
    assert_eq!(
        (probe.flags, probe.seq),
        (Flags::ACK, rig.view().snd_nxt - 1)
    );
}

#[test]
fn must_24_an_application_switches_it_on_and_off_for_its_connection() {
    let mut rig = Rig::established(plain());
    switch(&mut rig, kept());
    assert_eq!(rig.wait(secs(7_201)).len(), 1);
    rig.get_ack();
    switch(&mut rig, plain());
    assert!(rig.wait(secs(100_000)).is_empty());
    assert_eq!(rig.state(), State::Established);
}

#[test]
fn must_25_it_is_off_unless_asked_for() {
    for params in [TcpParams::rfc9293(), TcpParams::linux()] {
        assert_eq!(params.keepalive, None);
        let mut rig = Rig::established(params);
        rig.wait(secs(1));
        assert!(rig.wait(secs(1_000_000)).is_empty());
        assert_eq!(rig.state(), State::Established);
    }
}

#[test]
fn must_26_no_probe_while_data_are_under_way_or_after_a_sign_of_life() {
    let mut rig = Rig::established(kept());
    rig.wait(secs(7_000));
    rig.get_data(1); // a sign of life
    let sent = rig.wait(secs(7_100));
    assert!(
        sent.iter().all(|(_, s)| s.seq == rig.view().snd_nxt),
        "the data's ACK only"
    );
    assert_eq!(rig.wait(secs(101)).len(), 1);
    // With data outstanding, retransmission detects the failure.
    let mut rig = Rig::established(TcpParams {
        data_give_up: tcp_model::params::GiveUp::Never,
        ..kept()
    });
    rig.write(10);
    let sent = rig.wait(secs(20_000));
    assert!(sent.iter().all(|(_, s)| s.len == 10));
}

#[test]
fn must_27_the_interval_is_configurable() {
    let mut rig = Rig::established(kept());
    switch(
        &mut rig,
        TcpParams {
            keepalive: Some(secs(100)),
            ..kept()
        },
    );
    assert!(rig.wait(secs(99)).is_empty());
    assert_eq!(rig.wait(secs(1)).len(), 1);
}

#[test]
fn must_28_switched_on_it_waits_two_hours_unless_configured_otherwise() {
    assert!(TcpParams::DEFAULT_KEEPALIVE >= secs(7_200));
    // An application that sets nothing except SO_KEEPALIVE.
    let passes = |wait: &str| {
        let script = format!(
            "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n\
             +0 listen(3, 1) = 0\n+0 < S 0:0(0) win 65535 <mss 1000>\n\
             +0 > S. 0:0(0) ack 1 <mss 1460>\n+.1 < . 1:1(0) ack 1 win 65535\n\
             +0 accept(3, ..., ...) = 4\n+0 setsockopt(4, SOL_SOCKET, SO_KEEPALIVE, [1], 4) = 0\n\
             {wait} > . 0:0(0) ack 1\n"
        );
        let exact = RunOptions {
            exact: true,
            ..RunOptions::default()
        };
        let mut make = |ctx| -> Box<dyn TcpModel> { Box::new(Connection::new(ctx)) };
        run(&parse(&script).unwrap(), &mut make, &exact).passed()
    };
    assert!(passes("+7200"));
    assert!(!passes("+7199"));
}

#[test]
fn must_29_an_unanswered_probe_does_not_mean_a_dead_connection() {
    let mut rig = Rig::established(kept());
    rig.wait(secs(7_200) + ms(1));
    rig.wait(secs(74));
    assert_eq!(rig.state(), State::Established);
    rig.get_ack(); // late, but alive
    rig.wait(secs(7_000));
    assert_eq!((rig.state(), rig.end()), (State::Established, None));
    // Nine unanswered probes in a row are enough.
    let sent = rig.wait(secs(7_200 + 9 * 75));
    assert_eq!(sent.len(), 10, "nine probes and a reset");
    assert_eq!(rig.end(), Some(ConnectionEnd::TimedOut));
}

#[test]
fn shld_12_a_probe_carries_no_data() {
    let mut rig = Rig::established(kept());
    rig.write(100);
    rig.get_ack();
    let probes: Vec<Segment> = rig.wait(secs(7_300)).into_iter().map(|(_, s)| s).collect();
    assert_eq!(shapes(&probes), [(Flags::ACK, 0), (Flags::ACK, 0)]);
}

#[test]
fn a_peer_that_has_vanished_is_found_out_in_half_closed_states_too() {
    let mut half = Rig::established(kept());
    half.call(Input::Shutdown);
    half.get_ack();
    assert_eq!(half.state(), State::FinWait2);
    let mut other = Rig::established(kept());
    other.get(other.flagged(FIN_ACK, 0));
    assert_eq!(other.state(), State::CloseWait);
    for mut rig in [half, other] {
        rig.wait(secs(7_200 + 10 * 75));
        assert_eq!(rig.end(), Some(ConnectionEnd::TimedOut));
    }
}
