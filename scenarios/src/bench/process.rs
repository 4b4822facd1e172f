//! What the operating system says of this process: processor time and memory.
//!
//! Linux only; elsewhere processor time is the time that passed, and memory is unknown.

use std::fs;
use std::sync::OnceLock;
use std::time::Instant;

/// Seconds of processor time, user and system, of all threads there are.
///
/// From the scheduler's account in `/proc/self/task/*/schedstat`, which is kept in nanoseconds and
/// brought up to date at least with every timer tick of a few milliseconds. Threads that have
/// ended are not in it: ask before they end.
pub(super) fn cpu_s() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = START.get_or_init(Instant::now);
    // Giving up the processor for a moment brings the account up to date.
    std::thread::yield_now();
    threads_ns().map_or_else(|| start.elapsed().as_secs_f64(), |ns| ns as f64 / 1e9)
}

fn threads_ns() -> Option<u64> {
    let tasks = fs::read_dir("/proc/self/task").ok()?;
    let on_processor = |task: fs::DirEntry| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    };
    // A thread may end while the directory is read.
    let all: Vec<u64> = tasks.flatten().filter_map(on_processor).collect();
    (!all.is_empty()).then(|| all.iter().sum())
}

/// Resident memory now, bytes; NaN when it is not known.
pub(super) fn resident_bytes() -> f64 {
    status("VmRSS:")
}

/// Largest resident memory so far, bytes; NaN when it is not known.
pub(super) fn peak_bytes() -> f64 {
    status("VmHWM:")
}

fn status(key: &str) -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = text
        .lines()
        .find_map(|line| line.strip_prefix(key))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib * 1024.0)
}
