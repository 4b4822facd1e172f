//! RFC 7413, both sides.

use tcp_model::fast_open::{
    Cookie, FastConnect, FastListen, FastOpenForm, FastOpenNews, FastOpenOption,
};

use super::*;

fn cookie() -> Cookie {
    Cookie::new(&[1, 2, 3, 4, 5, 6, 7, 8]).unwrap()
}

fn option(cookie: Cookie) -> FastOpenOption {
    FastOpenOption {
        cookie,
        form: FastOpenForm::Standard,
    }
}

fn connect(option: Option<FastOpenOption>, bytes: u64, mss: u16) -> TestEnd {
    let mut end = TestEnd::new(TcpParams {
        nagle: false,
        ..plain()
    });
    let data = SendCall::pushed(bytes);
    end.step(Input::ConnectWith(&FastConnect { option, mss, data }));
    end
}

fn with_option(segment: Segment, option: FastOpenOption) -> Segment {
    let mut segment = segment;
    option.push(&mut segment.options).unwrap();
    segment
}

fn learnt(end: &mut TestEnd) -> FastOpenNews {
    let news = end.news();
    let found = news.iter().find_map(|s| match s {
        Signal::FastOpen(news) => Some(*news),
        _ => None,
    });
    found.expect("news of Fast Open")
}

fn listen(cookie_not_required: bool) -> TestEnd {
    let mut end = TestEnd::new(plain());
    end.step(Input::ListenWith(&FastListen {
        expected: cookie(),
        cookie_not_required,
    }));
    end
}

/// Section 4.1.1: the client asks for a cookie and the server sends one, in both forms of the option.
#[test]
fn a_client_without_a_cookie_asks_for_one_and_sends_its_data_later() {
    for form in [FastOpenForm::Standard, FastOpenForm::Experimental] {
        let request = FastOpenOption {
            cookie: Cookie::REQUEST,
            form,
        };
        let mut client = connect(Some(request), 500, 0);
        let syn = client.take().remove(0);
        assert_eq!((syn.flags, syn.len), (Flags::SYN, 0));
        assert_eq!(FastOpenOption::find(&syn.options), Some(request));
        let mut server = listen(false);
        server.arrives(syn);
        let answer = server.take().remove(0);
        let option_sent = FastOpenOption {
            cookie: cookie(),
            form,
        };
        assert_eq!(FastOpenOption::find(&answer.options), Some(option_sent));
        client.arrives(with_option(syn_ack(1), option_sent));
        let news = learnt(&mut client);
        assert_eq!((news.cookie, news.mss), (Some(option_sent), 1000));
        assert_eq!(client.text(), [(1, 500)]);
    }
}

/// Section 4.2: the exchange in one round trip.
#[test]
fn data_go_with_the_syn_and_are_taken_before_the_handshake_is_complete() {
    let mut client = connect(Some(option(cookie())), 500, 1000);
    let syn = client.take().remove(0);
    assert_eq!((syn.flags, syn.len), (Flags::SYN, 500));
    assert_eq!(client.tcp.view().snd_nxt, SeqNum(ISS) + 501);

    let mut server = listen(false);
    server.arrives(Segment {
        seq: SeqNum(0),
        ..syn
    });
    assert_eq!(server.state(), State::SynReceived);
    assert_eq!(server.tcp.view().readable, 500);
    let news = server.news();
    assert!(news.contains(&Signal::Connected) && news.contains(&Signal::Readable(500)));
    let answer = server.take().remove(0);
    assert_eq!((answer.flags, answer.ack), (Flags::SYN_ACK, SeqNum(501)));
    assert_eq!(
        FastOpenOption::find(&answer.options),
        None,
        "no news of the cookie"
    );
    // Section 4.2.2: it may answer before the client's ACK.
    server.writes(1000);
    assert_eq!(server.text(), [(1, 1000)]);
    server.arrives(ack(501, 1001));
    assert_eq!(server.state(), State::Established);
    assert!(
        !server.news().contains(&Signal::Connected),
        "option_sent once"
    );
    let view = server.tcp.view();
    assert_eq!((view.snd_una, view.send_queue), (view.snd_nxt, 0));

    client.arrives(syn_ack(501));
    let view = client.tcp.view();
    assert_eq!((view.state, view.send_queue), (State::Established, 0));
    assert_eq!(client.tcp.details().syn_data_acked, Some(true));
    assert_eq!(learnt(&mut client).cookie, None);
}

