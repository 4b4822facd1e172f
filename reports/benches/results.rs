//! The cost of writing results and drawing them: `cargo bench -p synfin-reports`.

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::Path;
use std::time::Duration;

use common::Story;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use reports::store::table::{ColumnKind, TableWriter};
use reports::{Completion, RunRecorder, RunWriter, render_run};
use sim_core::Recorder as _;

const STORY: Story = Story {
    duration_s: 20.0,
    per_s: 500.0,
    ports: 1 << 20,
    time_wait_s: 5.0,
    traced: 4,
};

fn recorder(dir: &Path) -> RunRecorder {
    let writer = RunWriter::create(&dir.join("run"), true).expect("a directory");
    RunRecorder::new(writer, STORY.info()).expect("tables")
}

fn recording(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a directory");
    let records = STORY.records();
    let mut group = c.benchmark_group("recording");
    group.throughput(Throughput::Elements(records.len() as u64));
    group.bench_function("records of 10,000 connections", |b| {
        b.iter_batched_ref(
            || recorder(dir.path()),
            |recorder| recorder.write(&records).expect("a disk"),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("the same with the end of the run: figures, report", |b| {
        b.iter_batched(
            || recorder(dir.path()),
            |mut recorder| {
                recorder.write(&records).expect("a disk");
                let completion = Completion::default();
                recorder
                    .complete(&STORY.stats(), completion)
                    .expect("a disk")
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
    let mut group = c.benchmark_group("rendering");
    group.bench_function("figures and report of a run", |b| {
        b.iter(|| render_run(&dir.path().join("run")).expect("a run"));
    });
    group.finish();
}

fn tables(c: &mut Criterion) {
    const ROWS: u64 = 1 << 16;
    let dir = tempfile::tempdir().expect("a directory");
    let columns = [
        ("time_s", ColumnKind::Float),
        ("node", ColumnKind::Text),
        ("conn", ColumnKind::Int),
        ("rtt_s", ColumnKind::OptFloat),
    ];
    let mut group = c.benchmark_group("parquet");
    group.throughput(Throughput::Elements(ROWS));
    group.bench_function("rows of four columns", |b| {
        b.iter(|| {
            let mut table = TableWriter::create(dir.path(), "t", &columns).expect("a file");
            let name = "client".into();
            for i in 0..ROWS {
                let row = table.row().float(i as f64 * 1e-3).text(&name).count(i);
                let rtt = i.is_multiple_of(2).then_some(0.01);
                row.opt(rtt).end().expect("a disk");
            }
            table.close().expect("a disk");
        });
    });
    group.finish();
}

criterion_group! {
    name = results;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    targets = recording, tables
}
criterion_main!(results);
