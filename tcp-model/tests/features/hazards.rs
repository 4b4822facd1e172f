//! The hazards of RFC 1337: what old duplicates do to the next incarnation of a connection if
//! TIME-WAIT does not keep them away. H1: their data are accepted. H2: the ends stay out of step
//! for ever. H3: the connection fails.

use std::net::SocketAddrV4;

use sim_core::Packet;
use tcp_model::app::AppEvent;
use tcp_model::host::SocketId;
use tcp_model::spec::{AppSpec, SinkSpec};
use tcp_model::testing::{B, Pair};
use tcp_model::{ConnId, ConnectionEnd};

use super::*;

const ROUND_TRIP: u64 = 20;

/// A connection that carried 1000 octets a second ago, and the packet with these octets.
fn connected(params: &TcpParams) -> (Pair, SocketId, Packet<Segment>) {
    let sink = SinkSpec {
        port: 80,
        backlog: 1,
        read_rate: None,
        ..SinkSpec::default()
    };
    let mut pair =
        Pair::new(params.clone(), params.clone()).with_apps(1, vec![AppSpec::Sink(sink)]);
    let id = pair
        .call(0, |s| s.connect(None, SocketAddrV4::new(B, 80)))
        .unwrap();
    pair.run_until(ms(5 * ROUND_TRIP));
    pair.call(0, |s| s.write(id, 1000));
    pair.run_until(ms(1000));
    let mut sent = pair.log().iter().filter(|p| p.packet.payload.len == 1000);
    let packet = sent.next().unwrap().packet;
    (pair, id, packet)
}

/// A packet like the given one, as an earlier incarnation would have sent it: it fits what the
/// receiver expects next, and its timestamp is older.
fn old_duplicate(of: &Packet<Segment>) -> Packet<Segment> {
    let mut old = *of;
    old.payload.seq = of.payload.seq_end();
    old.payload.tag.conn = ConnId::new(77, 7);
    if let Some((val, echo)) = of.payload.options.timestamps() {
        old.payload.options = Options::timestamps_only(val.wrapping_sub(5_000), echo);
    }
    old
}

fn arrives(pair: &mut Pair, at: usize, packet: &Packet<Segment>) {
    let now = pair.now();
    pair.host_mut(at).receive(now, packet);
    pair.call(at, |_| ());
}

fn corrupted(pair: &Pair) -> u64 {
    pair.host(1).host().counts().old_duplicate_bytes
}

/// Packets in the ten seconds after the old duplicate arrived at the server.
fn packets_after(params: &TcpParams) -> (u64, usize) {
    let (mut pair, _, packet) = connected(params);
    let before = pair.log().len();
    arrives(&mut pair, 1, &old_duplicate(&packet));
    pair.run_until(ms(11_000));
    (corrupted(&pair), pair.log().len() - before)
}

/// The old segment acknowledges data that were never sent: each end answers the other's ACK for
/// ever.
#[test]
fn h1_and_h2_old_data_are_taken_and_make_an_endless_loop_of_acks() {
    let endless = TcpParams {
        challenge_ack_interval: SimDuration::ZERO,
        challenge_ack_limit: None,
        ..plain()
    };
    let (bytes, packets) = packets_after(&endless);
    let rounds = 10_000 / ROUND_TRIP as usize;
    assert_eq!(bytes, 1000);
    assert!((rounds..=2 * rounds + 4).contains(&packets), "{packets}");
    // Linux limits the rate of these answers.
    let limited = TcpParams {
        timestamps: false,
        ..TcpParams::linux()
    };
    let (bytes, packets) = packets_after(&limited);
    assert_eq!(bytes, 1000);
    assert!((2..60).contains(&packets), "{packets}");
}

/// PAWS: the timestamp of the old incarnation is older than that of the last segment.
#[test]
fn timestamps_keep_old_data_away() {
    let (bytes, packets) = packets_after(&TcpParams::linux());
    assert_eq!(bytes, 0);
    assert!(
        packets <= 2,
        "one ACK that tells what is expected: {packets}"
    );
}

/// A reset of the old incarnation that falls into the window: under RFC 793 it ends the new one;
/// under RFC 5961 only a reset at exactly the next expected sequence number does.
#[test]
fn h3_an_old_reset_kills_the_connection_unless_it_has_to_be_exact() {
    for (any_in_window, dies) in [(true, true), (false, false)] {
        let params = TcpParams {
            rst_in_window_resets: any_in_window,
            ..plain()
        };
        let (mut pair, id, packet) = connected(&params);
        while pair.next_event(0).is_some() {}
        let mut reset = packet;
        (reset.src, reset.dst) = (packet.dst, packet.src);
        reset.payload = Segment {
            src_port: packet.payload.dst_port,
            dst_port: packet.payload.src_port,
            seq: packet.payload.ack + 500,
            flags: Flags::RST,
            ..Segment::default()
        };
        arrives(&mut pair, 0, &reset);
        let ended = pair.next_event(0) == Some(AppEvent::Ended(id, ConnectionEnd::Reset));
        assert_eq!(ended, dies, "{any_in_window}");
    }
}
