//! A file that several column readers read at the same time.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

/// A file being read. Parquet's own reader of a [`File`] moves the one position of the file, so that columns
/// read side by side would get each other's bytes.
pub(super) struct TableFile {
    file: Arc<Mutex<File>>,
    len: u64,
}

/// A place in the file from which bytes are read.
pub(super) struct Cursor {
    file: Arc<Mutex<File>>,
    at: u64,
}

impl TableFile {
    pub(super) fn new(file: File) -> std::io::Result<TableFile> {
        let len = file.metadata()?.len();
        let file = Arc::new(Mutex::new(file));
        Ok(TableFile { file, len })
    }

    fn cursor(&self, at: u64) -> Cursor {
        let file = Arc::clone(&self.file);
        Cursor { file, at }
    }
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        // A panic elsewhere leaves no state behind: each read sets the position itself.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.at))?;
        let read = file.read(buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Length for TableFile {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for TableFile {
    type T = BufReader<Cursor>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::new(self.cursor(start)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        // A damaged length must not reserve memory that the file cannot fill.
        let rest = self.len.saturating_sub(start);
        if length as u64 > rest {
            let why = format!("{length} bytes are expected at {start}, but only {rest} follow");
            return Err(ParquetError::EOF(why));
        }
        let mut buffer = Vec::with_capacity(length);
        let mut limited = self.cursor(start).take(length as u64);
        limited.read_to_end(&mut buffer)?;
        if buffer.len() != length {
            return Err(ParquetError::EOF(format!(
                "the file has become shorter while it is read, {} bytes of {length} are left",
                buffer.len()
            )));
        }
        Ok(buffer.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_at_different_places_do_not_move_each_other() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("file");
        let content: Vec<u8> = (0..100_000_u32).map(|i| (i % 251) as u8).collect();
        std::fs::write(&path, &content).unwrap();
        let file = TableFile::new(File::open(&path).unwrap()).unwrap();
        let mut readers: Vec<_> = (0..4).map(|i| file.get_read(i * 20_000).unwrap()).collect();
        let mut read = vec![Vec::new(); 4];
        for part in 0..20 {
            for (reader, sofar) in readers.iter_mut().zip(&mut read) {
                let mut bytes = vec![0; 1000];
                reader.read_exact(&mut bytes).unwrap();
                sofar.extend(bytes);
                let at = part * 5000;
                let chunk = file.get_bytes(at as u64, 10).unwrap();
                assert_eq!(chunk, content[at..at + 10]);
            }
        }
        for (i, read) in read.iter().enumerate() {
            assert!(read == &content[i * 20_000..][..20_000], "reader {i}");
        }
        assert!(file.get_bytes(99_999, 2).is_err());
        assert!(file.get_bytes(u64::MAX, usize::MAX).is_err());
    }
}
