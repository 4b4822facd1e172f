//! The time to check a scenario grows linearly with its size, not quadratically.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use scenarios::overrides::Override;
use scenarios::problem::SourceText;
use scenarios::sweep::Plan;

fn checked(text: String) -> Result<Plan, String> {
    let name = "test.toml".into();
    Plan::new(&SourceText { name, text }, &[] as &[Override]).map_err(|e| e.to_string())
}

fn time(text: String) -> Duration {
    let start = Instant::now();
    checked(text).unwrap();
    start.elapsed()
}

/// Four times the size takes less than ten times as long: linear growth would take four times,
/// quadratic sixteen. Other processes may slow down a measurement, so it is repeated.
fn assert_grows_with_size(what: &str, n: usize, text: impl Fn(usize) -> String) {
    let mut ratios = Vec::new();
    for _ in 0..8 {
        let ratio = time(text(4 * n)).as_secs_f64() / time(text(n)).as_secs_f64();
        if ratio < 10.0 {
            return;
        }
        ratios.push(ratio);
    }
    panic!("{what}: four times the size takes {ratios:?} times as long");
}

const LOAD: &str = "[[workload]]\narrivals = { kind = \"fixed\", rate = \"100 /s\" }\n";

fn pair() -> String {
    format!(
        "name = \"x\"\nduration = \"10 s\"\n[topology]\nkind = \"pair\"\npath = {{ delay = \"5 ms\" }}\n{LOAD}"
    )
}

fn listed_hosts(n: usize) -> String {
    let mut text =
        "name = \"x\"\nduration = \"10 s\"\n[topology]\nkind = \"graph\"\n[[topology.router]]\nname = \"hub\"\n"
            .to_owned();
    for i in 0..n {
        let group = ["client", "server"][i % 2];
        let _ = writeln!(
            text,
            "[[topology.host]]\nname = \"h{i}\"\ngroup = \"{group}\""
        );
        let _ = writeln!(
            text,
            "[[topology.link]]\nbetween = [\"h{i}\", \"hub\"]\ndelay = \"1 ms\""
        );
    }
    text + LOAD
}

#[test]
fn a_sweep_of_four_times_the_values_takes_about_four_times_as_long() {
    for (path, unit) in [
        ("workload[0].arrivals.rate", " /s"),
        ("tcp.time_wait", " s"),
        ("topology.path.delay", " ms"),
    ] {
        assert_grows_with_size(path, 250, |n| {
            let values: Vec<String> = (1..=n).map(|i| format!("\"{i}{unit}\"")).collect();
            format!("{}[sweep]\n\"{path}\" = [{}]\n", pair(), values.join(", "))
        });
    }
}

#[test]
fn four_times_the_hosts_take_about_four_times_as_long() {
    assert_grows_with_size("listed hosts", 200, listed_hosts);
    assert_grows_with_size("pairs of a dumbbell", 2_000, |n| {
        format!(
            "name = \"x\"\nduration = \"10 s\"\n[topology]\nkind = \"dumbbell\"\npairs = {n}\n\
             bottleneck = {{ delay = \"5 ms\" }}\n{LOAD}"
        )
    });
    assert_grows_with_size("workloads", 100, |n| {
        let mut text = listed_hosts(2 * n).replace(LOAD, "");
        for i in 0..n {
            let _ = writeln!(
                text,
                "[[workload]]\nname = \"w{i}\"\nclient = \"h{}\"\nserver = \"h{}\"\n\
                 arrivals = {{ kind = \"fixed\", rate = \"1 /s\" }}",
                2 * i,
                2 * i + 1
            );
        }
        text
    });
}

