use std::sync::Arc;

use super::*;
use crate::connection::Connection;
use crate::model::{Input, Outputs, TcpModel, TcpView};

#[test]
fn the_rules_hold_for_the_built_in_tcp() {
    if let Err(failure) = check(150, 1, None) {
        panic!("{failure}");
    }
}

/// A TCP that never retransmits a FIN, because it does not notice that one was lost.
#[derive(Debug)]
struct Forgetful(Connection);

impl TcpModel for Forgetful {
    fn step(&mut self, input: Input<'_>, now: SimTime, out: &mut Outputs) {
        let begun = out.segments.len();
        self.0.step(input, now, out);
        let mut place = 0;
        out.segments.retain(|t| {
            place += 1;
            place <= begun || !(t.segment.flags.is_fin() && t.is_retransmission())
        });
    }
    fn next_timeout(&self) -> Option<SimTime> {
        self.0.next_timeout()
    }
    fn view(&self) -> TcpView {
        self.0.view()
    }
}

#[test]
fn a_fault_is_found_and_its_world_is_shrunk() {
    let factory: ModelFactory =
        Arc::new(|ctx| Box::new(Forgetful(Connection::new(ctx))) as Box<dyn TcpModel>);
    let failures: Vec<_> = (0..60)
        .filter_map(|number| check_one(7, number, Some(&factory)).err())
        .collect();
    assert!(!failures.is_empty());
    let smallest = failures.iter().map(|f| f.trace.len()).min().unwrap();
    assert!(smallest < 60, "{smallest}");
}
