//! A connection as its diagrams need it: lanes, segments, state changes.

use std::collections::{BTreeMap, BTreeSet};

use tcp_model::{ConnId, State};

use super::data::RunData;
use super::style::state_named;
use crate::store::StoreError;
use crate::store::reader::Table;

/// What became of a segment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fate {
    /// Arrived then.
    Received(f64),
    /// Lost.
    Lost,
    /// Neither seen.
    Unseen,
}

/// A segment on its way between two lanes; times in seconds.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) sent: f64,
    pub(crate) fate: Fate,
    /// "lost: queue full".
    pub(crate) fate_text: String,
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// Address and port of the sender.
    pub(crate) source: (i64, i64),
    pub(crate) flags: String,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) len: u32,
    pub(crate) retransmission: bool,
    /// The rule by which it was sent again; empty otherwise.
    pub(crate) reason: String,
    /// States of the ends after sending it and after its arrival, where recorded.
    pub(crate) state_at_sender: Option<State>,
    pub(crate) state_at_receiver: Option<State>,
}

impl Sent {
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.split(',').any(|f| f == flag)
    }
}

/// A change of state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) time: f64,
    pub(crate) lane: usize,
    pub(crate) to: State,
}

/// A connection.
#[derive(Clone, Debug)]
pub(crate) struct Conversation {
    pub(crate) conn: ConnId,
    /// Names of the nodes, the opener first.
    pub(crate) lanes: Vec<String>,
    pub(crate) segments: Vec<Sent>,
    pub(crate) changes: Vec<Change>,
}

impl Conversation {
    /// When it began, seconds.
    pub(crate) fn start(&self) -> f64 {
        let times = self.segments.iter().map(|s| s.sent);
        let times = times.chain(self.changes.iter().map(|c| c.time));
        times.fold(f64::INFINITY, f64::min)
    }

    fn lane(&mut self, node: &str) -> usize {
        let place = self.lanes.iter().position(|l| l == node);
        place.unwrap_or_else(|| {
            self.lanes.push(node.to_owned());
            self.lanes.len() - 1
        })
    }
}

/// The first `most` connections that have segments; where none has, those that have states.
pub(crate) fn conversations(
    data: &RunData<'_>,
    most: usize,
) -> Result<Vec<Conversation>, StoreError> {
    let mut changes: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    let mut order: Vec<i64> = Vec::new();
    if let Some(states) = &data.states {
        let to = states.texts("to")?;
        for (i, &conn) in states.ints("conn")?.iter().enumerate() {
            // A listener is no end of a connection.
            if to[i] != State::Listen.name() {
                let rows = changes.entry(conn).or_default();
                if rows.is_empty() && data.segments.is_none() {
                    order.push(conn);
                }
                rows.push(i);
            }
        }
    }
    let traced = data.segments.as_ref().map(Traced::index).transpose()?;
    if let Some(traced) = &traced {
        order.extend(&traced.order);
    }
    let mut shown = BTreeSet::new();
    let mut found = Vec::new();
    for conn in order {
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
        if let (Some(traced), Some(table)) = (&traced, &data.segments) {
            for row in traced.conversation(conn, &mut conns) {
                push_segment(&mut one, table, row)?;
            }
        }
        if let Some(states) = &data.states {
            for row in conns.iter().flat_map(|c| changes.get(c)).flatten() {
                push_change(&mut one, states, *row)?;
            }
        }
        one.changes.sort_by(|a, b| a.time.total_cmp(&b.time));
        shown.extend(conns);
        found.push(one);
    }
    Ok(found)
}

/// A connection's 4-tuple without direction.
type Pair = ((i64, i64), (i64, i64));

/// The segment table by connection and by 4-tuple.
struct Traced {
    order: Vec<i64>,
    by_conn: BTreeMap<i64, Vec<usize>>,
    by_pair: BTreeMap<Pair, Vec<usize>>,
    conns: Vec<i64>,
    pairs: Vec<Pair>,
    sent: Vec<f64>,
}

