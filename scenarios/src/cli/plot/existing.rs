//! `synfin plot --figure`: a figure that a run or a batch has already.

use std::path::Path;

use reports::store::read_text_file;

use super::picture::PictureFile;
use super::usage;
use crate::cli::args::PlotArgs;
use crate::console::{CommandError, print};
use crate::suggest;

/// Writes a figure of the directory to the file that the options ask for, and prints its path.
pub(super) fn existing(args: &PlotArgs, dir: &Path, name: &str) -> Result<(), CommandError> {
    let place = dir.join("figures");
    let names = names(&place);
    if !names.iter().any(|n| n == name) {
        return Err(usage(format!(
            "--figure: {}",
            suggest::unknown("figure", name, names.iter().map(String::as_str))
        )));
    }
    let file = PictureFile::new(args, name)?;
    let read = |ending: &str| {
        let path = place.join(format!("{name}.{ending}"));
        read_text_file(&path, u64::MAX)
            .map_err(|e| CommandError::Run(format!("error: cannot read {}: {e}", path.display())))
    };
    print(&file.write(&read("svg")?, &read("csv")?)?)
}

/// The names of the figures in a directory, sorted.
pub(super) fn names(place: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    let files = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = files
        .filter_map(|file| Some(file.strip_suffix(".svg")?.to_owned()))
        .collect();
    names.sort();
    names
}
