//! Reads the rows of the first connections, whatever the size of the tables.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use rustc_hash::FxHashMap;
use tcp_model::{ConnId, State};

use super::columns::{Columns, FATE, FLAGS, FROM, OPTIONS, REASON, TO};
use super::kept::KeptItems;
use super::traced_row::TracedRow;
use super::{Conversation, HeaderDetail, LadderSegment, LadderStateChange};
use crate::figures::style::state_named;
use crate::store::StoreError;
use crate::store::reader::Groups;

const SEGMENTS: &[&str] = &[
    "conn",
    "number",
    "sent_s",
    "received_s",
    "fate",
    "from_node",
    "to_node",
    "src_ip",
    "src_port",
    "dst_ip",
    "dst_port",
    "flags",
    "seq",
    "ack",
    "len",
    "window",
    "ts_val",
    "ts_ecr",
    "options",
    "retransmission",
    "reason",
    "state_at_sender",
    "state_at_receiver",
];
const STATES: &[&str] = &["time_s", "conn", "node", "from", "to"];

/// Connections examined for each one that is shown: one may be the other half of a simultaneous
/// open, or use the 4-tuple of an earlier one.
const SPARE: usize = 4;
/// Most state changes read for one connection.
pub(crate) const MOST_CHANGES: usize = 1000;

/// The first `most` connections that have segments; if none has, those that have states.
pub(crate) fn conversations(dir: &Path, most: usize) -> Result<Vec<Conversation>, StoreError> {
    let traced = TracedRows::read(dir, most)?;
    let conns = traced.rows.keys().copied().collect();
    let changes = Changes::read(dir, conns, most)?;
    let order = match traced.order.is_empty() {
        true => &changes.order,
        false => &traced.order,
    };
    let (mut shown, mut found) = (BTreeSet::new(), Vec::new());
    for &conn in order {
        if found.len() == most {
            break;
        }
        if shown.contains(&conn) {
            continue;
        }
        let mut one = Conversation {
            conn: ConnId(conn as u64),
            lanes: Vec::new(),
            segments: Vec::new(),
            changes: Vec::new(),
        };
        let mut conns = BTreeSet::from([conn]);
        for row in traced.conversation(conn, &mut conns) {
            let [from, to] = [row.texts[FROM], row.texts[TO]].map(|node| traced.text(node));
            let lanes = (one.lane(from), one.lane(to));
            let mut sent = traced.sent(row, lanes);
            sent.detail.place = one.segments.len();
            one.segments.push(sent);
        }
        for (change, node) in conns.iter().flat_map(|c| changes.of(*c)) {
            let lane = one.lane(node);
            one.changes.push(LadderStateChange { lane, ..*change });
        }
        one.changes.sort_by(|a, b| a.time.total_cmp(&b.time));
        shown.extend(conns);
        found.push(one);
    }
    Ok(found)
}

/// The rows of the first connections, and of others that share their 4-tuples.
#[derive(Debug, Default)]
struct TracedRows {
    /// Connections in order of their first segment.
    order: Vec<i64>,
    rows: BTreeMap<i64, Vec<TracedRow>>,
    /// The texts of all rows.
    texts: Vec<String>,
}

impl TracedRows {
    fn read(dir: &Path, most: usize) -> Result<TracedRows, StoreError> {
        let mut traced = TracedRows::default();
        let Some(groups) = Groups::open(dir, "segments", SEGMENTS)? else {
            return Ok(traced);
        };
        let mut groups = groups.side_by_side();
        let most = SPARE * most;
        let (mut kept, mut pairs) = (
            BTreeMap::<i64, KeptItems<TracedRow>>::new(),
            BTreeSet::new(),
        );
        let mut sent: FxHashMap<(i64, (i64, i64)), i64> = FxHashMap::default();
        let mut places = HashMap::new();
        let mut place = 0;
        while let Some(group) = groups.next_group()? {
            let columns = Columns::of(&group, &mut places)?;
            for i in 0..group.len() {
                place += 1;
                let (conn, pair) = (columns.conn[i], columns.pair(i));
                if columns.sent[i].is_nan() {
                    continue;
                }
                if kept.len() < most && !kept.contains_key(&conn) {
                    traced.order.push(conn);
                    pairs.insert(pair);
                    kept.insert(conn, KeptItems::default());
                }
                let known = kept.contains_key(&conn);
                if !known && (!pairs.contains(&pair) || kept.len() >= SPARE * most) {
                    continue;
                }
                let mut row = columns.row(i, place, pair);
                if row.number == 0 {
                    // If every segment has a row, segments are numbered by counting.
                    let count = sent.entry((conn, row.source)).or_default();
                    *count += i64::from(!columns.is_duplicate(i));
                    row.number = *count;
                }
                kept.entry(conn).or_default().push(row, row.is_trouble());
            }
        }
        let finished = kept.into_iter();
        traced.rows = finished
            .map(|(conn, rows)| (conn, rows.finish(|row| row.place)))
            .collect();
        let mut texts: Vec<(String, u32)> = places.into_iter().collect();
        texts.sort_by_key(|(_, place)| *place);
        traced.texts = texts.into_iter().map(|(text, _)| text).collect();
        Ok(traced)
    }

