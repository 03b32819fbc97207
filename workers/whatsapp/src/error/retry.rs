//! The one place where Meta's error codes become decisions (§11).

use std::time::Duration;

use serde::Serialize;

const MINUTE: Duration = Duration::from_secs(60);

/// What a refusal means for the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "class", rename_all = "snake_case")]
pub enum RetryClass {
    /// Try this message again, not before that long.
    RetryAfter { after: Duration },
    /// Try this message again with growing delays and a cap on attempts.
    RetryBackoff,
    /// The number sends faster than it may: lower its rate, then try again.
    SlowNumber,
    /// Too many messages to this one person: wait 4ⁿ seconds for that person only.
    PausePair,
    /// Meta limits the number for its reputation: stop what is not a reply, no quick retry.
    PauseNumber,
    /// This message will never be accepted.
    FailPermanent,
    /// The person stopped marketing: never send marketing again until they resume.
    OptOut,
    /// The number or account is unusable until a person acts. Hold the queue, do not fail its messages.
    NeedsHuman { hint: &'static str },
}

/// Decides by code first, then by HTTP status and Meta's own word on transience. Errors reported in webhooks have neither subcode nor
/// HTTP status.
#[must_use]
pub fn classify(code: i64, subcode: Option<i64>, http_status: Option<u16>, is_transient: bool) -> RetryClass {
    class_of_code(code, subcode).unwrap_or(match http_status {
        _ if is_transient => RetryClass::RetryBackoff,
        // Some answers are a proxy's: it is busy, or gave up waiting.
        Some(408 | 429 | 500..) => RetryClass::RetryBackoff,
        Some(401) => RetryClass::NeedsHuman {
            hint: "Meta no longer accepts the access token: connect the number again.",
        },
        Some(300..=399) => RetryClass::NeedsHuman {
            hint: "The configured Graph API address answers with a redirect: it is not Meta's.",
        },
        _ => RetryClass::FailPermanent,
    })
}

/// False for codes this crate has never heard of: worth an alert, since the decision was made by HTTP status alone.
#[must_use]
pub fn is_known(code: i64) -> bool {
    class_of_code(code, None).is_some()
}

/// The subcode by which the Graph API says that an object is not there, or not there for this token.
const NO_SUCH_OBJECT: i64 = 33;

fn class_of_code(code: i64, subcode: Option<i64>) -> Option<RetryClass> {
    use RetryClass::{
        FailPermanent, NeedsHuman, OptOut, PauseNumber, PausePair, RetryAfter, RetryBackoff, SlowNumber,
    };
    let human = |hint| NeedsHuman { hint };
    Some(match code {
        1 | 2 | 131_000 | 131_016 | 133_004 | 135_000 => RetryBackoff,
        131_057 | 2_494_100 => RetryAfter { after: MINUTE },
        133_015 => RetryAfter { after: 5 * MINUTE },
        134_101 => RetryAfter { after: 10 * MINUTE },
        133_016 => RetryAfter {
            after: 72 * 60 * MINUTE,
        },
        // Rolling hourly quotas of the app or the account: a short wait would only meet them again.
        4 | 17 | 613 | 80_007 | 80_008 => RetryAfter { after: 5 * MINUTE },
        130_429 => SlowNumber,
        131_056 => PausePair,
        131_048 | 131_064 => PauseNumber,
        131_050 => OptOut,
        0 | 190 => human("Meta no longer accepts the access token: connect the number again."),
        3 | 10 | 131_005 | 200..=299 => human(
            "The access token may not use this number: grant it the WhatsApp permissions and the account.",
        ),
        33 | 803 => human("Meta does not know this phone number id: it was deleted, moved or mistyped."),
        100 if subcode == Some(NO_SUCH_OBJECT) => human(
            "The access token does not reach this phone number, or the number is gone: connect it again.",
        ),
        368 | 131_031 => human(
            "Meta restricted or locked the WhatsApp account: see its status in Meta's Business Support.",
        ),
        131_037 => human("The display name of this number is not approved yet."),
        131_042 | 131_044 => human("Meta cannot charge the account: add or mend its payment method."),
        131_045 | 133_010 => human("The number is not registered with the Cloud API: register it."),
        133_000 => {
            human("An earlier deregistration did not finish: deregister the number, then register it.")
        }
        133_005 => human("The two-step verification PIN is wrong."),
        133_006 => human("The number must be verified again before it can be registered."),
        133_008 | 133_009 => {
            human("Too many wrong PINs: wait as long as the details say, then try the right one.")
        }
        134_011 => human("The payments terms of service have not been accepted."),
        // The person cannot or must not get this message; asking again changes nothing. 131049 lifts after a day at the earliest, and
        // Meta asks for no automatic retry.
        130_403 | 130_472 | 130_497 | 131_026 | 131_030 | 131_049 => FailPermanent,
        // The request is wrong.
        100
        | 131_008
        | 131_009
        | 131_020
        | 131_021
        | 131_041
        | 131_047
        | 131_051..=131_053
        | 131_055
        | 131_059
        | 131_062
        | 131_201..=131_215
        | 137_000
        | 138_000..=138_018
        | 139_100..=139_103
        | 147_001..=147_004 => FailPermanent,
        // The template, the flow or its content is wrong, paused or gone.
        131_063
        | 132_000
        | 132_001
        | 132_005
        | 132_007
        | 132_008
        | 132_012
        | 132_015
        | 132_016
        | 132_018
        | 132_068
        | 132_069
        | 134_100
        | 134_102
        | 139_000..=139_004
        | 139_200
        | 2_388_001..=2_388_299 => FailPermanent,
        // Reports about something that is already done, or can only be read.
        131_060 | 136_024 | 1_752_041 | 2_593_107..=2_593_109 => FailPermanent,
        _ => return None,
    })
}

#[cfg(test)]
#[path = "retry_tests.rs"]
mod tests;
