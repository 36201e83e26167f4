//! What a trial costs beside its training: tell, ask, gate, dispatch, the way to a worker process
//! and back, journal. One trial is in flight, and its worker computes nothing.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use nas_core::budget::RealClock;
use nas_core::executor::{LocalExecutor, LocalOptions, WorkerBounds};
use nas_core::journal::{Event, Journal};
use nas_core::protocol::Setup;
use nas_core::protocol::recipe::Recipe;
use nas_core::search::{KeepWeights, Observer, Training};
use nas_plugin_api::verdict::Spending;
use serde_json::json;

use crate::estimate::Estimate;
use crate::parts::{Plan, folder, programs, registry, search, space};
use crate::table::{Goal, Table};

const TRIALS: u64 = 400;
/// The first ones start the worker and fill caches.
const WARM_UP: usize = 20;

pub(crate) fn run(table: &mut Table) {
    let folder = folder();
    let before = sync_ms(folder.path());
    let registry = Arc::new(registry());
    let setup = Setup {
        train: None,
        evaluation: folder.path().to_owned(),
        device: "cpu".to_owned(),
        threads: 1,
    };
    let options = LocalOptions {
        program: programs().join("nas-fake-worker"),
        workers: 1,
        bounds: Some(WorkerBounds::of(&setup).writing(folder.path())),
        setup,
        log: None,
        start_seconds: 60.0,
    };
    let (whole, keep) = ((Recipe::default(), 1), KeepWeights::None);
    let work = Training::new(space(&registry), whole, folder.path(), keep, Vec::new());
    let plan = Plan {
        strategy: "random",
        policies: &[json!({ "name": "limits" })],
        trials: TRIALS,
        executor: Box::new(LocalExecutor::new(options).expect("a thread")),
        work: Box::new(work),
    };
    let mut journal =
        Journal::create(folder.path(), Arc::new(RealClock::new())).expect("a new folder");
    let mut ends = Ends::default();
    search(&registry, plan, &mut journal, &mut ends)
        .run()
        .expect("nothing ends the search before its budget does");
    let cycles: Vec<f64> = ends
        .0
        .windows(2)
        .skip(WARM_UP)
        .map(|pair| (pair[1] - pair[0]).as_secs_f64() * 1e3)
        .collect();
    table.line("time a trial spends outside training, ms", Estimate::of(cycles), Goal::Below(2.0));
    table.line("fdatasync of 4 KiB, before, ms", before, Goal::None);
    table.line("fdatasync of 4 KiB, after, ms", sync_ms(folder.path()), Goal::None);
}

/// When trials ended.
#[derive(Default)]
struct Ends(Vec<Instant>);

impl Observer for Ends {
    fn event(&mut self, event: &Event, _: &Spending) {
        if matches!(event, Event::Ended { .. }) {
            self.0.push(Instant::now());
        }
    }
}

/// How long the disk takes to keep a page at the end of a file.
fn sync_ms(folder: &Path) -> Estimate {
    let mut file = File::create(folder.join("sync")).expect("a new file");
    let mut sync = || {
        let began = Instant::now();
        file.write_all(&[1; 4096]).and_then(|()| file.sync_data()).expect("room on the disk");
        began.elapsed().as_secs_f64() * 1e3
    };
    Estimate::of((0..200).map(|_| sync()).collect())
}
