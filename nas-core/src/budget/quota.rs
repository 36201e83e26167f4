//! Quotas: what all runs of a team may spend in a month, however many run at once.
//!
//! An operator writes the caps into a TOML file. What runs have spent and hold is kept in a database
//! beside it, with a row for each run and month. A run claims what its attempts may use before they
//! begin, in one transaction that sees what all others have spent and claimed; so they can't
//! overspend together. A run that was killed keeps its claim: it counts as spent, as it does in the
//! run's own ledger once that is taken up again. A month begins with empty accounts, and by the
//! latest month that any run has seen: a clock that is set back opens none again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nas_plugin_api::verdict::Spending;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::purse::{amount, less, most, plus};

/// How long a run waits for others that have the database locked.
const BUSY_SECONDS: u64 = 60;
/// Supervisors renew their claims several times a second; after so many milliseconds without, there
/// is nobody left who could give something back.
const RENEWED_WITHIN_MS: u64 = 10_000;
/// The limits that a team can have.
const LIMITS: [&str; 5] = ["trials", "cpu_seconds", "gpu_seconds", "energy_kwh", "money"];

/// The `[quota]` table: whose monthly quota a run counts against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaSettings {
    /// The file with the quotas of teams.
    pub file: PathBuf,
    /// The team, which the file must have.
    pub team: String,
}

/// Why a quota can't be used; no run goes on without it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuotaError {
    /// The file can't be read.
    #[error("read the quota `{}`: {source}; no run that counts against it goes on", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file has no quotas.
    #[error(
        "read the quota `{}`: {message}; each team has a table `[team.NAME]` with limits of a month",
        path.display()
    )]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// It has none for this team.
    #[error("read the quota `{}`: it has no team `{team}` (known: {known})", path.display())]
    Team {
        /// The file.
        path: PathBuf,
        /// The team.
        team: String,
        /// The teams that it has.
        known: String,
    },
    /// What was spent can't be read or written.
    #[error(
        "keep the accounts of a quota in `{}`: {source}; everybody who counts against it must be \
         able to write it and its folder",
        path.display()
    )]
    Accounts {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

/// A team's quota, as one run sees it.
pub struct Quota {
    team: String,
    run: String,
    caps: BTreeMap<String, f64>,
    path: PathBuf,
    accounts: Mutex<Connection>,
}

impl QuotaSettings {
    /// What the team may spend in a month, by name.
    ///
    /// # Errors
    /// A file that can't be read, or has no such team.
    pub fn caps(&self) -> Result<BTreeMap<String, f64>, QuotaError> {
        let mut teams = read(&self.file)?;
        teams.remove(&self.team).ok_or_else(|| QuotaError::Team {
            path: self.file.clone(),
            team: self.team.clone(),
            known: teams.into_keys().collect::<Vec<String>>().join(", "),
        })
    }
}

/// What a run has spent in all, and what it holds for attempts that run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Claim {
    pub(super) spent: Spending,
    pub(super) held: Spending,
}

/// How the other runs of the team stand in this month.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Others {
    /// What they spent, and what runs hold that ended without giving it back.
    pub(super) spent: Spending,
    /// What runs hold that are under way.
    pub(super) held: Spending,
    /// How many are under way and hold nothing.
    pub(super) n_idle: usize,
    /// What this run had spent when the month began, which counts no more.
    pub(super) before: Spending,
}

/// What a team has spent and holds, of what it may.
#[derive(Clone, Debug, PartialEq)]
pub struct TeamStanding {
    /// Its name.
    pub team: String,
    /// Its limits by name.
    pub caps: BTreeMap<String, f64>,
    /// The month (`2026-01`).
    pub month: String,
    /// What its runs spent in it.
    pub spent: Spending,
    /// What they hold.
    pub held: Spending,
    /// How many runs have spent something.
    pub n_runs: u64,
}

impl TeamStanding {
    /// What is spent of a limit.
    #[must_use]
    pub fn spent_of(&self, limit: &str) -> f64 {
        amount(&self.spent, limit)
    }

    /// What runs hold of a limit.
    #[must_use]
    pub fn held_of(&self, limit: &str) -> f64 {
        amount(&self.held, limit)
    }
}

