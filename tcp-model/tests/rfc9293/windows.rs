//! Section 3.8.6: managing the window, silly windows, delayed acknowledgments.

use sim_core::SimDuration;
use tcp_model::model::{ConnectionEnd, Input, TcpModel};
use tcp_model::options::TcpOption;
use tcp_model::params::GiveUp;
use tcp_model::{Flags, Segment, State, TcpParams, Transmit};

use super::rig::*;

/// An acknowledgment of everything below SND.NXT less `but`, with this window.
fn ack(rig: &Rig, but: u32, window: u16) -> Segment {
    let nxt = rig.view().snd_nxt;
    Segment {
        ack: nxt - but,
        window,
        ..rig.segment(0)
    }
}

#[test]
fn must_34_a_window_that_shrinks_below_what_was_sent_is_tolerated() {
    let mut rig = rig();
    rig.write(8_000);
    let answer = rig.get(ack(&rig, 7_000, 2_000)); // 5000 octets are beyond the new edge
    assert!(answer.is_empty());
    assert_eq!(rig.state(), State::Established);
    rig.write(1_000);
    let view = rig.view();
    assert_eq!(
        (view.snd_nxt.offset_from(view.snd_una), view.snd_wnd),
        (7_000, 2_000)
    );
    rig.get(ack(&rig, 0, 9_000));
    rig.get_ack();
    assert_eq!(rig.view().send_queue, 0);
}

#[test]
fn shld_14_the_right_edge_of_the_window_offered_never_moves_left() {
    let mut rig = Rig::established(TcpParams {
        receive_buffer: 10_000,
        ..plain()
    });
    let mut edge = rig.view().rcv_nxt + rig.view().rcv_wnd;
    for (data, read) in [
        (3_000, 0),
        (3_000, 1_000),
        (1, 0),
        (3_999, 0),
        (0, 400),
        (0, 9_000),
    ] {
        rig.get_data(data);
        rig.read(read);
        rig.wait(secs(1));
        let now = rig.view().rcv_nxt + rig.view().rcv_wnd;
        assert!(edge.at_or_before(now), "{edge} {now}");
        edge = now;
    }
    for (_, Transmit { segment, .. }) in &rig.sent[1..] {
        assert!((segment.ack + u32::from(segment.window)).at_or_before(edge));
    }
    // Nor if the application chooses a smaller buffer.
    let small = std::sync::Arc::new(TcpParams {
        receive_buffer: 2_000,
        ..plain()
    });
    rig.tcp
        .change_params(&small, rig.now, &mut Default::default());
    rig.get_data(2_000);
    assert!(edge.at_or_before(rig.view().rcv_nxt + rig.view().rcv_wnd));
}

#[test]
fn shld_15_after_a_shrink_no_new_data_are_sent() {
    let mut rig = rig();
    rig.write(5_000);
    rig.get(ack(&rig, 4_000, 2_000));
    assert!(rig.write(3_000).is_empty());
    let nxt = rig.view().snd_nxt;
    let sent = rig.wait(secs(10));
    assert!(!sent.is_empty());
    assert!(
        sent.iter().all(|(_, s)| s.seq_end().at_or_before(nxt)),
        "only again"
    );
}

#[test]
fn shld_16_what_lies_inside_the_shrunken_window_is_retransmitted() {
    let mut rig = rig();
    rig.write(5_000);
    rig.get(ack(&rig, 5_000, 2_000));
    let una = rig.view().snd_una;
    let sent = rig.wait(ms(1_100));
    assert_eq!((sent[0].1.seq, sent[0].1.len), (una, 1_000));
}

#[test]
fn shld_17_octets_beyond_a_shrunken_window_time_no_connection_out() {
    // The peer acknowledges everything inside the window, and does not move the window; octets
    // beyond it stay unacknowledged for much longer than R2.
    let mut rig = rig();
    rig.write(3_000);
    rig.get(ack(&rig, 2_000, 0));
    for _ in 0..40 {
        let probes = rig.wait(secs(60));
        if !probes.is_empty() {
            rig.get(ack(
                &rig,
                rig.view().snd_nxt.offset_from(rig.view().snd_una),
                0,
            ));
        }
    }
    assert_eq!((rig.end(), rig.state()), (None, State::Established));
    rig.get(ack(&rig, 2_000, 5_000));
    rig.wait(secs(61));
    rig.get_ack();
    assert_eq!(rig.view().send_queue, 0);
}

