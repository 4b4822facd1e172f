//! Measures recording: connections of 16 records each; the records of one second are repeated.
//! `cargo run --release -p synfin-reports --example recording_speed -- DIR [connections/s] [seconds]`.

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::Path;
use std::time::Instant;

use common::Story;
use reports::{Completion, RunRecorder, RunWriter};
use sim_core::{Recorder, RunStats, SimDuration};
use tcp_model::{ConnId, TcpSample};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let dir = args.next().unwrap_or_else(|| "speed".into());
    let mut number = |or: f64| args.next().and_then(|a| a.parse().ok()).unwrap_or(or);
    let (per_s, seconds) = (number(10_000.0), number(120.0));
    let story = Story {
        duration_s: 1.0,
        per_s,
        ports: 1 << 20,
        time_wait_s: 0.1,
        traced: 0,
    };
    let mut records = story.records();
    let mut info = story.info();
    info.duration_s = seconds;
    let mut recorder = RunRecorder::new(RunWriter::create(Path::new(&dir), true)?, info)?;
    let (mut spent, mut count) = (0.0, 0);
    for _ in 0..seconds as u32 {
        let begun = Instant::now();
        for batch in records.chunks(16_384) {
            recorder.write(batch)?;
        }
        spent += begun.elapsed().as_secs_f64();
        count += records.len();
        for record in &mut records {
            record.time += SimDuration::from_secs(1);
            let serial = |conn: &mut ConnId| conn.0 += per_s as u64;
            match &mut record.sample {
                TcpSample::State(s) => serial(&mut s.conn),
                TcpSample::Ended(s) => serial(&mut s.conn),
                _ => {}
            }
        }
    }
    let begun = Instant::now();
    let stats = RunStats {
        reached: common::at(seconds),
        ..RunStats::default()
    };
    recorder.complete(&stats, Completion::default())?;
    println!(
        "{count} records in {spent:.2} s, {:.0} ns each; completion {:.2} s",
        spent / count as f64 * 1e9,
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}
