//! What `nas bench` writes: a page, a plot, and lines of JSON.

mod comparison_page;
mod front_page;
mod page;
mod plot;
mod published;

pub(crate) use comparison_page::{Scored, comparison_page};
pub(crate) use front_page::front_page;
pub(crate) use page::{OnFront, Row, as_json, page};
pub(crate) use plot::{Panel, picture};
pub(crate) use published::{Published, read_published};
