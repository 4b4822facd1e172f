//! Names of swept values: one parameter under several names, blanks, and what cannot be swept.

use super::*;

/// The plan of a small scenario, with more keys before `[topology]`.
fn plan_of(more: &str, sets: &[&str]) -> Result<Plan, String> {
    let text = format!(
        "name = \"t\"\nduration = \"1 s\"\n{more}\n[topology]\nkind = \"pair\"\npath = {{ delay = \
         \"1 ms\" }}\n[[workload]]\narrivals = {{ kind = \"burst\", count = 1 }}\n"
    );
    let source = SourceText {
        name: "t.toml".to_owned(),
        text,
    };
    let sets: Vec<Override> = sets.iter().map(|s| Override::parse(s).unwrap()).collect();
    Plan::new(&source, &sets).map_err(|refused| refused.to_string())
}

/// Lengths of FIN-WAIT-2 of all runs, in seconds.
fn fin_timeouts(plan: &Plan) -> Vec<f64> {
    let runs = plan.runs.iter();
    runs.map(|r| {
        r.scenario
            .tcp
            .base
            .params
            .fin_timeout
            .map_or(0.0, |d| d.as_secs_f64())
    })
    .collect()
}

#[test]
fn a_parameter_in_tcp_is_swept_under_another_of_its_names() {
    let table = "[tcp]\ntcp_fin_timeout = \"30 s\"\n";
    for name in [
        "tcp.fin_timeout",
        "tcp.tcp_fin_timeout",
        "net.ipv4.tcp_fin_timeout",
    ] {
        let plan = plan_of(
            &format!("{table}[sweep]\n\"{name}\" = [\"10 s\", \"20 s\"]"),
            &[],
        );
        assert_eq!(fin_timeouts(&plan.unwrap()), [10.0, 20.0], "{name}");
    }
    let numbers = plan_of("[sweep]\n\"net.ipv4.tcp_fin_timeout\" = [10, 20]", &[]).unwrap();
    assert_eq!(fin_timeouts(&numbers), [10.0, 20.0]);
}

#[test]
fn the_command_line_wins_under_any_name_of_a_parameter() {
    let swept =
        "[tcp]\nfin_timeout = \"30 s\"\n[sweep]\n\"tcp.tcp_fin_timeout\" = [\"10 s\", \"20 s\"]";
    for set in [
        "net.ipv4.tcp_fin_timeout=5",
        "tcp_fin_timeout=5 s",
        " tcp.fin_timeout =5 s",
    ] {
        let plan = plan_of(swept, &[set]).unwrap();
        assert_eq!(
            (fin_timeouts(&plan), plan.axes.len()),
            (vec![5.0], 0),
            "{set}"
        );
    }
    let twice = &["tcp.fin_timeout=5 s", "tcp.tcp_fin_timeout=6 s"];
    assert_eq!(
        fin_timeouts(&plan_of("", twice).unwrap()),
        [6.0],
        "the later one"
    );
}

#[test]
fn one_parameter_under_two_names_is_an_error_that_names_both() {
    let table = "[tcp]\nfin_timeout = \"30 s\"\ntcp_fin_timeout = \"60 s\"";
    let message = plan_of(table, &[]).unwrap_err();
    assert!(
        message.contains("`fin_timeout` and `tcp_fin_timeout`"),
        "{message}"
    );
    let axes = "[sweep]\n\"tcp.fin_timeout\" = [\"1 s\"]\n\"net.ipv4.tcp_fin_timeout\" = [2]";
    let message = plan_of(axes, &[]).unwrap_err();
    assert!(message.contains("swept twice"), "{message}");
}

#[test]
fn a_blank_does_not_get_around_a_ban_or_a_limit() {
    for axis in [
        "\" replicas\"",
        "\"replicas \"",
        "replicas",
        "\"\\treplicas\"",
        "\" sweep.x\"",
        "name",
    ] {
        let message = plan_of(&format!("[sweep]\n{axis} = [1, 2]"), &[]).unwrap_err();
        assert!(message.contains("cannot be swept"), "{axis}: {message}");
    }
    for set in [" replicas=100001", "replicas =100001", "replicas=100001"] {
        let message = plan_of("", &[set]).unwrap_err();
        assert!(message.contains("choose 1 to 100000"), "{set}: {message}");
    }
    let blank = plan_of(
        "[sweep]\n\" duration\" = [\"1 s\", \"2 s\"]",
        &[" duration=3 s"],
    )
    .unwrap();
    assert_eq!(blank.runs.len(), 1, "set and swept are the same value");
}

