//! The side that calls a component in a process of its own.

use std::io::{self, BufReader};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nas_plugin_api::adapter::{Call, Line, Reply};
use nas_plugin_api::error::PluginError;

use super::pipe::LimitedPipe;
use crate::plugin::host_process::HostProcess;
use crate::protocol::frame;

/// A library in a process of its own, which ends with this value.
#[derive(Debug)]
pub(in crate::plugin) struct IsolatedLibrary {
    limit: Duration,
    /// `None` once a call was not answered.
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    process: HostProcess,
    calls: LimitedPipe<ChildStdin>,
    replies: BufReader<LimitedPipe<ChildStdout>>,
}

impl IsolatedLibrary {
    /// Starts a process for a library; each call has so much time, and the first one, which creates
    /// the component, loads the library too.
    ///
    /// # Errors
    /// A process that can't be started.
    pub(in crate::plugin) fn start(
        program: &Path,
        copy: &Path,
        root_symbol: &str,
        limit: Duration,
    ) -> io::Result<Self> {
        let arguments = ["serve".as_ref(), copy.as_os_str(), root_symbol.as_ref()];
        let mut process = HostProcess::start(program, &arguments)?;
        let (calls, replies) = process.pipes()?;
        let (calls, replies) = (LimitedPipe::new(calls)?, LimitedPipe::new(replies)?);
        let open = Open { process, calls, replies: BufReader::new(replies) };
        Ok(Self { limit, open: Mutex::new(Some(open)) })
    }
}

impl Line for IsolatedLibrary {
    fn call(&self, call: Call) -> Result<Reply, PluginError> {
        let mut slot = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = slot.as_mut() else {
            return Err(PluginError::internal("answer: its process has ended"));
        };
        match open.exchange(&call, self.limit) {
            Ok(reply) => Ok(reply),
            Err(error) => {
                let reason = open.end(&error, self.limit);
                *slot = None;
                Err(PluginError::internal(format!("answer: its process {reason}")))
            }
        }
    }
}

impl Open {
    fn exchange(&mut self, call: &Call, limit: Duration) -> io::Result<Reply> {
        self.calls.limit(limit);
        self.replies.get_mut().limit(limit);
        frame::write(&mut self.calls, call)?;
        frame::read(&mut self.replies)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Ends the process; says what it did instead of answering.
    fn end(&mut self, error: &io::Error, limit: Duration) -> String {
        let end = self.process.end();
        let what = match (error.kind(), end) {
            (io::ErrorKind::TimedOut, _) => {
                format!("did not answer within {} s and was killed", limit.as_secs_f64())
            }
            (io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe, Ok(end)) => end.to_string(),
            _ => format!("sent no message and was killed ({error})"),
        };
        match self.process.last_words().trim() {
            "" => what,
            words => format!("{what}; it wrote:\n{words}"),
        }
    }
}
