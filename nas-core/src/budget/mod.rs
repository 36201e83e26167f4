//! The budget: what the whole search may spend, and the ledger that enforces it.

pub mod clock;
mod limits;
pub mod resources;

mod account;
mod kill_margin;
mod ledger;
mod offer;
mod purse;
mod quota;
mod rates;
mod tally;
mod usage;

pub use clock::{Clock, FakeClock, RealClock};
pub use kill_margin::{HardLimits, KillMargin};
pub use ledger::{Ledger, Remaining, Reserve, SearchAllowance, Workforce};
pub use limits::{Budget, Reservation};
pub use quota::{Quota, QuotaError, QuotaSettings, TeamStanding};
pub use rates::Rates;
pub use tally::{TICK_SECONDS, Tally};