#[test]
fn a_figure_may_name_an_axis_by_another_name() {
    let text = "[sweep]\n\"tcp.tw_reuse\" = [true, false]\n[[figure]]\nname = \"f\"\nx = \
                \"net.ipv4.tcp_tw_reuse\"\ny = \"connects_failed\"";
    let plan = plan_of(text, &[]).unwrap();
    assert_eq!(plan.figures[0].x, "tcp.tw_reuse");
}

const VARIANTS: &str = "[tcp]\nfin_timeout = \"30 s\"\n[[variant]]\nname = \"as it is\"\n[[variant]]\nname = \
     \"short\"\nset = { \"net.ipv4.tcp_fin_timeout\" = 5, duration = \"2 s\" }\n";

#[test]
fn variants_are_alternatives_that_meet_every_combination_of_the_sweep() {
    let swept = format!("{VARIANTS}[sweep]\nseed = {{ from = 1, to = 2, step = 1 }}");
    let plan = plan_of(&swept, &[]).unwrap();
    let names: Vec<&str> = plan.axes.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names, ["variant", "seed"]);
    assert_eq!(fin_timeouts(&plan), [30.0, 30.0, 5.0, 5.0]);
    let seconds: Vec<f64> = plan
        .runs
        .iter()
        .map(|r| r.scenario.duration.as_secs_f64())
        .collect();
    assert_eq!(seconds, [1.0, 1.0, 2.0, 2.0]);
    let of = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let of_third = [of("variant", "short"), of("seed", "1")];
    assert_eq!(plan.runs[2].parameters, of_third);
    // Each run is self-contained: its run.toml has no variants and gives the same run.
    let text = plan.runs[2].text();
    let source = SourceText {
        name: "run.toml".to_owned(),
        text,
    };
    let again = Plan::new(&source, &[]).unwrap();
    assert_eq!(again.runs[0].id, plan.runs[2].id);
    assert_eq!(again.runs[0].parameters, of_third);
}

#[test]
fn no_variant_changes_what_the_command_line_sets() {
    let plan = plan_of(VARIANTS, &["tcp.fin_timeout=7 s"]).unwrap();
    assert_eq!(fin_timeouts(&plan), [7.0, 7.0]);
}

/// A variant that the command line makes the same as another is left out; where only some of its runs are the same, or
/// nothing was set, this is a mistake.
#[test]
fn variants_that_the_command_line_makes_equal_are_left_out() {
    let swept = format!("{VARIANTS}[sweep]\nseed = {{ from = 1, to = 2, step = 1 }}");
    let plan = plan_of(&swept, &["tcp.fin_timeout=7 s", "duration=3 s"]).unwrap();
    assert_eq!(plan.runs.len(), 2, "one for each seed");
    assert_eq!((plan.axes[0].values.len(), plan.axes[0].sets.len()), (1, 1));
    let names: Vec<(&str, &str)> = plan
        .twins
        .iter()
        .map(|twin| (twin.name.as_str(), twin.of.as_str()))
        .collect();
    assert_eq!(names, [("short", "as it is")]);
    let third = format!(
        "{VARIANTS}\n[[variant]]\nname = \"shorter\"\nset = {{ \"tcp.fin_timeout\" = \"1 s\" }}\n"
    );
    let plan = plan_of(&third, &["duration=3 s"]).unwrap();
    assert_eq!((plan.axes[0].values.len(), plan.twins.len()), (3, 0));
    let twin = format!("{VARIANTS}\n[[variant]]\nname = \"again\"\n");
    let message = plan_of(&twin, &[]).unwrap_err();
    assert!(
        message.contains("two runs of the sweep are the same"),
        "{message}"
    );
}

#[test]
fn variants_without_a_name_or_with_a_ban_are_refused() {
    for (more, part) in [
        ("[[variant]]\nname = \" \"", "has no name"),
        (
            "[[variant]]\nname = \"a\"\n[[variant]]\nname = \"a\"",
            "two variants have the name",
        ),
        (
            "[[variant]]\nname = \"a\"\nset = { replicas = 3 }",
            "cannot be swept",
        ),
        (
            "[[variant]]\nname = \"a\"\nset = { variant = [] }",
            "cannot be swept",
        ),
        (
            "[[variant]]\nname = \"a\"\nset = { seed = 3 }\n[sweep]\nseed = [1, 2]",
            "set by [sweep] too",
        ),
        (
            "[[variant]]\nname = \"a\"\nset = { \"tcp.fin_timeout\" = 3, \"net.ipv4.tcp_fin_timeout\" = 4 }",
            "set by it twice",
        ),
        (
            "[[variant]]\nname = \"a\"\nset = { \"tcp.fin_timeuot\" = 3 }",
            "did you mean `fin_timeout`",
        ),
        ("[sweep]\nvariant = [\"a\"]", "cannot be swept"),
    ] {
        let message = plan_of(more, &[]).unwrap_err();
        assert!(message.contains(part), "{more}: {message}");
    }
}

