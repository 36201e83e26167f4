//! NumPy's array format, as far as images and labels need it: whole and floating-point numbers of
//! 1 to 8 bytes, either byte order.
//!
//! # Source
//! NumPy, `numpy.lib.format`, versions 1.0 to 3.0.

use std::io::{self, Read};

/// Most bytes of a header: NumPy writes 128 for a plain array, and refuses to read above 10,000.
const LARGEST_HEADER_BYTES: usize = 10_000;

/// How many elements are decoded at a time.
const CHUNK_ELEMENTS: usize = 1 << 14;

/// What an array is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// NumPy's name of the element type, as `|u1` or `<f4`.
    pub(super) dtype: String,
    /// Whether the first axis is the fastest.
    pub(super) fortran_order: bool,
    /// Length of each axis.
    pub(super) shape: Vec<usize>,
}

/// Why an array can't be read.
#[derive(Debug)]
pub(super) enum NpyError {
    /// The stream breaks.
    Io(io::Error),
    /// It is no array; says what it is.
    Malformed(&'static str),
}

/// One element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// A whole number; those above `i64::MAX` are held as that.
    Int(i64),
    /// A floating-point number.
    Float(f64),
}

/// Reads the header; the elements follow in the stream.
///
/// # Errors
/// `Malformed` unless the stream begins as an array file does.
pub(super) fn read_header(reader: &mut impl Read) -> Result<Header, NpyError> {
    let mut start = [0; 8];
    reader.read_exact(&mut start).map_err(NpyError::Io)?;
    if &start[..6] != b"\x93NUMPY" {
        return Err(NpyError::Malformed("it doesn't begin with `\\x93NUMPY`"));
    }
    let mut length = [0; 4];
    let length_bytes = if start[6] == 1 { 2 } else { 4 };
    reader.read_exact(&mut length[..length_bytes]).map_err(NpyError::Io)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > LARGEST_HEADER_BYTES {
        return Err(NpyError::Malformed("its header is longer than any array of numbers needs"));
    }
    let mut text = vec![0; length];
    reader.read_exact(&mut text).map_err(NpyError::Io)?;
    parse(&String::from_utf8_lossy(&text)).ok_or(NpyError::Malformed("its header can't be parsed"))
}

/// Reads a Python dictionary such as `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
fn parse(text: &str) -> Option<Header> {
    let value = |key: &str| {
        let (_, rest) = text.split_once(&format!("'{key}'"))?;
        Some(rest.trim_start().strip_prefix(':')?.trim_start())
    };
    let descr = value("descr")?;
    let dtype = match descr.strip_prefix('\'') {
        Some(quoted) => quoted.split_once('\'')?.0,
        // A list: several fields in one element, which no caller reads.
        None => descr.split_once(']')?.0,
    };
    let sizes = value("shape")?.strip_prefix('(')?.split_once(')')?.0;
    let sizes = sizes.split(',').map(str::trim).filter(|size| !size.is_empty());
    Some(Header {
        dtype: dtype.to_owned(),
        fortran_order: value("fortran_order")?.starts_with("True"),
        shape: sizes.map(|size| size.parse().ok()).collect::<Option<_>>()?,
    })
}

/// How the bytes of one element make a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element {
    /// `u`, `i` or `f`.
    kind: u8,
    size: usize,
    big_endian: bool,
}

impl Element {
    /// The element type of that name, if it is one of those read here.
    pub(super) fn named(dtype: &str) -> Option<Self> {
        let [order, kind, size] = dtype.as_bytes() else { return None };
        let size = usize::from(size.checked_sub(b'0')?);
        let sizes: &[usize] = match kind {
            b'u' | b'i' => &[1, 2, 4, 8],
            b'f' => &[4, 8],
            _ => return None,
        };
        (sizes.contains(&size) && b"<>|=".contains(order)).then_some(Self {
            kind: *kind,
            size,
            big_endian: *order == b'>',
        })
    }

    /// Whether it is a floating-point number.
    pub(super) fn is_float(self) -> bool {
        self.kind == b'f'
    }

    /// Whether it is an unsigned byte.
    pub(super) fn is_byte(self) -> bool {
        self.kind == b'u' && self.size == 1
    }

