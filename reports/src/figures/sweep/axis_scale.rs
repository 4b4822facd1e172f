//! The x axis of a figure over swept values.

use crate::batch::Axis;

/// The x axis: numbers in a suitable unit, or equidistant categories.
pub(super) struct AxisScale {
    pub(super) places: Vec<f64>,
    pub(super) unit: &'static str,
    pub(super) names: Vec<String>,
}

impl AxisScale {
    pub(super) fn of(axis: &Axis) -> AxisScale {
        if let Some(numbers) = axis.numbers() {
            let largest = numbers.iter().copied().fold(0.0, f64::max);
            let (unit, factor) = axis.unit().axis(largest);
            return AxisScale {
                places: numbers.iter().map(|n| n * factor).collect(),
                unit,
                names: Vec::new(),
            };
        }
        AxisScale {
            places: (0..axis.values.len()).map(|i| i as f64).collect(),
            unit: "",
            names: axis.values.clone(),
        }
    }

    /// Whether it can be logarithmic: it needs at least two numbers greater than zero, and no
    /// categories.
    pub(super) fn takes_log(&self) -> bool {
        let positive = self.places.iter().filter(|p| **p > 0.0).count();
        self.names.is_empty() && positive > 1
    }

    /// Its ends if it is logarithmic.
    pub(super) fn log_ends(&self) -> (f64, f64) {
        let positive = self.places.iter().copied().filter(|p| *p > 0.0);
        let low = positive.clone().fold(f64::INFINITY, f64::min);
        let high = positive.fold(f64::NEG_INFINITY, f64::max);
        (low / 1.15, high * 1.15)
    }

    pub(super) fn ends(&self) -> (f64, f64) {
        let finite = self.places.iter().copied();
        let low = finite.clone().fold(f64::INFINITY, f64::min);
        let high = finite.fold(f64::NEG_INFINITY, f64::max);
        if !self.names.is_empty() || low > high {
            return (-0.5, self.places.len() as f64 - 0.5);
        }
        let room = if high > low { (high - low) * 0.05 } else { 0.5 };
        (low - room, high + room)
    }
}
