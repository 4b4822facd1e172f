//! A part of the network that runs by itself between two exchanges of mail.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::cx::Cx;
use crate::event::{Event, EventKind, LinkId, NodeId, Tie};
use crate::event_queue::{AnyEventQueue, EventQueue};
use crate::host::{Host, Loss, LossCause};
use crate::link::{Fate, LinkStats, Served, Transmitter, Wire};
use crate::look_ahead::LookAhead;
use crate::network::{LinkSpec, Network, NodeSpec, Outage};
use crate::packet::{Flight, Packet, PacketRef, Slab};
use crate::queue_disc::{QueueDrop, QueuedPacket};
use crate::record::Record;
use crate::time::{SimDuration, SimTime};

/// A packet that crosses to another partition, with the key its sender made.
#[derive(Debug)]
pub(crate) struct Mail<P> {
    /// Among the receiver's.
    pub(crate) wire: u32,
    pub(crate) at: SimTime,
    pub(crate) tie: Tie,
    pub(crate) packet: Packet<P>,
}

/// Which partition owns each node, and where it keeps its host.
#[derive(Debug)]
pub(crate) struct Assignment {
    part_of: Vec<u32>,
    /// Place of a node's host in its partition's list; `NO_HOST` for routers.
    place: Vec<u32>,
    parts: usize,
}

const NO_HOST: u32 = u32::MAX;

impl Assignment {
    /// Nodes to partitions as given; the hosts of each partition, in order of node number.
    pub(crate) fn new<H>(
        part_of: Vec<u32>,
        hosts: Vec<Option<H>>,
    ) -> (Arc<Assignment>, Vec<Vec<(NodeId, H)>>) {
        let parts = part_of.iter().max().map_or(1, |m| *m as usize + 1);
        let mut split: Vec<Vec<(NodeId, H)>> = (0..parts).map(|_| Vec::new()).collect();
        let mut place = vec![NO_HOST; part_of.len()];
        for (i, host) in hosts.into_iter().enumerate() {
            if let Some(host) = host {
                let mine = &mut split[part_of[i] as usize];
                place[i] = mine.len() as u32;
                mine.push((NodeId(i as u32), host));
            }
        }
        let assignment = Assignment {
            part_of,
            place,
            parts,
        };
        (Arc::new(assignment), split)
    }

    /// Place of a node's host in its partition.
    pub(crate) fn place_of(&self, node: u32) -> u32 {
        self.place[node as usize]
    }

    /// The partition that owns a node.
    pub(crate) fn part_of(&self, node: NodeId) -> u32 {
        self.part_of[node.0 as usize]
    }
}

/// Mail to one partition, of one window.
#[derive(Debug)]
pub(crate) struct Mailbag<P> {
    mail: Vec<Mail<P>>,
    earliest: SimTime,
}

impl<P> Default for Mailbag<P> {
    fn default() -> Self {
        Mailbag {
            mail: Vec::new(),
            earliest: SimTime::MAX,
        }
    }
}

impl<P> Mailbag<P> {
    fn add(&mut self, mail: Mail<P>) {
        self.earliest = self.earliest.min(mail.at);
        self.mail.push(mail);
    }
}

/// Everything of a partition but its hosts, so that a host can be borrowed beside it.
#[derive(Debug)]
pub(crate) struct Core<H: Host> {
    me: u32,
    pub(crate) network: Arc<Network>,
    pub(crate) assignment: Arc<Assignment>,
    pub(crate) queue: AnyEventQueue,
    pub(crate) packets: Slab<Packet<H::Payload>>,
    pub(crate) scratch: H::Scratch,
    /// Of the links this partition sends on, in order of link number.
    transmitters: Vec<Transmitter>,
    /// Place in `transmitters` by link number.
    transmitter_of: Vec<u32>,
    /// Of the links on which this partition receives, in order of link number.
    pub(crate) wires: Vec<Wire>,
    counters: Vec<u64>,
    pub(crate) seed: u64,
    /// By receiving partition.
    outbox: Vec<Mailbag<H::Payload>>,
    /// Partitions with mail in the outbox.
    mailed: Vec<u32>,
    /// How far this partition may run: what others do cannot reach it before.
    horizon: SimTime,
    /// The shortest delay of a link between partitions.
    look_ahead: SimDuration,
    pub(crate) records: Vec<Record<H::Sample>>,
    pub(crate) events: u64,
    pub(crate) max_pending: usize,
    pub(crate) max_packets: usize,
    unrouted: u64,
    /// Nodes that go down at some time: whether they are down, and which of their wakes a crash has
    /// cancelled. Empty where none does.
    outages: FxHashMap<u32, NodeState>,
    /// What managed queues have dropped during a call; empty between events.
    dropped: Vec<(QueuedPacket, QueueDrop)>,
}

