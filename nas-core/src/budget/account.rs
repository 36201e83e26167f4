//! One resource that attempts use up side by side: processor seconds, or seconds of GPU.

/// What may be spent, and what is: from these follows how much a new attempt may reserve.
///
/// # The rule
///
/// What is *free* is the limit, less what is spent, less what running attempts have reserved, less
/// the start of a worker for each of them and for the new one. An attempt never reserves more than
/// that, so no charges within the reservations can exceed the limit, in whatever order they come.
/// Nor does it take all of it, or the first would leave nothing for the others:
///
/// - *Enough* is twice the most that any attempt has used so far, or all that this one may use at
///   all, if that is less. Before any has ended, whatever is usable is enough.
/// - If enough is free, the attempt gets an equal share of it (what is free divided by the idle
///   workers), and more where that is less than enough.
/// - If less is free, it waits until running attempts give back what they did not use, rather than
///   be killed for lack of it.
/// - If nothing runs that could give back, it gets the rest.
/// - If the rest is not usable, because half of it is the margin at which an attempt is killed, the
///   budget is spent.
///
/// Attempts that were killed at their share raise what counts as enough, so shares that are too
/// small for the networks of a search double until they are not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    /// What may be spent; absent for no limit.
    pub(super) limit: Option<f64>,
    /// What is spent.
    pub(super) spent: f64,
    /// What is held for running attempts: their reservations, and a start of a worker for each.
    pub(super) held: f64,
    /// What the start of a worker may use.
    pub(super) start: f64,
    /// The most that one attempt used.
    pub(super) largest: f64,
    /// How much of a reservation can't be used, since an attempt is killed before its end.
    pub(super) margin: f64,
}

/// How many times the most that was used is enough.
const AMPLE: f64 = 2.0;

/// What an account answers to a new attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Share {
    /// It may reserve this.
    Granted(f64),
    /// It has to wait for running attempts.
    Wait,
    /// There is nothing left.
    Spent,
}

impl Account {
    /// How much an attempt may reserve that could use `own`, while so many workers are idle, its
    /// own one included.
    pub(super) fn share(&self, own: f64, idle: usize) -> Share {
        let Some(left) = self.left() else { return Share::Granted(own) };
        if own <= 0.0 {
            return Share::Granted(0.0);
        }
        let free = left - self.start;
        let usable = (2.0 * self.margin).max(f64::MIN_POSITIVE);
        let enough = (AMPLE * self.largest + self.margin).min(own).max(usable);
        let equal = left / idle.max(1) as f64 - self.start;
        if free >= enough {
            Share::Granted(own.min(free).min(equal.max(enough)))
        } else if self.held > 0.0 {
            Share::Wait
        } else if free >= usable {
            Share::Granted(own.min(free))
        } else {
            Share::Spent
        }
    }

    /// What is neither spent nor held; absent for no limit.
    pub(super) fn left(&self) -> Option<f64> {
        self.limit.map(|limit| (limit - self.spent - self.held).max(0.0))
    }
}
