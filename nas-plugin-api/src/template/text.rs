//! The form of a genotype that people read and paste: `edge_0_1=skip_connect,edge_0_2=none`.
//!
//! Choices whose values do not matter are left out; several selected members are joined by `+`,
//! and `-` stands for none selected. No character needs quoting in a shell.

use xxhash_rust::xxh3::xxh3_64;

use super::Space;
use crate::genotype::Genotype;

/// Why a text is no genotype of a space.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// A part has no `=`.
    #[error("`{part}` should read `choice=value`")]
    Form {
        /// The part.
        part: String,
    },
    /// There is no such choice.
    #[error("space `{space}` has no choice `{choice}` (it has {known})")]
    UnknownChoice {
        /// The space's name.
        space: String,
        /// The id in question.
        choice: String,
        /// Some ids that exist.
        known: String,
    },
    /// The choice has no such option.
    #[error("choice `{choice}` has no option `{value}` (it has {known})")]
    UnknownOption {
        /// The choice's id.
        choice: String,
        /// The word in question.
        value: String,
        /// Some options that exist.
        known: String,
    },
    /// A choice was given twice.
    #[error("choice `{choice}` is given twice")]
    Twice {
        /// The choice's id.
        choice: String,
    },
    /// A choice that matters was left out.
    #[error("choice `{choice}` matters here and is not given")]
    Missing {
        /// The choice's id.
        choice: String,
    },
    /// The genotype itself is not valid.
    #[error(transparent)]
    Genotype(#[from] super::GenotypeError),
}

impl Space {
    /// The canonical text of a genotype, in the order of the choices.
    ///
    /// # Panics
    /// If the genotype is none of this space ([`Space::check`]).
    #[must_use]
    pub fn text(&self, genotype: &Genotype) -> String {
        let (_, active) = self.needed(genotype);
        let mut text = String::with_capacity(genotype.0.len() * 24);
        for (index, choice) in self.template().choices.iter().enumerate() {
            if active[index] {
                if !text.is_empty() {
                    text.push(',');
                }
                text.push_str(&choice.id);
                text.push('=');
                text.push_str(&choice.options.word(self.selection(index, genotype.0[index])));
            }
        }
        text
    }

    /// Reads a genotype's text; values that do not matter may be left out and become 0.
    ///
    /// # Errors
    /// The first part that does not fit, with what would have.
    pub fn parse(&self, text: &str) -> Result<Genotype, TextError> {
        let mut values: Vec<Option<u16>> = vec![None; self.n_choices()];
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (id, value) =
                part.split_once('=').ok_or_else(|| TextError::Form { part: part.to_owned() })?;
            let index = self.choice(id.trim()).ok_or_else(|| TextError::UnknownChoice {
                space: self.name().to_owned(),
                choice: id.trim().to_owned(),
                known: some(self.template().choices.iter().map(|choice| choice.id.clone())),
            })?;
            let choice = &self.template().choices[index];
            let words = (0..self.n_options(index))
                .map(|option| choice.options.word(self.selection(index, option as u16)));
            let option = words.clone().position(|word| word == value.trim()).ok_or_else(|| {
                TextError::UnknownOption {
                    choice: choice.id.clone(),
                    value: value.trim().to_owned(),
                    known: some(words),
                }
            })?;
            if values[index].replace(option as u16).is_some() {
                return Err(TextError::Twice { choice: choice.id.clone() });
            }
        }
        let genotype = Genotype(values.iter().map(|value| value.unwrap_or(0)).collect());
        let (_, active) = self.needed(&genotype);
        match (0..values.len()).find(|&index| active[index] && values[index].is_none()) {
            Some(index) => {
                Err(TextError::Missing { choice: self.template().choices[index].id.clone() })
            }
            None => {
                self.check(&genotype)?;
                Ok(genotype)
            }
        }
    }

    /// A short name of a genotype: 16 hexadecimal digits of a hash of the space's name and the
    /// canonical text.
    ///
    /// # Panics
    /// If the genotype is none of this space.
    #[must_use]
    pub fn fingerprint(&self, genotype: &Genotype) -> String {
        let text = format!("{} {}", self.name(), self.text(genotype));
        format!("{:016x}", xxh3_64(text.as_bytes()))
    }
}

/// The first few of many names.
fn some(names: impl Iterator<Item = String>) -> String {
    const SHOWN: usize = 12;
    let mut names: Vec<String> = names.take(SHOWN + 1).collect();
    if names.len() > SHOWN {
        names[SHOWN] = "…".to_owned();
    }
    names.join(", ")
}
