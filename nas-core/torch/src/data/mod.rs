//! Labelled images: reads a source, splits it, and keeps each split in a file of its own.
//!
//! [`prepare()`] runs once before a search, in a worker of its own; [`Split::read`] loads one prepared
//! file in a worker that trains or evaluates. Nothing here knows libtorch, resizes an image or
//! augments one. Every source is held as bytes, `[n, channels, height, width]`.
//!
//! A new format is one file beside `digits.rs` and one line in `source::read`.

mod error;
mod prepare;
mod read;

mod images;
mod source;
mod source_file;

mod cifar_binary;
mod digits;
mod idx;
mod image_folder;
mod npz;

mod class_numbers;
mod image_layout;
mod npy;

mod duplicates;
mod normalization;
mod split;
mod write;

pub use error::DataError;
pub use prepare::prepare;
pub use read::Split;
