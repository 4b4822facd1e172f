//! Stores packets on disk until their fate is known.

use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::store::StoreError;

/// A packet in the spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SpooledPacket<'a> {
    pub(super) id: u64,
    pub(super) interface: u32,
    pub(super) time_ns: u64,
    pub(super) bytes: &'a [u8],
}

/// A file of packets in the order in which they were added; removed after they have been read.
#[derive(Debug)]
pub(super) struct Spool {
    path: PathBuf,
    file: BufWriter<File>,
}

/// Identity, interface, time and length.
const HEAD: usize = 8 + 4 + 8 + 4;

impl Spool {
    pub(super) fn create(path: &Path) -> Result<Spool, StoreError> {
        let mut options = File::options();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path);
        Ok(Spool {
            path: path.to_path_buf(),
            file: BufWriter::new(file.map_err(StoreError::io("create", path))?),
        })
    }

    pub(super) fn push(&mut self, packet: &SpooledPacket<'_>) -> Result<(), StoreError> {
        let mut head = [0; HEAD];
        head[..8].copy_from_slice(&packet.id.to_le_bytes());
        head[8..12].copy_from_slice(&packet.interface.to_le_bytes());
        head[12..20].copy_from_slice(&packet.time_ns.to_le_bytes());
        head[20..].copy_from_slice(&(packet.bytes.len() as u32).to_le_bytes());
        let written = self.file.write_all(&head);
        written
            .and_then(|()| self.file.write_all(packet.bytes))
            .map_err(StoreError::io("write", &self.path))
    }

    /// Passes every packet to `each`, then removes the file.
    pub(super) fn drain(
        self,
        mut each: impl FnMut(&SpooledPacket<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let path = self.path;
        let failed = || StoreError::io("read", &path);
        let file = self
            .file
            .into_inner()
            .map_err(|e| failed()(e.into_error()))?;
        let mut file = BufReader::new(file);
        file.rewind().map_err(failed())?;
        let mut bytes = Vec::new();
        let mut head = [0; HEAD];
        loop {
            match file.read_exact(&mut head) {
                Ok(()) => {}
                Err(e) if e.kind() == ErrorKind::UnexpectedEof => break,
                Err(e) => return Err(failed()(e)),
            }
            let word = |at: usize| {
                u64::from(u32::from_le_bytes([
                    head[at],
                    head[at + 1],
                    head[at + 2],
                    head[at + 3],
                ]))
            };
            let long = |at: usize| word(at) | word(at + 4) << 32;
            bytes.resize(word(20) as usize, 0);
            file.read_exact(&mut bytes).map_err(failed())?;
            each(&SpooledPacket {
                id: long(0),
                interface: word(8) as u32,
                time_ns: long(12),
                bytes: &bytes,
            })?;
        }
        std::fs::remove_file(&path).map_err(StoreError::io("remove", &path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_come_back_in_order_and_the_file_goes() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("spool");
        let mut spool = Spool::create(&path).unwrap();
        let all = [
            (u64::MAX - 1, 3, 1 << 40, vec![1, 2, 3]),
            (7, 0, 5, Vec::new()),
            (8, 1, 6, vec![9; 70_000]),
        ];
        for (id, interface, time_ns, bytes) in &all {
            let packet = SpooledPacket {
                id: *id,
                interface: *interface,
                time_ns: *time_ns,
                bytes,
            };
            spool.push(&packet).unwrap();
        }
        let mut back = Vec::new();
        let each = |p: &SpooledPacket<'_>| {
            back.push((p.id, p.interface, p.time_ns, p.bytes.to_vec()));
            Ok(())
        };
        spool.drain(each).unwrap();
        assert_eq!(back, all);
        assert!(!path.exists());
    }
}
