//! The same training in eager PyTorch, in a process of its own.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::parts::repository;

/// A Python process that trains networks when it is asked to.
pub(crate) struct Peer {
    process: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
    pub(crate) version: String,
}

impl Peer {
    /// Starts it with so many threads; the reason where there is no PyTorch.
    pub(crate) fn start(threads: usize) -> Result<Self, String> {
        let python = python();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/eager_pytorch.py");
        let mut process = Command::new(&python)
            .arg(script)
            .arg(threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", python.display()))?;
        let asks = process.stdin.take().expect("a pipe was asked for");
        let answers = BufReader::new(process.stdout.take().expect("a pipe was asked for"));
        let mut peer = Self { process, asks, answers, version: String::new() };
        peer.version = peer.answer().ok_or(format!("{} has no PyTorch", python.display()))?;
        Ok(peer)
    }

    /// Trains one network; seconds. `layout`: `nchw` or `channels_last`.
    pub(crate) fn train(&mut self, layout: &str) -> f64 {
        writeln!(self.asks, "{layout}").expect("Python listens");
        let answer = self.answer().expect("Python answers");
        answer.parse().expect("a number of seconds")
    }

    fn answer(&mut self) -> Option<String> {
        let mut line = String::new();
        let length = self.answers.read_line(&mut line).ok()?;
        (length > 0).then(|| line.trim().to_owned())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `NAS_BENCH_PYTHON`, or what `make bench` installs.
fn python() -> PathBuf {
    std::env::var_os("NAS_BENCH_PYTHON")
        .map_or_else(|| repository().join(".tools/pytorch-2.13.0/bin/python"), PathBuf::from)
}
