//! What can go wrong with the Graph API, told apart by what a queue must do next.

mod graph;
mod retry;
mod template;

use std::fmt;

use crate::outbound::InvalidMessage;

pub use graph::{GraphError, ReportedError};
pub use retry::{RetryClass, classify, is_known};
pub use template::TemplateRefusal;

/// Why a request never got an answer. Never shows the address: some carry tokens in their query.
#[derive(Debug)]
pub struct TransportError(reqwest::Error);

impl From<reqwest::Error> for TransportError {
    fn from(error: reqwest::Error) -> Self {
        Self(error.without_url())
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = std::error::Error::source(&self.0);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl std::error::Error for TransportError {}

impl TransportError {
    /// True when no byte of the request can have reached Meta: no connection was made, or no request could be built.
    #[must_use]
    pub fn is_before_request(&self) -> bool {
        self.0.is_connect() || self.0.is_builder()
    }
}

/// Why a message has no receipt. Only [`SendError::Ambiguous`] may have reached the customer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The message breaks a limit of the API and was not posted.
    #[error("message not sendable: {0}")]
    Invalid(#[from] InvalidMessage),
    /// No connection: certainly not sent, safe to try again.
    #[error("Graph API unreachable: {0}")]
    NotSent(TransportError),
    /// The request went out and no usable answer came back: it may have been sent. Never repeat blindly; wait for the status
    /// webhook that echoes `biz_opaque_callback_data`.
    #[error("outcome unknown: {0}")]
    Ambiguous(String),
    /// Meta said no.
    #[error("refused: {0}")]
    Refused(#[from] GraphError),
}

impl SendError {
    /// What the queue should do. `None`: the outcome is unknown and waits for its status.
    #[must_use]
    pub fn retry_class(&self) -> Option<RetryClass> {
        match self {
            Self::Invalid(_) => Some(RetryClass::FailPermanent),
            Self::NotSent(_) => Some(RetryClass::RetryBackoff),
            Self::Ambiguous(_) => None,
            Self::Refused(error) => Some(error.retry_class()),
        }
    }
}

/// Why a call other than a send failed. These can all be repeated safely or show their effect when read again.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No answer.
    #[error("Graph API did not answer: {0}")]
    Transport(#[from] TransportError),
    /// An answer that is not what the call promises.
    #[error("unexpected answer: {0}")]
    Unexpected(String),
    /// Meta said no.
    #[error("refused: {0}")]
    Refused(#[from] GraphError),
}

impl From<reqwest::Error> for ApiError {
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(error.into())
    }
}

impl ApiError {
    /// What to do next.
    #[must_use]
    pub fn retry_class(&self) -> RetryClass {
        match self {
            Self::Transport(_) | Self::Unexpected(_) => RetryClass::RetryBackoff,
            Self::Refused(error) => error.retry_class(),
        }
    }
}
