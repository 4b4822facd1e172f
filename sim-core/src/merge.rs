//! Merges the records of partitions into canonical order.

use crate::event::Tie;
use crate::record::Record;
use crate::time::SimTime;

fn key<S>(record: &Record<S>) -> (SimTime, Tie) {
    (record.time, record.tie)
}

/// Moves the records before `safe` (all of them with `None`) from sorted buffers to the end of
/// `merged`, in order.
///
/// No two buffers have records of the same event, so records of one event stay in the order in which
/// they were made.
pub(crate) fn merge_before<'a, S: 'a>(
    buffers: impl Iterator<Item = &'a mut Vec<Record<S>>>,
    safe: Option<SimTime>,
    merged: &mut Vec<Record<S>>,
) {
    let mut heads: Vec<_> = buffers
        .filter(|buffer| !buffer.is_empty())
        .map(|buffer| {
            let cut = safe.map_or(buffer.len(), |safe| {
                buffer.partition_point(|r| r.time < safe)
            });
            buffer.drain(..cut).peekable()
        })
        .collect();
    loop {
        // The buffer with the smallest head, and the smallest head among the others.
        let (mut first, mut second) = (None, None);
        for (i, head) in heads.iter_mut().enumerate() {
            let Some(k) = head.peek().map(key) else {
                continue;
            };
            match first {
                Some((_, smallest)) if smallest <= k => {
                    second = Some(second.map_or(k, |s: (SimTime, Tie)| s.min(k)));
                }
                _ => {
                    second = first.map(|f| f.1);
                    first = Some((i, k));
                }
            }
        }
        let Some((i, _)) = first else { return };
        let is_next = |r: &Record<S>| second.is_none_or(|bound| key(r) < bound);
        while let Some(record) = heads[i].next_if(is_next) {
            merged.push(record);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::NodeId;

    fn record(time: u64, node: u32, sample: u32) -> Record<u32> {
        Record {
            time: SimTime::from_ps(time),
            tie: Tie::new(NodeId(node), 0),
            node: NodeId(node),
            sample,
        }
    }

    #[test]
    fn sorted_buffers_are_merged_and_later_records_stay() {
        let mut buffers = [
            vec![
                record(1, 0, 0),
                record(1, 0, 1),
                record(5, 0, 4),
                record(9, 0, 7),
            ],
            vec![],
            vec![record(1, 2, 2), record(4, 2, 3), record(5, 2, 6)],
            vec![record(5, 1, 5), record(8, 1, 8)],
        ];
        let mut merged = Vec::new();
        merge_before(buffers.iter_mut(), Some(SimTime::from_ps(8)), &mut merged);
        let samples: Vec<u32> = merged.iter().map(|r| r.sample).collect();
        assert_eq!(samples, [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(buffers.each_ref().map(Vec::len), [1, 0, 0, 1]);
        merge_before(buffers.iter_mut(), None, &mut merged);
        assert_eq!((merged[7].sample, merged[8].sample), (8, 7));
        assert_eq!(buffers.each_ref().map(Vec::len), [0; 4]);
    }
}
