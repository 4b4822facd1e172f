//! Random worlds: two hosts, a bad path, applications that write, read and close at random times; and
//! rules that must hold in every one of them, for any TCP.
//!
//! In each world
//! * nothing panics, and it comes to an end: no endless exchange, no connection that stays;
//! * every octet read was written, in the same number: all of them where both ends closed in order;
//! * SND.UNA is never beyond SND.NXT, and states follow each other as in RFC 9293 section 3.3.2;
//! * where the path does nothing but delay, no connection times out or is reset.
//!
//! A world that fails is shrunk as long as it still fails, and then described.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use sim_core::{Rng, SimDuration, SimTime};

mod play;

use super::pair::{Pair, PairPath};
use crate::host::ModelFactory;
use crate::params::TcpParams;
use play::{BrokenRule, Play};

const PORT: u16 = 80;

/// What the application of one side does.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AppPlan {
    /// Writes: milliseconds after the start, and bytes.
    pub writes: Vec<(u64, u64)>,
    /// When it closes its direction, milliseconds after the start.
    pub closes_at: u64,
}

/// A world.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// Seed of the path.
    pub seed: u64,
    /// Named set of parameters of each side: 0 linux, 1 rfc9293, 2 freebsd.
    pub profiles: [u8; 2],
    /// The path.
    pub path: PairPath,
    /// Client and server.
    pub plans: [AppPlan; 2],
}

/// A world that fails.
#[derive(Clone, Debug, PartialEq)]
pub struct WorldFailure {
    /// The smallest world that fails.
    pub world: World,
    /// The rule that it breaks.
    pub what: String,
    /// Its segments.
    pub trace: Vec<String>,
}

impl fmt::Display for WorldFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\nin {:?}", self.what, self.world)?;
        self.trace
            .iter()
            .try_for_each(|line| writeln!(f, "  {line}"))
    }
}

impl std::error::Error for WorldFailure {}

impl World {
    /// World `number` of a seed.
    pub fn random(seed: u64, number: u64) -> World {
        let mut rng = Rng::stream(seed, "worlds", number);
        let share = |rng: &mut Rng, most: u64| match rng.below(3) {
            0 => 0.0,
            _ => rng.below(most) as f64 / 100.0,
        };
        let path = PairPath {
            delay: SimDuration::from_micros(100 + rng.below(300_000)),
            loss: share(&mut rng, 25),
            duplicate: share(&mut rng, 20),
            reorder: share(&mut rng, 30),
            good_from: SimTime::ZERO + SimDuration::from_secs(1 + rng.below(60)),
            drop: Vec::new(),
        };
        let plan = |rng: &mut Rng| {
            let writes = (0..rng.below(5)).map(|_| (rng.below(5000), 1 + rng.below(60_000)));
            AppPlan {
                writes: writes.collect(),
                closes_at: rng.below(10_000),
            }
        };
        World {
            seed: rng.next_u64(),
            profiles: [rng.below(3) as u8, rng.below(3) as u8],
            path,
            plans: [plan(&mut rng), plan(&mut rng)],
        }
    }

    /// Runs the world with TCPs from `factory`, or the library's own.
    ///
    /// # Errors
    /// The broken rule, and the segments up to then.
    pub fn run(&self, factory: Option<&ModelFactory>) -> Result<(), Box<WorldFailure>> {
        let [a, b] = self.profiles.map(params);
        let mut pair = Pair::new(a, b).with_path(self.path.clone(), self.seed);
        if let Some(factory) = factory {
            pair = pair.with_model(factory.clone());
        }
        let mut play = Play::new(self, pair);
        let run = catch_unwind(AssertUnwindSafe(|| play.run()));
        let result = run.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or(panic.downcast_ref::<&str>().map(|s| (*s).to_string()));
            Err(BrokenRule(format!("a panic: {}", text.unwrap_or_default())))
        });
        result.map_err(|BrokenRule(what)| {
            Box::new(WorldFailure {
                world: self.clone(),
                what,
                trace: play.trace(),
            })
        })
    }

    /// Smaller variants of this world.
    fn smaller(&self) -> Vec<World> {
        let mut all = Vec::new();
        let mut add = |change: &dyn Fn(&mut World)| {
            let mut world = self.clone();
            change(&mut world);
            if world != *self {
                all.push(world);
            }
        };
        add(&|w| w.path.loss = 0.0);
        add(&|w| w.path.duplicate = 0.0);
        add(&|w| w.path.reorder = 0.0);
        add(&|w| w.path.delay = SimDuration::from_millis(10));
        for side in 0..2 {
            add(&|w| w.profiles[side] = 0);
            add(&|w| w.plans[side].closes_at /= 2);
            for i in 0..self.plans[side].writes.len() {
                add(&|w| {
                    w.plans[side].writes.remove(i);
                });
                add(&|w| w.plans[side].writes[i].0 /= 2);
                add(&|w| w.plans[side].writes[i].1 = w.plans[side].writes[i].1.div_ceil(2));
            }
        }
        all
    }
}

fn params(profile: u8) -> TcpParams {
    match profile {
        0 => TcpParams::linux(),
        1 => TcpParams::rfc9293(),
        _ => TcpParams::freebsd(),
    }
}

/// Runs `worlds` worlds of a seed with TCPs from `factory`, or the library's own.
///
/// ```
/// tcp_model::testing::worlds::check(20, 1, None).unwrap();
/// ```
///
/// # Errors
/// The first world that fails, shrunk as far as possible.
pub fn check(
    worlds: u64,
    seed: u64,
    factory: Option<&ModelFactory>,
) -> Result<(), Box<WorldFailure>> {
    (0..worlds).try_for_each(|number| check_one(seed, number, factory))
}

/// Checks world `number` of a seed alone.
///
/// # Errors
/// The world, shrunk as far as possible.
pub fn check_one(
    seed: u64,
    number: u64,
    factory: Option<&ModelFactory>,
) -> Result<(), Box<WorldFailure>> {
    let Err(mut failure) = World::random(seed, number).run(factory) else {
        return Ok(());
    };
    // Each round takes the first smaller world that fails, too.
    let fails = |world: World| world.run(factory).err();
    while let Some(smaller) = failure.world.smaller().into_iter().find_map(fails) {
        failure = smaller;
    }
    Err(failure)
}

#[cfg(test)]
mod tests;
