//! A link, checked, with its two directions.

use sim_core::impairments::{AnyRate, DelaySpec, LossSpec};
use sim_core::plugin::{ModelParameter, Plugin, ValueKind};
use sim_core::queue_disc::QueueSpec;

use super::models::{self, plugin};
use super::{
    DottedPath, Impairments, LinkChange, LinkFile, LinkModels, LinkSpec, NodeId, Problem,
    QueueLimit, Rate, SimDuration, SimTime,
};
use crate::file::topology::ChangeFile;
use crate::file::values::{Dropped, LinkRate, ModelFile, OrModel, QueueSize};

/// A link between two nodes, or between the members of groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Names of the ends.
    pub between: [String; 2],
    /// From the first end to the second.
    pub there: Direction,
    /// From the second end to the first.
    pub back: Direction,
}

/// One direction of a link.
#[derive(Clone, Debug, PartialEq)]
pub struct Direction {
    /// Bit rate; `None` for no serialisation time.
    pub rate: Option<Rate>,
    /// Propagation delay.
    pub delay: SimDuration,
    /// Queue limit or discipline.
    pub queue: QueueSpec,
    /// The random process of the rate; `None` if the rate is constant.
    pub rate_process: Option<Plugin<AnyRate>>,
    /// Loss, bit errors, duplication, reordering.
    pub impairments: Impairments,
    /// Changes during the run.
    pub changes: Vec<LinkChange>,
}

impl Link {
    /// Checks a link as written.
    ///
    /// # Errors
    /// When ends or delay are missing, or a value is out of range.
    pub fn new(file: &LinkFile, models: &LinkModels, at: &DottedPath) -> Result<Link, Problem> {
        let Some(between) = file.between.clone() else {
            return Err(
                Problem::new(at.clone(), format!("`between` is missing in {at}"))
                    .help("add between = [\"client\", \"server\"] with the names of the two ends"),
            );
        };
        let there = direction(file, models, at)?;
        let back = match &file.reverse {
            None => direction(
                &LinkFile {
                    drop: Some(named(&file.drop)),
                    ..file.clone()
                },
                models,
                at,
            )?,
            Some(differs) => {
                let at = at.key("reverse");
                if differs.between.is_some() || differs.reverse.is_some() {
                    return Err(Problem::new(
                        at,
                        "`reverse` takes neither `between` nor another `reverse`",
                    )
                    .help("it takes rate, delay, queue, loss and the like"));
                }
                direction(&merged(file, differs), models, &at)?
            }
        };
        Ok(Link {
            between,
            there,
            back,
        })
    }

    /// Converts back to a file with every value written out.
    pub fn to_file(&self) -> LinkFile {
        LinkFile {
            between: Some(self.between.clone()),
            reverse: Some(Box::new(self.back.to_file())),
            ..self.there.to_file()
        }
    }
}

fn merged(link: &LinkFile, differs: &LinkFile) -> LinkFile {
    LinkFile {
        between: None,
        reverse: None,
        rate: differs.rate.or(link.rate),
        delay: differs.delay.or(link.delay),
        rate_process: or(&differs.rate_process, &link.rate_process),
        queue: or(&differs.queue, &link.queue),
        loss: or(&differs.loss, &link.loss),
        drop: Some(
            differs
                .drop
                .iter()
                .flatten()
                .cloned()
                .chain(named(&link.drop))
                .collect(),
        ),
        corrupt: differs.corrupt.or(link.corrupt),
        duplicate: differs.duplicate.or(link.duplicate),
        reorder: differs.reorder.or(link.reorder),
        reorder_delay: differs.reorder_delay.or(link.reorder_delay),
        jitter: or(&differs.jitter, &link.jitter),
        changes: differs.changes.clone().or_else(|| link.changes.clone()),
    }
}

/// The packets to drop that are given by sender and kind, not by their number on the link.
fn named(drop: &Option<Vec<Dropped>>) -> Vec<Dropped> {
    let all = drop.iter().flatten();
    all.filter(|d| matches!(d, Dropped::Named(_)))
        .cloned()
        .collect()
}

fn or<T: Clone>(first: &Option<T>, second: &Option<T>) -> Option<T> {
    first.as_ref().or(second.as_ref()).cloned()
}

