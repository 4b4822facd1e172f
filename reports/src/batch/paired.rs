//! Paired differences between alternatives: in the same replica all alternatives get the same
//! arrivals and losses (common random numbers), so that common variation cancels out.

use std::collections::BTreeMap;

use super::{Axis, AxisValues, BatchRow};
use crate::bilingual::{Language, say};
use crate::metrics::{self, MetricKind};
use crate::stats::Estimate;
use crate::{format, words};

/// The difference of one alternative from the first, other values being equal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PairedDifference {
    /// Values of the other axes, in their order.
    pub(crate) others: Vec<String>,
    /// Value of the axis of alternatives.
    pub(crate) alternative: String,
    /// The alternative's metric minus that of the first, over pairs of replicas.
    pub(crate) estimate: Estimate,
}

/// An alternative, and the values of the other axes.
type VariantPlace = (String, Vec<String>);

/// The axis whose values are alternatives: the axis of variants, otherwise the first with names or
/// switches.
pub(crate) fn alternatives(axes: &[Axis]) -> Option<usize> {
    let is_choice = |a: &Axis| !matches!(a.typed, AxisValues::Numbers { .. });
    let varies = |a: &&Axis| a.values.len() > 1 && is_choice(a);
    let named = axes.iter().position(|a| varies(&a) && a.path == "variant");
    named.or_else(|| axes.iter().position(|a| varies(&a)))
}

/// The differences of a metric from the first value of an axis, if at least two pairs of replicas
/// have the metric.
pub(crate) fn differences(
    axes: &[Axis],
    alternatives: usize,
    rows: &[BatchRow],
    metric: &str,
) -> Vec<PairedDifference> {
    let Some(first) = axes[alternatives].values.first() else {
        return Vec::new();
    };
    // Keyed by the other values and the replica.
    let key = |row: &BatchRow| {
        let mut others = row.values.clone();
        let own = (alternatives < others.len()).then(|| others.remove(alternatives));
        own.map(|own| (own, others))
    };
    let mut bases = BTreeMap::new();
    // Keyed by alternative and the other values, in the order of the runs.
    let mut pairs: Vec<(VariantPlace, Vec<f64>)> = Vec::new();
    let mut places: BTreeMap<VariantPlace, usize> = BTreeMap::new();
    let complete = || rows.iter().filter(|r| r.status.is_ok());
    for row in complete() {
        if let (Some((own, others)), Some(value)) = (key(row), row.metrics.get(metric))
            && own == *first
        {
            bases.insert((others, row.replica, row.seed), value);
        }
    }
    for row in complete() {
        let (Some((own, others)), Some(value)) = (key(row), row.metrics.get(metric)) else {
            continue;
        };
        let base = bases.get(&(others.clone(), row.replica, row.seed));
        let Some(base) = base.filter(|_| own != *first) else {
            continue;
        };
        let place = (own, others);
        let at = *places.entry(place.clone()).or_insert_with(|| {
            pairs.push((place, Vec::new()));
            pairs.len() - 1
        });
        pairs[at].1.push(value - base);
    }
    let everything = (f64::NEG_INFINITY, f64::INFINITY);
    let each = pairs.into_iter().filter(|(_, values)| values.len() > 1);
    each.filter_map(|((alternative, others), values)| {
        Some(PairedDifference {
            others,
            alternative,
            estimate: Estimate::of_values(&values, everything)?,
        })
    })
    .collect()
}

impl PairedDifference {
    /// "lower by 33 percentage points [28.8 … 37.3]", or that no difference is shown.
    pub(crate) fn words(&self, metric: &str, language: Language) -> String {
        let (low, high) = self.estimate.ends();
        let mean = self.estimate.mean;
        let (scale, unit) = match metrics::kind(metric) {
            MetricKind::Share => (100.0, language.pick(" percentage points", " 个百分点")),
            _ => (1.0, ""),
        };
        let text = |value: f64| match unit {
            "" => format::metric(metric, value),
            _ => format::number(scale * value),
        };
        let signed = |value: f64| match value < 0.0 {
            true => format!("-{}", text(-value)),
            false => text(value),
        };
        if low <= 0.0 && high >= 0.0 {
            return match mean == 0.0 && low == high {
                true => language.pick("the same", "相同").to_owned(),
                false => say!(
                    language,
                    "no difference shown ({}{unit} [{} … {}])",
                    "未显示差别（{}{unit} [{} … {}]）",
                    signed(mean),
                    signed(low),
                    signed(high)
                ),
            };
        }
        let (word, ends) = match mean < 0.0 {
            true => (language.pick("lower", "低"), (-high, -low)),
            false => (language.pick("higher", "高"), (low, high)),
        };
        let amount = say!(
            language,
            "{word} by {}{unit}",
            "{word} {}{unit}",
            text(mean.abs())
        );
        match text(ends.0) == text(ends.1) {
            true => amount,
            false => format!("{amount} [{} … {}]", text(ends.0), text(ends.1)),
        }
    }
}

