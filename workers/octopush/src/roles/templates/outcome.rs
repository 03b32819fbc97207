//! What an answer of Meta means for a piece of work, as `worker.record_template_work` takes it.

use octopush_whatsapp::client::TemplateInfo;
use octopush_whatsapp::error::TemplateRefusal;
use octopush_whatsapp::{ApiError, GraphError, RetryClass};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// After that many tries it fails with what was last said: with the waits between them some hour and a half.
const MOST_ATTEMPTS: i32 = 20;
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// Meta's words may be long; what a person reads need not be.
const MOST_WORDS: usize = 1000;

/// What becomes of the work.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Fate {
    Done(Done),
    /// Given up, with a code of the catalogue and Meta's words.
    Failed {
        error_code: &'static str,
        error_message: String,
    },
    Retry {
        retry_seconds: f64,
        error_message: String,
    },
}

/// What is known of the template now.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Done {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wa_template_id: Option<String>,
    /// Meta's word for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Handles of uploaded files by their paths.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub handles: BTreeMap<String, String>,
}

impl From<TemplateInfo> for Done {
    fn from(found: TemplateInfo) -> Self {
        Self {
            wa_template_id: Some(found.id),
            status: Some(found.status),
            category: found.category,
            ..Self::default()
        }
    }
}

impl Fate {
    pub fn failed(error_code: &'static str, words: impl Into<String>) -> Self {
        let words: String = words.into();
        Self::Failed {
            error_code,
            error_message: words.chars().take(MOST_WORDS).collect(),
        }
    }

    /// Once more after a wait that doubles, or failed when that has been tried often enough.
    pub fn again(attempt: i32, least: Duration, words: impl Into<String>) -> Self {
        if attempt >= MOST_ATTEMPTS {
            return Self::failed("WA_001", words);
        }
        let doubling = Duration::from_secs(1 << attempt.clamp(1, 8));
        Self::Retry {
            retry_seconds: doubling.max(least).min(LONGEST_WAIT).as_secs_f64(),
            error_message: words.into(),
        }
    }

    pub fn label(&self) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::Failed { .. } => "failed",
            Self::Retry { .. } => "retry",
        }
    }
}

/// True when Meta may have done what was asked although it answered like this.
pub fn may_have_happened(error: &ApiError) -> bool {
    match error {
        ApiError::Transport(transport) => !transport.is_before_request(),
        ApiError::Unexpected(_) => true,
        // A proxy that gave up waiting, or Meta failing on the way back.
        ApiError::Refused(refusal) => refusal.http_status >= 500,
    }
}

/// What a failed request means, as far as that does not depend on what was asked.
pub fn of_error(error: &ApiError, attempt: i32) -> Fate {
    let refusal = match error {
        ApiError::Refused(refusal) => refusal,
        other => return Fate::again(attempt, Duration::ZERO, other.to_string()),
    };
    match refusal.retry_class() {
        RetryClass::RetryBackoff => Fate::again(attempt, Duration::ZERO, refusal.words()),
        RetryClass::RetryAfter { after } => Fate::again(attempt, after, refusal.words()),
        RetryClass::SlowNumber | RetryClass::PausePair | RetryClass::PauseNumber => {
            Fate::again(attempt, LONGEST_WAIT, refusal.words())
        }
        RetryClass::NeedsHuman { hint } => {
            Fate::failed(code_of_access(refusal), format!("{} {hint}", refusal.words()))
        }
        RetryClass::FailPermanent | RetryClass::OptOut => {
            let code = match refusal.template_refusal() {
                TemplateRefusal::Exists | TemplateRefusal::NameHeld => "TEMPLATE_005",
                TemplateRefusal::Missing => "TEMPLATE_001",
                TemplateRefusal::Content => "TEMPLATE_004",
                TemplateRefusal::AccountFull | TemplateRefusal::Other => "WA_001",
            };
            Fate::failed(code, refusal.words())
        }
    }
}

/// A wrong or powerless token is something else than an account Meta locked.
fn code_of_access(refusal: &GraphError) -> &'static str {
    match refusal.code {
        0 | 3 | 10 | 33 | 100 | 190 | 200..=299 | 803 | 131_005 => "WA_010",
        _ => "WA_001",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: i64, subcode: Option<i64>, http_status: u16) -> ApiError {
        let subcode = subcode.map_or(String::new(), |s| format!(r#","error_subcode":{s}"#));
        let body = format!(
            r#"{{"error":{{"message":"(#{code}) Invalid parameter","code":{code}{subcode},"error_user_msg":"Meta says so."}}}}"#
        );
        GraphError::read(http_status, body.as_bytes()).unwrap().into()
    }

    #[test]
    fn content_is_for_people_and_comes_with_metas_words() {
        let fate = of_error(&refused(100, Some(2_388_299), 400), 1);
        assert_eq!(
            fate,
            Fate::Failed {
                error_code: "TEMPLATE_004",
                error_message: "Invalid parameter: Meta says so.".into()
            }
        );
    }

    #[test]
    fn a_quota_waits_and_ends_some_day() {
        for code in [4, 80_007, 80_008] {
            assert!(
                matches!(of_error(&refused(code, None, 400), 1), Fate::Retry { retry_seconds, .. } if retry_seconds == 300.0)
            );
        }
        assert!(matches!(
            of_error(&refused(80_007, None, 400), MOST_ATTEMPTS),
            Fate::Failed {
                error_code: "WA_001",
                ..
            }
        ));
    }

    #[test]
    fn waits_double_up_to_five_minutes() {
        let wait = |attempt| match of_error(&refused(2, None, 503), attempt) {
            Fate::Retry { retry_seconds, .. } => retry_seconds,
            other => panic!("{other:?}"),
        };
        assert_eq!((wait(1), wait(2), wait(3), wait(15)), (2.0, 4.0, 8.0, 256.0));
    }

    #[test]
    fn a_dead_token_is_not_the_templates_fault() {
        assert!(matches!(
            of_error(&refused(190, None, 401), 1),
            Fate::Failed {
                error_code: "WA_010",
                ..
            }
        ));
        assert!(matches!(
            of_error(&refused(368, None, 403), 1),
            Fate::Failed {
                error_code: "WA_001",
                ..
            }
        ));
    }

    #[test]
    fn only_lost_answers_leave_a_doubt() {
        assert!(may_have_happened(&refused(2, None, 503)));
        assert!(may_have_happened(&GraphError::without_body(502).into()));
        assert!(may_have_happened(&ApiError::Unexpected("half an answer".into())));
        assert!(!may_have_happened(&refused(100, None, 400)));
    }

    #[test]
    fn what_is_not_known_is_not_reported() {
        let done = serde_json::to_value(Fate::Done(Done::default())).unwrap();
        assert_eq!(done, serde_json::json!({ "outcome": "done" }));
    }
}