#[test]
fn tables_of_a_variant_are_merged_and_models_are_set_as_a_whole() {
    let more = "[tcp]\ncongestion = { kind = \"cubic\", beta = 0.5 }\n[[variant]]\nname = \"a\"\nset.tcp = { \
                fin_timeout = \"9 s\", congestion = { kind = \"cubic\" } }";
    let plan = plan_of(more, &[]).unwrap();
    assert_eq!(fin_timeouts(&plan), [9.0]);
    let text = plan.runs[0].text();
    assert!(!text.contains("beta = 0.5"), "{text}");
}

#[test]
fn expectations_have_metrics_bounds_and_units() {
    let expecting = |expect: &str| plan_of(&format!("[[expect]]\n{expect}"), &[]);
    let plan =
        expecting("metric = \"connect_latency_p99_s\"\nbelow = \"20 ms\"\nabove = 0").unwrap();
    assert_eq!(plan.expectations[0].below, Some(0.02));
    assert_eq!(plan.expectations[0].above, Some(0.0));
    assert_eq!(plan.runs[0].expectations, plan.expectations);
    for (expect, part) in [
        (
            "metric = \"connects_failed_shar\"\nbelow = 1",
            "did you mean",
        ),
        ("metric = \"connects_failed_share\"", "has no bound"),
        (
            "metric = \"goodput_bps\"\nbelow = \"20 ms\"",
            "is not a bound for goodput_bps",
        ),
        ("metric = \"goodput_bps\"\nbelow = nan", "is not a bound"),
        (
            "metric = \"goodput_bps\"\nbelow = 1\nabove = 2",
            "no value meets",
        ),
        (
            "metric = \"goodput_bps\"\nbelow = 2\nat_least = 2",
            "no value meets",
        ),
        (
            "metric = \"goodput_bps\"\nbelow = 2\nwhere = { seed = 1 }",
            "swept path",
        ),
        (
            "metric = \"goodput_bps\"\nbelow = 2\nwhere = { seed = 3 }\n[sweep]\nseed = [1, 2]",
            "is never 3",
        ),
    ] {
        let message = expecting(expect).unwrap_err();
        assert!(message.contains(part), "{expect}: {message}");
    }
    let exact = "metric = \"goodput_bps\"\nat_least = 2\nat_most = 2\nwhere = { seed = 2 }\n[sweep]\nseed = [1, 2]";
    let plan = expecting(exact).unwrap();
    assert_eq!(
        plan.expectations[0].only,
        [("seed".to_owned(), "2".to_owned())]
    );
    assert!(
        plan.runs.iter().all(|r| r.expectations.is_empty()),
        "the batch judges"
    );
}

/// The values of all runs, as `name=value` with the last part of the name.
fn values(plan: &Plan) -> Vec<String> {
    let of = |run: &RunSpec| {
        let each = run.parameters.iter();
        let each =
            each.map(|(path, value)| format!("{}={value}", path.rsplit('.').next().unwrap()));
        each.collect::<Vec<_>>().join(" ")
    };
    plan.runs.iter().map(of).collect()
}

