//! Reads capture files: pcap and pcapng, either byte order, micro- and nanoseconds.
//!
//! pcapng: draft-ietf-opsawg-pcapng; pcap: draft-ietf-opsawg-pcap. A file that ends within a
//! packet, as after an interrupted capture, is read up to that packet.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::path::Path;

use super::ImportError;
use crate::store::read_file;

/// Largest capture that can be read, in bytes: it is held in memory as a whole.
const LARGEST: u64 = 1 << 30;

/// A capture in memory.
#[derive(Debug, Default)]
pub(super) struct CaptureFile {
    bytes: Vec<u8>,
    /// Time of each packet in nanoseconds, its link type and its range in the file.
    packets: Vec<(u64, u32, Range<usize>)>,
    /// Names of addresses, if the capture has them.
    pub(super) names: HashMap<Ipv4Addr, String>,
}

impl CaptureFile {
    /// The packets: seconds since the first one, link type, bytes.
    pub(super) fn packets(&self) -> impl Iterator<Item = (f64, u32, &[u8])> {
        let first = self.packets.iter().map(|p| p.0).min().unwrap_or(0);
        let packets = self.packets.iter();
        packets.map(move |(time, kind, range)| {
            let seconds = (time - first) as f64 / 1e9;
            (seconds, *kind, &self.bytes[range.clone()])
        })
    }
}

/// Reads words in either byte order; `None` beyond the end.
struct Words<'a> {
    bytes: &'a [u8],
    big: bool,
}

impl Words<'_> {
    fn u16(&self, at: usize) -> Option<u16> {
        let two = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.big {
            u16::from_be_bytes(two)
        } else {
            u16::from_le_bytes(two)
        })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let four = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.big {
            u32::from_be_bytes(four)
        } else {
            u32::from_le_bytes(four)
        })
    }

    /// A range, if it lies within the file.
    fn range(&self, from: usize, len: u32) -> Option<Range<usize>> {
        let to = from.checked_add(len as usize)?;
        (to <= self.bytes.len()).then_some(from..to)
    }
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<CaptureFile, ImportError> {
    let bytes = read_file(path, LARGEST).map_err(|source| ImportError::Read {
        path: path.to_path_buf(),
        source,
    })?;
    parse(bytes).ok_or_else(|| ImportError::NoCapture {
        path: path.to_path_buf(),
        why: "it is neither pcap nor pcapng".into(),
    })
}

/// Parses a file; `None` for another kind of file.
fn parse(bytes: Vec<u8>) -> Option<CaptureFile> {
    let magic: [u8; 4] = bytes.get(..4)?.try_into().ok()?;
    let mut file = CaptureFile {
        bytes,
        ..CaptureFile::default()
    };
    let kinds = [(0xa1b2_c3d4, 6), (0xa1b2_3c4d, 9)];
    let found = kinds
        .iter()
        .find_map(|&(number, unit): &(u32, u8)| match magic {
            m if m == number.to_be_bytes() => Some((true, unit)),
            m if m == number.to_le_bytes() => Some((false, unit)),
            _ => None,
        });
    match found {
        Some((big, unit)) => pcap(&mut file, big, unit)?,
        None if magic == [0x0a, 0x0d, 0x0d, 0x0a] => pcapng(&mut file)?,
        None => return None,
    }
    Some(file)
}

/// Converts a time stamp to nanoseconds. The unit is given as in pcapng's `if_tsresol`: a negative
/// power of ten, or of two if the highest bit is set.
fn nanoseconds(stamp: u64, resolution: u8) -> u64 {
    let stamp = u128::from(stamp) * 1_000_000_000;
    let ns = match (resolution & 0x80 == 0, u32::from(resolution & 0x7f)) {
        (true, power) => 10u128.checked_pow(power).map_or(0, |unit| stamp / unit),
        (false, power) => stamp >> power,
    };
    ns as u64
}

fn pcap(file: &mut CaptureFile, big: bool, unit: u8) -> Option<()> {
    let words = Words {
        bytes: &file.bytes,
        big,
    };
    let kind = words.u32(20)? & 0x0fff_ffff;
    let mut at = 24;
    let mut packet = || {
        let whole = u64::from(words.u32(at)?) * 1_000_000_000;
        let time = whole.saturating_add(nanoseconds(words.u32(at + 4)?.into(), unit));
        let range = words.range(at + 16, words.u32(at + 8)?)?;
        at = range.end;
        Some((time, kind, range))
    };
    while let Some(found) = packet() {
        file.packets.push(found);
    }
    Some(())
}

/// An interface of a section: its link type, and the unit of its time stamps as for
/// [`nanoseconds`].
type Interface = (u32, u8);

