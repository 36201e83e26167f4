//! Where each key of a configuration was written.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

/// Something that keys can be written in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file, with its text.
    File {
        /// Its path.
        path: PathBuf,
        /// Its text.
        text: String,
    },
    /// An option of the command line, as it was given (`--set training.epochs=3`).
    Flag(String),
}

/// Where a key was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Position of the source.
    pub(crate) source: usize,
    /// Bytes of a file's text, from the key to the end of its value.
    pub(crate) span: Range<usize>,
}

/// Where each key was written, by dotted path; elements of lists count as keys (`policy.0.name`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origins {
    sources: Vec<Source>,
    places: BTreeMap<String, Place>,
}

impl Origins {
    /// Adds a source and gives its position.
    pub(crate) fn add_source(&mut self, source: Source) -> usize {
        self.sources.push(source);
        self.sources.len() - 1
    }

    /// Remembers where a key was written; a later place replaces an earlier one.
    pub(crate) fn add(&mut self, key: &str, source: usize, span: Range<usize>) {
        self.places.insert(key.to_owned(), Place { source, span });
    }

    /// Where a key was written or, where it was not, the nearest table around it.
    pub(crate) fn find(&self, key: &str) -> Option<(&Source, &Place)> {
        let mut key = key;
        loop {
            if let Some(place) = self.places.get(key) {
                return Some((&self.sources[place.source], place));
            }
            key = key.rsplit_once('.')?.0;
        }
    }

    /// The first source: the file, unless only the command line was read.
    pub(crate) fn first(&self) -> Option<&Source> {
        self.sources.first()
    }
}