#[test]
fn lists_under_together_change_in_step() {
    let text = "[sweep]\n\"tcp.tw_reuse\" = [false, true]\n[[sweep.together]]\n\
                \"tcp.fin_timeout\" = [\"1 s\", \"1 s\", \"2 s\"]\n\
                \"topology.path.delay\" = [\"3 ms\", \"4 ms\", \"5 ms\"]";
    let plan = plan_of(text, &[]).unwrap();
    let expected = [
        "tw_reuse=false delay=3 ms fin_timeout=1 s",
        "tw_reuse=false delay=4 ms fin_timeout=1 s",
        "tw_reuse=false delay=5 ms fin_timeout=2 s",
        "tw_reuse=true delay=3 ms fin_timeout=1 s",
        "tw_reuse=true delay=4 ms fin_timeout=1 s",
        "tw_reuse=true delay=5 ms fin_timeout=2 s",
    ];
    assert_eq!(values(&plan), expected);
    assert_eq!(fin_timeouts(&plan), [1.0, 1.0, 2.0, 1.0, 1.0, 2.0]);
    // Values fixed on the command line no longer vary, but the others do.
    let fixed = plan_of(text, &["topology.path.delay=9 ms", "tcp.tw_reuse=true"]);
    assert!(fixed.unwrap_err().contains("cannot be distinguished"));
    let fixed = plan_of(text, &["tcp.fin_timeout=9 s", "tcp.tw_reuse=true"]).unwrap();
    assert_eq!(values(&fixed), ["delay=3 ms", "delay=4 ms", "delay=5 ms"]);
    for (text, part) in [
        (
            "[[sweep.together]]\n\"tcp.tw_reuse\" = [false, true]\n\"seed\" = [1]",
            "of equal length",
        ),
        ("[sweep]\ntogether = 3", "list of tables"),
        (
            "[sweep]\nseed = [1, 2]\n[[sweep.together]]\nseed = [3, 4]\n\"tcp.tw_reuse\" = [false, true]",
            "swept twice",
        ),
    ] {
        let message = plan_of(text, &[]).unwrap_err();
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn conditions_choose_among_the_combinations() {
    let grid = "\"tcp.tw_reuse\" = [false, true]\n\"topology.path.delay\" = [\"1 ms\", \"10 ms\", \"100 ms\"]";
    let plan = |more: &str| plan_of(&format!("[sweep]\n{more}\n{grid}"), &[]);
    let left = plan("exclude = \"tw_reuse && delay > '5 ms'\"").unwrap();
    assert_eq!(
        values(&left),
        [
            "tw_reuse=false delay=1 ms",
            "tw_reuse=false delay=10 ms",
            "tw_reuse=false delay=100 ms",
            "tw_reuse=true delay=1 ms",
        ]
    );
    let left =
        plan("constraint = [\"tw_reuse == (delay < 0.005)\", \"delay != '100 ms'\"]").unwrap();
    assert_eq!(
        values(&left),
        ["tw_reuse=false delay=10 ms", "tw_reuse=true delay=1 ms"]
    );
    // The identity of a run does not depend on the other runs of the batch.
    let all = plan("").unwrap();
    assert_eq!(left.runs[0].id, all.runs[1].id);
    for (more, part) in [
        ("exclude = true", "list of conditions"),
        ("exclude = \"dely > 1\"", "did you mean"),
        (
            "constraint = \"delay > 1000\"",
            "exclude all 6 combinations",
        ),
        ("exclude = \"delay > '3 /s'\"", "different kinds"),
    ] {
        let message = plan(more).unwrap_err();
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn samples_are_drawn_from_ranges_and_lists() {
    let text = |method: &str| {
        format!(
            "[sweep.sample]\nmethod = \"{method}\"\ncount = 32\n[sweep.sample.over]\n\
             \"topology.path.delay\" = {{ from = \"1 ms\", to = \"100 ms\", scale = \"log\" }}\n\
             \"tcp.tw_reuse\" = [false, true]"
        )
    };
    for method in ["random", "latin-hypercube", "sobol"] {
        let plan = plan_of(&text(method), &[]).unwrap();
        assert_eq!(plan.runs.len(), 32, "{method}");
        assert_eq!(plan.axes[0].name, "sample");
        let reuse = values(&plan);
        let reuse = reuse.iter().filter(|v| v.contains("tw_reuse=true"));
        let reuse = reuse.count();
        assert!(
            if method == "random" {
                (6..=26).contains(&reuse)
            } else {
                reuse == 16
            },
            "{reuse}"
        );
        let delays = plan.axes[0].for_report();
        let reports::AxisValues::Numbers { unit, values } = &delays.companions[1].typed else {
            panic!("{delays:?}");
        };
        assert_eq!(*unit, reports::Unit::Seconds);
        assert!(values.iter().all(|v| (0.001..=0.1).contains(v)));
        let below = values.iter().filter(|v| **v < 0.01).count();
        assert!(
            if method == "random" {
                (6..=26).contains(&below)
            } else {
                below == 16
            },
            "{below}"
        );
    }
    let same = |a: &Plan, b: &Plan| a.runs.iter().zip(&b.runs).all(|(a, b)| a.id == b.id);
    let [one, again] = [(); 2].map(|()| plan_of(&text("sobol"), &[]).unwrap());
    assert!(same(&one, &again));
    for (text, part) in [
        ("[sweep.sample]\ncount = 3", "random"),
        ("[sweep.sample]\nmethod = \"sobol\"\ncount = 0", "from 1 to"),
        (
            "[sweep.sample]\nmethod = \"sobol\"\ncount = 4",
            "at least one range",
        ),
        (
            "[sweep.sample]\nmethod = \"sobol\"\ncount = 4\n[sweep.sample.over]\nseed = { from = 1, to = 3, count = 2 }",
            "since values are drawn from it",
        ),
        (
            "[sweep.sample]\nmethod = \"sobol\"\ncount = 4\n[sweep.sample.over]\nseed = 7",
            "a range or a list",
        ),
    ] {
        let message = plan_of(text, &[]).unwrap_err();
        assert!(message.contains(part), "{message}");
    }
}
