use super::*;

const RCV_NXT: SeqNum = SeqNum(5000);

fn entry(ts_recent: Option<u32>) -> TimeWait {
    TimeWait {
        entered: SimTime::ZERO,
        snd_nxt: SeqNum(u32::MAX),
        rcv_nxt: RCV_NXT,
        window: 500,
        shift: 1, // offers 1000
        ts_recent,
        ts_offset: 7,
        conn: ConnId::new(1, 2),
        traced: true,
    }
}

fn segment(flags: Flags, seq: SeqNum, len: u32, ts: Option<u32>) -> Segment {
    Segment {
        flags,
        seq,
        len,
        options: ts.map_or(Options::NONE, |ts| Options::timestamps_only(ts, 0)),
        ..Segment::default()
    }
}

const ACK: Flags = Flags::ACK;
const FIN_ACK: Flags = Flags(Flags::FIN.0 | Flags::ACK.0);

#[test]
fn segments_without_timestamps_meet_the_rules_of_the_state() {
    let params = TcpParams::rfc9293();
    let table = [
        // The peer's FIN again, alone and with its text; a FIN elsewhere.
        (FIN_ACK, RCV_NXT - 1, 0, TimeWaitAction::AckAndRestart),
        (FIN_ACK, RCV_NXT - 101, 100, TimeWaitAction::AckAndRestart),
        (FIN_ACK, RCV_NXT - 2, 0, TimeWaitAction::Ack),
        (FIN_ACK, RCV_NXT, 0, TimeWaitAction::Ack),
        // Acceptable and empty: no answer.
        (ACK, RCV_NXT, 0, TimeWaitAction::Drop),
        (ACK, RCV_NXT + 999, 0, TimeWaitAction::Drop),
        // Unacceptable: an ACK.
        (ACK, RCV_NXT - 1, 0, TimeWaitAction::Ack),
        (ACK, RCV_NXT + 1000, 0, TimeWaitAction::Ack),
        (ACK, RCV_NXT - 100, 100, TimeWaitAction::Ack),
        // Text after the FIN.
        (ACK, RCV_NXT, 10, TimeWaitAction::Ack),
        // No ACK bit: dropped if acceptable, else answered.
        (Flags::NONE, RCV_NXT, 0, TimeWaitAction::Drop),
        (Flags::NONE, RCV_NXT - 9, 0, TimeWaitAction::Ack),
        // SYN-ACK: an error or an attack, challenged (RFC 5961 section 4).
        (Flags::SYN_ACK, RCV_NXT, 0, TimeWaitAction::Ack),
        (Flags::SYN_ACK, RCV_NXT - 9, 0, TimeWaitAction::Ack),
        // RST: exact, in the window, outside.
        (Flags::RST, RCV_NXT, 0, TimeWaitAction::Kill),
        (Flags::RST, RCV_NXT + 1, 0, TimeWaitAction::Ack),
        (Flags::RST, RCV_NXT - 1, 0, TimeWaitAction::Drop),
        (Flags::RST, RCV_NXT + 1000, 0, TimeWaitAction::Drop),
    ];
    for (flags, seq, len, expected) in table {
        let seg = segment(flags, seq, len, None);
        let got = entry(None).segment_arrives(&seg, &params);
        assert_eq!(got, expected, "{flags} {seq} {len}");
    }
}

#[test]
fn rfc1337_ignores_every_reset() {
    let params = TcpParams {
        rfc1337: true,
        ..TcpParams::rfc9293()
    };
    for seq in [RCV_NXT, RCV_NXT + 1, RCV_NXT - 1] {
        for flags in [Flags::RST, Flags(Flags::RST.0 | Flags::ACK.0)] {
            let got = entry(None).segment_arrives(&segment(flags, seq, 0, None), &params);
            assert_eq!(got, TimeWaitAction::Drop);
        }
    }
}

#[test]
fn stale_timestamps_make_segments_unacceptable_but_not_resets() {
    let params = TcpParams::rfc9293();
    let recent = Some(u32::MAX);
    let (stale, fresh) = (Some(u32::MAX - 1), Some(3));
    let table = [
        (FIN_ACK, RCV_NXT - 1, stale, TimeWaitAction::Ack),
        (FIN_ACK, RCV_NXT - 1, fresh, TimeWaitAction::AckAndRestart),
        (ACK, RCV_NXT, stale, TimeWaitAction::Ack),
        (ACK, RCV_NXT, fresh, TimeWaitAction::Drop),
        (ACK, RCV_NXT, None, TimeWaitAction::Drop),
        (Flags::NONE, RCV_NXT, stale, TimeWaitAction::Ack),
        (Flags::RST, RCV_NXT, stale, TimeWaitAction::Kill),
    ];
    for (flags, seq, ts, expected) in table {
        let got = entry(recent).segment_arrives(&segment(flags, seq, 0, ts), &params);
        assert_eq!(got, expected, "{flags} {seq} {ts:?}");
    }
}

