//! The check can fail: end points with one fault each, and what is found.

use sim_core::SimTime;
use siphasher::sip::SipHasher13;
use tcp_model::model::{Input, OpenContext, Outputs, TcpModel, TcpView};
use tcp_model::{Connection, Flags, Segment, SeqNum, Transmit};

use super::case::{Budget, Call};
use super::scenarios::orderly;
use super::search::explore;
use super::world::Checked;

/// The faults: values of `WRONG`.
const NEVER_SENDS_AGAIN: u8 = 0;
const ACKNOWLEDGES_ONE_TOO_MANY: u8 = 1;
const TAKES_WHAT_IS_AHEAD: u8 = 2;
const ANSWERS_EVERY_ACK: u8 = 3;
const FORGETS_ITS_FIN: u8 = 4;

#[derive(Clone, Debug)]
struct Mutant<const WRONG: u8>(Connection);

impl<const WRONG: u8> Checked for Mutant<WRONG> {
    fn open(ctx: OpenContext) -> Self {
        Mutant(Connection::new(ctx))
    }
    fn feed(&self, hasher: &mut SipHasher13) {
        self.0.digest(hasher);
    }
}

impl<const WRONG: u8> TcpModel for Mutant<WRONG> {
    fn step(&mut self, input: Input<'_>, now: SimTime, out: &mut Outputs) {
        let mut changed = Segment::default();
        let input = match input {
            Input::Segment(segment) => {
                changed = *segment;
                self.spoil_arrival(&mut changed);
                Input::Segment(&changed)
            }
            other => other,
        };
        self.0.step(input, now, out);
        self.spoil_answer(&changed, out);
    }

    fn next_timeout(&self) -> Option<SimTime> {
        self.0.next_timeout()
    }

    fn view(&self) -> TcpView {
        self.0.view()
    }
}

impl<const WRONG: u8> Mutant<WRONG> {
    fn spoil_arrival(&self, segment: &mut Segment) {
        let next = self.0.view().rcv_nxt;
        if WRONG == TAKES_WHAT_IS_AHEAD && segment.len > 0 && segment.seq.after(next) {
            segment.seq = next;
        }
    }

    fn spoil_answer(&self, arrived: &Segment, out: &mut Outputs) {
        match WRONG {
            NEVER_SENDS_AGAIN => out.segments.retain(|sent| !sent.is_retransmission()),
            FORGETS_ITS_FIN => {
                for Transmit { segment, .. } in &mut out.segments {
                    segment.flags = segment.flags.without(Flags::FIN);
                }
            }
            ACKNOWLEDGES_ONE_TOO_MANY => {
                for Transmit { segment, .. } in &mut out.segments {
                    if segment.flags == Flags::ACK && segment.ack != SeqNum(0) {
                        segment.ack += 1;
                    }
                }
            }
            ANSWERS_EVERY_ACK if arrived.flags == Flags::ACK && out.segments.is_empty() => {
                let view = self.0.view();
                let answer = Segment {
                    seq: view.snd_nxt,
                    ack: view.rcv_nxt,
                    flags: Flags::ACK,
                    window: arrived.window,
                    ..Segment::default()
                };
                if view.state.is_synchronized() {
                    out.segments.push(Transmit::new(answer));
                }
            }
            _ => {}
        }
    }
}

/// What is found for a client that writes two segments and closes.
fn mistake<const WRONG: u8>(losses: u8, timeouts: u8) -> String {
    let mut scenario = orderly();
    scenario.plans[0].calls = &[Call::Write(128), Call::Shutdown];
    scenario.plans[1].calls = &[];
    scenario.budget = Budget {
        losses,
        duplicates: 0,
        timeouts: [timeouts; 2],
    };
    match explore::<Mutant<WRONG>>(&scenario) {
        Err(violation) => {
            println!("{violation}");
            violation.what
        }
        Ok(seen) => panic!("nothing was found in {seen:?}"),
    }
}

#[test]
fn an_end_point_that_never_sends_again_is_found() {
    assert_eq!(mistake::<NEVER_SENDS_AGAIN>(1, 1), "no end in sight");
}

#[test]
fn an_end_point_that_acknowledges_too_much_is_found() {
    let what = mistake::<ACKNOWLEDGES_ONE_TOO_MANY>(0, 0);
    assert!(what.contains("acknowledges"), "{what}");
}

#[test]
fn an_end_point_that_takes_octets_ahead_of_a_gap_is_found() {
    let what = mistake::<TAKES_WHAT_IS_AHEAD>(0, 0);
    assert!(
        what.contains("octets") || what.contains("never sent"),
        "{what}"
    );
}

#[test]
fn two_end_points_that_answer_every_acknowledgement_are_found() {
    assert_eq!(mistake::<ANSWERS_EVERY_ACK>(0, 0), "no end in sight");
}

#[test]
fn an_end_point_that_forgets_its_fin_is_found() {
    assert_eq!(mistake::<FORGETS_ITS_FIN>(0, 0), "no end in sight");
}
