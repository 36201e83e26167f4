//! What `nas bench` writes: a page, a plot, and lines of JSON.

mod page;
mod plot;
mod published;

pub(crate) use page::{Row, as_json, page};
pub(crate) use plot::{Panel, picture};
pub(crate) use published::{Published, read_published};