/// Bytes of the engine's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectBytes {
    /// A pending event.
    pub event: usize,
    /// A packet in flight, with its place on the wire.
    pub packet: usize,
    /// A link direction: its description, sender and receiver; without limits,
    /// impairments and changes, which are kept beside.
    pub link: usize,
    /// A node, but for its host and what its name takes.
    pub node: usize,
    /// What a host needs before it allocates anything.
    pub host: usize,
}

impl ObjectBytes {
    /// With hosts of type `H`.
    pub(crate) fn of<H: Host>() -> ObjectBytes {
        let place = size_of::<u32>();
        ObjectBytes {
            event: size_of::<Event>(),
            packet: Slab::<Packet<H::Payload>>::ENTRY_BYTES,
            link: size_of::<LinkSpec>() + size_of::<Transmitter>() + size_of::<Wire>() + place,
            // Counter; partition and place; first address.
            node: size_of::<NodeSpec>() + size_of::<u64>() + 3 * place,
            host: size_of::<(NodeId, H)>(),
        }
    }
}

/// Nodes of one partition, their links and their events. Two of them share no cache line, nor a pair
/// of lines that are fetched together.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Partition<H: Host> {
    pub(crate) core: Core<H>,
    pub(crate) hosts: Vec<(NodeId, H)>,
    pub(crate) ahead: LookAhead,
    /// By sending partition.
    inbox: Vec<Mailbag<H::Payload>>,
    /// Partitions with mail in the inbox.
    senders: Vec<u32>,
    /// Time of the first event pending or in the inbox, as of the last window.
    next: Option<SimTime>,
}

/// A node that goes down at some time.
#[derive(Clone, Copy, Debug, Default)]
struct NodeState {
    is_down: bool,
    /// Wakes with a smaller count were asked for before the last crash.
    booted: u64,
}

impl<H: Host> Core<H> {
    fn schedule_outage(&mut self, outage: &Outage) {
        self.outages.insert(outage.node.0, NodeState::default());
        let times = [Some(outage.down), outage.up];
        for (time, data) in times.into_iter().zip(0..) {
            let Some(time) = time else { continue };
            let tie = self.draw_tie(outage.node);
            self.queue.push(Event {
                time,
                tie,
                data,
                target: outage.node.0,
                kind: EventKind::Outage,
            });
        }
    }

    fn set_down(&mut self, node: NodeId, is_down: bool) {
        let booted = self.counters[node.0 as usize];
        let state = self.outages.entry(node.0).or_default();
        state.is_down = is_down;
        if is_down {
            state.booted = booted;
        }
    }

    fn is_down(&self, node: NodeId) -> bool {
        self.outages.get(&node.0).is_some_and(|s| s.is_down)
    }

    /// True when a crash has cancelled the wake with this key.
    fn is_cancelled(&self, node: NodeId, tie: Tie) -> bool {
        let state = self.outages.get(&node.0);
        state.is_some_and(|s| s.is_down || tie.count() < s.booted)
    }

    #[inline]
    pub(crate) fn draw_tie(&mut self, node: NodeId) -> Tie {
        let counter = &mut self.counters[node.0 as usize];
        let tie = Tie::new(node, *counter);
        *counter += 1;
        tie
    }

