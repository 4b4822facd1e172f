//! Every congestion control through every queue discipline on a random path: all bytes arrive
//! exactly once, in bounded time and with a bounded number of segments, and the data in flight
//! follow the window.
//!
//! `SYNFIN_CASES=N` runs each pair on N paths.

use sim_core::queue_disc::{self, QueueLimit, QueueSpec};
use sim_core::units::Bytes;
use sim_core::{Finished, Rate, Rng, SimDuration, SimTime};
use tcp_model::congestion::{Algorithm, BUILT_IN, Control};
use tcp_model::diagnostics::CongestionState;
use tcp_model::params::EcnMode;
use tcp_model::sample::{ConnectionCounts, Side, TcpSample};
use tcp_model::spec::HostConfig;
use tcp_model::testing::bulk_transfer;
use tcp_model::{TcpHost, TcpParams};

/// Payload of the transfer.
const BYTES: u64 = 150_000;
/// The transfer must be complete by then: long enough for three time-outs in a row with their
/// back-off.
const WITHIN: SimDuration = SimDuration::from_secs(120);
/// Segments beyond the window that may be in flight: limited transmit and a tail loss probe.
const ALLOWANCE: u64 = 3;

/// A path with its end points.
struct RandomPath {
    control: &'static Algorithm,
    discipline: &'static str,
    profile: &'static str,
    ecn: EcnMode,
    kbps: u64,
    delay_us: u64,
    /// Packets that the queue holds.
    limit: u64,
    /// In thousandths: data lost, delayed and duplicated.
    loss: u64,
    reordered: u64,
    doubled: u64,
    seed: u64,
}

impl std::fmt::Debug for RandomPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} through {}, {} with ECN {:?}, {} kbit/s, {} us, {} packets, lost {}, reordered {} and doubled {} \
             in 1000, seed {}",
            self.control.name,
            self.discipline,
            self.profile,
            self.ecn,
            self.kbps,
            self.delay_us,
            self.limit,
            self.loss,
            self.reordered,
            self.doubled,
            self.seed
        )
    }
}

/// All disciplines; the first is a plain queue.
fn disciplines() -> Vec<&'static str> {
    let built_in = queue_disc::built_in();
    let names = built_in.iter().map(|kind| kind.name);
    std::iter::once("drop-tail").chain(names).collect()
}

impl RandomPath {
    fn random(control: &'static Algorithm, discipline: &'static str, seed: u64) -> RandomPath {
        let mut rng = Rng::stream(seed, discipline, 0);
        let mut below = |n: u64| rng.below(n);
        let ecn = [
            EcnMode::Off,
            EcnMode::Passive,
            EcnMode::Active,
            EcnMode::Accurate,
        ];
        RandomPath {
            control,
            discipline,
            profile: TcpParams::PROFILES[below(3) as usize],
            ecn: ecn[below(4) as usize],
            kbps: 1000 * (1 + below(50)),
            delay_us: 100 + below(50_000),
            limit: 5 + below(100),
            loss: if below(2) == 0 { 0 } else { below(20) },
            reordered: if below(3) > 0 { 0 } else { below(50) },
            doubled: if below(3) > 0 { 0 } else { below(50) },
            seed,
        }
    }

    fn queue(&self) -> QueueSpec {
        if self.discipline == "drop-tail" {
            return QueueLimit::Bytes(Bytes(self.limit * 1500)).into();
        }
        let rate = format!("{} kbit/s", self.kbps / 2);
        let given: &[(&str, &str)] = match self.discipline {
            "token-bucket" | "policer" => &[("rate", &rate)],
            _ => &[],
        };
        let made = queue_disc::built_in().plugin(self.discipline, given);
        made.expect("its defaults are allowed").into()
    }

    fn run(&self) -> Finished<TcpHost> {
        let mut params = TcpParams::profile(self.profile).expect("a profile");
        params.congestion = Control::new(self.control);
        params.ecn = self.ecn;
        let host = |app| {
            let mut config = HostConfig::new(params.clone(), vec![app]);
            config.trace.segments = 1; // samples of the sender, too
            // All of them: a window that has shrunk between two samples leaves more in flight than either shows.
            config.trace.sender_interval = SimDuration::ZERO;
            TcpHost::new(config)
        };
        let rate = Rate::from_bps(self.kbps * 1000);
        let mut pair = bulk_transfer(Some(BYTES), host)
            .with_delay(SimDuration::from_micros(self.delay_us))
            .with_links(|link| link.rate = rate)
            .until(SimTime::ZERO + WITHIN);
        let way = &mut pair.links[0];
        way.queue = self.queue();
        way.impairments.loss = (self.loss as f64 / 1e3).into();
        way.impairments.reorder = self.reordered as f64 / 1e3;
        way.impairments.reorder_delay = SimDuration::from_micros(self.delay_us / 4);
        way.impairments.duplicate = self.doubled as f64 / 1e3;
        pair.seed = self.seed;
        pair.run()
    }

    fn check(&self) {
        let done = self.run();
        let ends = done.records.iter().filter_map(|r| match &r.sample {
            TcpSample::Ended(end) => Some((end.side, end.counts)),
            _ => None,
        });
        let ends: Vec<(Side, ConnectionCounts)> = ends.collect();
        let of = |side| {
            let end = ends.iter().find(|e| e.0 == side);
            end.map(|e| e.1).unwrap_or_default()
        };
        let (sender, receiver) = (of(Side::Active), of(Side::Passive));
        assert_eq!(
            (sender.bytes_acked, receiver.bytes_received),
            (BYTES, BYTES),
            "{self:?}: {sender:?}"
        );
        let data = BYTES.div_ceil(500);
        assert!(sender.segments_sent < 4 * data, "{self:?}: {sender:?}");
        self.check_window(&done);
    }

    /// Outside recovery, the data in flight never exceed the largest window so far. During recovery
    /// a sample also counts data that are SACKed or lost as in flight, which may be all that the
    /// peer's window allows.
    fn check_window(&self, done: &Finished<TcpHost>) {
        let mut largest = 0;
        for record in &done.records {
            let TcpSample::Sender(s) = &record.sample else {
                continue;
            };
            if s.side != Side::Active || (s.cwnd < 400 && largest == 0) {
                continue; // or not yet established
            }
            assert!(s.cwnd >= 400, "{self:?}: a window of {} bytes", s.cwnd);
            largest = largest.max(s.cwnd);
            let calm = s.state.congestion == Some(CongestionState::Open);
            assert!(
                !calm || u64::from(s.in_flight) <= largest + ALLOWANCE * 1460,
                "{self:?} at {}: {} in flight, window {} and before at most {largest}",
                record.time,
                s.in_flight,
                s.cwnd
            );
        }
        assert!(largest > 0, "{self:?}: no samples");
    }
}

#[test]
fn every_control_gets_through_every_discipline() {
    let cases = std::env::var("SYNFIN_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    let cases: u64 = cases.unwrap_or(1);
    let disciplines = disciplines();
    assert!(disciplines.len() >= 13 && BUILT_IN.len() >= 21);
    for control in BUILT_IN {
        for (i, discipline) in disciplines.iter().enumerate() {
            for case in 0..cases {
                let seed = 1 + case * 1000 + i as u64 * 31 + control.name.len() as u64;
                RandomPath::random(control, discipline, seed).check();
            }
        }
    }
}
