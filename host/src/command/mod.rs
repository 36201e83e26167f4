//! The subcommands, one file each: what can be given, and what is done.

pub(crate) mod search;

pub(crate) mod resume;

pub(crate) mod retrain;

pub(crate) mod stop;

pub(crate) mod heartbeat;

pub(crate) mod approve;

pub(crate) mod runs;

pub(crate) mod show;

pub(crate) mod audit;

pub(crate) mod controls;

pub(crate) mod policy;

pub(crate) mod plugin;

pub(crate) mod space;

pub(crate) mod init;

pub(crate) mod bench;
pub(crate) mod check;

pub(crate) mod doctor;

pub(crate) mod quota;
pub(crate) mod reference;

mod conclude;
