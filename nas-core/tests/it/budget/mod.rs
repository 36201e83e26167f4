//! The budget: no sequence of events may spend more than it allows.

mod ledger_property;
mod ledger_rules;
mod quota;
mod resources;
