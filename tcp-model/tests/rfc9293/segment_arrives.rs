//! Section 3.10.7.4: how each segment is handled, where the text has labels; section 3.4 on closed
//! windows.

use tcp_model::model::{ConnectionEnd, Input, Signal};
use tcp_model::{Flags, Segment, State, TcpParams};

use super::rig::*;

#[test]
fn must_58_one_acknowledgement_stands_for_several_segments() {
    let mut rig = Rig::established(plain());
    let mut acks = 0;
    for _ in 0..20 {
        acks += rig.get_data(100).len();
    }
    acks += rig.wait(secs(1)).len();
    assert!(
        (1..=2).contains(&acks),
        "{acks} for twenty segments of two kilobytes"
    );
    assert_eq!(rig.sent.last().unwrap().1.segment.ack, rig.seq);
}

#[test]
fn must_59_all_queued_segments_are_processed_before_an_acknowledgement() {
    let mut rig = Rig::established(plain());
    let first = rig.segment(100);
    for i in 1..5 {
        rig.get(Segment {
            seq: first.seq + i * 100,
            ..first
        });
    }
    // The gap is filled: one acknowledgment of everything that was queued.
    let acks = rig.get(first);
    assert_eq!(acks.len(), 1);
    assert_eq!(acks[0].ack, first.seq + 500);
    assert_eq!(rig.view().readable, 500);
}

#[test]
fn shld_31_segments_ahead_of_a_gap_are_kept() {
    let mut rig = Rig::established(plain());
    let first = rig.segment(100);
    let third = Segment {
        seq: first.seq + 200,
        ..first
    };
    let fin = Segment {
        seq: first.seq + 300,
        len: 0,
        flags: FIN_ACK,
        ..first
    };
    rig.get(fin);
    rig.get(third);
    assert_eq!(rig.view().readable, 0);
    rig.get(first);
    assert_eq!(rig.view().readable, 100);
    let answer = rig.get(Segment {
        seq: first.seq + 100,
        ..first
    });
    assert_eq!((rig.view().readable, rig.state()), (300, State::CloseWait));
    assert_eq!(answer[0].ack, first.seq + 301);
}

#[test]
fn may_13_a_segment_ahead_of_a_gap_is_answered_at_once() {
    let mut rig = Rig::established(plain());
    let ahead = Segment {
        seq: rig.seq + 500,
        ..rig.segment(100)
    };
    for _ in 0..3 {
        let answer = rig.get(ahead);
        assert!(
            is_ack(&rig, &answer),
            "a duplicate acknowledgement of RCV.NXT"
        );
    }
}

#[test]
fn may_12_acknowledgements_of_what_was_never_in_flight_mark_data_as_forged() {
    let mut rig = Rig::established(plain());
    rig.window = 2_000;
    rig.write(1_000);
    rig.get_ack();
    let forged = |rig: &mut Rig, ack| {
        let segment = Segment {
            ack,
            ..rig.segment(50)
        };
        let answer = rig.call(Input::Segment(&segment));
        (answer.len(), rig.view().readable)
    };
    let (una, nxt) = (rig.view().snd_una, rig.view().snd_nxt);
    // MAX.SND.WND is 65535, offered with the SYN-ACK.
    assert_eq!(forged(&mut rig, nxt + 1), (1, 0));
    assert_eq!(forged(&mut rig, una - 65_536), (1, 0));
    assert_eq!(forged(&mut rig, una - 65_535), (0, 50), "old, but possible");
}

/// A full receive window.
fn full() -> Rig {
    let mut rig = Rig::established(TcpParams {
        receive_buffer: 3_000,
        ..plain()
    });
    for _ in 0..3 {
        rig.get_data(1_000);
    }
    assert_eq!(rig.view().rcv_wnd, 0);
    rig
}

#[test]
fn must_66_a_reset_counts_with_a_closed_window() {
    let mut rig = full();
    rig.get(rig.flagged(RST_ACK, 0));
    assert_eq!(rig.end(), Some(ConnectionEnd::Reset));
    let mut rig = full();
    rig.get(rig.flagged(Flags::RST, 10));
    assert_eq!(rig.end(), Some(ConnectionEnd::Reset));
}

#[test]
fn must_66_urgent_data_are_announced_with_a_closed_window() {
    let mut rig = full();
    let urgent = Segment {
        urgent: 20,
        ..rig.flagged(Flags::ACK | Flags::URG, 20)
    };
    rig.call(Input::Segment(&urgent));
    assert!(rig.signalled(Signal::Urgent(3_020)), "{:?}", rig.news);
    assert_eq!(rig.view().readable, 3_000, "the text has no room");
}
