//! Nagle, cork, `MSG_MORE`: when less than a full segment is sent (RFC 9293 section 3.7.4, RFC 1122
//! section 4.2.3.4; Linux's options).

use super::*;

fn more(end: &mut TestEnd, bytes: u64) {
    end.step(Input::Send(SendCall {
        bytes,
        push: true,
        more: true,
        ..SendCall::default()
    }));
}

fn corked() -> TcpParams {
    TcpParams {
        cork: true,
        timestamps: false,
        ..TcpParams::linux()
    }
}

#[test]
fn a_cork_lets_full_segments_pass_and_holds_the_rest_until_it_is_removed() {
    let params = corked();
    let mut end = TestEnd::established(params.clone());
    end.writes(2500);
    assert_eq!(end.text(), [(1, 1000), (1001, 1000)]);
    end.arrives(ack(1, 2001));
    assert_eq!(end.text(), []);
    end.writes(100);
    assert_eq!(end.text(), []);
    end.changes(|p| p.cork = false, &params);
    assert_eq!(end.text(), [(2001, 600)]);
}

/// Linux: the probe timer sends the waiting data after at least 200 ms.
#[test]
fn a_corked_rest_goes_by_itself_after_a_while() {
    let mut end = TestEnd::established(corked());
    end.now = ms(1000);
    end.writes(300);
    assert_eq!(end.text(), []);
    let sent = end.runs_to(ms(3000));
    let (at, first) = sent[0];
    assert!((1200..=2200).contains(&at), "{at}");
    assert_eq!(range(&first), (1, 300));
    end.arrives(ack(1, 301));
    assert_eq!(end.tcp.view().send_queue, 0);
    assert_eq!(end.tcp.next_timeout(), None);
}

#[test]
fn switching_nagle_off_pushes_what_waits_even_past_a_cork() {
    let params = corked();
    let mut end = TestEnd::established(params.clone());
    end.writes(300);
    assert_eq!(end.text(), []);
    end.changes(|p| p.nagle = false, &params);
    assert_eq!(end.text(), [(1, 300)]);
    end.writes(300);
    assert_eq!(end.text(), [], "only what was queued then");
}

#[test]
fn more_to_come_holds_back_the_rest_of_that_call() {
    let mut end = TestEnd::established(TcpParams {
        nagle: false,
        timestamps: false,
        ..TcpParams::linux()
    });
    more(&mut end, 300);
    assert_eq!(end.text(), []);
    more(&mut end, 800);
    assert_eq!(end.text(), [(1, 1000)]);
    end.writes(50);
    let sent = end.take();
    assert_eq!(range(&sent[0]), (1001, 150));
    assert!(sent[0].flags.contains(Flags::PSH));
}

/// MUST-17.
#[test]
fn nagle_holds_a_small_segment_until_it_is_switched_off() {
    let params = plain();
    let mut end = TestEnd::established(params.clone());
    end.writes(100);
    end.writes(100);
    assert_eq!(end.text(), [(1, 100)]);
    end.changes(|p| p.nagle = false, &params);
    assert_eq!(end.text(), [(101, 100)]);
}

/// `TCP_QUICKACK`.
#[test]
fn quick_acknowledgement_sends_the_ack_that_waits() {
    let mut end = TestEnd::established(TcpParams {
        delayed_ack: SimDuration::from_millis(200),
        ..plain()
    });
    end.arrives(data(1, 100));
    assert_eq!(end.take(), []);
    end.step(Input::QuickAck(true));
    let sent = end.take();
    assert_eq!((sent.len(), sent[0].ack), (1, SeqNum(101)));
    assert_eq!(end.tcp.next_timeout(), None);
}

#[test]
fn a_smaller_maximum_segment_is_announced_and_kept() {
    let mut end = TestEnd::new(TcpParams {
        max_segment: Some(700),
        ..plain()
    });
    end.step(Input::Connect);
    let syn = end.take().remove(0);
    assert!(syn.options.iter().any(|o| o == Ok(TcpOption::Mss(700))));
    end.arrives(syn_ack(1));
    end.take();
    end.writes(1000);
    assert_eq!(end.text(), [(1, 700)], "the rest waits for Nagle");
}

#[test]
fn a_window_clamp_bounds_the_window() {
    let params = TcpParams {
        window_clamp: Some(5000),
        ..plain()
    };
    let mut end = TestEnd::new(params);
    end.step(Input::Listen);
    end.arrives(syn());
    assert_eq!(end.take()[0].window, 5000);
    end.arrives(data(1, 1000));
    end.step(Input::Receive(1000));
    assert!(end.take().iter().all(|s| s.window <= 5000));
}

#[test]
fn little_is_accepted_while_enough_is_unsent() {
    let mut end = TestEnd::established(TcpParams {
        notsent_lowat: Some(4000),
        ..plain()
    });
    assert!(end.tcp.view().send_room > 0);
    end.writes(16_000);
    assert_eq!(end.tcp.view().send_room, 0, "10000 sent, 6000 not");
    end.step(Input::Send(SendCall {
        bytes: 1,
        ..SendCall::default()
    }));
    end.news();
    end.arrives(ack(1, 5001));
    assert!(end.tcp.view().send_room > 0);
    let writable = |s: &Signal| matches!(s, Signal::Writable(_));
    assert!(end.news().iter().any(writable));
}
