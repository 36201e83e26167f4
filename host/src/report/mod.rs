//! What became of a run, computed from its journal alone: the same words during a search, at its
//! end, and years later.

mod front;
mod on_record;
mod one_shot;
mod page;
mod real;
mod run;
mod sample;
mod trial;
mod trials;
mod view;

pub(crate) use on_record::on_record;
pub(crate) use one_shot::{epoch_as_json, write_epoch};
pub(crate) use page::Page;
pub(crate) use run::{as_json, headline, write as write_run};
pub(crate) use trial::{as_json as trial_as_json, write as write_trial};
pub(crate) use view::RunView;
