#![doc = include_str!("../README.md")]

pub mod app;
pub mod banner;
pub mod config;
mod data_directory;
pub mod dead_letters;
pub mod events;
pub mod ledger;
pub mod location;
mod printable;
pub mod relay;
mod services;
