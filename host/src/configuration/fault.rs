//! What is wrong with a configuration, and where it was written.

use std::fmt;
use std::ops::Range;

use nas_core::launch::Problem;

use super::origins::{Origins, Source};
use crate::exit_code::ExitCode;
use crate::output;

/// One thing that is wrong, with its place if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What is wrong.
    pub(crate) problem: Problem,
    /// Where it was written: the source, and the bytes of a file's text.
    pub(crate) place: Option<(Source, Range<usize>)>,
}

impl Fault {
    /// A problem at the place where its key was written.
    pub(crate) fn at(problem: Problem, origins: &Origins) -> Self {
        let place = origins
            .find(&problem.key)
            .map(|(source, place)| (source.clone(), place.span.clone()))
            // What is missing altogether is missing in the file.
            .or_else(|| Some((origins.first()?.clone(), 0..0)));
        Self { problem, place }
    }
}

/// Everything that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Faults {
    faults: Vec<Fault>,
    code: ExitCode,
}

impl Faults {
    /// These faults, in the order of their places; `code` is what they end the program with.
    pub(crate) fn new(mut faults: Vec<Fault>, code: ExitCode) -> Self {
        faults.sort_by_key(|fault| match &fault.place {
            Some((Source::File { .. }, span)) => span.start,
            Some((Source::Flag(_), _)) | None => usize::MAX,
        });
        Self { faults, code }
    }

    /// What they end the program with.
    pub(crate) fn exit_code(&self) -> ExitCode {
        self.code
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        output::fault::write_all(&self.faults, out)
    }
}
