//! When a connection is in doubt and when it is given up: R1, R2, the user time-out, keep-alive
//! (RFC 9293 sections 3.8.3 and 3.8.4).

use tcp_model::params::GiveUp;

use super::*;

/// MUST-20 (a), SHLD-9, SHLD-10, MUST-22.
#[test]
fn after_r1_retransmissions_the_path_is_in_doubt() {
    for connecting in [false, true] {
        let mut end = if connecting {
            let mut end = TestEnd::new(plain());
            end.step(Input::Connect);
            end
        } else {
            let mut end = TestEnd::established(plain());
            end.writes(1000);
            end
        };
        let mut doubts = Vec::new();
        for n in 1..=5 {
            let at = end.tcp.next_timeout().unwrap();
            end.runs_to(at);
            if end.news().contains(&Signal::DeliveryTrouble) {
                doubts.push(n);
            }
        }
        assert_eq!(doubts, [3], "reported once, at the third");
    }
}

/// MUST-21: R2 is set by the application.
#[test]
fn the_user_timeout_ends_a_connection_without_acknowledgements() {
    let params = TcpParams {
        data_give_up: GiveUp::Never,
        ..plain()
    };
    let mut patient = TestEnd::established(params.clone());
    patient.writes(1000);
    patient.runs_to(ms(3_000_000));
    assert_eq!(patient.state(), State::Established, "infinite");
    let mut end = TestEnd::established(params.clone());
    end.changes(|p| p.user_timeout = Some(secs(10)), &params);
    end.writes(1000);
    end.runs_to(ms(9_900));
    assert_eq!(end.state(), State::Established);
    end.runs_to(ms(16_000));
    assert_eq!(end.ended(), Some(tcp_model::ConnectionEnd::TimedOut));
}

/// In Linux the user time-out replaces the number of probes.
#[test]
fn the_user_timeout_counts_for_keep_alive() {
    let idle = |user_timeout| {
        let mut end = TestEnd::established(TcpParams {
            keepalive: Some(secs(10)),
            keepalive_interval: secs(1),
            keepalive_probes: 5,
            user_timeout,
            ..plain()
        });
        let probes = end.runs_to(ms(100_000));
        let probes = probes.iter().filter(|(_, s)| !s.flags.is_rst()).count();
        assert_eq!(end.state(), State::Closed);
        probes
    };
    assert_eq!(idle(None), 5);
    assert_eq!(idle(Some(secs(12))), 2);
    assert_eq!(
        idle(Some(secs(1))),
        1,
        "MUST-29: never before one went unanswered"
    );
}

/// MUST-24, MUST-27.
#[test]
fn keep_alive_is_switched_and_timed_while_the_connection_is_open() {
    let params = plain();
    let mut end = TestEnd::established(params.clone());
    assert!(end.runs_to(ms(50_000)).is_empty(), "MUST-25");
    end.changes(|p| p.keepalive = Some(secs(20)), &params);
    assert_eq!(end.tcp.next_timeout(), Some(ms(70_000)));
    let with = TcpParams {
        keepalive: Some(secs(20)),
        ..params.clone()
    };
    end.runs_to(ms(60_000));
    // The idle time counts from the last sign of life.
    end.changes(|p| p.keepalive = Some(secs(15)), &with);
    assert_eq!(end.tcp.next_timeout(), Some(ms(65_000)));
    let with = TcpParams {
        keepalive: Some(secs(15)),
        ..params
    };
    end.changes(|p| p.keepalive = None, &with);
    assert_eq!(end.tcp.next_timeout(), None);
}

/// The data about segments in flight that Linux reports in `tcp_info`.
#[test]
fn details_include_the_segments_in_flight() {
    let mut end = TestEnd::established(TcpParams {
        timestamps: false,
        nagle: false,
        ..TcpParams::linux()
    });
    for _ in 0..5 {
        end.writes(300);
    }
    end.take();
    end.now = ms(50);
    end.arrives(ack(1, 301));
    let details = end.tcp.details();
    assert_eq!(details.min_rtt, Some(SimDuration::ZERO), "the handshake's");
    assert_eq!((details.sacked, details.lost), (Some(0), Some(0)));
    end.now = ms(90);
    let mut sacked = ack(1, 301);
    let from = SeqNum(ISS) + 601;
    sacked.options.push_sack(&[(from, from + 900)]);
    end.arrives(sacked);
    let details = end.tcp.details();
    assert_eq!(details.sacked, Some(3), "small ones, each counted");
    assert_eq!((details.lost, details.retransmitted), (Some(1), Some(1)));
    assert_eq!(
        details.congestion_state,
        Some(tcp_model::diagnostics::CongestionState::Recovery)
    );
}

/// RFC 5961 sections 3, 4, 5 and 7.
#[test]
fn challenge_acks_for_suspicious_segments_are_limited() {
    let mut end = TestEnd::established(TcpParams {
        timestamps: false,
        ..TcpParams::linux()
    });
    let reset = Segment {
        flags: Flags::RST,
        ..ack(100, 0)
    };
    let forged = [
        reset,
        Segment {
            flags: Flags::SYN,
            ..ack(1, 0)
        },
        ack(1, 5000),
    ];
    for (n, segment) in forged.into_iter().enumerate() {
        end.now = ms(1000 * (n as u64 + 1));
        end.arrives(segment);
        assert!(end.sent[0].1.challenge);
        let sent = end.take();
        assert_eq!(
            (sent.len(), sent[0].flags, sent[0].ack),
            (1, Flags::ACK, SeqNum(1))
        );
        end.now += SimDuration::from_millis(499);
        end.arrives(segment);
        assert_eq!(end.take(), [], "within 500 ms");
        assert_eq!(end.state(), State::Established);
    }
    // Data from outside the window are always acknowledged; that ACK is no challenge ACK.
    for _ in 0..3 {
        end.arrives(data(4_000_000, 10));
        assert!(!end.sent[0].1.challenge);
        assert_eq!(end.take().len(), 1);
    }
}
