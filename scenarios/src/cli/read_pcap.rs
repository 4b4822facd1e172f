//! `synfin read-pcap`: a capture of a real network, drawn as runs are.

use std::path::{Path, PathBuf};

use reports::import::{ImportError, draw_capture};

use super::args::LanguageArg;
use super::report::print_report;
use crate::console::{CommandError, print};

/// Draws the first connections of a capture and prints what was found.
pub(super) fn read_pcap(
    file: &Path,
    out: Option<&Path>,
    connections: u32,
    lang: LanguageArg,
) -> Result<(), CommandError> {
    let dir = match out {
        Some(dir) => dir.to_path_buf(),
        None => PathBuf::from(file.file_stem().unwrap_or_default()),
    };
    if dir.exists() {
        return Err(CommandError::Usage(format!(
            "error: {} exists, and is left alone\n  = help: choose another directory with --out",
            dir.display()
        )));
    }
    let said = draw_capture(file, &dir, connections, lang.into()).map_err(|e| match e {
        ImportError::Store(e) => CommandError::Run(format!("error: {e}")),
        other => CommandError::Usage(format!("error: {other}")),
    })?;
    said.iter().try_for_each(|line| print(line))?;
    print_report(&dir, lang.into())
}
