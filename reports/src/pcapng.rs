//! Writes packets as pcapng, for Wireshark and similar tools.
//!
//! One section; one interface per host, with its name, nanosecond time stamps and raw IP packets
//! (LINKTYPE_RAW). A name resolution block maps addresses to hosts. Always little-endian. The
//! caller provides the time stamps. Picoseconds are cut off: two packets less than a nanosecond
//! apart may have the same stamp.

use std::io::{self, Write};
use std::net::Ipv4Addr;

const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const NAME_RESOLUTION: u32 = 4;
const ENHANCED_PACKET: u32 = 6;
const LINKTYPE_RAW: u16 = 101;

const OPT_END: u16 = 0;
const OPT_COMMENT: u16 = 1;
const SHB_USERAPPL: u16 = 4;
const IF_NAME: u16 = 2;
const IF_TSRESOL: u16 = 9;
const EPB_PACKETID: u16 = 5;
const NRB_RECORD_END: u16 = 0;
const NRB_RECORD_IPV4: u16 = 1;

/// Writes a capture file.
#[derive(Debug)]
pub struct PcapngWriter<W: Write> {
    out: W,
    block: Vec<u8>,
}

impl<W: Write> PcapngWriter<W> {
    /// Begins a capture with these interfaces, numbered in order.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(out: W, interfaces: &[&str]) -> io::Result<PcapngWriter<W>> {
        let mut writer = PcapngWriter {
            out,
            block: Vec::new(),
        };
        writer.begin(SECTION_HEADER);
        writer.block.extend(0x1A2B_3C4D_u32.to_le_bytes());
        writer.block.extend([1, 0, 0, 0]); // version 1.0
        writer.block.extend((-1i64).to_le_bytes()); // length of the section: not said
        writer.option(SHB_USERAPPL, b"synfin");
        writer.option(OPT_END, &[]);
        writer.end()?;
        for name in interfaces {
            writer.begin(INTERFACE);
            writer.block.extend(LINKTYPE_RAW.to_le_bytes());
            writer.block.extend([0; 2 + 4]); // reserved; no limit on the length
            writer.option(IF_NAME, name.as_bytes());
            writer.option(IF_TSRESOL, &[9]);
            writer.option(OPT_END, &[]);
            writer.end()?;
        }
        Ok(writer)
    }

    /// Writes the names of addresses, which viewers show instead of the addresses.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn names<'a>(
        &mut self,
        names: impl Iterator<Item = (Ipv4Addr, &'a str)>,
    ) -> io::Result<()> {
        self.begin(NAME_RESOLUTION);
        for (address, name) in names {
            // A zero byte ends a name, so a name cannot contain one.
            let name = name.as_bytes().iter().filter(|b| **b != 0);
            let value: Vec<u8> = address
                .octets()
                .iter()
                .chain(name)
                .chain(&[0])
                .copied()
                .collect();
            self.option(NRB_RECORD_IPV4, &value);
        }
        self.option(NRB_RECORD_END, &[]);
        self.end()
    }

    /// Writes a packet captured on an interface at `time_ns` nanoseconds. `id` identifies it, like
    /// the column `packet` of the table of segments.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn packet(
        &mut self,
        interface: u32,
        time_ns: u64,
        (id, bytes): (u64, &[u8]),
        comment: Option<&str>,
    ) -> io::Result<()> {
        let len = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.begin(ENHANCED_PACKET);
        for word in [interface, (time_ns >> 32) as u32, time_ns as u32, len, len] {
            self.block.extend(word.to_le_bytes());
        }
        self.block.extend(bytes);
        self.pad();
        if let Some(comment) = comment {
            self.option(OPT_COMMENT, comment.as_bytes());
        }
        self.option(EPB_PACKETID, &id.to_le_bytes());
        self.option(OPT_END, &[]);
        self.end()
    }

    /// Flushes and returns the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    /// Begins a block: its type, and a placeholder for the length.
    fn begin(&mut self, kind: u32) {
        self.block.clear();
        self.block.extend(kind.to_le_bytes());
        self.block.extend([0; 4]);
    }

    fn option(&mut self, code: u16, value: &[u8]) {
        let value = &value[..value.len().min(usize::from(u16::MAX))];
        self.block.extend(code.to_le_bytes());
        self.block.extend((value.len() as u16).to_le_bytes());
        self.block.extend(value);
        self.pad();
    }

    fn pad(&mut self) {
        self.block.resize(self.block.len().next_multiple_of(4), 0);
    }

    /// Ends a block: writes the length before and after the body.
    fn end(&mut self) -> io::Result<()> {
        let len = (self.block.len() as u32 + 4).to_le_bytes();
        self.block[4..8].copy_from_slice(&len);
        self.block.extend(len);
        self.out.write_all(&self.block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_framed_by_their_length_and_padded() {
        let mut w = PcapngWriter::new(Vec::new(), &["client", "b"]).unwrap();
        let names = [
            (Ipv4Addr::new(10, 0, 0, 1), "client"),
            (Ipv4Addr::new(10, 0, 0, 2), "b"),
        ];
        w.names(names.into_iter()).unwrap();
        w.packet(1, 0x1_0000_0002, (7, &[0x45, 1, 2]), Some("lost"))
            .unwrap();
        let bytes = w.finish().unwrap();
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let (mut at, mut kinds) = (0, Vec::new());
        while at < bytes.len() {
            let len = word(at + 4) as usize;
            assert_eq!(len % 4, 0);
            assert_eq!(word(at + len - 4) as usize, len);
            kinds.push(word(at));
            if word(at) == ENHANCED_PACKET {
                let head = [word(at + 8), word(at + 12), word(at + 16), word(at + 20)];
                assert_eq!(head, [1, 1, 2, 3]);
                assert_eq!(&bytes[at + 28..at + 32], &[0x45, 1, 2, 0]);
            }
            at += len;
        }
        assert_eq!(
            kinds,
            [
                SECTION_HEADER,
                INTERFACE,
                INTERFACE,
                NAME_RESOLUTION,
                ENHANCED_PACKET
            ]
        );
    }
}
