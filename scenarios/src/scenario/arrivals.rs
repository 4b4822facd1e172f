//! Converts arrival processes between text and [`Arrivals`].

use sim_core::SimDuration;
use tcp_model::spec::{Arrivals, Distribution};

use crate::dotted_path::DottedPath;
use crate::file::values::{Dist, PerSecond};
use crate::file::workload::{ARRIVAL_KINDS, ArrivalsFile, StepFile};
use crate::problem::Problem;
use crate::suggest;

/// Checks an arrival process as written.
///
/// # Errors
/// When something is missing, unknown or zero, or does not belong to the kind.
pub fn read(file: &ArrivalsFile, at: &DottedPath) -> Result<Arrivals, Problem> {
    let takes: &[&str] = match file.kind.as_str() {
        "fixed" | "poisson" => &["rate"],
        "ramp" => &["from", "to", "over"],
        "steps" => &["steps"],
        "closed" => &["users", "think"],
        "burst" => &["count"],
        other => {
            return Err(Problem::new(
                at.key("kind"),
                suggest::unknown("kind of arrivals", other, ARRIVAL_KINDS),
            ));
        }
    };
    let given = [
        ("rate", file.rate.is_some()),
        ("from", file.from.is_some()),
        ("to", file.to.is_some()),
        ("over", file.over.is_some()),
        ("steps", file.steps.is_some()),
        ("users", file.users.is_some()),
        ("think", file.think.is_some()),
        ("count", file.count.is_some()),
    ];
    if let Some((key, _)) = given
        .iter()
        .find(|(key, given)| *given && !takes.contains(key))
    {
        return Err(Problem::new(
            at.key(key),
            format!(
                "`{key}` does not belong to arrivals of kind {:?}",
                file.kind
            ),
        )
        .help(format!("this kind takes {}", takes.join(", "))));
    }
    let rate = |key: &str, value: Option<PerSecond>| match needed(value, key, file, at)? {
        PerSecond(r) if r > 0.0 => Ok(r),
        _ => Err(zero(key, at)),
    };
    let count = |key: &str, value: Option<u32>| match needed(value, key, file, at)? {
        0 => Err(zero(key, at)),
        n => Ok(n),
    };
    Ok(match file.kind.as_str() {
        "fixed" => Arrivals::Fixed(rate("rate", file.rate)?),
        "poisson" => Arrivals::Poisson(rate("rate", file.rate)?),
        "ramp" => {
            let (from, to) = (
                needed(file.from, "from", file, at)?.0,
                needed(file.to, "to", file, at)?.0,
            );
            let over: SimDuration = needed(file.over, "over", file, at)?;
            if over.is_zero() {
                return Err(zero("over", at));
            }
            if from == 0.0 && to == 0.0 {
                return Err(zero("to", at));
            }
            Arrivals::Ramp { from, to, over }
        }
        "steps" => Arrivals::Steps(steps(
            &needed(file.steps.clone(), "steps", file, at)?,
            &at.key("steps"),
        )?),
        "closed" => Arrivals::Closed {
            users: count("users", file.users)?,
            think: file.think.map_or(Distribution::Constant(0.0), |d| d.0),
        },
        _ => Arrivals::Burst(count("count", file.count)?),
    })
}

fn needed<T>(
    value: Option<T>,
    key: &str,
    file: &ArrivalsFile,
    at: &DottedPath,
) -> Result<T, Problem> {
    value.ok_or_else(|| {
        let example = match key {
            "rate" | "from" | "to" => "\"450 /s\"",
            "over" => "\"60 s\"",
            "steps" => {
                "[{ at = \"0 s\", rate = \"100 /s\" }, { at = \"60 s\", rate = \"500 /s\" }]"
            }
            _ => "10",
        };
        Problem::new(
            at.clone(),
            format!("arrivals of kind {:?} need `{key}`", file.kind),
        )
        .help(format!("add {key} = {example}"))
    })
}

fn zero(key: &str, at: &DottedPath) -> Problem {
    Problem::new(at.key(key), format!("`{key}` must be greater than zero"))
        .help("to open nothing, leave the workload out")
}

fn steps(list: &[StepFile], at: &DottedPath) -> Result<Vec<(SimDuration, f64)>, Problem> {
    if list.is_empty() {
        return Err(Problem::new(at.clone(), "`steps` is empty")
            .help("add { at = \"0 s\", rate = \"100 /s\" }"));
    }
    if let Some(i) = (1..list.len()).find(|&i| list[i - 1].at >= list[i].at) {
        return Err(Problem::new(
            at.index(i).key("at"),
            "steps must be in order of time, each at its own",
        ));
    }
    if list.iter().all(|s| s.rate.0 == 0.0) {
        return Err(Problem::new(at.clone(), "all steps have the rate zero"));
    }
    Ok(list.iter().map(|s| (s.at, s.rate.0)).collect())
}

/// Converts back to a file with every value written out.
pub fn to_file(arrivals: &Arrivals) -> ArrivalsFile {
    let kind = |kind: &str| ArrivalsFile {
        kind: kind.to_owned(),
        ..ArrivalsFile::default()
    };
    match arrivals {
        Arrivals::Fixed(r) => ArrivalsFile {
            rate: Some(PerSecond(*r)),
            ..kind("fixed")
        },
        Arrivals::Poisson(r) => ArrivalsFile {
            rate: Some(PerSecond(*r)),
            ..kind("poisson")
        },
        Arrivals::Ramp { from, to, over } => ArrivalsFile {
            from: Some(PerSecond(*from)),
            to: Some(PerSecond(*to)),
            over: Some(*over),
            ..kind("ramp")
        },
        Arrivals::Steps(list) => ArrivalsFile {
            steps: Some(
                list.iter()
                    .map(|(at, r)| StepFile {
                        at: *at,
                        rate: PerSecond(*r),
                    })
                    .collect(),
            ),
            ..kind("steps")
        },
        Arrivals::Closed { users, think } => ArrivalsFile {
            users: Some(*users),
            think: Some(Dist::new(*think)),
            ..kind("closed")
        },
        Arrivals::Burst(n) => ArrivalsFile {
            count: Some(*n),
            ..kind("burst")
        },
    }
}

/// Returns the share of client `i` of `n`: rates are divided, and whole numbers are distributed. `None` if
/// the share is empty.
pub fn share(arrivals: &Arrivals, i: u32, n: u32) -> Option<Arrivals> {
    let part = |r: f64| r / f64::from(n);
    let dealt = |total: u32| total / n + u32::from(i < total % n);
    Some(match arrivals {
        Arrivals::Fixed(r) => Arrivals::Fixed(part(*r)),
        Arrivals::Poisson(r) => Arrivals::Poisson(part(*r)),
        Arrivals::Ramp { from, to, over } => Arrivals::Ramp {
            from: part(*from),
            to: part(*to),
            over: *over,
        },
        Arrivals::Steps(list) => {
            Arrivals::Steps(list.iter().map(|(at, r)| (*at, part(*r))).collect())
        }
        Arrivals::Closed { users, .. } if dealt(*users) == 0 => return None,
        Arrivals::Closed { users, think } => Arrivals::Closed {
            users: dealt(*users),
            think: *think,
        },
        Arrivals::Burst(count) if dealt(*count) == 0 => return None,
        Arrivals::Burst(count) => Arrivals::Burst(dealt(*count)),
    })
}
