//! How a receiver reports duplicates: RFC 2883, with the order of blocks of RFC 2018.

use super::*;

fn dsack(end: &mut TestEnd, seq: u32, len: u32) -> Vec<(u32, u32)> {
    end.arrives(data(seq, len));
    let sent = end.take();
    assert_eq!(sent.len(), 1, "{sent:?}");
    sack(&sent[0])
}

#[test]
fn a_whole_duplicate_below_the_acknowledgement_is_reported_once() {
    let mut end = TestEnd::established(plain());
    assert_eq!(dsack(&mut end, 1, 500), []);
    assert_eq!(dsack(&mut end, 501, 500), []);
    assert_eq!(dsack(&mut end, 501, 500), [(501, 1001)]);
    assert_eq!(dsack(&mut end, 1001, 500), [], "not again");
    assert_eq!(dsack(&mut end, 1, 1500), [(1, 1501)]);
}

#[test]
fn the_old_part_of_a_segment_is_reported() {
    let mut end = TestEnd::established(plain());
    dsack(&mut end, 1, 500);
    assert_eq!(dsack(&mut end, 301, 500), [(301, 501)]);
    assert_eq!(end.tcp.view().readable, 800);
}

/// RFC 2883 section 4.1.1 to 4.1.3: the duplicate first, then the block that contains it, then the
/// rest.
#[test]
fn a_duplicate_ahead_of_a_gap_comes_before_the_block_that_holds_it() {
    let mut end = TestEnd::established(plain());
    assert_eq!(dsack(&mut end, 1001, 500), [(1001, 1501)]);
    assert_eq!(dsack(&mut end, 2001, 500), [(2001, 2501), (1001, 1501)]);
    assert_eq!(
        dsack(&mut end, 1001, 500),
        [(1001, 1501), (1001, 1501), (2001, 2501)]
    );
    assert_eq!(
        dsack(&mut end, 1401, 200),
        [(1401, 1501), (1001, 1601), (2001, 2501)],
        "the part that was there"
    );
    assert_eq!(
        dsack(&mut end, 3001, 500),
        [(3001, 3501), (1001, 1601), (2001, 2501)],
        "RFC 2018 section 4: the most recent first"
    );
}

/// The segment that fills a gap may overlap data received before.
#[test]
fn what_overlaps_behind_a_filled_gap_is_reported() {
    let mut end = TestEnd::established(plain());
    dsack(&mut end, 501, 500);
    assert_eq!(dsack(&mut end, 1, 700), [(501, 701)]);
    assert_eq!(end.tcp.view().readable, 1000);
}

/// RFC 2018 section 3: three blocks fit with timestamps, four without.
#[test]
fn as_many_blocks_as_there_is_room_for_are_sent_the_duplicate_among_them() {
    let mut end = TestEnd::established(plain());
    for n in 0..6 {
        dsack(&mut end, 1001 + 1000 * n, 500);
    }
    let blocks = dsack(&mut end, 3001, 500);
    assert_eq!(
        blocks,
        [(3001, 3501), (3001, 3501), (6001, 6501), (5001, 5501)]
    );
    let stamped = |val, segment: Segment| Segment {
        options: Options::timestamps_only(val, 0),
        ..segment
    };
    let mut with = TestEnd::new(TcpParams {
        timestamps: true,
        ..plain()
    });
    with.step(Input::Listen);
    let mut syn = syn();
    syn.options.push(TcpOption::Timestamps(1, 0)).unwrap();
    with.arrives(syn);
    with.arrives(stamped(1, ack(1, 1)));
    for n in 0..4 {
        with.arrives(stamped(2, data(1001 + 1000 * n, 500)));
    }
    with.take();
    with.arrives(stamped(3, data(2001, 500)));
    let sent = with.take();
    assert_eq!(sack(&sent[0]), [(2001, 2501), (2001, 2501), (4001, 4501)]);
    assert!(sent[0].options.timestamps().is_some());
}

#[test]
fn nothing_is_reported_without_sack_or_with_the_switch_off() {
    let mut off = TestEnd::established(TcpParams {
        dsack: false,
        ..plain()
    });
    dsack(&mut off, 1, 500);
    assert_eq!(dsack(&mut off, 1, 500), []);
    dsack(&mut off, 1001, 500);
    assert_eq!(dsack(&mut off, 1001, 500), [(1001, 1501)]);
    let mut no_sack = TestEnd::established(TcpParams {
        sack: false,
        ..plain()
    });
    dsack(&mut no_sack, 1, 500);
    assert_eq!(dsack(&mut no_sack, 1, 500), []);
}