/// Section 4.2.1: data that do not fit in the SYN follow later; forty octets are reserved for options.
#[test]
fn the_cached_mss_bounds_the_data_of_a_syn() {
    for (mss, len) in [(1000, 960), (1460, 1420), (9000, 1420), (0, 496)] {
        let mut client = connect(Some(option(cookie())), 3000, mss);
        assert_eq!(client.take()[0].len, len, "{mss}");
        client.arrives(syn_ack(1 + len));
        let rest: u32 = client.text().iter().map(|(_, len)| len).sum();
        assert_eq!(rest, 3000 - len);
    }
}

/// Section 4.2.1: data that a server does not accept are sent to it again.
#[test]
fn data_that_the_answer_does_not_acknowledge_are_sent_again_at_once() {
    let mut client = connect(Some(option(cookie())), 500, 1000);
    client.take();
    client.arrives(syn_ack(1));
    assert_eq!(client.text(), [(1, 500)]);
    assert_eq!(client.tcp.view().counts.retransmissions, 1);
    assert_eq!(client.tcp.details().syn_data_acked, Some(false));
    client.arrives(ack(1, 501));
    assert_eq!(client.tcp.view().send_queue, 0);
}

/// Section 4.1.3.1: the path may drop such a SYN.
#[test]
fn a_retransmitted_syn_is_a_plain_one() {
    let mut client = connect(Some(option(cookie())), 500, 1000);
    client.take();
    let again = client.runs_to(ms(1500));
    assert_eq!(again.len(), 1);
    let (at, syn) = again[0];
    assert_eq!((at, syn.flags, syn.len), (1000, Flags::SYN, 0));
    assert_eq!(FastOpenOption::find(&syn.options), None);
    // The answer to the plain one.
    client.arrives(syn_ack(1));
    assert_eq!(client.text(), [(1, 500)]);
    assert!(learnt(&mut client).syn_dropped);
    // Or the reply to the first SYN, which was only late.
    let mut client = connect(Some(option(cookie())), 500, 1000);
    client.runs_to(ms(1500));
    client.take();
    client.arrives(syn_ack(501));
    assert_eq!(client.tcp.view().send_queue, 0);
    assert!(!learnt(&mut client).syn_dropped);
}

#[test]
fn an_unanswered_request_is_reported_to_the_host() {
    let mut client = connect(Some(option(Cookie::REQUEST)), 0, 0);
    client.arrives(syn_ack(1));
    assert_eq!(learnt(&mut client).unanswered, Some(FastOpenForm::Standard));
    let mut plain = TestEnd::new(plain());
    plain.step(Input::Connect);
    plain.arrives(with_option(syn_ack(1), option(cookie())));
    let unasked = |s: &Signal| matches!(s, Signal::FastOpen(_));
    assert!(
        !plain.news().iter().any(unasked),
        "a cookie nobody asked for"
    );
}

