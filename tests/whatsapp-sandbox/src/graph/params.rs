//! Parameters of a call: the Graph API takes them from the query, a JSON body or a form alike.

use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};

use crate::refusal::Refusal;

#[derive(Debug, Default, Clone)]
pub struct Params(Map<String, Value>);

impl Params {
    pub fn from_query(query: Option<&str>) -> Self {
        let mut params = Self::default();
        if let Some(query) = query {
            params.add_form(query.as_bytes());
        }
        params
    }

    /// Adds the body's; they win over the query's.
    pub fn with_body(mut self, headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        if body.is_empty() {
            return Ok(self);
        }
        let is_form = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
        if is_form {
            self.add_form(body);
            return Ok(self);
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => {
                self.0.extend(fields);
                Ok(self)
            }
            _ => Err(Refusal::parameter("The request body is not a JSON object.")),
        }
    }

    fn add_form(&mut self, form: &[u8]) {
        // A base is needed only to reach the parser.
        let text = String::from_utf8_lossy(form);
        if let Ok(url) = reqwest::Url::parse(&format!("http://h/?{text}")) {
            for (key, value) in url.query_pairs() {
                self.0.insert(key.into_owned(), Value::String(value.into_owned()));
            }
        }
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        self.0
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }

    pub fn required(&self, key: &str) -> Result<&str, Refusal> {
        self.text(key)
            .ok_or_else(|| Refusal::parameter(format!("The parameter {key} is required.")))
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    pub fn number(&self, key: &str) -> Option<usize> {
        match self.0.get(key)? {
            Value::String(text) => text.parse().ok(),
            value => value.as_u64().and_then(|number| usize::try_from(number).ok()),
        }
    }

    /// All of it, as a JSON body would have been.
    pub fn as_value(&self) -> Value {
        Value::Object(self.0.clone())
    }
}

/// A page of `items` after the cursor; 131059 for a cursor that was never handed out.
pub fn page(items: Vec<Value>, params: &Params, url: &str) -> Result<Value, Refusal> {
    let limit = params.number("limit").unwrap_or(25).clamp(1, 100);
    let start = match params.text("after") {
        None => 0,
        Some(cursor) => cursor
            .strip_prefix("QVFI")
            .and_then(|at| at.parse::<usize>().ok())
            .filter(|&at| at <= items.len())
            .ok_or_else(|| Refusal::new(131_059, "The cursor is not valid."))?,
    };
    let end = (start + limit).min(items.len());
    let mut paging =
        serde_json::json!({"cursors": {"before": format!("QVFI{start}"), "after": format!("QVFI{end}")}});
    if end < items.len() {
        paging["next"] = format!("{url}?limit={limit}&after=QVFI{end}").into();
    }
    let mut answer = Map::new();
    answer.insert("data".into(), items[start..end].to_vec().into());
    if end > start {
        answer.insert("paging".into(), paging);
    }
    Ok(Value::Object(answer))
}