/// One run's row.
struct Row {
    run: String,
    month: String,
    before: Spending,
    claim: Claim,
    renewed_ms: u64,
}

impl Quota {
    /// The quota of a team, for a run whose folder is this.
    ///
    /// # Errors
    /// A file or a database that can't be used.
    pub fn open(settings: &QuotaSettings, run: &Path) -> Result<Self, QuotaError> {
        let caps = settings.caps()?;
        let path = accounts_of(&settings.file);
        let accounts = open_accounts(&path)
            .map_err(|source| QuotaError::Accounts { path: path.clone(), source })?;
        let run = run.canonicalize().unwrap_or_else(|_| run.to_owned());
        Ok(Self {
            team: settings.team.clone(),
            run: run.to_string_lossy().into_owned(),
            caps,
            path,
            accounts: Mutex::new(accounts),
        })
    }

    /// The team.
    #[must_use]
    pub fn team(&self) -> &str {
        &self.team
    }

    /// What it may spend in a month, by name.
    #[must_use]
    pub fn caps(&self) -> &BTreeMap<String, f64> {
        &self.caps
    }

    /// Every team of a file.
    ///
    /// # Errors
    /// A file or a database that can't be used.
    pub fn standings(file: &Path, now_ms: u64) -> Result<Vec<TeamStanding>, QuotaError> {
        let teams = read(file)?;
        let path = accounts_of(file);
        let standings = || -> rusqlite::Result<Vec<TeamStanding>> {
            let accounts = open_accounts(&path)?;
            let month = month(&accounts, now_ms)?;
            let standing = |(team, caps): (String, BTreeMap<String, f64>)| {
                let rows = rows(&accounts, &team)?;
                let mut standing = TeamStanding {
                    team,
                    caps,
                    month: month.clone(),
                    spent: Spending::default(),
                    held: Spending::default(),
                    n_runs: 0,
                };
                for row in rows.into_iter().filter(|row| row.month == month) {
                    standing.spent = plus(&standing.spent, &row.charged());
                    standing.held = plus(&standing.held, &row.claim.held);
                    standing.n_runs += 1;
                }
                Ok(standing)
            };
            teams.into_iter().map(standing).collect()
        };
        standings().map_err(|source| QuotaError::Accounts { path: path.clone(), source })
    }

    /// Looks at what the others have, and writes down what this run claims from here on, with
    /// nobody in between.
    pub(super) fn claim<T>(
        &self,
        now_ms: u64,
        spent: &Spending,
        decide: impl FnOnce(&Others) -> (T, Claim),
    ) -> Result<T, QuotaError> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        self.claim_in(&mut accounts, now_ms, spent, decide)
            .map_err(|source| QuotaError::Accounts { path: self.path.clone(), source })
    }

    fn claim_in<T>(
        &self,
        accounts: &mut Connection,
        now_ms: u64,
        spent: &Spending,
        decide: impl FnOnce(&Others) -> (T, Claim),
    ) -> rusqlite::Result<T> {
        let transaction = accounts.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let month = month(&transaction, now_ms)?;
        let mut others = Others { before: *spent, ..Others::default() };
        // The highest total that this run told: a ledger that is just being rebuilt knows less.
        let mut told = Spending::default();
        for row in rows(&transaction, &self.team)? {
            if row.run == self.run {
                // Rows come by month: the last one counts.
                others.before = if row.month == month { row.before } else { row.claim.spent };
                told = row.claim.spent;
                continue;
            }
            let is_live = now_ms < row.renewed_ms.saturating_add(RENEWED_WITHIN_MS);
            let of_month = row.month == month;
            if of_month {
                others.spent = plus(&others.spent, &row.charged());
            }
            others.n_idle += usize::from(is_live && row.claim.held == Spending::default());
            match (is_live, of_month) {
                (true, _) => others.held = plus(&others.held, &row.claim.held),
                (false, true) => others.spent = plus(&others.spent, &row.claim.held),
                (false, false) => {}
            }
        }
        let (answer, claim) = decide(&others);
        let nothing = text(&Spending::default())?;
        transaction.execute(
            "UPDATE claims SET held = ?1 WHERE team = ?2 AND run = ?3 AND month < ?4",
            params![nothing, self.team, self.run, month],
        )?;
        transaction.execute(
            "INSERT OR REPLACE INTO claims (team, run, month, before, spent, held, renewed_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                self.team,
                self.run,
                month,
                text(&others.before)?,
                text(&most(&told, &claim.spent))?,
                text(&claim.held)?,
                i64::try_from(now_ms).unwrap_or(i64::MAX),
            ],
        )?;
        transaction.commit()?;
        Ok(answer)
    }
}

