//! The metrics of a run while recorders compute them.

use std::collections::BTreeMap;

use super::find;

/// Metrics by name; every name is in the registry, every value finite.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    values: BTreeMap<String, f64>,
    unknown: Vec<String>,
}

/// A metric that is not in the registry, by its name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown metric {0:?}: register it in reports/src/metrics/table/, or start the name of your own metric with \"custom.\""
)]
pub struct UnknownMetric(pub String);

impl Metrics {
    /// Adds a metric. Values that are not finite are left out: JSON cannot hold them.
    pub fn put(&mut self, id: &str, value: f64) {
        if find(id).is_none() {
            self.unknown.push(id.to_owned());
        } else if value.is_finite() {
            self.values.insert(id.to_owned(), value);
        }
    }

    /// Adds all metrics of another part of the run.
    pub(crate) fn merge(&mut self, other: Metrics) {
        self.values.extend(other.values);
        self.unknown.extend(other.unknown);
    }

    /// Adds a metric if its value is known.
    pub fn put_known(&mut self, id: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.put(id, value);
        }
    }

    /// The value of a metric that has been added.
    pub fn get(&self, id: &str) -> Option<f64> {
        self.values.get(id).copied()
    }

    /// The metrics.
    ///
    /// # Errors
    /// The first name that is not in the registry.
    pub fn finish(self) -> Result<BTreeMap<String, f64>, UnknownMetric> {
        match self.unknown.into_iter().next() {
            Some(id) => Err(UnknownMetric(id)),
            None => Ok(self.values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_registered_cannot_be_emitted() {
        let mut metrics = Metrics::default();
        metrics.put("connects_failed", 1.0);
        metrics.put("first_failure_s", f64::NAN);
        metrics.put("custom.heat", 7.0);
        assert_eq!(metrics.get("connects_failed"), Some(1.0));
        assert_eq!(metrics.clone().finish().map(|m| m.len()), Ok(2));
        metrics.put("connects_faild", 1.0);
        assert_eq!(
            metrics.finish(),
            Err(UnknownMetric("connects_faild".into()))
        );
    }
}