fn pcapng(file: &mut CaptureFile) -> Option<()> {
    let mut interfaces: Vec<Interface> = Vec::new();
    let mut words = Words {
        bytes: &file.bytes,
        big: false,
    };
    let mut at = 0;
    let mut is_first = true;
    loop {
        if words.bytes.get(at..).and_then(|b| b.get(..4)) == Some(&[0x0a, 0x0d, 0x0d, 0x0a]) {
            words.big = words
                .bytes
                .get(at + 8..)?
                .starts_with(&[0x1a, 0x2b, 0x3c, 0x4d]);
            interfaces.clear();
        }
        let (Some(kind), Some(length)) = (words.u32(at), words.u32(at + 4)) else {
            break;
        };
        let Some(block) = words.range(at, length).filter(|_| length >= 12) else {
            // A truncated block ends the file; if the first block is not one, the file has another
            // format.
            return (!is_first).then_some(());
        };
        is_first = false;
        match kind {
            1 => interfaces.push(interface(&words, block.clone())?),
            // An enhanced packet block, or the obsolete one: they differ in the size of the
            // interface number.
            6 | 2 => {
                let which = match kind {
                    6 => words.u32(at + 8)? as usize,
                    _ => usize::from(words.u16(at + 8)?),
                };
                let stamp = u64::from(words.u32(at + 12)?) << 32 | u64::from(words.u32(at + 16)?);
                let bytes = words.range(at + 28, words.u32(at + 20)?);
                if let (Some(&(link, unit)), Some(bytes)) = (interfaces.get(which), bytes) {
                    file.packets.push((nanoseconds(stamp, unit), link, bytes));
                }
            }
            4 => names(&words, block.clone(), &mut file.names),
            _ => {}
        }
        at = block.end;
    }
    Some(())
}

fn interface(words: &Words<'_>, block: Range<usize>) -> Option<Interface> {
    let link = u32::from(words.u16(block.start + 8)?);
    let mut unit = 6;
    let mut at = block.start + 16;
    while let (Some(code), Some(length)) = (words.u16(at), words.u16(at + 2)) {
        if code == 0 || at >= block.end {
            break;
        }
        if let (9, Some(&resolution)) = (code, words.bytes.get(at + 4)) {
            unit = resolution;
        }
        at += 4 + usize::from(length).next_multiple_of(4);
    }
    Some((link, unit))
}

fn names(words: &Words<'_>, block: Range<usize>, names: &mut HashMap<Ipv4Addr, String>) {
    let mut at = block.start + 8;
    while let (Some(kind), Some(length)) = (words.u16(at), words.u16(at + 2)) {
        let Some(record) = words
            .range(at + 4, length.into())
            .filter(|r| r.end <= block.end)
        else {
            return;
        };
        let value = &words.bytes[record];
        if kind == 0 {
            return;
        }
        if let (1, Some(address)) = (kind, value.first_chunk::<4>()) {
            let name = value[4..].split(|b| *b == 0).next().unwrap_or_default();
            let name = String::from_utf8_lossy(name).into_owned();
            names.entry(Ipv4Addr::from(*address)).or_insert(name);
        }
        at += 4 + usize::from(length).next_multiple_of(4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pcapng::PcapngWriter;

    fn found(bytes: &[u8]) -> Vec<(f64, u32, Vec<u8>)> {
        let file = parse(bytes.to_vec()).unwrap();
        file.packets().map(|(t, k, b)| (t, k, b.to_vec())).collect()
    }

    #[test]
    fn pcap_of_either_order_and_unit_is_read() {
        for (magic, fraction) in [(0xa1b2_c3d4_u32, 250_000_u32), (0xa1b2_3c4d, 250_000_000)] {
            for big in [false, true] {
                let word = |w: u32| {
                    if big {
                        w.to_be_bytes()
                    } else {
                        w.to_le_bytes()
                    }
                };
                let mut bytes = Vec::new();
                for w in [magic, 0x0002_0004, 0, 0, 65_535, 1] {
                    bytes.extend(word(w));
                }
                for (second, part) in [(100, 0), (101, fraction)] {
                    for w in [second, part, 3, 90] {
                        bytes.extend(word(w));
                    }
                    bytes.extend([7, 8, 9]);
                }
                assert_eq!(
                    found(&bytes),
                    [(0.0, 1, vec![7, 8, 9]), (1.25, 1, vec![7, 8, 9])]
                );
                // An interrupted capture.
                assert_eq!(found(&bytes[..bytes.len() - 1]).len(), 1);
            }
        }
    }

    #[test]
    fn stamps_of_any_unit_become_nanoseconds() {
        let ns = |stamp, resolution| nanoseconds(stamp, resolution);
        assert_eq!(
            (ns(5, 0), ns(5, 6), ns(5, 9), ns(5_000, 12)),
            (5_000_000_000, 5_000, 5, 5)
        );
        assert_eq!(ns(3 << 20, 0x80 | 20), 3_000_000_000);
        assert_eq!((ns(5, 0x7f), ns(5, 0xff)), (0, 0));
    }

    #[test]
    fn pcapng_is_read_as_it_is_written_and_any_cut_does_no_harm() {
        let mut w = PcapngWriter::new(Vec::new(), &["a", "b"]).unwrap();
        let address = Ipv4Addr::new(10, 0, 0, 1);
        w.names([(address, "web")].into_iter()).unwrap();
        w.packet(0, 5_000_000_000, (1, &[1, 2, 3]), Some("said"))
            .unwrap();
        w.packet(1, 6_500_000_000, (2, &[4]), None).unwrap();
        let bytes = w.finish().unwrap();
        assert_eq!(
            found(&bytes),
            [(0.0, 101, vec![1, 2, 3]), (1.5, 101, vec![4])]
        );
        assert_eq!(parse(bytes.clone()).unwrap().names[&address], "web");
        for cut in 0..bytes.len() {
            let _ = parse(bytes[..cut].to_vec());
            let mut broken = bytes.clone();
            broken[cut] ^= 0xff;
            let _ = parse(broken);
        }
        assert!(parse(b"hello, world".to_vec()).is_none());
    }
}
