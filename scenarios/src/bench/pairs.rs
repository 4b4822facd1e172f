//! `pairs`: bulk flows in and between four sites, for several threads.
//!
//! ```text
//! site-0 ══10 Gbit/s, 2 ms══ site-1 ══ site-2 ══ site-3 ══ site-0
//!   │ 100 Mbit/s, 20 us, 100 packets
//! hosts
//! ```
//!
//! Every other pair has both hosts at one site, the rest the receiver at the next site.

use sim_core::record::Discard;
use sim_core::{NodeId, QueueLimit, Rate, SimDuration, SimTime};

use super::dumbbell::{bulk_costs, delivered, params, receiver, sender};
use super::measure::{self, Engine};
use super::table::{Measurement, Table};
use super::world::{Plan, World, address};

const SITES: u32 = 4;

fn world(pairs: u32, end: SimTime) -> Result<World, String> {
    let mut plan = Plan::default();
    let sites: Vec<NodeId> = (0..SITES)
        .map(|i| plan.router(&format!("site-{i}")))
        .collect();
    let site = |i: u32| sites[(i % SITES) as usize];
    for i in 0..SITES {
        let between = SimDuration::from_millis(2);
        plan.join(site(i), site(i + 1), Rate::mbps(10_000), between);
    }
    for host in 0..2 * pairs {
        let (pair, is_receiver) = (host / 2, host % 2);
        // Pairs 0-3 stay at their sites, pairs 4-7 cross, and so on.
        let crosses = (pair / SITES) % 2 * is_receiver;
        let node = plan.host(format!("host-{host}"), 1);
        let access = plan.join(
            site(pair + crosses),
            node,
            Rate::mbps(100),
            SimDuration::from_micros(20),
        );
        access.queue = QueueLimit::Packets(100);
    }
    let network = plan.network().map_err(|e| e.to_string())?;
    let addresses: Vec<_> = (0..2 * pairs)
        .map(|host| address(&network, NodeId(SITES + host)))
        .collect();
    let apps = |node: NodeId| {
        let host = node.0 - SITES;
        let at = |host: u32| addresses[host as usize];
        if host.is_multiple_of(2) {
            vec![sender(host / 2, pairs, at(host), at(host + 1))]
        } else {
            vec![receiver()]
        }
    };
    let mut world = World::new(network, params(), end, apps);
    // 8300 segments per second and half as many ACKs; half the pairs pass two routers.
    world.weights = vec![12_500.0; world.hosts.len()];
    let of_site = 12_500.0 * 1.5 * f64::from(pairs) / f64::from(SITES);
    world.weights[..SITES as usize].fill(of_site);
    Ok(world)
}

/// Runs it once.
pub(super) fn run(
    pairs: u32,
    seconds: f64,
    engine: Engine,
) -> Result<(Measurement, String), String> {
    let end = SimTime::ZERO + SimDuration::from_secs_f64(seconds);
    let ran = measure::run(|| world(pairs, end), engine, &mut Discard)?;
    let segments = delivered(&ran);
    let m = Measurement::default().with("segments", segments);
    Ok((bulk_costs(m, &ran, segments), ran.digest()))
}

/// Runs it `reps` times with one thread and with `threads`, in turn; medians and their ratio. The
/// simulated outcome must be the same.
pub(super) fn compare(
    pairs: u32,
    seconds: f64,
    engine: Engine,
    reps: u32,
    title: String,
) -> Result<Table, String> {
    let threads = engine.threads.max(2);
    let mut all = [Vec::new(), Vec::new()];
    let mut expected: Option<String> = None;
    for _ in 0..reps {
        for (runs, threads) in all.iter_mut().zip([1, threads]) {
            let (m, digest) = run(pairs, seconds, Engine { threads, ..engine })?;
            if expected.get_or_insert_with(|| digest.clone()) != &digest {
                return Err(format!(
                    "{threads} threads had another outcome; this is a bug"
                ));
            }
            runs.push(m.with("outcome", digest));
        }
    }
    let [one, several] = all.map(|runs| Measurement::median(&runs));
    let speed_up = one.number("wall_s") / several.number("wall_s");
    Ok(Table {
        title,
        by: "threads_asked",
        columns: vec![
            ("1".to_owned(), one.with("speed_up", 1.0)),
            (threads.to_string(), several.with("speed_up", speed_up)),
        ],
    })
}
