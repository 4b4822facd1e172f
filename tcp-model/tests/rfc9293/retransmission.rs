//! Sections 3.8.1 to 3.8.3: time-outs, congestion control, connection failures.

use std::sync::Arc;

use sim_core::SimDuration;
use tcp_model::congestion::{AckEvent, AnyCc, CongestionControl, CongestionEvent, ConnectionStart};
use tcp_model::model::{ConnectionEnd, Outputs, Signal, TcpModel};
use tcp_model::options::TcpOption;
use tcp_model::params::{EcnMode, GiveUp};
use tcp_model::{Connection, Ecn, Flags, Segment, State, TcpParams};

use super::rig::*;

#[test]
fn must_18_the_time_out_is_that_of_rfc_6298() {
    // SRTT = 100 ms and RTTVAR = 50 ms give 300 ms, rounded up to one second.
    let mut rig = rig();
    assert_eq!((rig.view().srtt, rig.view().rto), (Some(ms(100)), secs(1)));
    // R = 3 s: RTTVAR = 3/4 50 + 1/4 2900 = 762.5, SRTT = 7/8 100 + 1/8 3000 = 462.5 ms.
    rig.write(10);
    rig.now += secs(3);
    rig.get_ack();
    let (srtt, rttvar) = (
        SimDuration::from_micros(462_500),
        SimDuration::from_micros(762_500),
    );
    assert_eq!(
        (rig.view().srtt, rig.view().rto),
        (Some(srtt), srtt + rttvar * 4)
    );
}

#[test]
fn must_18_a_retransmitted_segment_gives_no_sample() {
    let mut rig = rig();
    rig.write(10);
    rig.wait(ms(1_500));
    let rto = rig.view().rto;
    assert_eq!(rto, secs(2), "backed off");
    rig.get_ack();
    assert_eq!(
        (rig.view().srtt, rig.view().rto),
        (Some(ms(100)), rto),
        "Karn's rule"
    );
    rig.write(10);
    rig.now += ms(100);
    rig.get_ack();
    assert_eq!(
        rig.view().rto,
        secs(1),
        "until a segment is acknowledged at once"
    );
}

#[test]
fn must_19_slow_start_opens_the_window_by_a_segment_per_acknowledgement() {
    let mut rig = Rig::established(TcpParams {
        initial_window: 2,
        ..plain()
    });
    rig.window = 60_000;
    assert_eq!(rig.write(60_000).len(), 2);
    for sent in [4, 8] {
        let in_flight = rig.view().snd_nxt.offset_from(rig.view().snd_una);
        let (first, mut new) = (rig.view().snd_una, 0);
        for i in 1..=in_flight / 1_000 {
            let ack = Segment {
                ack: first + i * 1_000,
                ..rig.segment(0)
            };
            new += rig.get(ack).len();
        }
        assert_eq!(new, sent);
    }
}

#[test]
fn must_19_congestion_avoidance_opens_it_by_a_segment_per_round_trip() {
    let mut rig = rig();
    rig.window = 60_000;
    rig.write(200_000);
    rig.wait(ms(1_100)); // a time-out: ssthresh is half of what was in flight
    let threshold = rig.view().ssthresh.unwrap();
    assert_eq!(threshold, 5_000);
    let mut windows = Vec::new();
    for _ in 0..8 {
        rig.now += ms(100);
        rig.get_ack();
        windows.push(rig.view().cwnd);
    }
    let above: Vec<_> = windows.iter().filter(|w| **w >= threshold).collect();
    for pair in above.windows(2) {
        assert!(*pair[1] <= *pair[0] + 1_000, "{windows:?}");
    }
    assert!(above.last() > above.first(), "{windows:?}");
}

#[test]
fn must_19_time_outs_back_off_exponentially_to_a_bound() {
    let mut rig = Rig::established(TcpParams {
        data_give_up: GiveUp::Never,
        max_rto: secs(60),
        ..plain()
    });
    let begun = rig.now;
    rig.write(10);
    let sent = rig.wait(secs(300));
    let gaps = Rig::gaps(&sent, begun);
    assert_eq!(
        gaps[..8],
        [
            1_000, 3_000, 7_000, 15_000, 31_000, 63_000, 123_000, 183_000
        ]
    );
}

