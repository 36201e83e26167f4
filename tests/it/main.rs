//! End to end, on what `make build` has built: `nas`, `nas-worker`, `nas-plugin-host`, and every
//! plugin as a library.
#![cfg(test)]

mod supernet;
mod support;

mod approve;
mod audit;
mod benchmark;
mod book;
mod budget;
mod components;
mod confinement;
mod controls;
mod digits;
mod fault_injection;
mod faults;
mod guide;
mod holdout;
mod hostile;
mod inherit;
mod isolation;
mod multi_fidelity;
mod no_waste;
mod objectives;
mod one_shot;
mod organisation;
mod policies;
mod policy_replay;
mod quota;
mod resume;
mod stop;
mod threats;
mod tidy;