impl Row {
    /// What is charged for its month.
    fn charged(&self) -> Spending {
        less(&self.claim.spent, &self.before)
    }
}

/// The limits of each team.
fn read(file: &Path) -> Result<BTreeMap<String, BTreeMap<String, f64>>, QuotaError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Quotas {
        team: BTreeMap<String, BTreeMap<String, f64>>,
    }
    let text = std::fs::read_to_string(file)
        .map_err(|source| QuotaError::File { path: file.to_owned(), source })?;
    let content = |message: String| QuotaError::Content { path: file.to_owned(), message };
    let quotas: Quotas = toml::from_str(&text).map_err(|error| content(error.to_string()))?;
    for (team, caps) in &quotas.team {
        if let Some((name, limit)) = caps.iter().find(|(name, limit)| {
            !(LIMITS.contains(&name.as_str()) && limit.is_finite() && **limit >= 0.0)
        }) {
            return Err(content(format!(
                "`{name} = {limit}` of team `{team}` is no limit; there are {}, each at least 0",
                LIMITS.join(", ")
            )));
        }
    }
    Ok(quotas.team)
}

/// `/srv/nas/quota.toml` has its accounts in `/srv/nas/quota.sqlite`.
fn accounts_of(file: &Path) -> PathBuf {
    file.with_extension("sqlite")
}

fn open_accounts(path: &Path) -> rusqlite::Result<Connection> {
    let accounts = Connection::open(path)?;
    accounts.busy_timeout(Duration::from_secs(BUSY_SECONDS))?;
    accounts.execute_batch(
        "CREATE TABLE IF NOT EXISTS claims (
           team TEXT NOT NULL,
           run TEXT NOT NULL,
           month TEXT NOT NULL,
           before TEXT NOT NULL,
           spent TEXT NOT NULL,
           held TEXT NOT NULL,
           renewed_ms INTEGER NOT NULL,
           PRIMARY KEY (team, run, month)
         ) STRICT",
    )?;
    Ok(accounts)
}

/// The month that counts: the clock's, but never one before the latest that a run has seen.
fn month(accounts: &Connection, now_ms: u64) -> rusqlite::Result<String> {
    let now = month_of(now_ms);
    let latest: Option<String> = accounts
        .query_row("SELECT max(month) FROM claims", [], |row| row.get(0))
        .optional()?
        .flatten();
    Ok(latest.map_or(now.clone(), |latest| latest.max(now)))
}

/// `2026-01`, in UTC.
fn month_of(unix_ms: u64) -> String {
    let seconds = i64::try_from(unix_ms / 1000).unwrap_or(i64::MAX);
    let date = time::OffsetDateTime::from_unix_timestamp(seconds)
        .unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    format!("{:04}-{:02}", date.year(), u8::from(date.month()))
}

/// The rows of a team, by month.
fn rows(accounts: &Connection, team: &str) -> rusqlite::Result<Vec<Row>> {
    let mut statement = accounts.prepare(
        "SELECT run, month, before, spent, held, renewed_ms FROM claims WHERE team = ?1 \
         ORDER BY month",
    )?;
    let rows = statement.query_map([team], |row| {
        let spending = |place: usize| -> rusqlite::Result<Spending> {
            let text: String = row.get(place)?;
            serde_json::from_str(&text).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(
                    place,
                    rusqlite::types::Type::Text,
                    Box::new(error),
                )
            })
        };
        let renewed_ms: i64 = row.get(5)?;
        Ok(Row {
            run: row.get(0)?,
            month: row.get(1)?,
            before: spending(2)?,
            claim: Claim { spent: spending(3)?, held: spending(4)? },
            renewed_ms: u64::try_from(renewed_ms).unwrap_or(0),
        })
    })?;
    rows.collect()
}

fn text(spending: &Spending) -> rusqlite::Result<String> {
    serde_json::to_string(spending)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
