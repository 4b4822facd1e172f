//! Random small worlds: whatever the channel and the applications do, bytes arrive once and in
//! order or the connection is reported dead, every socket ends CLOSED, and no timer is left.
//!
//! `SYNFIN_CASES` sets the number of cases, `SYNFIN_CASE` runs a single one.

mod common;

use common::{Act, Channel, ConnectionPair, PairSide};
use sim_core::{Rng, SimDuration, SimTime};
use tcp_model::congestion::{BUILT_IN, Control};
use tcp_model::model::{ConnectionEnd, TcpModel};
use tcp_model::params::EcnMode;
use tcp_model::{State, TcpParams};

fn params(rng: &mut Rng) -> TcpParams {
    let mut p = if rng.chance(0.5) {
        TcpParams::linux()
    } else {
        TcpParams::rfc9293()
    };
    p.fin_timeout = Some(SimDuration::from_secs(60));
    p.sack = rng.chance(0.6);
    p.timestamps = rng.chance(0.6);
    p.window_scaling = rng.chance(0.7);
    p.nagle = rng.chance(0.7);
    p.hold_until_push = rng.chance(0.5);
    p.probe_with_octet = rng.chance(0.5);
    p.mtu = [100, 576, 1500, 9000][rng.below(4) as usize];
    p.receive_buffer = [300, 4_000, 30_000, 200_000][rng.below(4) as usize];
    p.send_buffer = [500, 5_000, 100_000][rng.below(3) as usize];
    p.delayed_ack = SimDuration::from_millis([0, 40, 200][rng.below(3) as usize]);
    p.time_wait = SimDuration::from_secs(1 + rng.below(240));
    if rng.chance(0.5) {
        features(&mut p, rng);
    }
    if rng.chance(0.1) {
        p.keepalive = Some(SimDuration::from_secs(5));
        p.keepalive_interval = SimDuration::from_secs(1);
        p.keepalive_probes = 3;
    }
    p
}

/// Features that are off by default, or rarely matter.
fn features(p: &mut TcpParams, rng: &mut Rng) {
    p.congestion = Control::new(BUILT_IN[rng.below(BUILT_IN.len() as u64) as usize]);
    p.pacing = rng.chance(0.3);
    p.ecn = [EcnMode::Off, EcnMode::Active, EcnMode::Passive][rng.below(3) as usize];
    p.dsack = rng.chance(0.7);
    p.cork = rng.chance(0.2);
    p.window_clamp = rng.chance(0.2).then_some(2_000);
    p.notsent_lowat = rng.chance(0.2).then_some(1_000);
    p.max_segment = rng.chance(0.2).then_some(300);
    p.defer_accept = rng.chance(0.2).then(|| SimDuration::from_secs(3));
    p.user_timeout = rng.chance(0.2).then(|| SimDuration::from_secs(400));
}

fn side(rng: &mut Rng) -> PairSide {
    let params = params(rng);
    let eager = rng.chance(0.7);
    let mut plan = Vec::new();
    let mut at = SimTime::ZERO;
    let pace = [1, 50, 800, 20_000][rng.below(4) as usize];
    let gap = |rng: &mut Rng| SimDuration::from_millis(rng.below(pace) + 1);
    for _ in 0..rng.below(8) {
        at += gap(rng);
        let bytes = [1, 90, 1_500, 20_000, 60_000][rng.below(5) as usize];
        let (push, urgent) = (rng.chance(0.5), rng.chance(0.1));
        plan.push((
            at,
            if rng.chance(0.7) {
                Act::Write {
                    bytes,
                    push,
                    urgent,
                }
            } else {
                Act::Read(bytes)
            },
        ));
    }
    if rng.chance(0.3) {
        at += gap(rng);
        plan.push((at, Act::Shutdown));
        for _ in 0..rng.below(20) {
            at += gap(rng);
            plan.push((at, Act::Read(10_000)));
        }
    }
    at += gap(rng);
    let polite = rng.chance(0.92);
    let last = if polite { Act::Shutdown } else { Act::Close };
    plan.push((at, if rng.chance(0.03) { Act::Abort } else { last }));
    // In any case, the application closes in the end.
    plan.push((at + SimDuration::from_secs(200_000), Act::Close));
    let mut side = PairSide::new(params, plan, eager);
    side.polite = polite;
    side.patient = rng.chance(0.9);
    side.reader = (gap(rng), [50, 1_000, 50_000][rng.below(3) as usize]);
    side
}

