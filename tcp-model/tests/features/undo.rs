//! Window reductions that prove unnecessary are undone: by timestamps, D-SACK or F-RTO.

use super::*;
use tcp_model::RetransmitReason;
use tcp_model::diagnostics::UndoCounts;

const FULL: u64 = MSS as u64;
const WINDOW: u64 = 10 * FULL;

/// Linux's loss recovery, without timestamps.
fn params() -> TcpParams {
    TcpParams {
        prr: true,
        frto: true,
        undo: true,
        slow_start_limit: None,
        ..plain()
    }
}

/// Ten segments are in flight, ten more wait.
fn sending(params: TcpParams) -> TestEnd {
    let mut end = TestEnd::established_after(params, SimDuration::from_millis(10));
    end.writes(2 * WINDOW);
    assert_eq!(end.text().len(), 10);
    assert_eq!(end.view().cwnd, WINDOW);
    end
}

fn with_blocks(acked: u32, blocks: &[(u32, u32)]) -> Segment {
    let mut segment = ack(1, acked);
    let blocks: Vec<_> = blocks
        .iter()
        .map(|&(a, b)| (SeqNum(ISS) + a, SeqNum(ISS) + b))
        .collect();
    segment.options.push_sack(&blocks);
    segment
}

/// The retransmission timer expires.
fn time_out(end: &mut TestEnd) {
    let at = end.tcp.next_timeout().expect("a timer runs");
    end.now = end.now.max(at);
    end.step(Input::Timeout);
    assert_eq!(end.text(), [(1, MSS)]);
    assert_eq!(end.view().cwnd, FULL);
}

fn undone(end: &TestEnd) -> UndoCounts {
    end.tcp.details().undone.expect("kept")
}

#[test]
fn a_time_out_whose_segments_were_only_late_is_undone() {
    for rack in [false, true] {
        let mut end = sending(TcpParams { rack, ..params() });
        time_out(&mut end);
        // Step 2b: after the first ACK two new segments are sent, and nothing is retransmitted.
        end.arrives(ack(1, 1 + MSS));
        assert_eq!(
            end.text(),
            [(1 + 10 * MSS, MSS), (1 + 11 * MSS, MSS)],
            "{rack}"
        );
        // Step 3b: the second ACK is for a segment that was sent once.
        end.arrives(ack(1, 1 + 2 * MSS));
        assert!(end.view().cwnd >= WINDOW, "{rack}: {}", end.view().cwnd);
        assert_eq!(end.view().ssthresh, None, "{rack}");
        assert!(end.text().iter().all(|s| s.0 > 11 * MSS), "nothing again");
        assert_eq!(undone(&end).frto, 1);
    }
}

#[test]
fn a_time_out_for_a_real_loss_is_found_out_and_what_is_lost_goes_again() {
    let mut end = sending(params());
    time_out(&mut end);
    end.arrives(ack(1, 1 + MSS));
    assert_eq!(end.text().len(), 2, "new ones first");
    // Step 3a: a duplicate ACK, because the new segments arrived and the second one is missing.
    let new = (1 + 10 * MSS, 1 + 12 * MSS);
    end.arrives(with_blocks(1 + MSS, &[new]));
    let again: Vec<_> = end
        .sent
        .drain(..)
        .map(|(_, t)| (range(&t.segment).0, t.retransmission))
        .collect();
    assert_eq!(
        again[0],
        (1 + MSS, Some(RetransmitReason::Frto)),
        "{again:?}"
    );
    assert_eq!(undone(&end), UndoCounts::default());
    assert!(end.view().cwnd < WINDOW / 2);
}

#[test]
fn without_new_data_what_was_outstanding_goes_again_at_once() {
    let mut end = TestEnd::established(params());
    end.writes(WINDOW);
    end.take();
    time_out(&mut end);
    end.arrives(ack(1, 1 + MSS));
    let text = end.text();
    assert_eq!(text.first(), Some(&(1 + MSS, MSS)), "{text:?}");
}

