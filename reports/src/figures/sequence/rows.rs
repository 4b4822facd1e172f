//! Reads what a time-sequence plot needs from the table of segments.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::figures::data::RunData;
use crate::store::StoreError;
use crate::store::reader::Table;

const COLUMNS: &[&str] = &[
    "conn",
    "number",
    "sent_s",
    "received_s",
    "fate",
    "src_ip",
    "src_port",
    "flags",
    "seq",
    "ack",
    "len",
    "window",
    "options",
    "reason",
];

/// Segments of each end that are examined.
const MOST: usize = 30_000;
/// Segments drawn, and how many of them come before the first retransmission.
const MOST_DRAWN: usize = 400;
const BEFORE: usize = 120;
/// A sender with fewer segments has no plot: the ladder shows it better.
const FEWEST: usize = 20;

/// If there are fewer ACKs than one per this many segments, ACKs were not recorded.
const ACKED: usize = 8;

/// An end of a connection: its address and port.
type EndAddress = (i64, i64);

/// A segment.
#[derive(Clone, Debug)]
struct SequenceRow {
    number: i64,
    sent: f64,
    /// NaN if it did not arrive, or its arrival was not seen.
    received: f64,
    lost: bool,
    /// Has the ACK flag.
    acks: bool,
    seq: u32,
    ack: u32,
    len: u32,
    window: u32,
    options: String,
    reason: String,
}

/// A data segment, in bytes from the first of the connection.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Data {
    pub(super) time: f64,
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) lost: bool,
    /// The rule by which it was retransmitted; empty for a first transmission.
    pub(super) reason: String,
}

/// An acknowledgement, when it reaches the sender of the data.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ack {
    pub(super) time: f64,
    pub(super) ack: f64,
    /// Right edge of the window that it offers.
    pub(super) edge: f64,
    pub(super) sacks: Vec<(f64, f64)>,
}

/// The data of one sender, and what came back.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SequencePlot {
    pub(super) conn: i64,
    pub(super) data: Vec<Data>,
    pub(super) acks: Vec<Ack>,
    /// Segments of the sender that are not drawn.
    pub(super) hidden: usize,
}

/// The plots of these connections.
pub(super) fn sequences(
    data: &RunData<'_>,
    conns: &[i64],
) -> Result<Vec<SequencePlot>, StoreError> {
    let mut ends: BTreeMap<(i64, EndAddress), Vec<SequenceRow>> = BTreeMap::new();
    let Some(groups) = data.groups("segments", COLUMNS)? else {
        return Ok(Vec::new());
    };
    let mut groups = groups.side_by_side();
    let both_ends = 2 * conns.len();
    while let Some(group) = groups.next_group()? {
        read(&group, conns, &mut ends)?;
        if ends.len() == both_ends && ends.values().all(|rows| rows.len() == MOST) {
            break; // no row of a later group would be taken
        }
    }
    let of = |conn: i64| {
        let mut both = ends.range((conn, (i64::MIN, i64::MIN))..=(conn, (i64::MAX, i64::MAX)));
        let (first, second) = (both.next()?.1, both.next()?.1);
        let bytes = |rows: &[SequenceRow]| rows.iter().map(|r| u64::from(r.len)).sum::<u64>();
        match bytes(first) >= bytes(second) {
            true => sequence(conn, first, second),
            false => sequence(conn, second, first),
        }
    };
    Ok(conns.iter().filter_map(|&conn| of(conn)).collect())
}

