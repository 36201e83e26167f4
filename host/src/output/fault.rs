//! Faults of a configuration, each with its place, its line, and what would be right.

use std::fmt::{self, Write};
use std::ops::Range;
use std::path::Path;

use super::style::{ERROR, FAINT, LITERAL, paint};
use crate::configuration::Fault;
use crate::configuration::Source;

/// Longest line that is shown; of longer ones, the part around the fault.
const MAX_LINE: usize = 90;

/// Writes faults one after the other, and how many there are if several.
pub(crate) fn write_all(faults: &[Fault], out: &mut impl Write) -> fmt::Result {
    for (index, fault) in faults.iter().enumerate() {
        if index > 0 {
            out.write_str("\n\n")?;
        }
        write_one(fault, out)?;
    }
    match faults.len() {
        0 | 1 => Ok(()),
        count => write!(out, "\n\n{count} problems; nothing was run"),
    }
}

fn write_one(fault: &Fault, out: &mut impl Write) -> fmt::Result {
    let error = paint(ERROR, "error");
    let message = &fault.problem.message;
    match &fault.place {
        Some((Source::Flag(flag), _)) => write!(out, "{error}: {flag}: {message}")?,
        Some((Source::File { path, .. }, span)) if span.is_empty() => {
            write!(out, "{error}: {}: {message}", path.display())?;
        }
        Some((Source::File { path, text }, span)) => {
            write_excerpt(path, text, span, message, out)?;
        }
        None => write!(out, "{error}: {message}")?,
    }
    if let Some(expected) = &fault.problem.expected {
        write!(out, "\n  {} {expected}", paint(FAINT, "expected:"))?;
    }
    if let Some(nearest) = &fault.problem.nearest {
        write!(out, "\n  {} did you mean `{}`?", paint(FAINT, "help:"), paint(LITERAL, nearest))?;
    }
    Ok(())
}

fn write_excerpt(
    path: &Path,
    text: &str,
    span: &Range<usize>,
    message: &str,
    out: &mut impl Write,
) -> fmt::Result {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let line_start = text[..start].rfind('\n').map_or(0, |end| end + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |length| start + length);
    let number = text[..start].matches('\n').count() + 1;
    let column = text[line_start..start].chars().count() + 1;
    writeln!(out, "{}: {}:{number}:{column}: {message}", paint(ERROR, "error"), path.display())?;

    let line: String = text[line_start..line_end].chars().take(MAX_LINE).collect();
    let in_span = |(offset, _): &(usize, char)| start + offset < span.end;
    let marked = text[start..line_end].trim_end().char_indices().filter(in_span).count().max(1);
    let marked = marked.min(MAX_LINE.saturating_sub(column - 1).max(1));
    let gutter = " ".repeat(number.to_string().len());
    let bar = paint(FAINT, "|");
    writeln!(out, "{gutter} {bar}")?;
    writeln!(out, "{} {bar} {}", paint(FAINT, &number.to_string()), line.replace('\t', " "))?;
    let carets = paint(ERROR, &"^".repeat(marked));
    write!(out, "{gutter} {bar} {}{carets}", " ".repeat((column - 1).min(MAX_LINE)))
}
