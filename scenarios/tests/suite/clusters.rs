//! Batches on real schedulers, started on this machine. These tests take minutes and install what they need,
//! so they run only on request: `cargo test -p synfin --test suite -- --ignored clusters::`.

use std::path::Path;
use std::process::Command;

/// Runs a script of `tests/clusters`.
fn script(name: &str) {
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
#[ignore = "starts a real scheduler and installs what it needs"]
fn a_batch_on_slurm_survives_a_lost_node() {
    script("slurm.sh");
}

#[test]
#[ignore = "starts a real scheduler and installs what it needs"]
fn a_batch_on_hyperqueue_is_that_of_a_local_run() {
    script("hyperqueue.sh");
}
