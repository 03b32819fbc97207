//! Whether a token is one, and what it reaches.

use crate::directory::Token;
use crate::refusal::Refusal;
use crate::world::State;

/// The token, when it is known and has not expired.
pub fn token<'a>(state: &'a State, secret: Option<&str>, now: i64) -> Result<&'a Token, Refusal> {
    let Some(secret) = secret.filter(|secret| !secret.is_empty()) else {
        return Err(Refusal::token(
            "An access token is required to request this resource.",
            None,
        ));
    };
    let Some(token) = state.directory.tokens.get(secret) else {
        return Err(Refusal::token(
            "Invalid OAuth access token - Cannot parse access token",
            None,
        ));
    };
    if token.expires_at != 0 && token.expires_at <= now {
        return Err(Refusal::token(
            "Error validating access token: Session has expired",
            Some(463),
        ));
    }
    Ok(token)
}

/// A number the token reaches. To others it does not exist.
pub fn number(state: &State, secret: Option<&str>, id: &str, method: &str, now: i64) -> Result<(), Refusal> {
    let token = token(state, secret, now)?;
    match state.directory.numbers.get(id) {
        Some(number) if token.waba_ids.contains(&number.waba_id) => Ok(()),
        _ => Err(Refusal::no_such_object(method, id)),
    }
}

/// An account the token reaches.
pub fn account(state: &State, secret: Option<&str>, id: &str, method: &str, now: i64) -> Result<(), Refusal> {
    let token = token(state, secret, now)?;
    if token.waba_ids.iter().any(|granted| granted == id) {
        return Ok(());
    }
    Err(Refusal::no_such_object(method, id))
}
