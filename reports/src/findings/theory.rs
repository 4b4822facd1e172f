//! Closed forms beside the measured values, where their conditions hold.

use crate::analytic::{
    SCARCE_FROM_S, expected_failures, expected_time_wait, offered_until, port_limit,
};
use crate::bilingual::{Language, say};
use crate::format::{count, number, percent, seconds};
use crate::info::RunInfo;

/// Relative uncertainty of a holding time above which it is reported as a range.
const WIDE: f64 = 0.01;
/// Failing shares below this are not reported.
const LEAST_SHARE: f64 = 0.0005;

/// Mean offered rate over a window.
fn offered(info: &RunInfo, (from, to): (f64, f64)) -> Option<f64> {
    let points = &info.analytic.offered_per_s;
    if points.is_empty() || to <= from {
        return None;
    }
    let rate = (offered_until(points, to) - offered_until(points, from)) / (to - from);
    (rate > 0.0).then_some(rate)
}

/// "The port supply allows 470.5 connections/s (28,232 ports / 60 s); the 450/s offered use 95.6 %
/// of it."
pub(super) fn ports(info: &RunInfo, window: &str, language: Language) -> Option<String> {
    let theory = info.analytic.theory.as_ref()?;
    let held_s = theory.held_s.middle();
    if held_s < SCARCE_FROM_S {
        return None;
    }
    let (limits, held) = (port_limit(theory), theory.held_s);
    let limit = limits.middle();
    // If the holding time is uncertain, report both ends of the range.
    let is_wide = held.width() > WIDE * held.high;
    let range = |low: f64, high: f64, text: fn(f64) -> String| match is_wide {
        true => say!(language, "{} to {}", "{} 到 {}", text(low), text(high)),
        false => text((low + high) / 2.0),
    };
    let supply = say!(
        language,
        "The port supply allows {} connections/s ({} ports / {})",
        "端口供给允许每秒 {} 条连接（{} 个端口 / {}）",
        range(limits.low, limits.high, number),
        count(theory.ports * theory.pairs),
        range(held.low, held.high, seconds)
    );
    let steady = info.steady_window();
    let share = expected_failures(&info.analytic, info.duration_s, steady);
    Some(match (offered(info, steady), share) {
        (Some(offered), Some(share)) if share.value > LEAST_SHARE => say!(
            language,
            "{supply}; of the {}/s offered {window}, {} fail in theory.",
            "{supply}；{window}每秒请求 {} 条，理论上有 {} 失败。",
            number(offered),
            percent(share.value)
        ),
        (Some(offered), Some(_)) => say!(
            language,
            "{supply}; the {}/s offered use {} of it.",
            "{supply}；每秒请求的 {} 条占其 {}。",
            number(offered),
            percent(offered / limit)
        ),
        _ => say!(language, "{supply}.", "{supply}。"),
    })
}

/// "Little's law says 450/s x 60 s = 27,000": the mean population of the steady window.
pub(super) fn time_wait(info: &RunInfo, language: Language) -> Option<String> {
    let window = info.steady_window();
    let stay_s = info.analytic.theory.as_ref()?.time_wait.as_ref()?.stay_s;
    let expected = expected_time_wait(&info.analytic, info.duration_s, window)?.value;
    let offered = offered(info, window)?;
    let little = offered * stay_s;
    Some(if (little - expected).abs() <= 0.01 * expected {
        say!(
            language,
            "Little's law says {}/s x {} = {}",
            "按利特尔法则，{}/s x {} = {}",
            number(offered),
            seconds(stay_s),
            count(little)
        )
    } else {
        say!(
            language,
            "theory predicts a mean of {} there",
            "理论预测此时平均为 {}",
            count(expected)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::info::{AnalyticHints, ArrivalLaw, Span, Theory, TimeWaitTheory};

    fn info(rate: f64, theory: Theory) -> RunInfo {
        RunInfo {
            duration_s: 400.0,
            analytic: AnalyticHints {
                offered_per_s: vec![(0.0, rate)],
                theory: Some(theory),
                ..AnalyticHints::default()
            },
            ..RunInfo::default()
        }
    }

    fn held(held_s: f64, sd: f64) -> Theory {
        Theory {
            ports: 1_000.0,
            pairs: 1.0,
            held_s: Span {
                low: held_s,
                high: held_s,
            },
            held_sd_s: sd,
            settles_s: Some(50.0),
            time_wait: Some(TimeWaitTheory {
                group: "client".into(),
                after_s: Span {
                    low: held_s - 60.0,
                    high: held_s - 60.0,
                },
                stay_s: 60.0,
            }),
            ..Theory::default()
        }
    }

    #[test]
    fn poisson_arrivals_use_erlangs_formula() {
        let mut theory = held(60.0, 20.0);
        theory.arrivals = ArrivalLaw::Poisson;
        theory.settles_s = Some(10.0);
        let mut info = info(1_000.0 / 60.0, theory);
        info.duration_s = 4_000.0;
        // B(1000, 1000) = 2.48 %; a fluid model would lose nothing.
        let sentence = ports(&info, "in the steady window", Language::English).unwrap();
        assert!(sentence.ends_with("2.48 % fail in theory."), "{sentence}");
    }

    #[test]
    fn a_run_too_short_for_its_holding_times_has_no_expectation() {
        let mut theory = held(90.0, 80.0);
        theory.settles_s = Some(1_000.0);
        let info = info(20.0, theory);
        assert_eq!(
            ports(&info, "in the steady window", Language::English).unwrap(),
            "The port supply allows 11.1 connections/s (1,000 ports / 90 s)."
        );
        assert_eq!(time_wait(&info, Language::English), None);
    }

    #[test]
    fn ports_held_only_for_a_moment_are_not_reported() {
        let mut theory = held(60.0, 0.0);
        theory.held_s = Span {
            low: 0.004,
            high: 0.004,
        };
        assert_eq!(
            ports(
                &info(20.0, theory),
                "in the steady window",
                Language::English
            ),
            None
        );
    }
}
