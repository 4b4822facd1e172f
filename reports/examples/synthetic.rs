//! Writes run directories from made-up records, to look at figures without a simulation:
//! `cargo run -p reports --example synthetic -- DIR`.

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::Path;

use common::{Made, Story};
use reports::{Completion, RunRecorder, RunWriter};
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
    let completion = Completion {
        stats: story.stats(),
        ..Completion::default()
    };
    recorder.complete(completion)?;

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
    recorder.complete(Completion {
        stats: story.stats(),
        ..Completion::default()
    })?;
    Ok(())
}
