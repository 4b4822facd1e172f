//! The hash of results: SipHash-2-4 with 128 bits and key zero.
//!
//! `files` of `summary.json` has a hash for the bytes of each Parquet table and of
//! `packets.pcapng`. `result_hash` is the hash of a text: a line `NAME HASH` for each of these
//! files, then a line `NAME VALUE` for each metric and a line `OWNER {COUNTER: VALUE, ...}` for
//! each owner of counters, each sorted by name. Values are printed with Rust's `{:?}`:
//! floating-point numbers with as many digits as distinguish them. Findings, figures and the report
//! follow from these; `run.toml`, which says what was run, `timing.json` and memory are not part of
//! the result.

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::Hasher;
use std::io::Read;
use std::path::Path;

use siphasher::sip128::{Hasher128, SipHasher24};

use super::StoreError;

fn hex(hasher: &SipHasher24) -> String {
    let hash = hasher.finish128();
    format!("{:016x}{:016x}", hash.h1, hash.h2)
}

/// Hash of a file's bytes as 32 hexadecimal digits.
///
/// # Errors
/// When it cannot be read.
pub fn file_hash(path: &Path) -> Result<String, StoreError> {
    let mut file = File::open(path).map_err(StoreError::io("read", path))?;
    let mut hasher = SipHasher24::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file
            .read(&mut buffer)
            .map_err(StoreError::io("read", path))?
        {
            0 => return Ok(hex(&hasher)),
            n => hasher.write(&buffer[..n]),
        }
    }
}

/// Hash of a text as 32 hexadecimal digits, equal to that of a file with these bytes.
pub fn text_hash(text: &str) -> String {
    let mut hasher = SipHasher24::new();
    hasher.write(text.as_bytes());
    hex(&hasher)
}

/// Hash over names and hashes of files, followed by a text.
pub fn joint_hash(files: &BTreeMap<String, String>, text: &str) -> String {
    let mut hasher = SipHasher24::new();
    for (name, hash) in files {
        hasher.write(format!("{name} {hash}\n").as_bytes());
    }
    hasher.write(text.as_bytes());
    hex(&hasher)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_published_algorithm_and_sees_every_byte() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("f");
        std::fs::write(&path, "").unwrap();
        let empty = file_hash(&path).unwrap();
        assert_eq!(empty.len(), 32);
        std::fs::write(&path, vec![7; 200_000]).unwrap();
        let long = file_hash(&path).unwrap();
        let mut bytes = vec![7; 200_000];
        bytes[199_999] = 8;
        std::fs::write(&path, bytes).unwrap();
        assert_ne!(long, file_hash(&path).unwrap());
        std::fs::write(&path, "text").unwrap();
        assert_eq!(file_hash(&path).unwrap(), text_hash("text"));
        let one = BTreeMap::from([("a".to_owned(), long.clone())]);
        let other = BTreeMap::from([("b".to_owned(), long)]);
        assert_ne!(joint_hash(&one, ""), joint_hash(&other, ""));
        assert_ne!(joint_hash(&one, ""), joint_hash(&one, "x"));
    }
}