#[test]
fn may_7_octets_beyond_a_shrunken_window_may_be_sent_again() {
    // All unacknowledged data are retransmitted after a time-out, inside the window or not.
    let mut rig = rig();
    rig.write(3_000);
    rig.get(ack(&rig, 3_000, 500));
    let edge = rig.view().snd_una + 500;
    let sent = rig.wait(secs(2));
    assert!(sent.iter().any(|(_, s)| s.seq_end().after(edge)));
}

/// 500 octets wait behind a closed window.
fn closed(params: TcpParams) -> Rig {
    let mut rig = Rig::established(TcpParams {
        nagle: false,
        ..params
    });
    rig.write(1_000);
    rig.get(ack(&rig, 0, 0));
    assert!(rig.write(500).is_empty());
    rig
}

#[test]
fn must_35_a_window_shrunk_to_nothing_is_probed() {
    let mut rig = rig();
    rig.write(1_000);
    let nxt = rig.view().snd_nxt;
    rig.get(ack(&rig, 0, 0));
    rig.write(1);
    let sent = rig.wait(secs(3));
    assert!(!sent.is_empty());
    assert!(
        sent.iter().all(|(_, s)| s.seq == nxt && s.len == 1),
        "{sent:?}"
    );
}

#[test]
fn must_36_a_closed_window_is_probed_until_it_opens() {
    let mut rig = closed(plain());
    assert!(rig.wait(secs(60)).len() >= 3);
    rig.get(ack(&rig, 1, 5_000)); // the probe was not taken
    let sent: u32 = rig
        .sent
        .iter()
        .rev()
        .take(2)
        .map(|(_, t)| t.segment.len)
        .sum();
    assert!(sent >= 499, "{sent}");
    rig.get_ack();
    assert_eq!(rig.view().send_queue, 0);
    // The loss of a window update is repaired by the reply to the next probe.
    let mut rig = closed(TcpParams {
        probe_with_octet: false,
        ..plain()
    });
    assert!(!rig.wait(secs(2)).is_empty());
    assert_eq!(rig.get(ack(&rig, 0, 5_000))[0].len, 500);
}

#[test]
fn must_37_answered_probes_keep_the_connection_for_ever() {
    let mut rig = closed(plain());
    for _ in 0..500 {
        let probed = !rig.wait(secs(60)).is_empty();
        if probed {
            rig.get(ack(&rig, 1, 0));
        }
    }
    assert_eq!((rig.end(), rig.state()), (None, State::Established)); // more than eight hours
    // Without replies the connection ends.
    rig.wait(secs(1_000));
    assert_eq!(rig.end(), Some(ConnectionEnd::TimedOut));
}

#[test]
fn may_8_a_receiver_may_keep_its_window_closed() {
    let mut rig = Rig::established(TcpParams {
        receive_buffer: 4_000,
        ..plain()
    });
    for _ in 0..4 {
        rig.get_data(1_000);
    }
    for _ in 0..200 {
        rig.wait(secs(60));
        let answer = rig.get_data(1); // a probe
        rig.seq = rig.view().rcv_nxt;
        assert_eq!((answer[0].ack, answer[0].window), (rig.seq, 0));
    }
    assert_eq!(rig.state(), State::Established);
    rig.read(4_000);
    assert_eq!(rig.sent.last().unwrap().1.segment.window, 4_000);
}

#[test]
fn shld_29_the_first_probe_comes_one_time_out_after_the_window_closed() {
    let mut rig = closed(plain());
    let begun = rig.now;
    let rto = rig.view().rto.as_millis();
    let sent = rig.wait(secs(1));
    assert_eq!(Rig::gaps(&sent, begun), [rto]);
}

#[test]
fn shld_30_probes_come_at_growing_intervals() {
    let mut rig = closed(TcpParams {
        data_give_up: GiveUp::Never,
        ..plain()
    });
    let begun = rig.now;
    let sent = rig.wait(secs(130));
    assert_eq!(
        Rig::gaps(&sent, begun)[..7],
        [1_000, 3_000, 7_000, 15_000, 31_000, 63_000, 123_000]
    );
}

