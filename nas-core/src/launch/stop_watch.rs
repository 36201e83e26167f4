//! What a supervisor looks at while it runs: wishes to stop, and signs of life.
//!
//! Everything is a file, so that a shell, a cron job or another machine can take part. The time is
//! a monotonic clock's: nobody extends anything by setting the system's clock.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{RunFolder, RunFolderError};
use crate::budget::Clock;
use crate::journal::StopReason;
use crate::search::StopSignal;
use crate::settings::StopSettings;
use crate::time_span::TimeSpan;

/// The file in which `nas stop` leaves its wish.
const STOP_FILE: &str = "stop";
/// The file that is a sign of life; the supervisor takes it away.
const HEARTBEAT_FILE: &str = "heartbeat";
/// How often a supervisor looks.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// How a run is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopWish {
    /// When its running trials have ended; at once where that takes longer than this.
    Graceful {
        /// As long as it takes where absent.
        deadline: Option<TimeSpan>,
    },
    /// At once.
    Now,
}

impl StopWish {
    fn text(self) -> String {
        match self {
            Self::Graceful { deadline: None } => "when the running trials have ended".to_owned(),
            Self::Graceful { deadline: Some(deadline) } => format!("within {deadline}"),
            Self::Now => "now".to_owned(),
        }
    }

    /// Any text but these is a person's own, who wants a stop.
    fn read(text: &str) -> Self {
        match text.trim() {
            "now" => Self::Now,
            text => Self::Graceful {
                deadline: text.strip_prefix("within ").and_then(|text| text.parse().ok()),
            },
        }
    }
}

impl RunFolder {
    /// Asks the run's supervisor to stop; the wish is kept until the run is resumed.
    ///
    /// # Errors
    /// What the system says.
    pub fn request_stop(&self, wish: StopWish) -> Result<(), RunFolderError> {
        self.leave(STOP_FILE, &wish.text(), "leave the wish to stop in")
    }

    /// Gives the run a sign of life, for which a run with `stop.heartbeat` waits.
    ///
    /// # Errors
    /// What the system says.
    pub fn renew_heartbeat(&self) -> Result<(), RunFolderError> {
        self.leave(HEARTBEAT_FILE, "", "leave a sign of life in")
    }

    /// Whether a sign of life waits to be seen.
    pub(super) fn has_heartbeat(&self) -> bool {
        self.path().join(HEARTBEAT_FILE).exists()
    }

    fn leave(&self, name: &str, text: &str, what: &'static str) -> Result<(), RunFolderError> {
        let path = self.path().join(name);
        std::fs::write(&path, text).map_err(|source| RunFolderError::File { what, path, source })
    }
}

/// The watch over one session of a run.
pub(super) struct StopWatch {
    wish: PathBuf,
    /// A file of the user's own, whose appearance is a wish to stop.
    stop_file: Option<PathBuf>,
    heartbeat: Option<Heartbeat>,
    /// When a graceful stop becomes one at once.
    deadline: Option<Duration>,
    clock: Arc<dyn Clock>,
    signal: StopSignal,
}

struct Heartbeat {
    file: PathBuf,
    interval: TimeSpan,
    lapses_at: Duration,
}

impl StopWatch {
    /// Begins a session in which so many seconds of the heartbeat have passed already.
    pub(super) fn new(
        folder: &RunFolder,
        settings: &StopSettings,
        silent_seconds: f64,
        clock: Arc<dyn Clock>,
        signal: StopSignal,
    ) -> Self {
        let wish = folder.path().join(STOP_FILE);
        // A wish from before this session was obeyed already.
        let _ = std::fs::remove_file(&wish);
        let silent = Duration::try_from_secs_f64(silent_seconds).unwrap_or(Duration::MAX);
        let heartbeat = settings.heartbeat.map(|interval| Heartbeat {
            file: folder.path().join(HEARTBEAT_FILE),
            interval,
            lapses_at: clock.now() + interval.duration().saturating_sub(silent),
        });
        let stop_file = settings.file.clone();
        Self { wish, stop_file, heartbeat, deadline: None, clock, signal }
    }

    /// Looks again and again, for as long as the process lives.
    pub(super) fn watch(mut self) {
        // Once before the search begins: a stop file may be there already.
        self.look();
        std::thread::spawn(move || {
            while !self.signal.wants_stop_now() {
                std::thread::sleep(LOOK_INTERVAL);
                self.look();
            }
        });
    }

    fn look(&mut self) {
        let now = self.clock.now();
        if let Ok(text) = std::fs::read_to_string(&self.wish) {
            match StopWish::read(&text) {
                StopWish::Now => self.signal.stop_now(),
                StopWish::Graceful { deadline } => {
                    self.signal.stop();
                    let due = deadline.map(|deadline| now + deadline.duration());
                    self.deadline = self.deadline.or(due);
                }
            }
        }
        if let Some(path) = self.stop_file.as_deref().filter(|path| appears(path)) {
            self.signal.give_reason(StopReason::StopFile { path: path.to_owned() });
            self.signal.stop();
        }
        if let Some(heartbeat) = &mut self.heartbeat {
            heartbeat.look(now, &self.signal);
        }
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            self.signal.stop_now();
        }
    }
}

impl Heartbeat {
    fn look(&mut self, now: Duration, signal: &StopSignal) {
        // One that can't be taken away would be a sign of life for ever, and is none.
        if std::fs::remove_file(&self.file).is_ok() {
            self.lapses_at = now + self.interval.duration();
            signal.sign_of_life();
        } else if now >= self.lapses_at {
            signal.give_reason(StopReason::HeartbeatLapsed { interval: self.interval });
            signal.stop_now();
        }
    }
}

/// A file that can't be looked at might be there: a stop must not depend on a disk that works.
fn appears(path: &Path) -> bool {
    path.try_exists().unwrap_or(true)
}