#[derive(Clone, Debug)]
struct OneSegment(u64);

impl CongestionControl for OneSegment {
    fn cwnd(&self) -> u64 {
        self.0
    }
    fn on_start(&mut self, start: &ConnectionStart) {
        self.0 = u64::from(start.mss);
    }
    fn on_ack(&mut self, _: &AckEvent) {}
    fn on_congestion(&mut self, _: &CongestionEvent) {}
}

#[test]
fn may_18_another_congestion_control_can_take_its_place() {
    let control = AnyCc::own(OneSegment(0));
    let mut rig = Rig::of(plain(), |cx| Connection::with_congestion(cx, control))
        .opened(&[TcpOption::Mss(1_000)]);
    assert_eq!(rig.write(10_000).len(), 1);
    for _ in 0..5 {
        assert_eq!(rig.get_ack().len(), 1, "a window of one segment, for ever");
    }
}

/// An end point whose ends have negotiated ECN.
fn ecn_rig() -> Rig {
    let mut rig = Rig::syn_sent(TcpParams {
        ecn: EcnMode::Active,
        nagle: false,
        delayed_ack: SimDuration::ZERO,
        ..plain()
    });
    let syn = rig.sent[0].1.segment;
    assert!(
        syn.flags.contains(Flags::ECE | Flags::CWR),
        "an ECN-setup SYN"
    );
    assert_eq!(syn.ecn, Ecn::NotEct, "which is not ECN-capable itself");
    rig.now += ms(100);
    let syn_ack = Segment {
        flags: Flags::SYN_ACK | Flags::ECE,
        options: options(&[TcpOption::Mss(1_000)]),
        ..rig.segment(0)
    };
    rig.get(syn_ack);
    assert_eq!(rig.state(), State::Established);
    rig
}

#[test]
fn shld_8_ecn_is_negotiated_echoed_until_answered_and_reacted_to() {
    let mut rig = ecn_rig();
    let sent = rig.write(1_000);
    assert_eq!(sent[0].ecn, Ecn::Ect0, "data are ECN-capable");
    rig.get_ack();
    // The receiver echoes a mark in every ACK until the sender reports that it has reduced its
    // window.
    let marked = Segment {
        ecn: Ecn::Ce,
        ..rig.segment(100)
    };
    assert!(rig.get(marked)[0].flags.is_ece());
    assert!(rig.get_data(100)[0].flags.is_ece());
    let reduced = rig.flagged(Flags::ACK | Flags::CWR, 100);
    assert!(!rig.get(reduced)[0].flags.is_ece());
    // The sender halves its window, once per round trip, and reports it with CWR on new data.
    rig.write(10_000);
    let before = rig.view().cwnd;
    let first = rig.view().snd_una + 1_000;
    let echo = |rig: &Rig, ack| Segment {
        ack,
        flags: Flags::ACK | Flags::ECE,
        ..rig.segment(0)
    };
    rig.get(echo(&rig, first));
    let halved = rig.view().cwnd;
    assert!(halved <= before / 2 + 1_000, "{before} to {halved}");
    rig.get(echo(&rig, first + 1_000));
    assert!(rig.view().cwnd >= halved, "once only");
    rig.get_ack();
    let next = rig.write(1_000);
    assert!(next[0].flags.is_cwr(), "{next:?}");
    assert_eq!(rig.view().counts.retransmissions, 0);
}

#[test]
fn must_20_at_r1_the_network_layer_is_advised_of_the_path() {
    let mut rig = rig();
    rig.write(10);
    rig.wait(secs(4)); // retransmissions after 1 and 3 seconds
    assert!(!rig.signalled(Signal::DeliveryTrouble));
    rig.wait(secs(4)); // the third after 7
    assert!(rig.signalled(Signal::DeliveryTrouble));
    assert_eq!(rig.state(), State::Established);
}

#[test]
fn must_20_at_r2_the_connection_is_closed() {
    let mut rig = rig();
    rig.write(10);
    rig.wait(secs(99));
    assert_eq!(rig.end(), None);
    rig.wait(secs(100));
    assert_eq!(
        (rig.state(), rig.end()),
        (State::Closed, Some(ConnectionEnd::TimedOut))
    );
}

