//! Every retransmission is labelled with its rule.

use super::*;
use tcp_model::icmp::{IcmpError, IcmpKind};
use tcp_model::{RetransmitReason, Transmit};

const FULL: u64 = MSS as u64;

fn reasons(end: &mut TestEnd) -> Vec<(u32, RetransmitReason)> {
    let again = |(_, t): (_, Transmit)| Some((range(&t.segment).0, t.retransmission?));
    end.sent.drain(..).filter_map(again).collect()
}

/// Ten segments are outstanding.
fn sending(params: TcpParams) -> TestEnd {
    let mut end = TestEnd::established(TcpParams {
        initial_window: 10,
        ..params
    });
    end.writes(10 * FULL);
    assert_eq!(reasons(&mut end), []);
    end
}

/// The first segment retransmitted at the next time-out.
fn at_next_timeout(end: &mut TestEnd) -> Vec<(u32, RetransmitReason)> {
    let at = end.tcp.next_timeout().expect("a timer runs");
    end.now = end.now.max(at);
    end.step(Input::Timeout);
    reasons(end)
}

#[test]
fn duplicate_acks_then_a_partial_ack_without_sack() {
    let mut end = sending(TcpParams {
        sack: false,
        ..plain()
    });
    (0..8).for_each(|_| end.arrives(ack(1, 1))); // the first and the fourth are lost
    assert_eq!(reasons(&mut end), [(1, RetransmitReason::DuplicateAcks)]);
    end.arrives(ack(1, 3001));
    assert_eq!(reasons(&mut end), [(3001, RetransmitReason::PartialAck)]);
}

#[test]
fn holes_that_sack_or_rack_finds() {
    for (rack, why) in [
        (false, RetransmitReason::Sack),
        (true, RetransmitReason::Rack),
    ] {
        let mut end = sending(TcpParams { rack, ..plain() });
        end.now = ms(100);
        for to in [2001, 3001, 4001] {
            end.arrives(sack_of(1, 1001, to));
        }
        let mut again = reasons(&mut end);
        if again.is_empty() {
            again = at_next_timeout(&mut end); // the time for reordering
        }
        assert_eq!(again, [(1, why)], "rack: {rack}");
    }
}

#[test]
fn a_probe_of_the_tail_then_the_timer_then_what_follows_it() {
    let mut end = sending(TcpParams {
        tail_loss_probe: true,
        ..plain()
    });
    let probe = at_next_timeout(&mut end);
    assert_eq!(probe, [(9001, RetransmitReason::TailLossProbe)]);
    assert_eq!(at_next_timeout(&mut end), [(1, RetransmitReason::Timeout)]);
    end.arrives(ack(1, 1001));
    assert_eq!(
        reasons(&mut end),
        [
            (1001, RetransmitReason::AfterTimeout),
            (2001, RetransmitReason::AfterTimeout)
        ]
    );
}

#[test]
fn the_handshake() {
    let mut end = TestEnd::new(plain());
    end.step(Input::Connect);
    assert_eq!(reasons(&mut end), []);
    assert_eq!(
        at_next_timeout(&mut end),
        [(0, RetransmitReason::SynTimeout)]
    );
    end.arrives(syn());
    assert_eq!(reasons(&mut end), [(0, RetransmitReason::SimultaneousOpen)]);
    end.arrives(syn());
    assert_eq!(reasons(&mut end), [(0, RetransmitReason::DuplicateSyn)]);
}

#[test]
fn a_fin_alone_is_sent_again_by_the_timer() {
    let mut end = TestEnd::established(plain());
    end.step(Input::Close);
    assert_eq!(reasons(&mut end), []);
    assert_eq!(at_next_timeout(&mut end), [(1, RetransmitReason::Timeout)]);
}

#[test]
fn an_octet_that_probes_a_closed_window() {
    let mut end = TestEnd::established(TcpParams {
        probe_with_octet: true,
        ..plain()
    });
    end.arrives(Segment {
        window: 0,
        ..ack(1, 1)
    });
    end.writes(FULL);
    assert_eq!(at_next_timeout(&mut end), [], "the octet is new");
    assert_eq!(
        at_next_timeout(&mut end),
        [(1, RetransmitReason::WindowProbe)]
    );
    end.arrives(ack(1, 1));
    assert_eq!(reasons(&mut end), [(1, RetransmitReason::WindowProbe)]);
}

#[test]
fn segments_too_big_for_the_path() {
    let mut end = sending(TcpParams {
        path_mtu_discovery: true,
        ..plain()
    });
    end.step(Input::Icmp(&IcmpError {
        kind: IcmpKind::PacketTooBig(576),
        seq: SeqNum(ISS) + 1,
    }));
    let again = reasons(&mut end);
    assert!(!again.is_empty());
    assert!(
        again
            .iter()
            .all(|(_, why)| *why == RetransmitReason::PathMtu)
    );
}

#[test]
fn the_list_is_in_the_order_of_the_variants_and_each_has_its_words() {
    let mut words: Vec<_> = RetransmitReason::ALL.iter().map(|r| r.as_str()).collect();
    for (i, why) in RetransmitReason::ALL.into_iter().enumerate() {
        assert_eq!(why as usize, i);
    }
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), RetransmitReason::ALL.len());
}
