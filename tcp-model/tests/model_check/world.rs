//! Two end points, their applications and the channel: a state that can be copied, and what can happen next in
//! it.
//!
//! This is not `tcp_model::testing::Pair`: the search copies its state before each of millions of steps, and
//! recognizes a state it has seen by its digest. A pair of whole hosts can be neither copied nor hashed, and
//! its path decides at random what is lost, where the search tries everything.

use std::hash::{Hash, Hasher};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use sim_core::SimTime;
use siphasher::sip::SipHasher13;
use tcp_model::model::{
    ConnectionEnd, Input, OpenContext, Outputs, SendCall, Signal, TcpModel, TcpView,
};
use tcp_model::{ConnId, Connection, Segment, SeqNum, State};

use super::case::{Budget, Call, CheckedCase};
use super::rules;

/// A TCP that can be checked.
pub(super) trait Checked: TcpModel + Clone {
    fn open(ctx: OpenContext) -> Self;
    fn feed(&self, hasher: &mut SipHasher13);
}

impl Checked for Connection {
    fn open(ctx: OpenContext) -> Self {
        Connection::new(ctx)
    }
    fn feed(&self, hasher: &mut SipHasher13) {
        self.digest(hasher);
    }
}

/// A step that may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextStep {
    Open(usize),
    Call(usize, Call),
    Deliver(usize, usize),
    Duplicate(usize, usize),
    Lose(usize, usize),
    Timeout(usize),
}

/// An end point and its application.
#[derive(Clone)]
pub(super) struct CheckedSide<M> {
    pub(super) tcp: M,
    pub(super) iss: SeqNum,
    pub(super) opened: bool,
    /// How many connections the listener has made before this one.
    pub(super) incarnation: u8,
    pub(super) next_call: usize,
    pub(super) state: State,
    pub(super) connected: bool,
    pub(super) peer_closed: bool,
    pub(super) closed: bool,
    pub(super) end: Option<ConnectionEnd>,
    pub(super) wrote: u64,
    pub(super) read: u64,
    /// Which octets of the peer's stream have arrived, one bit each.
    pub(super) brought: u128,
}

impl<M: Checked> CheckedSide<M> {
    pub(super) fn view(&self) -> TcpView {
        self.tcp.view()
    }
}

#[derive(Clone)]
pub(super) struct CheckedPair<M> {
    pub(super) sides: [CheckedSide<M>; 2],
    /// Segments on their way to side 0 and to side 1.
    net: [Vec<(u64, Segment)>; 2],
    /// Each side's own clock. It advances only by time-outs, so that these come in any order.
    clocks: [SimTime; 2],
    budget: Budget,
}

/// The most connections that a listener makes.
const INCARNATIONS: u8 = 3;

fn address(side: usize) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1 + side as u8), 7)
}

fn key(seg: &Segment) -> u64 {
    let mut hasher = SipHasher13::new();
    seg.hash(&mut hasher);
    hasher.finish()
}

impl<M: Checked> CheckedPair<M> {
    pub(super) fn new(scenario: &CheckedCase) -> CheckedPair<M> {
        CheckedPair {
            sides: [0, 1].map(|side| fresh(scenario, side, 0)),
            net: [Vec::new(), Vec::new()],
            clocks: [SimTime::ZERO; 2],
            budget: scenario.budget,
        }
    }