#[test]
fn must_21_an_application_sets_r2_of_its_connection_and_may_make_it_infinite() {
    let with = |data_give_up| {
        let mut rig = rig();
        let params = Arc::new(TcpParams {
            data_give_up,
            ..plain()
        });
        let mut out = Outputs::default();
        assert!(rig.tcp.change_params(&params, rig.now, &mut out));
        rig.write(10);
        rig
    };
    let mut rig = with(GiveUp::After(secs(10)));
    rig.wait(secs(16));
    assert_eq!(rig.end(), Some(ConnectionEnd::TimedOut));
    let mut rig = with(GiveUp::Never);
    let sent = rig.wait(secs(3_600));
    assert_eq!(rig.end(), None);
    assert!(sent.len() > 60, "goes on trying: {}", sent.len());
    rig.get_ack();
    assert_eq!(rig.view().send_queue, 0);
}

#[test]
fn must_22_syns_are_retransmitted_by_the_same_rules() {
    let mut rig = Rig::syn_sent(plain());
    let begun = rig.now;
    let sent = rig.wait(secs(64));
    assert_eq!(
        Rig::gaps(&sent, begun),
        [1_000, 3_000, 7_000, 15_000, 31_000, 63_000]
    );
    assert!(
        sent.iter()
            .all(|(_, s)| s.flags == Flags::SYN && s.seq == ISS)
    );
    // At R1 the application is notified, at R2 the connection ends.
    assert!(rig.signalled(Signal::DeliveryTrouble));
    rig.wait(secs(400));
    assert_eq!(rig.end(), Some(ConnectionEnd::TimedOut));
}

#[test]
fn must_23_a_syn_is_retransmitted_for_at_least_three_minutes() {
    let mut rig = Rig::syn_sent(plain());
    rig.wait(secs(180));
    assert_eq!((rig.state(), rig.end()), (State::SynSent, None));
    let mut rig = Rig::syn_received(plain(), &[]);
    rig.wait(secs(180));
    assert_eq!((rig.state(), rig.end()), (State::SynReceived, None));
}

#[test]
fn shld_9_between_r1_and_r2_the_application_is_informed_of_the_trouble() {
    let mut rig = rig();
    rig.write(10);
    rig.wait(secs(60));
    assert!(rig.signalled(Signal::DeliveryTrouble) && rig.end().is_none());
    // Once for the same octets, and once again for others.
    let times = |rig: &Rig| {
        rig.news
            .iter()
            .filter(|s| **s == Signal::DeliveryTrouble)
            .count()
    };
    assert_eq!(times(&rig), 1);
    for _ in 0..2 {
        rig.get_ack(); // a segment sent once ends the back-off
        rig.write(10);
        rig.now += ms(100);
    }
    rig.wait(secs(60));
    assert_eq!(times(&rig), 2);
}

#[test]
fn shld_10_r1_is_at_least_three_retransmissions() {
    let mut rig = rig();
    rig.write(10);
    let mut retransmissions = 0;
    while !rig.signalled(Signal::DeliveryTrouble) {
        let at = rig.tcp.next_timeout().unwrap();
        retransmissions += rig.wait(at.since(rig.now)).len();
        assert!(retransmissions < 20);
    }
    assert!(retransmissions >= 3, "{retransmissions}");
    assert!(TcpParams::rfc9293().retries1 >= 3 && TcpParams::linux().retries1 >= 3);
}

#[test]
fn shld_11_r2_is_at_least_a_hundred_seconds() {
    for params in [TcpParams::rfc9293(), TcpParams::linux()] {
        let mut rig = Rig::established(params);
        let begun = rig.now;
        rig.write(10);
        let mut last = begun;
        while let Some(at) = rig.tcp.next_timeout() {
            rig.wait(at.since(rig.now));
            last = at;
        }
        assert_eq!(rig.end(), Some(ConnectionEnd::TimedOut));
        assert!(last.since(begun) >= secs(100), "{:?}", last.since(begun));
    }
}
