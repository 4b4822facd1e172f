//! Urgent data (RFC 9293 section 3.8.5, RFC 6093).

use super::*;

fn urgent(seq: u32, len: u32, pointer: u16) -> Segment {
    let data = data(seq, len);
    Segment {
        urgent: pointer,
        flags: data.flags | Flags::URG,
        ..data
    }
}

fn urgent_ends(end: &mut TestEnd) -> Vec<u32> {
    let news = end.news();
    let urgent = news.iter().filter_map(|s| match s {
        Signal::Urgent(ahead) => Some(*ahead),
        _ => None,
    });
    urgent.collect()
}

/// MUST-32, MUST-33.
#[test]
fn the_application_learns_of_urgent_data_and_how_much_remains() {
    let mut end = TestEnd::established(plain());
    assert_eq!(end.tcp.view().urgent, None);
    end.arrives(urgent(1, 100, 250));
    assert_eq!(urgent_ends(&mut end), [250]);
    assert_eq!(end.tcp.view().urgent, Some(250), "beyond what has arrived");
    end.arrives(urgent(101, 100, 150));
    assert_eq!(urgent_ends(&mut end), [], "the same end of it");
    end.arrives(urgent(201, 100, 90));
    assert_eq!(urgent_ends(&mut end), [290], "the pointer advanced");
    end.step(Input::Receive(200));
    assert_eq!(end.tcp.view().urgent, Some(90));
    end.step(Input::Receive(100));
    assert_eq!(end.tcp.view().urgent, None, "all of it is read");
}

/// MUST-31, MUST-62: the pointer is to the octet after the urgent data, which may be of any length.
#[test]
fn urgent_data_of_any_length_are_announced_by_every_segment_up_to_their_end() {
    let mut end = TestEnd::established(TcpParams {
        initial_window: 100,
        ..plain()
    });
    end.step(Input::Send(SendCall {
        bytes: 2500,
        push: true,
        urgent: true,
        ..SendCall::default()
    }));
    let sent: Vec<(bool, u16)> = end
        .take()
        .iter()
        .map(|s| (s.flags.is_urg(), s.urgent))
        .collect();
    assert_eq!(sent, [(true, 2500), (true, 1500), (true, 500)]);
    end.writes(1000);
    let sent = end.take();
    assert!(
        !sent.is_empty() && sent.iter().all(|s| !s.flags.is_urg()),
        "{sent:?}"
    );
}

/// MUST-66.
#[test]
fn urgent_data_are_announced_through_a_closed_window() {
    let mut end = TestEnd::established(TcpParams {
        receive_buffer: 1000,
        ..plain()
    });
    end.arrives(data(1, 1000));
    assert_eq!(end.tcp.view().rcv_wnd, 0);
    end.news();
    end.arrives(urgent(1001, 10, 10));
    assert_eq!(urgent_ends(&mut end), [1010]);
}
