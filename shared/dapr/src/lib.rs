#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod advice;
mod bulk;
mod client;
mod config;
mod dead_letter;
mod error;
mod metadata;
mod metrics;
mod subscriptions;
mod token;
mod trace;

pub use advice::advised;
pub use bulk::FailedEntry;
pub use client::{Client, Message};
pub use config::{Config, DeliveryMode};
pub use dead_letter::{DeadLetter, DeadLetters, ParkError};
pub use error::{ClientError, PublishError, Refusal};
pub use metadata::{ActiveSubscription, Lack, LoadedComponent, Metadata, MetadataError};
pub use subscriptions::{Ack, Delivery, Door, HandlerError, Subscriptions};
