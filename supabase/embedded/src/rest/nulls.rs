//! `null` among the arguments of a function.
//!
//! PostgREST passes SQL's null; `postrust-server` passes an empty string. It also writes the declared type of an argument into the call as
//! it stands, so such a request is answered from a schema in which the type of another argument of the call carries the nulls with it.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{Method, header};
use postrust_core::schema_cache::Routine;
use serde_json::{Map, Value};

/// The arguments of one call that are null, and one that is not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NullArguments {
    pub function: String,
    nulls: Vec<String>,
    carrier: String,
}

/// The request without its nulls, if it is a call that has any and that somebody takes. Nothing when its body is too large or breaks off.
pub async fn taken_out(
    request: Request,
    most_bytes: usize,
    is_taken: impl FnOnce(&NullArguments) -> bool,
) -> Option<(Request, Option<NullArguments>)> {
    let function = request.uri().path().strip_prefix("/rpc/");
    let is_json = request.headers().get(header::CONTENT_TYPE).is_none_or(|value| {
        value
            .to_str()
            .is_ok_and(|text| text.starts_with("application/json"))
    });
    let Some(function) = function.filter(|_| is_json && request.method() == Method::POST) else {
        return Some((request, None));
    };
    let function = function.trim_end_matches('/').to_owned();
    let (mut parts, body) = request.into_parts();
    let bytes = to_bytes(body, most_bytes).await.ok()?;
    let taken_out = without_nulls(function, &bytes).filter(|(arguments, _)| is_taken(arguments));
    Some(match taken_out {
        Some((arguments, body)) => {
            parts.headers.remove(header::CONTENT_LENGTH);
            (Request::from_parts(parts, Body::from(body)), Some(arguments))
        }
        None => (Request::from_parts(parts, Body::from(bytes)), None),
    })
}

/// Nothing when there is no null, or nothing else to carry it.
fn without_nulls(function: String, body: &Bytes) -> Option<(NullArguments, Vec<u8>)> {
    // Most calls have none: nothing is parsed for them.
    if !body.windows(4).any(|four| four == b"null") {
        return None;
    }
    let (nulls, given): (Map<String, Value>, Map<String, Value>) =
        serde_json::from_slice::<Map<String, Value>>(body)
            .ok()?
            .into_iter()
            .partition(|(_, value)| value.is_null());
    if nulls.is_empty() {
        return None;
    }
    let arguments = NullArguments {
        function,
        nulls: nulls.into_iter().map(|(name, _)| name).collect(),
        carrier: given.keys().next()?.clone(),
    };
    Some((arguments, serde_json::to_vec(&given).ok()?))
}

impl NullArguments {
    /// Whether a function has all these arguments.
    pub fn are_taken_by(&self, routine: &Routine) -> bool {
        let has = |name: &String| routine.params.iter().any(|p| p.name == *name);
        self.nulls.iter().all(has) && has(&self.carrier)
    }

    /// Makes the function's carrier bring the nulls along.
    pub fn carry_in(&self, routine: &mut Routine) {
        let (nulls, mut kept): (Vec<_>, Vec<_>) = std::mem::take(&mut routine.params)
            .into_iter()
            .partition(|p| self.nulls.contains(&p.name));
        for carrier in kept.iter_mut().filter(|p| p.name == self.carrier) {
            for null in &nulls {
                let name = null.name.replace('"', "\"\"");
                carrier
                    .type_max_length
                    .push_str(&format!(", \"{name}\" => null::{}", null.type_max_length));
            }
        }
        routine.params = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(body: &str) -> Option<(Vec<String>, String)> {
        without_nulls("f".into(), &Bytes::from(body.to_owned()))
            .map(|(arguments, rest)| (arguments.nulls, String::from_utf8(rest).unwrap()))
    }

    #[test]
    fn only_arguments_that_are_null_are_taken_out() {
        assert_eq!(
            taken(r#"{"a": null, "b": {"c": null}}"#),
            Some((vec!["a".into()], r#"{"b":{"c":null}}"#.into()))
        );
        assert_eq!(taken(r#"{"b": {"c": null}}"#), None);
        assert_eq!(taken(r#"{"b": "null"}"#), None);
        assert_eq!(taken(r#"{"a": null}"#), None);
        assert_eq!(taken("[null]"), None);
    }
}
