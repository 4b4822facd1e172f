//! Reads the rows of the first connections, whatever the size of the tables.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use tcp_model::{ConnId, State};

use super::kept::Kept;
use super::{Change, Conversation, Fate, Sent};
use crate::figures::style::state_named;
use crate::store::StoreError;
use crate::store::reader::{Groups, Table};

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
    "retransmission",
    "reason",
    "state_at_sender",
    "state_at_receiver",
];
const STATES: &[&str] = &["time_s", "conn", "node", "to"];

/// Connections looked at for each that is shown: one may be the other half of a simultaneous open,
/// or use the 4-tuple of an earlier one.
const SPARE: usize = 4;
/// State changes of one connection that are read.
const MOST_CHANGES: usize = 1000;

/// A connection's 4-tuple without direction.
type Pair = ((i64, i64), (i64, i64));

/// The first `most` connections that have segments; where none has, those that have states.
pub(crate) fn conversations(dir: &Path, most: usize) -> Result<Vec<Conversation>, StoreError> {
    let traced = Traced::read(dir, most)?;
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
            let (from, to) = (one.lane(&row.from), one.lane(&row.to));
            one.segments.push(Sent {
                from,
                to,
                ..row.sent.clone()
            });
        }
        for (change, node) in conns.iter().flat_map(|c| changes.of(*c)) {
            let lane = one.lane(node);
            one.changes.push(Change { lane, ..*change });
        }
        one.changes.sort_by(|a, b| a.time.total_cmp(&b.time));
        shown.extend(conns);
        found.push(one);
    }
    Ok(found)
}

/// A row of the table of segments; the lanes of `sent` are not known yet.
#[derive(Debug)]
struct Row {
    place: u64,
    pair: Pair,
    from: String,
    to: String,
    sent: Sent,
}

/// The rows of the first connections, and of those that share their 4-tuples.
#[derive(Debug, Default)]
struct Traced {
    /// Connections in order of their first segment.
    order: Vec<i64>,
    rows: BTreeMap<i64, Vec<Row>>,
}

impl Traced {
    fn read(dir: &Path, most: usize) -> Result<Traced, StoreError> {
        let mut traced = Traced::default();
        let Some(mut groups) = Groups::open(dir, "segments", SEGMENTS)? else {
            return Ok(traced);
        };
        let most = SPARE * most;
        let (mut kept, mut pairs) = (BTreeMap::<i64, Kept<Row>>::new(), BTreeSet::new());
        let mut sent: HashMap<(i64, (i64, i64)), i64> = HashMap::new();
        let mut place = 0;
        while let Some(group) = groups.next_group()? {
            let columns = Columns::of(&group)?;
            for i in 0..group.len() {
                place += 1;
                let (conn, pair) = (columns.conn[i], columns.pair(i));
                if columns.sent[i].is_nan() {
                    continue;
                }
                if kept.len() < most && !kept.contains_key(&conn) {
                    traced.order.push(conn);
                    pairs.insert(pair);
                    kept.insert(conn, Kept::default());
                }
                let known = kept.contains_key(&conn);
                if !known && (!pairs.contains(&pair) || kept.len() >= SPARE * most) {
                    continue;
                }
                let mut row = columns.row(i, place, pair);
                if row.sent.number == 0 {
                    // Every segment has a row: they are numbered by counting.
                    let count = sent.entry((conn, row.sent.source)).or_default();
                    *count += i64::from(row.sent.fate_text != "duplicate");
                    row.sent.number = *count;
                }
                let matters = row.sent.is_trouble();
                kept.entry(conn).or_default().push(row, matters);
            }
        }
        let finished = kept.into_iter();
        traced.rows = finished
            .map(|(conn, rows)| (conn, rows.finish(|row| row.place)))
            .collect();
        Ok(traced)
    }

