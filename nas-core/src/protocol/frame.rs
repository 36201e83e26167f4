//! Messages on a pipe: a 32-bit little-endian length, then CBOR.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Longest message accepted, in bytes; a layer graph of 10,000 nodes needs about 2 MB.
pub const MAX_FRAME_BYTES: u32 = 256 << 20;

/// Writes one message and flushes.
///
/// # Errors
/// What the pipe says; `InvalidData` for a message that is too long.
pub fn write(pipe: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut frame = vec![0; 4];
    ciborium::into_writer(message, &mut frame).map_err(io::Error::other)?;
    let length = u32::try_from(frame.len() - 4).unwrap_or(u32::MAX);
    if length > MAX_FRAME_BYTES {
        let text = format!("a message of {} bytes is too long", frame.len() - 4);
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    frame[..4].copy_from_slice(&length.to_le_bytes());
    pipe.write_all(&frame)?;
    pipe.flush()
}

/// Reads one message; `None` when the other side has closed the pipe between messages.
///
/// # Errors
/// What the pipe says; `UnexpectedEof` inside a message; `InvalidData` for anything that is no
/// message of this kind.
pub fn read<M: DeserializeOwned>(pipe: &mut impl Read) -> io::Result<Option<M>> {
    let mut length = [0; 4];
    let mut filled = 0;
    while filled < length.len() {
        match pipe.read(&mut length[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let length = u32::from_le_bytes(length);
    if length > MAX_FRAME_BYTES {
        let text = format!("a message of {length} bytes announced; something else writes here");
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    let mut body = vec![0; length as usize];
    pipe.read_exact(&mut body)?;
    ciborium::from_reader(body.as_slice())
        .map(Some)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
}
