use super::*;

#[test]
fn a_list_is_read_back_as_it_was_written() {
    let mut o = Options::NONE;
    for option in [
        TcpOption::Mss(1460),
        TcpOption::SackPermitted,
        TcpOption::Timestamps(1, 2),
        TcpOption::Nop,
        TcpOption::WindowScale(7),
        TcpOption::Unknown(99, &[1, 2]),
    ] {
        o.push(option).unwrap();
    }
    assert_eq!(o.as_bytes().len(), 24);
    assert_eq!(
        o.to_string(),
        "mss 1460,sackOK,TS val 1 ecr 2,nop,wscale 7,unknown 99 0x0102"
    );
    assert_eq!(o.timestamps(), Some((1, 2)));
    assert_eq!(
        Options::timestamps_only(3, 4).to_string(),
        "nop,nop,TS val 3 ecr 4"
    );
}

#[test]
fn malformed_lists_end_the_walk() {
    for bytes in [
        &[2u8, 0][..],
        &[2, 1],
        &[2],
        &[2, 4, 5],
        &[1, 8, 10, 0],
        &[5, 255],
    ] {
        let o = Options::from_bytes(bytes).unwrap();
        assert!(o.iter().any(|r| r.is_err()), "{bytes:?}");
        assert!(o.iter().count() <= 3);
    }
    let padded = Options::from_bytes(&[0, 2, 0]).unwrap();
    assert_eq!(padded.iter().collect::<Vec<_>>(), [Ok(TcpOption::Eol)]);
}

#[test]
fn sack_blocks_fill_the_room_beside_timestamps() {
    let block = |n: u32| (SeqNum(n), SeqNum(n) + 10);
    let blocks = [block(1), block(100), block(u32::MAX - 3), block(500)];
    let mut with_ts = Options::timestamps_only(1, 1);
    with_ts.push_sack(&blocks);
    assert_eq!(with_ts.sack_blocks().collect::<Vec<_>>(), blocks[..3]);
    let mut alone = Options::NONE;
    alone.push_sack(&blocks);
    assert_eq!(alone.sack_blocks().collect::<Vec<_>>(), blocks);
    assert!(alone.push(TcpOption::Mss(1)).is_ok() && alone.push(TcpOption::Nop).is_err());
}

proptest::proptest! {
    /// The usual layouts are read without walking the list; the result is that of the walk, whatever the bytes.
    #[test]
    fn layouts_that_are_read_at_once_give_what_the_walk_gives(
        stamped: bool, wrong in 0usize..3, sack in 0u8..40,
        rest in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40),
    ) {
        let mut bytes: Vec<u8> = Vec::new();
        if stamped {
            bytes.extend_from_slice(Options::timestamps_only(7, 9).as_bytes());
        }
        match wrong {
            0 => bytes.extend_from_slice(&[kind::NOP, kind::NOP, kind::SACK, sack]),
            1 => bytes.extend_from_slice(&[kind::NOP, kind::SACK, sack]),
            _ => {}
        }
        bytes.extend_from_slice(&rest);
        bytes.truncate(40);
        let options = Options::from_bytes(&bytes).unwrap();
        proptest::prop_assert_eq!(options.sack_data(), options.first_sack());
        let walked = options.iter().find_map(|option| match option {
            Ok(TcpOption::Timestamps(val, ecr)) => Some((val, ecr)),
            _ => None,
        });
        proptest::prop_assert_eq!(options.timestamps(), walked);
    }
}
