//! Two end points and a channel between them: no engine, no host.
//!
//! `tcp_model::testing` has no such rig: its `End` is one end point whose peer is the test, and its
//! `Pair` puts whole hosts around the connections, with sockets, listeners and TIME-WAIT tables
//! between the test and the state machine. Here every output of a bare [`Connection`] is checked as
//! it comes, connections open at both sides at once, and calls are made that a host does not offer,
//! such as a write without PUSH.
#![allow(unreachable_pub, dead_code)]

mod side;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use sim_core::{Rng, SimDuration, SimTime};
use tcp_model::model::{ConnectionEnd, Input, OpenContext, Outputs, SendCall, Signal, TcpModel};
use tcp_model::{ConnId, Connection, Flags, Segment, SeqNum, State};

pub use side::{Act, PairSide};

/// What the channel does to segments.
#[derive(Clone, Copy, Debug)]
pub struct Channel {
    pub delay: SimDuration,
    pub loss: f64,
    pub duplicate: f64,
    pub reorder: f64,
    /// Nothing passes from then on.
    pub dead_from: SimTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum WorldEvent {
    Arrive(usize, usize),
    Act(usize, usize),
    Read(usize),
    Wake(usize),
}

/// What happened to a segment, in the order of sending.
#[derive(Clone, Debug)]
pub struct SentSegment {
    pub at: SimTime,
    pub from: usize,
    pub segment: Segment,
    pub again: bool,
    pub lost: bool,
}

pub struct ConnectionPair {
    pub sides: [PairSide; 2],
    pub log: Vec<SentSegment>,
    channel: Channel,
    rng: Rng,
    now: SimTime,
    heap: BinaryHeap<Reverse<(SimTime, u64, WorldEvent)>>,
    count: u64,
    out: Outputs,
    /// Segments to lose, by index in the log.
    pub drop: Vec<usize>,
    pub steps: u64,
    /// Side 1 opens actively too.
    simultaneous: bool,
}

impl ConnectionPair {
    pub fn new(
        seed: u64,
        channel: Channel,
        sides: [PairSide; 2],
        simultaneous: bool,
    ) -> ConnectionPair {
        let mut world = ConnectionPair {
            sides,
            log: Vec::new(),
            channel,
            rng: Rng::stream(seed, "channel", 0),
            now: SimTime::ZERO,
            heap: BinaryHeap::new(),
            count: 0,
            out: Outputs::default(),
            drop: Vec::new(),
            steps: 0,
            simultaneous,
        };
        for side in 0..2 {
            for i in 0..world.sides[side].plan.len() {
                let at = world.sides[side].plan[i].0;
                world.push(at, WorldEvent::Act(side, i));
            }
        }
        world
    }

    fn push(&mut self, at: SimTime, kind: WorldEvent) {
        self.count += 1;
        self.heap.push(Reverse((at, self.count, kind)));
    }