    /// Sends the packet in the slab from `node` on the link towards its destination, with `tie` as
    /// the key of its arrival.
    pub(crate) fn forward(
        &mut self,
        node: NodeId,
        at: PacketRef,
        tie: Tie,
        now: SimTime,
        event: Tie,
    ) {
        let packet = self.packets.get_mut(at);
        let Some(link) = self.network.next_link(node, packet.dst) else {
            self.unrouted += 1;
            self.lose_at(node, at, LossCause::NoRoute, now, event);
            return;
        };
        let place = self.transmitter_of[link.0 as usize];
        let transmitter = &mut self.transmitters[place as usize];
        let (part, wire) = (transmitter.part, transmitter.wire);
        match transmitter.offer(packet.size, now) {
            Fate::Lost(cause) => {
                let link = Some(link);
                self.lose(at, Loss { node, link, cause }, now, event);
            }
            Fate::Arrives {
                at: time,
                corrupt,
                duplicate,
            } => {
                packet.corrupt |= corrupt;
                if duplicate {
                    self.launch_twice(node, (part, wire), time, tie, at);
                } else {
                    self.launch(part, wire, time, tie, at);
                }
            }
            Fate::Waits => self.enqueue(node, place, at, now, event),
        }
    }

    /// Sends a packet off and a copy right behind it.
    #[cold]
    fn launch_twice(
        &mut self,
        node: NodeId,
        (part, wire): (u32, u32),
        time: SimTime,
        tie: Tie,
        at: PacketRef,
    ) {
        let copy = self.packets.get_mut(at).clone();
        let copy = self.packets.insert(copy);
        self.launch(part, wire, time, tie, at);
        let tie = self.draw_tie(node);
        self.launch(part, wire, time, tie, copy);
    }

    /// Puts a packet into the managed queue of the transmitter at `place`, and sends what can be
    /// sent.
    #[inline(never)]
    fn enqueue(&mut self, node: NodeId, place: u32, at: PacketRef, now: SimTime, event: Tie) {
        let packet = self.packets.get_mut(at);
        let ends = (packet.src, packet.dst);
        let flow = H::flow(packet);
        let queued = QueuedPacket::new(at, packet.size, packet.tos, ends, flow, now);
        let mut dropped = std::mem::take(&mut self.dropped);
        self.transmitters[place as usize].enqueue(queued, now, &mut dropped);
        self.dropped = dropped;
        self.serve(node, place, now, event);
    }

    /// Sends packets from the managed queue at `place` while its link is free, and asks for an event
    /// where some must wait. `event` is the one being handled.
    fn serve(&mut self, node: NodeId, place: u32, now: SimTime, event: Tie) {
        let mut dropped = std::mem::take(&mut self.dropped);
        loop {
            let transmitter = &mut self.transmitters[place as usize];
            let link = transmitter.link;
            let end = (transmitter.part, transmitter.wire);
            let served = transmitter.serve(now, &mut dropped);
            for (packet, why) in dropped.drain(..) {
                let cause = match why {
                    QueueDrop::Full => LossCause::QueueFull,
                    QueueDrop::Early => LossCause::QueueEarly,
                };
                let link = Some(link);
                self.lose(packet.place, Loss { node, link, cause }, now, event);
            }
            let Served::Sent(queued, fate) = served else {
                break;
            };
            self.dispatch(node, link, end, &queued, fate, now, event);
        }
        self.dropped = dropped;
        if let Some(time) = self.transmitters[place as usize].next_wake(now) {
            let tie = self.draw_tie(node);
            self.queue.push(Event {
                time,
                tie,
                data: 0,
                target: place,
                kind: EventKind::Departure,
            });
        }
    }

