use super::*;
use crate::segment::Tag;

fn rule(text: &str) -> DropRule {
    text.parse().unwrap()
}

#[test]
fn rules_are_written_as_they_are_read() {
    for text in [
        "client SYN 1",
        "server FIN 2",
        "client ACK 3, connection 4",
        "server data segment 5",
        "server data segment 5, second transmission",
        "server data segment 5, transmission 12",
        "server data segment 5, every transmission, connection 2",
        "client segment 7",
    ] {
        assert_eq!(rule(text).to_string(), text);
    }
    assert_eq!(
        rule("server data segment 5, first transmission"),
        rule("server data segment 5")
    );
}

#[test]
fn invalid_rules_are_rejected() {
    for (text, why) in [
        ("", "sender, kind and number"),
        ("FIN 1", "neither \"client\" nor"),
        ("client FIN", "sender, kind and number"),
        ("client FIN x", "\"x\" is not a number"),
        ("client FNI 1", "\"FNI\" is not one of SYN, FIN"),
        ("client FIN 0", "not a number counted from 1"),
        ("client FIN 1, second transmission", "the next number"),
        ("server data segment 1, 2nd transmission", "transmission 12"),
        ("server data segment 1, often", "neither a transmission"),
    ] {
        let refused = text.parse::<DropRule>().unwrap_err().to_string();
        assert!(refused.contains(why), "{text}: {refused}");
    }
}

const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

fn of(serial: u32, flags: Flags, offset: u64, len: u32) -> Segment {
    Segment {
        src_port: 4000,
        flags,
        len,
        tag: Tag {
            conn: ConnId::new(0, serial),
            offset,
            ..Tag::default()
        },
        ..Segment::EMPTY
    }
}

/// Indices of the dropped packets.
fn dropped(rules: &[&str], packets: &[Segment]) -> Vec<usize> {
    let mut filter = DropFilter::new(rules.iter().map(|text| rule(text)).collect());
    let packets = packets.iter().enumerate();
    packets
        .filter_map(|(i, packet)| filter.segment(CLIENT, packet).then_some(i))
        .collect()
}

#[test]
fn data_segments_are_counted_once_and_their_transmissions_apart() {
    let data = |offset| of(0, Flags::ACK, offset, 100);
    let packets = [
        of(0, Flags::SYN, 0, 0),
        data(0),
        data(100),
        data(200),
        data(100),
        data(300),
        data(100),
    ];
    let second = |rest: &str| dropped(&[&format!("client data segment 2{rest}")], &packets);
    assert_eq!(second(""), [2]);
    assert_eq!(second(", second transmission"), [4]);
    assert_eq!(second(", every transmission"), [2, 4, 6]);
    assert_eq!(dropped(&["client data segment 4"], &packets), [5]);
    assert!(dropped(&["server data segment 2"], &packets).is_empty());
    assert_eq!(dropped(&["client segment 3"], &packets), [2]);
}

#[test]
fn a_rule_holds_for_each_connection_or_for_one() {
    let fin = Flags(Flags::FIN.0 | Flags::ACK.0);
    let packets = [
        of(0, Flags::SYN, 0, 0),
        of(1, Flags::SYN, 0, 0),
        of(0, fin, 0, 0),
        of(1, fin, 0, 0),
        of(1, fin, 0, 0),
    ];
    assert_eq!(dropped(&["client FIN 1"], &packets), [2, 3]);
    assert_eq!(dropped(&["client FIN 2"], &packets), [4]);
    assert_eq!(dropped(&["client FIN 1, connection 2"], &packets), [3]);
    // Without the SYN the roles of the ends are unknown.
    assert!(dropped(&["client FIN 1"], &packets[2..]).is_empty());
}
