//! Connections left alone for so long that the timestamp clocks wrapped half way round (25 days) or
//! all the way round (50 days): they continue, and do not answer each other endlessly (RFC 7323
//! section 5.5).

use sim_core::SimDuration;
use tcp_model::params::GiveUp;
use tcp_model::testing::End;
use tcp_model::{Connection, Input, Segment, State, TcpModel, TcpParams};

/// More segments than this in reply to one are an endless exchange.
const ENOUGH: usize = 12;

/// A profile in which nothing ends or refreshes an idle connection.
fn patient(name: &str) -> TcpParams {
    TcpParams {
        keepalive: None,
        fin_timeout: None,
        user_timeout: None,
        data_give_up: GiveUp::Never,
        orphan_give_up: GiveUp::Never,
        ..TcpParams::profile(name).unwrap()
    }
}

struct Two {
    ends: [End<Connection>; 2],
}

impl Two {
    fn established(params: &TcpParams) -> Two {
        let ends = [End::new(params.clone()), End::new(params.clone())];
        let mut two = Two { ends };
        two.ends[1].call(Input::Listen);
        let syn = two.ends[0].call(Input::Connect);
        two.exchange(1, syn);
        assert_eq!(two.states(), [State::Established; 2]);
        two
    }

    fn states(&self) -> [State; 2] {
        [self.ends[0].state(), self.ends[1].state()]
    }

    /// Delivers segments to an end, and all segments that follow from them; returns the number of
    /// segments.
    fn exchange(&mut self, mut to: usize, mut segments: Vec<Segment>) -> usize {
        let mut count = 0;
        while !segments.is_empty() && count <= ENOUGH {
            count += segments.len();
            let end = &mut self.ends[to];
            segments = segments.into_iter().flat_map(|s| end.get(s)).collect();
            to = 1 - to;
        }
        count
    }

    fn shut(&mut self, end: usize) -> Vec<Segment> {
        self.ends[end].call(Input::Shutdown)
    }

    /// Lets time pass; everything sent in the meantime is lost.
    fn lose(&mut self, time: SimDuration) {
        for end in &mut self.ends {
            end.wait(time);
        }
    }

    /// Waits until an end sends something unprompted.
    fn retransmission_of(&mut self, end: usize) -> Vec<Segment> {
        for _ in 0..3600 {
            let time = SimDuration::from_secs(1);
            self.ends[1 - end].wait(time);
            let sent = self.ends[end].wait(time);
            if !sent.is_empty() {
                return sent.into_iter().map(|(_, segment)| segment).collect();
            }
        }
        panic!("nothing is sent again");
    }
}

/// Every profile, after 25 and 50 days and in between (when a clock seems to run backwards).
fn for_each_age(mut check: impl FnMut(&TcpParams, SimDuration, &str)) {
    for name in TcpParams::PROFILES {
        for days in [25, 37, 50] {
            let age = SimDuration::from_secs(days * 86_400);
            check(&patient(name), age, &format!("{name}, {days} days"));
        }
    }
}

/// `from` writes after the idle time, and its data arrive.
fn writes(two: &mut Two, from: usize, about: &str) {
    let data = two.ends[from].write(100);
    let count = two.exchange(1 - from, data);
    assert!(count <= ENOUGH, "{about}: {count} segments");
    two.lose(SimDuration::from_secs(1)); // the delayed ACK
    assert_eq!(two.ends[1 - from].tcp.view().readable, 100, "{about}");
}

#[test]
fn idle_connections_go_on_in_both_directions() {
    for_each_age(|params, age, about| {
        for from in [0, 1] {
            let mut two = Two::established(params);
            two.lose(age);
            writes(&mut two, from, about);
        }
    });
}

#[test]
fn half_closed_connections_go_on() {
    for_each_age(|params, age, about| {
        let mut two = Two::established(params);
        let fin = two.shut(0);
        two.exchange(1, fin);
        two.retry_until_half_closed();
        assert_eq!(two.states(), [State::FinWait2, State::CloseWait], "{about}");
        two.lose(age);
        writes(&mut two, 1, about);
    });
}

impl Two {
    /// The ACK of a FIN may be delayed.
    fn retry_until_half_closed(&mut self) {
        if self.ends[0].state() == State::FinWait1 {
            let ack = self.retransmission_of(1);
            self.exchange(0, ack);
        }
    }
}

#[test]
fn a_fin_that_was_lost_all_the_while_ends_the_connection() {
    for_each_age(|params, age, about| {
        let mut two = Two::established(params);
        two.shut(0);
        assert_eq!(two.states(), [State::FinWait1, State::Established]);
        two.lose(age);
        let fin = two.retransmission_of(0);
        assert!(two.exchange(1, fin) <= ENOUGH, "{about}");
        assert_eq!(two.ends[1].state(), State::CloseWait, "{about}");
    });
}

#[test]
fn the_last_fin_lost_all_the_while_ends_the_connection() {
    for_each_age(|params, age, about| {
        let mut two = Two::established(params);
        let fin = two.shut(0);
        two.exchange(1, fin);
        two.retry_until_half_closed();
        two.shut(1);
        assert_eq!(two.states(), [State::FinWait2, State::LastAck], "{about}");
        two.lose(age);
        let fin = two.retransmission_of(1);
        assert!(two.exchange(0, fin) <= ENOUGH, "{about}");
        assert_eq!(two.states(), [State::TimeWait, State::Closed], "{about}");
    });
}

#[test]
fn fins_that_crossed_and_were_not_acknowledged_all_the_while_end_the_connection() {
    for_each_age(|params, age, about| {
        let mut two = Two::established(params);
        let (first, second) = (two.shut(0), two.shut(1));
        second.into_iter().for_each(|s| drop(two.ends[0].get(s)));
        first.into_iter().for_each(|s| drop(two.ends[1].get(s)));
        assert_eq!(two.states(), [State::Closing; 2], "{about}");
        two.lose(age);
        let fin = two.retransmission_of(0);
        assert!(two.exchange(1, fin) <= ENOUGH, "{about}");
        if params.linux_input {
            // Only its acknowledgment counts, and it is not answered. TIME-WAIT answers the next
            // FIN if that arrives, as here, before its time is over; afterwards the host resets.
            assert_eq!(two.states(), [State::Closing, State::TimeWait], "{about}");
            let sent = two.ends[0].wait(SimDuration::from_secs(600)).into_iter();
            let fin = sent.take(1).map(|(_, segment)| segment).collect();
            assert!(two.exchange(1, fin) <= ENOUGH, "{about}");
        }
        // To the other end the FIN is old; its reply acknowledges the FIN.
        assert_eq!(two.ends[0].state(), State::TimeWait, "{about}");
    });
}
