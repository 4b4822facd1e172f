//! RFC 3168, RFC 9768, and ECN++.

use tcp_model::params::EcnMode;
use tcp_model::{Ecn, Flags, State};

use super::*;

const SETUP: Flags = Flags(Flags::SYN.0 | Flags::ECE.0 | Flags::CWR.0);

fn params(ecn: EcnMode) -> TcpParams {
    TcpParams {
        ecn,
        nagle: false,
        ..plain()
    }
}

/// Established with ECN.
fn end() -> TestEnd {
    let mut end = TestEnd::new(params(EcnMode::Passive));
    end.step(Input::Listen);
    end.arrives(Segment {
        flags: SETUP,
        ..syn()
    });
    end.arrives(ack(1, 1));
    end.take();
    end
}

fn marked(segment: Segment) -> Segment {
    Segment {
        ecn: Ecn::Ce,
        ..segment
    }
}

fn echo(segment: Segment) -> Segment {
    Segment {
        flags: segment.flags | Flags::ECE,
        ..segment
    }
}

/// Section 6.1.1: who requests ECN, and who grants it.
#[test]
fn ecn_is_agreed_on_when_one_side_asks_and_the_other_grants() {
    let of = |end: &mut TestEnd| end.take()[0].flags;
    for (mode, asked, granted) in [
        (EcnMode::Off, Flags::SYN, Flags::SYN_ACK),
        (EcnMode::Passive, Flags::SYN, Flags::SYN_ACK | Flags::ECE),
        (EcnMode::Active, SETUP, Flags::SYN_ACK | Flags::ECE),
    ] {
        let mut active = TestEnd::new(params(mode));
        active.step(Input::Connect);
        assert_eq!(of(&mut active), asked, "{mode:?}");
        let mut passive = TestEnd::new(params(mode));
        passive.step(Input::Listen);
        passive.arrives(Segment {
            flags: SETUP,
            ..syn()
        });
        assert_eq!(of(&mut passive), granted, "{mode:?}");
        let mut unasked = TestEnd::new(params(mode));
        unasked.step(Input::Listen);
        unasked.arrives(syn());
        assert_eq!(of(&mut unasked), Flags::SYN_ACK);
    }
}

#[test]
fn a_syn_that_is_ect_or_an_answer_with_cwr_agrees_on_nothing() {
    let mut passive = TestEnd::new(params(EcnMode::Active));
    passive.step(Input::Listen);
    passive.arrives(Segment {
        flags: SETUP,
        ecn: Ecn::Ect0,
        ..syn()
    });
    assert_eq!(passive.take()[0].flags, Flags::SYN_ACK);
    for (flags, agreed) in [
        (Flags::NONE, false),
        (Flags::ECE, true),
        (Flags::ECE | Flags::CWR, false),
    ] {
        let mut active = TestEnd::new(params(EcnMode::Active));
        active.step(Input::Connect);
        let answer = syn_ack(1);
        active.arrives(Segment {
            flags: answer.flags | flags,
            ..answer
        });
        active.take();
        active.writes(100);
        let expected = if agreed { Ecn::Ect0 } else { Ecn::NotEct };
        assert_eq!(active.take()[0].ecn, expected, "{flags}");
    }
}

/// Section 6.1.1.1: the path may drop SYNs that request ECN.
#[test]
fn a_retransmitted_syn_does_not_ask_for_ecn() {
    let mut end = TestEnd::new(params(EcnMode::Active));
    end.step(Input::Connect);
    end.take();
    let again = end.runs_to(ms(1500));
    assert_eq!(again[0].1.flags, Flags::SYN);
    end.arrives(echo(syn_ack(1)));
    end.take();
    end.writes(100);
    assert_eq!(end.take()[0].ecn, Ecn::NotEct);
}

#[test]
fn new_data_are_ect_and_nothing_else_is() {
    let mut end = end();
    end.writes(2500);
    let sent: Vec<(u32, Ecn)> = end.take().iter().map(|s| (s.len, s.ecn)).collect();
    assert_eq!(
        sent,
        [(1000, Ecn::Ect0), (1000, Ecn::Ect0), (500, Ecn::Ect0)]
    );
    // Section 6.1.5: retransmissions; 6.1.4: pure ACKs.
    let again = end.runs_to(ms(1500));
    assert_eq!((again[0].1.len, again[0].1.ecn), (1000, Ecn::NotEct));
    end.arrives(data(1, 100));
    let sent = end.take();
    assert!(sent.iter().all(|s| s.len == 0 && s.ecn == Ecn::NotEct) && !sent.is_empty());
    end.arrives(ack(101, 2501));
    end.step(Input::Shutdown);
    let fin = end.take();
    assert!(fin[0].flags.is_fin() && fin[0].ecn == Ecn::NotEct);
}

