//! The connections that follow a timetable.

use std::collections::VecDeque;
use std::sync::Arc;

use sim_core::link::LinkStats;
use sim_core::{NodeId, SimDuration, SimTime};

use super::counters::add_link;
use super::host_state::HostState;
use super::life::Life;
use super::output::Output;
use super::template::{Course, Ends, Moment, Step, StepKind, Template, When};
use crate::sample::Side;
use crate::segment::ConnId;
use crate::timer_granularity::TimerGranularity;

/// The connections of a pair that follow one timetable, in the order in which they were opened.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) pair: usize,
    pub(super) course: Course,
    template: Arc<Template>,
    ends: Ends,
    /// By moment, how many connections came to it from the one before.
    reached: Vec<u64>,
    /// How many connections have taken each step.
    taken: Vec<u64>,
    /// By step, the number of the connection that takes it next.
    cursors: Vec<u64>,
    /// By step, when that connection takes it; `MAX` if it has yet to take the step before.
    due: Vec<SimTime>,
    /// The first of these, and its step.
    next: (SimTime, usize),
    lives: VecDeque<Life>,
    /// The number of the first of `lives`.
    first: u64,
    /// How many connections have left for another timetable when their SYN arrived.
    left: u64,
    /// The moment at which its connections come in.
    entered: usize,
    /// Its connections all end.
    all_end: bool,
    /// Some of its connections pass steps without an event.
    some_skip: bool,
}

impl Track {
    pub(super) fn new(pair: usize, template: Arc<Template>, ends: Ends) -> Track {
        let (steps, moments) = (template.steps.len(), template.moments.len());
        let last = template.moments.last();
        Track {
            pair,
            course: template.course,
            taken: vec![0; steps],
            reached: vec![0; moments],
            all_end: last.is_some_and(|last| last.if_cut_off.is_empty()),
            cursors: vec![0; steps],
            due: vec![SimTime::MAX; steps],
            next: (SimTime::MAX, 0),
            lives: VecDeque::new(),
            first: 0,
            left: 0,
            entered: 0,
            some_skip: false,
            template,
            ends,
        }
    }

    pub(super) fn template(&self) -> &Arc<Template> {
        &self.template
    }

    pub(super) fn ends(&self) -> &Ends {
        &self.ends
    }

    fn steps(&self) -> &[Step] {
        &self.template.steps
    }

    fn moments(&self) -> &[Moment] {
        &self.template.moments
    }

    pub(super) fn cursor(&self, step: usize) -> u64 {
        self.cursors[step]
    }

    /// The number that the next connection gets.
    pub(super) fn next_number(&self) -> u64 {
        self.first + self.lives.len() as u64
    }

    pub(super) fn life(&self, number: u64) -> Option<Life> {
        self.life_ref(number).copied()
    }

    #[inline]
    fn life_ref(&self, number: u64) -> Option<&Life> {
        self.lives.get(number.wrapping_sub(self.first) as usize)
    }

    pub(super) fn set(&mut self, number: u64, flags: u8) {
        let place = number.wrapping_sub(self.first) as usize;
        if let Some(life) = self.lives.get_mut(place) {
            life.flags |= flags;
        }
    }

    /// The connection that takes a step next, unless the step no longer concerns it.
    pub(super) fn living(&self, step: usize) -> Option<Life> {
        let life = self.life(self.cursors[step])?;
        self.concerns(step, life).then_some(life)
    }

    fn concerns(&self, step: usize, life: Life) -> bool {
        let over = match self.template.steps[step].kind {
            StepKind::TimeWaitEnds(side) => Life::NO_TIME_WAIT[side as usize],
            StepKind::Ripens => Life::NO_TIME_WAIT[Side::Active as usize],
            StepKind::Usual | StepKind::SynArrives => 0,
        };
        usize::from(life.from) <= step && !life.has(Life::GONE | over)
    }

    pub(super) fn is_syn_arrival(&self, step: usize) -> bool {
        self.template.steps[step].kind == StepKind::SynArrives
    }

    /// Connections come in from another timetable `after` their start, all the same. Returns their first step here.
    pub(super) fn enter(&mut self, after: SimDuration) -> u8 {
        self.entered = self
            .template
            .moments
            .partition_point(|m| m.at < after)
            .max(1)
            - 1;
        let before = |step: &&Step| match step.when {
            When::After(at) => at < after,
            When::TimeWaitSince(..) => false,
        };
        self.template.steps.iter().take_while(before).count() as u8
    }

    #[inline]
    fn due(&self, step: usize, life: &Life) -> SimTime {
        match self.template.steps[step].when {
            When::After(after) => life.start + after,
            When::TimeWaitSince(since, stay, timers) => expiry(life.start + since, stay, timers),
        }
    }

    /// The node of one end, and the identity of the connection simulated beforehand.
    pub(super) fn end(&self, side: Side) -> (NodeId, ConnId) {
        (self.ends.nodes[side as usize], self.ends.conn)
    }

    /// Whether this end enters TIME-WAIT.
    pub(super) fn has_time_wait(&self, side: Side) -> bool {
        self.template.time_wait[side as usize].is_some()
    }

    /// When the next step is taken, and which it is.
    pub(super) fn next(&self) -> (SimTime, usize) {
        self.next
    }

    /// Without branches: which step is next is hard to predict.
    fn find_next(&mut self) {
        let mut first = (SimTime::MAX, 0);
        for (step, &at) in self.due.iter().enumerate() {
            let is_earlier = at < first.0;
            first = select(is_earlier, (at, step), first);
        }
        self.next = first;
    }

