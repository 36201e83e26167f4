//! What a process of `nas-plugin-host` does first.

use std::fs::File;
use std::io;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::stdio::{dup2_stdin, dup2_stdout, stderr, stdin, stdout};

/// What standard input and output were, where the parent process is.
pub(super) struct Channel {
    pub(super) calls: File,
    pub(super) answers: File,
}

/// Ties this process to its parent, whose number is `parent`: it dies with it, and talks to it where
/// a library does not by accident. From here on standard input is empty, and standard output is
/// standard error.
pub(super) fn enter(parent: u32) -> io::Result<Channel> {
    let calls = fcntl_dupfd_cloexec(stdin(), 3)?.into();
    let answers = fcntl_dupfd_cloexec(stdout(), 3)?.into();
    dup2_stdin(File::open("/dev/null")?)?;
    dup2_stdout(stderr())?;
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    // It may have died before.
    let found = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get() as u32);
    match found == Some(parent) {
        true => Ok(Channel { calls, answers }),
        false => Err(io::Error::other("the parent process is gone")),
    }
}
