//! Guards against readers that panic on the contents of files.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::store::StoreError;

/// Runs `work` on the files in `dir`, turning a panic into an error: a matching hash does not prove that
/// contents are consistent.
pub(crate) fn guarded<T>(
    dir: &Path,
    read: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(StoreError::Damaged {
            path: dir.to_path_buf(),
            why: format!(
                "its files are inconsistent ({})",
                text.unwrap_or("no details")
            ),
        })
    })
}
