//! Processor time and memory of this process, from the operating system.
//!
//! Works on Linux. On other systems wall-clock time is used instead of processor time, and memory is unknown.

use std::fs;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use reports::store::Provenance;

use crate::run_spec::RESULTS_VERSION;

/// Processor time of all existing threads, user and system, seconds.
///
/// From `/proc/self/task/*/schedstat`, in nanoseconds. Does not include threads that have ended.
pub(crate) fn cpu_s() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = START.get_or_init(Instant::now);
    // The kernel updates the figure at timer ticks, which are milliseconds apart, and whenever a thread
    // leaves the processor. So leave it briefly.
    std::thread::sleep(Duration::from_nanos(1));
    threads_ns().map_or_else(|| start.elapsed().as_secs_f64(), |ns| ns as f64 / 1e9)
}

/// Processor time of the calling thread, seconds; wall-clock time on systems other than Linux.
pub(crate) fn thread_cpu_s() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = START.get_or_init(Instant::now);
    std::thread::sleep(Duration::from_nanos(1)); // as in `cpu_s`
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let ns = text.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
    ns.map_or_else(|| start.elapsed().as_secs_f64(), |ns| ns as f64 / 1e9)
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

/// Current resident memory, bytes; NaN if unknown.
pub(crate) fn resident_bytes() -> f64 {
    status("VmRSS:")
}

/// Peak resident memory, bytes; NaN if unknown.
pub(crate) fn peak_bytes() -> f64 {
    status("VmHWM:")
}

/// Available memory in bytes, limited by the machine and the control group; NaN if unknown.
pub(crate) fn available_bytes() -> f64 {
    let number = |name: &str| {
        let text = fs::read_to_string(format!("/sys/fs/cgroup/memory.{name}")).ok()?;
        text.trim().parse::<f64>().ok()
    };
    let machine = kib_of("/proc/meminfo", "MemAvailable:");
    match (number("max"), number("current")) {
        (Some(max), Some(current)) => machine.min(max - current),
        _ => machine,
    }
}

fn status(key: &str) -> f64 {
    kib_of("/proc/self/status", key)
}

fn kib_of(file: &str, key: &str) -> f64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let kib = text
        .lines()
        .find_map(|line| line.strip_prefix(key))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib * 1024.0)
}

/// The data caches of the first processor, smallest first: name and bytes. Empty if unknown.
pub(crate) fn caches() -> Vec<(String, f64)> {
    let read = |index: usize, what: &str| {
        let path = format!("/sys/devices/system/cpu/cpu0/cache/index{index}/{what}");
        fs::read_to_string(path).ok().map(|s| s.trim().to_owned())
    };
    let cache = |index: usize| {
        let kind = read(index, "type")?;
        let kib = read(index, "size")?;
        let kib: f64 = kib.strip_suffix('K')?.parse().ok()?;
        let level = read(index, "level")?;
        (kind != "Instruction").then(|| (format!("L{level}"), kib * 1024.0))
    };
    (0..8).filter_map(cache).collect()
}

/// The provenance of the runs that this process executes: for people, and not part of any result.
pub(crate) fn provenance(command: &str, shard: Option<String>) -> Provenance {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    Provenance {
        command: command.to_owned(),
        host: host.trim().to_owned(),
        pid: std::process::id(),
        begun_unix_s: unix_s(),
        shard: shard.unwrap_or_default(),
        program: format!(
            "synfin {}, results version {RESULTS_VERSION}",
            env!("CARGO_PKG_VERSION")
        ),
        commit: env!("SYNFIN_COMMIT").to_owned(),
        toolchain: env!("SYNFIN_RUSTC").to_owned(),
        build: env!("SYNFIN_BUILD").to_owned(),
        ..Provenance::default()
    }
}

/// Seconds since 1970.
pub(crate) fn unix_s() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}
