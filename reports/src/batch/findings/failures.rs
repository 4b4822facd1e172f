//! Where connects fail, and up to which value none fails.

use std::cmp::Ordering;

use super::{CurveRuns, MOST_SERIES, MOST_VALUES, Wording};
use crate::batch::variants::Variant;
use crate::bilingual::say;
use crate::format::count;

impl Wording<'_> {
    pub(super) fn failures(&self) -> Vec<String> {
        let all: Vec<&Variant<'_>> = self.series.iter().flat_map(|s| &s.variants).collect();
        let failed = all.iter().filter(|v| v.failed() == Some(true)).count();
        if all.iter().all(|v| v.failed().is_none()) {
            return Vec::new();
        }
        if failed == 0 {
            let limit = self
                .limits()
                .map_or(String::new(), |l| say!(self.language, "; {l}", "；{l}"));
            return vec![say!(
                self.language,
                "No connect failed in any run{limit}.",
                "所有运行中都没有 connect 失败{limit}。"
            )];
        }
        if self.series.len() > MOST_SERIES {
            return vec![say!(
                self.language,
                "Connects failed in {} of {} variants.",
                "{1} 个变体中有 {0} 个出现 connect 失败。",
                count(failed as f64),
                count(all.len() as f64)
            )];
        }
        let sentences = self.series.iter().map(|one| {
            let text = self.failures_of(one);
            match self.name(one) {
                name if name.is_empty() => {
                    say!(self.language, "{}.", "{}。", self.language.sentence(&text))
                }
                name => say!(self.language, "{name}: {text}.", "{name}：{text}。"),
            }
        });
        sentences.chain(self.way_out(&all)).collect()
    }

    /// What carries the highest load of a sweep of rates, if all connects that failed did so for want of ports: each
    /// address at either end, and each port of the server, has a supply of its own.
    fn way_out(&self, all: &[&Variant<'_>]) -> Option<String> {
        let is_of_rates = self
            .x
            .is_some_and(|x| self.info.axes[x].path.ends_with("arrivals.rate"));
        let parameters = &self.info.parameters;
        let has = |key: &str, wanted: &[&str]| {
            let is_key = |(name, value): &&(String, String)| {
                name.ends_with(key) && wanted.contains(&value.as_str())
            };
            parameters.iter().any(|parameter| is_key(&parameter))
        };
        // The advice is for Linux. With these settings, ports are reused already, or shared by all destinations.
        let is_linux = has("tcp.profile", &["linux"]);
        let is_other = has("tw_reuse", &["1", "true"]) || has("bind_first", &["true"]);
        if !is_of_rates || self.series.len() > 1 || !is_linux || is_other {
            return None;
        }
        let mean = |v: &Variant<'_>, metric: &str| v.estimate(metric).map(|e| e.mean);
        let bad = all.iter().filter(|v| v.failed() == Some(true));
        let of_ports = |v: &&&Variant<'_>| {
            let failed = mean(v, "connects_failed");
            v.estimate("port_limit_per_s").is_some()
                && failed.is_some()
                && failed == mean(v, "connects_addr_not_available")
        };
        if !bad.clone().all(|v| of_ports(&v)) {
            return None;
        }
        let share = |v: &Variant<'_>| mean(v, "connects_failed_share_steady").unwrap_or(0.0);
        let worst = bad.max_by(|a, b| share(a).total_cmp(&share(b)))?;
        // In the steady window, the connects that succeed are as many as the ports allow.
        let needed = 1.0 / (1.0 - share(worst));
        if !(needed > 1.0 && needed < 1000.0) {
            return None;
        }
        let (times, at) = (count(needed.ceil()), self.at(worst).0);
        Some(say!(
            self.language,
            "What to change: to carry {at}, use {times} times as many client addresses, or {times} times as many server \
             addresses or ports. Without more addresses, keep connections open for several requests, or set \
             tcp_tw_reuse, which needs timestamps at both ends.",
            "如何改变：要承载 {at}，把客户端地址增至 {times} 倍，或把服务器的地址或端口增至 {times} 倍。不增加地址时，让每条连接\
             承载多个请求，或设置 tcp_tw_reuse（两端都需要时间戳）。"
        ))
    }

    fn failures_of(&self, one: &CurveRuns<'_>) -> String {
        let all: Vec<&Variant<'_>> = one.variants.iter().collect();
        let is_bad = |v: &&&Variant<'_>| v.failed() == Some(true);
        let bad: Vec<&Variant<'_>> = all.iter().filter(is_bad).copied().collect();
        let mut parts = vec![self.where_failed(&all)];
        if let Some(text) = self.ends(&bad, "first_failure_s") {
            parts[0].push_str(&say!(
                self.language,
                ": first at t = {text}",
                "：首次在 t = {text}"
            ));
        }
        match self.ends(&bad, "connects_failed_share_steady") {
            Some(text) => parts.push(say!(
                self.language,
                "{text} failed {}",
                "{}失败 {text}",
                self.window
            )),
            None => parts.extend(self.ends(&bad, "connects_failed_share").map(|text| {
                say!(
                    self.language,
                    "{text} of all connects failed",
                    "全部 connect 中有 {text} 失败"
                )
            })),
        }
        parts.extend(self.limit(&all));
        parts.join(self.language.pick("; ", "；"))
    }

    /// "no connect failed up to 470 /s; from 500 /s on connects failed".
    fn where_failed(&self, all: &[&Variant<'_>]) -> String {
        let is_bad = |v: &&Variant<'_>| v.failed() == Some(true);
        let at = |v: &Variant<'_>| self.at(v).0;
        let bad = all.iter().filter(|v| is_bad(v)).count();
        if bad == 0 {
            return self
                .language
                .pick("no connect failed", "没有 connect 失败")
                .to_owned();
        }
        if bad == all.len() {
            return if all.len() > 1 {
                self.language
                    .pick("connects failed in all runs", "所有运行中都有 connect 失败")
                    .to_owned()
            } else {
                self.language
                    .pick("connects failed", "有 connect 失败")
                    .to_owned()
            };
        }
        let in_order = self
            .x
            .is_some_and(|x| self.info.axes[x].numbers().is_some());
        let changes = all.windows(2).filter(|w| is_bad(&w[0]) != is_bad(&w[1]));
        let turn = all.windows(2).position(|w| is_bad(&w[0]) != is_bad(&w[1]));
        if let Some(turn) = turn.filter(|_| in_order && changes.count() == 1) {
            let (before, after) = (at(all[turn]), at(all[turn + 1]));
            return if is_bad(&all[turn]) {
                say!(
                    self.language,
                    "no connect failed from {after} on; up to {before} connects failed",
                    "从 {after} 起没有 connect 失败；到 {before} 为止有 connect 失败"
                )
            } else {
                say!(
                    self.language,
                    "no connect failed up to {before}; from {after} on connects failed",
                    "到 {before} 为止没有 connect 失败；从 {after} 起有 connect 失败"
                )
            };
        }
        let some = |wanted: bool| {
            let those = all.iter().filter(|v| is_bad(v) == wanted);
            self.language
                .list(&those.map(|v| at(v)).collect::<Vec<_>>())
        };
        say!(
            self.language,
            "no connect failed at {}; connects failed at {}",
            "{} 时没有 connect 失败；{} 时有 connect 失败",
            some(false),
            some(true)
        )
    }

    /// The extremes of a metric: "56.5 s (500 /s) … 28.2 s (1000 /s)".
    pub(super) fn ends(&self, all: &[&Variant<'_>], metric: &str) -> Option<String> {
        let (first, last) = self.bounds(all, metric)?;
        let (a, b) = (first.text(metric)?, last.text(metric)?);
        if first.values == last.values {
            return Some(a);
        }
        Some(
            if metric == "first_failure_s" || !self.is_monotone(all, metric) {
                say!(
                    self.language,
                    "{a} ({}) … {b} ({})",
                    "{a}（{}）… {b}（{}）",
                    self.at(first).1,
                    self.at(last).1
                )
            } else {
                format!("{a} … {b}")
            },
        )
    }

    /// The first and last variant if a metric is monotone between them, otherwise those with the smallest
    /// and largest value.
    pub(super) fn bounds<'v, 'a>(
        &self,
        all: &[&'v Variant<'a>],
        metric: &str,
    ) -> Option<(&'v Variant<'a>, &'v Variant<'a>)> {
        let mean = |v: &Variant<'_>| v.estimate(metric).map(|e| e.mean);
        let known = all.iter().copied().filter(|v| mean(v).is_some());
        let mut known: Vec<&Variant<'_>> = known.collect();
        if !self.is_monotone(all, metric) {
            known.sort_by(|a, b| mean(a).partial_cmp(&mean(b)).unwrap_or(Ordering::Equal));
        }
        Some((*known.first()?, *known.last()?))
    }

    /// True when a metric is monotone along an axis of numbers, so that its ends bound the others.
    fn is_monotone(&self, all: &[&Variant<'_>], metric: &str) -> bool {
        let numbers = self
            .x
            .is_some_and(|x| self.info.axes[x].numbers().is_some());
        let means = all.iter().map(|v| v.estimate(metric).map(|e| e.mean));
        let means: Vec<f64> = means.flatten().collect();
        let steps = || means.windows(2).map(|w| w[1] - w[0]);
        numbers && (steps().all(|d| d >= 0.0) || steps().all(|d| d <= 0.0))
    }

    /// The port supply, of each series if they differ; `None` if there are too many to list.
    pub(super) fn limits(&self) -> Option<String> {
        let of = |one: &CurveRuns<'_>| self.limit(&one.variants.iter().collect::<Vec<_>>());
        let all: Vec<Option<String>> = self.series.iter().map(of).collect();
        let first = all.first()?;
        if all.iter().all(|l| l == first) {
            return first.clone();
        }
        if all.len() > MOST_SERIES {
            return None;
        }
        let named = self.series.iter().zip(all);
        let named = named.filter_map(|(one, l)| {
            Some(say!(
                self.language,
                "with {}, {}",
                "{} 时，{}",
                self.name(one),
                l?
            ))
        });
        Some(
            named
                .collect::<Vec<_>>()
                .join(self.language.pick("; ", "；")),
        )
    }

    /// The port supply of the runs of a series, given once if it is the same for all.
    pub(super) fn limit(&self, all: &[&Variant<'_>]) -> Option<String> {
        let known: Vec<(&Variant<'_>, String)> = all
            .iter()
            .filter_map(|v| Some((*v, v.text("port_limit_per_s")?)))
            .collect();
        let first = known.first()?;
        let same = known.iter().all(|k| k.1 == first.1);
        let rate =
            |text: &str| text.replace(" /s", self.language.pick(" connections/s", " 条连接/s"));
        let each = || {
            let first = known.iter().take(MOST_VALUES);
            let mut each: Vec<String> = first
                .map(|(v, text)| format!("{} ({})", rate(text), self.at(v).1))
                .collect();
            if let Some(more) = known.len().checked_sub(MOST_VALUES).filter(|n| *n > 0) {
                each.push(say!(
                    self.language,
                    "a limit for {} more",
                    "其余 {} 个各有上限",
                    count(more as f64)
                ));
            }
            self.language.list(&each)
        };
        if known.len() < all.len() {
            // A range would wrongly include the others.
            return Some(say!(
                self.language,
                "the port supply allows {}, and has no closed form for the others",
                "端口供给允许 {}，其余没有解析式",
                each()
            ));
        }
        if !same && known.len() <= MOST_VALUES && !self.is_monotone(all, "port_limit_per_s") {
            return Some(say!(
                self.language,
                "the port supply allows {}",
                "端口供给允许 {}",
                each()
            ));
        }
        if same {
            return Some(say!(
                self.language,
                "the port supply allows {}",
                "端口供给允许 {}",
                rate(&first.1)
            ));
        }
        let (least, most) = self.bounds(all, "port_limit_per_s")?;
        let end = |v: &Variant<'_>| {
            let text = v.text("port_limit_per_s")?;
            Some(format!("{} ({})", rate(&text), self.at(v).1))
        };
        Some(say!(
            self.language,
            "the port supply allows {} … {}",
            "端口供给允许 {} … {}",
            end(least)?,
            end(most)?
        ))
    }
}
