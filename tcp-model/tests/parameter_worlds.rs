//! Parameters anywhere within their ranges: a small exchange completes or is given up within a bounded number
//! of steps.
//!
//! `SYNFIN_CASES` sets the number of cases, `SYNFIN_CASE` runs a single one.

mod common;

use common::{Act, Channel, ConnectionPair, PairSide};
use sim_core::{Bytes, Rng, SimDuration, SimTime};
use tcp_model::model::TcpModel;
use tcp_model::params::{PARAMS, Param, ParamType, ParamValue, param};
use tcp_model::{State, TcpParams};

/// A number from `least` to `most`: an end of the range, or anything in between, with small numbers
/// as likely as large ones.
fn number(least: u64, most: u64, rng: &mut Rng) -> u64 {
    match rng.below(8) {
        0 => least,
        1 => most,
        _ => {
            let low = (least.max(1) as f64).ln();
            let x = (low + rng.uniform() * ((most.max(1) as f64).ln() - low)).exp();
            (x as u64).clamp(least, most)
        }
    }
}

/// A value within the range of a parameter.
fn value(param: &Param, rng: &mut Rng) -> ParamValue {
    let kind = &param.kind;
    if let Some(none) = kind.none
        && rng.chance(0.2)
    {
        return ParamValue::text(none);
    }
    let (least, most) = (kind.least, kind.most);
    match kind.shape {
        ParamType::Flag => ParamValue::Flag(rng.chance(0.5)),
        ParamType::Count => ParamValue::number(number(least, most, rng)),
        ParamType::Size => ParamValue::text(Bytes(number(least, most, rng))),
        ParamType::Time => ParamValue::text(SimDuration::from_ps(number(least, most, rng))),
        ParamType::GiveUp => ParamValue::number(number(least, most, rng)),
        ParamType::Ports => {
            ParamValue::List(vec![ParamValue::number(least), ParamValue::number(most)])
        }
        ParamType::PortSet => ParamValue::number(number(least, most, rng)),
        ParamType::Words(words) => {
            ParamValue::text(words[rng.below(words.len() as u64) as usize].word)
        }
        ParamType::Model => ParamValue::text("full"),
        ParamType::Control => {
            let all = tcp_model::congestion::BUILT_IN;
            ParamValue::text(all[rng.below(all.len() as u64) as usize].name)
        }
        ParamType::Bits(bits) => {
            let some = bits.iter().filter(|_| rng.chance(0.5));
            ParamValue::Number(some.fold(0, |all, b| all | b.number))
        }
    }
}

/// A profile in which some parameters, or all, have other values.
fn params(rng: &mut Rng) -> TcpParams {
    let share = [0.05, 0.3, 1.0][rng.below(3) as usize];
    loop {
        let name = TcpParams::PROFILES[rng.below(TcpParams::PROFILES.len() as u64) as usize];
        let mut params = TcpParams::profile(name).unwrap();
        // Both ends have the same version of IP.
        for param in PARAMS.iter().filter(|p| p.key != "ip_version") {
            if rng.chance(share) {
                param.set(&mut params, &value(param, rng)).unwrap();
            }
        }
        if params.check().is_ok() {
            return params;
        }
    }
}

const REQUEST: u64 = 40;
const RESPONSE: u64 = 300;

/// Writes, and closes when the other side has closed, and at the latest after a long time.
fn side(params: TcpParams, bytes: u64) -> PairSide {
    let at = SimTime::ZERO + SimDuration::from_millis(5);
    let later = at + SimDuration::from_secs(500_000);
    let write = Act::Write {
        bytes,
        push: true,
        urgent: false,
    };
    let plan = vec![(at, write), (at, Act::Shutdown), (later, Act::Close)];
    let mut side = PairSide::new(params, plan, true);
    side.polite = true;
    side
}

