//! A batch divided among processes: shard `i` of `n` executes every `n`-th run, longest first, so that all
//! shards take about equally long.
//!
//! The number of a shard comes from the scheduler that started its process.

use std::fmt;
use std::str::FromStr;

use crate::estimate::CostEstimate;
use crate::run_spec::RunSpec;

/// Maximum number of shards.
const MOST: u32 = 100_000;

/// The part of a batch that a process executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Its number, from 1.
    number: u32,
    /// Number of shards.
    of: u32,
}

/// A shard as given on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardChoice {
    /// This one.
    Given(Shard),
    /// The shard that the scheduler names, of this many; if `None`, the scheduler also gives their number.
    Auto(Option<u32>),
}

/// Why a shard is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// It is not written as a shard.
    #[error("{0:?} does not name a shard; write 3/8 for the third of eight, auto, or auto/8")]
    Unreadable(String),
    /// The number is out of range.
    #[error("there is no shard {0} of {1}: they are numbered from 1 to {1}")]
    OutOfRange(u64, u32),
    /// No scheduler has started this process.
    #[error(
        "no scheduler says which shard this is: none of SLURM_ARRAY_TASK_ID, HQ_TASK_ID, \
         JOB_COMPLETION_INDEX, PBS_ARRAY_INDEX, PBS_ARRAYID, SGE_TASK_ID and PARALLEL_SEQ is set; \
         write --shard 3/8"
    )]
    NoScheduler,
    /// The scheduler does not say how many shards there are.
    #[error("{0} does not say how many shards there are; write --shard auto/8")]
    HowMany(&'static str),
    /// The scheduler's variable is not a number.
    #[error("{0} = {1:?} is not a number")]
    NoNumber(&'static str, String),
}

impl Shard {
    /// Shard `number` of `of`, from 1.
    ///
    /// # Errors
    /// When there is no such shard.
    pub fn new(number: u64, of: u32) -> Result<Shard, ShardError> {
        match u32::try_from(number) {
            Ok(n) if (1..=of).contains(&n) && of <= MOST => Ok(Shard { number: n, of }),
            _ => Err(ShardError::OutOfRange(number, of)),
        }
    }

    /// All shards of a batch with this many.
    pub fn all(of: u32) -> impl Iterator<Item = Shard> {
        (1..=of.min(MOST)).map(move |number| Shard { number, of })
    }

    /// Its number, from 1.
    pub fn number(self) -> u32 {
        self.number
    }

    /// Its name in files: `shard-0003-of-0008`.
    pub(super) fn name(self) -> String {
        format!("shard-{:04}-of-{:04}", self.number, self.of)
    }

    /// Returns for each run of a plan whether it belongs to this shard.
    ///
    /// Every shard of a batch computes the same order: longest first by the estimate, which depends only on
    /// the scenarios.
    pub fn chooses(self, runs: &[RunSpec]) -> Vec<bool> {
        let mut chosen = vec![false; runs.len()];
        let step = self.of as usize;
        for place in longest_first(runs)
            .into_iter()
            .skip(self.number as usize - 1)
            .step_by(step)
        {
            chosen[place] = true;
        }
        chosen
    }
}

/// The places of runs in the plan, longest first by the estimate; equally long runs stay in plan order.
pub(super) fn longest_first(runs: &[RunSpec]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..runs.len()).collect();
    // A run that cannot be estimated cannot be executed either, and will fail with its reason.
    if let Ok(estimates) = CostEstimate::of_all(runs) {
        let seconds: Vec<f64> = estimates.iter().map(CostEstimate::seconds).collect();
        places.sort_by(|&a, &b| seconds[b].total_cmp(&seconds[a]));
    }
    places
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for ShardChoice {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<ShardChoice, ShardError> {
        let unreadable = || ShardError::Unreadable(text.to_owned());
        if text == "auto" {
            return Ok(ShardChoice::Auto(None));
        }
        let (number, of) = text.split_once('/').ok_or_else(unreadable)?;
        let of: u32 = of.parse().map_err(|_| unreadable())?;
        if of == 0 || of > MOST {
            return Err(unreadable());
        }
        match number {
            "auto" => Ok(ShardChoice::Auto(Some(of))),
            number => {
                let number = number.parse().map_err(|_| unreadable())?;
                Shard::new(number, of).map(ShardChoice::Given)
            }
        }
    }
}

/// A scheduler: the variable with the number of the task, and how the tasks are numbered.
struct TaskNumbering {
    id: &'static str,
    /// Number of the first task.
    from: u64,
    /// Variables with the first task, the last, and the step, if it sets them.
    range: Option<[&'static str; 3]>,
}

/// The schedulers, in the order in which they are tried: one may have been started by another.
const SCHEDULERS: [TaskNumbering; 7] = [
    scheduler("HQ_TASK_ID", 1),
    scheduler("JOB_COMPLETION_INDEX", 0),
    TaskNumbering {
        range: Some([
            "SLURM_ARRAY_TASK_MIN",
            "SLURM_ARRAY_TASK_MAX",
            "SLURM_ARRAY_TASK_STEP",
        ]),
        ..scheduler("SLURM_ARRAY_TASK_ID", 1)
    },
    scheduler("PBS_ARRAY_INDEX", 1),
    scheduler("PBS_ARRAYID", 1),
    TaskNumbering {
        range: Some(["SGE_TASK_FIRST", "SGE_TASK_LAST", "SGE_TASK_STEPSIZE"]),
        ..scheduler("SGE_TASK_ID", 1)
    },
    scheduler("PARALLEL_SEQ", 1),
];

const fn scheduler(id: &'static str, from: u64) -> TaskNumbering {
    TaskNumbering {
        id,
        from,
        range: None,
    }
}

impl ShardChoice {
    /// Returns the shard, using the environment variables of the scheduler.
    ///
    /// With `auto/N` tasks are numbered from 1, as in jobs by `synfin submit`, and from 0 by Kubernetes. With
    /// `auto` the scheduler must set the range of tasks: Slurm and SGE do.
    ///
    /// # Errors
    /// When the environment does not determine the shard.
    pub fn resolve(self, var: impl Fn(&str) -> Option<String>) -> Result<Shard, ShardError> {
        let of = match self {
            ShardChoice::Given(shard) => return Ok(shard),
            ShardChoice::Auto(of) => of,
        };
        // SGE sets its variable to "undefined" in jobs that are not arrays.
        let is_set = |name: &str| var(name).filter(|v| !v.is_empty() && v != "undefined");
        let number = |name: &'static str| -> Result<Option<u64>, ShardError> {
            let text = is_set(name);
            let parsed = text.map(|t| t.parse().map_err(|_| ShardError::NoNumber(name, t)));
            parsed.transpose()
        };
        let here = SCHEDULERS.iter().find(|s| is_set(s.id).is_some());
        let scheduler = here.ok_or(ShardError::NoScheduler)?;
        let id = number(scheduler.id)?.unwrap_or_default();
        if let Some(of) = of {
            return Shard::new((id + 1).saturating_sub(scheduler.from), of);
        }
        let unknown = ShardError::HowMany(scheduler.id);
        let Some([first, last, step]) = scheduler.range else {
            return Err(unknown);
        };
        let step = number(step)?.unwrap_or(1).max(1);
        let (Some(first), Some(last)) = (number(first)?, number(last)?) else {
            return Err(unknown);
        };
        let of = u32::try_from(last.saturating_sub(first) / step + 1).unwrap_or(u32::MAX);
        Shard::new((id + step).saturating_sub(first) / step, of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::SourceText;
    use crate::sweep::Plan;

    fn resolved(choice: &str, set: &[(&str, &str)]) -> Result<String, ShardError> {
        let var = |name: &str| {
            let found = set.iter().find(|(n, _)| *n == name);
            found.map(|(_, v)| (*v).to_owned())
        };
        let choice: ShardChoice = choice.parse()?;
        choice.resolve(var).map(|shard| shard.to_string())
    }

    #[test]
    fn the_scheduler_says_which_shard_this_is() {
        let slurm = |id| {
            [
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_MIN", "0"),
                ("SLURM_ARRAY_TASK_MAX", "6"),
                ("SLURM_ARRAY_TASK_STEP", "2"),
            ]
        };
        assert_eq!(resolved("auto", &slurm("0")).unwrap(), "1/4");
        assert_eq!(resolved("auto", &slurm("6")).unwrap(), "4/4");
        for (name, id) in [
            ("SLURM_ARRAY_TASK_ID", "3"),
            ("HQ_TASK_ID", "3"),
            ("JOB_COMPLETION_INDEX", "2"),
            ("PBS_ARRAY_INDEX", "3"),
            ("PBS_ARRAYID", "3"),
            ("SGE_TASK_ID", "3"),
            ("PARALLEL_SEQ", "3"),
        ] {
            assert_eq!(resolved("auto/8", &[(name, id)]).unwrap(), "3/8", "{name}");
        }
        let sge = [
            ("SGE_TASK_ID", "5"),
            ("SGE_TASK_FIRST", "1"),
            ("SGE_TASK_LAST", "9"),
            ("SGE_TASK_STEPSIZE", "1"),
        ];
        assert_eq!(resolved("auto", &sge).unwrap(), "5/9");
        assert_eq!(resolved("2/3", &sge).unwrap(), "2/3");
    }

    #[test]
    fn what_is_no_shard_is_refused_with_the_reason() {
        for text in [
            "",
            "3",
            "0/3",
            "4/3",
            "x/3",
            "auto/0",
            "1/0",
            "-1/3",
            "auto/x",
            "1/999999999",
        ] {
            assert!(text.parse::<ShardChoice>().is_err(), "{text}");
        }
        let none = resolved("auto", &[("SGE_TASK_ID", "undefined")]);
        assert_eq!(none, Err(ShardError::NoScheduler));
        let hq = resolved("auto", &[("HQ_TASK_ID", "3")]);
        assert_eq!(hq, Err(ShardError::HowMany("HQ_TASK_ID")));
        let beyond = resolved("auto/8", &[("HQ_TASK_ID", "9")]);
        assert_eq!(beyond, Err(ShardError::OutOfRange(9, 8)));
        let word = resolved("auto/8", &[("HQ_TASK_ID", "x")]);
        assert!(matches!(word, Err(ShardError::NoNumber(..))));
    }

    #[test]
    fn every_run_is_in_one_shard_and_the_longest_are_spread() {
        let text = "name = \"x\"\nduration = \"1 s\"\n[topology]\nkind = \"pair\"\n\
                    path = { delay = \"5 ms\" }\n[[workload]]\n\
                    arrivals = { kind = \"fixed\", rate = \"10 /s\" }\n[sweep]\n\
                    \"workload.0.arrivals.rate\" = [\"10 /s\", \"1000 /s\", \"100 /s\", \"2000 /s\"]\n";
        let source = SourceText {
            name: "x".into(),
            text: text.into(),
        };
        let runs = Plan::new(&source, &[]).unwrap().runs;
        assert_eq!(longest_first(&runs), [3, 1, 2, 0]);
        let chosen: Vec<Vec<bool>> = Shard::all(3).map(|s| s.chooses(&runs)).collect();
        for place in 0..runs.len() {
            assert_eq!(chosen.iter().filter(|c| c[place]).count(), 1);
        }
        assert!(chosen[0][3] && chosen[1][1] && chosen[2][2] && chosen[0][0]);
    }
}
