#![doc = include_str!("../README.md")]

pub mod config;

pub mod app;

pub mod routes;
pub mod subscribers;
pub mod workers;

pub mod domain;
pub mod store;

pub mod error;
