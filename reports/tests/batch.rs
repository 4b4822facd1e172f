//! A batch directory from rows.

use std::collections::BTreeMap;

use reports::store::reader::Table;
use reports::{Axis, BatchInfo, BatchRow, MetricFigure, render_batch, write_batch};

fn info() -> BatchInfo {
    BatchInfo {
        name: "sweep <of> rates".into(),
        axes: vec![Axis {
            path: "clients.rate".into(),
            values: vec!["300/s".into(), "600/s".into()],
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
        status: "ok".into(),
        message: String::new(),
        metrics: BTreeMap::from([
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
    rows[4].status = "failed".into();
    rows[4].message = "disk full, \"sda\"".into();
    rows[4].metrics.clear();
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
        Some("id,clients.rate,seed,replica,status,message,connects_failed_share,constant")
    );
    assert_eq!(lines.next(), Some("300-0,300/s,7,0,ok,,0,1"));
    assert_eq!(
        csv.lines().last(),
        Some("600-2,600/s,7,2,failed,\"disk full, \"\"sda\"\"\",,")
    );
    let table = Table::read(&dir, "index").unwrap().unwrap();
    assert_eq!(table.len(), 5);
    assert_eq!(table.floats("connects_failed_share").unwrap()[3], 0.3);
    assert!(table.floats("connects_failed_share").unwrap()[4].is_nan());
    let points = std::fs::read_to_string(dir.join("figures/connects_failed_share.csv")).unwrap();
    // Two replicas: half-width = 12.706 x 0.0707 / sqrt 2 = 0.6353.
    let last: Vec<&str> = points.lines().last().unwrap().split(',').collect();
    assert_eq!(last[..4], ["600/s", "", "2", "0.25"]);
    assert!((last[5].parse::<f64>().unwrap() - 0.8853).abs() < 1e-3);
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
    write_batch(tmp.path(), &info, &rows()).unwrap();
    let name = "figures/connects_failed_share-by-clients.rate.svg";
    let read = |name: &str| std::fs::read_to_string(tmp.path().join(name)).unwrap();
    let (page, figure) = (read("report.html"), read(name));
    std::fs::remove_dir_all(tmp.path().join("figures")).unwrap();
    std::fs::remove_file(tmp.path().join("report.html")).unwrap();
    render_batch(tmp.path()).unwrap();
    assert!(read("report.html") == page && read(name) == figure);
}

#[test]
fn a_batch_of_nothing_still_has_a_report() {
    let tmp = tempfile::tempdir().unwrap();
    write_batch(tmp.path(), &BatchInfo::default(), &[]).unwrap();
    assert!(tmp.path().join("report.html").exists());
    assert!(render_batch(&tmp.path().join("none")).is_err());
}
