//! The filters of a subscription to changes: `column=operator.value`, several joined by commas that all must hold.

use serde_json::{Value, json};

/// The most values an `in` may list.
const MAX_IN_VALUES: usize = 100;
/// The operators every version of the real server knows.
const OPERATORS: [&str; 7] = ["eq", "neq", "lt", "lte", "gt", "gte", "in"];

/// One comparison, its value as Postgres reads it (an array literal for `in`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    pub column: String,
    pub operator: &'static str,
    pub value: String,
}

impl Filter {
    /// As the SQL functions take it.
    pub fn to_json(&self) -> Value {
        json!([self.column, self.operator, self.value])
    }
}

/// Reads the filter text of a subscription; the error is the text the client is told.
pub fn parse(text: &str) -> Result<Vec<Filter>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    split_outside(text)
        .into_iter()
        .map(|part| parse_one(part).map_err(|reason| format!("Error parsing `filter` params: {reason}")))
        .collect()
}

fn parse_one(text: &str) -> Result<Filter, String> {
    let Some((column, rest)) = text.split_once('=') else {
        return Err(json!([text]).to_string());
    };
    let (name, value) = rest.split_once('.').ok_or_else(|| json!([rest]).to_string())?;
    let refused = || json!([name, value]).to_string();
    let operator = OPERATORS
        .into_iter()
        .find(|known| *known == name)
        .ok_or_else(refused)?;
    let column = column.trim();
    if column.is_empty() {
        return Err(refused());
    }
    let value = if operator == "in" {
        let list = value
            .strip_prefix('(')
            .and_then(|list| list.strip_suffix(')'))
            .ok_or_else(refused)?;
        array_literal(list)?
    } else {
        unquoted(value)
    };
    Ok(Filter {
        column: column.to_owned(),
        operator,
        value,
    })
}

fn array_literal(list: &str) -> Result<String, String> {
    let values = split_outside(list);
    if values.len() > MAX_IN_VALUES {
        return Err(format!(
            "too many values for `in` filter. Maximum {MAX_IN_VALUES}"
        ));
    }
    let quoted = values.into_iter().map(|value| {
        let escaped = unquoted(value.trim()).replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\"")
    });
    Ok(format!("{{{}}}", quoted.collect::<Vec<_>>().join(",")))
}

/// Splits at commas that stand outside double quotes and parentheses.
fn split_outside(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    let (mut quoted, mut escaped, mut previous) = (false, false, ',');
    for (at, character) in text.char_indices() {
        if quoted {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => quoted = false,
                _ => {}
            }
        } else {
            match character {
                // A quote inside a bare word is part of the word.
                '"' if matches!(previous, '.' | '(' | ',') => quoted = true,
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => {
                    parts.push(&text[start..at]);
                    start = at + 1;
                }
                _ => {}
            }
        }
        previous = character;
    }
    parts.push(&text[start..]);
    parts
}

/// A value without its double quotes and their backslashes, if it has any.
fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(column: &str, operator: &'static str, value: &str) -> Filter {
        Filter {
            column: column.into(),
            operator,
            value: value.into(),
        }
    }

    #[test]
    fn the_seven_operators_are_read() {
        for operator in ["eq", "neq", "lt", "lte", "gt", "gte"] {
            assert_eq!(
                parse(&format!("id={operator}.5")),
                Ok(vec![filter("id", operator, "5")])
            );
        }
        assert_eq!(parse("id=in.(1,2)"), Ok(vec![filter("id", "in", r#"{"1","2"}"#)]));
        assert_eq!(parse(""), Ok(vec![]));
        assert_eq!(parse("  "), Ok(vec![]));
    }

    #[test]
    fn values_keep_their_dots_and_equals_signs() {
        assert_eq!(
            parse("mail=eq.a.b=c@d"),
            Ok(vec![filter("mail", "eq", "a.b=c@d")])
        );
        assert_eq!(parse("name=eq."), Ok(vec![filter("name", "eq", "")]));
    }

    #[test]
    fn commas_outside_quotes_and_parentheses_join_filters() {
        assert_eq!(
            parse(r#"a=eq."x,\"y",b=in.("p,q",r),c=gt.1"#),
            Ok(vec![
                filter("a", "eq", "x,\"y"),
                filter("b", "in", r#"{"p,q","r"}"#),
                filter("c", "gt", "1")
            ])
        );
        assert_eq!(parse(r#"a=eq.5" x"#), Ok(vec![filter("a", "eq", "5\" x")]));
    }

    #[test]
    fn array_values_are_escaped() {
        assert_eq!(
            parse(r#"a=in.(x"y,{z},\)"#),
            Ok(vec![filter("a", "in", r#"{"x\"y","{z}","\\"}"#)])
        );
    }

    #[test]
    fn what_is_no_filter_is_named() {
        assert_eq!(
            parse("undefined"),
            Err(r#"Error parsing `filter` params: ["undefined"]"#.into())
        );
        assert_eq!(
            parse("a=foo.hey"),
            Err(r#"Error parsing `filter` params: ["foo","hey"]"#.into())
        );
        assert!(parse("a=not.eq.5").is_err());
        assert!(parse("a=like.x%").is_err());
        assert!(parse("=eq.1").is_err());
        assert!(parse("a=in.1,2").is_err());
        let many = (0..101).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        assert!(
            parse(&format!("a=in.({many})"))
                .unwrap_err()
                .contains("Maximum 100")
        );
    }
}
