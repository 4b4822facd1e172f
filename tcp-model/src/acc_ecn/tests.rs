use super::byte_counters::ECT0_FIRST;
use super::*;
use crate::options::TcpOption;

#[test]
fn the_table_of_the_handshake() {
    use EcnFeedback::{Accurate, Classic, None};
    // Table 2, by (AE, CWR, ECE) of the SYN-ACK, and section 3.1.3.
    let granted_by = [
        None, Classic, Accurate, Accurate, Accurate, Accurate, Accurate, None,
    ];
    // The same for the SYN.
    let asked_by = [
        None, Accurate, Accurate, Classic, Accurate, Accurate, Accurate, Accurate,
    ];
    for code in 0..8u8 {
        assert_eq!(
            granted(ace_flags(code)),
            granted_by[usize::from(code)],
            "{code:03b}"
        );
        assert_eq!(
            asked_for(ace_flags(code)),
            asked_by[usize::from(code)],
            "{code:03b}"
        );
        assert_eq!(ace(ace_flags(code)), code);
    }
    for (ecn, code) in [
        (Ecn::NotEct, 0b010),
        (Ecn::Ect1, 0b011),
        (Ecn::Ect0, 0b100),
        (Ecn::Ce, 0b110),
    ] {
        assert_eq!(AccEcn::server(ecn).syn_ack_flags(), ace_flags(code));
        let mut client = AccEcn::default();
        client.on_syn_ack(ecn, ace_flags(0b010), &Options::NONE);
        assert_eq!(client.flags(true), ace_flags(code), "once");
        let cep = if ecn == Ecn::Ce { 6 } else { 5 };
        assert_eq!(client.flags(true), ace_flags(cep), "the counter afterwards");
    }
}

#[test]
fn the_last_ack_reports_the_codepoint_of_the_syn_ack() {
    // Table 4.
    for code in 0..8u8 {
        let mut server = AccEcn::server(Ecn::NotEct);
        server.on_last_ack(code);
        assert_eq!(
            server.reported_packets(),
            u32::from(code == 0b110),
            "{code:03b}"
        );
        // It left without ECT.
        let ect = !matches!(code, 0b000 | 0b011 | 0b100 | 0b110);
        assert_eq!(server.may_send_ect(), ect, "{code:03b}");
    }
}

#[test]
fn a_path_that_changes_codepoints_gets_no_more_of_them() {
    // Section 3.2.2.3: sent, code that came back, ECT from then on.
    for (sent, code, ect) in [
        (Ecn::NotEct, 0b010, true),
        (Ecn::NotEct, 0b011, false),
        (Ecn::NotEct, 0b100, false),
        (Ecn::NotEct, 0b110, false),
        (Ecn::Ect0, 0b010, false),
        (Ecn::Ect0, 0b100, true),
        (Ecn::Ect0, 0b110, true),
        (Ecn::Ect1, 0b010, false),
        (Ecn::Ect1, 0b011, true),
        (Ecn::Ect1, 0b101, true), // says nothing
    ] {
        let (mut client, mut server) = (AccEcn::default(), AccEcn::server(Ecn::NotEct));
        client.on_handshake_sent(sent);
        client.on_syn_ack(Ecn::NotEct, ace_flags(code), &Options::NONE);
        server.on_handshake_sent(sent);
        server.on_last_ack(code);
        assert_eq!(
            (client.may_send_ect(), server.may_send_ect()),
            (ect, ect),
            "{sent:?} {code:03b}"
        );
    }
}

#[test]
fn a_cleared_counter_is_not_believed() {
    // Section 3.2.2.4: of the first feedback only.
    let mut sender = AccEcn::default();
    sender.on_ack(ace_flags(0), &Options::NONE, 1000, 1000);
    sender.on_ack(ace_flags(3), &Options::NONE, 1000, 1000);
    assert!(!sender.may_send_ect());
    assert_eq!(sender.pending.packets, 0);
    let mut sender = AccEcn::default();
    sender.on_ack(ace_flags(7), &Options::NONE, 2000, 1000);
    sender.on_ack(ace_flags(0), &Options::NONE, 1000, 1000);
    assert!(sender.may_send_ect());
    assert_eq!(sender.pending.packets, 3);
}

#[test]
fn a_cleared_option_is_not_read() {
    // Section 3.2.3.2.4.
    for (data, marked) in [
        ([0, 0, 1, 0, 3, 232, 0, 0, 1], 1000),
        ([0, 0, 0, 0, 3, 232, 0, 0, 1], 1460),
        ([0, 0, 1, 0, 3, 232, 0, 0, 0], 1460),
    ] {
        let mut sender = AccEcn::default();
        let mut options = Options::NONE;
        options.push(TcpOption::Unknown(ECT0_FIRST, &data)).unwrap();
        sender.on_ack(ace_flags(6), &options, 1460, 1460);
        assert_eq!(sender.pending.bytes, marked, "{data:?}");
    }
}

