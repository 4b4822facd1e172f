//! Random worlds: two hosts, a bad path, applications that write, read and close at random times; and
//! rules that must hold in every one of them, for any TCP.
//!
//! In each world
//! * nothing panics, and it comes to an end: no endless exchange, no connection that stays;
//! * every octet read was written, in the same number: all of them where both ends closed in order;
//! * SND.UNA is never beyond SND.NXT, and states follow each other as in RFC 9293 section 3.3.2;
//! * where the path does nothing but delay, no connection times out or is reset.
//!
//! A world that fails is made smaller as long as it still fails, and then described.

use std::fmt;
use std::net::SocketAddrV4;
use std::panic::{AssertUnwindSafe, catch_unwind};

use sim_core::{Rng, SimDuration, SimTime};

use super::pair::{B, Pair, PairPath};
use crate::app::AppEvent;
use crate::host::{ModelFactory, SocketId};
use crate::model::{ConnectionEnd, TcpModel};
use crate::params::TcpParams;
use crate::sample::TcpSample;
use crate::state::State;

/// Events after which a world counts as endless.
const MOST_STEPS: u64 = 200_000;
const PORT: u16 = 80;

/// What the application of one side does.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AppPlan {
    /// Milliseconds after the start, bytes: writes.
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
    /// The smallest that does.
    pub world: World,
    /// What does not hold in it.
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

    /// Runs the world with TCPs that `factory` makes, or the library's.
    ///
    /// # Errors
    /// What does not hold, and the segments up to then.
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
            Err(Broken(format!("a panic: {}", text.unwrap_or_default())))
        });
        result.map_err(|Broken(what)| {
            Box::new(WorldFailure {
                world: self.clone(),
                what,
                trace: play.trace(),
            })
        })
    }

    /// Smaller worlds that are like this one.
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

/// Runs `worlds` worlds of a seed with TCPs that `factory` makes, or the library's.
///
/// ```
/// tcp_model::testing::worlds::check(20, 1, None).unwrap();
/// ```
///
/// # Errors
/// The first world that fails, made as small as can be.
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
/// The world, made as small as can be.
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

/// What does not hold in a world, in words.
#[derive(Debug)]
struct Broken(String);

/// One side as its application sees it.
#[derive(Debug, Default)]
struct WorldSide {
    socket: Option<SocketId>,
    /// Actions to come, the next one last.
    acts: Vec<(SimTime, AppAct)>,
    /// Bytes that a write did not take.
    left: u64,
    wrote: u64,
    read: u64,
    closing: bool,
    closed: bool,
    peer_closed: bool,
    end: Option<ConnectionEnd>,
}

#[derive(Clone, Copy, Debug)]
enum AppAct {
    Write(u64),
    Close,
}

struct Play<'w> {
    world: &'w World,
    pair: Pair,
    sides: [WorldSide; 2],
}

