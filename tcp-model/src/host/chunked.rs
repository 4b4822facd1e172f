//! A growing array that does not move its elements, except for the first few.

use std::ops::{Index, IndexMut};

/// Elements in chunks of `N`: growth allocates one chunk and copies nothing, so that a table of millions
/// takes no more memory than it needs and has no spike from doubling. The first chunk starts with room for
/// one element and grows, so that a host with a single connection pays for one.
#[derive(Debug)]
pub(super) struct Chunked<T, const N: usize> {
    chunks: Vec<Vec<T>>,
}

impl<T, const N: usize> Default for Chunked<T, N> {
    fn default() -> Self {
        Chunked { chunks: Vec::new() }
    }
}

impl<T, const N: usize> Chunked<T, N> {
    /// Appends an element and returns its place.
    pub(super) fn push(&mut self, value: T) -> u32 {
        let place = self.len();
        assert!(place < u32::MAX as usize >> 1, "more than 2^31 elements");
        match self.chunks.last_mut() {
            Some(last) if last.len() < N => last.push(value),
            _ => {
                let is_first = self.chunks.is_empty();
                let mut chunk = Vec::with_capacity(if is_first { 1 } else { N });
                chunk.push(value);
                if is_first {
                    self.chunks.reserve_exact(1);
                }
                self.chunks.push(chunk);
            }
        }
        place as u32
    }

    pub(super) fn len(&self) -> usize {
        match self.chunks.split_last() {
            Some((last, full)) => full.len() * N + last.len(),
            None => 0,
        }
    }

    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut T> {
        let place = place as usize;
        self.chunks.get_mut(place / N)?.get_mut(place % N)
    }

    pub(super) fn get(&self, place: u32) -> Option<&T> {
        let place = place as usize;
        self.chunks.get(place / N)?.get(place % N)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let places: usize = self.chunks.iter().map(Vec::capacity).sum();
        places * size_of::<T>() + self.chunks.capacity() * size_of::<Vec<T>>()
    }
}

impl<T, const N: usize> Index<u32> for Chunked<T, N> {
    type Output = T;
    fn index(&self, place: u32) -> &T {
        let place = place as usize;
        &self.chunks[place / N][place % N]
    }
}

impl<T, const N: usize> IndexMut<u32> for Chunked<T, N> {
    fn index_mut(&mut self, place: u32) -> &mut T {
        let place = place as usize;
        &mut self.chunks[place / N][place % N]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_keep_their_places_over_chunks() {
        let mut all: Chunked<u32, 4> = Chunked::default();
        assert_eq!((all.len(), all.get(0), all.memory_bytes()), (0, None, 0));
        for i in 0..11 {
            assert_eq!(all.push(10 * i), i);
            assert_eq!(all.len(), i as usize + 1);
        }
        all[9] += 1;
        *all.get_mut(3).unwrap() += 1;
        let values: Vec<u32> = (0..11).map(|i| all[i]).collect();
        assert_eq!(values, [0, 10, 20, 31, 40, 50, 60, 70, 80, 91, 100]);
        assert_eq!(
            (all.get(10), all.get(11), all.get(99)),
            (Some(&100), None, None)
        );
    }
}