    /// Bytes of one element.
    pub(super) fn size(self) -> usize {
        self.size
    }

    /// Hands every element of a stream to `take`, in the order in which they are stored; returns
    /// how many bytes there were. An incomplete last element is counted but not handed on.
    ///
    /// # Errors
    /// Those of the stream.
    pub(super) fn decode(
        self,
        reader: &mut impl Read,
        mut take: impl FnMut(Number),
    ) -> io::Result<u64> {
        let mut chunk = Vec::with_capacity(CHUNK_ELEMENTS * self.size);
        let mut total = 0;
        loop {
            chunk.clear();
            let wanted = (CHUNK_ELEMENTS * self.size) as u64;
            let got = reader.by_ref().take(wanted).read_to_end(&mut chunk)? as u64;
            total += got;
            chunk.chunks_exact(self.size).for_each(|bytes| take(self.number(bytes)));
            if got < wanted {
                return Ok(total);
            }
        }
    }

    fn number(self, bytes: &[u8]) -> Number {
        let append = |bits: u64, byte: &u8| bits << 8 | u64::from(*byte);
        let bits = match self.big_endian {
            true => bytes.iter().fold(0, append),
            false => bytes.iter().rev().fold(0, append),
        };
        match (self.kind, self.size) {
            (b'u', _) => Number::Int(i64::try_from(bits).unwrap_or(i64::MAX)),
            (b'f', 8) => Number::Float(f64::from_bits(bits)),
            (b'f', _) => Number::Float(f64::from(f32::from_bits(bits as u32))),
            _ => {
                // Moves the sign bit to the top, and back with copies of itself.
                let unused = 64 - 8 * self.size;
                Number::Int((bits << unused).cast_signed() >> unused)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, bool, &[usize])>) {
        let expected = expected.map(|(dtype, fortran_order, shape)| Header {
            dtype: dtype.to_owned(),
            fortran_order,
            shape: shape.to_vec(),
        });
        assert_eq!(parse(text), expected);
    }

    #[test]
    fn headers_as_numpy_writes_them() {
        check(
            "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }  \n",
            Some(("|u1", false, &[2, 3])),
        );
        check(
            "{'descr': '<f4', 'fortran_order': True, 'shape': (7,), }",
            Some(("<f4", true, &[7])),
        );
        check("{'descr': '<i8', 'fortran_order': False, 'shape': (), }", Some(("<i8", false, &[])));
        check("{'descr': '<i8', 'fortran_order': False, 'shape': (-1,), }", None);
        check("{'descr': '<i8', 'shape': (99999999999999999999999,)}", None);
        check("", None);
    }

    #[track_caller]
    fn check_number(dtype: &str, bytes: &[u8], expected: Number) {
        let mut numbers = Vec::new();
        let element = Element::named(dtype).expect("a known dtype");
        element.decode(&mut &*bytes, |number| numbers.push(number)).expect("a slice is read");
        assert_eq!(numbers, [expected]);
    }

    #[test]
    fn numbers_of_every_kind() {
        check_number("|u1", &[200], Number::Int(200));
        check_number("|i1", &[0xff], Number::Int(-1));
        check_number("<i2", &[0xfe, 0xff], Number::Int(-2));
        check_number(">i4", &[0, 0, 1, 2], Number::Int(258));
        check_number("<i8", &(-3_i64).to_le_bytes(), Number::Int(-3));
        check_number("<u8", &[0xff; 8], Number::Int(i64::MAX));
        check_number("<f4", &0.5_f32.to_le_bytes(), Number::Float(0.5));
        check_number(">f8", &0.25_f64.to_be_bytes(), Number::Float(0.25));
    }

    #[test]
    fn other_types_have_no_element() {
        for dtype in ["<f2", "|b1", "|O", "<U3", "<c8", "|u3", "", "[('a', '<i4')"] {
            assert_eq!(Element::named(dtype), None, "{dtype}");
        }
    }

    #[test]
    fn a_huge_header_is_refused_before_it_is_allocated() {
        let mut start = b"\x93NUMPY\x02\x00".to_vec();
        start.extend(u32::MAX.to_le_bytes());
        assert!(matches!(read_header(&mut &*start), Err(NpyError::Malformed(_))));
    }
}
