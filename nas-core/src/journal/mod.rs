//! The journal: what happened in a run, durable and in order.
//!
//! One SQLite file per run. [`Journal::append`](EventLog::append) writes a group of events as one
//! transaction and returns when it is on the disk, so neither `kill -9` nor a power cut loses what
//! it returned for. Each event's hash covers all events before it. [`RunHistory`] is what the
//! events add up to. What this is not: a log for people to read while a search runs.

mod approval;
mod control;
mod event;
mod search_end;
mod start;
mod stop_reason;

mod chain;
mod event_json;
mod non_finite;

mod anchor;
mod entries;
mod error;
mod lock;
mod log;
mod reader;
mod schema;
mod verification;
mod writer;

mod holdout_history;
mod replay;
mod search_history;

pub use anchor::{Anchor, AnchorError, AnchorFile};
pub use approval::{Approval, Signed};
pub use chain::{ChainHash, Head};
pub use control::{Control, ControlKind};
pub use entries::{Entries, Entry, Recorded};
pub use error::{ChainFault, JournalError};
pub use event::{Answer, Event, HoldoutOpened, TrialResult};
pub use holdout_history::HoldoutHistory;
pub use log::{EventLog, MemoryLog};
pub use reader::JournalReader;
pub use replay::{ControlResult, Judgement, OpenAttempt, RunHistory, Step, Stop};
pub use schema::JOURNAL_FILE;
pub use search_end::{ChoicePaths, RandomGenotype, SearchEnd, SearchEndReason};
pub use search_history::{RollBack, SearchHistory, ToldEpoch};
pub use start::{ComponentRecord, FileRecord, OrganisationRecord, Start};
pub use stop_reason::StopReason;
pub use verification::{Finding, Verification};
pub use writer::Journal;
