//! Where links may lead: the site's own origin, and others named in the settings.

use url::Url;

use crate::config::Config;

/// `asked` when it is on an allowed origin, otherwise the site itself.
pub fn allowed_or_site(config: &Config, asked: Option<&str>) -> String {
    asked
        .filter(|url| is_allowed(config, url))
        .map_or_else(|| config.site_url.clone(), str::to_owned)
}

fn is_allowed(config: &Config, asked: &str) -> bool {
    // Parsed as browsers do, so that what is compared is where the browser will go.
    let Ok(asked) = Url::parse(asked) else {
        return false;
    };
    if !matches!(asked.scheme(), "http" | "https")
        || !asked.username().is_empty()
        || asked.password().is_some()
    {
        return false;
    }
    std::iter::once(&config.site_url)
        .chain(&config.redirect_origins)
        .filter_map(|known| Url::parse(known).ok())
        .any(|known| known.origin() == asked.origin())
}

/// `target` with `pairs` added to its fragment, and to its query too when `in_query`.
pub fn with_pairs(target: &str, pairs: &[(&str, &str)], in_query: bool, in_fragment: bool) -> String {
    let Ok(mut url) = Url::parse(target) else {
        return target.to_owned();
    };
    let encoded = {
        let mut serializer = url::form_urlencoded::Serializer::new(String::new());
        serializer.extend_pairs(pairs);
        serializer.finish()
    };
    if in_query {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    if in_fragment {
        // Replaced, not appended to: the client reads the whole fragment as its parameters.
        url.set_fragment(Some(&encoded));
    }
    url.into()
}
