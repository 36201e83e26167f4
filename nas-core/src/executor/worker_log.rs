//! What workers write to standard error: kept in the run's `workers.log`, the last lines at hand.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Lines that are kept for the message about a crash.
const TAIL_LINES: usize = 12;
/// Longest line; a longer one is cut in pieces.
const MAX_LINE_BYTES: u64 = 2048;
/// Most that one worker may write to the log; a flood must not fill the disk.
const MAX_LOG_BYTES: usize = 16 << 20;

/// The standard error of one worker.
#[derive(Debug)]
pub(super) struct WorkerLog {
    name: String,
    file: Option<File>,
    left_bytes: usize,
    tail: StderrTail,
}

/// The last lines that a worker wrote.
#[derive(Clone, Debug, Default)]
pub(super) struct StderrTail(Arc<Mutex<VecDeque<String>>>);

impl WorkerLog {
    /// Appends to this file, each line behind the worker's name. A log that can't be written must
    /// not cost a trial, so mistakes are ignored.
    pub(super) fn open(path: Option<&Path>, name: String) -> Self {
        let append = |path| OpenOptions::new().create(true).append(true).open(path).ok();
        let file = path.and_then(append);
        Self { name, file, left_bytes: MAX_LOG_BYTES, tail: StderrTail::default() }
    }

    /// The last lines, now and later.
    pub(super) fn tail(&self) -> StderrTail {
        self.tail.clone()
    }

    /// Reads until the pipe closes.
    pub(super) fn follow(&mut self, pipe: impl Read) {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while let Ok(1..) = (&mut pipe).take(MAX_LINE_BYTES).read_until(b'\n', &mut line) {
            let text = String::from_utf8_lossy(&line);
            self.keep(text.trim_end());
            line.clear();
        }
    }

    fn keep(&mut self, line: &str) {
        self.tail.push(line);
        let text = format!("[{}] {line}\n", self.name);
        if let Some(file) = &mut self.file
            && let Some(left) = self.left_bytes.checked_sub(text.len())
        {
            self.left_bytes = left;
            let _ = file.write_all(text.as_bytes());
        }
    }
}

impl StderrTail {
    fn push(&self, line: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == TAIL_LINES {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }

    /// The lines as one text; empty if it wrote nothing.
    pub(super) fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// Forgets what was written before a new task.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
