//! A depth-first search through everything that can happen, visiting each state once.

use std::fmt;

use rustc_hash::FxHashSet;

use super::case::CheckedCase;
use super::rules;
use super::world::{Checked, CheckedPair, NextStep};

/// The statistics of a search.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) states: usize,
    pub(super) transitions: usize,
    /// The longest history, in steps.
    pub(super) depth: usize,
    /// How many histories have ended.
    pub(super) ends: usize,
    /// Whether the search was complete.
    pub(super) complete: bool,
}

/// A history that breaks a rule.
#[derive(Debug)]
pub(super) struct Violation {
    pub(super) what: String,
    history: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.history {
            writeln!(f, "  {line}")?;
        }
        write!(f, "{}", self.what)
    }
}

/// The search stops after this many states, to limit its memory.
const MOST_STATES: usize = 60_000_000;

/// A fair history, in which the channel makes no more faults, must end within this many steps.
const PATIENCE: usize = 400;

struct StateSearch<'a> {
    scenario: &'a CheckedCase,
    visited: FxHashSet<u64>,
    /// States from which a fair history ends well, by digest without the budget.
    live: FxHashSet<u64>,
    seen: Seen,
}

/// Explores a scenario completely within its budget.
pub(super) fn explore<M: Checked>(scenario: &CheckedCase) -> Result<Seen, Violation> {
    let mut search = StateSearch {
        scenario,
        visited: FxHashSet::default(),
        live: FxHashSet::default(),
        seen: Seen {
            complete: true,
            ..Seen::default()
        },
    };
    let mut world = CheckedPair::<M>::new(scenario);
    let mut path = Vec::new();
    // The listener exists first; in a simultaneous open both sides connect.
    for side in [1, 0] {
        path.push(NextStep::Open(side));
        if let Err(what) = world.perform(scenario, NextStep::Open(side)) {
            return Err(violation::<M>(scenario, &path, what));
        }
    }
    search.visited.insert(world.digest(true));
    search.visit(world, &mut path)?;
    Ok(search.seen)
}

impl StateSearch<'_> {
    /// Walks the tree with an explicit stack: histories are too long for recursion.
    fn visit<M: Checked>(
        &mut self,
        start: CheckedPair<M>,
        path: &mut Vec<NextStep>,
    ) -> Result<(), Violation> {
        let mut stack = vec![self.open(start, path)?];
        while let Some((world, left)) = stack.last_mut() {
            let Some(action) = left.pop() else {
                stack.pop();
                path.pop();
                continue;
            };
            let mut next = world.clone();
            path.push(action);
            self.seen.transitions += 1;
            if let Err(what) = next.perform(self.scenario, action) {
                return Err(violation::<M>(self.scenario, path, what));
            }
            if self.seen.states >= MOST_STATES {
                self.seen.complete = false;
                return Ok(());
            }
            if self.visited.insert(next.digest(true)) {
                let opened = self.open(next, path)?;
                stack.push(opened);
            } else {
                path.pop();
            }
        }
        Ok(())
    }

    /// Visits a state that has not been seen before.
    fn open<M: Checked>(
        &mut self,
        world: CheckedPair<M>,
        path: &[NextStep],
    ) -> Result<(CheckedPair<M>, Vec<NextStep>), Violation> {
        self.seen.states += 1;
        self.seen.depth = self.seen.depth.max(path.len());
        let mut actions = Vec::new();
        world.actions(self.scenario, &mut actions);
        self.seen.ends += usize::from(actions.is_empty());
        if let Err((what, rest)) = self.play_fair(&world) {
            let mut whole = path.to_vec();
            whole.extend(rest);
            return Err(violation::<M>(self.scenario, &whole, what));
        }
        Ok((world, actions))
    }

    /// From every state, once the channel makes no more faults, both sides must reach CLOSED: no
    /// deadlock, no endless exchange.
    fn play_fair<M: Checked>(
        &mut self,
        world: &CheckedPair<M>,
    ) -> Result<(), (String, Vec<NextStep>)> {
        let mut world = world.clone();
        let (mut trail, mut taken) = (Vec::new(), Vec::new());
        loop {
            let digest = world.digest(false);
            if self.live.contains(&digest) {
                break;
            }
            trail.push(digest);
            let Some(action) = world.fair_action(self.scenario) else {
                rules::end(&world.sides, self.scenario).map_err(|what| (what, taken.clone()))?;
                break;
            };
            taken.push(action);
            world
                .perform(self.scenario, action)
                .map_err(|what| (what, taken.clone()))?;
            if taken.len() > PATIENCE {
                return Err(("no end in sight".into(), taken));
            }
        }
        self.live.extend(trail);
        Ok(())
    }
}

/// Replays a history, to print it.
fn violation<M: Checked>(scenario: &CheckedCase, path: &[NextStep], what: String) -> Violation {
    let mut world = CheckedPair::<M>::new(scenario);
    let mut history = vec![scenario.name.to_string()];
    for &action in path {
        let step = world.tell(action);
        let held = world.perform(scenario, action);
        history.push(format!("{step}: {}", world.describe()));
        if held.is_err() {
            break;
        }
    }
    Violation { what, history }
}
