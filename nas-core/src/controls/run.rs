//! Making the trainings, within what is left of the budget.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use nas_plugin_api::trial::{Fidelity, Proposal, ProposalDetails, TrialId};

use super::plan::Planned;
use crate::budget::{Ledger, Reserve};
use crate::executor::{Completion, Ended, Executor, Job, Update, trials_folder};
use crate::journal::{Control, ControlKind, Event, EventLog};
use crate::protocol::Usage;
use crate::search::{
    Assignment, JOURNAL_SECONDS, Observer, SearchError, StopSignal, Training, Work,
};

/// How long the loop waits for workers before it looks at stop signals and clocks again.
const POLL: Duration = Duration::from_millis(50);
/// How long workers get to end by themselves when they are stopped.
const GRACE: Duration = Duration::from_millis(500);

/// Controls that are under way.
pub struct Controls<'a> {
    /// What is spent, and what may be.
    pub ledger: Ledger,
    /// Where it is written down.
    pub log: &'a mut dyn EventLog,
    /// Who trains.
    pub executor: Box<dyn Executor>,
    /// What trains: the run's own recipe.
    pub work: Training,
    /// How thoroughly: as the best network was.
    pub fidelity: Fidelity,
    /// The run's folder.
    pub folder: &'a Path,
    /// Who watches.
    pub observer: &'a mut dyn Observer,
    /// Who may end it.
    pub stop: &'a StopSignal,
    /// How many controls the run had before.
    pub next_number: u64,
}

impl Controls<'_> {
    /// Makes these trainings, and writes each down. What the budget does not cover, or what a stop
    /// leaves out, is not made; the last event says why.
    ///
    /// # Errors
    /// A journal or workers that fail.
    pub fn run(mut self, planned: Vec<Planned>) -> Result<(), SearchError> {
        let mut waiting: VecDeque<Planned> = planned.into();
        let mut n_running = 0;
        let mut last_journalled = 0.0;
        let mut not_run = None;
        loop {
            while not_run.is_none() && n_running < self.executor.capacity() {
                let Some(next) = waiting.front() else { break };
                if self.stop.wants_stop() {
                    not_run = Some("it was stopped".to_owned());
                    break;
                }
                match self.dispatch(next)? {
                    Begun::Yes => n_running += 1,
                    Begun::Later => break,
                    Begun::Never(budget) => {
                        not_run = Some(format!("the budget of {budget} is spent"));
                        break;
                    }
                }
                waiting.pop_front();
            }
            if n_running == 0 || self.stop.wants_stop_now() {
                break;
            }
            let updates = self.executor.poll(POLL)?;
            n_running -= self.take(updates)?;
            let spent = self.ledger.spent();
            if spent.wall_seconds - last_journalled > JOURNAL_SECONDS {
                last_journalled = spent.wall_seconds;
                self.write(vec![Event::Ticked { spent }])?;
                self.observer.idle(&spent);
            }
        }
        let left = self.executor.stop_all(GRACE);
        self.take(left)?;
        let spent = self.ledger.spent();
        self.write(vec![Event::ControlsOver { not_run, spent }])
    }

    fn dispatch(&mut self, planned: &Planned) -> Result<Begun, SearchError> {
        let Planned { kind, genotype, seed } = planned;
        let number = self.next_number;
        let id = Control::FIRST_ID + number;
        let reservation = match self.ledger.reserve(id)? {
            Reserve::Granted(reservation) => reservation,
            Reserve::Wait => return Ok(Begun::Later),
            Reserve::Spent { budget } => return Ok(Begun::Never(budget)),
        };
        self.next_number += 1;
        let proposal = Proposal { genotype: genotype.clone(), details: ProposalDetails::default() };
        let (fidelity, seed) = (self.fidelity, *seed);
        let assignment = Assignment {
            trial: id,
            attempt: 0,
            proposal: &proposal,
            fidelity,
            seed,
            reservation,
            continues: None,
        };
        let mut work = self.work.job(&assignment)?;
        work.keep_checkpoint = None;
        work.shuffles_labels = *kind == ControlKind::ShuffledLabels;
        work.log = trials_folder(self.folder).join(format!("control-{number}")).join("log.txt");
        let genotype = genotype.clone();
        let control = Control { number, kind: *kind, genotype, seed, reservation };
        self.write(vec![Event::ControlDispatched(Box::new(control))])?;
        self.executor.submit(Job::new(work, reservation));
        Ok(Begun::Yes)
    }

    /// Writes down what workers report; says how many trainings ended.
    fn take(&mut self, updates: Vec<Update>) -> Result<usize, SearchError> {
        let mut events = Vec::new();
        let mut n_ended = 0;
        for update in updates {
            match update {
                Update::Epoch { .. } => {}
                Update::Overhead { what, usage } => {
                    self.ledger.overhead(&usage);
                    events.push(Event::Overhead { what, usage });
                }
                Update::Completed(Completion { trial, ended, usage, .. }) => {
                    self.ledger.charge(trial, &usage);
                    n_ended += 1;
                    events.push(ended_as(trial, ended, usage));
                }
            }
        }
        self.write(events)?;
        Ok(n_ended)
    }

    /// Writes events down and shows them.
    fn write(&mut self, events: Vec<Event>) -> Result<(), SearchError> {
        if events.is_empty() {
            return Ok(());
        }
        self.log.append(&events)?;
        let spent = self.ledger.spent();
        events.iter().for_each(|event| self.observer.event(event, &spent));
        Ok(())
    }
}

/// Whether a training begins.
enum Begun {
    Yes,
    Later,
    /// This budget is spent.
    Never(String),
}

fn ended_as(id: TrialId, ended: Ended, usage: Usage) -> Event {
    let number = id - Control::FIRST_ID;
    let (measurements, reason) = match ended {
        Ended::Finished(measurements) => (Some(measurements), None),
        Ended::Failed { message, .. } => (None, Some(message)),
    };
    Event::ControlEnded { number, measurements, reason, usage }
}

/// The end of a control whose supervisor died: nobody knows what it used.
pub(crate) fn cut_off(id: TrialId, usage: Usage) -> Event {
    let (number, reason) = (id - Control::FIRST_ID, Some("it was cut off".to_owned()));
    Event::ControlEnded { number, measurements: None, reason, usage }
}
