//! Passwords: rules, bcrypt, and the same amount of work whether or not the user exists.

use std::sync::{Arc, LazyLock};

use tokio::sync::Semaphore;

use super::error::{AuthError, Result};

/// GoTrue's cost.
const COST: u32 = 10;
/// GoTrue's default.
const MIN_CHARACTERS: usize = 6;
/// bcrypt reads no further; a longer password would be cut silently.
const MAX_BYTES: usize = 72;

/// Hashing takes tens of milliseconds of CPU: more at once than there are cores only makes everything else wait.
static SLOTS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    Arc::new(Semaphore::new(
        std::thread::available_parallelism().map_or(2, usize::from),
    ))
});

/// A well-formed hash of no password anyone knows, verified against when there is no user.
static NOBODY: LazyLock<Result<String>> = LazyLock::new(|| make_hash(&uuid::Uuid::new_v4().to_string()));

/// Refuses passwords that are too short or longer than bcrypt reads.
pub fn check_rules(password: &str) -> Result<()> {
    if password.len() > MAX_BYTES {
        return Err(AuthError::validation(
            "Password cannot be longer than 72 characters",
        ));
    }
    if password.chars().count() < MIN_CHARACTERS {
        let message = format!("Password should be at least {MIN_CHARACTERS} characters.");
        return Err(AuthError::weak_password(message, vec!["length"]));
    }
    Ok(())
}

/// Hashes off the async threads.
pub async fn hash(password: &str) -> Result<String> {
    let password = password.to_owned();
    blocking(move || make_hash(&password)).await?
}

/// Whether `password` fits `stored`. Without a stored hash the same work is done and the answer is no.
pub async fn verify(password: &str, stored: Option<&str>) -> Result<bool> {
    let password = password.to_owned();
    let stored = stored.filter(|hash| !hash.is_empty()).map(str::to_owned);
    blocking(move || match stored {
        Some(hash) => bcrypt::verify(&password, &hash).map_err(AuthError::unexpected),
        None => {
            let nobody = NOBODY.as_ref().map_err(Clone::clone)?;
            bcrypt::verify(&password, nobody).map_err(AuthError::unexpected)?;
            Ok(false)
        }
    })
    .await?
}

/// Makes the first sign-in as fast as the later ones, so that not even it tells who exists.
pub async fn warm_up() {
    let _ = blocking(|| NOBODY.is_ok()).await;
}

fn make_hash(password: &str) -> Result<String> {
    let parts = bcrypt::hash_with_result(password, COST).map_err(AuthError::unexpected)?;
    Ok(parts.format_for_version(bcrypt::Version::TwoA))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let slot = SLOTS
        .clone()
        .acquire_owned()
        .await
        .map_err(AuthError::unexpected)?;
    tokio::task::spawn_blocking(move || {
        let _slot = slot;
        work()
    })
    .await
    .map_err(AuthError::unexpected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_fits_and_nobody_has_none() {
        let stored = hash("correct horse").await.unwrap();
        assert!(stored.starts_with("$2a$10$"), "{stored}");
        assert!(verify("correct horse", Some(&stored)).await.unwrap());
        assert!(!verify("correct horsf", Some(&stored)).await.unwrap());
        assert!(!verify("correct horse", None).await.unwrap());
        assert!(!verify("", Some("")).await.unwrap());
    }

    #[test]
    fn rules() {
        assert_eq!(check_rules("12345").unwrap_err().code(), "weak_password");
        assert_eq!(
            check_rules(&"x".repeat(73)).unwrap_err().code(),
            "validation_failed"
        );
        assert!(check_rules("123456").is_ok());
    }
}
