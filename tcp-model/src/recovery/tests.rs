//! Recovery in isolation: what is lost, in flight and retransmitted, ACK by ACK.

use super::*;

const MSS: u32 = 1000;
const T: SimTime = SimTime::ZERO;

fn out(una: u32, nxt: u32) -> Outstanding {
    Outstanding {
        una: SeqNum(una),
        nxt: SeqNum(nxt),
        mss: MSS,
        threshold: 3,
    }
}

#[test]
fn newreno_retransmits_the_head_and_again_on_each_partial_ack() {
    let mut r = Recovery::default();
    let o = out(0, 10_000);
    assert!(!r.on_duplicate_ack(&o) && !r.on_duplicate_ack(&o));
    assert_eq!(r.pipe(&o), 8_000); // limited transmit: RFC 3042
    assert!(r.on_duplicate_ack(&o));
    r.enter_fast(&o);
    assert_eq!(r.next_hole(&o), Some((SeqNum(0), SeqNum(1000))));
    assert_eq!(r.pipe(&o), 6_000);
    r.on_retransmitted(SeqNum(0), SeqNum(1000), T);
    assert_eq!((r.pipe(&o), r.next_hole(&o)), (7_000, None));
    let o = out(4_000, 10_000);
    assert!(!r.on_ack(4_000, false, false, &o));
    assert_eq!(r.next_hole(&o), Some((SeqNum(4000), SeqNum(5000))));
    assert!(r.on_ack(6_000, false, false, &out(10_000, 10_000)));
    assert_eq!(r.phase(), RecoveryPhase::Open);
}

/// Duplicate ACKs with SACK blocks after a time-out are about data that are acknowledged later; then nothing but what is
/// outstanding counts.
#[test]
fn after_a_time_out_duplicate_acks_end_with_the_data_they_reported() {
    let mut r = Recovery::default();
    let o = out(0, 10_000);
    r.enter_loss(&o, T);
    for end in [2000, 3000, 4000] {
        r.on_sack([(SeqNum(1000), SeqNum(end))].into_iter(), &o, T);
        r.on_duplicate_ack(&o);
    }
    r.on_retransmitted(SeqNum(0), SeqNum(1000), T);
    r.on_retransmitted(SeqNum(4000), SeqNum(10_000), T);
    let o = out(4000, 12_000);
    assert!(!r.on_ack(4000, true, false, &o));
    assert!(!r.has_sacks());
    assert_eq!(r.pipe(&o), 8000);
}

#[test]
fn sack_shows_every_hole_that_is_lost() {
    let mut r = Recovery::default();
    let o = out(0, 10_000);
    let s = |a, b| (SeqNum(a), SeqNum(b));
    assert_eq!(
        r.on_sack([s(1000, 2000), s(3000, 6000)].into_iter(), &o, T),
        (4000, None)
    );
    assert!(r.on_duplicate_ack(&o)); // three segments SACKed above the first hole
    r.enter_fast(&o);
    assert_eq!(r.next_hole(&o), Some(s(0, 1000)));
    r.on_retransmitted(SeqNum(0), SeqNum(1000), T);
    assert_eq!(r.next_hole(&o), Some(s(2000, 3000)));
    // 10 outstanding - 4 SACKed - 1 lost and not yet retransmitted
    assert_eq!(r.pipe(&o), 5_000);
}

#[test]
fn with_sack_nothing_beyond_the_last_block_is_lost() {
    let mut r = Recovery::default();
    let o = out(0, 10_000);
    r.on_sack([(SeqNum(1000), SeqNum(4000))].into_iter(), &o, T);
    assert!(r.on_duplicate_ack(&o));
    r.enter_fast(&o);
    r.on_retransmitted(SeqNum(0), SeqNum(1000), T);
    let o = out(4_000, 10_000);
    assert!(!r.on_ack(4_000, true, false, &o));
    assert_eq!((r.next_hole(&o), r.pipe(&o)), (None, 6_000));
}

#[test]
fn after_a_timeout_everything_not_sacked_is_retransmitted() {
    let mut r = Recovery::default();
    let o = out(0, 5_000);
    r.on_sack([(SeqNum(2000), SeqNum(3000))].into_iter(), &o, T);
    r.enter_loss(&o, T);
    assert_eq!(r.pipe(&o), 0);
    assert_eq!(r.next_hole(&o), Some((SeqNum(0), SeqNum(2000))));
    r.on_retransmitted(SeqNum(0), SeqNum(2000), T);
    assert_eq!(r.next_hole(&o), Some((SeqNum(3000), SeqNum(5000))));
    assert_eq!(r.pipe(&o), 2_000);
}