#[test]
fn must_38_the_sender_waits_for_a_window_worth_it() {
    let mut rig = rig();
    rig.write(1_000);
    rig.get(ack(&rig, 0, 0));
    rig.write(5_000);
    assert!(rig.get(ack(&rig, 0, 300)).is_empty(), "a silly window");
    // A full segment, half the largest window ever offered, or all the data are worth sending.
    assert_eq!(rig.get(ack(&rig, 0, 1_000))[0].len, 1_000);
    let mut small = Rig::syn_sent(plain());
    small.window = 400;
    small.accept_syn(&[TcpOption::Mss(1_000)]);
    assert_eq!(small.write(5_000)[0].len, 400);
    assert!(small.get(ack(&small, 0, 150)).is_empty());
    assert_eq!(small.get(ack(&small, 0, 250))[0].len, 250);
    // And after the override time-out, whatever the window allows is sent.
    let mut rig = self::rig();
    rig.write(1_000);
    rig.get(ack(&rig, 0, 0));
    rig.write(5_000);
    rig.get(ack(&rig, 0, 300));
    let sent = rig.wait(secs(2));
    assert_eq!(sent.first().map(|(_, s)| s.len), Some(300));
}

#[test]
fn must_39_the_receiver_offers_more_only_when_it_is_worth_it() {
    let mut rig = Rig::established(TcpParams {
        receive_buffer: 10_000,
        delayed_ack: SimDuration::ZERO,
        ..plain()
    });
    for _ in 0..10 {
        rig.get_data(1_000);
    }
    assert_eq!(rig.view().rcv_wnd, 0);
    // Small reads do not open the window by small amounts.
    assert!(rig.read(100).is_empty() && rig.read(400).is_empty());
    let probe = rig.get_data(1);
    assert_eq!(probe[0].window, 0);
    rig.seq = rig.view().rcv_nxt;
    // Min(half the buffer, Eff.snd.MSS) opens it.
    let update = rig.read(500);
    assert_eq!(update[0].window, 1_000);
}

#[test]
fn must_40_an_acknowledgement_is_delayed_by_less_than_half_a_second() {
    for params in [TcpParams::rfc9293(), TcpParams::linux()] {
        assert!(params.delayed_ack < ms(500));
        let mut rig = Rig::established(TcpParams {
            quick_acks: 0,
            hold_until_push: false,
            ..params
        });
        let begun = rig.now;
        assert!(rig.get_data(10).is_empty());
        let sent = rig.wait(ms(499));
        assert_eq!(sent.len(), 1, "{:?}", Rig::gaps(&sent, begun));
        assert_eq!(sent[0].1.ack, rig.seq);
    }
}

#[test]
fn shld_18_acknowledgements_are_delayed_and_ride_on_data() {
    let mut rig = rig();
    assert!(rig.get_data(10).is_empty());
    let answer = rig.write(20);
    assert_eq!(
        (answer.len(), answer[0].len, answer[0].ack),
        (1, 20, rig.seq)
    );
    rig.get_ack();
    assert!(rig.wait(secs(5)).is_empty(), "it is done");
}

#[test]
fn shld_19_at_least_every_second_full_segment_is_acknowledged() {
    let mut rig = rig();
    let acks: Vec<usize> = (0..6).map(|_| rig.get_data(1_000).len()).collect();
    assert_eq!(acks, [0, 1, 0, 1, 0, 1]);
    // Or the same number of octets in smaller segments.
    let acks: Vec<usize> = (0..8).map(|_| rig.get_data(500).len()).collect();
    assert_eq!(acks, [0, 0, 0, 1, 0, 0, 0, 1]);
}

#[test]
fn a_fin_waits_for_the_window_too() {
    let mut rig = rig();
    rig.write(1_000);
    rig.get(ack(&rig, 0, 0));
    let sent = rig.call(Input::Shutdown);
    assert!(sent.is_empty(), "{sent:?}");
    assert_eq!(rig.get(ack(&rig, 0, 10))[0].flags, FIN_ACK);
}

#[test]
fn an_answer_to_a_keep_alive_of_the_peer_is_sent() {
    let mut rig = rig();
    let probe = Segment {
        seq: rig.seq - 1,
        ..rig.flagged(Flags::ACK, 0)
    };
    let answer = rig.get(probe);
    assert!(is_ack(&rig, &answer));
}
