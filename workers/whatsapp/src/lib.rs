//! The WhatsApp Business Cloud API as this product needs it: checking and reading webhooks, sending messages, media, templates and
//! numbers, and what every error of Meta means for a queue. No database, no retries, no state: callers own those.
//!
//! Facts about the platform that shaped this crate are in `reference/whatsapp.md`; section numbers in comments are that page's.

pub mod client;
pub mod error;
pub mod outbound;
pub mod signature;
pub mod webhook;

pub use client::{CloudApi, SendReceipt};
pub use error::{ApiError, GraphError, RetryClass, SendError};
pub use outbound::{Content, OutboundMessage, Recipient};
pub use webhook::Event;