    fn text(&self, place: u32) -> &str {
        self.texts.get(place as usize).map_or("", String::as_str)
    }

    /// A row in the form diagrams need.
    fn sent(&self, row: &TracedRow, (from, to): (usize, usize)) -> LadderSegment {
        let text = |which: usize| self.text(row.texts[which]).to_owned();
        let [seq, ack, len, window] = row.numbers;
        let mut options = text(OPTIONS);
        if options.is_empty() && row.stamps[0].is_finite() {
            let [val, ecr] = row.stamps;
            options = format!("nop,nop,TS val {val} ecr {ecr}");
        }
        LadderSegment {
            sent: row.sent,
            fate: row.fate,
            fate_text: text(FATE),
            from,
            to,
            conn: row.conn,
            number: row.number,
            source: row.source,
            flags: text(FLAGS).into(),
            seq,
            ack,
            len,
            retransmission: row.retransmission,
            reason: text(REASON),
            state_at_sender: row.state_at_sender,
            state_at_receiver: row.state_at_receiver,
            detail: HeaderDetail {
                place: 0,
                dst_port: row.dst_port,
                window,
                options,
            },
        }
    }

    /// Rows of a connection, with those that others sent over its 4-tuple in the meantime: old
    /// duplicates, and the other half of a simultaneous open, whose identity is added to `conns`.
    fn conversation(&self, conn: i64, conns: &mut BTreeSet<i64>) -> Vec<&TracedRow> {
        let own = self.rows.get(&conn).map_or(&[][..], Vec::as_slice);
        let mut rows: Vec<&TracedRow> = own.iter().collect();
        let (Some(first), Some(last)) = (own.first(), own.last()) else {
            return rows;
        };
        let during = first.sent..=last.sent;
        for (&other, theirs) in self.rows.iter().filter(|(other, _)| **other != conn) {
            let theirs = theirs.iter().filter(|row| row.pair == first.pair);
            let began = theirs.clone().next();
            if began.is_some_and(|row| during.contains(&row.sent)) {
                conns.insert(other);
            }
            rows.extend(theirs.filter(|row| during.contains(&row.sent)));
        }
        rows.sort_by_key(|row| row.place);
        rows
    }
}

/// State changes with their nodes; the lane of a change is not known yet.
#[derive(Debug, Default)]
struct Changes {
    /// Connections in order of their first change.
    order: Vec<i64>,
    changes: BTreeMap<i64, Vec<(LadderStateChange, String)>>,
}

impl Changes {
    /// The changes of `conns`; if that is empty, of the first connections.
    fn read(dir: &Path, conns: BTreeSet<i64>, most: usize) -> Result<Changes, StoreError> {
        let mut all = Changes::default();
        let Some(mut groups) = Groups::open(dir, "states", STATES)? else {
            return Ok(all);
        };
        let mut wanted = conns;
        let takes_first = wanted.is_empty();
        loop {
            let full = !takes_first || wanted.len() >= most;
            let group =
                groups.next_group_with(|range| !full || wanted.range(range).next().is_some());
            let Some(group) = group? else {
                return Ok(all);
            };
            let (times, nodes) = (group.floats("time_s")?, group.texts("node")?);
            let (conns, to) = (group.ints("conn")?, group.texts("to")?);
            let from = group.texts("from")?;
            for i in 0..group.len() {
                // A listener is not an end of a connection.
                let Some(to) = state_named(&to[i]).filter(|s| *s != State::Listen) else {
                    continue;
                };
                let conn = conns[i];
                if takes_first && wanted.len() < most && wanted.insert(conn) {
                    all.order.push(conn);
                }
                if !wanted.contains(&conn) {
                    continue;
                }
                let changes = all.changes.entry(conn).or_default();
                if changes.len() < MOST_CHANGES {
                    let change = LadderStateChange {
                        time: times[i],
                        lane: 0,
                        from: state_named(&from[i]).unwrap_or(State::Closed),
                        to,
                    };
                    changes.push((change, nodes[i].clone()));
                }
            }
        }
    }

    fn of(&self, conn: i64) -> impl Iterator<Item = &(LadderStateChange, String)> {
        self.changes.get(&conn).into_iter().flatten()
    }
}