/// Section 6.1.3.
#[test]
fn a_mark_is_echoed_until_the_peer_says_it_has_slowed_down() {
    let mut end = end();
    let echoes = |end: &mut TestEnd, segment| {
        end.arrives(segment);
        let sent = end.take();
        assert_eq!(sent.len(), 1);
        sent[0].flags.is_ece()
    };
    assert!(!echoes(&mut end, data(1, 100)));
    assert!(echoes(&mut end, marked(data(101, 100))));
    assert!(echoes(&mut end, data(201, 100)), "until CWR");
    let slowed = data(301, 100);
    let cwr = |segment: Segment| Segment {
        flags: segment.flags | Flags::CWR,
        ..segment
    };
    assert!(!echoes(&mut end, cwr(slowed)));
    assert!(echoes(&mut end, marked(cwr(data(401, 100)))), "a new mark");
    assert_eq!(end.tcp.details().ecn_seen, Some(true));
}

#[test]
fn marks_have_no_effect_on_a_connection_without_ecn() {
    let mut end = TestEnd::established(params(EcnMode::Active));
    end.arrives(marked(data(1, 100)));
    assert!(!end.take()[0].flags.is_ece());
    end.writes(1000);
    end.take();
    let cwnd = end.tcp.view().cwnd;
    end.arrives(echo(ack(101, 501)));
    assert!(end.tcp.view().cwnd >= cwnd);
}

/// Section 6.1.2.
#[test]
fn an_echo_halves_the_window_once_per_round_trip_and_is_answered_by_cwr() {
    let mut end = end();
    end.writes(20_000);
    assert_eq!(end.take().len(), 10);
    end.arrives(echo(ack(1, 1001)));
    assert_eq!(end.tcp.view().cwnd, 5000, "half of the 10000 in flight");
    assert_eq!(
        end.tcp.details().congestion_state,
        Some(tcp_model::diagnostics::CongestionState::Reduced)
    );
    assert!(end.take().is_empty());
    end.arrives(echo(ack(1, 6001)));
    assert!(end.tcp.view().cwnd >= 5000, "the same round trip");
    let sent = end.take();
    let cwr: Vec<bool> = sent.iter().map(|s| s.flags.is_cwr()).collect();
    assert!(cwr[0] && !cwr[1..].contains(&true), "{cwr:?}");
    assert!(sent.iter().all(|s| s.ecn == Ecn::Ect0));
    // The next round trip counts again.
    end.arrives(ack(1, 10_001));
    let cwnd = end.tcp.view().cwnd;
    end.arrives(echo(ack(1, 11_001)));
    assert!(end.tcp.view().cwnd < cwnd);
}

#[test]
fn a_loss_is_also_signalled_by_cwr() {
    let mut end = end();
    end.writes(12_000);
    end.take();
    let again = end.runs_to(ms(1500));
    assert!(again.iter().all(|(_, s)| !s.flags.is_cwr()), "not new data");
    end.arrives(ack(1, 10_001));
    let new = end.take();
    assert!(new[0].flags.is_cwr() && new[0].ecn == Ecn::Ect0, "{new:?}");
    assert_eq!(end.state(), State::Established);
}

/// Established with accurate feedback, and control packets that carry ECT.
fn plus_plus(ecn_plus_plus: bool) -> TestEnd {
    let mut end = TestEnd::new(TcpParams {
        ecn_plus_plus,
        ..params(EcnMode::Accurate)
    });
    end.step(Input::Listen);
    end.arrives(Segment {
        flags: SETUP | Flags::AE,
        ..syn()
    });
    assert_eq!(
        end.sent[0].1.segment.ecn == Ecn::Ect0,
        ecn_plus_plus,
        "SYN-ACK"
    );
    // The SYN-ACK arrived with the field it was sent with.
    let arrived = if ecn_plus_plus { Flags::AE } else { Flags::CWR };
    end.arrives(Segment {
        flags: Flags::ACK | arrived,
        ..ack(1, 1)
    });
    end.take();
    end
}