#[test]
fn a_counter_of_the_option_wraps() {
    // Appendix A.1: s.ceb = 33,554,433 and ECEB = 1461: 1460 more.
    let mut sender = AccEcn::default();
    sender.peer_bytes.ce = 33_554_433;
    let mut options = Options::NONE;
    let data = [0, 0, 1, 0, 0x05, 0xb5, 0, 0, 1];
    options.push(TcpOption::Unknown(ECT0_FIRST, &data)).unwrap();
    assert_eq!(sender.read_option(&options), Some(1460));
    assert_eq!(sender.peer_bytes.ce, 33_555_893);
}

#[test]
fn ace_may_have_wrapped() {
    for (fewest, segments, ce_bytes, packets) in [
        (2, 9, None, 2),   // appendix A.2.1
        (2, 10, None, 10), // the same
        (0, 8, Some(1460), 8),
        (2, 10, Some(1460), 2),
        (7, 15, Some(10_200), 7), // appendix A.2.2
        (3, 1, None, 3),
    ] {
        assert_eq!(
            safest(fewest, segments, ce_bytes, 1460),
            packets,
            "{fewest} {segments}"
        );
    }
}

#[test]
fn one_end_reads_what_the_other_counts() {
    let (mut receiver, mut sender) = (AccEcn::default(), AccEcn::default());
    let mut packets = 0;
    for i in 0..100u32 {
        let ecn = if i % 3 == 0 { Ecn::Ce } else { Ecn::Ect0 };
        packets += u32::from(ecn == Ecn::Ce);
        receiver.on_packet(ecn, 1000);
        if i % 2 == 1 {
            let mut options = Options::timestamps_only(1, 2);
            receiver.push_option(&mut options, false);
            let flags = receiver.flags(true);
            sender.on_ack(flags, &options, 2000, 1000);
        }
    }
    assert_eq!(sender.reported_packets(), packets);
    assert_eq!(
        sender.pending,
        ReportedMarks {
            packets,
            bytes: 1000 * packets
        }
    );
    assert_eq!(sender.peer_bytes, receiver.bytes);
}

#[test]
fn an_option_without_room_for_a_changed_counter_is_left_out() {
    let mut receiver = AccEcn::default();
    let room = |bytes: usize| Options::from_bytes(&[1; 40][bytes..]).unwrap();
    let send = |receiver: &mut AccEcn, bytes| {
        let mut options = room(bytes);
        let is_in = receiver.push_option(&mut options, false);
        is_in.then(|| options.as_bytes()[40 - bytes + 1] - 2)
    };
    assert_eq!(send(&mut receiver, 40), Some(9), "due");
    assert_eq!(send(&mut receiver, 40), None, "nothing new");
    receiver.on_packet(Ecn::Ce, 1000);
    assert_eq!(send(&mut receiver, 7), None, "CE is the second field");
    assert_eq!(send(&mut receiver, 8), Some(6));
    receiver.on_packet(Ecn::Ect0, 1000);
    assert_eq!(send(&mut receiver, 5), Some(3));
    receiver.on_packet(Ecn::Ect0, 1000);
    receiver.on_packet(Ecn::Ect1, 1000);
    assert_eq!(
        send(&mut receiver, 10),
        None,
        "the first and the last field"
    );
    assert_eq!(send(&mut receiver, 11), Some(9));
}

#[test]
fn data_carry_the_fields_that_have_ever_changed() {
    let mut client = AccEcn::default();
    client.on_syn_ack(Ecn::NotEct, ace_flags(0b010), &Options::NONE);
    let send = |client: &mut AccEcn, with_data| {
        let mut options = Options::NONE;
        let is_in = client.push_option(&mut options, with_data);
        is_in.then(|| options.as_bytes()[1] - 2)
    };
    assert_eq!(send(&mut client, false), Some(9), "the ACK of the SYN-ACK");
    assert_eq!(send(&mut client, true), Some(3), "the first data");
    client.on_option_sent(SeqNum(1000));
    assert_eq!(send(&mut client, true), None, "no counter has changed");
    client.on_packet(Ecn::Ect0, 100);
    assert_eq!(send(&mut client, true), Some(3));
    client.on_packet(Ecn::Ce, 100);
    assert_eq!(send(&mut client, true), Some(6));
    client.on_packet(Ecn::Ect0, 100);
    assert_eq!(send(&mut client, true), Some(6), "CE has changed before");
}

#[test]
fn the_first_and_every_second_mark_is_acknowledged_at_once() {
    let mut receiver = AccEcn::default();
    let arrive = |r: &mut AccEcn, marks: &[Ecn]| -> Vec<bool> {
        marks.iter().map(|&m| r.on_packet(m, 1000)).collect()
    };
    use Ecn::{Ce, Ect0};
    assert_eq!(
        arrive(&mut receiver, &[Ect0, Ce, Ce, Ect0]),
        [false, true, true, false]
    );
    receiver.flags(false);
    receiver.on_packet(Ce, 1000);
    receiver.flags(false);
    assert_eq!(arrive(&mut receiver, &[Ce, Ce]), [false, true]);
}
