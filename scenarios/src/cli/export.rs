//! `synfin export`: the index of a batch in formats for other programs.

use std::path::Path;

use reports::export::{self, Format};
use reports::read_batch;
use reports::store::{StoreError, resolve};

use super::args::ExportFormat;
use crate::console::{CommandError, print};

/// Writes the file, and prints its name.
pub(super) fn export(
    dir: &Path,
    format: ExportFormat,
    out: Option<&Path>,
) -> Result<(), CommandError> {
    let dir = &resolve(dir).map_err(|e| CommandError::Usage(format!("error: {e}")))?;
    let (info, rows) = read_batch(dir).map_err(|e| {
        let help = match e {
            StoreError::NoResults(_) | StoreError::Unrecognised { .. } => {
                "\n  = help: give the directory of a batch, as results/NAME"
            }
            _ => "",
        };
        CommandError::Run(format!("error: {e}{help}"))
    })?;
    // The user's files are never overwritten, and unknown files in the result directory count as the user's.
    let to = out.map_or_else(|| dir.join("export"), Path::to_path_buf);
    std::fs::create_dir_all(&to)
        .map_err(|e| CommandError::Run(format!("error: cannot create {}: {e}", to.display())))?;
    let format = match format {
        ExportFormat::Csv => Format::Csv,
        ExportFormat::Parquet => Format::Parquet,
        ExportFormat::Sqlite => Format::Sqlite,
        ExportFormat::Omnetpp => Format::Omnetpp,
    };
    export::write(&to, format, &info, &rows)
        .map_err(|e| CommandError::Run(format!("error: {e}")))?;
    print(&to.join(format.file()).display().to_string())
}
