use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;

fn flow(port: u16) -> FourTuple {
    FourTuple::from_parts(Ipv4Addr::LOCALHOST, port, Ipv4Addr::LOCALHOST, 80)
}

fn at(ms: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_millis(ms)
}

fn time_wait(ms: u64) -> TimeWait {
    TimeWait {
        entered: at(ms),
        snd_nxt: SeqNum(1),
        rcv_nxt: SeqNum(2),
        window: 3,
        shift: 4,
        ts_recent: Some(5),
        ts_offset: 6,
        conn: ConnId::new(7, 8),
        traced: true,
    }
}

#[test]
fn an_entry_gives_back_what_was_put_in() {
    let mut table = TimeWaitTable::default();
    for (ts_recent, traced, side, holds) in [
        (Some(5), true, Side::Active, true),
        (None, false, Side::Passive, false),
    ] {
        let tw = TimeWait {
            ts_recent,
            traced,
            ..time_wait(9)
        };
        let place = table.insert(flow(1), &tw, side, holds);
        let entry = table.remove(place);
        assert_eq!(entry.time_wait(6), tw);
        assert_eq!((entry.side(), entry.holds_port()), (side, holds));
        assert_eq!((entry.flow(), entry.conn()), (flow(1), tw.conn));
    }
    assert_eq!((table.len(), table.peak()), (0, 1));
}

#[test]
fn entries_ripen_once_each_and_only_with_timestamps() {
    let mut table = TimeWaitTable::default();
    let mut insert = |ms, ts_recent| {
        let tw = TimeWait {
            ts_recent,
            ..time_wait(ms)
        };
        table.insert(flow(ms as u16), &tw, Side::Active, true)
    };
    let [a, _, c, d] = [
        insert(0, Some(1)),
        insert(1, None),
        insert(2, Some(1)),
        insert(5, Some(1)),
    ];
    let second = SimDuration::from_secs(1);
    assert_eq!(table.next_mature(at(999), second), None);
    assert_eq!(table.next_mature(at(1004), second), Some(a));
    assert_eq!(table.next_mature(at(1004), second), Some(c));
    assert_eq!(table.next_mature(at(1004), second), None);
    table.restart(a, at(1004));
    assert_eq!(table.next_mature(at(1005), second), Some(d));
    assert_eq!(table.next_mature(at(2003), second), None);
    assert_eq!(table.next_mature(at(2004), second), Some(a));
    // One added late, with an early time, between expired ones.
    let late = table.insert(flow(3), &time_wait(3), Side::Active, true);
    assert_eq!(table.next_mature(at(2004), second), Some(late));
    assert_eq!(table.next_mature(at(9000), second), None);
}

proptest! {
    #[test]
    fn expiry_is_in_order_of_time_whatever_is_removed_and_restarted(
        steps in proptest::collection::vec((0u8..6, any::<prop::sample::Index>(), 0u64..20), 1..300),
    ) {
        let mut table = TimeWaitTable::default();
        // By place: (since, order of linking).
        let mut model: Vec<(u32, SimTime)> = Vec::new();
        let mut peak = 0;
        for (i, (kind, which, back)) in steps.into_iter().enumerate() {
            let now = 100 + i as u64;
            let pick = |model: &Vec<(u32, SimTime)>| which.index(model.len());
            match kind {
                0..=2 => {
                    let since = if kind == 0 { now - back } else { now };
                    let tw = time_wait(since);
                    let place = table.insert(flow(i as u16), &tw, Side::Active, true);
                    model.push((place, at(since)));
                }
                3 if !model.is_empty() => {
                    let (place, since) = model.remove(pick(&model));
                    prop_assert_eq!(table.remove(place).since(), since);
                }
                4 if !model.is_empty() => {
                    let (place, _) = model.remove(pick(&model));
                    table.restart(place, at(now));
                    model.push((place, at(now)));
                }
                5 => while table.next_mature(at(now), SimDuration::from_millis(10)).is_some() {},
                _ => {}
            }
            // Stable: equal times stay in the order in which they were linked.
            model.sort_by_key(|(_, since)| *since);
            peak = peak.max(model.len());
            prop_assert_eq!(table.oldest(Stay::Full), model.first().copied());
            prop_assert_eq!(table.len() as usize, model.len());
        }
        prop_assert_eq!(table.peak() as usize, peak);
        for expected in model {
            prop_assert_eq!(table.oldest(Stay::Full), Some(expected));
            table.remove(expected.0);
        }
        prop_assert_eq!((table.oldest(Stay::Full), table.len()), (None, 0));
    }
}

#[test]
fn entries_with_a_short_stay_have_an_order_of_their_own() {
    let mut table = TimeWaitTable::default();
    let long = table.insert(flow(1), &time_wait(1), Side::Active, true);
    let beyond = SimDuration::from_millis;
    let mut short = |ms, later| {
        table.insert_short(
            flow(ms as u16),
            &time_wait(ms),
            Side::Active,
            true,
            beyond(later),
        )
    };
    let (b, a) = (short(2, 9), short(3, 1));
    table.get_mut(a).set_reuse(3);
    assert_eq!(table.get(a).reuse().bits(), 3);
    assert_eq!(table.oldest(Stay::Full), Some((long, at(1))));
    assert_eq!(table.oldest(Stay::Short), Some((a, at(4))));
    assert_eq!(table.places(), [long, a, b]);
    table.restart(a, at(20));
    assert_eq!(table.oldest(Stay::Short), Some((b, at(11))));
    let ripe: Vec<u32> = std::iter::from_fn(|| table.next_mature(at(1000), beyond(1))).collect();
    assert_eq!(ripe, [long]);
    for place in [long, b, a] {
        table.remove(place);
    }
    assert_eq!((table.oldest(Stay::Short), table.len()), (None, 0));
}