#[test]
fn with_ecn_plus_plus_control_packets_and_retransmissions_carry_ect() {
    for on in [false, true] {
        let mut end = plus_plus(on);
        let expected = if on { Ecn::Ect0 } else { Ecn::NotEct };
        end.writes(1000);
        assert_eq!(end.take()[0].ecn, Ecn::Ect0, "new data");
        let until = end.now + secs(4);
        let again = end.runs_to(until);
        assert_eq!(again[0].1.ecn, expected, "retransmission");
        end.arrives(Segment {
            flags: Flags::ACK | Flags::AE | Flags::ECE | Flags::PSH,
            len: 1000,
            ..ack(1, 1001)
        });
        assert_eq!(end.take()[0].ecn, expected, "pure ACK");
        end.read(1000);
        end.take();
        end.step(Input::Close);
        let fin = end.take();
        assert!(fin[0].flags.is_fin() && fin[0].ecn == expected, "{fin:?}");
    }
}

#[test]
fn a_syn_that_asks_for_accurate_feedback_may_carry_ect_with_ecn_plus_plus() {
    for (ecn, expected) in [
        (EcnMode::Accurate, Ecn::Ect0),
        (EcnMode::Active, Ecn::NotEct),
    ] {
        let mut end = TestEnd::new(TcpParams {
            ecn_plus_plus: true,
            ..params(ecn)
        });
        end.step(Input::Connect);
        assert_eq!(end.take()[0].ecn, expected, "{ecn:?}");
    }
}

/// Established with accurate feedback over a path that marks every packet; the codepoints of the data of
/// each of six rounds. `unmarked`: the round with a packet that is not marked.
fn rounds_of_ce(accecn_ce_rounds: u32, unmarked: Option<usize>) -> Vec<Ecn> {
    let mut end = TestEnd::new(TcpParams {
        accecn_ce_rounds,
        ..params(EcnMode::Accurate)
    });
    end.step(Input::Listen);
    end.arrives(Segment {
        flags: SETUP | Flags::AE,
        ..syn()
    });
    end.arrives(Segment {
        flags: Flags::ACK | Flags::CWR,
        ..ack(1, 1)
    });
    end.take();
    end.writes(1_000_000);
    let (mut una, mut cep, mut seen) = (1, 5, Vec::new());
    for round in 1..=6 {
        let flight = end.take();
        assert!(!flight.is_empty(), "round {round}");
        assert!(flight.iter().all(|s| s.ecn == flight[0].ecn));
        seen.push(flight[0].ecn);
        una += flight.iter().map(|s| s.len).sum::<u32>();
        cep += flight.len() - usize::from(unmarked == Some(round));
        let bit = |bit: usize, flag: Flags| if cep & bit != 0 { flag } else { Flags::NONE };
        end.now += SimDuration::from_millis(100);
        end.arrives(Segment {
            flags: Flags::ACK | bit(4, Flags::AE) | bit(2, Flags::CWR) | bit(1, Flags::ECE),
            ..ack(1, una)
        });
    }
    seen
}

#[test]
fn a_path_that_marks_every_packet_gets_no_more_ect() {
    // RFC 9768 section 3.2.2.3.
    for (most, unmarked, rounds) in [
        (4, None, 4_usize),
        (2, None, 2),
        (0, None, 6),
        (4, Some(3), 6),
        (4, Some(5), 4),
    ] {
        let seen = rounds_of_ce(most, unmarked);
        let with_ect = seen.iter().take_while(|ecn| **ecn == Ecn::Ect0).count();
        let without = seen.iter().filter(|ecn| **ecn == Ecn::NotEct).count();
        assert_eq!(
            (with_ect, without),
            (rounds, 6 - rounds),
            "{most} {unmarked:?}: {seen:?}"
        );
    }
}

#[test]
fn syns_that_request_different_feedback_reset_the_connection() {
    // RFC 9768 section 3.1.5; Linux does not compare them.
    for (first, second) in [(SETUP, SETUP | Flags::AE), (SETUP | Flags::AE, SETUP)] {
        for linux_input in [false, true] {
            let mut end = TestEnd::new(TcpParams {
                linux_input,
                ..params(EcnMode::Accurate)
            });
            end.step(Input::Listen);
            for flags in [first, second] {
                end.arrives(Segment { flags, ..syn() });
            }
            let answers = end.take();
            let is_reset = answers[1].flags.is_rst();
            assert_eq!(is_reset, !linux_input, "{first:?} {second:?}: {answers:?}");
            let state = match linux_input {
                true => State::SynReceived,
                false => State::Closed,
            };
            assert_eq!(end.tcp.view().state, state);
        }
    }
}
