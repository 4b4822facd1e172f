//! Theoretical curves in the panels.

use super::Sweep;
use super::axis_scale::AxisScale;
use crate::batch::TheoryCurve;
use crate::bilingual::say;
use crate::figures::chart::Mark;
use crate::figures::style::SERIES;

impl Sweep<'_> {
    /// The value of an axis shared by all runs of a panel; `None` if they differ.
    fn value_in_panel(&self, panel: &[usize], path: &str) -> Option<&str> {
        let fixed = self.layout.only.iter().copied();
        let mut fixed = fixed.chain(
            self.layout
                .panels
                .iter()
                .copied()
                .zip(panel.iter().copied()),
        );
        let is_it = |(axis, _): &(usize, usize)| self.info.axes[*axis].path == path;
        let (axis, at) = fixed.find(is_it)?;
        self.info.axes[axis].values.get(at).map(String::as_str)
    }

    /// Theoretical curves of a panel, dashed, in colours not used by runs. A curve for other values
    /// than those of the panel is left out; one that belongs to a single curve of runs names its
    /// value.
    pub(super) fn theory(&self, scale: &AxisScale, factor: f64, panel: &[usize]) -> Vec<Mark> {
        let axis = &self.info.axes[self.layout.x];
        let curves = self.layout.curves(&self.info.axes);
        let is_here = |curve: &&TheoryCurve| {
            curve.only.iter().all(|(path, value)| {
                self.value_in_panel(panel, path)
                    .is_none_or(|here| here == value)
            })
        };
        let theory = self.wanted.theory.iter().filter(is_here).enumerate();
        let marks = theory.map(|(i, curve)| {
            let place = |value: &String| Some(scale.places[axis.place(value)?]);
            let points = curve.points.iter();
            let mut points: Vec<(f64, f64)> = points
                .filter_map(|(value, y)| Some((place(value)?, y * factor)))
                .collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            Mark::Line {
                label: self.theory_label(curve, panel),
                colour: SERIES[(curves + i) % SERIES.len()],
                points,
                dashed: true,
            }
        });
        marks.collect()
    }

    /// "theory: Mathis et al. 1997", with the values that do not hold for the whole panel.
    fn theory_label(&self, curve: &TheoryCurve, panel: &[usize]) -> String {
        let own = curve.only.iter();
        let own = own.filter(|(path, _)| self.value_in_panel(panel, path).is_none());
        let own: Vec<String> = own.map(|(_, value)| value.clone()).collect();
        match own.is_empty() {
            true => say!(self.language, "theory: {}", "理论：{}", curve.name),
            false => say!(
                self.language,
                "theory: {} ({})",
                "理论：{}（{}）",
                curve.name,
                own.join(", ")
            ),
        }
    }
}
