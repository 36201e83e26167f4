//! 1,797 handwritten digits of 8×8 pixels, built in so that the first search needs no download.
//!
//! # Source
//! Alpaydin and Kaynak, UCI 1998, test part; see `data/NOTICE.md` for file and licence.

use std::io::Read;

use flate2::read::GzDecoder;

use super::images::{Images, Source};

static PACKED: &[u8] = include_bytes!("../../data/digits.csv.gz");

const INVARIANT: &str = "the built-in digits are 65 small numbers a line";

/// Reads the built-in digits.
///
/// # Units
/// The file's grey values, 0 to 16, become 0 to 255, rounded to the nearest.
pub(super) fn read() -> Source {
    let mut text = String::new();
    GzDecoder::new(PACKED).read_to_string(&mut text).expect(INVARIANT);
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let (greys, digit) = line.rsplit_once(',').expect(INVARIANT);
        for grey in greys.split(',') {
            let grey: u16 = grey.parse().expect(INVARIANT);
            pixels.push(u8::try_from((grey * 255 + 8) / 16).expect(INVARIANT));
        }
        labels.push(digit.parse().expect(INVARIANT));
    }
    Source {
        name: "digits".to_owned(),
        classes: (0..10).map(|digit| digit.to_string()).collect(),
        train: Images { shape: [1, 8, 8], pixels, labels },
        test: None,
    }
}