    /// Sends off a packet that a managed queue has let go. The key of its arrival is made now, so
    /// that arrivals follow the order of departure.
    #[expect(
        clippy::too_many_arguments,
        reason = "a link direction, a packet and an instant"
    )]
    fn dispatch(
        &mut self,
        node: NodeId,
        link: LinkId,
        (part, wire): (u32, u32),
        queued: &QueuedPacket,
        fate: Fate,
        now: SimTime,
        event: Tie,
    ) {
        let at = queued.place;
        match fate {
            Fate::Lost(cause) => {
                let link = Some(link);
                self.lose(at, Loss { node, link, cause }, now, event);
            }
            Fate::Arrives {
                at: time,
                corrupt,
                duplicate,
            } => {
                let packet = self.packets.get_mut(at);
                packet.corrupt |= corrupt;
                packet.tos = queued.tos();
                let tie = self.draw_tie(node);
                if duplicate {
                    self.launch_twice(node, (part, wire), time, tie, at);
                } else {
                    self.launch(part, wire, time, tie, at);
                }
            }
            Fate::Waits => {}
        }
    }

    /// A transmission has ended, or a discipline is ready to send again.
    #[inline(never)]
    fn depart(&mut self, place: u32, now: SimTime, event: Tie) {
        let transmitter = &mut self.transmitters[place as usize];
        if transmitter.is_due(now) {
            let node = self.network.links()[transmitter.link.0 as usize].from;
            self.serve(node, place, now, event);
        }
    }

    /// Sends a packet off on a wire of partition `part`.
    #[inline(always)]
    fn launch(&mut self, part: u32, wire: u32, at: SimTime, tie: Tie, packet: PacketRef) {
        if part == self.me {
            self.board(wire, at, tie, packet);
            return;
        }
        self.mail(part, wire, at, tie, packet);
    }

    fn mail(&mut self, part: u32, wire: u32, at: SimTime, tie: Tie, packet: PacketRef) {
        let packet = self.packets.remove(packet);
        let bag = &mut self.outbox[part as usize];
        if bag.mail.is_empty() {
            self.mailed.push(part);
        }
        bag.add(Mail {
            wire,
            at,
            tie,
            packet,
        });
        // The receiver may answer as soon as it has it.
        self.horizon = self.horizon.min(at.saturating_add(self.look_ahead));
    }

    #[inline(always)]
    fn board(&mut self, wire: u32, at: SimTime, tie: Tie, packet: PacketRef) {
        let place = &mut self.wires[wire as usize];
        if !place.disorders {
            let last = place.last.replace(packet);
            let next = None;
            *self.packets.flight_mut(packet) = Flight { at, tie, next };
            if let Some(last) = last {
                let ahead = self.packets.flight_mut(last);
                debug_assert!((ahead.at, ahead.tie) < (at, tie), "arrivals in order");
                ahead.next = Some(packet);
                return;
            }
        }
        self.queue.push(arrival(wire, at, tie, packet));
    }

    /// Takes a packet off its wire: where it arrives, and the place of the host there. The next one
    /// gets its event.
    #[inline(always)]
    fn land(&mut self, wire: u32, packet: PacketRef) -> (NodeId, u32) {
        let place = &mut self.wires[wire as usize];
        if !place.disorders {
            match self.packets.flight_mut(packet).next {
                Some(next) => {
                    let Flight { at, tie, .. } = *self.packets.flight_mut(next);
                    self.queue.push(arrival(wire, at, tie, next));
                }
                None => place.last = None,
            }
        }
        (place.to, place.host)
    }

    #[cold]
    fn lose_at(&mut self, node: NodeId, at: PacketRef, cause: LossCause, now: SimTime, event: Tie) {
        let loss = Loss {
            node,
            link: None,
            cause,
        };
        self.lose(at, loss, now, event);
    }

    fn lose(&mut self, at: PacketRef, loss: Loss, now: SimTime, event: Tie) {
        let packet = self.packets.remove(at);
        if let Some(sample) = H::lost(&packet, loss) {
            self.records.push(Record {
                time: now,
                tie: event,
                node: loss.node,
                sample,
            });
        }
    }
}

#[inline]
fn arrival(wire: u32, time: SimTime, tie: Tie, packet: PacketRef) -> Event {
    Event {
        time,
        tie,
        data: packet.as_data(),
        target: wire,
        kind: EventKind::Arrival,
    }
}

