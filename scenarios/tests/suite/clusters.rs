//! Batches on real schedulers, started on this machine: only where `SYNFIN_CLUSTERS` is set, for they take
//! minutes and install what they need.

use std::path::Path;
use std::process::Command;

/// Runs a script of `tests/clusters`; says where it cannot run.
fn script(name: &str) {
    if std::env::var_os("SYNFIN_CLUSTERS").is_none() {
        eprintln!("not run: SYNFIN_CLUSTERS=1 runs {name} against a real scheduler");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/clusters")
        .join(name);
    let mut command = Command::new("bash");
    let command = command
        .arg(script)
        .arg(env!("CARGO_BIN_EXE_synfin"))
        .arg(dir.path());
    let done = command.output().unwrap();
    let said =
        String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    eprintln!("{said}");
    assert!(done.status.success(), "{name}: {}\n{said}", done.status);
}

#[test]
fn a_batch_on_slurm_survives_a_lost_node() {
    script("slurm.sh");
}

#[test]
fn a_batch_on_hyperqueue_is_that_of_a_local_run() {
    script("hyperqueue.sh");
}