fn read(
    table: &Table,
    conns: &[i64],
    ends: &mut BTreeMap<(i64, EndAddress), Vec<SequenceRow>>,
) -> Result<(), StoreError> {
    let (conn, number) = (table.ints("conn")?, table.ints("number")?);
    let (sent, received) = (table.floats("sent_s")?, table.floats("received_s")?);
    let (ip, port) = (table.ints("src_ip")?, table.ints("src_port")?);
    let (seq, ack) = (table.ints("seq")?, table.ints("ack")?);
    let (len, window) = (table.ints("len")?, table.ints("window")?);
    let (fates, flags) = (table.texts("fate")?, table.texts("flags")?);
    let (options, reasons) = (table.texts("options")?, table.texts("reason")?);
    for i in 0..table.len() {
        if !conns.contains(&conn[i]) || fates[i] == "duplicate" || sent[i].is_nan() {
            continue;
        }
        let rows = ends.entry((conn[i], (ip[i], port[i]))).or_default();
        if rows.len() == MOST {
            continue;
        }
        // If every segment has a row, segments are numbered by counting.
        let counted = rows.len() as i64 + 1;
        rows.push(SequenceRow {
            number: if number[i] == 0 { counted } else { number[i] },
            sent: sent[i],
            received: received[i],
            lost: fates[i].starts_with("lost"),
            acks: flags[i].split(',').any(|f| f == "ACK"),
            seq: seq[i] as u32,
            ack: ack[i] as u32,
            len: len[i] as u32,
            window: window[i] as u32,
            options: options[i].clone(),
            reason: reasons[i].clone(),
        });
    }
    Ok(())
}

/// Of the stretches of a sender's segments recorded without a gap, with ACKs that arrived in the
/// meantime (`acked`, in order), the one with most retransmissions; if it is long, the part around
/// the first of them.
fn stretch(rows: &[SequenceRow], acked: &[f64]) -> Range<usize> {
    let again = |rows: &[SequenceRow]| rows.iter().filter(|r| !r.reason.is_empty()).count();
    let is_acked = |rows: &[SequenceRow]| {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return false;
        };
        let before = |time: f64| acked.partition_point(|t| *t < time);
        ACKED * (before(last.sent) - before(first.sent)) >= rows.len()
    };
    let (mut best, mut most, mut from) = (0..0, None, 0);
    for to in 1..=rows.len() {
        if to < rows.len() && rows[to].number == rows[to - 1].number + 1 {
            continue;
        }
        let found = again(&rows[from..to]);
        if most.is_none_or(|m| found > m) && is_acked(&rows[from..to]) {
            (best, most) = (from..to, Some(found));
        }
        from = to;
    }
    let trouble = best.clone().find(|&i| !rows[i].reason.is_empty());
    let start = trouble.map_or(best.start, |i| i.saturating_sub(BEFORE).max(best.start));
    start..best.end.min(start + MOST_DRAWN)
}

fn sequence(conn: i64, sender: &[SequenceRow], receiver: &[SequenceRow]) -> Option<SequencePlot> {
    let base = sender.iter().find(|r| r.len > 0)?.seq;
    let offset = |seq: u32| f64::from(seq.wrapping_sub(base) as i32);
    let mut acked: Vec<f64> = receiver.iter().map(|r| r.received).collect();
    acked.retain(|t| t.is_finite());
    acked.sort_by(f64::total_cmp);
    let part = stretch(sender, &acked);
    let shown = &sender[part.clone()];
    let data: Vec<Data> = shown
        .iter()
        .filter(|r| r.len > 0)
        .map(|r| Data {
            time: r.sent,
            from: offset(r.seq),
            to: offset(r.seq) + f64::from(r.len),
            lost: r.lost,
            reason: r.reason.clone(),
        })
        .collect();
    if data.len() < FEWEST {
        return None;
    }
    let (first, last) = (data[0].time, data[data.len() - 1].time);
    // One round trip more, so that the last segments are shown acknowledged.
    let flights = receiver.iter().map(|r| r.received - r.sent);
    let end = last + 2.0 * flights.filter(|f| f.is_finite()).fold(0.0, f64::max);
    let shift = window_shift(sender, receiver);
    let acks = receiver
        .iter()
        .filter(|r| r.acks && r.received >= first && r.received <= end)
        .map(|r| Ack {
            time: r.received,
            ack: offset(r.ack),
            edge: offset(r.ack) + f64::from(r.window) * shift,
            sacks: sack_blocks(&r.options)
                .map(|(from, to)| (offset(from), offset(to)))
                .collect(),
        })
        .collect();
    Some(SequencePlot {
        conn,
        data,
        acks,
        hidden: sender.len() - part.len(),
    })
}

