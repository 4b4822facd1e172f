//! Which nodes stay together when a simulation is divided, and when dividing it is not worth while.

mod common;

use common::{built, ms, us};
use sim_core::assign::{NoGain, assign};
use sim_core::{LinkSpec, Network, NetworkBuilder, NodeId, SimDuration};

/// `sites` routers in a ring of `far` links, each with `hosts` hosts on `near` links.
fn ring(
    sites: usize,
    hosts: usize,
    near: SimDuration,
    far: SimDuration,
) -> std::sync::Arc<Network> {
    let mut net = NetworkBuilder::new();
    let routers: Vec<NodeId> = (0..sites).map(|i| net.router(format!("r{i}"))).collect();
    for i in 0..sites * hosts {
        let host = net.host(format!("h{i}"));
        net.join(LinkSpec::new(host, routers[i % sites], None, near));
    }
    for i in 0..sites {
        net.join(LinkSpec::new(
            routers[i],
            routers[(i + 1) % sites],
            None,
            far,
        ));
    }
    built(net)
}

fn loads(partition_of: &[u32], parts: u32) -> Vec<usize> {
    (0..parts)
        .map(|p| partition_of.iter().filter(|&&q| q == p).count())
        .collect()
}

#[test]
fn long_links_are_cut_and_sites_stay_whole() {
    let network = ring(8, 10, us(10), ms(5));
    for (parts, expected) in [(2, vec![44, 44]), (4, vec![22; 4]), (8, vec![11; 8])] {
        let found = assign(&network, &[1e6; 88], parts).unwrap();
        assert_eq!(found.parts, parts);
        assert_eq!(found.look_ahead, ms(5));
        assert_eq!(loads(&found.partition_of, parts), expected);
        for link in network.links().iter().filter(|l| l.delay < ms(5)) {
            let part = |n: NodeId| found.partition_of[n.0 as usize];
            assert_eq!(part(link.from), part(link.to));
        }
        let speed = found.speed_up / f64::from(parts);
        assert!((0.9..=1.0).contains(&speed), "{}", found.speed_up);
    }
    // Two halves of the ring: two cuts, not more.
    let halves = assign(&network, &[1e6; 88], 2).unwrap().partition_of;
    let cut = |l: &&LinkSpec| halves[l.from.0 as usize] != halves[l.to.0 as usize];
    assert_eq!(network.links().iter().filter(cut).count(), 4);
}

#[test]
fn separate_networks_never_synchronize() {
    let mut net = NetworkBuilder::new();
    for i in 0..6 {
        let (a, b) = (net.host(format!("a{i}")), net.host(format!("b{i}")));
        net.connect(a, b, None, ms(1));
    }
    let found = assign(&built(net), &[1.0; 12], 3).unwrap();
    assert_eq!(found.look_ahead, SimDuration::MAX);
    assert_eq!(found.partition_of, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
    assert_eq!(found.speed_up, 3.0);
}

#[test]
fn a_short_look_ahead_is_chosen_if_there_is_enough_work() {
    // One site: only the short links can be cut.
    let network = ring(3, 10, us(100), us(1));
    let busy = assign(&network, &[1e8; 33], 2).unwrap();
    assert_eq!(busy.look_ahead, us(100));
    assert!(busy.speed_up > 1.5, "{}", busy.speed_up);
    let idle = assign(&network, &[1e3; 33], 2);
    let Err(NoGain::TooLittleWork { look_ahead, events }) = idle else {
        panic!("{idle:?}");
    };
    assert_eq!(look_ahead, us(100));
    assert!((events - 3.3).abs() < 1e-9, "{events}");
}

#[test]
fn the_reason_is_given_if_partitions_do_not_help() {
    let network = ring(4, 2, us(10), ms(5));
    assert_eq!(assign(&network, &[1e6; 12], 1), Err(NoGain::OnePart));
    assert_eq!(assign(&network, &[], 8), Err(NoGain::OnePart));
    assert_eq!(assign(&network, &[f64::NAN; 12], 8), Err(NoGain::OnePart));
    assert_eq!(
        assign(&built(NetworkBuilder::new()), &[], 8),
        Err(NoGain::OnePart)
    );

    let mut weights = [1.0; 12];
    weights[5] = 1e9;
    let lopsided = assign(&network, &weights, 4);
    assert!(
        matches!(&lopsided, Err(NoGain::Unbalanced { node, share }) if node == "h1" && *share > 0.99),
        "{lopsided:?}"
    );
    assert_eq!(
        lopsided.unwrap_err().to_string(),
        "node \"h1\" alone has 100 % of the work"
    );
}
