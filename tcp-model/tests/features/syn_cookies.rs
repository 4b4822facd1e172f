//! A connection made from a returned SYN cookie.

use tcp_model::syn_cookie::CookieHandshake;

use super::*;

#[test]
fn a_connection_resumes_from_the_content_of_a_cookie() {
    let agreed = CookieHandshake {
        iss: SeqNum(77_000),
        irs: SeqNum(0),
        mss: 1300,
        window_shift: Some(3),
        sack: true,
        ts_recent: Some(5),
        ecn: true,
    };
    let mut end = TestEnd::new(TcpParams::linux());
    end.step(Input::Resume(&agreed));
    assert_eq!(
        (end.state(), end.take()),
        (State::SynReceived, vec![]),
        "nothing is sent again"
    );
    assert_eq!(end.tcp.next_timeout(), None);
    end.arrives(Segment {
        ack: SeqNum(77_001),
        options: Options::timestamps_only(6, 0),
        window: 1000,
        ..data(1, 100)
    });
    assert_eq!(end.state(), State::Established);
    let details = end.tcp.details();
    assert_eq!(details.snd_mss, Some(1288), "less the timestamps");
    assert_eq!((details.sack, details.ecn), (Some(true), Some(true)));
    assert_eq!(details.window_scale.map(|w| w.0), Some(3));
    assert_eq!(end.tcp.view().snd_wnd, 8000);
    assert_eq!(end.tcp.view().rcv_nxt, SeqNum(101));
    end.take();
    end.writes(10);
    let sent = end.take();
    assert_eq!((sent[0].seq, sent[0].len), (SeqNum(77_001), 10));
}
