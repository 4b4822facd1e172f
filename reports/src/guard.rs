//! Work on files whose contents may make a reader panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::store::StoreError;

/// Does something with the files in `dir`. A reader that panics over what is in them is an error
/// like others: hashes that fit do not prove that the contents make sense.
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
                "its files do not make sense together ({})",
                text.unwrap_or("no more is known")
            ),
        })
    })
}
