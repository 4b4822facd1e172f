use super::*;
use crate::batch::{AxisValues, Unit};

#[test]
fn a_failing_figure_affects_no_other() {
    let wanted = ["failed", "panics", "refused", "peak"].map(|name| MetricFigure {
        name: name.into(),
        metric: "time_wait_peak".into(),
        ..MetricFigure::default()
    });
    let rows: Vec<BatchRow> = ["1 s", "2 s"]
        .map(|value| BatchRow {
            values: vec![value.into()],
            status: crate::batch::RunStatus::Ok,
            metrics: [("time_wait_peak".into(), 5.0)].into(),
            ..BatchRow::default()
        })
        .into();
    let info = BatchInfo {
        axes: vec![axis(&["1 s", "2 s"], AxisValues::Names)],
        ..BatchInfo::default()
    };
    let drawn = each(&wanted, |wanted| match wanted.name.as_str() {
        "panics" => panic!("no rows"),
        "refused" => Err(StoreError::Figure {
            figure: "refused".into(),
            why: "too wide".into(),
        }),
        _ => figure(&info, &rows, wanted, Language::English),
    });
    let names: Vec<&str> = drawn.figures.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["failed", "peak"]);
    let failed = [
        "figure panics: batch.json cannot be used",
        "figure refused: cannot draw refused: too wide",
    ];
    assert_eq!(drawn.failed.len(), 2);
    for (reason, begins) in drawn.failed.iter().zip(failed) {
        assert!(reason.starts_with(begins), "{reason}");
    }
}

#[test]
fn counts_over_steady_windows_of_different_length_are_not_drawn() {
    let draw = |metric: &str, lengths: [f64; 2]| {
        let rows = ["1 s", "2 s"].into_iter().zip(lengths);
        let rows = rows.map(|(value, length)| BatchRow {
            values: vec![value.into()],
            status: crate::batch::RunStatus::Ok,
            metrics: [
                (metric.to_owned(), 0.5),
                ("steady_from_s".into(), 10.0),
                ("steady_to_s".into(), 10.0 + length),
            ]
            .into(),
            ..BatchRow::default()
        });
        let info = BatchInfo {
            axes: vec![axis(&["1 s", "2 s"], AxisValues::Names)],
            figures: vec![MetricFigure {
                name: "count".into(),
                metric: metric.into(),
                ..MetricFigure::default()
            }],
            ..BatchInfo::default()
        };
        figures(&info, &rows.collect::<Vec<_>>(), &[], Language::English)
    };
    let drawn = draw("connects_failed_steady", [50.0, 60.0]);
    assert_eq!(drawn.figures, []);
    assert!(
        drawn.failed[0].contains("their lengths differ")
            && drawn.failed[0].contains("connects_failed_share_steady"),
        "{:?}",
        drawn.failed
    );
    assert_eq!(draw("connects_failed_steady", [50.0; 2]).figures.len(), 1);
    let share = draw("connects_failed_share_steady", [50.0, 60.0]);
    assert_eq!(share.figures.len(), 1);
}

fn axis(values: &[&str], typed: AxisValues) -> Axis {
    Axis {
        path: "p".into(),
        values: values.iter().map(|v| (*v).to_owned()).collect(),
        typed,
        ..Axis::default()
    }
}

#[test]
fn numbers_have_a_scale_and_everything_else_is_a_category() {
    let numbers = AxisValues::Numbers {
        unit: Unit::Seconds,
        values: vec![0.005, 0.02],
    };
    let delays = AxisScale::of(&axis(&["5 ms", "20 ms"], numbers));
    assert_eq!(
        (delays.places.as_slice(), delays.unit),
        (&[5.0, 20.0][..], "ms")
    );
    assert!(delays.names.is_empty());
    let switch = AxisScale::of(&axis(
        &["false", "true"],
        AxisValues::Switches(vec![false, true]),
    ));
    assert_eq!((switch.ends(), switch.names.len()), ((-0.5, 1.5), 2));
    let names = AxisScale::of(&axis(&["cubic", "bbr", "newreno"], AxisValues::Names));
    assert_eq!(
        (names.places.as_slice(), names.ends()),
        (&[0.0, 1.0, 2.0][..], (-0.5, 2.5))
    );
    assert_eq!(
        AxisScale::of(&axis(&[], AxisValues::Names)).ends(),
        (-0.5, -0.5)
    );
}

/// A variant without the metric has no point: the caption says why, and does not blame variants without runs.
#[test]
fn a_caption_names_the_categories_without_a_value() {
    let row = |value: &str, timed_out: Option<f64>| BatchRow {
        values: vec![value.into()],
        status: crate::batch::RunStatus::Ok,
        metrics: timed_out
            .map(|at| ("ended_timed_out_last_s".to_owned(), at))
            .into_iter()
            .collect::<BTreeMap<_, _>>()
            .into(),
        ..BatchRow::default()
    };
    let info = BatchInfo {
        axes: vec![axis(
            &["nothing", "keep-alive", "not run"],
            AxisValues::Names,
        )],
        ..BatchInfo::default()
    };
    let wanted = MetricFigure {
        metric: "ended_timed_out_last_s".into(),
        ..MetricFigure::default()
    };
    let caption = |rows: &[BatchRow], language| {
        let drawn = figure(&info, rows, &wanted, language).unwrap().unwrap();
        drawn.caption
    };
    let rows = [row("nothing", None), row("keep-alive", Some(90.0))];
    let english = caption(&rows, Language::English);
    assert!(
        english.ends_with(" No value where none timed out: \"nothing\"."),
        "{english}"
    );
    let chinese = caption(&rows, Language::Chinese);
    assert!(chinese.ends_with(" 没有值：\"nothing\"。"), "{chinese}");
    let all = caption(&rows[1..], Language::English);
    assert!(!all.contains("No value"), "{all}");
}
