//! `TCP_DEFER_ACCEPT`.

use super::*;

fn deferring(seconds: u64) -> TestEnd {
    let mut end = TestEnd::new(TcpParams {
        timestamps: false,
        defer_accept: Some(secs(seconds)),
        ..TcpParams::linux()
    });
    end.step(Input::Listen);
    end.arrives(syn());
    end.take();
    end.arrives(ack(1, 1));
    end
}

#[test]
fn the_bare_last_ack_does_not_establish_and_data_do() {
    let mut end = deferring(5);
    assert_eq!((end.state(), end.take()), (State::SynReceived, vec![]));
    end.arrives(data(1, 100));
    assert_eq!(end.state(), State::Established);
    assert_eq!(end.tcp.view().rcv_nxt, SeqNum(101));
    let mut at_once = TestEnd::new(TcpParams {
        defer_accept: Some(secs(5)),
        ..plain()
    });
    at_once.step(Input::Listen);
    at_once.arrives(syn());
    at_once.arrives(data(1, 100));
    assert_eq!(at_once.state(), State::Established);
}

/// Five seconds are three time-outs, at 1, 3 and 7 s. After the ACK the SYN-ACK is not
/// retransmitted, except once at the end as a last chance; then a bare ACK is sufficient.
#[test]
fn at_the_end_of_the_deferral_a_bare_ack_establishes() {
    let mut end = deferring(5);
    let sent: Vec<u64> = end.runs_to(ms(8_000)).iter().map(|(at, _)| *at).collect();
    assert_eq!(sent, [7000]);
    end.arrives(ack(1, 1));
    assert_eq!(end.state(), State::Established);
}

#[test]
fn a_fin_establishes_too() {
    let mut end = deferring(5);
    end.arrives(Segment {
        flags: Flags::ACK | Flags::FIN,
        ..ack(1, 1)
    });
    assert_eq!(end.state(), State::CloseWait);
}
