//! Panics become errors on the plugin's side of the interface.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use crate::error::{ErrorCode, PluginError};

/// A component behind a guard: after a panic it is not called again, since its state is unknown.
pub(super) struct Guarded<T> {
    /// The lock only gives methods that take `&self` the same treatment as the others; calls come
    /// one at a time.
    component: Mutex<Option<T>>,
}

impl<T> Guarded<T> {
    pub(super) fn new(component: T) -> Self {
        Self { component: Mutex::new(Some(component)) }
    }

    /// Calls the component; a panic becomes an error with the panic's text.
    pub(super) fn call<R>(
        &self,
        call: impl FnOnce(&mut T) -> Result<R, PluginError>,
    ) -> Result<R, PluginError> {
        let mut slot = self.component.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(component) = slot.as_mut() else {
            let message = "answer: it panicked before and is not called again";
            return Err(PluginError::new(ErrorCode::Poisoned, message));
        };
        let result = catch(|| call(component));
        if matches!(&result, Err(error) if error.code == ErrorCode::Panic) {
            // Dropping could panic again, or touch broken state.
            std::mem::forget(slot.take());
        }
        result
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        let component = self.component.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(component)));
    }
}

/// Runs plugin code; a panic becomes an error with the panic's text.
pub(super) fn catch<R>(call: impl FnOnce() -> Result<R, PluginError>) -> Result<R, PluginError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a text".to_owned());
        // The payload's own drop may panic.
        std::mem::forget(payload);
        Err(PluginError::new(ErrorCode::Panic, format!("answer: it panicked ({text})")))
    })
}