impl<H: Host> Partition<H> {
    /// The partition `me` of `assignment` with its hosts.
    pub(crate) fn new(
        me: u32,
        network: &Arc<Network>,
        assignment: &Arc<Assignment>,
        hosts: Vec<(NodeId, H)>,
        queue: AnyEventQueue,
        seed: u64,
        look_ahead: SimDuration,
    ) -> Partition<H> {
        let links = network.links();
        let mut transmitters = Vec::new();
        let mut transmitter_of = vec![u32::MAX; links.len()];
        let mut wires = Vec::new();
        // Each partition numbers the wires that end in it.
        let mut wires_of = vec![0u32; assignment.parts];
        for (link, spec) in (0u32..).map(LinkId).zip(links) {
            let (from, to) = (assignment.part_of(spec.from), assignment.part_of(spec.to));
            let wire = &mut wires_of[to as usize];
            if from == me {
                transmitter_of[link.0 as usize] = transmitters.len() as u32;
                transmitters.push(Transmitter::new(link, spec, seed, to, *wire));
            }
            if to == me {
                let host = assignment.place[spec.to.0 as usize];
                wires.push(Wire::new(spec, host));
            }
            *wire += 1;
        }
        let mut core = Core {
            me,
            network: Arc::clone(network),
            assignment: Arc::clone(assignment),
            queue,
            packets: Slab::default(),
            scratch: H::Scratch::default(),
            transmitters,
            transmitter_of,
            wires,
            counters: vec![0; network.nodes().len()],
            seed,
            outbox: (0..assignment.parts).map(|_| Mailbag::default()).collect(),
            mailed: Vec::new(),
            horizon: SimTime::ZERO,
            look_ahead,
            records: Vec::new(),
            events: 0,
            max_pending: 0,
            max_packets: 0,
            unrouted: 0,
            outages: FxHashMap::default(),
            dropped: Vec::new(),
        };
        for &(node, _) in &hosts {
            let tie = core.draw_tie(node);
            core.queue.push(Event {
                time: SimTime::ZERO,
                tie,
                data: 0,
                target: node.0,
                kind: EventKind::Start,
            });
        }
        for outage in network.outages() {
            if assignment.part_of(outage.node) == me {
                core.schedule_outage(outage);
            }
        }
        let inbox = (0..assignment.parts).map(|_| Mailbag::default()).collect();
        let next = core.queue.next_time();
        Partition {
            core,
            hosts,
            ahead: LookAhead::default(),
            inbox,
            senders: Vec::new(),
            next,
        }
    }

    /// Time of the first event pending or in the inbox.
    pub(crate) fn next_time(&self) -> Option<SimTime> {
        self.next
    }

    /// Takes its mail, then runs events strictly before `horizon`, or before an answer to its own
    /// mail can arrive, at most `limit`; returns how many.
    pub(crate) fn run_before(&mut self, horizon: SimTime, limit: u64) -> u64 {
        self.take_mail();
        self.core.horizon = horizon;
        self.consider_looking_ahead();
        let mut done = 0;
        while done < limit {
            let Some(event) = self.core.queue.pop_before(self.core.horizon) else {
                break;
            };
            done += 1;
            if self.ahead.is_on {
                self.look_ahead(event);
            }
            self.handle(event);
        }
        self.core.events += done;
        self.core.max_pending = self.core.max_pending.max(self.core.queue.len());
        self.core.max_packets = self.core.max_packets.max(self.core.packets.len());
        self.next = self.core.queue.next_time();
        done
    }

    /// Gives every host its last call.
    pub(crate) fn end(&mut self, now: SimTime) {
        for (node, host) in &mut self.hosts {
            let tie = self.core.draw_tie(*node);
            host.on_end(&mut Cx {
                core: &mut self.core,
                node: *node,
                now,
                tie,
            });
        }
    }

    fn handle(&mut self, event: Event) {
        let (now, tie) = (event.time, event.tie);
        match event.kind {
            EventKind::Arrival => {
                self.arrive(event.target, PacketRef::from_data(event.data), now, tie);
            }
            EventKind::Departure => self.core.depart(event.target, now, tie),
            EventKind::Outage => self.go_down_or_up(event),
            EventKind::Timer | EventKind::Start => {
                let node = NodeId(event.target);
                if !self.core.outages.is_empty() && self.core.is_cancelled(node, tie) {
                    return;
                }
                let place = self.core.assignment.place_of(node.0);
                let (_, host) = &mut self.hosts[place as usize];
                let mut cx = Cx {
                    core: &mut self.core,
                    node,
                    now,
                    tie,
                };
                if event.kind == EventKind::Start {
                    host.on_start(&mut cx);
                } else {
                    host.on_timer(event.data, &mut cx);
                }
            }
        }
    }

