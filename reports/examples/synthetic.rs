//! Writes run directories from made-up records, to look at figures without a simulation:
//! `cargo run -p synfin-reports --example synthetic -- DIR`.

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::Path;

use common::{Made, Story};
use reports::{
    Axis, AxisValues, BatchInfo, BatchRow, Completion, RunRecorder, RunStatus, RunWriter, Unit,
    write_batch,
};
use sim_core::Recorder;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "synthetic".into());
    let story = Story::EXHAUSTION;
    let mut recorder = RunRecorder::new(
        RunWriter::create(&Path::new(&dir).join("exhaustion"), true)?,
        story.info(),
    )?;
    recorder.write(&story.records())?;
    recorder.complete(&story.stats(), Completion::default())?;

    let story = Story {
        duration_s: 20.0,
        ..story
    };
    let mut info = story.info();
    info.analytic = Default::default();
    info.name = "bulk".into();
    let mut made = Made::default();
    made.bulk(story.duration_s);
    let place = Path::new(&dir).join("bulk");
    let mut recorder = RunRecorder::new(RunWriter::create(&place, true)?, info)?;
    recorder.write(&made.records)?;
    recorder.complete(&story.stats(), Completion::default())?;
    batch(&Path::new(&dir).join("batch"))?;
    Ok(())
}

/// A sweep of made-up metrics with five replicas.
fn batch(dir: &Path) -> Result<(), reports::StoreError> {
    let axis = |path: &str, values: &[&str], typed: AxisValues| Axis {
        path: path.into(),
        values: values.iter().map(|v| (*v).to_owned()).collect(),
        typed,
        ..Axis::default()
    };
    let rates = ["300/s", "400/s", "500/s", "600/s", "700/s"];
    let modes = ["tw_reuse off", "tw_reuse on"];
    let info = BatchInfo {
        name: "port-exhaustion-sweep".into(),
        question: "From which rate on do connects fail?".into(),
        command: "synfin run port-exhaustion-sweep".into(),
        parameters: vec![("tcp.profile".into(), "linux".into())],
        axes: vec![
            axis(
                "clients.rate",
                &rates,
                AxisValues::Numbers {
                    unit: Unit::PerSecond,
                    values: vec![300.0, 400.0, 500.0, 600.0, 700.0],
                },
            ),
            axis("tcp.mode", &modes, AxisValues::Names),
        ],
        ..BatchInfo::default()
    };
    let mut rows = Vec::new();
    for (r, rate) in rates.iter().enumerate() {
        for (m, mode) in modes.iter().enumerate() {
            for replica in 0..5u32 {
                let noise = f64::from(replica * 7 % 5) * 0.01;
                let offered = 300.0 + 100.0 * r as f64;
                let limit = 470.5 * (1.0 + 0.3 * m as f64);
                let share = (1.0 - limit / offered).max(0.0) + noise;
                rows.push(BatchRow {
                    id: format!("run-{r}-{m}-{replica}"),
                    values: vec![(*rate).into(), (*mode).into()],
                    seed: u64::from(replica) + 1,
                    replica,
                    status: RunStatus::Ok,
                    message: String::new(),
                    metrics: [
                        ("connects_failed_share".to_owned(), share),
                        (
                            "time_wait_peak".to_owned(),
                            offered.min(limit) * 60.0 + noise * 1e3,
                        ),
                    ]
                    .into(),
                });
            }
        }
    }
    rows[7].status = RunStatus::Failed;
    rows[7].message = "cannot write results: no space left on device".into();
    write_batch(dir, &info, &rows).map(|_| ())
}
