//! `synfin find --best`: the combination of a scenario's sweep with the largest or smallest mean of a metric.

use std::collections::BTreeMap;

use reports::BatchRow;
use reports::format::metric;
use serde_json::json;

use super::value_search::ValueSearch;
use super::{FindArgs, combinations, replicated, usage};
use crate::console::{CommandError, note, print};
use crate::elimination::{VariantStanding, VariantValues, comparisons, round};
use crate::problem::SourceText;
use crate::sweep::Plan;

/// Replicas of each combination in the first round; with fewer, the differences are too uncertain.
const FIRST_REPLICAS: u32 = 4;

/// Values of the swept paths.
type Combination = Vec<(String, String)>;

/// The results of a search.
struct SearchOutcome {
    /// Combinations, in the order of the plan.
    all: Vec<Combination>,
    /// Number of replicas and the comparison, by round.
    rounds: Vec<(u32, Vec<VariantStanding>)>,
    /// Number of runs, executed now or found.
    runs: u32,
}

/// Searches, reports and prints.
pub(super) fn best(
    args: &FindArgs,
    name: &str,
    search: &ValueSearch<'_>,
    source: &SourceText,
) -> Result<(), CommandError> {
    let first = search.replicas.max(FIRST_REPLICAS);
    let most = search.most_replicas.max(first);
    let plan = replicated(source, search.changes, first)?;
    check(name, &plan)?;
    search.claim(&plan, args.force)?;
    let outcome = eliminate(args, name, search, source, (first, most))?;
    let answer = outcome.answer(name, args.largest);
    let mut lines = outcome.lines(name);
    lines.push(answer.clone());
    let replicas = outcome.rounds.last().map_or(first, |(n, _)| *n);
    search.report(source, &[], replicas, args, lines)?;
    if args.json {
        let all = outcome.json(name, args.largest, &answer);
        return print(&serde_json::to_string_pretty(&all).unwrap_or_default());
    }
    print(&answer)?;
    let page = search.dir.join("report.html");
    print(&format!("report: {}", page.display()))
}

/// Checks that there are several combinations and that the metric exists.
fn check(name: &str, plan: &Plan) -> Result<(), CommandError> {
    let all = combinations(plan);
    if all.len() < 2 {
        return Err(usage(
            "there is nothing to choose from: give the scenario [[variant]] tables or a [sweep]"
                .to_owned(),
        ));
    }
    plan.check_metric(name, "--best")
        .map_err(|p| usage(p.message))
}

/// Doubles the replicas from round to round until one combination remains or the maximum is reached.
fn eliminate(
    args: &FindArgs,
    name: &str,
    search: &ValueSearch<'_>,
    source: &SourceText,
    (first, most): (u32, u32),
) -> Result<SearchOutcome, CommandError> {
    let plan = replicated(source, search.changes, first)?;
    let all = combinations(&plan);
    let comparisons = comparisons(all.len(), first, most);
    let mut alive: Vec<usize> = (0..all.len()).collect();
    let mut outcome = SearchOutcome {
        rounds: Vec::new(),
        runs: 0,
        all,
    };
    let mut made: BTreeMap<usize, u32> = BTreeMap::new();
    let mut replicas = first;
    loop {
        let plan = replicated(source, search.changes, replicas)?;
        let mut values: Vec<(usize, VariantValues)> = Vec::new();
        for &candidate in &alive {
            let rows = search.rows(&plan, &outcome.all[candidate])?;
            made.insert(candidate, replicas);
            values.push((candidate, values_of(&rows, name)));
        }
        let standings = round(&values, args.largest, comparisons);
        let is_out = |candidate: usize| {
            let mut each = standings.iter();
            each.any(|s| s.candidate == candidate && s.is_eliminated)
        };
        alive.retain(|&candidate| !is_out(candidate));
        outcome.rounds.push((replicas, standings));
        outcome.runs = made.values().sum();
        if !args.json {
            outcome.lines_of_last(name).iter().for_each(|l| note(l));
        }
        if alive.len() < 2 || replicas >= most {
            return Ok(outcome);
        }
        replicas = replicas.saturating_mul(2).min(most);
    }
}

fn values_of(rows: &[BatchRow], name: &str) -> VariantValues {
    let each = rows.iter();
    each.filter_map(|row| Some((row.replica, row.metrics.get(name)?)))
        .collect()
}

