use std::collections::BTreeSet;

use proptest::prelude::*;
use sim_core::{Rng, SimDuration, SimTime};

use super::*;

const TO: Destination = Destination {
    local: Ipv4Addr::new(10, 0, 0, 1),
    remote: SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 2), 80),
};

fn allocator(range: (u16, u16), selection: PortSelection) -> (PortAllocator, Rng) {
    (
        PortAllocator::new(range, selection, 7),
        Rng::stream(1, "ports", 0),
    )
}

/// The algorithms that find every free port.
const ALL: [PortSelection; 5] = [
    PortSelection::Sequential,
    PortSelection::Random,
    PortSelection::Linux,
    PortSelection::Hash,
    PortSelection::DoubleHash,
];

#[test]
fn every_port_is_found_once_and_then_none() {
    for selection in ALL {
        for range in [(40_000, 40_000), (32_768, 60_999), (1024, 65_535), (5, 205)] {
            let (mut ports, mut rng) = allocator(range, selection);
            let n = ports.port_count();
            let seen: BTreeSet<u16> = (0..n)
                .map(|_| ports.allocate(TO, SimTime::ZERO, &mut rng).port.unwrap())
                .collect();
            assert_eq!(seen.len() as u32, n, "{selection:?} {range:?}");
            assert_eq!(
                (seen.first(), seen.last()),
                (Some(&range.0), Some(&range.1))
            );
            let full = ports.allocate(TO, SimTime::ZERO, &mut rng);
            assert_eq!((full.port, full.probes, ports.used(TO)), (None, n, n));
            assert!(ports.release(TO, range.1) && !ports.release(TO, range.1));
            assert_eq!(
                ports.allocate(TO, SimTime::ZERO, &mut rng).port,
                Some(range.1)
            );
        }
    }
}

#[test]
fn an_empty_range_has_no_port() {
    for selection in ALL {
        let (mut ports, mut rng) = allocator((10, 9), selection);
        let none = PortSearchResult {
            port: None,
            probes: 0,
        };
        assert_eq!(ports.allocate(TO, SimTime::ZERO, &mut rng), none);
    }
}

/// RFC 6056 section 3.3.2: of n ports of which u are used, n trials fail with probability (u/n)^n.
#[test]
fn random_trials_may_miss_a_free_port_and_cost_more_the_fuller_the_range() {
    let n = 100;
    let (mut ports, mut rng) = allocator((1000, 1000 + n - 1), PortSelection::RandomAgain);
    for port in 1000..1000 + n - 1 {
        assert!(ports.occupy(TO, port));
    }
    let (mut missed, mut probes) = (0, 0);
    for _ in 0..2000 {
        let found = ports.allocate(TO, SimTime::ZERO, &mut rng);
        probes += found.probes;
        match found.port {
            Some(port) => assert!(port == 1000 + n - 1 && ports.release(TO, port)),
            None => missed += 1,
        }
    }
    let share = f64::from(missed) / 2000.0;
    let expected = 0.99_f64.powi(100); // 36.6 %
    assert!((share - expected).abs() < 0.035, "{share}");
    // The mean of a geometric number that is cut at n.
    let mean = f64::from(probes) / 2000.0;
    assert!((mean - 100.0 * (1.0 - expected)).abs() < 3.0, "{mean}");
}

/// Algorithm 3 gives each destination its own sequence, which connections to other destinations
/// advance too; with algorithm 4 only those that share a counter do.
#[test]
fn hashes_give_destinations_sequences_of_their_own() {
    let other = Destination {
        local: Ipv4Addr::new(10, 0, 0, 77),
        ..TO
    };
    let gaps = |selection| {
        let (mut ports, mut rng) = allocator((10_000, 59_999), selection);
        let mut next = |to| ports.allocate(to, SimTime::ZERO, &mut rng).port.unwrap();
        let (first, _, second) = (next(TO), next(other), next(TO));
        i32::from(second) - i32::from(first)
    };
    assert_eq!(gaps(PortSelection::Hash), 2);
    assert_eq!(gaps(PortSelection::DoubleHash), 1);
}

#[test]
fn random_increments_go_upwards_in_steps_of_500_at_most() {
    let (mut ports, mut rng) = allocator((10_000, 59_999), PortSelection::RandomIncrements);
    let mut before = ports.allocate(TO, SimTime::ZERO, &mut rng).port.unwrap();
    let mut sum = 0;
    for _ in 0..150 {
        let port = ports.allocate(TO, SimTime::ZERO, &mut rng).port.unwrap();
        let step = (i32::from(port) - i32::from(before)).rem_euclid(50_000);
        assert!((1..=500).contains(&step), "{step}");
        sum += step;
        before = port;
    }
    let mean = f64::from(sum) / 150.0;
    assert!((mean - 250.5).abs() < 35.0, "{mean}");
}