    /// If digests are equal, the same can happen from here on. With `spent` the remaining budget is included.
    pub(super) fn digest(&self, spent: bool) -> u64 {
        let mut hasher = SipHasher13::new();
        for side in &self.sides {
            side.tcp.feed(&mut hasher);
            (side.incarnation, side.next_call, side.opened).hash(&mut hasher);
            (side.connected, side.peer_closed, side.closed).hash(&mut hasher);
            (side.end, side.wrote, side.read, side.brought).hash(&mut hasher);
        }
        for net in &self.net {
            net.len().hash(&mut hasher);
            net.iter().for_each(|(key, _)| key.hash(&mut hasher));
        }
        if spent {
            self.budget.hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Every step that is possible now.
    pub(super) fn actions(&self, scenario: &CheckedCase, into: &mut Vec<NextStep>) {
        into.clear();
        for (i, side) in self.sides.iter().enumerate() {
            if let Some(call) = self.next_call(scenario, i) {
                into.push(call);
            }
            let free = side.state == State::TimeWait;
            if side.tcp.next_timeout().is_some() && (free || self.budget.timeouts[i] > 0) {
                into.push(NextStep::Timeout(i));
            }
            let reach = if scenario.reorders { usize::MAX } else { 1 };
            let mut last = None;
            for (place, (key, _)) in self.net[i].iter().enumerate().take(reach) {
                if last.replace(*key) == Some(*key) {
                    continue; // the same segment as the one before
                }
                into.push(NextStep::Deliver(i, place));
                if self.budget.duplicates > 0 {
                    into.push(NextStep::Duplicate(i, place));
                }
                if self.budget.losses > 0 {
                    into.push(NextStep::Lose(i, place));
                }
            }
        }
    }

    /// What the application does next, if it can.
    fn next_call(&self, scenario: &CheckedCase, i: usize) -> Option<NextStep> {
        let (side, plan) = (&self.sides[i], &scenario.plans[i]);
        if !side.opened {
            return Some(NextStep::Open(i));
        }
        if side.end.is_some()
            && !(side.end == Some(ConnectionEnd::Closed) && side.view().readable > 0)
        {
            return None;
        }
        let waits = (plan.patient || !plan.active) && !side.connected;
        if waits {
            return None;
        }
        if let Some(&call) = plan.calls.get(side.next_call) {
            let has_room = match call {
                Call::Write(bytes) => side.view().send_room >= bytes,
                Call::Read(_) => side.view().readable > 0 || side.peer_closed,
                _ => true,
            };
            return has_room.then_some(NextStep::Call(i, call));
        }
        // All calls are made: read the rest, and close when the peer has closed and everything is read.
        if side.view().readable > 0 {
            return Some(NextStep::Call(i, Call::Read(u64::MAX)));
        }
        (side.peer_closed && !side.closed).then_some(NextStep::Call(i, Call::Close))
    }

    /// Performs one step.
    ///
    /// # Errors
    /// What is wrong, if the step breaks a rule.
    pub(super) fn perform(
        &mut self,
        scenario: &CheckedCase,
        action: NextStep,
    ) -> Result<(), String> {
        match action {
            NextStep::Open(i) => {
                self.sides[i].opened = true;
                let open = if scenario.plans[i].active {
                    Input::Connect
                } else {
                    Input::Listen
                };
                self.step(scenario, i, open)
            }
            NextStep::Call(i, call) => self.call(scenario, i, call),
            NextStep::Timeout(i) => {
                if self.sides[i].state != State::TimeWait {
                    let left = &mut self.budget.timeouts[i];
                    *left = left.saturating_sub(1);
                }
                let due = self.sides[i].tcp.next_timeout();
                self.clocks[i] = due.map_or(self.clocks[i], |at| at.max(self.clocks[i]));
                self.step(scenario, i, Input::Timeout)
            }
            NextStep::Lose(i, place) => {
                self.budget.losses -= 1;
                self.net[i].remove(place);
                Ok(())
            }
            NextStep::Duplicate(i, place) => {
                self.budget.duplicates -= 1;
                let segment = self.net[i][place].1;
                self.arrive(scenario, i, &segment)
            }
            NextStep::Deliver(i, place) => {
                let (_, segment) = self.net[i].remove(place);
                self.arrive(scenario, i, &segment)
            }
        }
    }

    fn call(&mut self, scenario: &CheckedCase, i: usize, call: Call) -> Result<(), String> {
        let side = &mut self.sides[i];
        let planned = side.next_call < scenario.plans[i].calls.len();
        side.next_call += usize::from(planned);
        match call {
            Call::Write(bytes) => {
                side.wrote += bytes;
                let call = SendCall::pushed(bytes);
                self.step(scenario, i, Input::Send(call))
            }
            Call::Read(bytes) => {
                let bytes = bytes.min(side.view().readable);
                side.read += bytes;
                self.step(scenario, i, Input::Receive(bytes))
            }
            Call::Shutdown => self.step(scenario, i, Input::Shutdown),
            Call::Close => {
                side.closed = true;
                self.step(scenario, i, Input::Close)
            }
            Call::Abort => self.step(scenario, i, Input::Abort),
        }
    }

    fn arrive(&mut self, scenario: &CheckedCase, i: usize, seg: &Segment) -> Result<(), String> {
        if !self.sides[i].opened || self.sides[i].state == State::Closed {
            // There is no connection: not yet, or no longer.
            if let Some(refusal) = seg.refusal() {
                self.send(scenario, i, refusal);
            }
            return Ok(());
        }
        let side = &mut self.sides[i];
        for octet in 0..u64::from(seg.len) {
            side.brought |= 1u128
                .checked_shl((seg.tag.offset + octet) as u32)
                .unwrap_or(0);
        }
        self.step(scenario, i, Input::Segment(seg))
    }

    fn send(&mut self, scenario: &CheckedCase, from: usize, segment: Segment) {
        let net = &mut self.net[1 - from];
        if net.len() < scenario.capacity {
            let key = key(&segment);
            let place = if scenario.reorders {
                net.partition_point(|(k, _)| *k < key)
            } else {
                net.len()
            };
            net.insert(place, (key, segment));
        }
    }

    /// One step of an end point, with every rule checked.
    fn step(&mut self, scenario: &CheckedCase, i: usize, input: Input<'_>) -> Result<(), String> {
        let before = self.sides[i].view();
        let mut out = Outputs::default();
        self.sides[i].tcp.step(input, self.clocks[i], &mut out);
        let after = self.sides[i].view();
        rules::step(
            &self.sides[i],
            &self.sides[1 - i],
            &before,
            &after,
            &input,
            &out,
        )?;
        let mut readable = 0;
        for &signal in &out.signals {
            let side = &mut self.sides[i];
            match signal {
                Signal::State { to, .. } => side.state = to,
                Signal::Connected => side.connected = true,
                Signal::PeerClosed => side.peer_closed = true,
                Signal::Readable(bytes) => readable = bytes,
                Signal::Ended(end) => side.end = Some(end),
                _ => {}
            }
        }
        // LISTEN is entered without a signal: the listener existed before.
        self.sides[i].state = after.state;
        for sent in out.segments {
            self.send(scenario, i, sent.segment);
        }
        rules::pair(&self.sides, scenario)?;
        self.listen_again(scenario, i, before.state);
        if readable > 0 && scenario.plans[i].eager && self.sides[i].end.is_none() {
            let bytes = self.sides[i].view().readable;
            self.sides[i].read += bytes;
            return self.step(scenario, i, Input::Receive(bytes));
        }
        Ok(())
    }

    /// "If this connection was initiated with a passive OPEN, then return this connection to the
    /// LISTEN state": the host makes a new end point for the listener's next SYN.
    fn listen_again(&mut self, scenario: &CheckedCase, i: usize, was: State) {
        let side = &self.sides[i];
        let again = side.state == State::Closed
            && was == State::SynReceived
            && !scenario.plans[i].active
            && side.incarnation + 1 < INCARNATIONS;
        if again {
            self.sides[i] = fresh(scenario, i, side.incarnation + 1);
            self.sides[i].opened = true;
            let mut out = Outputs::default();
            self.sides[i]
                .tcp
                .step(Input::Listen, self.clocks[i], &mut out);
            self.sides[i].state = State::Listen;
        }
    }

    /// The next step when nothing more is lost or delayed; `None` if there is none.
    pub(super) fn fair_action(&self, scenario: &CheckedCase) -> Option<NextStep> {
        for i in 0..2 {
            if !self.net[i].is_empty() {
                return Some(NextStep::Deliver(i, 0));
            }
        }
        for i in 0..2 {
            if let Some(call) = self.next_call(scenario, i) {
                return Some(call);
            }
        }
        let due = |i: usize| {
            let at = self.sides[i].tcp.next_timeout()?;
            Some((at.max(self.clocks[i]).since(self.clocks[i]), i))
        };
        let first = [due(0), due(1)].into_iter().flatten().min();
        first.map(|(_, i)| NextStep::Timeout(i))
    }

    pub(super) fn describe(&self) -> String {
        let side = |i: usize| {
            let s = &self.sides[i];
            let v = s.view();
            let ends = s.end.map_or(String::new(), |e| format!(" ended {e:?}"));
            format!(
                "{} una {} nxt {} rcv {} wrote {} read {}{ends}, {} under way to it",
                v.state,
                v.snd_una,
                v.snd_nxt,
                v.rcv_nxt,
                s.wrote,
                s.read,
                self.net[i].len()
            )
        };
        format!("[{}] [{}]", side(0), side(1))
    }

    /// A step in words.
    pub(super) fn tell(&self, action: NextStep) -> String {
        let segment = |i: usize, place: usize| {
            let s = &self.net[i][place].1;
            let ack = if s.flags.is_ack() {
                format!(" ack {}", s.ack)
            } else {
                String::new()
            };
            format!("{} {}({}){ack} win {}", s.flags, s.seq, s.len, s.window)
        };
        match action {
            NextStep::Deliver(i, p) => format!("{i} receives {}", segment(i, p)),
            NextStep::Duplicate(i, p) => format!("{i} receives a duplicate of {}", segment(i, p)),
            NextStep::Lose(i, p) => format!("lost on the way to {i}: {}", segment(i, p)),
            other => format!("{other:?}"),
        }
    }
}

fn fresh<M: Checked>(scenario: &CheckedCase, i: usize, incarnation: u8) -> CheckedSide<M> {
    // Both streams wrap around the end of the sequence space.
    let iss = SeqNum(u32::MAX - 3) - 10 * i as u32 + u32::from(incarnation) * 1_000_000;
    CheckedSide {
        tcp: M::open(OpenContext {
            params: Arc::clone(&scenario.params[i]),
            conn: ConnId::new(i as u32, u32::from(incarnation)),
            traced: false,
            local: address(i),
            remote: address(1 - i),
            iss,
            ts_offset: 0,
        }),
        iss,
        opened: false,
        incarnation,
        next_call: 0,
        state: State::Closed,
        connected: false,
        peer_closed: false,
        closed: false,
        end: None,
        wrote: 0,
        read: 0,
        brought: 0,
    }
}
