//! The layout of a batch's axes in a figure: x, colours, panels. Points are pooled over replicas only.

use super::variants::main_axis;
use super::{Axis, MetricFigure};

/// Most curves in a panel: eight colours, each solid and dashed.
pub const MOST_CURVES: usize = 16;
/// Most panels in a figure.
pub const MOST_PANELS: usize = 12;

/// The role of each axis in a figure; axes are given by index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Along x.
    pub x: usize,
    /// Which of its columns is drawn along x: 0 for the axis itself, then its companions.
    pub x_column: usize,
    /// A curve for each value.
    pub series: Option<usize>,
    /// A panel for each combination of values.
    pub panels: Vec<usize>,
    /// Axes fixed at one value: index of the axis and of the value.
    pub only: Vec<(usize, usize)>,
}

impl Layout {
    /// The layout of a figure over these axes; `None` if it asks for axes that are not swept.
    pub fn new(axes: &[Axis], figure: &MetricFigure) -> Option<Layout> {
        let named = |path: &str| axes.iter().position(|a| a.path == path);
        let (x, x_column) = match figure.x.as_str() {
            "" => {
                let x = main_axis(axes)?;
                (x, column_of_numbers(&axes[x]))
            }
            path => column(axes, path)?,
        };
        let mut only = Vec::new();
        for (path, value) in &figure.only {
            let axis = named(path)?;
            only.push((axis, axes[axis].place(value)?));
        }
        let is_free = |i: &usize| *i != x && only.iter().all(|(axis, _)| axis != i);
        let mut others: Vec<usize> = (0..axes.len()).filter(is_free).collect();
        let series = match figure.series.as_str() {
            "" => others.iter().copied().find(|&i| axes[i].values.len() > 1),
            path => Some(named(path).filter(is_free)?),
        };
        others.retain(|&i| Some(i) != series && axes[i].values.len() > 1);
        Some(Layout {
            x,
            x_column,
            series,
            panels: others,
            only,
        })
    }

    /// The column drawn along x.
    pub(crate) fn x_axis<'a>(&self, axes: &'a [Axis]) -> &'a Axis {
        let axis = &axes[self.x];
        axis.columns().nth(self.x_column).unwrap_or(axis)
    }

    /// Number of curves of a panel.
    pub fn curves(&self, axes: &[Axis]) -> usize {
        self.series.map_or(1, |i| axes[i].values.len())
    }

    /// Number of panels.
    pub fn panel_count(&self, axes: &[Axis]) -> usize {
        let values = self.panels.iter().map(|&i| axes[i].values.len());
        values.fold(1, usize::saturating_mul)
    }
}

/// The axis with this path, and which of its columns has it.
fn column(axes: &[Axis], path: &str) -> Option<(usize, usize)> {
    let each = axes.iter().enumerate();
    each.filter_map(|(i, axis)| Some((i, axis.columns().position(|c| c.path == path)?)))
        .next()
}

/// The column to draw along x: the axis itself, unless only a companion is numeric.
fn column_of_numbers(axis: &Axis) -> usize {
    let found = axis.columns().position(|c| c.numbers().is_some());
    found.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(path: &str, n: usize) -> Axis {
        Axis {
            path: path.into(),
            values: (0..n).map(|i| i.to_string()).collect(),
            ..Axis::default()
        }
    }

    #[test]
    fn axes_that_are_neither_x_nor_series_make_panels() {
        let axes = [axis("a", 3), axis("b", 2), axis("c", 4), axis("d", 1)];
        let mut figure = MetricFigure {
            x: "b".into(),
            ..MetricFigure::default()
        };
        let layout = Layout::new(&axes, &figure).unwrap();
        assert_eq!(
            (layout.x, layout.series, layout.panels.as_slice()),
            (1, Some(0), &[2][..])
        );
        assert_eq!((layout.curves(&axes), layout.panel_count(&axes)), (3, 4));
        figure.series = "c".into();
        figure.only = vec![("a".into(), "1".into())];
        let layout = Layout::new(&axes, &figure).unwrap();
        assert_eq!((layout.series, layout.panel_count(&axes)), (Some(2), 1));
        assert_eq!(layout.only, [(0, 1)]);
        figure.only[0].1 = "7".into();
        assert_eq!(Layout::new(&axes, &figure), None);
        figure = MetricFigure {
            x: "no".into(),
            ..MetricFigure::default()
        };
        assert_eq!(Layout::new(&axes, &figure), None);
    }
}