    fn arrive(&mut self, wire: u32, at: PacketRef, now: SimTime, tie: Tie) {
        let core = &mut self.core;
        let (node, host) = core.land(wire, at);
        if !core.outages.is_empty() && core.is_down(node) {
            core.lose_at(node, at, LossCause::NodeDown, now, tie);
            return;
        }
        let packet = core.packets.get_mut(at);
        let Some((_, host)) = self.hosts.get_mut(host as usize) else {
            if packet.ttl <= 1 {
                core.lose_at(node, at, LossCause::TtlExpired, now, tie);
                return;
            }
            packet.ttl -= 1;
            let next_tie = core.draw_tie(node);
            core.forward(node, at, next_tie, now, tie);
            return;
        };
        if core.network.owner(packet.dst) != Some(node) {
            if core.network.nodes()[node.0 as usize].kind.forwards() {
                let packet = core.packets.remove(at);
                host.on_transit(
                    packet,
                    &mut Cx {
                        core,
                        node,
                        now,
                        tie,
                    },
                );
                return;
            }
            core.unrouted += 1;
            core.lose_at(node, at, LossCause::NoRoute, now, tie);
            return;
        }
        let packet = core.packets.remove(at);
        let mut cx = Cx {
            core,
            node,
            now,
            tie,
        };
        host.on_packet(packet, &mut cx);
    }

    /// A node goes down or comes up.
    #[cold]
    fn go_down_or_up(&mut self, event: Event) {
        let node = NodeId(event.target);
        let goes_down = event.data == 0;
        let place = self.core.assignment.place_of(node.0);
        if !goes_down {
            self.core.set_down(node, false);
        }
        if let Some((_, host)) = self.hosts.get_mut(place as usize) {
            let mut cx = Cx {
                core: &mut self.core,
                node,
                now: event.time,
                tie: event.tie,
            };
            if goes_down {
                host.on_crash(&mut cx);
            } else {
                host.on_boot(&mut cx);
            }
        }
        if goes_down {
            self.core.set_down(node, true);
        }
    }

    /// The next partition to which this one has sent mail, taken off the list.
    pub(crate) fn next_mailed(&mut self) -> Option<u32> {
        self.core.mailed.pop()
    }

    /// Brings what this partition sent to `other`.
    pub(crate) fn bring_mail_to(&mut self, other: &mut Partition<H>) {
        let bag = &mut self.core.outbox[other.core.me as usize];
        let earliest = other.next.map_or(bag.earliest, |t| t.min(bag.earliest));
        other.next = Some(earliest);
        let inbox = &mut other.inbox[self.core.me as usize];
        if inbox.mail.is_empty() {
            std::mem::swap(bag, inbox);
            other.senders.push(self.core.me);
        } else {
            inbox.mail.append(&mut bag.mail);
        }
        bag.earliest = SimTime::MAX;
    }

    fn take_mail(&mut self) {
        while let Some(sender) = self.senders.pop() {
            for mail in self.inbox[sender as usize].mail.drain(..) {
                let packet = self.core.packets.insert(mail.packet);
                self.core.board(mail.wire, mail.at, mail.tie, packet);
            }
        }
    }

    /// Counters of the links this partition sends on.
    pub(crate) fn link_stats(&self) -> impl Iterator<Item = (LinkId, LinkStats)> {
        self.core.transmitters.iter().map(|t| (t.link, t.stats()))
    }

    pub(crate) fn unrouted(&self) -> u64 {
        self.core.unrouted
    }

    pub(crate) fn packet_bytes(&self) -> usize {
        self.core.packets.capacity_bytes()
    }

    pub(crate) fn link_bytes(&self) -> usize {
        let (senders, wires) = (&self.core.transmitters, &self.core.wires);
        let boxed = senders.iter().map(Transmitter::boxed_bytes).sum::<usize>();
        boxed + size_of_val(senders.as_slice()) + size_of_val(wires.as_slice())
    }

    /// The hosts.
    pub(crate) fn into_hosts(self) -> Vec<(NodeId, H)> {
        self.hosts
    }
}