/// Reordering that looks like a loss: three SACKs beyond the first segment.
fn fast_retransmit(end: &mut TestEnd) {
    for to in [3, 4, 5] {
        end.arrives(with_blocks(1, &[(1 + MSS, 1 + to * MSS)]));
    }
    let text = end.text();
    assert!(text.contains(&(1, MSS)), "{text:?}");
}

#[test]
fn a_fast_retransmit_that_d_sack_reports_is_undone() {
    let mut end = sending(params());
    fast_retransmit(&mut end);
    assert_eq!(end.view().ssthresh, Some(WINDOW / 2));
    // The original arrives late and ends recovery, as far as the sender can tell; its copy is
    // reported.
    let out = end.view().snd_nxt.offset_from(SeqNum(ISS));
    end.arrives(ack(1, out));
    assert!(
        end.view().cwnd <= WINDOW / 2 + 2 * FULL,
        "{}",
        end.view().cwnd
    );
    end.take();
    end.arrives(with_blocks(out, &[(1, 1 + MSS)]));
    assert!(end.view().cwnd >= WINDOW, "{}", end.view().cwnd);
    assert_eq!(end.view().ssthresh, None);
    assert_eq!(undone(&end).dsack, 1);
}

#[test]
fn without_undo_the_window_stays_reduced() {
    let mut end = sending(TcpParams {
        undo: false,
        ..params()
    });
    fast_retransmit(&mut end);
    let out = end.view().snd_nxt.offset_from(SeqNum(ISS));
    end.arrives(ack(1, out));
    end.arrives(with_blocks(out, &[(1, 1 + MSS)]));
    assert!(end.view().cwnd < WINDOW);
    assert_eq!(undone(&end), UndoCounts::default());
}

/// A segment with a timestamp that echoes `echo`.
fn stamped(mut segment: Segment, echo: u32) -> Segment {
    let blocks: Vec<_> = segment.options.sack_blocks().collect();
    segment.options = Options::NONE;
    segment
        .options
        .push(TcpOption::Timestamps(1, echo))
        .unwrap();
    segment.options.push_sack(&blocks);
    segment
}

/// Established with timestamps at 1 s, with ten segments in flight; returns the timestamp that they
/// carry.
fn sending_stamped() -> (TestEnd, u32) {
    let mut end = TestEnd::new(TcpParams {
        timestamps: true,
        ..params()
    });
    end.now = SimTime::ZERO + SimDuration::from_secs(1);
    end.step(Input::Listen);
    let mut opening = syn();
    opening.options.push(TcpOption::Timestamps(1, 0)).unwrap();
    end.arrives(opening);
    let (val, _) = end.take()[0].options.timestamps().expect("agreed");
    end.arrives(stamped(ack(1, 1), val));
    end.writes(40_000);
    let sent = end.take();
    let (val, _) = sent[0].options.timestamps().expect("agreed");
    (end, val)
}

#[test]
fn an_echo_from_before_the_retransmission_undoes_it_and_a_later_one_does_not() {
    for late in [true, false] {
        let (mut end, original) = sending_stamped();
        let before = end.view().cwnd;
        let len = end.view().snd_nxt.offset_from(SeqNum(ISS) + 1) / 10;
        end.now += SimDuration::from_millis(100);
        for to in [3, 4, 5] {
            let segment = with_blocks(1, &[(1 + len, 1 + to * len)]);
            end.arrives(stamped(segment, original));
        }
        let again = end.take();
        let again = again.iter().find(|s| range(s).0 == 1).expect("sent again");
        let (resent, _) = again.options.timestamps().expect("agreed");
        assert_eq!(resent, original + 100);
        end.now += SimDuration::from_millis(10);
        let out = end.view().snd_nxt.offset_from(SeqNum(ISS));
        let echo = if late { original } else { resent };
        end.arrives(stamped(ack(1, out), echo));
        assert_eq!(end.view().cwnd >= before, late, "{}", end.view().cwnd);
        assert_eq!(undone(&end).eifel, u32::from(late));
    }
}
