use proptest::prelude::*;

use super::*;
use crate::recovery::RecoveryPhase;

const MSS: u32 = 1000;

fn ms(n: u64) -> SimDuration {
    SimDuration::from_millis(n)
}

fn at(n: u64) -> SimTime {
    SimTime::ZERO + ms(n)
}

fn s(n: u32) -> SeqNum {
    SeqNum(n)
}

/// Ten segments, one a millisecond from time zero on.
fn ten() -> SentLog {
    let mut log = SentLog::new(s(0), None, SimTime::ZERO);
    (1..=10).for_each(|i| log.on_sent(s(i * MSS), at(u64::from(i))));
    log
}

fn find(log: &mut SentLog, phase: RecoveryPhase, now: SimTime) -> Option<SimDuration> {
    log.find_losses(phase, 3, Some(ms(100)), now)
}

#[test]
fn a_segment_sent_well_before_a_delivered_one_is_lost() {
    let mut log = ten();
    assert_eq!(log.on_ack(s(1000), at(101)).first_sent, Some(at(1)));
    assert_eq!(find(&mut log, RecoveryPhase::Open, at(101)), None);
    // The third is SACKed: a quarter of the smallest round trip is left to the second.
    assert_eq!(log.on_sack(s(2000), s(3000), at(103)), Some(at(3)));
    assert!(log.take_advanced() && !log.take_advanced());
    assert_eq!(find(&mut log, RecoveryPhase::Open, at(103)), Some(ms(24)));
    assert_eq!(log.lost(), 0);
    assert_eq!(find(&mut log, RecoveryPhase::Open, at(127)), None);
    assert_eq!(
        (log.lost(), log.first_lost()),
        (1000, Some((s(1000), s(2000))))
    );
}

#[test]
fn three_sacked_segments_leave_no_time() {
    let mut log = ten();
    log.on_sack(s(1000), s(4000), at(104));
    assert_eq!(find(&mut log, RecoveryPhase::Open, at(104)), None);
    assert_eq!(log.first_lost(), Some((s(0), s(1000))));
}

/// What is sent at one instant in answer to different ACKs has the order of those; what one ACK releases has the
/// order of sequence numbers (RFC 8985 section 6.2).
#[test]
fn segments_sent_at_one_instant_have_the_order_of_their_acks() {
    // The first three are lost; the ACKs for the others arrive at 104 ms.
    for (released_by_one, lost) in [(false, 0), (true, 2 * MSS)] {
        let mut log = SentLog::new(s(0), None, SimTime::ZERO);
        (1..=10).for_each(|i| log.on_sent(s(i * MSS), at(4)));
        log.on_sack(s(3000), s(6000), at(104));
        find(&mut log, RecoveryPhase::Open, at(104));
        assert_eq!(log.lost(), 3000);
        let phase = RecoveryPhase::Fast;
        log.on_resent(s(0), s(1000), at(104));
        if released_by_one {
            log.on_sack(s(6000), s(10_000), at(104));
            log.on_sent(s(11_000), at(104));
            log.on_resent(s(1000), s(2000), at(104));
            log.on_resent(s(2000), s(3000), at(104));
        } else {
            log.on_sack(s(6000), s(7000), at(104));
            log.on_sent(s(11_000), at(104));
            log.on_sack(s(7000), s(10_000), at(104));
            log.on_resent(s(1000), s(2000), at(104));
            log.on_resent(s(2000), s(3000), at(104));
        }
        assert_eq!(log.lost(), 0);
        // The new segment arrives: the two sent after it are not overdue.
        log.on_ack(s(1000), at(204));
        log.on_sack(s(10_000), s(11_000), at(204));
        find(&mut log, phase, at(204));
        assert_eq!(log.lost(), lost);
    }
}

#[test]
fn a_lost_retransmission_is_found() {
    let mut log = ten();
    log.on_sack(s(1000), s(4000), at(104));
    find(&mut log, RecoveryPhase::Open, at(104));
    log.on_resent(s(0), s(1000), at(104));
    assert_eq!((log.lost(), log.first_lost()), (0, None));
    log.on_sent(s(11_000), at(105));
    // The new segment comes through, the retransmission sent before it does not.
    log.on_sack(s(10_000), s(11_000), at(205));
    find(&mut log, RecoveryPhase::Fast, at(205));
    assert_eq!(log.first_lost(), Some((s(0), s(1000))));
}