#[test]
fn destinations_have_pools_of_their_own() {
    let (mut ports, mut rng) = allocator((100, 109), PortSelection::Random);
    let other_port = Destination {
        remote: SocketAddrV4::new(*TO.remote.ip(), 81),
        ..TO
    };
    let other_source = Destination {
        local: Ipv4Addr::new(10, 0, 0, 9),
        ..TO
    };
    for to in [TO, other_port, other_source] {
        for _ in 0..10 {
            assert!(ports.allocate(to, SimTime::ZERO, &mut rng).port.is_some());
        }
        assert_eq!(ports.allocate(to, SimTime::ZERO, &mut rng).port, None);
    }
}

#[test]
fn reserved_ports_are_never_given_out() {
    let (mut ports, mut rng) = allocator((100, 103), PortSelection::Sequential);
    assert_eq!(ports.allocate(TO, SimTime::ZERO, &mut rng).port, Some(100));
    ports.reserve(100);
    ports.reserve(102);
    ports.reserve(9);
    assert!(!ports.release(TO, 100));
    let two = [(); 2].map(|()| ports.allocate(TO, SimTime::ZERO, &mut rng).port);
    assert_eq!(two, [Some(101), Some(103)]);
    assert_eq!(ports.allocate(TO, SimTime::ZERO, &mut rng).port, None);
}

/// What was measured on Linux: ports of the lower end's parity only, in steps uniform in 2 to 16,
/// until half the range is in use.
#[test]
fn linux_steps_through_one_parity_first() {
    let (mut ports, mut rng) = allocator((32_768, 60_999), PortSelection::Linux);
    let chosen: Vec<u16> = (0..2000)
        .map(|_| ports.allocate(TO, SimTime::ZERO, &mut rng).port.unwrap())
        .collect();
    assert!(chosen.iter().all(|p| p % 2 == 0));
    let mut steps = [0u32; 17];
    for pair in chosen.windows(2) {
        let step = (u32::from(pair[1]) + 28_232 - u32::from(pair[0])) % 28_232;
        assert!(step % 2 == 0 && (2..=16).contains(&step), "{pair:?}");
        steps[step as usize] += 1;
    }
    assert!(
        (1..=8).all(|k| (190..310).contains(&steps[2 * k])),
        "{steps:?}"
    );
}

/// Also measured: after 10 s a sequence continues at another place, with the same parity.
#[test]
fn linux_moves_the_ports_of_a_destination_every_10_s() {
    let (mut ports, mut rng) = allocator((32_768, 60_999), PortSelection::Linux);
    let mut jumps = Vec::new();
    let mut last = None;
    for n in 0..600u32 {
        let now = SimTime::ZERO + SimDuration::from_millis(100) * u64::from(n);
        let port = u32::from(ports.allocate(TO, now, &mut rng).port.unwrap());
        assert_eq!(port % 2, 0);
        let step = last.map_or(2, |last| (port + 28_232 - last) % 28_232);
        if !(2..=16).contains(&step) {
            jumps.push(n);
        }
        last = Some(port);
    }
    assert_eq!(jumps, [100, 200, 300, 400, 500]);
}

#[test]
fn at_half_occupancy_linux_searches_the_whole_first_parity() {
    let (mut ports, mut rng) = allocator((32_768, 60_999), PortSelection::Linux);
    let first_half: u64 = (0..14_116)
        .map(|_| u64::from(ports.allocate(TO, SimTime::ZERO, &mut rng).probes))
        .sum();
    let next = ports.allocate(TO, SimTime::ZERO, &mut rng);
    assert_eq!(next.port.unwrap() % 2, 1);
    assert!((14_117..14_130).contains(&next.probes), "{}", next.probes);
    // While few ports are used a search is cheap on average.
    assert!(first_half / 14_116 < 40, "{first_half}");
}

/// The search port by port, literally as the algorithm is written.
fn linux_by_the_book(used: &BTreeSet<u32>, count: u32, start: u32) -> (Option<u32>, u32) {
    let even = (start % count) & !1;
    let mut probes = 0;
    for parity in [0, 1] {
        let places: Vec<u32> = (0..count).filter(|p| p % 2 == parity).collect();
        let from = places.partition_point(|&p| p < (even + parity) % count);
        for k in 0..places.len() {
            probes += 1;
            let at = places[(from + k) % places.len()];
            if !used.contains(&at) {
                return (Some(at), probes);
            }
        }
    }
    (None, probes)
}

