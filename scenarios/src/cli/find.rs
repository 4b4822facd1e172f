//! `synfin find`: the largest or smallest value for which all expectations hold.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rayon::prelude::*;
use reports::store::{ResultDir, look_at_results, resolve};
use reports::{Axis, BatchRow, Verdict};
use serde_json::json;
use toml::Value;

use super::FindArgs;
use super::run::changed_text;
use crate::batch::{self, Keep, Making, Options, RunOutcome};
use crate::console::{CommandError, note, print};
use crate::dotted_path::DottedPath;
use crate::execution::Execution;
use crate::interrupt::Interrupt;
use crate::output_dir::default_dir;
use crate::overrides::{By, Override, read_value};
use crate::problem::Source;
use crate::progress::BatchProgress;
use crate::search::{Goal, SearchResult, bisect};
use crate::sweep::{Plan, SearchRange, label};

/// Initial replicas of a point, unless the scenario asks for more: one gives no interval.
const FIRST_REPLICAS: u32 = 2;

/// A value that was tried.
struct Tried {
    value: Value,
    replicas: u32,
    verdict: Verdict,
    words: String,
}

/// Finds the value for each combination of the scenario's own sweep.
pub(super) fn find(args: &FindArgs) -> Result<(), CommandError> {
    let source = args.scenario.source()?;
    let mut changes = args.scenario.changes()?;
    if let Some(expected) = &args.expect {
        changes.push(expectation(expected)?);
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
    let interrupt = Interrupt::on_signals();
    let search = ValueSearch {
        source: &source,
        changes: &changes,
        path: &path,
        dir: &dir,
        replicas: args.scenario.replicas.unwrap_or(0).max(FIRST_REPLICAS),
        most_replicas: args.max_replicas.max(FIRST_REPLICAS),
        threads: args.threads.map_or_else(
            || std::thread::available_parallelism().map_or(1, usize::from),
            usize::from,
        ),
        interrupt: &interrupt,
    };
    search.claim(&from, args.force)?;
    let mut visited: BTreeMap<String, (Value, u32)> = BTreeMap::new();
    let mut answers = Vec::new();
    for combination in combinations(&first) {
        let mut tried: Vec<Tried> = Vec::new();
        let found = bisect(&ends, goal, resolution, |value| {
            let point = search.test(value, &combination)?;
            let verdict = point.verdict;
            let entry = visited.entry(label(value)).or_insert((value.clone(), 0));
            entry.1 = entry.1.max(point.replicas);
            if !args.json {
                note(&format!(
                    "  {} = {}: {}",
                    args.vary,
                    label(value),
                    point.words
                ));
            }
            tried.push(point);
            Ok(verdict)
        })?;
        let answer = answer(args, &combination, &found);
        if !args.json {
            print(&answer)?;
        }
        answers.push((combination, found, tried, answer));
    }
    search.report(&visited, args)?;
    if args.json {
        let all: Vec<_> = answers
            .iter()
            .map(|(c, f, t, a)| as_json(c, f, t, a))
            .collect();
        return print(&serde_json::to_string_pretty(&all).unwrap_or_default());
    }
    print(&format!("report: {}", dir.join("report.html").display()))
}

/// Sets a value in the scenario for the search.
fn set(path: &DottedPath, value: Value) -> Override {
    Override {
        path: path.clone(),
        value,
        by: By::Set,
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
    source: &Source,
    changes: &[Override],
    path: &DottedPath,
    value: &Value,
    replicas: u32,
) -> Result<Plan, CommandError> {
    let mut changes = changes.to_vec();
    changes.push(set(path, value.clone()));
    changes.push(set(
        &DottedPath::from("replicas"),
        Value::Integer(replicas.into()),
    ));
    Plan::new(source, &changes).map_err(|e| CommandError::Usage(e.to_string()))
}

/// The combinations of the scenario's own sweep.
fn combinations(plan: &Plan) -> Vec<Vec<(String, String)>> {
    let mut seen = BTreeSet::new();
    let all = plan.runs.iter().map(|run| run.parameters.clone());
    all.filter(|p| seen.insert(p.clone())).collect()
}

/// Where and how values are tried.
struct ValueSearch<'a> {
    source: &'a Source,
    changes: &'a [Override],
    path: &'a DottedPath,
    dir: &'a Path,
    replicas: u32,
    most_replicas: u32,
    threads: usize,
    interrupt: &'a Interrupt,
}

impl ValueSearch<'_> {
    /// Whether all expectations hold at a value, with as many replicas as needed to decide.
    fn test(&self, value: &Value, combination: &[(String, String)]) -> Result<Tried, CommandError> {
        let mut replicas = self.replicas;
        loop {
            let plan = plan_at(self.source, self.changes, self.path, value, replicas)?;
            let rows = self.rows(&plan, combination)?;
            let axes: Vec<Axis> = plan.axes.iter().map(|a| a.for_report()).collect();
            let judged = plan.expectations.iter().map(|e| e.judge(&axes, &rows));
            let judged: Vec<_> = judged.collect();
            let verdict = judged
                .iter()
                .map(|j| j.verdict)
                .max()
                .unwrap_or(Verdict::Fails);
            if verdict != Verdict::Undecided || replicas >= self.most_replicas {
                let words: Vec<&str> = judged.iter().map(|j| j.words.as_str()).collect();
                return Ok(Tried {
                    value: value.clone(),
                    replicas,
                    verdict,
                    words: format!("{} ({replicas} replicas)", words.join(" ")),
                });
            }
            replicas = (replicas * 2).min(self.most_replicas);
        }
    }

    /// Claims the directory: it is new, or holds a search that began with the same runs.
    fn claim(&self, from: &Value, force: bool) -> Result<(), CommandError> {
        let plan = plan_at(self.source, self.changes, self.path, from, self.replicas)?;
        let mut ids: BTreeSet<String> = plan.runs.iter().map(|run| run.id.clone()).collect();
        if let Ok(there) = look_at_results(self.dir)
            && !there.runs.is_disjoint(&ids)
        {
            ids.extend(there.runs);
        }
        let claimed = ResultDir::claim_for_batch(self.dir, ids, force);
        claimed.map_err(|e| CommandError::Run(format!("error: {e}")))?;
        std::fs::create_dir_all(self.dir.join("runs")).map_err(|e| {
            CommandError::Run(format!(
                "error: cannot make {}/runs: {e}",
                self.dir.display()
            ))
        })
    }

    /// The runs of a combination; missing ones are run now.
    fn rows(
        &self,
        plan: &Plan,
        combination: &[(String, String)],
    ) -> Result<Vec<BatchRow>, CommandError> {
        let runs: Vec<_> = plan
            .runs
            .iter()
            .filter(|r| r.parameters == combination)
            .collect();
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .build();
        let pool =
            pool.map_err(|e| CommandError::Run(format!("error: cannot start threads: {e}")))?;
        let lengths = runs.iter().map(|r| r.scenario.duration);
        let progress = BatchProgress::new(lengths, true);
        let making = self.making(&progress);
        let outcomes: Vec<RunOutcome> = pool.install(|| {
            let make = |spec: &&crate::run_spec::RunSpec| {
                let place = self.dir.join("runs").join(&spec.id);
                batch::make_run_of_batch(spec, &place, Execution::default(), making)
            };
            runs.par_iter().with_max_len(1).map(make).collect()
        });
        let mut rows = Vec::new();
        for (spec, outcome) in runs.iter().zip(&outcomes) {
            match outcome {
                outcome if outcome.is_stopped() => {
                    return Err(CommandError::Stopped {
                        message: "stopped: completed runs are kept; repeat the command to continue"
                            .to_owned(),
                        code: self.interrupt.exit_code(),
                    });
                }
                RunOutcome::Failed(error) => {
                    return Err(CommandError::Run(format!(
                        "error: run {}: {error}",
                        spec.id
                    )));
                }
                outcome => rows.push(batch::row(plan, spec, outcome)),
            }
        }
        Ok(rows)
    }

    /// Whether all runs in the directory are of this plan.
    fn fits(&self, plan: &Plan) -> bool {
        let ids: BTreeSet<&String> = plan.runs.iter().map(|run| &run.id).collect();
        look_at_results(self.dir).is_ok_and(|m| m.runs.iter().all(|id| ids.contains(id)))
    }

    fn making<'b>(&'b self, progress: &'b BatchProgress) -> Making<'b> {
        Making::new(progress, self.interrupt)
    }

    /// Writes the index and report of everything that was tried, as a batch that sweeps the values.
    fn report(
        &self,
        visited: &BTreeMap<String, (Value, u32)>,
        args: &FindArgs,
    ) -> Result<(), CommandError> {
        let mut values: Vec<Value> = visited.values().map(|(value, _)| value.clone()).collect();
        let base = |v: &Value| crate::quantity::quantity(v).map_or(f64::NAN, |q| q.0);
        values.sort_by(|a, b| base(a).total_cmp(&base(b)));
        let replicas = visited.values().map(|(_, n)| *n).max().unwrap_or(1);
        let mut changes = self.changes.to_vec();
        changes.push(set(
            &DottedPath::from("replicas"),
            Value::Integer(replicas.into()),
        ));
        let text = changed_text(self.source, &changes);
        let mut table: toml::Table = text.parse().unwrap_or_default();
        let sweep = table
            .entry("sweep")
            .or_insert_with(|| toml::Table::new().into());
        if let Some(sweep) = sweep.as_table_mut() {
            sweep.insert(args.vary.clone(), Value::Array(values));
        }
        let metric = args
            .expect
            .as_deref()
            .and_then(|e| e.split(['<', '>']).next());
        if let (Some(metric), false) = (metric, table.contains_key("figure")) {
            let mut figure = toml::Table::new();
            figure.insert("name".to_owned(), "search".into());
            figure.insert("x".to_owned(), args.vary.clone().into());
            figure.insert("y".to_owned(), metric.trim().into());
            table.insert(
                "figure".to_owned(),
                Value::Array(vec![Value::Table(figure)]),
            );
        }
        let text = toml::to_string(&table).unwrap_or(text);
        let source = Source {
            name: "batch.toml".to_owned(),
            text: text.clone(),
        };
        let mut plan = Plan::new(&source, &[]).map_err(|e| CommandError::Run(e.to_string()))?;
        // A value that was decided early has fewer replicas.
        let is_there = |id: &str| self.dir.join("runs").join(id).is_dir();
        plan.runs.retain(|run| is_there(&run.id));
        let progress = BatchProgress::new(std::iter::empty(), true);
        let options = Options {
            dir: self.dir.to_path_buf(),
            execution: Execution::with_threads(self.threads),
            command: args.command(),
            text,
            keep: Keep::Everything,
        };
        let making = Making {
            force: args.force && !self.fits(&plan),
            ..self.making(&progress)
        };
        batch::make(&plan, &options, making)
            .map(|_| ())
            .map_err(|e| CommandError::Run(format!("error: {e}")))
    }
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
    tried: &[Tried],
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