/// Each branch of RFC 6191 section 2.
#[test]
fn a_syn_opens_a_new_incarnation_when_it_is_provably_new() {
    let params = TcpParams::rfc9293();
    let (later, earlier) = (RCV_NXT, RCV_NXT - 1);
    let table = [
        // Both with timestamps: greater, equal with later or earlier number, less.
        (Some(10), Some(11), earlier, true),
        (Some(10), Some(10), later, true),
        (Some(10), Some(10), earlier, false),
        (Some(10), Some(9), later, false),
        (Some(u32::MAX), Some(0), earlier, true),
        // Only the old connection with timestamps: the number decides.
        (Some(10), None, later, true),
        (Some(10), None, earlier, false),
        // Only the SYN with a timestamp.
        (None, Some(0), earlier, true),
        // Neither.
        (None, None, later, true),
        (None, None, earlier, false),
    ];
    let opened = TimeWaitAction::NewIncarnation {
        iss_after: SeqNum(65_536),
    };
    let never = TcpParams {
        tw_accept_syn: false,
        ..params.clone()
    };
    for (recent, ts, seq, opens) in table {
        let syn = segment(Flags::SYN, seq, 0, ts);
        let expected = if opens { opened } else { TimeWaitAction::Ack };
        let got = entry(recent).segment_arrives(&syn, &params);
        assert_eq!(got, expected, "{recent:?} {ts:?} {seq}");
        let refused = entry(recent).segment_arrives(&syn, &never);
        assert_eq!(refused, TimeWaitAction::Ack);
    }
}

#[test]
fn the_answer_is_an_ack_of_everything() {
    let ack = entry(Some(10)).ack(80, 1234, 100);
    let expected = Segment {
        src_port: 80,
        dst_port: 1234,
        seq: SeqNum(u32::MAX),
        ack: RCV_NXT,
        flags: Flags::ACK,
        window: 500,
        options: Options::timestamps_only(107, 10),
        tag: Tag {
            conn: ConnId::new(1, 2),
            offset: 0,
            traced: true,
            ..Tag::default()
        },
        ..Segment::default()
    };
    assert_eq!(ack, expected);
    assert!(entry(None).ack(1, 2, 3).options.is_empty());
}

#[test]
fn linux_ignores_inexact_resets_and_restarts_on_whatever_acknowledges() {
    let params = TcpParams::linux();
    let recent = Some(10);
    let (stale, same, newer) = (Some(9), Some(10), Some(11));
    let next = TimeWaitAction::NewIncarnation {
        iss_after: SeqNum(65_536),
    };
    let table = [
        (FIN_ACK, RCV_NXT - 1, same, TimeWaitAction::AckAndRestart),
        (ACK, RCV_NXT, newer, TimeWaitAction::Restart),
        (ACK, RCV_NXT - 5, newer, TimeWaitAction::AckAndRestart),
        (ACK, RCV_NXT, stale, TimeWaitAction::AckAndRestart),
        (Flags::NONE, RCV_NXT - 5, same, TimeWaitAction::Ack),
        (Flags::RST, RCV_NXT, same, TimeWaitAction::Kill),
        (Flags::RST, RCV_NXT, None, TimeWaitAction::Kill),
        (Flags::RST, RCV_NXT, stale, TimeWaitAction::Drop),
        (Flags::RST, RCV_NXT + 1, same, TimeWaitAction::Drop),
        (Flags::SYN, RCV_NXT + 1, same, next),
        (Flags::SYN, RCV_NXT, same, TimeWaitAction::Ack),
        (Flags::SYN, RCV_NXT - 5, newer, next),
        (
            Flags::SYN,
            RCV_NXT + 5,
            stale,
            TimeWaitAction::AckAndRestart,
        ),
        (Flags::SYN, RCV_NXT + 1, None, next),
    ];
    for (flags, seq, ts, expected) in table {
        let got = entry(recent).segment_arrives(&segment(flags, seq, 0, ts), &params);
        assert_eq!(got, expected, "{flags} {seq} {ts:?}");
    }
    // Timestamps mean nothing when the old connection had none.
    let syn = segment(Flags::SYN, RCV_NXT - 5, 0, newer);
    assert_eq!(
        entry(None).segment_arrives(&syn, &params),
        TimeWaitAction::Ack
    );
}

#[test]
fn freebsd_ignores_resets_and_acknowledges_all_but_the_last_ack_again() {
    let params = TcpParams::freebsd();
    let mut again = segment(ACK, RCV_NXT, 0, None);
    again.ack = SeqNum(u32::MAX);
    assert_eq!(
        entry(None).segment_arrives(&again, &params),
        TimeWaitAction::Drop
    );
    for (flags, seq, len, expected) in [
        (FIN_ACK, RCV_NXT - 1, 0, TimeWaitAction::AckAndRestart),
        (ACK, RCV_NXT, 0, TimeWaitAction::Ack), // another number acknowledged
        (ACK, RCV_NXT, 10, TimeWaitAction::Ack),
        (Flags::NONE, RCV_NXT - 5, 0, TimeWaitAction::Drop),
        (Flags::RST, RCV_NXT, 0, TimeWaitAction::Drop),
        (Flags::SYN, RCV_NXT, 0, TimeWaitAction::Drop),
        (Flags::SYN_ACK, RCV_NXT, 0, TimeWaitAction::Ack),
    ] {
        let got = entry(None).segment_arrives(&segment(flags, seq, len, None), &params);
        assert_eq!(got, expected, "{flags} {seq} {len}");
    }
    // Without a timestamp, where they were agreed (tolerate_missing_ts).
    let bare = segment(ACK, RCV_NXT, 10, None);
    let strict = TcpParams {
        require_timestamps: true,
        ..params.clone()
    };
    for (params, expected) in [
        (params, TimeWaitAction::Ack),
        (strict, TimeWaitAction::Drop),
    ] {
        let got = entry(Some(1)).segment_arrives(&bare, &params);
        assert_eq!(got, expected);
    }
}
