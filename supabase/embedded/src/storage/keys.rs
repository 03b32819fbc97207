//! Names of buckets and objects.

use super::error::StorageError;

/// Letters every part of the real Storage API takes besides ASCII letters, digits and `_`.
const ALLOWED: &str = "!-.*'() &$@=;:+,?";
const MAX_KEY_BYTES: usize = 1024;
const MAX_BUCKET_NAME_BYTES: usize = 100;

/// Checks the name of an object. A name never becomes part of a path on disk; `.` and `..` are refused all the same, as
/// proxies and browsers fold them away and policies judge the folders of a name.
pub fn check_key(key: &str) -> Result<(), StorageError> {
    let sound = !key.is_empty()
        && key.len() <= MAX_KEY_BYTES
        && key.chars().all(|c| c == '/' || is_allowed(c))
        && !key.split('/').any(|part| part == "." || part == "..");
    if sound {
        Ok(())
    } else {
        Err(StorageError::InvalidKey(key.chars().take(100).collect()))
    }
}

/// Checks the name of a bucket.
pub fn check_bucket_name(name: &str) -> Result<(), StorageError> {
    let sound = !name.is_empty()
        && name.len() <= MAX_BUCKET_NAME_BYTES
        && name.trim() == name
        && name.chars().all(is_allowed)
        && name != "."
        && name != "..";
    if sound {
        Ok(())
    } else {
        Err(StorageError::InvalidBucketName)
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || ALLOWED.contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_pass() {
        for key in [
            "a",
            "folder/sub folder/image (1).png",
            "org/2026-11-23T10:00:00+08:00.ogg",
            "..a/b..",
        ] {
            assert!(check_key(key).is_ok(), "{key}");
        }
        assert!(check_bucket_name("media").is_ok());
    }

    #[test]
    fn names_that_could_be_taken_for_paths_or_hide_something_are_refused() {
        let long = "a".repeat(MAX_KEY_BYTES + 1);
        for key in [
            "", "..", "a/../b", "./a", "a/.", "a\\b", "a\0b", "a\nb", "a%2e", "größe", "a#b", &long,
        ] {
            assert!(check_key(key).is_err(), "{key:?}");
        }
        for name in ["", "..", "a/b", " a", "a ", "ü"] {
            assert!(check_bucket_name(name).is_err(), "{name:?}");
        }
    }
}