fn direction(file: &LinkFile, models: &LinkModels, at: &DottedPath) -> Result<Direction, Problem> {
    let delay = match file.delay {
        Some(delay) if !delay.is_zero() => delay,
        Some(_) => {
            return Err(
                Problem::new(at.key("delay"), "a link needs a delay greater than zero")
                    .help("write for example \"10 us\" for hosts in one rack"),
            );
        }
        None => {
            return Err(
                Problem::new(at.clone(), format!("`delay` is missing in {at}"))
                    .help("add delay = \"10 ms\", the propagation delay one way"),
            );
        }
    };
    let (drop, drop_named) = dropped(file);
    if drop.first() == Some(&0) || !drop.is_sorted_by(|a, b| a < b) {
        return Err(Problem::new(
            at.key("drop"),
            "`drop` lists packets by number, counted from 1 and rising",
        )
        .help("write for example drop = [1, 4]"));
    }
    let probability = |key: &str, value: Option<f64>| match value.unwrap_or(0.0) {
        p if (0.0..=1.0).contains(&p) => Ok(p),
        p => Err(Problem::new(
            at.key(key),
            format!("`{key}` = {p} must lie between 0 and 1"),
        )
        .help("write a number from 0 to 1: one percent is 0.01")),
    };
    let impairments = Impairments {
        loss: loss(file, models, at)?,
        drop,
        drop_named,
        corrupt: probability("corrupt", file.corrupt)?,
        duplicate: probability("duplicate", file.duplicate)?,
        reorder: probability("reorder", file.reorder)?,
        reorder_delay: file.reorder_delay.unwrap_or_default(),
        extra_delay: extra_delay(file, models, at)?,
        processing: SimDuration::ZERO, // of hosts: see `Topology::network`
    };
    if impairments.reorder > 0.0 && impairments.reorder_delay.is_zero() {
        return Err(Problem::new(
            at.key("reorder"),
            "`reorder` needs `reorder_delay`: how long a packet is held back",
        )
        .help("add reorder_delay = \"5 ms\""));
    }
    Ok(Direction {
        rate: file.rate.and_then(|r| r.0),
        delay,
        queue: queue(file, models, at)?,
        rate_process: match &file.rate_process {
            Some(OrModel::Model(model)) => {
                Some(plugin(model, &models.rates, &[], &at.key("rate_process"))?)
            }
            _ => None,
        },
        impairments,
        changes: changes(
            file.changes.as_deref().unwrap_or_default(),
            &at.key("changes"),
        )?,
    })
}

/// The packets to drop: their numbers on the link, and the other rules as text, each once.
fn dropped(file: &LinkFile) -> (Vec<u64>, Vec<String>) {
    let (mut numbers, mut names) = (Vec::new(), Vec::new());
    for one in file.drop.iter().flatten() {
        match one {
            Dropped::Number(n) => numbers.push(*n),
            Dropped::Named(rule) => {
                let text = rule.to_string();
                if !names.contains(&text) {
                    names.push(text);
                }
            }
        }
    }
    (numbers, names)
}

/// The only parameter of a drop-tail queue, if that is written as a table.
const DROP_TAIL: &[ModelParameter] = &[ModelParameter {
    name: "limit",
    kind: ValueKind::Limit,
    default: Some("unlimited"),
    doc: "most bytes or packets in the queue, including the packet in service",
}];

fn queue(file: &LinkFile, models: &LinkModels, at: &DottedPath) -> Result<QueueSpec, Problem> {
    let at = at.key("queue");
    match &file.queue {
        None => Ok(QueueLimit::Unlimited.into()),
        Some(OrModel::Plain(limit)) => Ok(limit.0.into()),
        Some(OrModel::Model(model)) if model.kind == "drop-tail" => drop_tail(model, &at),
        Some(OrModel::Model(model)) => {
            plugin(model, &models.queues, &["drop-tail"], &at).map(QueueSpec::Managed)
        }
    }
}

fn drop_tail(model: &ModelFile, at: &DottedPath) -> Result<QueueSpec, Problem> {
    models::known_keys(&model.parameters, DROP_TAIL.iter().map(|p| p.name), at)?;
    let at = at.key("limit");
    match model.parameters.get("limit") {
        None => Ok(QueueLimit::Unlimited.into()),
        Some(toml::Value::String(text)) => match text.parse::<QueueLimit>() {
            Ok(limit) => Ok(limit.into()),
            Err(problem) => Err(Problem::new(at.clone(), format!("{at}: {problem}"))),
        },
        Some(other) => Err(
            Problem::new(at.clone(), format!("{at} is a {}", other.type_str()))
                .help("write a quoted limit such as \"100 packets\""),
        ),
    }
}

