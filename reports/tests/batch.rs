//! A batch directory from rows.

use reports::store::ResultDir;
use reports::store::reader::Table;
use reports::{
    Axis, AxisValues, BatchInfo, BatchRow, MetricFigure, RowMetrics, RunStatus, Unit, render_batch,
    write_batch,
};

fn info() -> BatchInfo {
    BatchInfo {
        name: "sweep <of> rates".into(),
        axes: vec![Axis {
            path: "clients.rate".into(),
            values: vec!["300/s".into(), "600/s".into()],
            typed: AxisValues::Numbers {
                unit: Unit::PerSecond,
                values: vec![300.0, 600.0],
            },
            ..Axis::default()
        }],
        ..BatchInfo::default()
    }
}

fn rows() -> Vec<BatchRow> {
    let row = |rate: &str, replica: u32, share: f64| BatchRow {
        id: format!("{}-{replica}", &rate[..3]),
        values: vec![rate.into()],
        seed: 7,
        replica,
        status: RunStatus::Ok,
        message: String::new(),
        metrics: RowMetrics::from([
            ("connects_failed_share".to_owned(), share),
            ("constant".to_owned(), 1.0),
        ]),
    };
    let mut rows = vec![
        row("300/s", 0, 0.0),
        row("300/s", 1, 0.0),
        row("600/s", 0, 0.2),
        row("600/s", 1, 0.3),
        row("600/s", 2, 0.9),
    ];
    rows[4].status = RunStatus::Failed;
    rows[4].message = "disk full, \"sda\"".into();
    rows[4].metrics = RowMetrics::default();
    rows
}

#[test]
fn a_batch_has_an_index_figures_and_a_report() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("batch");
    write_batch(&dir, &info(), &rows()).unwrap();
    let csv = std::fs::read_to_string(dir.join("index.csv")).unwrap();
    let mut lines = csv.lines();
    assert_eq!(
        lines.next(),
        Some(
            "id,clients.rate,clients.rate_per_s,seed,replica,status,message,connects_failed_share,constant"
        )
    );
    assert_eq!(lines.next(), Some("300-0,300/s,300,7,0,ok,,0,1"));
    assert_eq!(
        csv.lines().last(),
        Some("600-2,600/s,600,7,2,failed,\"disk full, \"\"sda\"\"\",,")
    );
    let table = Table::read(&dir, "index").unwrap().unwrap();
    assert_eq!(table.len(), 5);
    assert_eq!(table.floats("connects_failed_share").unwrap()[3], 0.3);
    assert!(table.floats("connects_failed_share").unwrap()[4].is_nan());
    let points = std::fs::read_to_string(dir.join("figures/connects_failed_share.csv")).unwrap();
    // Two replicas: half-width = 12.706 x 0.0707 / sqrt 2 = 0.6353; a share is not below 0.
    let last: Vec<&str> = points.lines().last().unwrap().split(',').collect();
    assert_eq!(last[..4], ["600/s", "2", "0.25", "0"]);
    assert!((last[4].parse::<f64>().unwrap() - 0.8853).abs() < 1e-3);
    assert!(
        !dir.join("figures/constant.svg").exists(),
        "what does not vary is not drawn"
    );
    let page = std::fs::read_to_string(dir.join("report.html")).unwrap();
    assert!(page.contains("4 of 5 runs are complete"));
    assert!(page.contains("disk full") && page.contains("sweep &lt;of&gt; rates"));
}

#[test]
fn a_batch_is_rendered_again_from_its_directory_alone() {
    let tmp = tempfile::tempdir().unwrap();
    let mut info = info();
    info.figures = vec![MetricFigure {
        metric: "connects_failed_share".into(),
        x: "clients.rate".into(),
        ..MetricFigure::default()
    }];
    let dir = tmp.path().join("batch");
    let ids = rows().into_iter().map(|row| row.id).collect();
    let mut place = ResultDir::claim_for_batch(&dir, ids, false).unwrap();
    place
        .change(|_| false, true, |aside| write_batch(aside, &info, &rows()))
        .unwrap();
    drop(place);
    let name = "figures/connects_failed_share-by-clients.rate.svg";
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
    let (page, figure) = (read("report.html"), read(name));
    std::fs::remove_dir_all(dir.join("figures")).unwrap();
    std::fs::remove_file(dir.join("report.html")).unwrap();
    render_batch(&dir).unwrap();
    assert!(read("report.html") == page && read(name) == figure);
}

#[test]
fn a_batch_of_nothing_still_has_a_report() {
    let tmp = tempfile::tempdir().unwrap();
    write_batch(tmp.path(), &BatchInfo::default(), &[]).unwrap();
    assert!(tmp.path().join("report.html").exists());
    assert!(render_batch(&tmp.path().join("none")).is_err());
}

