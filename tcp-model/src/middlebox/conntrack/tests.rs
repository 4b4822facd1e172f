use std::net::Ipv4Addr;

use super::*;

const SYN: Flags = Flags::SYN;
const ACK: Flags = Flags::ACK;

fn s(n: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_secs(n)
}

fn tuple(port: u16) -> Tuple {
    let at = |n, port| SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, n), port);
    (at(1, port), at(2, 80))
}

fn back(port: u16) -> Tuple {
    let (from, to) = tuple(port);
    (to, from)
}

fn tracker(given: &[(&str, &str)]) -> Conntrack {
    let plugin = kind().plugin(given).unwrap();
    Conntrack::new(ConntrackSpec::of(plugin.values()))
}

impl Conntrack {
    fn phase(&mut self, port: u16) -> Option<TrackedState> {
        let (place, _) = *self.by_tuple.get(&tuple(port))?;
        self.table.get_mut(place).map(|e| e.phase)
    }

    fn open(&mut self, port: u16, now: SimTime) {
        assert!(self.takes(tuple(port), SYN, now));
        assert!(self.takes(back(port), SYN | ACK, now));
        assert!(self.takes(tuple(port), ACK, now));
    }

    fn close(&mut self, port: u16, now: SimTime) {
        assert!(self.takes(tuple(port), Flags::FIN | ACK, now));
        assert!(self.takes(back(port), Flags::FIN | ACK, now));
        assert!(self.takes(tuple(port), ACK, now));
    }
}

#[test]
fn a_connection_goes_through_its_states() {
    let mut t = tracker(&[]);
    t.takes(tuple(1), SYN, s(0));
    assert_eq!(t.phase(1), Some(TrackedState::SynSent));
    t.takes(back(1), SYN | ACK, s(0));
    assert_eq!(t.phase(1), Some(TrackedState::SynRecv));
    t.takes(tuple(1), ACK, s(0));
    assert_eq!(t.phase(1), Some(TrackedState::Established));
    t.takes(back(1), Flags::FIN | ACK, s(0));
    assert_eq!(t.phase(1), Some(TrackedState::FinWait));
    t.takes(tuple(1), ACK, s(0));
    assert_eq!(t.phase(1), Some(TrackedState::CloseWait));
    t.takes(tuple(1), Flags::FIN | ACK, s(0));
    assert_eq!(t.phase(1), Some(TrackedState::LastAck));
    t.takes(back(1), ACK, s(0));
    assert_eq!(t.phase(1), Some(TrackedState::TimeWait));
    // A new SYN takes its place, and a reset closes the new entry.
    assert!(t.takes(tuple(1), SYN, s(1)));
    assert_eq!(
        (t.phase(1), t.stats.replaced),
        (Some(TrackedState::SynSent), 1)
    );
    t.takes(back(1), Flags::RST | ACK, s(1));
    assert_eq!(t.phase(1), Some(TrackedState::Close));
}

#[test]
fn entries_time_out_by_their_state() {
    let mut t = tracker(&[]);
    t.takes(tuple(1), SYN, s(0));
    t.open(2, s(0));
    t.open(3, s(0));
    t.close(3, s(0));
    t.expire(s(119));
    assert_eq!(t.table.len(), 3);
    t.expire(s(120));
    assert_eq!((t.table.len(), t.stats.expired), (1, 2));
    t.expire(s(432_000));
    assert_eq!(t.table.len(), 0);
    assert!(t.by_tuple.is_empty());
}

#[test]
fn a_full_table_drops_unassured_entries_first_and_then_packets() {
    let mut t = tracker(&[("max", "3")]);
    t.open(1, s(0));
    t.takes(tuple(2), SYN, s(1));
    t.takes(tuple(3), SYN, s(2));
    t.open(4, s(3)); // in place of 2
    assert_eq!((t.phase(2), t.stats.early), (None, 1));
    t.open(5, s(4)); // in place of 3
    assert!(!t.takes(tuple(6), SYN, s(5)));
    assert_eq!((t.stats.full, t.stats.first_full), (1, Some(s(5))));
    // Established connections go on.
    assert!(t.takes(tuple(1), ACK, s(5)));
    let mut strict = tracker(&[("max", "1"), ("early_drop", "false")]);
    strict.takes(tuple(1), SYN, s(0));
    assert!(!strict.takes(tuple(2), SYN, s(0)));
}

#[test]
fn closing_entries_go_early_when_the_table_is_nearly_full() {
    let mut t = tracker(&[("max", "3"), ("gc", "10 s")]);
    t.open(1, s(0));
    for port in 2..=3 {
        t.open(port, s(0));
        t.close(port, s(0));
    }
    t.open(4, s(1));
    assert_eq!((t.table.len(), t.stats.collected), (2, 2));
    t.open(5, s(2));
    t.close(5, s(2));
    assert!(!t.takes(tuple(6), SYN, s(10)), "it is not yet time");
    assert!(t.takes(tuple(6), SYN, s(11)));
}

#[test]
fn unknown_packets_are_picked_up_or_invalid() {
    let mut loose = tracker(&[]);
    assert!(loose.takes(tuple(1), ACK, s(0)));
    assert_eq!(loose.phase(1), Some(TrackedState::Established));
    let mut strict = tracker(&[("loose", "false")]);
    assert!(!strict.takes(tuple(1), ACK, s(0)));
    assert!(!strict.takes(tuple(1), Flags::RST, s(0)));
    assert_eq!(strict.stats.invalid, 2);
    let mut open = tracker(&[("loose", "false"), ("drop_invalid", "false")]);
    assert!(open.takes(tuple(1), ACK, s(0)));
    assert_eq!(open.table.len(), 0);
}

#[test]
fn every_entry_ends_for_one_counted_cause() {
    let mut t = tracker(&[("max", "20"), ("gc", "3 s")]);
    let mut rng = sim_core::Rng::stream(7, "conntrack", 0);
    for i in 0..20_000_u64 {
        let port = 1 + (rng.uniform() * 60.0) as u16;
        let flags = [SYN, SYN | ACK, ACK, Flags::FIN | ACK, Flags::RST];
        let flags = flags[(rng.uniform() * 5.0) as usize];
        let towards = if rng.uniform() < 0.5 {
            tuple(port)
        } else {
            back(port)
        };
        // Now and then no packet comes for longer than the five days of an established entry.
        let quiet = i / 2000 * 500_000;
        t.takes(towards, flags, s(quiet + i / 4));
        assert!(u64::from(t.table.len()) <= 20);
        assert_eq!(t.by_tuple.len(), 2 * t.table.len() as usize);
    }
    let x = &t.stats;
    let met = [x.expired, x.replaced, x.early, x.collected, x.full];
    assert!(met.iter().all(|n| *n > 0), "{met:?}");
    let ended = x.expired + x.replaced + x.early + x.collected;
    assert_eq!(x.made, ended + u64::from(t.table.len()));
}
