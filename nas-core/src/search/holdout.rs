//! Reads of the holdout in the middle of a search, for policies that compare it with the validation
//! split: when one is due, and how it is written down.
//!
//! The loop waits for a read: the workers go on meanwhile, and what follows from it is decided at a
//! known place between two events.

use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::measurement::{Measurements, names};
use nas_plugin_api::trial::TrialId;
use nas_plugin_api::verdict::HoldoutReading;

use super::{Champion, Search, SearchError, StopSignal};
use crate::budget::Reservation;
use crate::journal::{Event, HoldoutHistory, HoldoutOpened, StopReason};
use crate::protocol::Usage;
use crate::settings::HoldoutSettings;

/// Why the holdout is read when a search has come to its end.
pub(crate) const END_OF_SEARCH: &str = "the search is over, and this is its answer";

/// Evaluates a trained network on the holdout.
pub trait HoldoutReader {
    /// Whether a read costs nothing, so that it needs no budget.
    fn is_free(&self) -> bool {
        false
    }

    /// Why this champion can't be read, where that is known before anything is opened.
    fn obstacle(&self, champion: &Champion) -> Option<String> {
        let _ = champion;
        None
    }

    /// What a champion's network shows there, within this reservation, and what was used; or why
    /// there is no answer.
    fn read(
        &mut self,
        champion: &Champion,
        reservation: &Reservation,
        stop: &StopSignal,
    ) -> (Result<Measurements, String>, Usage);
}

/// What a search needs to read the holdout while it runs.
pub struct HoldoutReads {
    /// How often, and when.
    pub settings: HoldoutSettings,
    /// Who wants it: the policies' names.
    pub by: String,
    /// What reads it.
    pub reader: Box<dyn HoldoutReader>,
    /// Images of the validation split and of the holdout; 0 where nobody knows.
    pub images: [u64; 2],
}

/// Where a search stands with its holdout; the same live and in replay.
#[derive(Clone, Debug, Default)]
pub(super) struct HoldoutStanding {
    pub(super) history: HoldoutHistory,
    /// Trials with a result of their own.
    pub(super) n_results: u64,
    /// As many as there were at the last read.
    at_last_read: u64,
    last_read: Option<TrialId>,
}

impl HoldoutStanding {
    /// Adds an event.
    pub(super) fn apply(&mut self, event: &Event) {
        self.history.apply(event);
        if let Event::HoldoutOpened(opened) = event {
            self.at_last_read = self.n_results;
            self.last_read = Some(opened.trial);
        }
    }

    /// Whether a champion is to be read now. The last read is kept for the end.
    pub(super) fn is_due(&self, champion: TrialId, settings: &HoldoutSettings) -> bool {
        let between = u64::from(settings.trials_between_reads);
        self.history.used + 1 < settings.queries
            && self.n_results >= self.at_last_read + between
            && self.last_read != Some(champion)
    }

    /// Whether the search's answer is to be read.
    pub(super) fn is_due_at_the_end(&self, champion: TrialId, settings: &HoldoutSettings) -> bool {
        self.history.used < settings.queries && self.last_read != Some(champion)
    }
}

/// One read of the holdout, as it is written down.
pub(crate) struct Read<'a> {
    /// The network's trial.
    pub(crate) trial: TrialId,
    /// Its genotype.
    pub(crate) genotype: &'a Genotype,
    /// What the search saw of it.
    pub(crate) seen: &'a Measurements,
    /// Trials with a result of their own so far.
    pub(crate) trials: u64,
    /// How many reads the run may make.
    pub(crate) queries: u32,
    /// Images of the validation split and of the holdout; 0 where nobody knows.
    pub(crate) images: [u64; 2],
}

impl Read<'_> {
    /// It begins, after so many others.
    pub(crate) fn opened(
        &self,
        used: u32,
        (by, why): (&str, String),
        reservation: Reservation,
    ) -> Event {
        Event::HoldoutOpened(Box::new(HoldoutOpened {
            query: used + 1,
            queries: self.queries,
            trial: self.trial,
            genotype: self.genotype.clone(),
            by: by.to_owned(),
            why,
            reservation,
        }))
    }

    /// It is over.
    pub(crate) fn closed(&self, measured: Result<Measurements, String>, usage: Usage) -> Event {
        let trial = self.trial;
        match measured {
            Ok(measurements) => {
                let reading = self.reading(&measurements);
                Event::Audited { trial, measurements, reading, usage }
            }
            Err(message) => Event::HoldoutUnread { trial, message, usage },
        }
    }

    fn reading(&self, measured: &Measurements) -> Option<HoldoutReading> {
        let [validation_images, holdout_images] = self.images;
        Some(HoldoutReading {
            trial: self.trial,
            trials: self.trials,
            queries: self.queries,
            validation_accuracy: self.seen.get(names::VALIDATION_ACCURACY)?,
            holdout_accuracy: measured.get(names::HOLDOUT_ACCURACY)?,
            validation_images,
            holdout_images,
        })
    }
}

impl Search<'_> {
    /// Reads the holdout for the best network, if that is due.
    pub(super) fn look_at_holdout(&mut self) -> Result<(), SearchError> {
        let (Some(reads), Some(champion)) = (&self.holdout, &self.state.champion) else {
            return Ok(());
        };
        if self.state.stop.is_some() || !self.state.holdout.is_due(champion.trial, &reads.settings)
        {
            return Ok(());
        }
        let why =
            format!("trial {} is the best of {} now", champion.trial, self.state.holdout.n_results);
        self.read_holdout(why)
    }

    /// Reads it for the search's answer, so that policies can look at that before it is one.
    pub(super) fn look_at_holdout_once_more(
        &mut self,
        reason: &StopReason,
    ) -> Result<(), SearchError> {
        let (Some(reads), Some(champion)) = (&self.holdout, &self.state.champion) else {
            return Ok(());
        };
        if !reason.is_final()
            || !self.state.holdout.is_due_at_the_end(champion.trial, &reads.settings)
        {
            return Ok(());
        }
        self.read_holdout(END_OF_SEARCH.to_owned())
    }

    fn read_holdout(&mut self, why: String) -> Result<(), SearchError> {
        let (Some(reads), Some(champion)) = (&mut self.holdout, self.state.champion.clone()) else {
            return Ok(());
        };
        if reads.reader.obstacle(&champion).is_some() {
            return Ok(());
        }
        let reservation = match reads.reader.is_free() {
            true => Reservation::NOTHING,
            false => match self.ledger.offer_task() {
                Some(reservation) => reservation,
                None => return Ok(()),
            },
        };
        let read = Read {
            trial: champion.trial,
            genotype: &champion.proposal.genotype,
            seen: &champion.result.measurements,
            trials: self.state.holdout.n_results,
            queries: reads.settings.queries,
            images: reads.images,
        };
        let opened = read.opened(self.state.holdout.history.used, (&reads.by, why), reservation);
        self.state.apply_holdout(&opened);
        self.unwritten.push(opened);
        self.write()?;
        let Some(reads) = &mut self.holdout else { return Ok(()) };
        let (measured, usage) = reads.reader.read(&champion, &reservation, &self.stop_signal);
        self.ledger.overhead(&usage);
        let closed = read.closed(measured, usage);
        self.state.apply_holdout(&closed);
        self.journal(vec![closed])
    }
}