    /// Adds a connection.
    pub(super) fn push(&mut self, life: Life) {
        let number = self.next_number();
        self.lives.push_back(life);
        let from = usize::from(life.from);
        self.some_skip |= from > 0;
        for step in 0..from.min(self.template.steps.len()) {
            if self.cursors[step] == number {
                self.cursors[step] += 1;
            }
        }
        if from < self.template.steps.len() && self.cursors[from] == number {
            let at = self.due(from, &life);
            self.due[from] = at;
            if (at, from) < self.next {
                self.next = (at, from);
            }
        }
    }

    /// A connection leaves for another timetable when its SYN arrives: it is the one that takes this step next.
    pub(super) fn leave(&mut self, step: usize, life: Life) {
        self.set(self.cursors[step], Life::GONE);
        self.some_skip = true;
        self.left += 1;
        let counted = self.counted(step, usize::from(life.from));
        for moment in counted + 1..self.template.steps[step].moment {
            self.reached[moment] += 1;
        }
        // Later steps do not wait for it.
        let number = self.cursors[step];
        for cursor in &mut self.cursors[step + 1..] {
            *cursor += u64::from(*cursor == number);
        }
    }

    /// The moment that a connection has come to before a step, if it came in at `from`.
    fn counted(&self, step: usize, from: usize) -> usize {
        match step.checked_sub(1) {
            Some(last) if step > from => self.template.steps[last].moment,
            _ => self.entered,
        }
    }

    /// Notes that a connection has taken a step.
    pub(super) fn took(&mut self, step: usize) {
        self.taken[step] += 1;
    }

    /// Moves the cursor of a step to the next connection, and plans what can be planned now.
    pub(super) fn advance(&mut self, step: usize) {
        let number = self.cursors[step];
        let mut next = number + 1;
        if self.some_skip {
            let next_number = self.next_number();
            while next < next_number && self.life(next).is_some_and(|life| self.skips(step, life)) {
                next += 1;
            }
        }
        self.cursors[step] = next;
        // The next connection takes this step if it has taken the one before.
        self.due[step] = match self.life_ref(next) {
            Some(life) if step == usize::from(life.from) || self.cursors[step - 1] > next => {
                self.due(step, life)
            }
            _ => SimTime::MAX,
        };
        // This connection takes the step after it, if that has waited for it.
        if step + 1 < self.cursors.len()
            && self.cursors[step + 1] == number
            && let Some(life) = self.life_ref(number)
        {
            self.due[step + 1] = self.due(step + 1, life);
        }
        if self.all_end {
            let passed = self.cursors.last().copied().unwrap_or(next);
            while self.first < passed && self.lives.pop_front().is_some() {
                self.first += 1;
            }
        }
        self.find_next();
    }

    /// Whether a connection passes a step without an event.
    fn skips(&self, step: usize, life: Life) -> bool {
        usize::from(life.from) > step || life.has(Life::GONE)
    }

    /// Records the connections that are open at the end of the run.
    pub(super) fn cut_off(&mut self, end: SimTime, out: &mut Output) {
        for place in 0..self.lives.len() {
            let (number, life) = (self.first + place as u64, self.lives[place]);
            if life.has(Life::GONE) {
                continue;
            }
            let from = usize::from(life.from);
            let taken = self.cursors.iter().rposition(|&cursor| cursor > number);
            let counted = self.counted(taken.map_or(0, |last| last + 1), from);
            let since = end.since(life.start);
            let now = self
                .template
                .moments
                .partition_point(|m| m.at < since)
                .max(1)
                - 1;
            // A moment at the very end is not reached; one that a step has counted is.
            let now = now.max(counted);
            for moment in counted + 1..=now {
                self.reached[moment] += 1;
            }
            let moment = &self.template.moments[now];
            for note in &moment.if_cut_off {
                let cut_off = Some(moment.cut_off());
                out.write((note.end, &note.sample), &self.ends, life, end, cut_off);
            }
        }
    }

    /// Adds what hosts and links have counted for these connections.
    pub(super) fn count(&mut self, states: &mut [HostState], links: &mut [LinkStats]) {
        let mut before = self.entered;
        for (step, &times) in self.template.steps.iter().zip(&self.taken) {
            for moment in before + 1..=step.moment {
                self.reached[moment] += times;
            }
            before = before.max(step.moment);
        }
        let (ends, moments) = (&self.ends, self.moments());
        for (pair, &times) in moments.windows(2).zip(&self.reached[1..]) {
            let [before, after] = pair else { continue };
            for (i, node) in ends.nodes.iter().enumerate() {
                let state = &mut states[node.0 as usize];
                state
                    .stats
                    .add_times(&before.hosts[i], &after.hosts[i], times);
            }
            for (i, &link) in ends.links.iter().enumerate() {
                add_link(
                    &mut links[link as usize],
                    &before.links[i],
                    &after.links[i],
                    times,
                );
            }
        }
        // The links have carried a SYN although the server did not take it.
        let arrival = self
            .steps()
            .iter()
            .find(|step| step.kind == StepKind::SynArrives);
        if let Some(step) = arrival.filter(|step| step.moment > 0) {
            let (before, after) = (&moments[step.moment - 1], &moments[step.moment]);
            for (i, &link) in ends.links[..ends.forward].iter().enumerate() {
                add_link(
                    &mut links[link as usize],
                    &before.links[i],
                    &after.links[i],
                    self.left,
                );
            }
        }
    }
}

/// One of two values, without a branch.
#[inline(always)]
fn select(is_first: bool, a: (SimTime, usize), b: (SimTime, usize)) -> (SimTime, usize) {
    let at = std::hint::select_unpredictable(is_first, a.0, b.0);
    (at, std::hint::select_unpredictable(is_first, a.1, b.1))
}

/// When TIME-WAIT ends that began at `since`.
fn expiry(since: SimTime, stay: SimDuration, timers: TimerGranularity) -> SimTime {
    timers.expiry(since, stay)
}