    fn open(&mut self, side: usize, conn: u32) {
        let address = |i: usize| SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1 + i as u8), 7);
        self.sides[side].model = Some(Connection::new(OpenContext {
            params: Arc::clone(&self.sides[side].params),
            conn: ConnId::new(side as u32, conn),
            traced: false,
            local: address(side),
            remote: address(1 - side),
            iss: SeqNum(self.rng.next_u64() as u32),
            ts_offset: self.rng.next_u64() as u32,
        }));
    }

    /// Makes side 1 open actively too.
    pub fn open_both(&mut self) {
        self.simultaneous = true;
    }

    /// Opens and runs until nothing more happens, or for `limit` steps.
    pub fn run(&mut self, limit: u64) {
        self.open(0, 0);
        self.step(0, Input::Connect);
        if self.simultaneous {
            self.open(1, 0);
            self.step(1, Input::Connect);
        }
        while let Some(Reverse((at, _, kind))) = self.heap.pop() {
            assert!(at >= self.now);
            self.now = at;
            self.steps += 1;
            assert!(self.steps < limit, "no end in sight: {:?}", self.summary());
            match kind {
                WorldEvent::Arrive(side, i) => self.arrive(side, i),
                WorldEvent::Act(side, i) => self.act(side, i),
                WorldEvent::Read(side) => self.read_on(side),
                WorldEvent::Wake(side) => {
                    let due = self.sides[side]
                        .model
                        .as_ref()
                        .and_then(|m| m.next_timeout());
                    if due.is_some_and(|t| t <= self.now) {
                        self.step(side, Input::Timeout);
                    }
                }
            }
        }
    }

    pub fn summary(&self) -> String {
        let side = |s: &PairSide| {
            let view = s.model.as_ref().map(|m| (m.view(), m.next_timeout()));
            format!(
                "wrote {} read {} end {:?} {:?} plan {:?}\n",
                s.wrote, s.read, s.end, view, s.plan
            )
        };
        format!(
            "at {} {}{}",
            self.now,
            side(&self.sides[0]),
            side(&self.sides[1])
        )
    }

    fn act(&mut self, side: usize, i: usize) {
        if self.sides[side].model.is_none() {
            // The passive side has no connection yet: its application waits in accept.
            let live = self.sides[0].end.is_none() && self.sides[side].end.is_none();
            if live && self.steps < 100_000 {
                self.push(
                    self.now + SimDuration::from_millis(700),
                    WorldEvent::Act(side, i),
                );
            }
            return;
        }
        // A patient application closes no connection that is still opening.
        let opening = matches!(
            self.sides[side].state(),
            State::SynSent | State::SynReceived
        );
        let last = matches!(self.sides[side].plan[i].1, Act::Shutdown | Act::Close);
        if opening && last && self.sides[side].patient {
            self.push(
                self.now + SimDuration::from_millis(300),
                WorldEvent::Act(side, i),
            );
            return;
        }
        match self.sides[side].plan[i].1 {
            Act::Write {
                bytes,
                push,
                urgent,
            } => {
                let room = self.sides[side]
                    .model
                    .as_ref()
                    .map_or(0, |m| m.view().send_room);
                let taken = bytes.min(room);
                self.sides[side].wrote += taken;
                if self.sides[side].closes.is_none() {
                    self.sides[side].pending += bytes - taken;
                }
                self.step(
                    side,
                    Input::Send(SendCall {
                        bytes,
                        push,
                        urgent,
                        ends_record: bytes % 5 == 0,
                        ..SendCall::default()
                    }),
                );
            }
            Act::Shutdown => {
                self.sides[side].pending = 0;
                self.sides[side].closes.get_or_insert(self.now);
                self.step(side, Input::Shutdown);
                self.finish_politely(side);
            }
            Act::Close => {
                self.sides[side].pending = 0;
                self.sides[side].closes.get_or_insert(self.now);
                self.step(side, Input::Close);
            }
            Act::Abort => self.step(side, Input::Abort),
            Act::Read(bytes) => self.read(side, bytes),
        }
    }

    /// A slow reader reads its next piece.
    fn read_on(&mut self, side: usize) {
        if self.sides[side].end.is_some() {
            return;
        }
        let (pause, bytes) = self.sides[side].reader;
        self.read(side, bytes);
        self.finish_politely(side);
        if self.steps < 300_000 {
            self.push(self.now + pause, WorldEvent::Read(side));
        }
    }

    fn finish_politely(&mut self, side: usize) {
        let s = &self.sides[side];
        let drained = s.model.as_ref().is_some_and(|m| m.view().readable == 0);
        if s.polite && s.peer_closed && drained && s.closes.is_some() && s.end.is_none() {
            self.sides[side].polite = false;
            self.step(side, Input::Close);
        }
    }

    fn read(&mut self, side: usize, bytes: u64) {
        let readable = self.sides[side]
            .model
            .as_ref()
            .map_or(0, |m| m.view().readable);
        let taken = bytes.min(readable);
        if taken > 0 {
            self.sides[side].read += taken;
            self.step(side, Input::Receive(taken));
        }
    }

    fn arrive(&mut self, side: usize, i: usize) {
        let segment = self.log[i].segment;
        let listens = side == 1 && !self.simultaneous && self.sides[1].state() == State::Closed;
        if listens && segment.flags.is_syn() && !segment.flags.is_ack() && !segment.flags.is_rst() {
            let again = self.sides[1].states.len() as u32;
            if self.sides[1].read == 0 && self.sides[1].end != Some(ConnectionEnd::Closed) {
                let fresh = &mut self.sides[1];
                (fresh.end, fresh.closes, fresh.peer_closed) = (None, None, false);
                (fresh.wrote, fresh.pending) = (0, 0);
                self.open(1, again);
                self.step(1, Input::Listen);
                self.step(1, Input::Segment(&segment));
                return;
            }
        }
        if self.sides[side].state() == State::Closed {
            // RFC 9293 section 3.10.7.1
            if !segment.flags.is_rst() {
                let mut reset = Segment {
                    src_port: 7,
                    dst_port: 7,
                    flags: Flags::RST,
                    seq: segment.ack,
                    ..Segment::default()
                };
                if !segment.flags.is_ack() {
                    reset.seq = SeqNum(0);
                    reset.ack = segment.seq_end();
                    reset.flags |= Flags::ACK;
                }
                self.send(side, reset, false);
            }
            return;
        }
        self.step(side, Input::Segment(&segment));
    }

    fn send(&mut self, from: usize, segment: Segment, again: bool) {
        let channel = self.channel;
        let scripted = self.drop.contains(&self.log.len());
        let lost = scripted || self.now >= channel.dead_from || self.rng.chance(channel.loss);
        self.log.push(SentSegment {
            at: self.now,
            from,
            segment,
            again,
            lost,
        });
        if lost {
            return;
        }
        let i = self.log.len() - 1;
        for _ in 0..1 + u32::from(self.rng.chance(channel.duplicate)) {
            let mut delay = channel.delay;
            if self.rng.chance(channel.reorder) {
                delay += channel.delay * self.rng.below(6);
            }
            self.push(self.now + delay, WorldEvent::Arrive(1 - from, i));
        }
    }

    pub fn step(&mut self, side: usize, input: Input<'_>) {
        let mut out = std::mem::take(&mut self.out);
        out.clear();
        let Some(model) = self.sides[side].model.as_mut() else {
            return;
        };
        model.step(input, self.now, &mut out);
        let view = model.view();
        assert!(
            view.snd_una.at_or_before(view.snd_nxt),
            "{}",
            self.summary()
        );
        let next = model.next_timeout();
        if view.state == State::Closed {
            assert_eq!(next, None, "a closed end point has no timer");
        }
        if let Some(at) = next {
            let at = at.max(self.now);
            self.push(at, WorldEvent::Wake(side));
        }
        for sent in std::mem::take(&mut out.segments) {
            self.send(side, sent.segment, sent.is_retransmission());
        }
        let (mut readable, mut writable) = (false, 0);
        for signal in std::mem::take(&mut out.signals) {
            match signal {
                Signal::State { to, .. } => self.sides[side].states.push((self.now, to)),
                Signal::Readable(_) => readable = true,
                Signal::Writable(room) => writable = room,
                Signal::PeerClosed => self.sides[side].peer_closed = true,
                Signal::Ended(end) => {
                    assert!(
                        self.sides[side].end.is_none(),
                        "one end only: {}",
                        self.summary()
                    );
                    self.sides[side].end = Some(end);
                }
                Signal::Connected if !self.sides[side].eager => {
                    self.push(self.now, WorldEvent::Read(side));
                }
                Signal::Connected
                | Signal::Urgent(_)
                | Signal::SoftError(_)
                | Signal::DeliveryTrouble
                | Signal::FastOpen(_) => {}
            }
        }
        self.out = out;
        if readable && self.sides[side].eager {
            self.read(side, u64::MAX);
        }
        self.finish_politely(side);
        if writable > 0 && self.sides[side].pending > 0 {
            let bytes = self.sides[side].pending;
            self.sides[side].pending = 0;
            let room = self.sides[side]
                .model
                .as_ref()
                .map_or(0, |m| m.view().send_room);
            let taken = bytes.min(room);
            self.sides[side].wrote += taken;
            self.sides[side].pending = bytes - taken;
            self.step(side, Input::Send(SendCall::pushed(bytes)));
        }
    }
}

/// A log as text with relative numbers, one line per segment: what a reader of a trace would see.
pub fn trace(world: &ConnectionPair) -> Vec<String> {
    let mut isn = [None; 2];
    for sent in &world.log {
        if sent.segment.flags.is_syn() {
            isn[sent.from].get_or_insert(sent.segment.seq);
        }
    }
    let rel = |n: SeqNum, side: usize| n.offset_from(isn[side].unwrap_or(SeqNum(0)));
    world
        .log
        .iter()
        .map(|s| {
            let ack = if s.segment.flags.is_ack() {
                format!(" ack={}", rel(s.segment.ack, 1 - s.from))
            } else {
                String::new()
            };
            format!(
                "{:.3} {} {} seq={}{ack} len={}{}",
                s.at.as_secs_f64(),
                if s.from == 0 { "A>B" } else { "B>A" },
                s.segment.flags,
                rel(s.segment.seq, s.from),
                s.segment.len,
                if s.lost { " LOST" } else { "" },
            )
        })
        .collect()
}
