use super::*;

fn complete(values: &[(&str, f64)]) -> PartRun {
    let metrics = values.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect();
    PartRun::Complete {
        metrics,
        simulation_s: 0.25,
    }
}

fn write(dir: &Path, name: &str, runs: &[(&str, PartRun)]) {
    let writer = PartWriter::new(dir, name, &crate::store::Provenance::default()).unwrap();
    for (id, run) in runs {
        writer.add(id, run).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn runs_come_back_from_the_parts_of_several_processes_bit_by_bit() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    assert!(Parts::read(dir).unwrap().runs.is_empty());
    write(dir, "run", &[]);
    assert!(!dir.join(PARTS).exists(), "no run, no file");
    let a = complete(&[("x", 0.1 + 0.2), ("y", 1e-300)]);
    let b = complete(&[("x", -7.0)]);
    let failed = PartRun::Failed("disk \"full\"\n".into());
    write(
        dir,
        "run",
        &[
            ("a", a.clone()),
            ("b", failed.clone()),
            ("c", failed.clone()),
        ],
    );
    write(dir, "run", &[("b", b.clone()), ("d", a.clone())]);
    let parts = Parts::read(dir).unwrap();
    assert_eq!(parts.damaged, Vec::<String>::new());
    for (id, run) in [("a", &a), ("b", &b), ("c", &failed), ("d", &a)] {
        assert_eq!(&parts.runs[id], run, "{id}");
    }
    let seen = Parts::glance(dir).unwrap();
    assert_eq!(seen.len(), 4);
    assert_eq!((&seen["b"], seen["c"].is_some()), (&None, true));
}

#[test]
fn a_line_that_is_cut_or_changed_loses_its_own_run_only() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    let run = |v: f64| complete(&[("x", v)]);
    write(
        dir,
        "s",
        &[("a", run(1.5)), ("b", run(2.5)), ("c", run(3.5))],
    );
    let path = dir.join("parts/s-0001.runs");
    let whole = fs::read(&path).unwrap();
    let ids = |parts: &Parts| {
        let mut ids: Vec<String> = parts.runs.keys().cloned().collect();
        ids.sort();
        ids.concat()
    };
    for cut in 1..=whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let parts = Parts::read(dir).unwrap();
        assert!("abc".starts_with(&ids(&parts)), "{cut}");
    }
    let text = String::from_utf8(whole).unwrap();
    fs::write(&path, text.replace("2.5", "2.6")).unwrap();
    let parts = Parts::read(dir).unwrap();
    assert_eq!((ids(&parts).as_str(), parts.damaged.len()), ("ac", 1));
    // Without the list of names, none of its runs can be used.
    fs::write(&path, text.replace("[\"x\"]", "[\"y\"]")).unwrap();
    let parts = Parts::read(dir).unwrap();
    assert_eq!((ids(&parts).as_str(), parts.damaged.len()), ("", 4));
    fs::write(&path, [0xff, b'\n', b'x', b'\n']).unwrap();
    assert_eq!(Parts::read(dir).unwrap().damaged.len(), 2);
}

#[test]
fn parts_of_other_runs_are_removed_unless_somebody_changed_them() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    for id in ["a", "b", "c"] {
        write(dir, "run", &[(id, complete(&[("x", 1.0)]))]);
    }
    let second = dir.join("parts/run-0002.runs");
    let changed = fs::read_to_string(&second).unwrap() + "a note of mine\n";
    fs::write(&second, changed).unwrap();
    Parts::remove_others(dir, |id| id == "c").unwrap();
    let left = files(dir).unwrap();
    assert_eq!(left, [second, dir.join("parts/run-0003.runs")]);
}
