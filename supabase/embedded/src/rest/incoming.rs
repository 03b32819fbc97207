//! What `postrust-server` reads differently from PostgREST in a request, put into words both read alike.

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// The request with its query rewritten where it has to be.
pub fn mended(mut request: Request) -> Request {
    if let Some(uri) = mended_uri(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

fn mended_uri(uri: &Uri) -> Option<Uri> {
    let query = mended_query(uri.query()?)?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("{}?{query}", uri.path())).ok()?);
    Uri::from_parts(parts).ok()
}

/// Nothing when the query can stay as it is.
fn mended_query(query: &str) -> Option<String> {
    // Forms write a space as `+`, and so does the client's URLSearchParams; a plus sign itself is `%2B`.
    let spaced = query.replace('+', "%20");
    let pairs: Vec<String> = spaced
        .split('&')
        .map(|pair| match pair.strip_prefix("columns=") {
            Some(names) => format!("columns={}", unquoted(names).unwrap_or_else(|| names.to_owned())),
            None => pair.to_owned(),
        })
        .collect();
    let mended = pairs.join("&");
    (mended != query).then_some(mended)
}

/// `"a","b"` as `a,b`: bulk inserts quote every name. Names that need their quotes keep them.
fn unquoted(names: &str) -> Option<String> {
    let decoded = names.replace("%22", "\"").replace("%2C", ",").replace("%2c", ",");
    let bare: Option<Vec<&str>> = decoded
        .split(',')
        .map(|name| {
            let inner = name.strip_prefix('"')?.strip_suffix('"')?;
            (!inner.is_empty() && !inner.contains('"')).then_some(inner)
        })
        .collect();
    bare.map(|names| names.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_is_a_space_and_an_encoded_plus_stays() {
        assert_eq!(
            mended_query("name=eq.a+b%2Bc&x=1").as_deref(),
            Some("name=eq.a%20b%2Bc&x=1")
        );
        assert_eq!(mended_query("name=eq.a%20b"), None);
    }

    #[test]
    fn quoted_columns_lose_their_quotes() {
        assert_eq!(
            mended_query("columns=%22team_id%22%2C%22a+b%22&select=*").as_deref(),
            Some("columns=team_id,a%20b&select=*")
        );
        assert_eq!(mended_query("columns=a,b"), None);
        assert_eq!(mended_query("columns=%22a%22%22b%22"), None);
    }

    #[test]
    fn the_path_stays() {
        let uri: Uri = "/rpc/find?q=a+b".parse().unwrap();
        assert_eq!(mended_uri(&uri).unwrap().to_string(), "/rpc/find?q=a%20b");
        assert!(mended_uri(&"/rpc/find".parse().unwrap()).is_none());
    }
}
