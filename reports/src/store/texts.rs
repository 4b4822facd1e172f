//! A column of text in memory: each distinct text once, and an index for each row.

use std::collections::HashMap;
use std::ops::Index;

use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;

/// A column of text. Most columns have few distinct texts in many rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// In order of their first rows.
    different: Vec<String>,
    rows: Vec<u32>,
}

impl Texts {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True when it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The text of every row.
    pub fn iter(&self) -> impl Iterator<Item = &String> {
        self.rows.iter().map(|&text| &self.different[text as usize])
    }

    /// The distinct texts, in order of their first rows.
    pub fn different(&self) -> &[String] {
        &self.different
    }

    /// The index of a row's text in [`Texts::different`].
    ///
    /// # Panics
    /// When there is no such row.
    pub fn place(&self, row: usize) -> usize {
        self.rows[row] as usize
    }

    /// Builds a column from its cells.
    pub(super) fn of(cells: &[ByteArray]) -> Result<Texts, ParquetError> {
        let mut reader = Reader::default();
        let mut rows = Vec::with_capacity(cells.len());
        for cell in cells {
            rows.push(reader.text(cell)?);
        }
        Ok(Texts {
            different: reader.different,
            rows,
        })
    }

    /// Appends the rows of another column.
    pub(super) fn append(&mut self, other: Texts) {
        if self.rows.is_empty() {
            *self = other;
            return;
        }
        let known = self.different.iter().cloned().zip(0..);
        let mut known: HashMap<String, u32> = known.collect();
        let place = |text: String| {
            *known.entry(text).or_insert_with_key(|text| {
                self.different.push(text.clone());
                self.different.len() as u32 - 1
            })
        };
        let places: Vec<u32> = other.different.into_iter().map(place).collect();
        let rows = other.rows.iter().map(|&text| places[text as usize]);
        self.rows.extend(rows);
    }
}

impl Index<usize> for Texts {
    type Output = String;

    fn index(&self, row: usize) -> &String {
        &self.different[self.rows[row] as usize]
    }
}

/// Most texts known by their addresses: texts of a dictionary are returned repeatedly.
const MOST_BY_ADDRESS: usize = 32;

/// A column being built from its cells.
#[derive(Debug, Default)]
struct Reader<'a> {
    different: Vec<String>,
    /// Address and length of texts seen, the last one found first.
    by_address: Vec<((usize, usize), u32)>,
    by_text: HashMap<&'a [u8], u32>,
}

impl<'a> Reader<'a> {
    fn text(&mut self, cell: &'a ByteArray) -> Result<u32, ParquetError> {
        let bytes = cell.data();
        let address = (bytes.as_ptr() as usize, bytes.len());
        match self.by_address.iter().position(|(at, _)| *at == address) {
            Some(place) => {
                if place > 0 {
                    self.by_address.swap(0, place);
                }
                Ok(self.by_address[0].1)
            }
            None => self.unknown(bytes, address),
        }
    }

    fn unknown(&mut self, bytes: &'a [u8], address: (usize, usize)) -> Result<u32, ParquetError> {
        let text = match self.by_text.get(bytes) {
            Some(&text) => text,
            None => {
                let new = std::str::from_utf8(bytes);
                let new =
                    new.map_err(|e| ParquetError::General(format!("it is not UTF-8 text: {e}")))?;
                let text = self.different.len() as u32;
                self.different.push(new.to_owned());
                self.by_text.insert(bytes, text);
                text
            }
        };
        if self.by_address.len() < MOST_BY_ADDRESS {
            self.by_address.push((address, text));
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(cells: &[&str]) -> Texts {
        let cells: Vec<ByteArray> = cells.iter().map(|c| ByteArray::from(*c)).collect();
        Texts::of(&cells).unwrap()
    }

    #[test]
    fn rows_have_their_texts_and_each_text_is_kept_once() {
        let names: Vec<String> = (0..100).map(|i| format!("n{}", i % 50)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let read = texts(&names);
        assert_eq!((read.len(), read.different().len()), (100, 50));
        assert!(read.iter().zip(&names).all(|(a, b)| a == b));
        assert_eq!((read[3].as_str(), read.place(53)), ("n3", 3));
    }

    #[test]
    fn appended_rows_keep_their_texts_whatever_each_part_knew_first() {
        let mut all = texts(&["a", "b", "a"]);
        all.append(texts(&["c", "b", "c", "a"]));
        assert_eq!(all, texts(&["a", "b", "a", "c", "b", "c", "a"]));
        let mut none = Texts::default();
        none.append(all.clone());
        assert_eq!(none, all);
    }

    #[test]
    fn what_is_no_text_is_an_error() {
        let cells = [ByteArray::from(vec![0xff, 0xfe])];
        assert!(Texts::of(&cells).is_err());
    }
}
