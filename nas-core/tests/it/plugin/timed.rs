//! Components on threads of their own.

use std::time::{Duration, Instant};

use nas_core::plugin::{CallError, Timed};
use nas_plugin_api::error::{ErrorCode, PluginError};

fn counter(limit: Duration) -> Timed<u64> {
    Timed::create("counter", limit, || Ok::<u64, CallError>(0)).expect("a counter")
}

#[test]
fn calls_come_one_after_the_other_and_errors_end_nothing() {
    let counter = counter(Duration::from_secs(10));
    let count = |count: &mut u64| {
        *count += 1;
        Ok(*count)
    };
    assert_eq!(counter.call("count", count), Ok(1));
    let refused = counter.call("refuse", |_| Err::<(), _>(PluginError::internal("refuse")));
    assert_eq!(refused, Err(CallError::Plugin(PluginError::internal("refuse"))));
    assert_eq!(counter.call("count", count), Ok(2));
}

#[test]
fn a_panic_on_the_thread_is_an_error_and_not_silence() {
    let counter = counter(Duration::from_secs(10));
    let result = counter.call("break", |_| -> Result<(), _> { panic!("on purpose") });
    match result {
        Err(CallError::Plugin(error)) => assert_eq!(error.code, ErrorCode::Panic),
        other => panic!("{other:?}"),
    }
}

#[test]
fn creating_is_limited_like_every_call() {
    let limit = Duration::from_millis(50);
    let created = Timed::create("slow", limit, || {
        std::thread::sleep(Duration::from_secs(5));
        Ok::<u64, CallError>(0)
    });
    let expected = CallError::TimedOut { component: "slow".to_owned(), what: "create", limit };
    assert_eq!(created.err(), Some(expected));
}

/// Prints what a call costs; run it alone, with `--nocapture`. Fails only where a hand-over takes
/// a hundred times what it should.
#[test]
fn a_call_costs_microseconds() {
    const CALLS: u32 = 10_000;
    let counter = counter(Duration::from_secs(10));
    let begin = Instant::now();
    for _ in 0..CALLS {
        counter.call("count", |count| Ok(*count)).expect("an answer");
    }
    let each = begin.elapsed() / CALLS;
    println!("a call through a thread of its own: {each:?}");
    assert!(each < Duration::from_millis(2), "{each:?}");
}
