//! Errors as storage-js reads them: the body tells, the HTTP status hardly does.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio_postgres::error::SqlState;

use crate::jwt::JwtError;

/// Why a request failed. The texts and codes are those of the real Storage API.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("Bucket not found")]
    NoSuchBucket,
    #[error("Object not found")]
    NoSuchKey,
    #[error("{0}")]
    AccessDenied(String),
    #[error("The resource already exists")]
    KeyAlreadyExists,
    #[error("The resource already exists")]
    BucketAlreadyExists,
    #[error("The bucket you tried to delete is not empty")]
    BucketNotEmpty,
    #[error("Bucket name invalid")]
    InvalidBucketName,
    #[error("Invalid key: {0}")]
    InvalidKey(String),
    #[error("mime type {0} is not supported")]
    InvalidMimeType(String),
    #[error("The object exceeded the maximum allowed size")]
    EntityTooLarge,
    #[error("Invalid file size format, hint: use 20GB / 20MB / 30KB / 3B")]
    InvalidFileSizeLimit,
    #[error("{0}")]
    InvalidRequest(String),
    /// A signed URL whose token is not sound.
    #[error("{0}")]
    InvalidJwt(&'static str),
    #[error("The url do not match the signature")]
    InvalidSignature,
    #[error("The related resource does not exist")]
    RelatedResourceNotFound,
    #[error("The connection to the database timed out")]
    DatabaseTimeout,
    #[error("The database is not reachable. Please try again later.")]
    DatabaseUnavailable,
    #[error("Internal server error")]
    Internal(#[source] anyhow::Error),
}

impl StorageError {
    /// `statusCode`, `error` and `code` of the body.
    fn parts(&self) -> (u16, &'static str, &'static str) {
        match self {
            Self::NoSuchBucket => (404, "Bucket not found", "NoSuchBucket"),
            Self::NoSuchKey => (404, "not_found", "NoSuchKey"),
            Self::AccessDenied(_) => (403, "Unauthorized", "AccessDenied"),
            Self::KeyAlreadyExists => (409, "Duplicate", "KeyAlreadyExists"),
            Self::BucketAlreadyExists => (409, "Duplicate", "BucketAlreadyExists"),
            Self::BucketNotEmpty => (409, "ResourceNotEmpty", "ResourceNotEmpty"),
            Self::InvalidBucketName => (400, "Invalid Input", "InvalidBucketName"),
            Self::InvalidKey(_) => (400, "InvalidKey", "InvalidKey"),
            Self::InvalidMimeType(_) => (415, "invalid_mime_type", "InvalidMimeType"),
            Self::EntityTooLarge => (413, "Payload too large", "EntityTooLarge"),
            Self::InvalidFileSizeLimit | Self::InvalidRequest(_) => (400, "InvalidRequest", "InvalidRequest"),
            Self::InvalidJwt(_) => (400, "InvalidJWT", "InvalidJWT"),
            Self::InvalidSignature => (400, "InvalidSignature", "InvalidSignature"),
            Self::RelatedResourceNotFound => (404, "InvalidRequest", "InvalidRequest"),
            Self::DatabaseTimeout => (544, "DatabaseTimeout", "DatabaseTimeout"),
            Self::DatabaseUnavailable => (503, "DatabaseConnectionLimit", "DatabaseConnectionLimit"),
            Self::Internal(_) => (500, "InternalError", "InternalError"),
        }
    }
}

impl IntoResponse for StorageError {
    fn into_response(self) -> Response {
        let (status_code, error, code) = self.parts();
        if let Self::Internal(cause) = &self {
            tracing::error!("storage failed: {cause:#}");
        }
        // Overload is told in the status too, so that clients may wait; all else is 400 or 500.
        let status = match status_code {
            500 => StatusCode::INTERNAL_SERVER_ERROR,
            503 | 544 => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::BAD_REQUEST,
        };
        let body = json!({
            "statusCode": status_code.to_string(),
            "error": error,
            "message": self.to_string(),
            "code": code,
        });
        (status, Json(body)).into_response()
    }
}

impl From<tokio_postgres::Error> for StorageError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(db) = error.as_db_error() else {
            return if error.is_closed() {
                Self::DatabaseUnavailable
            } else {
                Self::Internal(error.into())
            };
        };
        match db.code() {
            // In these words whatever was refused: the table's name is no part of the API.
            code if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
                Self::AccessDenied("new row violates row-level security policy".to_owned())
            }
            code if *code == SqlState::UNIQUE_VIOLATION => Self::KeyAlreadyExists,
            code if *code == SqlState::FOREIGN_KEY_VIOLATION => Self::RelatedResourceNotFound,
            code if *code == SqlState::QUERY_CANCELED => Self::DatabaseTimeout,
            // The server is stopping, starting, or out of connections.
            code if ["57P", "53", "08"]
                .iter()
                .any(|class| code.code().starts_with(class)) =>
            {
                Self::DatabaseUnavailable
            }
            _ => Self::Internal(error.into()),
        }
    }
}

impl From<deadpool_postgres::PoolError> for StorageError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        tracing::warn!("no database connection for storage: {error}");
        Self::DatabaseUnavailable
    }
}

impl From<std::io::Error> for StorageError {
    fn from(error: std::io::Error) -> Self {
        Self::Internal(error.into())
    }
}

/// How a bad token of a caller is worded.
impl From<JwtError> for StorageError {
    fn from(error: JwtError) -> Self {
        Self::AccessDenied(
            match error {
                JwtError::Malformed => "Invalid Compact JWS",
                JwtError::BadSignature => "signature verification failed",
                JwtError::Expired => r#""exp" claim timestamp check failed"#,
                JwtError::NotYetValid => r#""nbf" claim timestamp check failed"#,
            }
            .to_owned(),
        )
    }
}
