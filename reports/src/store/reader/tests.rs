use super::*;
use crate::store::table::{ColumnKind, SharedText, TableWriter};

const COLUMNS: &[(&str, ColumnKind)] = &[
    ("n", ColumnKind::Int),
    ("x_s", ColumnKind::Float),
    ("maybe_s", ColumnKind::OptFloat),
    ("flag", ColumnKind::Bool),
    ("name", ColumnKind::Text),
];

fn write(dir: &Path, rows: i64) {
    let mut table = TableWriter::create(dir, "t", COLUMNS).unwrap();
    let names = ["a", "b"].map(SharedText::from);
    for i in 0..rows {
        let maybe = (i % 3 != 0).then_some(i as f64 * 2.0);
        table
            .row()
            .int(i)
            .float(i as f64 / 4.0)
            .opt(maybe)
            .bool(i % 2 == 0)
            .text(&names[i as usize % 2])
            .end()
            .unwrap();
    }
    table.close().unwrap();
}

#[test]
fn a_table_of_several_row_groups_is_read_back() {
    let tmp = tempfile::tempdir().unwrap();
    let n = 150_000;
    write(tmp.path(), n);
    let t = Table::read(tmp.path(), "t").unwrap().unwrap();
    assert_eq!(t.len(), n as usize);
    for i in [0, 1, 65_535, 65_536, 65_537, 149_999] {
        assert_eq!(t.ints("n").unwrap()[i], i as i64);
        assert_eq!(t.floats("x_s").unwrap()[i], i as f64 / 4.0);
        let maybe = t.floats("maybe_s").unwrap()[i];
        assert!(if i % 3 == 0 {
            maybe.is_nan()
        } else {
            maybe == i as f64 * 2.0
        });
        assert_eq!(t.bools("flag").unwrap()[i], i % 2 == 0);
        assert_eq!(t.texts("name").unwrap()[i], ["a", "b"][i % 2]);
    }
    assert!(t.ints("name").is_err() && t.texts("none").is_err());
}

#[test]
fn columns_read_side_by_side_are_those_read_one_by_one() {
    let tmp = tempfile::tempdir().unwrap();
    write(tmp.path(), 200_000);
    let open = || Groups::open(tmp.path(), "t", &[]).unwrap().unwrap();
    let read = |mut groups: Groups| {
        let mut all = Vec::new();
        while let Some(group) = groups.next_group().unwrap() {
            let numbers = group.ints("n").unwrap().to_vec();
            let times = group.floats("x_s").unwrap().to_vec();
            let missing: Vec<u64> = group
                .floats("maybe_s")
                .unwrap()
                .iter()
                .map(|x| x.to_bits())
                .collect();
            let flags = group.bools("flag").unwrap().to_vec();
            let texts = group.texts("name").unwrap();
            let texts: Vec<String> = (0..group.len()).map(|i| texts[i].clone()).collect();
            all.push((numbers, times, missing, flags, texts));
        }
        all
    };
    let one_by_one = read(open());
    assert_eq!(one_by_one.len(), 4);
    let several: Vec<_> = (0..4)
        .into_par_iter()
        .map(|_| read(open().side_by_side()))
        .collect();
    assert!(several.iter().all(|all| *all == one_by_one));
}

#[test]
fn row_groups_come_one_by_one_with_the_columns_asked_for() {
    let tmp = tempfile::tempdir().unwrap();
    write(tmp.path(), 150_000);
    let mut groups = Groups::open(tmp.path(), "t", &["n", "name"])
        .unwrap()
        .unwrap();
    assert_eq!(groups.rows(), 150_000);
    let mut lens = Vec::new();
    while let Some(group) = groups.next_group().unwrap() {
        assert_eq!(
            group.ints("n").unwrap()[0],
            lens.iter().sum::<usize>() as i64
        );
        assert!(group.texts("name").is_ok() && group.floats("x_s").is_err());
        lens.push(group.len());
    }
    assert_eq!(lens, [65_536, 65_536, 18_928]);
    let error = Groups::open(tmp.path(), "t", &["none"]).unwrap_err();
    assert!(error.to_string().contains("no usable column"), "{error}");
}

#[test]
fn row_groups_without_a_wanted_connection_are_passed_over() {
    let tmp = tempfile::tempdir().unwrap();
    let mut table = TableWriter::create(tmp.path(), "c", &[("conn", ColumnKind::Int)]).unwrap();
    for i in 0..200_000 {
        table.row().int(i).end().unwrap();
    }
    table.close().unwrap();
    let mut groups = Groups::open(tmp.path(), "c", &["conn"]).unwrap().unwrap();
    let mut firsts = Vec::new();
    while let Some(group) = groups.next_group_with(|r| r.contains(&70_000)).unwrap() {
        firsts.push(group.ints("conn").unwrap()[0]);
    }
    assert_eq!(firsts, [65_536]);
}

#[test]
fn a_table_that_takes_too_much_memory_is_refused_before_it_is_read() {
    let tmp = tempfile::tempdir().unwrap();
    let columns: Vec<String> = (0..1000).map(|i| format!("c{i}")).collect();
    let columns: Vec<(&str, ColumnKind)> = columns
        .iter()
        .map(|c| (c.as_str(), ColumnKind::Bool))
        .collect();
    let mut table = TableWriter::create(tmp.path(), "wide", &columns).unwrap();
    for _ in 0..40_000 {
        let row = columns.iter().fold(table.row(), |row, _| row.bool(true));
        row.end().unwrap();
    }
    table.close().unwrap();
    let error = Table::read(tmp.path(), "wide").unwrap_err();
    assert!(error.to_string().contains("40000 rows"), "{error}");
}

#[test]
fn equal_rows_make_equal_bytes() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let bytes = dirs.each_ref().map(|d| {
        write(d.path(), 70_000);
        std::fs::read(d.path().join("t.parquet")).unwrap()
    });
    assert!(bytes[0] == bytes[1]);
}

#[test]
fn empty_and_missing_and_broken_tables_are_told_apart() {
    let tmp = tempfile::tempdir().unwrap();
    assert_eq!(Table::read(tmp.path(), "t").unwrap(), None);
    write(tmp.path(), 0);
    let t = Table::read(tmp.path(), "t").unwrap().unwrap();
    assert!(t.is_empty() && t.floats("maybe_s").unwrap().is_empty());
    std::fs::write(tmp.path().join("t.parquet"), "not parquet").unwrap();
    let error = Table::read(tmp.path(), "t").unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}
