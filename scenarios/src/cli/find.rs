//! `synfin find`: the largest or smallest value for which all expectations hold, or the best of several
//! combinations.

mod best;
mod value_search;

use std::collections::{BTreeMap, BTreeSet};

use reports::Verdict;
use reports::store::resolve;
use serde_json::json;
use toml::Value;

use super::args::FindArgs;
use crate::console::{CommandError, note, print};
use crate::dotted_path::DottedPath;
use crate::interrupt::Interrupt;
use crate::output_dir::{default_dir, shell_words};
use crate::overrides::{Override, OverrideSource, read_value};
use crate::problem::SourceText;
use crate::search::{Goal, SearchResult, bisect};
use crate::sweep::{Plan, SearchRange, label};
use value_search::{TriedValue, ValueSearch};

/// Initial number of replicas of a point, unless the scenario has more; one replica gives no interval.
const FIRST_REPLICAS: u32 = 2;

/// Finds the value for each combination of the scenario's sweep.
pub(super) fn find(args: &FindArgs) -> Result<(), CommandError> {
    let source = args.scenario.source()?;
    let mut changes = args.scenario.changes()?;
    if let Some(expected) = &args.expect {
        changes.push(expectation(expected)?);
    }
    let interrupt = Interrupt::on_signals();
    let command = args.command();
    if let Some(metric) = &args.best {
        let plan = replicated(&source, &changes, 1)?;
        let dir = match &args.out {
            Some(out) => resolve(out).map_err(|e| usage(e.to_string()))?,
            None => default_dir(&format!("{}-best", plan.name), &changes),
        };
        let search = ValueSearch {
            changes: &changes,
            dir: &dir,
            replicas: args.scenario.replicas.unwrap_or(0),
            most_replicas: args.max_replicas,
            threads: args.threads(),
            command: &command,
            interrupt: &interrupt,
        };
        return best::best(args, metric, &search, &source);
    }
    if args.vary.is_empty() || args.from.is_empty() || args.to.is_empty() {
        return Err(usage(
            "say what to find: --vary PATH --from VALUE --to VALUE, or --best METRIC".to_owned(),
        ));
    }
    let path: DottedPath = args
        .vary
        .parse()
        .map_err(|e| usage(format!("--vary: {e}")))?;
    let goal = if args.largest {
        Goal::Largest
    } else {
        Goal::Smallest
    };
    let (from, to) = (read_value(&args.from), read_value(&args.to));
    let ends = SearchRange::to_search(&from, &to, args.log)
        .map_err(|why| usage(format!("--from {} --to {} {why}", args.from, args.to)))?;
    let resolution = args.resolution;
    if !(1e-9..1.0).contains(&resolution) {
        return Err(usage(format!(
            "--resolution {resolution} is not between 0 and 1"
        )));
    }
    let first = plan_at(&source, &changes, &path, &from, 1)?;
    if first.expectations.is_empty() {
        return Err(usage(
            "there is no expectation to test: give --expect 'connects_failed_share_steady < 0.001', or [[expect]] in the scenario".to_owned(),
        ));
    }
    let mut named = changes.clone();
    named.push(set(&path, Value::String("found".to_owned())));
    let dir = match &args.out {
        Some(out) => resolve(out).map_err(|e| usage(e.to_string()))?,
        None => default_dir(&first.name, &named),
    };
    let search = ValueSearch {
        changes: &changes,
        dir: &dir,
        replicas: args.scenario.replicas.unwrap_or(0).max(FIRST_REPLICAS),
        most_replicas: args.max_replicas.max(FIRST_REPLICAS),
        threads: args.threads(),
        command: &command,
        interrupt: &interrupt,
    };
    let planned = plan_at(&source, &changes, &path, &from, search.replicas)?;
    search.claim(&planned, args.force)?;
    let mut visited: BTreeMap<String, (Value, u32)> = BTreeMap::new();
    let mut answers = Vec::new();
    let mut lines = Vec::new();
    for combination in combinations(&first) {
        let mut tried: Vec<TriedValue> = Vec::new();
        let found = bisect(&ends, goal, resolution, |value| {
            let planned = |replicas| plan_at(&source, &changes, &path, value, replicas);
            let point = search.test(value, &combination, &planned)?;
            let verdict = point.verdict;
            let entry = visited.entry(label(value)).or_insert((value.clone(), 0));
            entry.1 = entry.1.max(point.replicas);
            let line = format!("{} = {}: {}", args.vary, label(value), point.words);
            if !args.json {
                note(&format!("  {line}"));
            }
            lines.push(line);
            tried.push(point);
            Ok(verdict)
        })?;
        let answer = answer(args, &combination, &found);
        if !args.json {
            print(&answer)?;
        }
        lines.push(answer.clone());
        answers.push((combination, found, tried, answer));
    }
    let mut values: Vec<Value> = visited.values().map(|(value, _)| value.clone()).collect();
    let base = |v: &Value| crate::quantity::quantity(v).map_or(f64::NAN, |q| q.0);
    values.sort_by(|a, b| base(a).total_cmp(&base(b)));
    let replicas = visited.values().map(|(_, n)| *n).max().unwrap_or(1);
    search.report(&source, &values, replicas, args, lines)?;
    if args.json {
        let all: Vec<_> = answers
            .iter()
            .map(|(c, f, t, a)| as_json(c, f, t, a))
            .collect();
        return print(&serde_json::to_string_pretty(&all).unwrap_or_default());
    }
    print(&format!("report: {}", dir.join("report.html").display()))
}

/// An override that sets a value in the scenario.
fn set(path: &DottedPath, value: Value) -> Override {
    Override {
        path: path.clone(),
        value,
        by: OverrideSource::Set,
    }
}

fn usage(message: String) -> CommandError {
    CommandError::Usage(format!("error: {message}"))
}