/// Section 4.2.2: a wrong cookie opens an ordinary connection, and the right one is returned.
#[test]
fn a_wrong_cookie_gets_the_right_one_and_an_ordinary_handshake() {
    let wrong = Cookie::new(&[9; 8]).unwrap();
    let mut server = listen(false);
    let with_data = Segment { len: 100, ..syn() };
    server.arrives(with_option(with_data, option(wrong)));
    assert_eq!(server.tcp.view().readable, 0);
    let answer = server.take().remove(0);
    assert_eq!(answer.ack, SeqNum(1));
    let option_sent = FastOpenOption::find(&answer.options);
    assert_eq!(option_sent, Some(option(cookie())));
    // Retransmitted, it no longer carries the cookie (Linux).
    let again = server.runs_to(ms(1500));
    assert_eq!(FastOpenOption::find(&again[0].1.options), None);
    server.arrives(Segment {
        len: 100,
        ..ack(1, 1)
    });
    assert_eq!(server.tcp.view().rcv_nxt, SeqNum(101));
}

#[test]
fn data_without_the_option_are_taken_only_where_no_cookie_is_required() {
    for (not_required, taken) in [(false, 0), (true, 100)] {
        let mut server = listen(not_required);
        server.arrives(Segment { len: 100, ..syn() });
        let answer = server.take().remove(0);
        assert_eq!(answer.ack, SeqNum(1 + taken));
        assert_eq!(server.tcp.view().rcv_nxt, SeqNum(1 + taken));
        assert_eq!(FastOpenOption::find(&answer.options), None);
    }
    let mut bare = connect(None, 100, 0);
    let syn = bare.take().remove(0);
    assert_eq!((syn.len, FastOpenOption::find(&syn.options)), (100, None));
}

/// Linux: only the SYN-ACK is retransmitted before it is acknowledged.
#[test]
fn an_early_answer_is_not_sent_again_before_the_handshake_is_complete() {
    let mut server = listen(true);
    server.arrives(Segment { len: 100, ..syn() });
    server.writes(200);
    assert_eq!(server.text(), [(0, 0), (1, 200)]);
    server.step(Input::Shutdown);
    let fin = server.take().remove(0);
    assert_eq!((server.state(), range(&fin)), (State::FinWait1, (201, 0)));
    let again = server.runs_to(ms(1500));
    assert!(
        again.len() == 1 && again[0].1.flags == Flags::SYN_ACK,
        "{again:?}"
    );
    server.arrives(ack(101, 1));
    assert_eq!(server.state(), State::FinWait1);
    let sent = server.runs_to(ms(5000));
    assert_eq!(range(&sent[0].1), (1, 200), "now the data");
    server.arrives(ack(101, 202));
    assert_eq!(server.state(), State::FinWait2);
    assert_eq!(server.tcp.view().send_queue, 0);
}

/// RFC 9293 section 3.10.4, SYN-RECEIVED STATE.
#[test]
fn a_close_before_the_handshake_is_complete_sends_a_fin_if_nothing_waits() {
    let opening = || {
        let mut end = TestEnd::new(plain());
        end.step(Input::Listen);
        end.arrives(syn());
        end.take();
        end
    };
    let mut end = opening();
    end.step(Input::Close);
    assert_eq!(end.state(), State::FinWait1);
    assert!(end.take().remove(0).flags.is_fin());
    let again = end.runs_to(ms(1500));
    assert_eq!(again[0].1.flags, Flags::SYN_ACK, "the SYN first");
    end.arrives(ack(1, 2));
    assert_eq!(end.state(), State::FinWait2);
    // Data written earlier are sent first, when the handshake is complete.
    let mut end = opening();
    end.writes(100);
    end.step(Input::Shutdown);
    assert_eq!((end.state(), end.take()), (State::SynReceived, vec![]));
    end.arrives(ack(1, 1));
    let sent = end.take();
    assert!(end.state() == State::FinWait1 && sent[0].len == 100 && sent[0].flags.is_fin());
    // A reset, or no answer at all.
    let mut end = opening();
    end.step(Input::Close);
    end.arrives(Segment {
        flags: Flags::RST,
        ..ack(1, 0)
    });
    assert_eq!(end.state(), State::Closed);
    let mut end = opening();
    end.step(Input::Close);
    end.runs_to(ms(1_000_000));
    assert_eq!(end.state(), State::Closed);
}
