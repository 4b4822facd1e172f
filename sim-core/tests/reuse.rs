//! Records that a recorder has processed are returned to the partition that made them.

use std::io;
use std::net::Ipv4Addr;
use std::ops::ControlFlow;

use sim_core::{
    Cx, Host, NetworkBuilder, NodeId, Outgoing, Packet, Rate, Record, Recorder, RunConfig,
    SimDuration, SimTime, Simulation,
};

/// What came back to a partition.
#[derive(Clone, Debug, Default, PartialEq)]
struct Back {
    records: u64,
    /// Their nodes, each once.
    nodes: Vec<u32>,
}

/// Returns every packet, and records what has come back to its partition by then.
struct Pong {
    serves: bool,
    peer: Ipv4Addr,
}

impl Host for Pong {
    type Payload = ();
    type Sample = (u32, Back);
    type Scratch = Back;

    fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
        if self.serves {
            cx.send(Outgoing::to(self.peer, 100, ()));
        }
    }

    fn on_packet(&mut self, _: Packet<()>, cx: &mut Cx<'_, Self>) {
        let (node, back) = (cx.node().0, cx.scratch().clone());
        cx.record((node, back));
        cx.send(Outgoing::to(self.peer, 100, ()));
    }

    fn reuse((node, _): (u32, Back), back: &mut Back) {
        back.records += 1;
        if !back.nodes.contains(&node) {
            back.nodes.push(node);
        }
    }
}

/// Keeps each batch, and returns the previous one.
#[derive(Default)]
struct KeepsBatches {
    before: Vec<Record<(u32, Back)>>,
    last: [Back; 2],
    taken: u64,
}

impl Recorder<(u32, Back)> for KeepsBatches {
    fn write(&mut self, _: &[Record<(u32, Back)>]) -> io::Result<()> {
        unreachable!("batches are taken")
    }

    fn take(&mut self, batch: &mut Vec<Record<(u32, Back)>>) -> io::Result<()> {
        self.taken += batch.len() as u64;
        for record in &*batch {
            let (node, back) = &record.sample;
            self.last[*node as usize] = back.clone();
        }
        std::mem::swap(batch, &mut self.before);
        Ok(())
    }

    fn finish(&mut self, _: SimTime) -> io::Result<()> {
        Ok(())
    }
}

fn run<R: Recorder<(u32, Back)> + Default>(partition_of: Vec<u32>) -> R {
    let mut net = NetworkBuilder::new();
    let hosts = [net.host("a"), net.host("b")];
    let delay = SimDuration::from_micros(10);
    net.connect(hosts[0], hosts[1], Rate::mbps(100), delay);
    let network = net.build().unwrap();
    let peer = |node: NodeId| network.address(node).unwrap();
    let pong = |serves, peer| Some(Pong { serves, peer });
    let nodes = vec![pong(true, peer(hosts[1])), pong(false, peer(hosts[0]))];
    let config = RunConfig {
        partition_of,
        ..RunConfig::new(1, SimTime::ZERO + SimDuration::from_secs(2))
    };
    let mut recorder = R::default();
    let mut simulation = Simulation::new(network, nodes, &config);
    let stats = simulation.run(&mut recorder, &mut |_| ControlFlow::Continue(()));
    stats.unwrap();
    recorder
}

#[test]
fn records_come_back_to_the_partition_that_made_them() {
    let one: KeepsBatches = run(vec![]);
    assert!(one.last[0].records > 10_000, "{:?}", one.last);
    assert!(one.last[0].records < one.taken);
    let mut nodes = one.last[0].nodes.clone();
    nodes.sort_unstable();
    assert_eq!(nodes, [0, 1]);
    let two: KeepsBatches = run(vec![0, 1]);
    assert_eq!(two.taken, one.taken);
    for (node, back) in two.last.iter().enumerate() {
        assert!(back.records > 5_000, "{back:?}");
        assert_eq!(back.nodes, [node as u32], "what another partition made");
    }
}

/// Only counts, and returns nothing.
#[derive(Default)]
struct Counts(u64);

impl Recorder<(u32, Back)> for Counts {
    fn write(&mut self, batch: &[Record<(u32, Back)>]) -> io::Result<()> {
        self.0 += batch.len() as u64;
        Ok(())
    }

    fn finish(&mut self, _: SimTime) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_recorder_that_only_writes_sees_every_record_once() {
    let taken = run::<KeepsBatches>(vec![]).taken;
    for partition_of in [vec![], vec![0, 1]] {
        assert_eq!(run::<Counts>(partition_of).0, taken);
    }
}