/// `METRIC < BOUND` as an `[[expect]]`.
fn expectation(text: &str) -> Result<Override, CommandError> {
    let signs = [
        ("<=", "at_most"),
        (">=", "at_least"),
        ("<", "below"),
        (">", "above"),
    ];
    let found = signs.iter().find_map(|(sign, key)| {
        let (metric, bound) = text.split_once(sign)?;
        Some((metric.trim(), *key, read_value(bound.trim())))
    });
    let (metric, key, bound) = found.ok_or_else(|| {
        usage(format!("--expect {text:?} has no <, <=, > or >=; write for example 'connects_failed_share_steady < 0.001'"))
    })?;
    let mut table = toml::Table::new();
    table.insert("metric".to_owned(), metric.into());
    table.insert(key.to_owned(), bound);
    Ok(set(
        &DottedPath::from("expect"),
        Value::Array(vec![Value::Table(table)]),
    ))
}

fn plan_at(
    source: &SourceText,
    changes: &[Override],
    path: &DottedPath,
    value: &Value,
    replicas: u32,
) -> Result<Plan, CommandError> {
    let mut changes = changes.to_vec();
    changes.push(set(path, value.clone()));
    replicated(source, &changes, replicas)
}

/// The plan of the scenario with this many replicas.
fn replicated(
    source: &SourceText,
    changes: &[Override],
    replicas: u32,
) -> Result<Plan, CommandError> {
    let mut changes = changes.to_vec();
    changes.push(with_replicas(replicas));
    Plan::new(source, &changes).map_err(|e| CommandError::Usage(e.to_string()))
}

fn with_replicas(replicas: u32) -> Override {
    set(
        &DottedPath::from("replicas"),
        Value::Integer(replicas.into()),
    )
}

/// The combinations of the scenario's sweep.
fn combinations(plan: &Plan) -> Vec<Vec<(String, String)>> {
    let mut seen = BTreeSet::new();
    let all = plan.runs.iter().map(|run| run.parameters.clone());
    all.filter(|p| seen.insert(p.clone())).collect()
}

/// The answer in a sentence.
fn answer(args: &FindArgs, combination: &[(String, String)], found: &SearchResult) -> String {
    let of: Vec<String> = combination
        .iter()
        .map(|(p, v)| format!("{p} = {v}"))
        .collect();
    let of = match of.is_empty() {
        true => String::new(),
        false => format!("{}: ", of.join(", ")),
    };
    let (which, beyond) = match args.largest {
        true => ("largest", "above"),
        false => ("smallest", "below"),
    };
    let vary = &args.vary;
    match found {
        SearchResult::None => format!(
            "{of}no {vary} from {} to {} passes: expectations fail even at the safest value",
            args.from, args.to
        ),
        SearchResult::All => format!(
            "{of}every {vary} from {} to {} passes; the limit lies {beyond}",
            args.from, args.to
        ),
        SearchResult::Between { good, bad } => format!(
            "{of}the {which} {vary} that passes is {} ({} fails)",
            label(good),
            label(bad)
        ),
        SearchResult::Undecided { good, at, bad } => format!(
            "{of}the {which} {vary} that passes lies between {} and {}: {} is undecided after {} replicas (--max-replicas)",
            label(good),
            label(bad),
            label(at),
            args.max_replicas
        ),
    }
}

fn as_json(
    combination: &[(String, String)],
    found: &SearchResult,
    tried: &[TriedValue],
    answer: &str,
) -> serde_json::Value {
    let of: serde_json::Map<String, serde_json::Value> = combination
        .iter()
        .map(|(path, value)| (path.clone(), json!(value)))
        .collect();
    let (outcome, good, bad) = match found {
        SearchResult::None => ("none", None, None),
        SearchResult::All => ("all", None, None),
        SearchResult::Between { good, bad } => ("found", Some(good), Some(bad)),
        SearchResult::Undecided { good, bad, .. } => ("undecided", Some(good), Some(bad)),
    };
    let path: Vec<_> = tried
        .iter()
        .map(|t| {
            json!({
                "value": label(&t.value),
                "replicas": t.replicas,
                "verdict": match t.verdict {
                    Verdict::Holds => "holds",
                    Verdict::Undecided => "undecided",
                    Verdict::Fails => "fails",
                },
            })
        })
        .collect();
    json!({
        "of": of,
        "outcome": outcome,
        "good": good.map(label),
        "bad": bad.map(label),
        "answer": answer,
        "tried": path,
        "runs": tried.iter().map(|t| t.replicas).sum::<u32>(),
    })
}

impl FindArgs {
    /// Number of runs at a time.
    fn threads(&self) -> usize {
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(processors, usize::from)
    }

    /// The command line that repeats this search.
    pub(super) fn command(&self) -> String {
        let mut words = vec![
            "synfin".to_owned(),
            "find".to_owned(),
            self.scenario.scenario.clone(),
        ];
        words.extend(
            self.scenario
                .set
                .iter()
                .flat_map(|s| ["--set".to_owned(), s.clone()]),
        );
        let nothing = String::new();
        let of = [
            ("--best", self.best.as_ref().unwrap_or(&nothing)),
            ("--vary", &self.vary),
            ("--from", &self.from),
            ("--to", &self.to),
        ];
        for (flag, value) in of.into_iter().filter(|(_, value)| !value.is_empty()) {
            words.extend([flag.to_owned(), value.clone()]);
        }
        let goal = if self.largest {
            "--largest"
        } else {
            "--smallest"
        };
        words.push(goal.to_owned());
        words.extend(
            self.expect
                .iter()
                .flat_map(|e| ["--expect".to_owned(), e.clone()]),
        );
        shell_words(words.iter().map(String::as_str))
    }
}