impl Traced {
    fn index(table: &Table) -> Result<Traced, StoreError> {
        let (src, src_port) = (table.ints("src_ip")?, table.ints("src_port")?);
        let (dst, dst_port) = (table.ints("dst_ip")?, table.ints("dst_port")?);
        let mut traced = Traced {
            order: Vec::new(),
            by_conn: BTreeMap::new(),
            by_pair: BTreeMap::new(),
            conns: table.ints("conn")?.to_vec(),
            pairs: Vec::new(),
            sent: table.floats("sent_s")?.to_vec(),
        };
        for i in 0..table.len() {
            let (a, b) = ((src[i], src_port[i]), (dst[i], dst_port[i]));
            let pair = if a <= b { (a, b) } else { (b, a) };
            traced.pairs.push(pair);
            if traced.sent[i].is_nan() {
                continue;
            }
            let conn = traced.conns[i];
            let rows = traced.by_conn.entry(conn).or_default();
            if rows.is_empty() {
                traced.order.push(conn);
            }
            rows.push(i);
            traced.by_pair.entry(pair).or_default().push(i);
        }
        Ok(traced)
    }

    /// Rows of a connection, with those that others sent over its 4-tuple meanwhile: old
    /// duplicates, and the other half of a simultaneous open, whose identity joins `conns`.
    fn conversation(&self, conn: i64, conns: &mut BTreeSet<i64>) -> BTreeSet<usize> {
        let own = self.by_conn.get(&conn).map_or(&[][..], Vec::as_slice);
        let mut rows: BTreeSet<usize> = own.iter().copied().collect();
        let (Some(&first), Some(&last)) = (own.first(), own.last()) else {
            return rows;
        };
        let during = self.sent[first]..=self.sent[last];
        for &i in self.by_pair.get(&self.pairs[first]).into_iter().flatten() {
            if !during.contains(&self.sent[i]) {
                continue;
            }
            rows.insert(i);
            let began = self.by_conn.get(&self.conns[i]).and_then(|r| r.first());
            if began.is_some_and(|&b| during.contains(&self.sent[b])) {
                conns.insert(self.conns[i]);
            }
        }
        rows
    }
}

fn push_segment(one: &mut Conversation, table: &Table, i: usize) -> Result<(), StoreError> {
    let (from, to) = (&table.texts("from_node")?[i], &table.texts("to_node")?[i]);
    let (from, to) = (one.lane(from), one.lane(to));
    let fate_text = table.texts("fate")?[i].clone();
    let received = table.floats("received_s")?[i];
    let fate = if received.is_finite() {
        Fate::Received(received)
    } else if fate_text.starts_with("lost") {
        Fate::Lost
    } else {
        Fate::Unseen
    };
    one.segments.push(Sent {
        sent: table.floats("sent_s")?[i],
        fate,
        fate_text,
        from,
        to,
        source: (table.ints("src_ip")?[i], table.ints("src_port")?[i]),
        flags: table.texts("flags")?[i].clone(),
        seq: table.ints("seq")?[i] as u32,
        ack: table.ints("ack")?[i] as u32,
        len: table.ints("len")?[i] as u32,
        retransmission: table.bools("retransmission")?[i],
        reason: table.texts("reason")?[i].clone(),
        state_at_sender: state_named(&table.texts("state_at_sender")?[i]),
        state_at_receiver: state_named(&table.texts("state_at_receiver")?[i]),
    });
    Ok(())
}

fn push_change(one: &mut Conversation, table: &Table, i: usize) -> Result<(), StoreError> {
    let Some(to) = state_named(&table.texts("to")?[i]) else {
        return Ok(());
    };
    let lane = one.lane(&table.texts("node")?[i]);
    one.changes.push(Change {
        time: table.floats("time_s")?[i],
        lane,
        to,
    });
    Ok(())
}
