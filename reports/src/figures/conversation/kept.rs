//! Keeps the segments of a connection that a diagram may need, however many there are.

use std::collections::VecDeque;

/// Number of segments kept from the beginning, from the end, and of problems in between.
const HEAD: usize = 400;
const TAIL: usize = 400;
const TROUBLE: usize = 400;

/// Keeps the first items, the last ones, and those that matter.
#[derive(Debug)]
pub(super) struct KeptItems<T> {
    head: Vec<T>,
    trouble: Vec<T>,
    tail: VecDeque<T>,
}

impl<T> Default for KeptItems<T> {
    fn default() -> KeptItems<T> {
        KeptItems {
            head: Vec::new(),
            trouble: Vec::new(),
            tail: VecDeque::new(),
        }
    }
}

impl<T> KeptItems<T> {
    pub(super) fn push(&mut self, item: T, matters: bool) {
        if self.head.len() < HEAD {
            self.head.push(item);
        } else if matters && self.trouble.len() < TROUBLE {
            self.trouble.push(item);
        } else {
            if self.tail.len() == TAIL {
                self.tail.pop_front();
            }
            self.tail.push_back(item);
        }
    }

    /// The items kept, in the order of `key`.
    pub(super) fn finish<K: Ord>(self, key: impl Fn(&T) -> K) -> Vec<T> {
        let mut all = self.head;
        all.extend(self.trouble);
        all.extend(self.tail);
        all.sort_by_key(key);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_last_and_trouble_are_kept_in_order_of_many() {
        let mut kept = KeptItems::default();
        (0..1_000_000).for_each(|i| kept.push(i, i == 5_000 || i == 7));
        let all = kept.finish(|i| *i);
        assert_eq!(all.len(), HEAD + 1 + TAIL);
        assert!(all.is_sorted() && all.contains(&5_000));
        assert_eq!((all[0], all[HEAD - 1]), (0, HEAD - 1));
        assert_eq!(all.last(), Some(&999_999));
        let mut few = KeptItems::default();
        (0..900).for_each(|i| few.push(i, i % 2 == 0));
        assert_eq!(few.finish(|i| *i).len(), 900);
    }
}