/// Three axes, `replicas` runs of each combination; the goodput is the rate.
fn three_axes(replicas: u32) -> (BatchInfo, Vec<BatchRow>) {
    let axis = |path: &str, values: [&str; 2], typed: AxisValues| Axis {
        path: path.into(),
        values: values.map(str::to_owned).to_vec(),
        typed,
        ..Axis::default()
    };
    let quantities = |unit, values: [f64; 2]| AxisValues::Numbers {
        unit,
        values: values.to_vec(),
    };
    let axes = vec![
        axis(
            "topology.bottleneck.rate",
            ["1 Mbit/s", "100 Mbit/s"],
            quantities(Unit::BitsPerSecond, [1e6, 1e8]),
        ),
        axis(
            "tcp.sack",
            ["false", "true"],
            AxisValues::Switches(vec![false, true]),
        ),
        axis(
            "topology.bottleneck.delay",
            ["5 ms", "20 ms"],
            quantities(Unit::Seconds, [0.005, 0.02]),
        ),
    ];
    let mut rows = Vec::new();
    for place in 0..8 {
        for replica in 0..replicas {
            let at = [place / 4, place / 2 % 2, place % 2];
            let goodput = [1e6, 1e8][at[0]] / (1 + at[2]) as f64 * (1.0 + 0.1 * f64::from(replica));
            rows.push(BatchRow {
                id: format!("{place}-{replica}"),
                values: axes
                    .iter()
                    .zip(at)
                    .map(|(a, i)| a.values[i].clone())
                    .collect(),
                replica,
                status: RunStatus::Ok,
                metrics: RowMetrics::from([("goodput_bps".to_owned(), goodput)]),
                ..BatchRow::default()
            });
        }
    }
    let info = BatchInfo {
        name: "three axes".into(),
        axes,
        figures: vec![MetricFigure {
            name: "goodput".into(),
            metric: "goodput_bps".into(),
            x: "topology.bottleneck.rate".into(),
            series: "tcp.sack".into(),
            ..MetricFigure::default()
        }],
        ..BatchInfo::default()
    };
    (info, rows)
}

#[test]
fn points_of_other_axes_are_not_pooled_but_drawn_in_panels() {
    let tmp = tempfile::tempdir().unwrap();
    let (info, rows) = three_axes(1);
    write_batch(tmp.path(), &info, &rows).unwrap();
    let read = |name: &str| std::fs::read_to_string(tmp.path().join(name)).unwrap();
    let svg = read("figures/goodput.svg");
    for title in ["bottleneck delay = 5 ms", "bottleneck delay = 20 ms"] {
        assert!(svg.contains(title), "{title}");
    }
    let csv = read("figures/goodput.csv");
    assert_eq!(
        csv.lines().next(),
        Some("topology.bottleneck.rate,tcp.sack,topology.bottleneck.delay,n,mean,low,high")
    );
    assert_eq!(
        csv.lines().count(),
        9,
        "a point for each combination: {csv}"
    );
    assert!(
        csv.contains("100 Mbit/s,true,20 ms,1,50000000,,"),
        "no interval: {csv}"
    );
    let page = read("report.html");
    assert!(page.contains("Points are single runs: no intervals."));
    assert!(!page.contains("means over"), "nothing is a mean");

    let (info, rows) = three_axes(3);
    let with_replicas = tmp.path().join("with-replicas");
    write_batch(&with_replicas, &info, &rows).unwrap();
    let page = std::fs::read_to_string(with_replicas.join("report.html")).unwrap();
    assert!(page.contains("Points are means over 3 replicas, bars their 95 % intervals."));
}

#[test]
fn where_holds_an_axis_at_one_value() {
    let tmp = tempfile::tempdir().unwrap();
    let (mut info, rows) = three_axes(1);
    info.figures[0].only = vec![("topology.bottleneck.delay".into(), "20 ms".into())];
    write_batch(tmp.path(), &info, &rows).unwrap();
    let csv = std::fs::read_to_string(tmp.path().join("figures/goodput.csv")).unwrap();
    assert_eq!(csv.lines().count(), 5, "{csv}");
    let page = std::fs::read_to_string(tmp.path().join("report.html")).unwrap();
    assert!(page.contains("Only runs with bottleneck delay = 20 ms."));
}

#[test]
fn the_index_has_swept_values_as_typed_columns_in_base_units() {
    let tmp = tempfile::tempdir().unwrap();
    let (info, rows) = three_axes(1);
    write_batch(tmp.path(), &info, &rows).unwrap();
    let table = Table::read(tmp.path(), "index").unwrap().unwrap();
    let rates = table.floats("topology.bottleneck.rate_bps").unwrap();
    assert_eq!((rates[0], rates[7]), (1e6, 1e8));
    assert_eq!(
        table.texts("topology.bottleneck.rate").unwrap()[0],
        "1 Mbit/s"
    );
    assert_eq!(
        table.floats("topology.bottleneck.delay_s").unwrap()[1],
        0.02
    );
    assert!(table.bools("tcp.sack").unwrap()[2]);
    let csv = std::fs::read_to_string(tmp.path().join("index.csv")).unwrap();
    assert!(csv.starts_with(
        "id,topology.bottleneck.rate,topology.bottleneck.rate_bps,tcp.sack,topology.bottleneck.delay,topology.bottleneck.delay_s,seed"
    ));
    assert!(
        csv.contains("\n7-0,100 Mbit/s,100000000,true,20 ms,0.02,"),
        "{csv}"
    );
}
