//! The built `nas`, as a user meets it. The plugins and programs beside it are those of `make build`.
#![cfg(test)]

mod support;

mod bad_configuration;
mod bad_override;
mod help;
mod init;
mod show;
mod space;
