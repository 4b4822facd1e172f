//! Where `synfin plot` writes a picture, and in which format.

use std::path::{Path, PathBuf};

use reports::Language;

use super::usage;
use crate::cli::args::{PlotArgs, PlotStyle};
use crate::console::CommandError;

#[cfg(feature = "png")]
mod png;

/// Pixels per inch of an SVG without a size on paper (CSS Values and Units 3, section 6.2).
const DPI_OF_SVG: u16 = 96;

/// The format of a picture, which the ending of its file gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PictureFormat {
    Svg,
    Png {
        /// Pixels per inch.
        dpi: u16,
    },
}

/// A file for a picture.
#[derive(Debug)]
pub(super) struct PictureFile {
    path: PathBuf,
    format: PictureFormat,
    language: Language,
}

impl PictureFile {
    /// The file that the options ask for; `name` is the figure's, for the default.
    pub(super) fn new(args: &PlotArgs, name: &str) -> Result<PictureFile, CommandError> {
        let path = match &args.out {
            Some(file) => file.clone(),
            None => PathBuf::from(format!("{name}.svg")),
        };
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
        let format = match ending {
            "svg" if args.dpi.is_some() => {
                return Err(usage(
                    "--dpi is for PNG: an SVG has no resolution\n  = help: write a PNG with --out NAME.png".into(),
                ));
            }
            "svg" => PictureFormat::Svg,
            "png" => PictureFormat::Png {
                dpi: args.dpi.unwrap_or(match args.style {
                    // As the page's "Save PNG".
                    PlotStyle::Screen => 2 * DPI_OF_SVG,
                    // What publishers ask for of line drawings.
                    PlotStyle::Paper => 600,
                }),
            },
            _ => {
                return Err(usage(format!(
                    "--out: {} ends neither in .svg nor in .png\n  = help: for another format convert the SVG, as with \
                     rsvg-convert",
                    path.display()
                )));
            }
        };
        let file = PictureFile {
            path,
            format,
            language: args.lang.into(),
        };
        file.refuse_without_feature()?;
        Ok(file)
    }

    /// Writes the picture, and its numbers beside it; returns the paths of both, in words.
    pub(super) fn write(&self, svg: &str, csv: &str) -> Result<String, CommandError> {
        let bytes = match self.format {
            PictureFormat::Svg => svg.as_bytes().to_vec(),
            PictureFormat::Png { dpi } => self.png(svg, dpi)?,
        };
        let numbers = self.path.with_extension("csv");
        write(&self.path, &bytes)?;
        write(&numbers, csv.as_bytes())?;
        let (picture, numbers) = (self.path.display(), numbers.display());
        Ok(match self.language {
            Language::English => format!("{picture}, numbers in {numbers}"),
            Language::Chinese => format!("{picture}，数据在 {numbers}"),
        })
    }

    #[cfg(feature = "png")]
    fn refuse_without_feature(&self) -> Result<(), CommandError> {
        Ok(())
    }

    #[cfg(not(feature = "png"))]
    fn refuse_without_feature(&self) -> Result<(), CommandError> {
        match self.format {
            PictureFormat::Svg => Ok(()),
            PictureFormat::Png { .. } => Err(usage(format!(
                "--out: {} cannot be written, because this synfin was built without PNG\n  = help: `cargo install \
                 --path scenarios --locked --features png` builds it with PNG; otherwise press \"Save PNG\" below the \
                 figure in the report, or convert the SVG, as with rsvg-convert",
                self.path.display()
            ))),
        }
    }

    #[cfg(feature = "png")]
    fn png(&self, svg: &str, dpi: u16) -> Result<Vec<u8>, CommandError> {
        png::drawn(svg, dpi).map_err(|why| {
            CommandError::Run(format!(
                "error: {} cannot be written: {why}",
                self.path.display()
            ))
        })
    }

    /// Not reached: [`PictureFile::new`] has refused.
    #[cfg(not(feature = "png"))]
    fn png(&self, _: &str, _: u16) -> Result<Vec<u8>, CommandError> {
        self.refuse_without_feature().map(|()| Vec::new())
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    std::fs::write(path, bytes)
        .map_err(|e| CommandError::Run(format!("error: cannot write {}: {e}", path.display())))
}
