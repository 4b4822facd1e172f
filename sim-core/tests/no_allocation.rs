//! A steady flow through a router allocates nothing after the warm-up.
#![allow(unsafe_code)]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::Arc;

use common::{at_us, ms, us};
use sim_core::event_queue::EventQueueKind;
use sim_core::link::LinkStats;
use sim_core::queue_disc::{CoDel, CoDelParams, QueueSpec};
use sim_core::record::Discard;
use sim_core::{
    Cx, Host, LazyTimer, LinkModels, LinkSpec, NetworkBuilder, NodeId, Outgoing, Packet,
    QueueLimit, Rate, RunConfig, Simulation,
};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counting calls per thread.
struct Counting;

fn count() {
    // Fails only while the thread ends.
    let _ = ALLOCATIONS.try_with(|n| n.set(n.get() + 1));
}

// SAFETY: passes every call on to `System` unchanged; the counter allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller upholds the contract of `System`.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Keeps a window of packets in flight, re-arms a timer for each, records each.
#[derive(Default)]
struct Flow {
    window: u32,
    peer: u32,
    timer: LazyTimer,
}

impl Flow {
    fn send(&mut self, cx: &mut Cx<'_, Self>) {
        let dst = cx.network().address(NodeId(self.peer)).unwrap();
        let size = if self.window > 0 { 1500 } else { 40 };
        cx.send(Outgoing {
            tos: 1,
            ..Outgoing::to(dst, size, [0; 4])
        });
        self.timer.set(Some(cx.now() + ms(200)), 0, cx);
    }
}

impl Host for Flow {
    type Payload = [u64; 4];
    type Sample = u64;
    type Scratch = ();

    fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
        (0..self.window).for_each(|_| self.send(cx));
    }

    fn on_packet(&mut self, packet: Packet<[u64; 4]>, cx: &mut Cx<'_, Self>) {
        cx.record(packet.id);
        self.send(cx);
    }

    fn on_timer(&mut self, token: u64, cx: &mut Cx<'_, Self>) {
        self.timer.fire(token, cx);
    }
}

/// A bottleneck with this queue between two hosts that keep 50 packets in flight: nothing is
/// allocated after the warm-up, with any event queue, with or without looking ahead.
fn allocates_nothing(queue: QueueSpec) -> LinkStats {
    let looking = EventQueueKind::ALL.iter().map(|&queue| (queue, 0));
    let plain = EventQueueKind::ALL.iter().map(|&queue| (queue, usize::MAX));
    let ways: Vec<_> = looking.chain(plain).collect();
    allocates_nothing_in(queue, &ways)
}

/// The same with these event queues, each with the number of nodes at which looking ahead starts.
fn allocates_nothing_in(queue: QueueSpec, ways: &[(EventQueueKind, usize)]) -> LinkStats {
    let mut net = NetworkBuilder::new();
    let (a, r, b) = (net.host("a"), net.router("r"), net.host("b"));
    net.connect(a, r, Rate::mbps(1000), us(100));
    let bottleneck = LinkSpec::new(r, b, Some(Rate::mbps(100)), us(900)).with_queue(queue);
    let [there, back] = net.join(bottleneck);
    for link in [there, back] {
        net.link_mut(link).impairments.extra_delay = us(3).into();
    }
    let network = Arc::new(net.build().unwrap());
    let mut links = Vec::new();
    for &(queue, look_ahead_from) in ways {
        let flow = |window, peer: NodeId| Flow {
            window,
            peer: peer.0,
            ..Flow::default()
        };
        let hosts = vec![Some(flow(50, b)), None, Some(flow(0, a))];
        let config = RunConfig {
            queue,
            look_ahead_from,
            watched: vec![there, back],
            ..RunConfig::new(1, at_us(60_000_000))
        };
        let mut simulation = Simulation::new(Arc::clone(&network), hosts, &config);
        let mut warm = None;
        let mut last = (0, 0);
        let stats = simulation.run(&mut Discard, &mut |progress| {
            last = (progress.events, ALLOCATIONS.get());
            if progress.events > 200_000 && warm.is_none() {
                warm = Some(last);
            }
            ControlFlow::Continue(())
        });
        links = stats.unwrap().links;
        let warm = warm.unwrap();
        assert!(
            last.0 - warm.0 > 1_000_000,
            "only {} events",
            last.0 - warm.0
        );
        assert_eq!(last.1 - warm.1, 0, "allocations with {}", queue.name());
        assert!(warm.1 > 0, "the counter counts");
    }
    links[there.0 as usize]
}

#[test]
fn a_steady_flow_allocates_nothing_per_event_after_warm_up() {
    let stats = allocates_nothing(QueueLimit::Packets(100).into());
    assert_eq!(stats.queue_drops, 0);
}

#[test]
fn a_managed_queue_allocates_nothing_per_event_either() {
    let params = CoDelParams {
        target: us(500),
        interval: us(5000),
        ecn: true,
        ..CoDelParams::default()
    };
    let stats = allocates_nothing(CoDel::plugin(params).into());
    assert!(stats.ce_marks > 10_000, "{stats:?}");
    assert_eq!((stats.queue_drops, stats.early_drops), (0, 0));
}

#[test]
fn the_other_disciplines_allocate_nothing_per_event_either() {
    let models = LinkModels::default();
    let cases: [(&str, &[_]); 11] = [
        ("fq-codel", &[("target", "500 us"), ("interval", "5 ms")]),
        ("pie", &[("target", "4 ms"), ("ecn", "true")]),
        (
            "red",
            &[
                ("ecn", "true"),
                ("min", "5 packets"),
                ("max", "200 packets"),
            ],
        ),
        ("step", &[("threshold", "10 packets")]),
        ("fq-pie", &[("target", "4 ms"), ("ecn", "true")]),
        ("cobalt", &[("target", "500 us"), ("interval", "5 ms")]),
        ("dualpi2", &[]),
        ("drr", &[]),
        ("priority", &[]),
        ("token-bucket", &[("rate", "50 Mbit/s")]),
        ("policer", &[("rate", "200 Mbit/s"), ("burst", "1 MB")]),
    ];
    for (name, given) in cases {
        let queue = models.queues.plugin(name, given).unwrap();
        let way = (EventQueueKind::default(), usize::MAX);
        let stats = allocates_nothing_in(queue.into(), &[way]);
        assert!(stats.sent_pkts > 10_000, "{name} {stats:?}");
    }
}
