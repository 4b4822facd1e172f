//! The results in words.

use std::collections::BTreeMap;

use crate::analytic::{failure_share, fluid, offered_until, port_limit_per_s, port_supply};
use crate::format::{bit_rate, count, number, percent, seconds};
use crate::info::RunInfo;

/// What a run has shown, most important first; a function of its metrics and of what was known.
pub fn findings(info: &RunInfo, metrics: &BTreeMap<String, f64>) -> Vec<String> {
    let known = Known { info, metrics };
    let all = [
        known.corruption(),
        known.failures(),
        known.port_limit(),
        known.time_wait(),
        known.latency(),
        known.goodput(),
    ];
    all.into_iter().flatten().collect()
}

struct Known<'a> {
    info: &'a RunInfo,
    metrics: &'a BTreeMap<String, f64>,
}

impl Known<'_> {
    fn get(&self, name: &str) -> Option<f64> {
        self.metrics.get(name).copied()
    }

    fn positive(&self, name: &str) -> Option<f64> {
        self.get(name).filter(|v| *v > 0.0)
    }

    fn corruption(&self) -> Option<String> {
        let bytes = self.positive("old_duplicate_bytes")?;
        Some(format!(
            "{} bytes of earlier connections were accepted as data of later ones: the corruption \
             that TIME-WAIT exists to prevent.",
            count(bytes)
        ))
    }

    fn failures(&self) -> Option<String> {
        let attempted = self.positive("connects_attempted")?;
        let Some(failed) = self.positive("connects_failed") else {
            let open = attempted - self.get("connects_established").unwrap_or(attempted);
            let rest = if open > 0.0 {
                format!("; {} were still on their way at the end", count(open))
            } else {
                String::new()
            };
            return Some(format!(
                "None of the {} connects failed{rest}.",
                count(attempted)
            ));
        };
        let causes = [
            ("connects_addr_not_available", "found no free local port"),
            ("connects_refused", "were refused"),
            ("connects_timed_out", "timed out"),
            ("connects_aborted", "were given up"),
        ];
        let causes: Vec<String> = causes
            .iter()
            .filter_map(|(name, words)| Some(format!("{} {words}", count(self.positive(name)?))))
            .collect();
        let steady = self.get("connects_failed_share_steady");
        let steady = steady.map_or(String::new(), |s| {
            format!(", {} in the steady window", percent(s))
        });
        Some(format!(
            "Connects began to fail at t = {}; {} of {} failed ({}{steady}): {}.",
            seconds(self.get("first_failure_s").unwrap_or(0.0)),
            count(failed),
            count(attempted),
            percent(failed / attempted),
            causes.join(", ")
        ))
    }

    /// Mean offered rate over the steady window.
    fn offered(&self) -> Option<f64> {
        let (from, to) = self.info.steady_window();
        let points = &self.info.analytic.offered_per_s;
        if points.is_empty() || to <= from {
            return None;
        }
        let rate = (offered_until(points, to) - offered_until(points, from)) / (to - from);
        (rate > 0.0).then_some(rate)
    }

    fn port_limit(&self) -> Option<String> {
        let hints = &self.info.analytic;
        let ports = port_supply(hints)?;
        let held_s = hints.time_wait_s? + hints.hold_s.max(0.0);
        if held_s <= 0.0 {
            return None;
        }
        let limit = port_limit_per_s(ports, held_s);
        let supply = format!(
            "The port supply allows {} connections/s ({} ports / {})",
            number(limit),
            count(ports),
            seconds(held_s)
        );
        Some(match self.offered() {
            None => format!("{supply}."),
            Some(offered) if offered > limit => format!(
                "{supply}; of the {}/s offered, theory lets {} fail in the long run{}.",
                number(offered),
                percent(failure_share(offered, limit)),
                self.expected_failures().unwrap_or_default()
            ),
            Some(offered) => format!(
                "{supply}; the {}/s offered use {} of it.",
                number(offered),
                percent(offered / limit)
            ),
        })
    }

    /// Ports come back in waves, so a window may see more or fewer failures than the long run.
    fn expected_failures(&self) -> Option<String> {
        let (from, to) = self.info.steady_window();
        let points = fluid(&self.info.analytic, self.info.duration_s, 2000)?;
        let window = points.iter().filter(|p| from < p.t_s && p.t_s <= to);
        let (accepted, offered) = window.fold((0.0, 0.0), |(a, o), p| {
            (a + p.accepted_per_s, o + p.offered_per_s)
        });
        let share = (offered > 0.0).then(|| 1.0 - accepted / offered)?;
        Some(format!(" and {} in the steady window", percent(share)))
    }

    fn time_wait(&self) -> Option<String> {
        let peak = self.positive("time_wait_peak")?;
        let mean = self.get("time_wait_mean_steady")?;
        let (from, to) = self.info.steady_window();
        let measured = format!(
            "TIME-WAIT peaked at {} sockets at t = {} and averaged {} from {} to {}",
            count(peak),
            seconds(self.get("time_wait_peak_at_s").unwrap_or(0.0)),
            count(mean),
            seconds(from),
            seconds(to)
        );
        Some(match self.expected_time_wait(from, to) {
            None => format!("{measured}."),
            Some(theory) => format!("{measured}; {theory}."),
        })
    }

    fn expected_time_wait(&self, from: f64, to: f64) -> Option<String> {
        let hints = &self.info.analytic;
        let stay = hints.time_wait_s?;
        let points = fluid(hints, self.info.duration_s, 2000)?;
        let window = points.iter().filter(|p| from <= p.t_s && p.t_s <= to);
        let (sum, n) = window.fold((0.0, 0), |(sum, n), p| (sum + p.time_wait, n + 1));
        let expected = sum / f64::from(n.max(1));
        let offered = self.offered()?;
        let steady = (offered * stay - expected).abs() <= 0.01 * expected;
        Some(if steady {
            format!(
                "Little's law says {}/s x {} = {}",
                number(offered),
                seconds(stay),
                count(offered * stay)
            )
        } else {
            format!("theory says {} on average there", count(expected))
        })
    }

    fn latency(&self) -> Option<String> {
        let p50 = self.get("connect_latency_p50_s")?;
        let p99 = self.get("connect_latency_p99_s")?;
        let probes = self.get("port_probes_mean").filter(|p| *p >= 1.5);
        let probes = probes.map_or(String::new(), |p| {
            format!("; finding a free port took {} probes on average", number(p))
        });
        Some(format!(
            "Connecting took {} in the median and {} at the 99th percentile{probes}.",
            seconds(p50),
            seconds(p99)
        ))
    }

    fn goodput(&self) -> Option<String> {
        let bps = self.positive("goodput_bps")?;
        // Only end points that ended have told what they sent again.
        let again = self
            .positive("segments_sent")
            .map_or(String::new(), |sent| {
                let again = self.get("retransmissions").unwrap_or(0.0);
                let share = percent(again / sent);
                format!(
                    "; ended connections sent {} segments again ({share})",
                    count(again)
                )
            });
        let drops = self
            .positive("queue_drops_pkts")
            .map_or(String::new(), |n| {
                format!("; queues dropped {} packets", count(n))
            });
        let fair = self.get("jain_index").map_or(String::new(), |j| {
            format!("; Jain's fairness index is {}", number(j))
        });
        Some(format!(
            "Goodput was {} over all connections{again}{drops}{fair}.",
            bit_rate(bps)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::info::AnalyticHints;

    fn info(rate: f64) -> RunInfo {
        RunInfo {
            duration_s: 240.0,
            analytic: AnalyticHints {
                time_wait_s: Some(60.0),
                ports_per_destination: Some(28_232),
                ports_held_by_time_wait: true,
                destinations: 1,
                offered_per_s: vec![(0.0, rate)],
                ..AnalyticHints::default()
            },
            ..RunInfo::default()
        }
    }

    fn metrics(list: &[(&str, f64)]) -> BTreeMap<String, f64> {
        list.iter().map(|&(n, v)| (n.to_owned(), v)).collect()
    }

    #[test]
    fn exhausted_ports_are_told_with_cause_and_limit() {
        let m = metrics(&[
            ("connects_attempted", 72_000.0),
            ("connects_established", 56_464.0),
            ("connects_failed", 15_536.0),
            ("connects_addr_not_available", 15_536.0),
            ("connects_failed_share_steady", 0.21),
            ("first_failure_s", 94.1),
        ]);
        let told = findings(&info(600.0), &m);
        assert_eq!(
            told[0],
            "Connects began to fail at t = 94.1 s; 15,536 of 72,000 failed (21.6 %, 21 % in the \
             steady window): 15,536 found no free local port."
        );
        assert_eq!(
            told[1],
            "The port supply allows 470.5 connections/s (28,232 ports / 60 s); of the 600/s \
             offered, theory lets 21.6 % fail in the long run and 21.6 % in the steady window."
        );
    }

    #[test]
    fn a_plateau_is_told_with_littles_law() {
        let m = metrics(&[
            ("connects_attempted", 108_000.0),
            ("connects_established", 108_000.0),
            ("time_wait_peak", 27_000.0),
            ("time_wait_peak_at_s", 60.0),
            ("time_wait_mean_steady", 27_000.0),
        ]);
        let told = findings(&info(450.0), &m);
        assert_eq!(told[0], "None of the 108,000 connects failed.");
        assert!(
            told[1].ends_with("the 450/s offered use 95.6 % of it."),
            "{}",
            told[1]
        );
        assert!(
            told[2].ends_with("Little's law says 450/s x 60 s = 27,000."),
            "{}",
            told[2]
        );
    }

    #[test]
    fn nothing_known_nothing_said() {
        assert!(findings(&RunInfo::default(), &BTreeMap::new()).is_empty());
    }
}
