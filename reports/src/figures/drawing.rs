//! A picture, and for charts the data that it shows.

use std::ops::Deref;

/// A drawn figure: SVG text and, of charts, what is plotted, which pages draw again when a reader
/// enlarges a part; of ladders, the segments for stepping through, and the drawing of all of them
/// where the first is folded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drawing {
    svg: String,
    plot: Option<String>,
    steps: Option<String>,
    unfolded: Option<String>,
}

impl Drawing {
    /// A chart with its plot as JSON.
    pub(crate) fn with_plot(svg: String, plot: String) -> Drawing {
        Drawing {
            svg,
            plot: Some(plot),
            ..Drawing::default()
        }
    }

    /// A ladder with its steps as JSON and, if it is folded, the drawing of all segments.
    pub(crate) fn with_steps(self, steps: String, unfolded: Option<Drawing>) -> Drawing {
        Drawing {
            steps: Some(steps),
            unfolded: unfolded.map(|d| d.svg),
            ..self
        }
    }

    /// The steps of a ladder as JSON.
    pub(crate) fn steps(&self) -> Option<&str> {
        self.steps.as_deref()
    }

    /// All segments of a ladder that is folded.
    pub(crate) fn unfolded(&self) -> Option<&str> {
        self.unfolded.as_deref()
    }

    /// The plot as JSON; `None` for diagrams.
    pub(crate) fn plot(&self) -> Option<&str> {
        self.plot.as_deref()
    }
}

impl From<String> for Drawing {
    fn from(svg: String) -> Drawing {
        Drawing {
            svg,
            ..Drawing::default()
        }
    }
}

impl From<&str> for Drawing {
    fn from(svg: &str) -> Drawing {
        svg.to_owned().into()
    }
}

impl Deref for Drawing {
    type Target = str;

    fn deref(&self) -> &str {
        &self.svg
    }
}
