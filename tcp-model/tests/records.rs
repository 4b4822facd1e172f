//! Facts that only records show: whether each retransmission was needed, and the state of the
//! sender.

use std::ops::ControlFlow;

use sim_core::network::LinkChange;
use sim_core::record::Collect;
use sim_core::units::Bytes;
use sim_core::{Rate, SimDuration, SimTime};
use tcp_model::congestion::Control;
use tcp_model::diagnostics::{CongestionState, SenderState};
use tcp_model::host::HostStats;
use tcp_model::sample::{SegmentEvent, TcpSample};
use tcp_model::spec::HostConfig;
use tcp_model::testing::{TwoHosts, bulk_transfer};
use tcp_model::{RetransmitReason, TcpHost, TcpParams};

fn ms(n: u64) -> SimDuration {
    SimDuration::from_millis(n)
}

/// A transfer of this many bytes over 10 Mbit/s and 20 ms.
fn transfer(params: &TcpParams, bytes: u64) -> TwoHosts {
    let host = |app| TcpHost::new(HostConfig::new(params.clone(), vec![app]).tracing(10));
    bulk_transfer(Some(bytes), host)
        .with_delay(ms(10))
        .with_links(|link| {
            link.rate = Rate::from_bps(10_000_000);
            link.queue = sim_core::queue_disc::QueueLimit::Bytes(Bytes(1 << 20)).into();
        })
        .until(SimTime::ZERO + ms(60_000))
}

/// The counters of both hosts, and of each retransmission that arrived whether it was spurious.
fn run(pair: TwoHosts) -> ([HostStats; 2], Vec<(RetransmitReason, bool)>) {
    let mut simulation = pair.simulation();
    let mut records = Collect::default();
    simulation
        .run(&mut records, &mut |_| ControlFlow::Continue(()))
        .unwrap();
    let judged = records.0.iter().filter_map(|r| match &r.sample {
        TcpSample::Segment(t) if t.event == SegmentEvent::Received => {
            Some((t.retransmission?, t.spurious?))
        }
        _ => None,
    });
    let judged = judged.collect();
    let hosts = simulation.into_hosts();
    let stats = |i: usize| hosts[i].as_ref().unwrap().stats();
    ([stats(0), stats(1)], judged)
}

#[test]
fn retransmissions_that_repair_a_loss_are_needed() {
    let mut pair = transfer(&TcpParams::linux(), 300_000);
    pair.links[0].impairments.drop = vec![20, 21, 40];
    let ([sender, receiver], judged) = run(pair);
    assert_eq!(sender.resent.of(RetransmitReason::Rack), 3);
    assert_eq!((sender.resent.total(), receiver.spurious.total()), (3, 0));
    assert_eq!(judged, [(RetransmitReason::Rack, false); 3]);
}

/// All ACKs of a flight arrive at one instant, and what they release is sent at one instant.
#[test]
fn without_a_rate_each_lost_segment_is_retransmitted_once() {
    for params in [TcpParams::linux(), TcpParams::rfc9293()] {
        for drop in [
            vec![20, 25],
            vec![20, 21, 22],
            vec![20, 22, 24, 26],
            vec![30, 45, 60, 61],
        ] {
            let mut pair = transfer(&params, 300_000).with_links(|link| link.rate = None);
            pair.links[0].impairments.drop = drop.clone();
            let ([sender, receiver], _) = run(pair);
            let counts = (sender.resent.total(), receiver.spurious.total());
            assert_eq!(counts, (drop.len() as u64, 0), "{drop:?}");
        }
    }
}

#[test]
fn retransmissions_because_the_path_became_longer_are_spurious() {
    // The RFC's sender does not react to the late ACKs: it retransmits everything.
    let params = TcpParams {
        frto: false,
        undo: false,
        tail_loss_probe: false,
        rack: false,
        ..TcpParams::rfc9293()
    };
    let mut pair = transfer(&params, 300_000);
    pair.links[0].changes = vec![LinkChange {
        at: SimTime::ZERO + ms(100),
        rate: None,
        delay: Some(ms(3_000)),
        loss: None,
        up: None,
    }];
    let ([sender, receiver], judged) = run(pair);
    let of = |rule| receiver.spurious.of(rule);
    assert!(of(RetransmitReason::Timeout) > 0, "{receiver:?}");
    assert_eq!(
        receiver.spurious.total(),
        sender.resent.total() - u64::from(sender.resent.of(RetransmitReason::SynTimeout)),
        "nothing was lost: {sender:?} {receiver:?}"
    );
    assert!(judged.iter().all(|(_, spurious)| *spurious), "{judged:?}");
}

#[test]
fn sender_records_show_the_state_of_control_and_recovery() {
    for (name, loss, states) in [
        (
            "reno",
            Some(60),
            ["slow start", "congestion avoidance"].as_slice(),
        ),
        (
            "bbr",
            None,
            &["Startup", "Drain", "ProbeBW cruise", "ProbeBW up"],
        ),
    ] {
        let mut params = TcpParams::linux();
        params.congestion = Control::named(name).unwrap();
        let mut pair = transfer(&params, 3_000_000);
        pair.links[0].impairments.drop = loss.into_iter().collect();
        let mut simulation = pair.simulation();
        let mut records = Collect::default();
        simulation
            .run(&mut records, &mut |_| ControlFlow::Continue(()))
            .unwrap();
        let samples = records.0.iter().filter_map(|r| match &r.sample {
            TcpSample::Sender(s) if r.node.0 == 0 => Some(s.state),
            _ => None,
        });
        let samples: Vec<SenderState> = samples.collect();
        for state in states {
            assert!(
                samples.iter().any(|s| s.control == Some(state)),
                "{name}: no {state}"
            );
        }
        let recovered = samples
            .iter()
            .any(|s| s.congestion == Some(CongestionState::Recovery));
        assert_eq!(recovered, loss.is_some(), "{name}");
        let last = samples.last().unwrap();
        assert!(
            last.min_rtt >= Some(ms(20)) && last.min_rtt < Some(ms(25)),
            "{last:?}"
        );
        if name == "bbr" {
            let rate = |r: Option<Rate>| r.map_or(0.0, |r| r.as_bps() as f64 / 1e6);
            let paced: Vec<f64> = samples.iter().map(|s| rate(s.pacing_rate)).collect();
            assert!(
                paced.iter().any(|&mbps| (9.0..10.0).contains(&mbps)),
                "{paced:?}"
            );
            assert!(last.delivered >= Some(2_900_000) && rate(last.delivery_rate) < 10.0);
        }
    }
}
