//! The optional features of a link: impairments, changes at known times, a varying rate.

use std::collections::VecDeque;

use super::Fate;
use crate::event::LinkId;
use crate::impairments::{
    AnyDelay, AnyLoss, AnyRate, DelayModel as _, Impairments, LossModel as _, RateProcess as _,
};
use crate::loss_cause::LossCause;
use crate::network::{LinkChange, LinkSpec};
use crate::rng::Rng;
use crate::time::{SimDuration, SimTime};
use crate::units::Rate;

/// State that few links need.
#[derive(Debug)]
pub(super) struct Impaired {
    impairments: Impairments,
    loss: AnyLoss,
    extra_delay: AnyDelay,
    has_extra_delay: bool,
    disorders: bool,
    rate: Option<AnyRate>,
    changes: VecDeque<LinkChange>,
    pub(super) up: bool,
    last_arrival: SimTime,
    pub(super) random_losses: u64,
    rng: Rng,
}

impl Impaired {
    pub(super) fn new(link: LinkId, spec: &LinkSpec, seed: u64) -> Impaired {
        let impairments = &spec.impairments;
        Impaired {
            loss: impairments.loss.build(),
            extra_delay: impairments.extra_delay.build(),
            has_extra_delay: impairments.extra_delay != Default::default(),
            disorders: impairments.disorders(),
            rate: spec.rate_process.as_ref().map(|plugin| plugin.build()),
            impairments: impairments.clone(),
            changes: spec.changes.iter().copied().collect(),
            up: true,
            last_arrival: SimTime::ZERO,
            random_losses: 0,
            rng: Rng::stream(seed, "link", link.0.into()),
        }
    }

    /// Takes the next change that is due at `now`, and applies it to the state kept here.
    pub(super) fn next_change(&mut self, now: SimTime) -> Option<LinkChange> {
        let change = self.changes.pop_front_if(|c| c.at <= now)?;
        if let Some(p) = change.loss {
            self.loss = AnyLoss::Random(p);
        }
        self.up = change.up.unwrap_or(self.up);
        Some(change)
    }

    /// The end of a transmission that begins at `start`, if it does not simply follow from the
    /// current rate.
    pub(super) fn end_of_transmission(
        &mut self,
        rate: Option<Rate>,
        size: u32,
        start: SimTime,
    ) -> Option<SimTime> {
        if let Some(process) = &mut self.rate {
            let end = process.end_of_transmission(start, size, rate, &mut self.rng);
            return Some(end.max(start));
        }
        let varies = self.changes.iter().any(|c| c.rate.is_some());
        varies.then(|| self.end_across_changes(rate, size, start))
    }

    /// The same while the rate changes at known times.
    fn end_across_changes(&self, rate: Option<Rate>, size: u32, start: SimTime) -> SimTime {
        const PS_BITS: u128 = 1_000_000_000_000;
        let (mut at, mut rate) = (start, rate);
        let mut left = u128::from(size) * 8 * PS_BITS; // bit-picoseconds per second
        for change in self.changes.iter().filter(|c| c.rate.is_some()) {
            let Some(current) = rate else { return at };
            if change.at > at {
                let sent = u128::from(current.as_bps()) * u128::from(change.at.since(at).as_ps());
                if sent >= left {
                    break;
                }
                left -= sent;
                at = change.at;
            }
            rate = change.rate;
        }
        let Some(current) = rate else { return at };
        let ps = left.div_ceil(u128::from(current.as_bps()));
        at + SimDuration::from_ps(u64::try_from(ps).unwrap_or(u64::MAX))
    }

    /// Returns true if the `count`-th packet offered must be dropped.
    pub(super) fn drops(&self, count: u64) -> bool {
        self.impairments.drop.binary_search(&count).is_ok()
    }

    /// Returns true if a filter must inspect each packet.
    pub(super) fn inspects(&self) -> bool {
        !self.impairments.drop_named.is_empty()
    }

    /// Applies delay, loss, corruption, duplication and reordering to a packet that leaves at
    /// `departs`.
    pub(super) fn apply(&mut self, departs: SimTime, delay: SimDuration) -> Fate {
        let mut at = departs + self.delay_at(departs, delay);
        let im = &self.impairments;
        if self.loss.is_lost(departs, &mut self.rng) {
            self.random_losses += 1;
            return Fate::Lost(LossCause::Random);
        }
        let corrupt = self.rng.chance(im.corrupt);
        let duplicate = self.rng.chance(im.duplicate);
        if self.disorders && self.rng.chance(im.reorder) {
            at += im.reorder_delay;
        }
        if self.disorders || self.has_extra_delay {
            at += self.extra_delay.extra(departs, &mut self.rng);
        }
        if !im.processing.is_zero() {
            let most = im.processing.as_ps().saturating_add(1);
            at += SimDuration::from_ps(self.rng.below(most));
        }
        if !self.disorders {
            at = at.max(self.last_arrival);
            self.last_arrival = at;
        }
        Fate::Arrives {
            at,
            corrupt,
            duplicate,
        }
    }

    fn delay_at(&self, departs: SimTime, delay: SimDuration) -> SimDuration {
        let later = self
            .changes
            .iter()
            .take_while(|c| c.at <= departs)
            .filter_map(|c| c.delay);
        later.last().unwrap_or(delay)
    }
}
