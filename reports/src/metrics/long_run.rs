//! Names of the metrics of one long run, and of the bins of distributions.

/// The names of the metrics that describe a mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LongRunIds {
    pub(crate) mean: String,
    pub(crate) low: String,
    pub(crate) high: String,
    pub(crate) warm_up: String,
    pub(crate) correlation: String,
}

const PREFIX: &str = "long_run_";

/// The names for a quantity; `unit` is the ending of its metrics, such as `_s`.
pub(crate) fn long_run_ids(name: &str, unit: &str) -> LongRunIds {
    let of = |what: &str| format!("{PREFIX}{name}_{what}{unit}");
    LongRunIds {
        mean: of("mean"),
        low: of("low"),
        high: of("high"),
        warm_up: format!("{PREFIX}{name}_warm_up_s"),
        correlation: format!("{PREFIX}{name}_correlation"),
    }
}

/// The names for the quantity that has this mean; `None` for any other metric.
pub(crate) fn long_run_of(mean: &str) -> Option<LongRunIds> {
    let rest = mean.strip_prefix(PREFIX)?;
    let with = |unit| rest.strip_suffix(&format!("_mean{unit}"));
    let seconds = with("_s").map(|name| long_run_ids(name, "_s"));
    seconds.or_else(|| with("").map(|name| long_run_ids(name, "")))
}

/// Distributions that `record.histograms` keeps.
pub const POOLED: [&str; 3] = ["connect_latency", "request_latency", "flow_completion"];

/// Bins for each power of ten.
const BINS: f64 = 20.0;

/// The name of the bin of a duration in seconds, in a distribution.
pub(crate) fn bin_id(distribution: &str, seconds: f64) -> String {
    let bin = (BINS * (seconds.max(1e-9) * 1e9).log10()).floor();
    format!("{distribution}_bin.{bin}")
}

/// The number of a bin of a distribution; `None` for any other metric.
pub(crate) fn bin_of(distribution: &str, id: &str) -> Option<i32> {
    let rest = id.strip_prefix(distribution)?.strip_prefix("_bin.")?;
    rest.parse().ok()
}

/// True for the bins of any distribution: they are useful only together.
pub(crate) fn is_bin(id: &str) -> bool {
    POOLED.iter().any(|name| bin_of(name, id).is_some())
}

/// The lower end of a bin, seconds.
pub(crate) fn bin_from_s(bin: i32) -> f64 {
    10f64.powf(f64::from(bin) / BINS) / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::find;

    #[test]
    fn a_mean_leads_to_its_interval() {
        let ids = long_run_of("long_run_connect_latency_mean_s").unwrap();
        assert_eq!(ids.low, "long_run_connect_latency_low_s");
        let ids = long_run_of("long_run_time_wait_mean").unwrap();
        assert_eq!(ids.high, "long_run_time_wait_high");
        for id in [
            &ids.mean,
            &ids.low,
            &ids.high,
            &ids.warm_up,
            &ids.correlation,
        ] {
            assert!(find(id).is_some(), "{id}");
        }
        assert_eq!(long_run_of("long_run_time_wait_low"), None);
        assert_eq!(long_run_of("time_wait_mean"), None);
    }

    #[test]
    fn a_duration_lies_in_its_bin() {
        for seconds in [3e-9, 0.001, 0.0234, 1.0, 59.0] {
            let id = bin_id("connect_latency", seconds);
            let bin = bin_of("connect_latency", &id).unwrap();
            let (from, to) = (bin_from_s(bin), bin_from_s(bin + 1));
            assert!(
                from <= seconds * 1.000001 && seconds < to,
                "{seconds}: {from} {to}"
            );
            assert!(find(&id).is_some() && is_bin(&id), "{id}");
        }
        assert!(!is_bin("connect_latency_mean_s"));
    }
}