#[test]
fn variants_are_the_same_as_when_each_is_read_alone() {
    let sweep = "[sweep]\n\"topology.path.delay\" = [\"1 ms\", \"2 ms\"]\n\"tcp.time_wait\" = [\"30 s\", \"60 s\"]\n\"workload[0].arrivals.rate\" = [\"10 /s\", \"20 /s\"]\nseed = [1, 2]\n";
    let all = checked(pair() + sweep).unwrap();
    assert_eq!(all.runs.len(), 16);
    for run in &all.runs {
        let source = SourceText {
            name: "x".into(),
            text: pair(),
        };
        let sets: Vec<Override> = run
            .parameters
            .iter()
            .map(|(path, value)| Override::parse(&format!("{path}={value}")).unwrap())
            .collect();
        let alone = Plan::new(&source, &sets).unwrap();
        assert_eq!(alone.runs[0].id, run.id, "{:?}", run.parameters);
        assert_eq!(alone.runs[0].scenario, run.scenario);
    }
}

#[test]
fn the_first_wrong_value_is_reported_with_its_place() {
    let mut values: Vec<String> = (1..2_000).map(|i| format!("\"{i} /s\"")).collect();
    values[1_200] = "\"fast\"".into();
    values[700] = "\"0 /s\"".into();
    let sweep = format!(
        "[sweep]\n\"workload[0].arrivals.rate\" = [{}]\n",
        values.join(", ")
    );
    let message = checked(pair() + &sweep).unwrap_err();
    assert!(
        message.contains("value \"0 /s\" of sweep.\"workload[0].arrivals.rate\""),
        "{message}"
    );
}

#[test]
fn more_hosts_with_several_links_than_routes_have_room_for_are_refused() {
    let text = format!(
        "name = \"x\"\nduration = \"10 s\"\n[topology]\nkind = \"graph\"\n\
         host = [{{ name = \"client\", count = 6000 }}, {{ name = \"server\" }}]\n\
         router = [{{ name = \"a\" }}, {{ name = \"b\" }}]\n\
         link = [{{ between = [\"client\", \"a\"], delay = \"1 ms\" }}, \
         {{ between = [\"client\", \"b\"], delay = \"1 ms\" }}, \
         {{ between = [\"server\", \"a\"], delay = \"1 ms\" }}]\n{LOAD}"
    );
    let message = checked(text).unwrap_err();
    assert!(message.contains("6002 nodes are routers"), "{message}");
    assert!(message.contains("give most hosts one link"), "{message}");
}

/// Values that are valid separately but invalid together, in one table and in two.
#[test]
fn two_values_that_are_illegal_only_together_are_refused_with_both() {
    for (sweep, parts) in [
        (
            "\"workload[0].start\" = [\"1 s\", \"20 s\"]\nduration = [\"30 s\", \"10 s\"]",
            ["starts at 20 s", "the run ends at 10 s"],
        ),
        (
            "duration = [\"30 s\", \"10 s\"]\n\"workload[0].start\" = [\"1 s\", \"20 s\"]\nseed = [1, 2, 3]",
            ["starts at 20 s", "the run ends at 10 s"],
        ),
        (
            "\"tcp.min_rto\" = [\"1 s\", \"50 s\"]\n\"tcp.max_rto\" = [\"60 s\", \"40 s\"]\nseed = [1, 2]",
            ["min_rto", "max_rto"],
        ),
        (
            "\"workload[0].arrivals.rate\" = [\"1 /s\", \"1000000000 /s\"]\nduration = [\"1 s\", \"100 s\"]",
            ["more than the 2^32", "lower the rate"],
        ),
        (
            "\"topology\" = [{ kind = \"pair\", path = { delay = \"1 ms\" } }, { kind = \"dumbbell\", pairs = 2, bottleneck = { delay = \"1 ms\" } }]\n\
             \"workload[0].client\" = [\"client\", \"client-1\"]",
            ["client-1", "host group"],
        ),
    ] {
        let message = checked(pair() + "[sweep]\n" + sweep).unwrap_err();
        for part in parts {
            assert!(message.contains(part), "{sweep}: {message}");
        }
    }
}