fn world(case: u64, client: TcpParams, server: TcpParams) -> ConnectionPair {
    let channel = Channel {
        delay: SimDuration::from_millis(1),
        loss: 0.0,
        duplicate: 0.0,
        reorder: 0.0,
        dead_from: SimTime::MAX,
    };
    ConnectionPair::new(
        case,
        channel,
        [side(client, REQUEST), side(server, RESPONSE)],
        false,
    )
}

fn random_world(case: u64) -> ConnectionPair {
    let mut rng = Rng::stream(case, "parameters", 0);
    world(case, params(&mut rng), params(&mut rng))
}

/// Runs a case and prints its first segments and the parameters that differ from `linux`.
fn show(case: u64) {
    let mut world = random_world(case);
    let sides = world.sides.iter();
    let params: Vec<TcpParams> = sides.map(|s| TcpParams::clone(&s.params)).collect();
    let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.run(5_000_000)));
    for line in common::trace(&world).iter().take(60) {
        println!("{line}");
    }
    for params in params {
        let linux = TcpParams::linux();
        for p in PARAMS.iter().filter(|p| p.get(&params) != p.get(&linux)) {
            print!("{} = {}, ", p.key, p.get(&params));
        }
        println!();
    }
    run.unwrap();
}

fn check(case: u64) {
    let mut world = random_world(case);
    world.run(5_000_000);
    for side in &world.sides {
        assert_eq!(
            side.state(),
            State::Closed,
            "case {case}: {}",
            world.summary()
        );
        let timer = side.model.as_ref().and_then(TcpModel::next_timeout);
        assert_eq!(timer, None, "case {case}: {}", world.summary());
    }
}

#[test]
fn an_exchange_ends_with_parameters_anywhere_within_their_ranges() {
    let env = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    if let Some(case) = env("SYNFIN_CASE") {
        return show(case);
    }
    for case in 0..env("SYNFIN_CASES").unwrap_or(300) {
        let run = std::panic::catch_unwind(|| check(case));
        if let Err(error) = run {
            eprintln!("SYNFIN_CASE={case} shows it alone");
            std::panic::resume_unwind(error);
        }
    }
}

#[test]
fn windows_of_a_few_bytes_let_everything_through() {
    let tiny: [(&str, ParamValue); 4] = [
        ("window_clamp", ParamValue::Number(1)),
        ("receive_buffer", ParamValue::text("1 B")),
        ("window_clamp", ParamValue::Number(100)),
        ("receive_buffer", ParamValue::text("100 B")),
    ];
    for profile in TcpParams::PROFILES {
        for (key, value) in &tiny {
            let mut params = TcpParams::profile(profile).unwrap();
            param(key).unwrap().set(&mut params, value).unwrap();
            let mut world = world(1, params.clone(), params);
            world.run(100_000);
            let read = [world.sides[0].read, world.sides[1].read];
            assert_eq!(read, [RESPONSE, REQUEST], "{profile}, {key} = {value}");
            let ends = world.sides.iter().filter_map(|s| s.states.last());
            let last = ends.map(|(at, _)| at.as_secs_f64()).fold(0.0, f64::max);
            assert!(last < 1_000.0, "{profile}, {key} = {value}: {last} s");
        }
    }
}

#[test]
fn a_first_buffer_below_one_step_of_the_window_scale_is_offered_all_the_same() {
    let mut params = TcpParams::freebsd();
    params.receive_buffer = 1 << 30; // a step of 16 KiB
    params.receive_buffer_start = 100;
    let mut world = world(1, params.clone(), params);
    world.run(10_000);
    let read = [world.sides[0].read, world.sides[1].read];
    assert_eq!(read, [RESPONSE, REQUEST], "{}", world.summary());
    let ends = world.sides.iter().filter_map(|s| s.states.last());
    let last = ends.map(|(at, _)| at.as_secs_f64()).fold(0.0, f64::max);
    assert!(last < 1_000.0, "{last} s: {}", world.summary());
}