fn world(case: u64) -> ConnectionPair {
    let mut rng = Rng::stream(case, "small world", 0);
    let rates = [0.0, 0.0, 0.05, 0.3];
    let pick = |rng: &mut Rng| rates[rng.below(4) as usize];
    let channel = Channel {
        delay: SimDuration::from_millis([1, 10, 100, 900][rng.below(4) as usize]),
        loss: pick(&mut rng),
        duplicate: pick(&mut rng),
        reorder: pick(&mut rng),
        dead_from: if rng.chance(0.05) {
            SimTime::ZERO + SimDuration::from_millis(rng.below(5_000))
        } else {
            SimTime::MAX
        },
    };
    let sides = [side(&mut rng), side(&mut rng)];
    let simultaneous = rng.chance(0.15);
    ConnectionPair::new(case, channel, sides, simultaneous)
}

fn check(case: u64, world: &mut ConnectionPair) {
    // With a reader that has stopped, window probes and keep-alives continue until the last close.
    world.run(2_000_000);
    let context = || format!("case {case}: {}", world.summary());
    for s in 0..2 {
        let (me, peer) = (&world.sides[s], &world.sides[1 - s]);
        assert_eq!(me.state(), State::Closed, "{}", context());
        let Some(model) = &me.model else { continue };
        assert_eq!(model.next_timeout(), None, "{}", context());
        let counts = model.view().counts;
        assert_eq!(counts.old_duplicate_bytes, 0, "{}", context());
        let syns = |side: &PairSide| {
            side.states
                .iter()
                .filter(|s| s.1 == State::SynReceived)
                .count()
        };
        if syns(me) > 1 || syns(peer) > 1 {
            continue; // the listener made several end points of duplicated SYNs
        }
        assert!(counts.bytes_received <= peer.wrote, "{}", context());
        assert!(me.end.is_some(), "{}", context());
        // An orderly close on this side: the peer's TCP has received everything it wrote.
        if me.end == Some(ConnectionEnd::Closed) && me.closes.is_some() && me.wrote > 0 {
            let taken = peer
                .model
                .as_ref()
                .map_or(0, |m| m.view().counts.bytes_received);
            let peer_died = matches!(
                peer.end,
                Some(
                    ConnectionEnd::Aborted
                        | ConnectionEnd::Reset
                        | ConnectionEnd::TimedOut
                        | ConnectionEnd::FinWaitExpired
                        | ConnectionEnd::Refused
                )
            );
            assert!(taken == me.wrote || peer_died, "{}", context());
        }
    }
    let peer_of = |from: usize| 1 - from;
    for sent in &world.log {
        // The sender's stream offset of each octet agrees with its sequence number.
        if sent.segment.len > 0 {
            let _ = peer_of(sent.from);
            let syn = world
                .log
                .iter()
                .find(|s| s.from == sent.from && s.segment.flags.is_syn());
            let iss = syn.expect("data follow a SYN").segment.seq;
            if world.sides[sent.from]
                .states
                .iter()
                .filter(|s| s.1 == State::SynReceived)
                .count()
                <= 1
            {
                let offset = sent.segment.seq.offset_from(iss + 1);
                assert_eq!(u64::from(offset), sent.segment.tag.offset, "{}", context());
            }
        }
    }
}

#[test]
fn every_small_world_ends_well() {
    let number = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    if let Some(case) = number("SYNFIN_CASE") {
        let mut world = world(case);
        let run =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(case, &mut world)));
        let lines = common::trace(&world);
        let cut = lines.len().saturating_sub(100);
        for line in lines.iter().take(400).chain(&lines[cut..]) {
            println!("{line}");
        }
        println!("{}", world.summary());
        run.unwrap();
        return;
    }
    let cases = number("SYNFIN_CASES").unwrap_or(10_000);
    let mut in_order = 0;
    let mut ends = std::collections::BTreeMap::new();
    for case in 0..cases {
        let mut world = world(case);
        let run =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(case, &mut world)));
        assert!(
            run.is_ok(),
            "case {case} failed: run it alone with SYNFIN_CASE={case}"
        );
        for side in &world.sides {
            *ends.entry(format!("{:?}", side.end)).or_insert(0) += 1;
        }
        in_order += u64::from(
            world
                .sides
                .iter()
                .all(|s| s.end == Some(ConnectionEnd::Closed)),
        );
    }
    println!("{ends:?}");
    println!("{cases} worlds, {in_order} closed in order on both sides");
    assert!(in_order * 2 > cases, "most worlds should close in order");
}
