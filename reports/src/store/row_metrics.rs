//! The metrics of a run, compact enough for those of 100,000 runs to fit into memory.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Metrics by name. Runs of a batch mostly have the same names and share one list of them.
#[derive(Clone, Debug, PartialEq)]
pub struct RowMetrics {
    /// Sorted.
    names: Arc<[String]>,
    values: Box<[f64]>,
}

impl Default for RowMetrics {
    fn default() -> RowMetrics {
        RowMetrics {
            names: Arc::new([]),
            values: Box::new([]),
        }
    }
}

impl RowMetrics {
    /// Builds it from sorted names without duplicates and as many values; `None` otherwise.
    pub(crate) fn from_parts(names: Arc<[String]>, values: Vec<f64>) -> Option<RowMetrics> {
        let sorted = names.windows(2).all(|pair| pair[0] < pair[1]);
        (sorted && names.len() == values.len()).then(|| RowMetrics {
            names,
            values: values.into(),
        })
    }

    /// The value of a metric.
    pub fn get(&self, name: &str) -> Option<f64> {
        let place = self.names.binary_search_by(|n| n.as_str().cmp(name));
        place.ok().map(|place| self.values[place])
    }

    /// Returns true if there is a value of this name.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Returns true if there are no metrics.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The names, sorted.
    pub fn names(&self) -> &Arc<[String]> {
        &self.names
    }

    /// The values, in the order of the names.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The metrics as a map.
    pub fn to_map(&self) -> BTreeMap<String, f64> {
        let names = self.names.iter().cloned();
        names.zip(self.values.iter().copied()).collect()
    }
}

impl From<BTreeMap<String, f64>> for RowMetrics {
    fn from(map: BTreeMap<String, f64>) -> RowMetrics {
        map.into_iter().collect()
    }
}

impl<const N: usize> From<[(String, f64); N]> for RowMetrics {
    fn from(all: [(String, f64); N]) -> RowMetrics {
        all.into_iter().collect()
    }
}

impl FromIterator<(String, f64)> for RowMetrics {
    fn from_iter<I: IntoIterator<Item = (String, f64)>>(all: I) -> RowMetrics {
        let map: BTreeMap<String, f64> = all.into_iter().collect();
        let values = map.values().copied().collect();
        RowMetrics {
            names: map.into_keys().collect(),
            values,
        }
    }
}

/// Lists of names, each stored once.
#[derive(Debug, Default)]
pub struct SharedNames(HashSet<Arc<[String]>>);

impl SharedNames {
    /// The same metrics, sharing an equal list of names if there is one.
    pub fn share(&mut self, metrics: RowMetrics) -> RowMetrics {
        RowMetrics {
            names: self.list(metrics.names),
            values: metrics.values,
        }
    }

    /// The stored copy of an equal list.
    pub(crate) fn list(&mut self, names: Arc<[String]>) -> Arc<[String]> {
        if let Some(known) = self.0.get(&names) {
            return Arc::clone(known);
        }
        self.0.insert(Arc::clone(&names));
        names
    }

    /// The number of different lists.
    pub fn lists(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_found_by_name_and_equal_lists_of_names_are_shared() {
        let of = |names: &[&str]| -> RowMetrics {
            let each = names.iter().enumerate();
            each.map(|(i, n)| ((*n).to_owned(), i as f64)).collect()
        };
        let one = of(&["b", "a", "c"]);
        assert_eq!((one.get("a"), one.get("b")), (Some(1.0), Some(0.0)));
        assert!(!one.has("d") && RowMetrics::default().is_empty());
        assert_eq!(RowMetrics::from(one.to_map()), one);
        let mut shared = SharedNames::default();
        let [x, y] = [of(&["a", "b"]), of(&["a", "b"])].map(|m| shared.share(m));
        assert!(Arc::ptr_eq(x.names(), y.names()));
        shared.share(of(&["a"]));
        assert_eq!(shared.lists(), 2);
        let names: Arc<[String]> = ["b".to_owned(), "a".to_owned()].into();
        assert_eq!(RowMetrics::from_parts(names, vec![1.0, 2.0]), None);
    }
}
