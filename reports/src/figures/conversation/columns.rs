//! The columns of the table of segments, for one row group.

use std::collections::HashMap;

use tcp_model::State;

use super::traced_row::{AddressPair, TracedRow};
use super::{FlagText, SegmentFate};
use crate::figures::style::state_named;
use crate::store::reader::Table;
use crate::store::{StoreError, Texts};

/// The texts of a row that diagrams show.
pub(super) const TEXTS: [&str; 6] = ["from_node", "to_node", "fate", "flags", "reason", "options"];
/// Their places in [`TEXTS`].
pub(super) const FROM: usize = 0;
pub(super) const TO: usize = 1;
pub(super) const FATE: usize = 2;
pub(super) const FLAGS: usize = 3;
pub(super) const REASON: usize = 4;
pub(super) const OPTIONS: usize = 5;

/// The columns of a row group.
pub(super) struct Columns<'a> {
    pub(super) conn: &'a [i64],
    pub(super) number: &'a [i64],
    pub(super) sent: &'a [f64],
    pub(super) received: &'a [f64],
    pub(super) ends: [&'a [i64]; 4],
    pub(super) numbers: [&'a [i64]; 4],
    pub(super) stamps: [&'a [f64]; 2],
    pub(super) retransmission: &'a [bool],
    pub(super) texts: [TextColumn<'a, u32>; 6],
    /// The meanings of the texts in these columns: lost or a duplicate; a reset; the state.
    pub(super) fates: TextColumn<'a, (bool, bool)>,
    pub(super) resets: TextColumn<'a, bool>,
    pub(super) states: [TextColumn<'a, Option<State>>; 2],
}

/// A column of texts, and the meaning of each distinct text.
pub(super) struct TextColumn<'a, T> {
    pub(super) texts: &'a Texts,
    pub(super) meanings: Vec<T>,
}

impl<'a, T: Copy> TextColumn<'a, T> {
    pub(super) fn new(
        table: &'a Table,
        name: &str,
        meaning: impl FnMut(&str) -> T,
    ) -> Result<TextColumn<'a, T>, StoreError> {
        let texts = table.texts(name)?;
        let different = texts.different().iter().map(String::as_str);
        let meanings = different.map(meaning).collect();
        Ok(TextColumn { texts, meanings })
    }

    pub(super) fn at(&self, row: usize) -> T {
        self.meanings[self.texts.place(row)]
    }
}

impl<'a> Columns<'a> {
    /// `places` has the indices of all texts so far.
    pub(super) fn of(
        table: &'a Table,
        places: &mut HashMap<String, u32>,
    ) -> Result<Columns<'a>, StoreError> {
        let mut place = |text: &str| {
            let new = places.len() as u32;
            match places.get(text) {
                Some(&place) => place,
                None => *places.entry(text.to_owned()).or_insert(new),
            }
        };
        let mut texts = |which: usize| TextColumn::new(table, TEXTS[which], &mut place);
        let state = |name| TextColumn::new(table, name, state_named);
        Ok(Columns {
            conn: table.ints("conn")?,
            number: table.ints("number")?,
            sent: table.floats("sent_s")?,
            received: table.floats("received_s")?,
            ends: [
                table.ints("src_ip")?,
                table.ints("src_port")?,
                table.ints("dst_ip")?,
                table.ints("dst_port")?,
            ],
            numbers: [
                table.ints("seq")?,
                table.ints("ack")?,
                table.ints("len")?,
                table.ints("window")?,
            ],
            stamps: [table.floats("ts_val")?, table.floats("ts_ecr")?],
            retransmission: table.bools("retransmission")?,
            texts: [
                texts(FROM)?,
                texts(TO)?,
                texts(FATE)?,
                texts(FLAGS)?,
                texts(REASON)?,
                texts(OPTIONS)?,
            ],
            fates: TextColumn::new(table, "fate", |fate| {
                (fate.starts_with("lost"), fate == "duplicate")
            })?,
            resets: TextColumn::new(table, "flags", |flags| FlagText::from(flags).has("RST"))?,
            states: [state("state_at_sender")?, state("state_at_receiver")?],
        })
    }

    pub(super) fn pair(&self, i: usize) -> AddressPair {
        let [src, src_port, dst, dst_port] = self.ends.map(|column| column[i]);
        let (a, b) = ((src, src_port), (dst, dst_port));
        if a <= b { (a, b) } else { (b, a) }
    }

    /// Another arrival of a segment that already has a row.
    pub(super) fn is_duplicate(&self, i: usize) -> bool {
        self.fates.at(i).1
    }

    pub(super) fn row(&self, i: usize, place: u64, pair: AddressPair) -> TracedRow {
        let fate = if self.received[i].is_finite() {
            SegmentFate::Received(self.received[i])
        } else if self.fates.at(i).0 {
            SegmentFate::Lost
        } else {
            SegmentFate::Unseen
        };
        TracedRow {
            place,
            pair,
            conn: self.conn[i],
            number: self.number[i],
            sent: self.sent[i],
            fate,
            source: (self.ends[0][i], self.ends[1][i]),
            dst_port: self.ends[3][i],
            stamps: self.stamps.map(|column| column[i]),
            numbers: self.numbers.map(|column| column[i] as u32),
            retransmission: self.retransmission[i],
            is_reset: self.resets.at(i),
            texts: self.texts.each_ref().map(|column| column.at(i)),
            state_at_sender: self.states[0].at(i),
            state_at_receiver: self.states[1].at(i),
        }
    }
}
