//! Exchanges of two end points, segment by segment, as in textbooks, with exact times.
//!
//! One-way delay 50 ms; sequence numbers relative to each side's ISN, the SYN being 0.

mod common;

use common::{Act, Channel, ConnectionPair, PairSide, trace};
use sim_core::{SimDuration, SimTime};
use tcp_model::TcpParams;

fn ms(n: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_millis(n)
}

fn write(bytes: u64) -> Act {
    Act::Write {
        bytes,
        push: true,
        urgent: false,
    }
}

/// RFC profile without timestamps (plain numbers), ACKs delayed 100 ms, TIME-WAIT 240 s.
fn params() -> TcpParams {
    TcpParams {
        timestamps: false,
        delayed_ack: SimDuration::from_millis(100),
        ..TcpParams::rfc9293()
    }
}

fn world(a: Vec<(SimTime, Act)>, b: Vec<(SimTime, Act)>, drop: &[usize]) -> ConnectionPair {
    let channel = Channel {
        delay: SimDuration::from_millis(50),
        loss: 0.0,
        duplicate: 0.0,
        reorder: 0.0,
        dead_from: SimTime::MAX,
    };
    let mut world = ConnectionPair::new(
        1,
        channel,
        [
            PairSide::new(params(), a, true),
            PairSide::new(params(), b, true),
        ],
        false,
    );
    world.drop = drop.to_vec();
    world
}

fn show(name: &str, world: &mut ConnectionPair) -> String {
    world.run(10_000);
    let mut text = format!("== {name}\n");
    for line in trace(world) {
        text += &line;
        text += "\n";
    }
    for (name, side) in ["A", "B"].iter().zip(&world.sides) {
        let states: Vec<String> = side
            .states
            .iter()
            .map(|(t, s)| format!("{:.3} {s}", t.as_secs_f64()))
            .collect();
        text += &format!("{name}: {} | {:?}\n", states.join(", "), side.end);
    }
    text
}

/// PSH means "deliver at once"; data without it may wait in the receiver (RFC 9293 section
/// 3.9.1.2), unless the receiver never holds data.
#[test]
fn a_receiver_that_holds_data_delivers_them_on_push() {
    use std::net::{Ipv4Addr, SocketAddrV4};
    use tcp_model::model::{Input, OpenContext, Outputs, Signal, TcpModel};
    use tcp_model::{ConnId, Connection, Flags, Segment, SeqNum};
    for (hold, text) in [(true, vec![2000]), (false, vec![1000, 2000])] {
        let end = |n| SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, n), 7);
        let mut b = Connection::new(OpenContext {
            params: std::sync::Arc::new(TcpParams {
                hold_until_push: hold,
                ..params()
            }),
            conn: ConnId::new(0, 0),
            traced: false,
            local: end(2),
            remote: end(1),
            iss: SeqNum(900),
            ts_offset: 0,
        });
        let mut out = Outputs::default();
        let base = Segment {
            src_port: 7,
            dst_port: 7,
            window: 1000,
            ..Segment::default()
        };
        b.step(Input::Listen, ms(0), &mut out);
        let syn = Segment {
            seq: SeqNum(99),
            flags: Flags::SYN,
            ..base
        };
        b.step(Input::Segment(&syn), ms(0), &mut out);
        for (seq, flags, len) in [
            (100, Flags::ACK, 0),
            (100, Flags::ACK, 1000),
            (1100, Flags::ACK | Flags::PSH, 1000),
        ] {
            let segment = Segment {
                seq: SeqNum(seq),
                ack: SeqNum(901),
                flags,
                len,
                ..base
            };
            b.step(Input::Segment(&segment), ms(1), &mut out);
        }
        let readable: Vec<u64> = out
            .signals
            .iter()
            .filter_map(|s| match s {
                Signal::Readable(bytes) => Some(*bytes),
                _ => None,
            })
            .collect();
        assert_eq!(readable, text, "hold_until_push = {hold}");
    }
}

/// Every exchange as text; `stories.txt` holds the texts that were reviewed against RFC 9293's figures.
#[test]
fn stories_match_the_reviewed_text() {
    let close_after = |a: u64, b: u64| (vec![(ms(a), Act::Close)], vec![(ms(b), Act::Close)]);
    let with = |plan: (Vec<_>, Vec<_>), drop: &[usize]| world(plan.0, plan.1, drop);
    let say = |bytes, close, b| {
        (
            vec![(ms(200), write(bytes)), (ms(close), Act::Close)],
            vec![(ms(b), Act::Close)],
        )
    };
    let mut text = String::new();
    text += &show("client closes first", &mut with(say(100, 400, 1000), &[]));
    let half = vec![(ms(200), write(100)), (ms(201), Act::Shutdown)];
    let answer = vec![(ms(500), write(2000)), (ms(900), Act::Close)];
    text += &show(
        "half close, Nagle and delayed ACK",
        &mut with((half, answer), &[]),
    );
    text += &show("simultaneous close", &mut with(close_after(300, 300), &[]));
    let abort = vec![(ms(200), write(100)), (ms(400), Act::Abort)];
    text += &show("abort", &mut with((abort, vec![]), &[]));
    text += &show("lost SYN", &mut with(close_after(3000, 4000), &[0]));
    text += &show("lost SYN-ACK", &mut with(close_after(3000, 4000), &[1]));
    text += &show(
        "lost ACK of the handshake",
        &mut with(say(10, 3000, 4000), &[2]),
    );
    text += &show("lost FIN", &mut with(close_after(300, 3000), &[3]));
    text += &show("lost last ACK", &mut with(close_after(300, 500), &[6]));
    text += &show("fast retransmit", &mut with(say(14_600, 3000, 4000), &[4]));
    text += &show(
        "time-out of the last segment",
        &mut with(say(2_920, 3000, 4000), &[4]),
    );
    let mut both = with(close_after(300, 500), &[]);
    both.open_both();
    text += &show("simultaneous open", &mut both);
    let mut zero = with(say(2_000, 3000, 9_000), &[]);
    zero.sides[1].params = std::sync::Arc::new(TcpParams {
        receive_buffer: 1_000,
        ..params()
    });
    zero.sides[1].eager = false;
    zero.sides[1].reader = (SimDuration::from_secs(4), 1_000);
    text += &show("closed window and its probes", &mut zero);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stories.txt");
    if std::env::var_os("SYNFIN_RETELL").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let reviewed = std::fs::read_to_string(path).unwrap();
    for (line, (text, reviewed)) in text.lines().zip(reviewed.lines()).enumerate() {
        assert_eq!(
            text,
            reviewed,
            "line {} (SYNFIN_RETELL=1 rewrites the file)",
            line + 1
        );
    }
    assert_eq!(text.len(), reviewed.len());
}