/// "tcp.congestion = cubic, path.delay = 10 ms".
fn words(of: &Combination) -> String {
    let each = of.iter().map(|(path, value)| match path.as_str() {
        "variant" => format!("{value:?}"),
        path => format!("{path} = {value}"),
    });
    each.collect::<Vec<String>>().join(", ")
}

impl SearchOutcome {
    /// The combinations that remain after the last round, the best first.
    fn left(&self) -> Vec<&VariantStanding> {
        let last = self.rounds.last().map(|(_, standings)| standings.iter());
        last.into_iter()
            .flatten()
            .filter(|s| !s.is_eliminated)
            .collect()
    }

    fn answer(&self, name: &str, wants_largest: bool) -> String {
        let which = if wants_largest { "largest" } else { "smallest" };
        let of = |s: &VariantStanding| {
            format!(
                "{} ({})",
                words(&self.all[s.candidate]),
                metric(name, s.mean)
            )
        };
        match self.left().as_slice() {
            [] => format!("no combination has a value of {name}"),
            [best] => format!("the {which} {name} is that of {}", of(best)),
            [first, rest @ ..] => {
                let rest: Vec<String> = rest.iter().map(|s| of(s)).collect();
                format!(
                    "the {which} {name} so far is that of {}, which {} replicas do not tell from {} \
                     (--max-replicas)",
                    of(first),
                    self.rounds.last().map_or(0, |(n, _)| *n),
                    rest.join("; ")
                )
            }
        }
    }

    /// A log of the search, with a line for each round and combination.
    fn lines(&self, name: &str) -> Vec<String> {
        let each = self.rounds.iter();
        each.flat_map(|round| self.lines_of(name, round)).collect()
    }

    fn lines_of_last(&self, name: &str) -> Vec<String> {
        let last = self.rounds.last();
        last.map_or_else(Vec::new, |round| self.lines_of(name, round))
    }

    fn lines_of(
        &self,
        name: &str,
        (replicas, standings): &(u32, Vec<VariantStanding>),
    ) -> Vec<String> {
        let line = |s: &VariantStanding| {
            let of = words(&self.all[s.candidate]);
            let value = match s.mean.is_nan() {
                true => "no value".to_owned(),
                false => metric(name, s.mean),
            };
            let behind = s.behind.map(|b| {
                let [mean, low, high] =
                    [b.mean, b.interval.0, b.interval.1].map(|v| signed(name, v));
                format!(", behind by {mean} [{low} … {high}]")
            });
            let out = if s.is_eliminated { ": out" } else { "" };
            format!(
                "{replicas} replicas: {of}: {value}{}{out}",
                behind.unwrap_or_default()
            )
        };
        standings.iter().map(line).collect()
    }

    fn json(&self, name: &str, wants_largest: bool, answer: &str) -> serde_json::Value {
        let values = |candidate: usize| -> serde_json::Map<String, serde_json::Value> {
            let each = self.all[candidate].iter();
            each.map(|(path, value)| (path.clone(), json!(value)))
                .collect()
        };
        let standing = |s: &VariantStanding| {
            json!({
                "of": values(s.candidate),
                "mean": s.mean, // NaN becomes null
                "behind": s.behind.map(|b| json!({
                    "mean": b.mean, "low": b.interval.0, "high": b.interval.1,
                })),
                "is_eliminated": s.is_eliminated,
            })
        };
        let rounds = self.rounds.iter().map(|(replicas, standings)| {
            let candidates: Vec<_> = standings.iter().map(standing).collect();
            json!({ "replicas": replicas, "candidates": candidates })
        });
        let rounds: Vec<_> = rounds.collect();
        let left = self.left();
        json!({
            "metric": name,
            "goal": if wants_largest { "largest" } else { "smallest" },
            "outcome": match left.len() { 0 => "none", 1 => "found", _ => "undecided" },
            "best": left.first().map(|s| values(s.candidate)),
            "answer": answer,
            "rounds": rounds,
            "runs": self.runs,
        })
    }
}

/// A difference of a metric with its sign.
fn signed(name: &str, value: f64) -> String {
    match value < 0.0 {
        true => format!("-{}", metric(name, -value)),
        false => metric(name, value),
    }
}
