//! Bulk transfers between whole hosts allocate nothing per event after the warm-up, recorded or not, with any
//! congestion control and queue discipline; losses allocate per recovery, not per segment.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::ControlFlow;
use std::sync::Arc;

use sim_core::queue_disc::{self, QueueSpec};
use sim_core::{
    NetworkBuilder, QueueLimit, Rate, Record, Recorder, RunConfig, SimDuration, SimTime, Simulation,
};
use tcp_model::TcpSample;
use tcp_model::congestion::{BUILT_IN, Control, ControlValue};
use tcp_model::spec::{AppSpec, BulkSpec, HostConfig, KeptSegments, SinkSpec, TraceSpec};
use tcp_model::{TcpHost, TcpParams};

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

/// Measured in the last two thirds of the time.
struct Warm {
    events: u64,
    allocations: u64,
    segments_recorded: u64,
    /// Over the whole run.
    retransmissions: u64,
    fast_recoveries: u64,
}

/// Counts the records of segments, keeps each batch and returns the one before, like a recorder
/// with its own thread.
#[derive(Default)]
struct KeepsBatches {
    before: Vec<Record<TcpSample>>,
    segments: u64,
}

impl Recorder<TcpSample> for KeepsBatches {
    fn write(&mut self, _: &[Record<TcpSample>]) -> io::Result<()> {
        unreachable!("batches are taken")
    }
    fn take(&mut self, batch: &mut Vec<Record<TcpSample>>) -> io::Result<()> {
        let segments = batch
            .iter()
            .filter(|r| matches!(r.sample, TcpSample::Segment(_)));
        self.segments += segments.count() as u64;
        std::mem::swap(batch, &mut self.before);
        Ok(())
    }
    fn finish(&mut self, _: SimTime) -> io::Result<()> {
        Ok(())
    }
}

/// Two senders and two sinks around a bottleneck of 50 Mbit/s with this queue, for a minute.
fn transfer(queue: QueueLimit, loss: f64, params: TcpParams, trace: TraceSpec) -> Warm {
    transfer_for(60, queue.into(), loss, params, trace)
}

/// The same for this many seconds.
fn transfer_for(
    seconds: u64,
    queue: QueueSpec,
    loss: f64,
    params: TcpParams,
    trace: TraceSpec,
) -> Warm {
    let (ms, mbps) = (SimDuration::from_millis, Rate::mbps);
    let mut net = NetworkBuilder::new();
    let routers = [net.router("left"), net.router("right")];
    let [bottleneck, _] = net.connect(routers[0], routers[1], mbps(50), ms(10));
    net.link_mut(bottleneck).queue = queue;
    net.link_mut(bottleneck).impairments.loss = loss.into();
    for i in 0..4 {
        let host = net.host(format!("host-{i}"));
        net.connect(host, routers[i / 2], mbps(100), ms(1));
    }
    let address = |i: u32| Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 0, 0, 1)) + i);
    let params = Arc::new(params);
    let host = |app| {
        Some(TcpHost::new(HostConfig {
            trace,
            ..HostConfig::new(Arc::clone(&params), vec![app])
        }))
    };
    let sender = |i: u32| {
        host(AppSpec::Bulk(BulkSpec {
            name: "bulk".to_owned(),
            local: address(i),
            remote: SocketAddrV4::new(address(i + 2), 5000),
            start: SimTime::ZERO + ms(u64::from(i) * 7),
            bytes: None,
        }))
    };
    let sink = || {
        host(AppSpec::Sink(SinkSpec {
            port: 5000,
            backlog: 4,
            read_rate: None,
            ..SinkSpec::default()
        }))
    };
    let hosts = vec![None, None, sender(0), sender(1), sink(), sink()];
    let network = net.build().unwrap();
    let config = RunConfig {
        look_ahead_from: 0, // looking ahead allocates nothing either
        ..RunConfig::new(3, SimTime::ZERO + SimDuration::from_secs(seconds))
    };
    let mut simulation = Simulation::new(network, hosts, &config);
    let (mut warm, mut last) = (None, (0, 0));
    let mut recorder = KeepsBatches::default();
    let stats = simulation.run(&mut recorder, &mut |progress| {
        last = (progress.events, ALLOCATIONS.get());
        if progress.now > SimTime::ZERO + SimDuration::from_secs(seconds) / 3 {
            warm.get_or_insert(last);
        }
        ControlFlow::Continue(())
    });
    stats.unwrap();
    let warm: (u64, u64) = warm.unwrap();
    let hosts = simulation.into_hosts();
    let sum = |of: fn(&tcp_model::sample::ConnectionCounts) -> u32| {
        let counts = hosts.iter().flatten().map(|h| u64::from(of(&h.counts())));
        counts.sum::<u64>()
    };
    Warm {
        events: last.0 - warm.0,
        allocations: last.1 - warm.1,
        segments_recorded: recorder.segments,
        retransmissions: sum(|c| c.retransmissions),
        fast_recoveries: sum(|c| c.fast_recoveries),
    }
}

