//! What became of one request to Meta, and what that means for its message. The only place that decides on retries of sends.

use super::Lane;
use octopush_whatsapp::{RetryClass, SendError, SendReceipt};
use serde::Serialize;
use std::time::Duration;
use uuid::Uuid;

/// Refusals that may pass are tried this often: with doubling waits about four minutes.
const MOST_ATTEMPTS: i32 = 8;
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// For a number Meta limits for its reputation: no quick retry (reference/whatsapp.md §11).
const REPUTATION_WAIT: Duration = Duration::from_secs(300);

/// One element of `worker.record_sends`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// Whose next message may leave once this is recorded.
    #[serde(skip)]
    pub account_id: Uuid,
    pub message_id: Uuid,
    pub send_try: i32,
    pub attempt: i32,
    #[serde(flatten)]
    pub fate: Fate,
}

/// What is to be recorded.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Fate {
    Accepted {
        wa_message_id: String,
    },
    Failed {
        error_code: String,
        error_message: String,
    },
    Retry {
        retry_seconds: f64,
    },
    Uncertain,
}

/// What the number as a whole must do.
#[derive(Debug, Clone, PartialEq)]
pub enum ForNumber {
    SlowDown,
    Suspend { reason: String },
}

/// Decides. `attempt` counts from one. Refusals of a campaign's message that hold for a while come back as failed with Meta's code: its
/// ledger decides when the person is tried again, and whether the campaign goes on at all.
pub fn decide(result: Result<SendReceipt, SendError>, attempt: i32, lane: Lane) -> (Fate, Option<ForNumber>) {
    let error = match result {
        Ok(receipt) => {
            return (
                Fate::Accepted {
                    wa_message_id: receipt.wa_message_id,
                },
                None,
            );
        }
        Err(error) => error,
    };
    let (code, text) = match &error {
        SendError::Refused(graph) => (
            graph.code.to_string(),
            graph.details.clone().unwrap_or_else(|| graph.title.clone()),
        ),
        SendError::Invalid(invalid) => ("MESSAGE_003".to_owned(), invalid.to_string()),
        _ => ("WA_001".to_owned(), error.to_string()),
    };
    let Some(class) = error.retry_class() else {
        return (Fate::Uncertain, None);
    };
    let failed = Fate::Failed {
        error_code: code.clone(),
        error_message: text,
    };
    let again = |wait: Duration, capped: bool| {
        if capped && attempt >= MOST_ATTEMPTS {
            failed.clone()
        } else {
            Fate::Retry {
                retry_seconds: wait.as_secs_f64(),
            }
        }
    };
    let doubling = Duration::from_secs(1 << (attempt - 1).clamp(0, 6)).min(LONGEST_WAIT);
    match class {
        // Nothing reached Meta: no cap on attempts, the window judges at each claim.
        RetryClass::RetryBackoff if matches!(error, SendError::NotSent(_)) => (again(doubling, false), None),
        RetryClass::RetryBackoff => (again(doubling, true), None),
        RetryClass::RetryAfter { after } => (again(after, true), None),
        RetryClass::SlowNumber => (again(Duration::from_secs(1), false), Some(ForNumber::SlowDown)),
        // 4ⁿ seconds for this person (§9.1), at most the ten minutes after which the hour's quota has moved on.
        RetryClass::PausePair => (
            again(
                Duration::from_secs(4_u64.pow(attempt.clamp(1, 5) as u32)).min(Duration::from_secs(600)),
                true,
            ),
            None,
        ),
        RetryClass::PauseNumber if lane == Lane::Campaign => (failed, None),
        RetryClass::PauseNumber => (again(REPUTATION_WAIT, true), None),
        RetryClass::FailPermanent | RetryClass::OptOut => (failed, None),
        RetryClass::NeedsHuman { hint } => (
            Fate::Retry { retry_seconds: 0.0 },
            Some(ForNumber::Suspend {
                reason: format!("{code}: {hint}"),
            }),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use octopush_whatsapp::GraphError;

    fn refused(code: i64, http_status: u16) -> Result<SendReceipt, SendError> {
        let body =
            format!(r#"{{"error":{{"message":"(#{code}) text","type":"OAuthException","code":{code}}}}}"#);
        Err(SendError::Refused(
            GraphError::read(http_status, body.as_bytes()).unwrap(),
        ))
    }

    #[test]
    fn a_lost_answer_is_uncertain_and_never_a_retry() {
        assert_eq!(
            decide(Err(SendError::Ambiguous("timeout".into())), 1, Lane::Reply),
            (Fate::Uncertain, None)
        );
    }

    #[test]
    fn a_closed_window_fails_for_good() {
        assert!(
            matches!(decide(refused(131_047, 400), 1, Lane::Reply).0, Fate::Failed { error_code, .. } if error_code == "131047")
        );
    }

    #[test]
    fn throughput_slows_the_number_and_keeps_the_message() {
        let (fate, number) = decide(refused(130_429, 400), 20, Lane::Reply);
        assert!(matches!(fate, Fate::Retry { .. }));
        assert_eq!(number, Some(ForNumber::SlowDown));
    }

    #[test]
    fn a_dead_token_holds_the_queue_for_a_person() {
        let (fate, number) = decide(refused(190, 401), 1, Lane::Reply);
        assert!(matches!(fate, Fate::Retry { .. }));
        assert!(matches!(number, Some(ForNumber::Suspend { .. })));
    }

    #[test]
    fn passing_refusals_end_after_a_while() {
        assert!(
            matches!(decide(refused(131_000, 500), 1, Lane::Reply).0, Fate::Retry { retry_seconds } if retry_seconds == 1.0)
        );
        assert!(matches!(
            decide(refused(131_000, 500), MOST_ATTEMPTS, Lane::Reply).0,
            Fate::Failed { .. }
        ));
    }

    #[test]
    fn a_reputation_limit_delays_a_reply_and_goes_back_to_the_ledger_of_a_campaign() {
        assert!(matches!(
            decide(refused(131_048, 400), 1, Lane::Reply).0,
            Fate::Retry { retry_seconds } if retry_seconds >= 300.0
        ));
        for code in [131_048, 131_049, 131_050, 131_026] {
            assert!(
                matches!(decide(refused(code, 400), 1, Lane::Campaign).0, Fate::Failed { error_code, .. } if error_code == code.to_string()),
                "{code}"
            );
        }
    }
}
