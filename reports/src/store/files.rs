//! Reads files that may be anything: only regular files, and only up to a size limit.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::StoreError;

/// Largest text file that is read whole, in bytes: far more than a batch of 100,000 runs writes.
const MOST_TEXT: u64 = 1 << 30;

/// Reads a whole file. A FIFO, a device or a directory is refused, because reading it might block
/// or never end.
///
/// # Errors
/// When it is not a regular file, is larger than `limit` bytes, or cannot be read.
pub fn read_file(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let kind = fs::metadata(path)?;
    if kind.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    if !kind.is_file() {
        let text = "it is a pipe or a device; give a regular file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let mut bytes = Vec::new();
    let most = limit.saturating_add(1);
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(limit));
    }
    Ok(bytes)
}

/// Reads a whole text file, like [`read_file`].
///
/// # Errors
/// As [`read_file`], and when it is not UTF-8.
pub fn read_text_file(path: &Path, limit: u64) -> io::Result<String> {
    String::from_utf8(read_file(path, limit)?).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let text = format!("it is not UTF-8 text: byte {at} cannot be read");
        io::Error::new(io::ErrorKind::InvalidData, text)
    })
}

fn too_large(limit: u64) -> io::Error {
    let text = format!("it is larger than {limit} bytes, the most that is read");
    io::Error::new(io::ErrorKind::FileTooLarge, text)
}

/// Reads a text file of a result directory.
pub(crate) fn read_own_text(path: &Path) -> Result<String, StoreError> {
    read_text_file(path, MOST_TEXT).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => StoreError::Damaged {
            path: path.to_path_buf(),
            why: error.to_string(),
        },
        _ => StoreError::io("read", path)(error),
    })
}

/// Returns true for a regular file; does not follow symbolic links.
pub(crate) fn is_plain_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|kind| kind.is_file())
}

/// Returns true for a directory; does not follow symbolic links.
pub(crate) fn is_plain_dir(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|kind| kind.is_dir())
}

/// Returns true if anything, of whatever kind, has this name.
pub(crate) fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_of_a_bounded_size_are_read() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("f");
        fs::write(&path, "twelve bytes").unwrap();
        assert_eq!(read_text_file(&path, 12).unwrap(), "twelve bytes");
        let error = read_text_file(&path, 11).unwrap_err();
        assert!(error.to_string().contains("larger than 11"), "{error}");
        assert!(read_text_file(tmp.path(), 12).is_err());
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert_eq!(
            read_text_file(&path, 12).unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
        #[cfg(unix)]
        assert!(read_text_file(Path::new("/dev/zero"), 12).is_err());
    }
}