fn params() -> TcpParams {
    TcpParams {
        // Less than the bandwidth-delay product plus the queue: nothing is lost.
        send_buffer: 64 * 1024,
        ..TcpParams::rfc9293()
    }
}

#[test]
fn transfers_without_loss_allocate_nothing() {
    for params in [
        params(),
        TcpParams {
            timestamps: false,
            ..params()
        },
        // With HyStart++, which needs delivery rates, and with pacing.
        TcpParams {
            congestion: Control::named("cubic").unwrap(),
            pacing: true,
            ..params()
        },
    ] {
        let warm = transfer(QueueLimit::Packets(200), 0.0, params, TraceSpec::default());
        assert_eq!(warm.retransmissions, 0);
        assert!(warm.events > 400_000, "{}", warm.events);
        assert_eq!(warm.allocations, 0);
    }
}

#[test]
fn recording_every_segment_allocates_nothing_either() {
    for keep in [KeptSegments::All, KeptSegments::Ladder] {
        let trace = TraceSpec {
            segments: 1,
            keep,
            sender_interval: SimDuration::ZERO,
        };
        let warm = transfer(QueueLimit::Packets(200), 0.0, params(), trace);
        let all = keep == KeptSegments::All;
        assert_eq!(warm.segments_recorded > 400_000, all, "{keep:?}");
        assert_eq!(warm.allocations, 0, "{keep:?}, {} events", warm.events);
    }
}

#[test]
fn losses_allocate_per_recovery_and_not_per_segment() {
    let params = TcpParams {
        send_buffer: 1024 * 1024,
        ..TcpParams::rfc9293()
    };
    let queue = QueueLimit::Packets(60);
    let warm = transfer(queue, 0.001, params, TraceSpec::default());
    assert!(warm.fast_recoveries > 50, "{}", warm.fast_recoveries);
    assert!(warm.events > 500_000, "{}", warm.events);
    // A scoreboard at the sender, a list of runs at the receiver, and their contents.
    let most = 12 * warm.fast_recoveries;
    assert!(warm.allocations <= most, "{} > {most}", warm.allocations);
}

#[test]
fn no_control_allocates_for_a_segment() {
    for algorithm in BUILT_IN {
        let control = Control::named(algorithm.name).unwrap();
        let congestion = match algorithm.name {
            "fixed" => control.with("window", ControlValue::Number(40.0)).unwrap(),
            _ => control,
        };
        let params = TcpParams {
            congestion,
            ..params()
        };
        let queue = QueueLimit::Packets(200).into();
        let warm = transfer_for(6, queue, 0.0, params, TraceSpec::default());
        let name = algorithm.name;
        assert!(warm.events > 5_000, "{name}: {}", warm.events);
        assert_eq!(warm.allocations, 0, "{name}, {} events", warm.events);
    }
}

#[test]
fn no_queue_discipline_allocates_for_a_packet() {
    for kind in queue_disc::built_in().iter() {
        let given: &[(&str, &str)] = match kind.name {
            "token-bucket" | "policer" => &[("rate", "40 Mbit/s"), ("burst", "100 kB")],
            _ => &[],
        };
        // More than the path holds: packets wait, and most disciplines drop some.
        let params = TcpParams {
            send_buffer: 256 * 1024,
            ..params()
        };
        let queue = kind.plugin(given).unwrap().into();
        let warm = transfer_for(6, queue, 0.0, params, TraceSpec::default());
        let (name, most) = (kind.name, 12 * warm.fast_recoveries);
        assert!(warm.events > 20_000, "{name}: {}", warm.events);
        assert!(
            warm.allocations <= most && most < warm.events / 20,
            "{name}: {} allocations, {} recoveries, {} events",
            warm.allocations,
            warm.fast_recoveries,
            warm.events
        );
    }
}