#[test]
fn parameters_of_a_group_are_checked_for_the_groups_of_each_topology() {
    let text = pair()
        + "[tcp.host.client]\ntime_wait = \"30 s\"\n[sweep]\n\"tcp.host.client.time_wait\" = [\"1 s\", \"2 s\"]\n\
           topology = [{ kind = \"pair\", path = { delay = \"1 ms\" } }, \
           { kind = \"graph\", host = [{ name = \"a\" }, { name = \"server\" }], link = [{ between = [\"a\", \"server\"], delay = \"1 ms\" }] }]\n";
    let message = checked(text).unwrap_err();
    assert!(message.contains("unknown host group"), "{message}");
}

#[test]
fn hosts_listed_one_by_one_are_refused_beyond_a_number_with_what_to_write() {
    let message = checked(listed_hosts(20_001)).unwrap_err();
    assert!(
        message.contains("topology.host lists 20001 elements; at most 20000")
            && message.contains("count = 100000"),
        "{message}"
    );
    let counted = "name = \"x\"\nduration = \"10 s\"\n[topology]\nkind = \"graph\"\n\
         host = [{ name = \"client\", count = 100000 }, { name = \"server\" }]\n\
         router = [{ name = \"hub\" }]\n\
         link = [{ between = [\"client\", \"hub\"], delay = \"1 ms\" }, { between = [\"server\", \"hub\"], delay = \"1 ms\" }]\n";
    assert_eq!(checked(counted.to_owned() + LOAD).unwrap().runs.len(), 1);
}

#[test]
fn more_combinations_of_values_than_are_checked_in_a_second_are_refused() {
    let axis = |n: usize| {
        (1..=n)
            .map(|i| i.to_string())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let text = format!(
        "{}[sweep]\nseed = [{}]\n\"workload[0].requests\" = [{}]\n",
        pair(),
        axis(251),
        axis(200)
    );
    let message = checked(text).unwrap_err();
    assert!(
        message.contains("251 x 200 combinations of values, more than the 50000"),
        "{message}"
    );
    // Replicas are not checked individually.
    let replicas = pair().replace("[topology]", "replicas = 100000\n[topology]");
    assert_eq!(checked(replicas).unwrap().runs.len(), 100_000);
}

/// Measures wall-clock time: only meaningful in an optimised build on an idle machine.
#[test]
#[ignore = "measures time: cargo test --release -p synfin --test growth -- --ignored"]
fn a_hundred_thousand_runs_or_hosts_are_checked_within_a_second() {
    let numbers = |n: usize, unit: &str| {
        let values: Vec<String> = (1..=n).map(|i| format!("\"{i}{unit}\"")).collect();
        values.join(", ")
    };
    let two_each = pair().replace("[topology]", "replicas = 2\n[topology]");
    let one = |path: &str, unit| {
        let values = numbers(50_000, unit);
        format!("{two_each}[sweep]\n\"{path}\" = [{values}]\n")
    };
    let five = format!(
        "{two_each}[sweep]\n\"workload[0].arrivals.rate\" = [{}]\n\"tcp.time_wait\" = [{}]\n\
         \"topology.path.delay\" = [{}]\nduration = [{}]\nseed = [1, 2, 3, 4, 5]\n",
        numbers(10, " /s"),
        numbers(10, " s"),
        numbers(10, " ms"),
        numbers(10, " s")
    );
    let hosts =
        "name = \"x\"\nduration = \"10 s\"\n[topology]\nkind = \"dumbbell\"\npairs = 50000\n\
         bottleneck = { delay = \"5 ms\" }\n"
            .to_owned()
            + LOAD;
    for (what, text) in [
        ("rates", one("workload[0].arrivals.rate", " /s")),
        ("TIME-WAIT", one("tcp.time_wait", " us")),
        ("delays", one("topology.path.delay", " us")),
        ("five axes", five),
        ("hosts", hosts),
    ] {
        let took = (0..3).map(|_| time(text.clone())).min().unwrap();
        assert!(took < Duration::from_secs(1), "{what}: {took:?}");
    }
}
