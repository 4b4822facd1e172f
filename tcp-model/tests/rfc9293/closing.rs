//! Section 3.6: closing a connection, and TIME-WAIT.

use tcp_model::model::{ConnectionEnd, Input, Signal, TcpModel};
use tcp_model::options::TcpOption;
use tcp_model::{Flags, Segment, SeqNum, State, TcpParams};

use super::lan::{Lan, SERVER, at};
use super::rig::*;

#[test]
fn must_12_the_application_learns_whether_the_peer_closed_or_aborted() {
    let mut rig = Rig::established(plain());
    rig.get(rig.flagged(FIN_ACK, 20));
    assert!(rig.signalled(Signal::PeerClosed) && rig.end().is_none());
    assert_eq!(rig.view().readable, 20);
    let mut rig = Rig::established(plain());
    rig.get(rig.flagged(Flags::RST, 0));
    assert!(!rig.signalled(Signal::PeerClosed));
    assert_eq!(rig.end(), Some(ConnectionEnd::Reset));
}

/// An active closer that has just entered TIME-WAIT.
fn time_wait(params: TcpParams, list: &[TcpOption<'_>]) -> Rig {
    let mut rig = Rig::connected(params, list);
    rig.call(Input::Close);
    rig.get_ack();
    rig.get(stamped(&rig, rig.flagged(FIN_ACK, 0)));
    assert_eq!(rig.state(), State::TimeWait);
    rig
}

/// With a current timestamp, where timestamps are used.
fn stamped(rig: &Rig, segment: Segment) -> Segment {
    if rig.tcp.details().timestamps == Some(true) {
        let list = options(&[TcpOption::Timestamps(100, 0)]);
        return Segment {
            options: list,
            ..segment
        };
    }
    segment
}

#[test]
fn must_13_who_closes_first_stays_in_time_wait_for_two_msl() {
    let mut rig = time_wait(plain(), &[]);
    rig.wait(secs(239));
    assert_eq!(rig.state(), State::TimeWait);
    rig.wait(secs(1));
    assert_eq!(rig.state(), State::Closed);
    // The end that closes second does not enter TIME-WAIT.
    let mut rig = Rig::established(plain());
    rig.get(rig.flagged(FIN_ACK, 0));
    rig.call(Input::Close);
    rig.get_ack();
    assert_eq!(
        (rig.state(), rig.end()),
        (State::Closed, Some(ConnectionEnd::Closed))
    );
}

#[test]
fn shld_3_a_close_that_loses_data_tells_the_peer_by_a_reset() {
    // Unread at CLOSE.
    let mut rig = Rig::established(plain());
    rig.get_data(100);
    let sent = rig.call(Input::Close);
    assert_eq!(shapes(&sent), [(RST_ACK, 0)]);
    assert_eq!(rig.end(), Some(ConnectionEnd::Aborted));
    // Arriving after it.
    let mut rig = Rig::established(plain());
    assert_eq!(shapes(&rig.call(Input::Close)), [(FIN_ACK, 0)]);
    let answer = rig.get_data(1);
    assert_eq!(shapes(&answer), [(RST_ACK, 0)]);
    assert_eq!(rig.state(), State::Closed);
}

#[test]
fn may_1_after_close_nothing_is_read_any_more() {
    let mut rig = Rig::established(plain());
    rig.call(Input::Close);
    rig.news.clear();
    rig.get(rig.flagged(FIN_ACK, 0)); // without data the close is in order
    assert_eq!(rig.state(), State::TimeWait);
    assert_eq!(rig.view().readable, 0);
    rig.get_data(5);
    assert!(!rig.news.iter().any(|s| matches!(s, Signal::Readable(_))));
}

/// A SYN for the next incarnation from the same sockets.
fn next_syn(rig: &Rig, seq: SeqNum, list: &[TcpOption<'_>]) -> Segment {
    Segment {
        seq,
        ack: SeqNum(0),
        flags: Flags::SYN,
        options: options(list),
        ..rig.segment(0)
    }
}

#[test]
fn shld_4_a_newer_timestamp_ends_time_wait_early() {
    let params = || TcpParams {
        timestamps: true,
        ..plain()
    };
    let list = [TcpOption::Timestamps(90, 0)];
    // An ISN below the old numbers, which on its own would indicate an old duplicate.
    let mut rig = time_wait(params(), &list);
    let newer = next_syn(&rig, IRS - 5_000, &[TcpOption::Timestamps(101, 0)]);
    rig.get(newer);
    assert_eq!(rig.state(), State::Closed, "makes room for the next");
    let mut rig = time_wait(params(), &list);
    let older = next_syn(&rig, IRS + 90_000, &[TcpOption::Timestamps(99, 0)]);
    rig.get(older);
    assert_eq!(rig.state(), State::TimeWait);
}

#[test]
fn may_2_a_syn_beyond_the_old_numbers_reopens_and_an_old_one_does_not() {
    let old = |seq: SeqNum| {
        let mut rig = time_wait(plain(), &[]);
        let syn = next_syn(&rig, seq, &[]);
        let answer = rig.get(syn);
        (rig.state(), answer.len())
    };
    let last = IRS + 1; // of the FIN
    assert_eq!(old(last + 1), (State::Closed, 0));
    assert_eq!(
        old(last),
        (State::TimeWait, 1),
        "only larger than the largest used"
    );
    assert_eq!(old(last - 1_000), (State::TimeWait, 1));
}

#[test]
fn may_2_a_connection_reopened_by_an_old_duplicate_falls_back_to_time_wait() {
    // B closed first. A's SYN, sent again by hand after A forgot it, is refused by A's reset to the
    // SYN-ACK: B must be back in TIME-WAIT.
    let mut lan = Lan::new();
    lan.params[1].tw_accept_syn = true;
    lan.finishes = false;
    lan.connect_from(6_000, 80);
    lan.step(1, 100, |socket, known| socket.close(known.sockets[0]));
    lan.step(0, 200, |socket, known| socket.close(known.sockets[0]));
    lan.step(0, 10_000, |socket, known| {
        let local = std::net::SocketAddrV4::new(super::lan::A, 6_000);
        known
            .sockets
            .push(socket.connect_from(local, SERVER).unwrap());
    });
    lan.step(0, 10_005, |socket, known| socket.abort(known.sockets[1]));
    let done = lan.run(at(20_000));
    assert_eq!(
        done.hosts[1].time_waits(),
        1,
        "the old entry is there again"
    );
    assert_eq!(done.hosts[1].stats().time_wait_restored, 1);
}
