//! A picture; for charts also the data that it shows.

use std::ops::Deref;

/// A drawn figure: SVG text. For charts also what is plotted, which pages redraw when a reader
/// enlarges a part; for ladders also the segments for stepping through and, if the ladder is
/// folded, the drawing of all segments.
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

    /// The drawing of all segments of a folded ladder.
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