/// Header and rows of a table of differences; `None` if there are too few replicas or alternatives.
pub(crate) fn table(
    axes: &[Axis],
    rows: &[BatchRow],
    metrics: &[String],
    language: Language,
) -> Option<(Vec<String>, Vec<Vec<String>>)> {
    let place = alternatives(axes)?;
    let of_metric = |metric: &String| differences(axes, place, rows, metric);
    let all: Vec<(&String, Vec<PairedDifference>)> =
        metrics.iter().map(|m| (m, of_metric(m))).collect();
    let all: Vec<_> = all
        .into_iter()
        .filter(|(_, each)| !each.is_empty())
        .collect();
    let (_, most) = all.iter().max_by_key(|(_, each)| each.len())?;
    let names = words::axes(axes.iter().map(|a| a.path.as_str()), language);
    let others = names.iter().enumerate().filter(|(i, _)| *i != place);
    let header = others
        .map(|(_, name)| name.name.clone())
        .chain([names[place].name.clone()])
        .chain(
            all.iter()
                .map(|(metric, _)| words::column_in(metric, language)),
        )
        .collect();
    let row = |of: &PairedDifference| {
        let same = |d: &&PairedDifference| d.others == of.others && d.alternative == of.alternative;
        let cell = |(metric, each): &(&String, Vec<PairedDifference>)| {
            each.iter()
                .find(same)
                .map_or(String::new(), |d| d.words(metric, language))
        };
        let places = of.others.iter().chain([&of.alternative]).cloned();
        places.chain(all.iter().map(cell)).collect()
    };
    Some((header, most.iter().map(row).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::RunStatus;

    fn axes() -> Vec<Axis> {
        let axis = |path: &str, values: &[&str], typed| Axis {
            path: path.into(),
            values: values.iter().map(|v| (*v).to_owned()).collect(),
            typed,
            ..Axis::default()
        };
        let rates = AxisValues::Numbers {
            unit: crate::Unit::PerSecond,
            values: vec![100.0],
        };
        vec![
            axis("variant", &["as it is", "reuse"], AxisValues::Names),
            axis("workload.web.arrivals.rate", &["100 /s"], rates),
        ]
    }

    /// Replicas differ widely, alternatives within a replica only a little.
    fn rows(step: f64) -> Vec<BatchRow> {
        let row = |variant: &str, replica: u32, value: f64| BatchRow {
            values: vec![variant.to_owned(), "100 /s".to_owned()],
            replica,
            seed: u64::from(replica) + 7,
            status: RunStatus::Ok,
            metrics: [("goodput_bps".to_owned(), value)].into(),
            ..BatchRow::default()
        };
        let noise = [1e6, 5e6, 9e6];
        let jitter = [0.0, 1e3, -1e3];
        let base = noise.iter().zip(0..).map(|(v, i)| row("as it is", i, *v));
        let other = noise.iter().zip(jitter).zip(0..);
        let other = other.map(|((v, j), i)| row("reuse", i, v + step + j));
        base.chain(other).collect()
    }

    #[test]
    fn variation_common_to_replicas_cancels_out() {
        let rows = rows(1e5);
        let found = differences(&axes(), 0, &rows, "goodput_bps");
        assert_eq!(found.len(), 1);
        // Independent samples with this spread would give an interval of about ±9 Mbit/s.
        let (low, high) = found[0].estimate.ends();
        assert!(low > 9.7e4 && high < 1.03e5, "{low} {high}");
        let words = found[0].words("goodput_bps", Language::English);
        assert!(words.starts_with("higher by 100 kbit/s ["), "{words}");
        let lower = differences(&axes(), 0, &self::rows(-1e5), "goodput_bps");
        let words = lower[0].words("goodput_bps", Language::English);
        assert!(words.starts_with("lower by 100 kbit/s [9"), "{words}");
        let none = differences(&axes(), 0, &self::rows(0.0), "goodput_bps");
        let words = none[0].words("goodput_bps", Language::English);
        assert!(words.starts_with("no difference shown ("), "{words}");
    }

    #[test]
    fn only_pairs_count() {
        let mut some = rows(1e5);
        some[5].status = RunStatus::Failed;
        assert_eq!(
            differences(&axes(), 0, &some, "goodput_bps")[0].estimate.n,
            2
        );
        some[4].seed = 99; // another replica of that number is not a pair
        assert_eq!(differences(&axes(), 0, &some, "goodput_bps"), []);
        assert_eq!(
            table(
                &axes(),
                &some,
                &["goodput_bps".to_owned()],
                Language::English
            ),
            None
        );
        let (header, cells) = table(
            &axes(),
            &rows(1e5),
            &["goodput_bps".to_owned()],
            Language::English,
        )
        .unwrap();
        assert_eq!((header.len(), cells.len()), (3, 1));
        assert_eq!(cells[0][1], "reuse");
    }
}
