//! Progress on a terminal: a bar over the budget, with what is best and what is left.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use nas_core::journal::Event;
use nas_core::protocol::one_shot::SearchStep;
use nas_core::search::Observer;
use nas_plugin_api::measurement::EpochRecord;
use nas_plugin_api::trial::TrialId;
use nas_plugin_api::verdict::Spending;

use super::{Standing, sentence};
use crate::output::number;

/// Steps of the bar.
const STEPS: u64 = 1000;
/// The bar stands below the lines, cut to the terminal's width.
const WITH_LIMIT: &str = "[{bar:14.cyan}] {percent:>3}%  {wide_msg}";
const WITHOUT_LIMIT: &str = "{spinner}  {wide_msg}";

/// Draws a bar on stderr; notable events are lines above it.
pub(crate) struct Bar {
    standing: Standing,
    bar: ProgressBar,
}

impl Bar {
    /// Watches a search.
    pub(crate) fn new(standing: Standing) -> Self {
        let has_limit = standing.share(&Spending::default()).is_some();
        let (template, bar) = match has_limit {
            true => (WITH_LIMIT, ProgressBar::new(STEPS)),
            false => (WITHOUT_LIMIT, ProgressBar::new_spinner()),
        };
        bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        // The templates are constants; a wrong one would show the default bar.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        let mut bar = Self { standing, bar };
        bar.show(&Spending::default());
        bar
    }

    fn show(&mut self, spent: &Spending) {
        let share = self.standing.share(spent).unwrap_or(0.0);
        self.bar.set_position((share * STEPS as f64) as u64);
        let eta = match self.standing.seconds_left(spent) {
            Some(seconds) => format!("ETA {}", number::seconds(seconds)),
            None => "ETA —".to_owned(),
        };
        let (best, left, running) =
            (self.standing.best(), self.standing.left(spent), self.standing.running());
        self.bar.set_message(format!("{best} · {eta} · {left} · {running}"));
    }
}

impl Observer for Bar {
    fn event(&mut self, event: &Event, spent: &Spending) {
        self.standing.take(event);
        match event {
            Event::Ended { trial, result, .. } if self.standing.is_best(*trial) => {
                self.bar.println(sentence::ended(&self.standing, *trial, result));
            }
            event => {
                if let Some(line) = sentence::notable(event) {
                    self.bar.println(line);
                }
            }
        }
        self.show(spent);
        if matches!(event, Event::Stopped { .. }) {
            self.bar.finish_and_clear();
        }
    }

    fn search_step(&mut self, step: &SearchStep) {
        let SearchStep { epoch, step, steps_per_epoch, train_loss } = step;
        let loss = number::value(*train_loss);
        self.bar
            .set_message(format!("epoch {epoch}: step {step} of {steps_per_epoch}, loss {loss}"));
    }

    fn epoch(&mut self, _: TrialId, _: &EpochRecord) {
        self.bar.tick();
    }

    fn idle(&mut self, spent: &Spending) {
        self.show(spent);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
