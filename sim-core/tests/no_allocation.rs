//! A steady flow through a router allocates nothing once it is warm.
#![allow(unsafe_code)]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::ControlFlow;

use common::{Draft, at_us, ms, us};
use sim_core::event_queue::EventQueueKind;
use sim_core::record::Discard;
use sim_core::{
    Cx, Host, LazyTimer, LinkSpec, NodeId, Packet, QueueLimit, Rate, RunConfig, Simulation,
};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counting calls per thread.
struct Counting;

fn count() {
    // Fails only while the thread is being torn down.
    let _ = ALLOCATIONS.try_with(|n| n.set(n.get() + 1));
}

// SAFETY: hands every call on to `System` unchanged; the counter allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are `System`'s.
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

/// Keeps a window of packets on the way, re-arms a timer for each, records each.
#[derive(Default)]
struct Flow {
    window: u32,
    peer: u32,
    timer: LazyTimer,
}

impl Flow {
    fn send(&mut self, cx: &mut Cx<'_, Self>) {
        let address = |n: u32| cx.network().addresses(NodeId(n)).next().unwrap();
        let (src, dst) = (address(cx.node().0), address(self.peer));
        cx.send(
            src,
            dst,
            if self.window > 0 { 1500 } else { 40 },
            64,
            0,
            [0; 4],
        );
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

#[test]
fn a_steady_flow_allocates_nothing_per_event_after_warm_up() {
    let mut draft = Draft::default();
    let (a, r, b) = (draft.host("a"), draft.router("r"), draft.host("b"));
    draft.join(LinkSpec::new(a, r, Some(Rate::mbps(1000)), us(100)));
    let mut bottleneck = LinkSpec::new(r, b, Some(Rate::mbps(100)), us(900));
    bottleneck.queue = QueueLimit::Packets(100);
    bottleneck.impairments.jitter = us(3);
    draft.join(bottleneck);
    let network = draft.network();
    let looking = EventQueueKind::ALL.iter().map(|&queue| (queue, 0));
    let plain = EventQueueKind::ALL.iter().map(|&queue| (queue, usize::MAX));
    for (queue, look_ahead_from) in looking.chain(plain) {
        let flow = |window, peer: NodeId| Flow {
            window,
            peer: peer.0,
            ..Flow::default()
        };
        let hosts = vec![Some(flow(50, b)), None, Some(flow(0, a))];
        let config = RunConfig {
            queue,
            look_ahead_from,
            ..RunConfig::new(1, at_us(60_000_000))
        };
        let mut simulation = Simulation::new(network.clone(), hosts, &config);
        let mut warm = None;
        let mut last = (0, 0);
        let stats = simulation.run(&mut Discard, &mut |progress| {
            last = (progress.events, ALLOCATIONS.get());
            if progress.events > 200_000 && warm.is_none() {
                warm = Some(last);
            }
            ControlFlow::Continue(())
        });
        assert_eq!(stats.unwrap().links[2].queue_drops, 0);
        let warm = warm.unwrap();
        assert!(
            last.0 - warm.0 > 1_000_000,
            "only {} events",
            last.0 - warm.0
        );
        assert_eq!(last.1 - warm.1, 0, "allocations with {}", queue.name());
        assert!(warm.1 > 0, "the counter counts");
    }
}
