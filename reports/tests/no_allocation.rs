//! After the warm-up, recording allocates nothing per record, only when whole row groups are
//! encoded.
#![allow(unsafe_code)]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use common::Story;
use reports::{Completion, RunRecorder, RunWriter, SegmentsKept};
use sim_core::{Record, Recorder, RunStats, SimDuration};
use tcp_model::TcpSample;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

/// The system's allocator, counting the calls of all threads.
struct Counting;

// SAFETY: passes every call on to `System` unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller upholds the contract of `System`.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const PER_S: f64 = 500.0;

/// The same records a second later: other connections, other packets.
fn later(records: &mut [Record<TcpSample>]) {
    for record in records {
        record.time += SimDuration::from_secs(1);
        match &mut record.sample {
            // Except those of listeners.
            TcpSample::State(s) if s.conn.serial() < 1 << 31 => s.conn.0 += PER_S as u64,
            TcpSample::Ended(s) => s.conn.0 += PER_S as u64,
            TcpSample::Sender(s) => s.acked += 1,
            TcpSample::Segment(s) => s.packet += 1_000_000,
            _ => {}
        }
    }
}

/// Allocations per thousand records after a warm-up.
fn allocations(kept: SegmentsKept) -> f64 {
    let tmp = tempfile::tempdir().unwrap();
    let story = Story {
        duration_s: 1.0,
        per_s: PER_S,
        ports: 1 << 20,
        time_wait_s: 0.1,
        traced: u32::MAX,
    };
    let mut records = story.records();
    let mut info = story.info();
    (info.record.segments, info.record.pcapng) = (kept, false);
    let writer = RunWriter::create(&tmp.path().join("run"), false).unwrap();
    let mut recorder = RunRecorder::new(writer, info).unwrap();
    // Every table has filled row groups by then, and has the thread that encodes them.
    let (rounds, warm) = (140, 60);
    let (mut before, mut counted) = (0, 0);
    for round in 0..rounds {
        if round == warm {
            before = ALLOCATIONS.load(Ordering::Relaxed);
        }
        for batch in records.chunks(1024) {
            // The simulation boxes records of segments; for the copy they are boxed here.
            let boxed = |r: &&Record<TcpSample>| {
                matches!(r.sample, TcpSample::Segment(_) | TcpSample::Ended(_))
            };
            let boxes = batch.iter().filter(boxed).count() as u64;
            recorder.write(batch).unwrap();
            if round >= warm {
                before += boxes;
                counted += batch.len();
            }
        }
        later(&mut records);
    }
    let made = ALLOCATIONS.load(Ordering::Relaxed).saturating_sub(before);
    let stats = RunStats {
        reached: common::at(f64::from(rounds)),
        ..RunStats::default()
    };
    recorder.complete(&stats, Completion::default()).unwrap();
    assert!(counted > 50_000);
    made as f64 / counted as f64 * 1e3
}

#[test]
fn records_allocate_nothing_once_the_recorders_are_warm() {
    for kept in [SegmentsKept::Ladder, SegmentsKept::All] {
        let per_thousand = allocations(kept);
        assert!(
            per_thousand < 10.0,
            "{kept:?}: {per_thousand} in a thousand"
        );
    }
}