    /// Rows of a connection, with those that others sent over its 4-tuple meanwhile: old
    /// duplicates, and the other half of a simultaneous open, whose identity joins `conns`.
    fn conversation(&self, conn: i64, conns: &mut BTreeSet<i64>) -> Vec<&Row> {
        let own = self.rows.get(&conn).map_or(&[][..], Vec::as_slice);
        let mut rows: Vec<&Row> = own.iter().collect();
        let (Some(first), Some(last)) = (own.first(), own.last()) else {
            return rows;
        };
        let during = first.sent.sent..=last.sent.sent;
        for (&other, theirs) in self.rows.iter().filter(|(other, _)| **other != conn) {
            let theirs = theirs.iter().filter(|row| row.pair == first.pair);
            let began = theirs.clone().next();
            if began.is_some_and(|row| during.contains(&row.sent.sent)) {
                conns.insert(other);
            }
            rows.extend(theirs.filter(|row| during.contains(&row.sent.sent)));
        }
        rows.sort_by_key(|row| row.place);
        rows
    }
}

/// The columns of a row group.
struct Columns<'a> {
    conn: &'a [i64],
    number: &'a [i64],
    sent: &'a [f64],
    received: &'a [f64],
    ends: [&'a [i64]; 4],
    numbers: [&'a [i64]; 3],
    retransmission: &'a [bool],
    texts: [&'a [String]; 7],
}

impl Columns<'_> {
    fn of(table: &Table) -> Result<Columns<'_>, StoreError> {
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
            numbers: [table.ints("seq")?, table.ints("ack")?, table.ints("len")?],
            retransmission: table.bools("retransmission")?,
            texts: [
                table.texts("from_node")?,
                table.texts("to_node")?,
                table.texts("fate")?,
                table.texts("flags")?,
                table.texts("state_at_sender")?,
                table.texts("state_at_receiver")?,
                table.texts("reason")?,
            ],
        })
    }

    fn pair(&self, i: usize) -> Pair {
        let [src, src_port, dst, dst_port] = self.ends.map(|column| column[i]);
        let (a, b) = ((src, src_port), (dst, dst_port));
        if a <= b { (a, b) } else { (b, a) }
    }

    fn row(&self, i: usize, place: u64, pair: Pair) -> Row {
        let [from, to, fate_text, flags, at_sender, at_receiver, reason] =
            self.texts.map(|column| &column[i]);
        let fate = if self.received[i].is_finite() {
            Fate::Received(self.received[i])
        } else if fate_text.starts_with("lost") {
            Fate::Lost
        } else {
            Fate::Unseen
        };
        let [seq, ack, len] = self.numbers.map(|column| column[i] as u32);
        Row {
            place,
            pair,
            from: from.clone(),
            to: to.clone(),
            sent: Sent {
                sent: self.sent[i],
                fate,
                fate_text: fate_text.clone(),
                from: 0,
                to: 0,
                conn: self.conn[i],
                number: self.number[i],
                source: (self.ends[0][i], self.ends[1][i]),
                flags: flags.clone(),
                seq,
                ack,
                len,
                retransmission: self.retransmission[i],
                reason: reason.clone(),
                state_at_sender: state_named(at_sender),
                state_at_receiver: state_named(at_receiver),
            },
        }
    }
}

/// State changes, with their nodes; the lane of a change is not known yet.
#[derive(Debug, Default)]
struct Changes {
    /// Connections in order of their first change.
    order: Vec<i64>,
    changes: BTreeMap<i64, Vec<(Change, String)>>,
}

impl Changes {
    /// Those of `conns`; without any, those of the first connections.
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
            for i in 0..group.len() {
                // A listener is no end of a connection.
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
                    let change = Change {
                        time: times[i],
                        lane: 0,
                        to,
                    };
                    changes.push((change, nodes[i].clone()));
                }
            }
        }
    }

    fn of(&self, conn: i64) -> impl Iterator<Item = &(Change, String)> {
        self.changes.get(&conn).into_iter().flatten()
    }
}
