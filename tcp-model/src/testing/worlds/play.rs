//! One play of a world: what its applications do, and the rules it is checked against.

use std::net::SocketAddrV4;

use sim_core::{SimDuration, SimTime};

use super::{AppPlan, PORT, World};
use crate::app::AppEvent;
use crate::host::SocketId;
use crate::model::{ConnectionEnd, TcpModel};
use crate::sample::TcpSample;
use crate::state::State;
use crate::testing::pair::{B, Pair, PairPath};

/// Events after which a world counts as endless.
const MOST_STEPS: u64 = 200_000;

/// A broken rule, in words.
#[derive(Debug)]
pub(super) struct BrokenRule(pub(super) String);

/// One side as its application sees it.
#[derive(Debug, Default)]
struct WorldSide {
    socket: Option<SocketId>,
    /// Actions to come, the next one last.
    acts: Vec<(SimTime, AppAct)>,
    /// Bytes that a write did not accept.
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

pub(super) struct Play<'w> {
    world: &'w World,
    pair: Pair,
    sides: [WorldSide; 2],
}

impl<'w> Play<'w> {
    pub(super) fn new(world: &'w World, pair: Pair) -> Play<'w> {
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

    pub(super) fn run(&mut self) -> Result<(), BrokenRule> {
        let listening = self.pair.call(1, |s| s.listen(PORT, 1).is_ok());
        let server = SocketAddrV4::new(B, PORT);
        let socket = self.pair.call(0, |s| s.connect(None, server));
        self.sides[0].socket = socket.ok();
        if !listening || self.sides[0].socket.is_none() {
            return Err(BrokenRule(
                "a host refuses to listen or to connect".to_owned(),
            ));
        }
        for step in 0.. {
            if step > MOST_STEPS {
                return Err(BrokenRule(format!("no end after {MOST_STEPS} events")));
            }
            self.act()?;
            if !self.next()? {
                break;
            }
        }
        self.check_end()
    }

    /// Advances to the next event, on the network or in an application; false when there is none.
    fn next(&mut self) -> Result<bool, BrokenRule> {
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
    fn act(&mut self) -> Result<(), BrokenRule> {
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

    /// Checks what must hold at any time.
    fn check_now(&mut self, host: usize) -> Result<(), BrokenRule> {
        if let Some(id) = self.sides[host].socket
            && let Some(found) = self.pair.host(host).inspect(id)
        {
            let view = found.tcp.view();
            if view.snd_una.after(view.snd_nxt) {
                return Err(BrokenRule(format!(
                    "host {host}: SND.UNA is beyond SND.NXT"
                )));
            }
        }
        for (at, sample) in self.pair.host_mut(host).take_records() {
            if let TcpSample::State(change) = sample
                && !change.from.may_become(change.to)
            {
                let (from, to) = (change.from, change.to);
                return Err(BrokenRule(format!(
                    "host {host} at {at}: {from} became {to}"
                )));
            }
        }
        Ok(())
    }

    /// Checks what must hold at the end.
    fn check_end(&self) -> Result<(), BrokenRule> {
        for host in 0..2 {
            let left = self.pair.host(host).host().connections();
            if left > 0 {
                return Err(BrokenRule(format!(
                    "host {host}: {left} connections never end"
                )));
            }
        }
        let quiet = PairPath {
            delay: self.world.path.delay,
            good_from: self.world.path.good_from,
            ..PairPath::default()
        } == self.world.path;
        let ends = [0, 1].map(|host| self.sides[host].end);
        if quiet && ends != [Some(ConnectionEnd::Closed); 2] {
            return Err(BrokenRule(format!(
                "on a path that only delays, the ends are {ends:?}"
            )));
        }
        for (reader, writer) in [(0, 1), (1, 0)] {
            let (read, wrote) = (self.sides[reader].read, self.sides[writer].wrote);
            let all = ends == [Some(ConnectionEnd::Closed); 2];
            if read > wrote || all && read < wrote {
                return Err(BrokenRule(format!(
                    "host {reader} read {read} of {wrote} bytes written"
                )));
            }
        }
        Ok(())
    }

    pub(super) fn trace(&self) -> Vec<String> {
        let line = |p: &crate::testing::pair::SentPacket| {
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