impl<'w> Play<'w> {
    fn new(world: &'w World, pair: Pair) -> Play<'w> {
        let side = |plan: &AppPlan| {
            let at = |ms| SimTime::ZERO + SimDuration::from_millis(ms);
            let writes = plan
                .writes
                .iter()
                .map(|&(ms, n)| (at(ms), AppAct::Write(n)));
            let mut acts: Vec<_> = writes.collect();
            acts.push((at(plan.closes_at), AppAct::Close));
            acts.sort_by_key(|&(at, _)| std::cmp::Reverse(at));
            WorldSide {
                acts,
                ..WorldSide::default()
            }
        };
        let [a, b] = &world.plans;
        Play {
            world,
            pair: pair.recording(),
            sides: [side(a), side(b)],
        }
    }

    fn run(&mut self) -> Result<(), Broken> {
        let listening = self.pair.call(1, |s| s.listen(PORT, 1).is_ok());
        let server = SocketAddrV4::new(B, PORT);
        let socket = self.pair.call(0, |s| s.connect(None, server));
        self.sides[0].socket = socket.ok();
        if !listening || self.sides[0].socket.is_none() {
            return Err(Broken("a host refuses to listen or to connect".to_owned()));
        }
        for step in 0.. {
            if step > MOST_STEPS {
                return Err(Broken(format!("no end after {MOST_STEPS} events")));
            }
            self.act()?;
            if !self.next()? {
                break;
            }
        }
        self.check_end()
    }

    /// Advances to the next event, on the network or in an application; false when there is none.
    fn next(&mut self) -> Result<bool, Broken> {
        let acts = self.sides.iter().filter_map(|s| Some(s.acts.last()?.0));
        let due = acts.filter(|at| *at > self.pair.now()).min();
        match due {
            Some(at) if self.pair.next_time().is_none_or(|next| at < next) => {
                self.pair.run_until(at);
            }
            _ if self.pair.step() => {}
            _ => return Ok(false),
        }
        for host in 0..2 {
            while let Some(event) = self.pair.next_event(host) {
                self.on_event(host, event);
            }
            self.check_now(host)?;
        }
        Ok(true)
    }

    fn on_event(&mut self, host: usize, event: AppEvent) {
        let side = &mut self.sides[host];
        match event {
            AppEvent::Acceptable(port) => {
                let accepted = self.pair.call(host, |s| s.accept(port));
                // The handshake of one that was lost may be repeated: the first counts.
                side.socket = side.socket.or(accepted);
            }
            AppEvent::PeerClosed(id) if Some(id) == side.socket => side.peer_closed = true,
            AppEvent::Ended(id, end) if Some(id) == side.socket => side.end = Some(end),
            _ => {}
        }
    }

    /// Does what is due, and what the last events allow.
    fn act(&mut self) -> Result<(), Broken> {
        for host in 0..2 {
            let now = self.pair.now();
            let side = &mut self.sides[host];
            let Some(id) = side.socket else {
                continue;
            };
            // In TIME-WAIT what has arrived can still be read.
            side.read += self.pair.call(host, |s| s.read(id, u64::MAX));
            if side.end.is_some() {
                self.pair.call(host, |s| s.close(id));
                continue;
            }
            while let Some(&(at, act)) = side.acts.last()
                && at <= now
            {
                side.acts.pop();
                match act {
                    AppAct::Write(bytes) if !side.closing => side.left += bytes,
                    AppAct::Write(_) => {}
                    AppAct::Close => side.closing = true,
                }
            }
            if side.left > 0 {
                let left = side.left;
                let taken = self.pair.call(host, |s| s.write(id, left));
                side.wrote += taken;
                side.left -= taken;
            }
            let opened = self.pair.call(host, |s| s.view(id).map(|v| v.state));
            let open = !matches!(opened, Some(State::SynSent | State::SynReceived));
            if side.closing && !side.closed && side.left == 0 && open {
                side.closed = true;
                self.pair.call(host, |s| s.shutdown(id));
            }
            if side.closed && side.peer_closed {
                self.pair.call(host, |s| s.close(id));
            }
        }
        Ok(())
    }

    /// What must hold at any time.
    fn check_now(&mut self, host: usize) -> Result<(), Broken> {
        if let Some(id) = self.sides[host].socket
            && let Some(found) = self.pair.host(host).inspect(id)
        {
            let view = found.tcp.view();
            if view.snd_una.after(view.snd_nxt) {
                return Err(Broken(format!("host {host}: SND.UNA is beyond SND.NXT")));
            }
        }
        for (at, sample) in self.pair.host_mut(host).take_records() {
            if let TcpSample::State(change) = sample
                && !change.from.may_become(change.to)
            {
                let (from, to) = (change.from, change.to);
                return Err(Broken(format!("host {host} at {at}: {from} became {to}")));
            }
        }
        Ok(())
    }

    /// What must hold in the end.
    fn check_end(&self) -> Result<(), Broken> {
        for host in 0..2 {
            let left = self.pair.host(host).host().connections();
            if left > 0 {
                return Err(Broken(format!("host {host}: {left} connections never end")));
            }
        }
        let quiet = PairPath {
            delay: self.world.path.delay,
            good_from: self.world.path.good_from,
            ..PairPath::default()
        } == self.world.path;
        let ends = [0, 1].map(|host| self.sides[host].end);
        if quiet && ends != [Some(ConnectionEnd::Closed); 2] {
            return Err(Broken(format!(
                "on a path that only delays, the ends are {ends:?}"
            )));
        }
        for (reader, writer) in [(0, 1), (1, 0)] {
            let (read, wrote) = (self.sides[reader].read, self.sides[writer].wrote);
            let all = ends == [Some(ConnectionEnd::Closed); 2];
            if read > wrote || all && read < wrote {
                return Err(Broken(format!(
                    "host {reader} read {read} of {wrote} bytes written"
                )));
            }
        }
        Ok(())
    }

    fn trace(&self) -> Vec<String> {
        let line = |p: &super::pair::SentPacket| {
            let (s, lost) = (&p.packet.payload, if p.lost { " lost" } else { "" });
            let (at, from) = (p.at.as_secs_f64(), ["client", "server"][p.from]);
            let ack = if s.flags.is_ack() { s.ack.0 } else { 0 };
            format!(
                "{at:.6} {from} {} seq {} len {} ack {ack}{lost}",
                s.flags, s.seq.0, s.len
            )
        };
        let log = self.pair.log();
        log[log.len().saturating_sub(200)..]
            .iter()
            .map(line)
            .collect()
    }
}

#[cfg(test)]
mod tests;
