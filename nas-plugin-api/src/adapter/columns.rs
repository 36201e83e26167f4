//! Numbers of many trials in one message: columns instead of a map a trial, which would repeat
//! every name.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

use crate::measurement::Cost;

/// A number of fixed size.
pub(super) trait Number: Copy + for<'de> Deserialize<'de> {
    const BYTES: usize;
    fn write(self, bytes: &mut Vec<u8>);
    /// From exactly as many bytes as it has.
    fn read(bytes: &[u8]) -> Self;
}

macro_rules! numbers {
    ($($number:ty)*) => {
        $(impl Number for $number {
            const BYTES: usize = size_of::<$number>();

            fn write(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn read(bytes: &[u8]) -> Self {
                let mut own = [0; Self::BYTES];
                own.copy_from_slice(bytes);
                Self::from_le_bytes(own)
            }
        })*
    };
}

numbers! { u8 u16 u32 u64 f64 }

/// Numbers as one byte string, little-endian.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Packed<N>(pub(super) Vec<N>);

impl<N> Default for Packed<N> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<N> FromIterator<N> for Packed<N> {
    fn from_iter<I: IntoIterator<Item = N>>(numbers: I) -> Self {
        Self(numbers.into_iter().collect())
    }
}

impl<N: Number> Serialize for Packed<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::with_capacity(self.0.len() * N::BYTES);
        self.0.iter().for_each(|number| number.write(&mut bytes));
        serializer.serialize_bytes(&bytes)
    }
}

impl<'de, N: Number> Deserialize<'de> for Packed<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(Unpack(PhantomData))
    }
}

struct Unpack<N>(PhantomData<N>);

impl<'de, N: Number> Visitor<'de> for Unpack<N> {
    type Value = Packed<N>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "numbers of {} bytes each", N::BYTES)
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Packed<N>, E> {
        match bytes.len() % N::BYTES {
            0 => Ok(bytes.chunks_exact(N::BYTES).map(N::read).collect()),
            _ => Err(E::invalid_length(bytes.len(), &self)),
        }
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Packed<N>, E> {
        self.visit_bytes(&bytes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Packed<N>, A::Error> {
        let mut all = Vec::new();
        while let Some(number) = numbers.next_element()? {
            all.push(number);
        }
        Ok(Packed(all))
    }
}

/// Numbers by name, a row for each trial.
#[derive(Clone, Debug, Default, PartialEq, Serialize, serde::Deserialize)]
pub(super) struct Table {
    names: Vec<Arc<str>>,
    /// Row by row; 0 where there is none.
    values: Packed<f64>,
    /// 1 where there is a number; empty where every row has all.
    #[serde(default)]
    present: Packed<u8>,
}

impl Table {
    /// A table of rows whose names are in rising order.
    pub(super) fn of<'a, R: Iterator<Item = (&'a str, f64)>>(
        rows: impl Iterator<Item = R> + Clone,
    ) -> Self {
        let mut names: Vec<&str> = Vec::new();
        let mut n_rows = 0;
        for row in rows.clone() {
            n_rows += 1;
            let mut place = 0;
            for (name, _) in row {
                place += names[place..].iter().take_while(|&&known| known < name).count();
                if names.get(place) != Some(&name) {
                    names.insert(place, name);
                }
            }
        }
        let mut values = vec![0.0; n_rows * names.len()];
        let mut present = vec![0_u8; n_rows * names.len()];
        for (index, row) in rows.enumerate() {
            let mut place = 0;
            for (name, value) in row {
                place += names[place..].iter().take_while(|&&known| known != name).count();
                values[index * names.len() + place] = value;
                present[index * names.len() + place] = 1;
            }
        }
        if present.iter().all(|&present| present == 1) {
            present.clear();
        }
        let names = names.into_iter().map(Arc::from).collect();
        Self { names, values: Packed(values), present: Packed(present) }
    }

    /// Whether there are so many rows.
    pub(super) fn has(&self, n_rows: usize) -> bool {
        let n = n_rows * self.names.len();
        self.values.0.len() == n && (self.present.0.is_empty() || self.present.0.len() == n)
    }

    /// One row, which must be there.
    pub(super) fn row(&self, index: usize) -> impl Iterator<Item = (&Arc<str>, f64)> {
        let start = index * self.names.len();
        let is_present = move |place: usize| self.present.0.get(start + place) != Some(&0);
        let values = &self.values.0[start..start + self.names.len()];
        let cells = self.names.iter().zip(values).enumerate();
        cells.filter(move |(place, _)| is_present(*place)).map(|(_, (name, &value))| (name, value))
    }
}

/// Numbers that a cost is made of.
const COST_NUMBERS: usize = 4;

/// A cost for each trial.
#[derive(Clone, Debug, Default, PartialEq, Serialize, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Costs(Packed<u64>);

impl<'a> FromIterator<&'a Cost> for Costs {
    fn from_iter<I: IntoIterator<Item = &'a Cost>>(costs: I) -> Self {
        let numbers = |cost: &Cost| {
            [cost.parameters, cost.multiply_adds, cost.activation_bytes, cost.depth.into()]
        };
        Self(costs.into_iter().flat_map(numbers).collect())
    }
}

impl Costs {
    /// Whether there are so many.
    pub(super) fn has(&self, n: usize) -> bool {
        self.0.0.len() == n * COST_NUMBERS
    }

    /// One of them; all at their default where there is none.
    pub(super) fn get(&self, index: usize) -> Cost {
        let numbers = self.0.0.chunks_exact(COST_NUMBERS).nth(index);
        let Some(&[parameters, multiply_adds, activation_bytes, depth]) = numbers else {
            return Cost::default();
        };
        let depth = u32::try_from(depth).unwrap_or(u32::MAX);
        Cost { parameters, multiply_adds, activation_bytes, depth }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::cbor::{decode, encode};
    use super::*;

    #[track_caller]
    fn check(rows: &[&[(&str, f64)]]) {
        let maps: Vec<BTreeMap<&str, f64>> =
            rows.iter().map(|row| row.iter().copied().collect()).collect();
        let table = Table::of(maps.iter().map(|map| map.iter().map(|(&name, &v)| (name, v))));
        let table: Table = decode(&encode(&table).unwrap()).unwrap();
        assert!(table.has(rows.len()));
        for (index, map) in maps.iter().enumerate() {
            let row: BTreeMap<&str, f64> =
                table.row(index).map(|(name, value)| (&**name, value)).collect();
            assert_eq!(&row, map);
        }
    }

    #[test]
    fn tables_come_across_whatever_their_rows_have() {
        check(&[]);
        check(&[&[]]);
        check(&[&[("a", 1.0), ("b", -0.5)], &[("a", 2.0), ("b", f64::INFINITY)]]);
        check(&[&[("b", 1.0)], &[("a", 2.0), ("c", 3.0)], &[], &[("b", 0.0)]]);
    }

    #[test]
    fn a_byte_string_of_the_wrong_length_is_refused() {
        let bytes = encode(&Packed(vec![1_u8, 2, 3])).unwrap();
        assert!(decode::<Packed<u16>>(&bytes).is_err());
        assert_eq!(decode::<Packed<u16>>(&encode(&[1, 2, 3]).unwrap()).unwrap().0, [1, 2, 3]);
    }
}
