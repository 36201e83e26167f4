//! The threads at a worker's three pipes, so that none of them can make the supervisor wait.

use std::io::{BufReader, Read};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use super::process::Pipes;
use super::worker_log::WorkerLog;
use crate::protocol::{Event, Request, frame};

/// What is heard from a worker.
#[derive(Debug)]
pub(super) enum Heard {
    /// A message.
    Event(Box<Event>),
    /// Something that is no message; nothing more is read.
    Nonsense(String),
    /// Its standard output is closed.
    EventsClosed,
    /// Its standard error is closed.
    StderrClosed,
}

/// Starts the three threads of a worker. `hear` is called on them; the sender takes requests, and
/// dropping it closes the worker's standard input. The threads end with their pipes.
pub(super) fn connect(
    pipes: Pipes,
    mut log: WorkerLog,
    hear: impl Fn(Heard) + Clone + Send + 'static,
) -> Sender<Request> {
    let Pipes { requests: mut pipe, events, stderr } = pipes;
    let (sender, requests) = channel();
    thread::spawn(move || {
        // A worker that is gone is noticed by its other pipes.
        while let Ok(request) = requests.recv() {
            if frame::write(&mut pipe, &request).is_err() {
                break;
            }
        }
    });
    let tell = hear.clone();
    thread::spawn(move || read_events(events, tell));
    thread::spawn(move || {
        log.follow(stderr);
        hear(Heard::StderrClosed);
    });
    sender
}

fn read_events(pipe: impl Read, hear: impl Fn(Heard)) {
    let mut pipe = BufReader::new(pipe);
    loop {
        match frame::read(&mut pipe) {
            Ok(Some(event)) => hear(Heard::Event(Box::new(event))),
            Ok(None) => break,
            // In the middle of a message: the worker died while it wrote.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => break,
            Err(error) => {
                hear(Heard::Nonsense(error.to_string()));
                break;
            }
        }
    }
    hear(Heard::EventsClosed);
}
