//! Loss of listed packets: a recorded trace of losses, or a test case.

use std::sync::Arc;

use super::{AnyLoss, LossModel};
use crate::plugin::{InvalidValue, ModelKind, ModelParameter, ModelValues, ValueKind, list_items};
use crate::rng::Rng;
use crate::time::SimTime;

const PARAMETERS: &[ModelParameter] = &[
    ModelParameter::needed(
        "packets",
        ValueKind::List,
        "numbers of the packets lost, counted from 1 as the link sends them; 5-8 stands for four",
    ),
    ModelParameter::new(
        "repeat",
        ValueKind::Count,
        "0",
        "packets after which the list begins again; 0 for never",
    ),
];

/// The largest number of packets in a list.
const MOST: usize = 1_000_000;

/// Loss of listed packets as a kind of loss model.
pub(super) fn kind() -> ModelKind<AnyLoss> {
    ModelKind::new(
        "list",
        "loses the packets of a list, which may repeat",
        PARAMETERS,
        |values: &ModelValues| {
            let packets: Arc<[u64]> = numbers(&values.list("packets"))?.into();
            let repeat = values.count("repeat");
            let last = packets.last().copied().unwrap_or(0);
            if repeat > 0 && repeat < last {
                return Err(InvalidValue::new(
                    "repeat",
                    format!("is {repeat}, less than the last packet of the list, {last}"),
                    "write at least that number, or 0 for a list that does not repeat",
                ));
            }
            Ok(Arc::new(move || {
                AnyLoss::custom(LossList {
                    packets: Arc::clone(&packets),
                    repeat,
                    packet: 0,
                    next: 0,
                })
            }))
        },
    )
}

/// The numbers of a list, in order, each once.
fn numbers(text: &str) -> Result<Vec<u64>, InvalidValue> {
    let wrong = |item: &str| {
        InvalidValue::new(
            "packets",
            format!("has {item:?}, which is neither a packet nor a range of packets"),
            "write for example [3, \"5-8\"]",
        )
    };
    let mut all = Vec::new();
    for item in list_items(text) {
        let (from, to) = item.split_once('-').unwrap_or((item, item));
        let read = |n: &str| n.trim().parse::<u64>().map_err(|_| wrong(item));
        let (from, to) = (read(from)?, read(to)?);
        if from == 0 || from > to {
            return Err(wrong(item));
        }
        if to - from >= MOST as u64 || all.len() + (to - from) as usize >= MOST {
            return Err(InvalidValue::new(
                "packets",
                format!("has more than {MOST} packets"),
                "give a shorter list and let it repeat, or another loss model",
            ));
        }
        all.extend(from..=to);
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

#[derive(Debug)]
struct LossList {
    packets: Arc<[u64]>,
    repeat: u64,
    /// Number of the last packet since the list began.
    packet: u64,
    /// Index in the list of the next packet to lose.
    next: usize,
}

impl LossModel for LossList {
    fn is_lost(&mut self, _: SimTime, _: &mut Rng) -> bool {
        if self.repeat > 0 && self.packet == self.repeat {
            (self.packet, self.next) = (0, 0);
        }
        self.packet += 1;
        let lost = self.packets.get(self.next) == Some(&self.packet);
        self.next += usize::from(lost);
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(given: &[(&str, &str)], n: u64) -> Vec<u64> {
        let mut model = kind().plugin(given).unwrap().build();
        let mut rng = Rng::stream(1, "loss", 0);
        (1..=n)
            .filter(|_| model.is_lost(SimTime::ZERO, &mut rng))
            .collect()
    }

    #[test]
    fn listed_packets_and_ranges_are_lost_in_whatever_order_they_are_written() {
        let given = [("packets", "9, 2, 4-6, 5")];
        assert_eq!(lost(&given, 30), [2, 4, 5, 6, 9]);
        let given = [("packets", "1 3"), ("repeat", "4")];
        assert_eq!(lost(&given, 12), [1, 3, 5, 7, 9, 11]);
        assert_eq!(lost(&[("packets", "")], 5), []);
    }

    #[test]
    fn an_invalid_list_is_refused_with_advice() {
        for wrong in ["0", "5-3", "x", "1-2-3", "1-99999999"] {
            let error = kind()
                .plugin(&[("packets", wrong)])
                .unwrap_err()
                .to_string();
            assert!(error.contains("packet"), "{wrong}: {error}");
        }
        assert!(kind().plugin(&[("packets", "7"), ("repeat", "5")]).is_err());
    }
}
