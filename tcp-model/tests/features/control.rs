//! The events that a connection passes to its congestion control, and how the connection obeys the
//! control.

use std::sync::{Arc, Mutex};

use super::*;
use sim_core::Rate;
use tcp_model::congestion::*;
use tcp_model::recovery::RecoveryPhase;

/// What happened, in order.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ControlEvent {
    Start,
    Ack(AckEvent),
    Congestion(Congestion),
    Exit,
    Idle(AfterIdle),
}

/// Records every event it receives. Its window never changes; it may set a pacing rate.
#[derive(Clone, Debug)]
struct Witness {
    segments: u64,
    rate: Option<Rate>,
    events: Arc<Mutex<Vec<ControlEvent>>>,
}

impl Witness {
    fn notes(&self, what: ControlEvent) {
        self.events.lock().unwrap().push(what);
    }
}

impl CongestionControl for Witness {
    fn cwnd(&self) -> u64 {
        self.segments * u64::from(MSS)
    }
    fn pacing_rate(&self) -> Option<Rate> {
        self.rate
    }
    fn on_start(&mut self, _: &ConnectionStart) {
        self.notes(ControlEvent::Start);
    }
    fn on_ack(&mut self, ack: &AckEvent) {
        self.notes(ControlEvent::Ack(*ack));
    }
    fn on_congestion(&mut self, event: &CongestionEvent) {
        self.notes(ControlEvent::Congestion(event.cause));
    }
    fn on_recovery_exit(&mut self, _: u64, _: SimTime) {
        self.notes(ControlEvent::Exit);
    }
    fn on_idle(&mut self, idle: &AfterIdle) {
        self.notes(ControlEvent::Idle(*idle));
    }
}

/// An established end point, and the events its control has received.
fn watched(segments: u64, rate: Option<Rate>) -> (TestEnd, Arc<Mutex<Vec<ControlEvent>>>) {
    let events = Arc::default();
    let witness = Witness {
        segments,
        rate,
        events: Arc::clone(&events),
    };
    let mut end = TestEnd::with_control(plain(), AnyCc::own(witness));
    end.step(Input::Listen);
    end.arrives(syn());
    end.arrives(ack(1, 1));
    end.take();
    assert_eq!(
        events.lock().unwrap().drain(..).as_slice(),
        [ControlEvent::Start]
    );
    (end, events)
}

#[test]
fn every_ack_is_seen_in_recovery_too_and_adds_up() {
    let (mut end, events) = watched(10, None);
    end.writes(10_000);
    assert_eq!(end.take().len(), 10);
    end.now = ms(100);
    for to in [2001, 3001, 4001, 5001] {
        end.arrives(sack_of(1, 1001, to)); // the first is lost
    }
    end.now = ms(200);
    end.arrives(ack(1, 10_001));
    let events = std::mem::take(&mut *events.lock().unwrap());
    let acks: Vec<AckEvent> = events
        .iter()
        .filter_map(|t| match t {
            ControlEvent::Ack(ack) => Some(*ack),
            _ => None,
        })
        .collect();
    let delivered: Vec<u64> = acks.iter().map(|a| a.delivered).collect();
    assert_eq!(delivered, [1000, 1000, 1000, 1000, 6000]);
    let phases: Vec<RecoveryPhase> = acks.iter().map(|a| a.phase).collect();
    use RecoveryPhase::{Fast, Open};
    assert_eq!(phases, [Open, Open, Open, Fast, Fast]);
    let lost: u64 = acks.iter().map(|a| a.lost).sum();
    assert_eq!(lost, 1000);
    assert_eq!(acks[0].rtt, Some(SimDuration::from_millis(100)));
    // The handshake took no time.
    assert_eq!(acks[4].min_rtt, Some(SimDuration::ZERO));
    assert_eq!(
        (acks[0].prior_in_flight, acks[0].in_flight),
        (10_000, 9_000)
    );
    let rate = acks[3].rate.expect("a sample");
    assert_eq!(
        (rate.delivered, rate.interval),
        (4_000, SimDuration::from_millis(100))
    );
    assert_eq!((acks[4].una, acks[4].acked), (10_000, 10_000));
    assert_eq!(
        events
            .iter()
            .position(|t| *t == ControlEvent::Congestion(Congestion::Loss)),
        Some(3),
        "at the third SACK"
    );
    assert_eq!(events.last(), Some(&ControlEvent::Exit));
}

#[test]
fn time_outs_and_pauses_are_reported() {
    let (mut end, events) = watched(10, None);
    end.writes(1000);
    end.take();
    let at = end.tcp.next_timeout().expect("a timer");
    assert_eq!(end.runs_to(at).len(), 1);
    end.arrives(ack(1, 1001));
    let heard: Vec<ControlEvent> = events.lock().unwrap().drain(..).collect();
    assert_eq!(heard[0], ControlEvent::Congestion(Congestion::Timeout));
    assert!(
        matches!(heard[1], ControlEvent::Ack(a) if a.phase == RecoveryPhase::Loss && a.acked == 1000)
    );
    end.now += secs(60);
    end.writes(1000);
    let heard: Vec<ControlEvent> = events.lock().unwrap().drain(..).collect();
    assert!(
        matches!(heard[..], [ControlEvent::Idle(i)] if i.silent == secs(60) && i.restart_window.is_some())
    );
}

#[test]
fn segments_leave_at_the_rate_that_the_control_asks_for() {
    // A segment of 1000 bytes takes 10 ms at 800 kbit/s.
    let (mut end, _) = watched(10, Rate::from_bps(800_000));
    assert_eq!(end.tcp.next_timeout(), None, "nothing waits");
    end.writes(5000);
    assert_eq!(end.take().len(), 1);
    let sent = end.runs_to(ms(100));
    let times: Vec<u64> = sent.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [10, 20, 30, 40]);
    end.arrives(ack(1, 5001));
    assert_eq!(
        end.tcp.next_timeout(),
        None,
        "an idle connection wakes nobody"
    );
    // After a pause the first segment leaves at once.
    end.writes(2000);
    assert_eq!(end.take().len(), 1);
    assert_eq!(end.runs_to(ms(120)).len(), 1);
}

#[test]
fn retransmissions_are_paced_too_but_the_first_is_not() {
    let (mut end, _) = watched(10, Rate::from_bps(800_000));
    end.writes(6000);
    end.take();
    end.runs_to(ms(100));
    for to in [5001, 6001] {
        end.arrives(sack_of(1, 2001, to)); // the first two are lost
    }
    let first: Vec<_> = end.text();
    assert_eq!(first, [(1, 1000)]);
    let later = end.runs_to(ms(130));
    let later: Vec<_> = later.iter().map(|(at, s)| (*at, range(s).0)).collect();
    assert_eq!(later, [(110, 1001)]);
}

#[test]
fn a_control_that_looks_at_no_measurement_gets_none() {
    let mut end = TestEnd::established(plain());
    let before = end.tcp.heap_bytes();
    end.writes(2000);
    end.now = ms(100);
    end.arrives(ack(1, 2001));
    assert_eq!(end.tcp.heap_bytes(), before);
}