/// The factor by which the receiver's windows are to be multiplied: both ends must have offered
/// window scaling.
fn window_shift(sender: &[SequenceRow], receiver: &[SequenceRow]) -> f64 {
    let offered = |rows: &[SequenceRow]| {
        let options = rows.iter().map(|r| r.options.as_str());
        let mut scales = options.flat_map(|o| o.split(',')).filter_map(|option| {
            let shift = option.strip_prefix("wscale ")?;
            shift.parse::<i32>().ok()
        });
        scales.next()
    };
    match (offered(sender), offered(receiver)) {
        (Some(_), Some(shift)) => f64::from(2u32.pow(shift.clamp(0, 14) as u32)),
        _ => 1.0,
    }
}

/// The blocks in "…,sack 1:1001 2001:3001".
fn sack_blocks(options: &str) -> impl Iterator<Item = (u32, u32)> {
    let lists = options.split(',').filter_map(|o| o.strip_prefix("sack "));
    let blocks = lists.flat_map(str::split_whitespace);
    blocks.filter_map(|block| {
        let (from, to) = block.split_once(':')?;
        Some((from.parse().ok()?, to.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: i64, reason: &str) -> SequenceRow {
        SequenceRow {
            number,
            sent: number as f64,
            received: number as f64 + 0.5,
            lost: false,
            acks: true,
            seq: (number as u32).wrapping_mul(1000).wrapping_sub(3000),
            ack: 1,
            len: 1000,
            window: 10,
            options: String::new(),
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn the_stretch_with_most_retransmissions_is_drawn() {
        let acked: Vec<f64> = (0..1000).map(f64::from).collect();
        let rows: Vec<SequenceRow> = [1, 2, 3, 7, 8, 9, 20]
            .map(|n| row(n, if n == 8 { "SACK" } else { "" }))
            .into();
        assert_eq!(stretch(&rows, &acked), 3..6);
        assert_eq!(stretch(&rows, &acked[..4]), 0..3, "no ACKs later on");
        let rows: Vec<SequenceRow> = (0..1000)
            .map(|n| row(n, if n == 500 { "RTO" } else { "" }))
            .collect();
        assert_eq!(
            stretch(&rows, &acked),
            500 - BEFORE..500 - BEFORE + MOST_DRAWN
        );
        let rows: Vec<SequenceRow> = (0..1000).map(|n| row(n, "")).collect();
        assert_eq!(stretch(&rows, &acked), 0..MOST_DRAWN);
        assert_eq!(stretch(&[], &acked), 0..0);
    }

    #[test]
    fn windows_are_scaled_and_blocks_are_read_across_the_wrap() {
        let mut sender: Vec<SequenceRow> = (0..30).map(|n| row(n, "")).collect();
        sender[0].options = "mss 1460,wscale 2".into();
        let mut back = row(5, "");
        (back.seq, back.ack, back.len) = (1, 1000, 0);
        back.options = "nop,wscale 3,sack 2000:3000 4294966296:0".into();
        let mut acks = vec![back];
        acks.extend((6..30).map(|n| row(n, "")));
        let found = sequence(7, &sender, &acks).unwrap();
        assert_eq!((found.data[0].from, found.data[29].to), (0.0, 30_000.0));
        let ack = &found.acks[0];
        assert_eq!((ack.time, ack.ack, ack.edge), (5.5, 4000.0, 4080.0));
        assert_eq!(ack.sacks, [(5000.0, 6000.0), (2000.0, 3000.0)]);
    }

    #[test]
    fn a_few_segments_make_no_plot() {
        let sender: Vec<SequenceRow> = (0..5).map(|n| row(n, "")).collect();
        assert_eq!(sequence(7, &sender, &[row(2, "")]), None);
    }
}