fn loss(file: &LinkFile, models: &LinkModels, at: &DottedPath) -> Result<LossSpec, Problem> {
    let at = at.key("loss");
    match &file.loss {
        None => Ok(LossSpec::default()),
        Some(OrModel::Plain(p)) if (0.0..=1.0).contains(p) => Ok((*p).into()),
        Some(OrModel::Plain(p)) => Err(Problem::new(
            at,
            format!("`loss` = {p} must lie between 0 and 1"),
        )
        .help("write a number from 0 to 1: one percent is 0.01")),
        Some(OrModel::Model(model)) => plugin(model, &models.losses, &[], &at).map(LossSpec::Model),
    }
}

fn extra_delay(
    file: &LinkFile,
    models: &LinkModels,
    at: &DottedPath,
) -> Result<DelaySpec, Problem> {
    match &file.jitter {
        None => Ok(DelaySpec::default()),
        Some(OrModel::Plain(most)) => Ok((*most).into()),
        Some(OrModel::Model(model)) => {
            plugin(model, &models.delays, &[], &at.key("jitter")).map(DelaySpec::Model)
        }
    }
}

fn changes(list: &[ChangeFile], at: &DottedPath) -> Result<Vec<LinkChange>, Problem> {
    for (i, change) in list.iter().enumerate() {
        let at = at.index(i);
        if i > 0 && list[i - 1].at > change.at {
            return Err(Problem::new(
                at.key("at"),
                "the changes of a link must be in order of time",
            ));
        }
        if change.delay.is_some_and(SimDuration::is_zero) {
            return Err(Problem::new(
                at.key("delay"),
                "a link needs a delay greater than zero",
            ));
        }
        if change.loss.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
            return Err(Problem::new(
                at.key("loss"),
                "`loss` must be a probability from 0 to 1",
            ));
        }
    }
    Ok(list
        .iter()
        .map(|c| LinkChange {
            at: SimTime::ZERO + c.at,
            rate: c.rate,
            delay: c.delay,
            loss: c.loss,
            up: c.up,
        })
        .collect())
}

impl Direction {
    /// The engine's description of a direction.
    pub fn spec(&self, from: NodeId, to: NodeId) -> LinkSpec {
        LinkSpec {
            from,
            to,
            rate: self.rate,
            delay: self.delay,
            queue: self.queue.clone(),
            rate_process: self.rate_process.clone(),
            impairments: self.impairments.clone(),
            changes: self.changes.clone(),
        }
    }

    fn to_file(&self) -> LinkFile {
        let change = |c: &LinkChange| ChangeFile {
            at: c.at.since(SimTime::ZERO),
            rate: c.rate,
            delay: c.delay,
            loss: c.loss,
            up: c.up,
        };
        let im = &self.impairments;
        LinkFile {
            between: None,
            rate: Some(LinkRate(self.rate)),
            delay: Some(self.delay),
            rate_process: self
                .rate_process
                .as_ref()
                .map(|process| OrModel::Model(models::to_file(process))),
            queue: Some(match &self.queue {
                QueueSpec::DropTail(limit) => OrModel::Plain(QueueSize(*limit)),
                QueueSpec::Managed(plugin) => OrModel::Model(models::to_file(plugin)),
            }),
            loss: Some(match &im.loss {
                LossSpec::Random(p) => OrModel::Plain(*p),
                LossSpec::Model(plugin) => OrModel::Model(models::to_file(plugin)),
            }),
            drop: Some(
                im.drop
                    .iter()
                    .map(|n| Dropped::Number(*n))
                    .chain(
                        im.drop_named
                            .iter()
                            .filter_map(|text| Some(Dropped::Named(text.parse().ok()?))),
                    )
                    .collect(),
            ),
            corrupt: Some(im.corrupt),
            duplicate: Some(im.duplicate),
            reorder: Some(im.reorder),
            reorder_delay: Some(im.reorder_delay),
            jitter: Some(match &im.extra_delay {
                DelaySpec::Uniform(most) => OrModel::Plain(*most),
                DelaySpec::Model(plugin) => OrModel::Model(models::to_file(plugin)),
            }),
            changes: Some(self.changes.iter().map(change).collect()),
            reverse: None,
        }
    }
}
