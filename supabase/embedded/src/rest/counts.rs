//! The number of rows a write has met, which PostgREST tells in `Content-Range` and `postrust-server` does not.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;
use serde_json::Value;

/// Whether a request asks for that number.
pub enum Counted {
    No,
    /// The changed rows are told as a range.
    Update,
    /// Only an answer with the rows shows how many they are.
    InsertOrDelete,
}

impl Counted {
    /// Reads method and preferences.
    pub fn of(request: &Request) -> Self {
        let asked = request
            .headers()
            .get_all("prefer")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|preference| preference.trim() == "count=exact");
        if !asked || request.uri().path().starts_with("/rpc/") {
            return Self::No;
        }
        match *request.method() {
            Method::PATCH => Self::Update,
            Method::POST | Method::DELETE => Self::InsertOrDelete,
            _ => Self::No,
        }
    }

    /// Puts the number into the answer, where it can be known.
    pub async fn tell(&self, response: Response) -> Response {
        if matches!(self, Self::No) || !response.status().is_success() {
            return response;
        }
        let (mut parts, mut body) = response.into_parts();
        let range = parts
            .headers
            .get(header::CONTENT_RANGE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_suffix("/*"))
            .map(str::to_owned);
        let Some(range) = range else {
            return Response::from_parts(parts, body);
        };
        let total = match self {
            Self::Update => rows_in(&range),
            _ => {
                // Held in memory already: the rows of one request.
                let Ok(bytes) = to_bytes(body, usize::MAX).await else {
                    return Response::from_parts(parts, Body::empty());
                };
                let total = match serde_json::from_slice(&bytes) {
                    Ok(Value::Array(rows)) => Some(rows.len()),
                    Ok(Value::Object(_)) => Some(1),
                    _ => None,
                };
                body = Body::from(bytes);
                total
            }
        };
        let told = total.and_then(|total| HeaderValue::try_from(format!("{range}/{total}")).ok());
        if let Some(told) = told {
            parts.headers.insert(header::CONTENT_RANGE, told);
        }
        Response::from_parts(parts, body)
    }
}

/// How many rows `0-4` or `*` stands for.
fn rows_in(range: &str) -> Option<usize> {
    if range == "*" {
        return Some(0);
    }
    let (first, last) = range.split_once('-')?;
    Some(last.parse::<usize>().ok()? + 1 - first.parse::<usize>().ok()?)
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    async fn told(counted: Counted, range: &'static str, body: &'static str) -> String {
        let response = ([(header::CONTENT_RANGE, range)], body).into_response();
        let response = counted.tell(response).await;
        response.headers()[header::CONTENT_RANGE]
            .to_str()
            .unwrap()
            .to_owned()
    }

    #[tokio::test]
    async fn totals_come_from_the_range_or_the_rows() {
        assert_eq!(told(Counted::Update, "0-1/*", "").await, "0-1/2");
        assert_eq!(told(Counted::Update, "*/*", "").await, "*/0");
        assert_eq!(told(Counted::InsertOrDelete, "*/*", "[{},{},{}]").await, "*/3");
        assert_eq!(told(Counted::InsertOrDelete, "*/*", "").await, "*/*");
        assert_eq!(told(Counted::No, "*/*", "[{}]").await, "*/*");
    }

    #[test]
    fn only_writes_to_tables_that_ask_are_counted() {
        let request = |method: Method, path: &str, prefer: &str| {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header("prefer", prefer);
            Counted::of(&request.body(Body::empty()).unwrap())
        };
        assert!(matches!(
            request(Method::PATCH, "/notes", "return=minimal,count=exact"),
            Counted::Update
        ));
        assert!(matches!(
            request(Method::POST, "/notes", "count=exact"),
            Counted::InsertOrDelete
        ));
        assert!(matches!(
            request(Method::POST, "/rpc/f", "count=exact"),
            Counted::No
        ));
        assert!(matches!(
            request(Method::GET, "/notes", "count=exact"),
            Counted::No
        ));
        assert!(matches!(
            request(Method::POST, "/notes", "return=minimal"),
            Counted::No
        ));
    }
}
