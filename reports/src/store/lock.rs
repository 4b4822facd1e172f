//! A lock on a directory that is being written; it ends with its process, however that ends.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// Whether a directory is locked. The lock is on the directory itself, so there is no lock file.
#[derive(Debug)]
pub enum DirLock {
    /// By this process, until this is dropped.
    Ours(#[allow(dead_code, reason = "held, not read")] File),
    /// By another process that is alive.
    Theirs,
    /// This file system does not support locks on directories.
    Unknown,
}

impl DirLock {
    /// Locks a directory, unless it is already locked.
    ///
    /// # Errors
    /// When the directory cannot be opened.
    pub fn take(dir: &Path) -> io::Result<DirLock> {
        let file = File::open(dir)?;
        Ok(match file.try_lock() {
            Ok(()) => DirLock::Ours(file),
            Err(TryLockError::WouldBlock) => DirLock::Theirs,
            Err(TryLockError::Error(_)) => DirLock::Unknown,
        })
    }

    /// Like [`DirLock::take`], but waits up to `patience` for another process to finish.
    ///
    /// # Errors
    /// When the directory cannot be opened.
    pub fn wait(dir: &Path, patience: Duration) -> io::Result<DirLock> {
        let begun = Instant::now();
        loop {
            match DirLock::take(dir)? {
                DirLock::Theirs if begun.elapsed() < patience => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                lock => return Ok(lock),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_locked_by_one_at_a_time() {
        let tmp = tempfile::tempdir().unwrap();
        let first = DirLock::take(tmp.path()).unwrap();
        assert!(matches!(first, DirLock::Ours(_)));
        let second = DirLock::take(tmp.path()).unwrap();
        assert!(matches!(second, DirLock::Theirs));
        let waited = DirLock::wait(tmp.path(), Duration::from_millis(30)).unwrap();
        assert!(matches!(waited, DirLock::Theirs));
        drop(first);
        let third = DirLock::take(tmp.path()).unwrap();
        assert!(matches!(third, DirLock::Ours(_)));
        assert!(DirLock::take(&tmp.path().join("none")).is_err());
    }
}
