//! One case per code of §11, and the rules for codes nobody knows.

use std::time::Duration;

use super::RetryClass::{
    self, FailPermanent, NeedsHuman, OptOut, PauseNumber, PausePair, RetryAfter, RetryBackoff, SlowNumber,
};
use super::{classify, is_known};

fn wait(seconds: u64) -> RetryClass {
    RetryAfter {
        after: Duration::from_secs(seconds),
    }
}

/// The decision with the HTTP status Meta documents for the code must not differ from the one without any, as in a webhook.
fn check(http_status: u16, code: i64, expected: &RetryClass) {
    assert!(is_known(code), "{code} is not in the table");
    for status in [Some(http_status), None, Some(500), Some(400)] {
        let class = classify(code, None, status, false);
        match (expected, &class) {
            (NeedsHuman { .. }, NeedsHuman { hint }) => assert!(hint.ends_with('.'), "{code}: {hint}"),
            _ => assert_eq!(&class, expected, "code {code}, HTTP {status:?}"),
        }
    }
}

fn human() -> RetryClass {
    NeedsHuman { hint: "" }
}

macro_rules! codes {
    ($($name:ident: $http:literal $code:literal => $class:expr;)*) => {
        $(#[test] fn $name() { check($http, $code, &$class); })*
    };
}

codes! {
    c0: 401 0 => human();
    c1: 400 1 => RetryBackoff;
    c2: 503 2 => RetryBackoff;
    c3_is_500_but_permanent: 500 3 => human();
    c4: 400 4 => wait(300);
    c10: 403 10 => human();
    c17: 400 17 => wait(300);
    c33: 400 33 => human();
    c100: 400 100 => FailPermanent;
    c190: 401 190 => human();
    c200: 403 200 => human();
    c299: 403 299 => human();
    c368: 403 368 => human();
    c613: 400 613 => wait(300);
    c803: 404 803 => human();
    c80007: 400 80007 => wait(300);
    c130403: 400 130403 => FailPermanent;
    c130429: 400 130429 => SlowNumber;
    c130472: 400 130472 => FailPermanent;
    c130497: 403 130497 => FailPermanent;
    c131000: 500 131000 => RetryBackoff;
    c131005: 403 131005 => human();
    c131008: 400 131008 => FailPermanent;
    c131009: 400 131009 => FailPermanent;
    c131016: 500 131016 => RetryBackoff;
    c131020: 400 131020 => FailPermanent;
    c131021: 400 131021 => FailPermanent;
    c131026: 400 131026 => FailPermanent;
    c131030: 400 131030 => FailPermanent;
    c131031: 403 131031 => human();
    c131037: 400 131037 => human();
    c131041: 400 131041 => FailPermanent;
    c131042: 400 131042 => human();
    c131044: 400 131044 => human();
    c131045_is_500_but_permanent: 500 131045 => human();
    c131047: 400 131047 => FailPermanent;
    c131048: 400 131048 => PauseNumber;
    c131049: 400 131049 => FailPermanent;
    c131050: 400 131050 => OptOut;
    c131051: 400 131051 => FailPermanent;
    c131052: 400 131052 => FailPermanent;
    c131053: 400 131053 => FailPermanent;
    c131055: 400 131055 => FailPermanent;
    c131056: 400 131056 => PausePair;
    c131057: 500 131057 => wait(60);
    c131059: 400 131059 => FailPermanent;
    c131060: 400 131060 => FailPermanent;
    c131062: 400 131062 => FailPermanent;
    c131063: 400 131063 => FailPermanent;
    c131064: 400 131064 => PauseNumber;
    c131201: 400 131201 => FailPermanent;
    c131215: 400 131215 => FailPermanent;
    c132000: 400 132000 => FailPermanent;
    c132001_is_404: 404 132001 => FailPermanent;
    c132005: 400 132005 => FailPermanent;
    c132007: 400 132007 => FailPermanent;
    c132008: 400 132008 => FailPermanent;
    c132012: 400 132012 => FailPermanent;
    c132015: 400 132015 => FailPermanent;
    c132016: 400 132016 => FailPermanent;
    c132018: 400 132018 => FailPermanent;
    c132068: 400 132068 => FailPermanent;
    c132069: 400 132069 => FailPermanent;
    c133000: 500 133000 => human();
    c133004: 503 133004 => RetryBackoff;
    c133005: 400 133005 => human();
    c133006: 400 133006 => human();
    c133008: 400 133008 => human();
    c133009: 400 133009 => human();
    c133010: 400 133010 => human();
    c133015: 400 133015 => wait(300);
    c133016: 400 133016 => wait(259_200);
    c134011: 400 134011 => human();
    c134100: 400 134100 => FailPermanent;
    c134101: 400 134101 => wait(600);
    c134102_is_500_but_permanent: 500 134102 => FailPermanent;
    c135000: 400 135000 => RetryBackoff;
    c136024: 400 136024 => FailPermanent;
    c137000: 400 137000 => FailPermanent;
    c138000: 400 138000 => FailPermanent;
    c138018: 400 138018 => FailPermanent;
    c139000: 400 139000 => FailPermanent;
    c139004: 400 139004 => FailPermanent;
    c139100: 400 139100 => FailPermanent;
    c139101: 400 139101 => FailPermanent;
    c139102: 400 139102 => FailPermanent;
    c139103: 400 139103 => FailPermanent;
    c139200: 400 139200 => FailPermanent;
    c147001: 400 147001 => FailPermanent;
    c147004: 400 147004 => FailPermanent;
    c1752041: 400 1752041 => FailPermanent;
    c2388001: 400 2388001 => FailPermanent;
    c2388299: 400 2388299 => FailPermanent;
    c2494100: 400 2494100 => wait(60);
    c2593107: 400 2593107 => FailPermanent;
    c2593108: 400 2593108 => FailPermanent;
    c2593109: 400 2593109 => FailPermanent;
}

#[test]
fn unknown_codes_go_by_status_and_transience() {
    const NEW: i64 = 987_654;
    assert!(!is_known(NEW));
    assert_eq!(classify(NEW, None, Some(500), false), RetryBackoff);
    assert_eq!(classify(NEW, None, Some(503), false), RetryBackoff);
    assert_eq!(classify(NEW, None, Some(400), true), RetryBackoff);
    assert_eq!(classify(NEW, None, None, true), RetryBackoff);
    assert_eq!(classify(NEW, None, Some(400), false), FailPermanent);
    assert_eq!(classify(NEW, None, Some(404), false), FailPermanent);
    assert_eq!(classify(NEW, None, None, false), FailPermanent);
}

#[test]
fn answers_of_proxies_are_not_taken_for_code_zero() {
    use crate::error::GraphError;
    assert_eq!(GraphError::without_body(429).retry_class(), RetryBackoff);
    assert_eq!(GraphError::without_body(502).retry_class(), RetryBackoff);
    assert_eq!(GraphError::without_body(413).retry_class(), FailPermanent);
    assert!(matches!(
        GraphError::without_body(401).retry_class(),
        NeedsHuman { .. }
    ));
    assert!(matches!(
        GraphError::without_body(302).retry_class(),
        NeedsHuman { .. }
    ));
}

#[test]
fn a_number_out_of_reach_is_not_the_messages_fault() {
    assert_eq!(classify(100, Some(2_494_010), Some(400), false), FailPermanent);
    assert!(matches!(
        classify(100, Some(33), Some(400), false),
        NeedsHuman { .. }
    ));
}