proptest! {
    #[test]
    fn linux_finds_the_port_and_the_cost_of_a_search_one_by_one(
        count in 1u32..300, start: u32, taken in proptest::collection::vec(any::<prop::sample::Index>(), 0..400),
    ) {
        let mut pool = Pool::new(count);
        let mut used = BTreeSet::new();
        for place in taken {
            let at = place.index(count as usize) as u32;
            prop_assert_eq!(pool.set(at), used.insert(at));
        }
        let mut rng = Rng::stream(1, "ports", 0);
        let found = search::choose(&mut pool, PortSelection::Linux, start, &mut 0, &mut rng);
        prop_assert_eq!(found, linux_by_the_book(&used, count, start));
    }

    /// Ranges of several pages, most of which are full at even, at odd or at all places.
    #[test]
    fn full_pages_are_passed_over_and_no_free_port_with_them(
        count in 1u32..6000, start: u32, step in 1u32..3, first in 0u32..2,
        freed in proptest::collection::vec(any::<prop::sample::Index>(), 0..4),
        selection in prop::sample::select(vec![PortSelection::Linux, PortSelection::Sequential]),
    ) {
        let mut pool = Pool::new(count);
        let mut used = BTreeSet::new();
        for at in (first..count).step_by(step as usize) {
            prop_assert_eq!(pool.set(at), used.insert(at));
        }
        for place in freed {
            let at = place.index(count as usize) as u32;
            prop_assert_eq!(pool.clear(at), used.remove(&at));
        }
        pool.start = start % count;
        let expected = match selection {
            PortSelection::Linux => linux_by_the_book(&used, count, pool.start),
            _ => {
                let mut tried = (0..count).map(|k| (pool.start + k) % count).zip(1..);
                let found = tried.find(|(at, _)| !used.contains(at));
                found.map_or((None, count), |(at, probes)| (Some(at), probes))
            }
        };
        let mut rng = Rng::stream(1, "ports", 0);
        let found = search::choose(&mut pool, selection, 0, &mut 0, &mut rng);
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_port_in_use_is_never_given_out_and_a_free_one_is_found(
        which in 0usize..3, count in 1u16..200, steps in proptest::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 1..600),
    ) {
        let (mut ports, mut rng) = allocator((1000, 999 + count), ALL[which]);
        let mut used: Vec<u16> = Vec::new();
        for (allocate, place) in steps {
            if allocate || used.is_empty() {
                let found = ports.allocate(TO, SimTime::ZERO, &mut rng);
                prop_assert_eq!(found.port.is_some(), used.len() < usize::from(count));
                prop_assert!(found.probes >= 1 && found.probes <= u32::from(count));
                if let Some(port) = found.port {
                    prop_assert!(!used.contains(&port) && (1000..1000 + count).contains(&port));
                    used.push(port);
                }
            } else {
                let port = used.swap_remove(place.index(used.len()));
                prop_assert!(ports.release(TO, port));
            }
            prop_assert_eq!(ports.used(TO) as usize, used.len());
        }
    }
}

#[test]
fn excluded_ports_are_given_to_nobody_and_count_as_no_ports() {
    for selection in ALL {
        let excluded = PortSet::new([(1000, 1002), (1005, 1005), (5000, 6000)]);
        let (ports, mut rng) = allocator((1000, 1009), selection);
        let mut ports = ports.without(&excluded);
        assert_eq!((ports.port_count(), ports.used(TO)), (6, 0));
        ports.reserve(1005);
        ports.unreserve(1005);
        let mut next = |ports: &mut PortAllocator| ports.allocate(TO, SimTime::ZERO, &mut rng).port;
        let given: BTreeSet<u16> = (0..6).filter_map(|_| next(&mut ports)).collect();
        let others = BTreeSet::from([1003, 1004, 1006, 1007, 1008, 1009]);
        assert_eq!(given, others, "{selection:?}");
        assert_eq!(next(&mut ports), None);
        assert_eq!((ports.used(TO), ports.peak()), (6, 6));
        assert!(!ports.release(TO, 1000));
        ports.set_range((1000, 1009), &PortSet::empty());
        assert_eq!((ports.port_count(), ports.used(TO)), (10, 0));
    }
}
