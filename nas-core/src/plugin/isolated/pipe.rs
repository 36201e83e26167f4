//! A pipe at which nobody waits for ever.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::budget::{Clock, RealClock};

/// One end of a pipe. Reading and writing fail with `TimedOut` once the time is up.
#[derive(Debug)]
pub(super) struct LimitedPipe<P> {
    pipe: P,
    clock: RealClock,
    until: Duration,
}

impl<P: AsFd> LimitedPipe<P> {
    /// An end of a pipe whose time is up.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn new(pipe: P) -> io::Result<Self> {
        // A full pipe then takes a part, where it would wait for the rest.
        fcntl_setfl(&pipe, fcntl_getfl(&pipe)? | OFlags::NONBLOCK)?;
        Ok(Self { pipe, clock: RealClock::new(), until: Duration::ZERO })
    }

    /// From now on there is so much time.
    pub(super) fn limit(&mut self, limit: Duration) {
        self.until = self.clock.now().saturating_add(limit);
    }

    fn wait(&self, event: PollFlags) -> io::Result<()> {
        let left = self.until.saturating_sub(self.clock.now());
        let timeout = Timespec::try_from(left).ok();
        match poll(&mut [PollFd::new(&self.pipe, event)], timeout.as_ref())? {
            0 => Err(io::ErrorKind::TimedOut.into()),
            _ => Ok(()),
        }
    }
}

impl<P: Read + AsFd> Read for LimitedPipe<P> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait(PollFlags::IN)?;
        self.pipe.read(buffer)
    }
}

impl<P: Write + AsFd> Write for LimitedPipe<P> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.wait(PollFlags::OUT)?;
        self.pipe.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pipe.flush()
    }
}