#[test]
fn reordering_keeps_the_window_open() {
    let mut log = ten();
    log.on_sack(s(1000), s(2000), at(102));
    log.on_ack(s(2000), at(103)); // the first was only late
    log.on_sack(s(3000), s(7000), at(107));
    assert_eq!(find(&mut log, RecoveryPhase::Fast, at(107)), Some(ms(21)));
    assert_eq!(log.lost(), 0);
}

#[test]
fn after_a_timeout_only_what_is_overdue_is_lost() {
    let mut log = ten();
    log.on_ack(s(1000), at(101));
    log.on_sent(s(11_000), at(400));
    log.on_timeout(false, at(450));
    assert_eq!(log.lost(), 9 * MSS);
    log.on_resent(s(1000), s(2000), at(450));
    assert_eq!(log.first_lost(), Some((s(2000), s(3000))));
}

#[test]
fn parts_of_segments_are_counted() {
    let mut log = ten();
    log.on_timeout(false, at(300));
    log.on_resent(s(0), s(400), at(300));
    assert_eq!(
        (log.lost(), log.first_lost()),
        (9600, Some((s(400), s(1000))))
    );
    assert_eq!(log.len(), 11);
    assert_eq!(log.on_ack(s(700), at(400)).first_sent, None);
    assert_eq!(
        (log.lost(), log.first_lost()),
        (9300, Some((s(700), s(1000))))
    );
}

proptest! {
    #[test]
    fn counts_agree_with_the_marks(
        steps in prop::collection::vec((0u8..6, 0u32..12_000, 1u32..3000), 1..60),
    ) {
        let mut log = SentLog::new(s(0), None, SimTime::ZERO);
        let (mut una, mut nxt, mut now) = (0, 0, 0);
        for (kind, place, length) in steps {
            now += 7;
            let start = una + place % (nxt - una + 1);
            let end = (start + length).min(nxt);
            match kind {
                0 | 1 => {
                    nxt += length;
                    log.on_sent(s(nxt), at(now));
                }
                2 if start < end => log.on_resent(s(start), s(end), at(now)),
                3 if start > una => { log.on_sack(s(start), s(end), at(now)); }
                4 => log.on_timeout(false, at(now)),
                _ => {
                    una = start;
                    log.on_ack(s(una), at(now));
                }
            }
            log.find_losses(RecoveryPhase::Fast, 3, None, at(now));
            let octets = |marks| (0..log.len())
                .filter(|&i| log.segments[i].is(marks))
                .map(|i| log.segments[i].end.offset_from(log.start(i)))
                .sum::<u32>();
            prop_assert_eq!(log.lost(), octets(LOST));
            prop_assert_eq!(log.sacked as usize, log.segments.iter().filter(|x| x.is(SACKED)).count());
            prop_assert_eq!(log.resent as usize, log.segments.iter().filter(|x| x.is(RESENT)).count());
            prop_assert_eq!(log.is_empty(), una == nxt);
            prop_assert_eq!(log.first_lost().is_some(), log.lost() > 0);
        }
    }
}

#[test]
fn an_older_echo_does_not_answer_a_retransmission() {
    // RFC 8985 section 6.2 step 2. The path became slow: the time-out was needless, and the ACK of the
    // original comes longer than the smallest round trip after the retransmission.
    for (echo_before, lost) in [(None, 9 * MSS), (Some(at(10)), 0)] {
        let mut log = ten();
        log.on_ack(s(0), at(0));
        log.on_timeout(false, at(1000));
        log.on_resent(s(0), s(1000), at(1000));
        log.forget_losses();
        log.set_echo_before(echo_before);
        log.on_ack(s(1000), at(1500));
        find(&mut log, RecoveryPhase::Open, at(2200));
        assert_eq!(log.lost(), lost, "{echo_before:?}");
    }
}
