//! What goes wrong on purpose. Chances are drawn from one seeded generator in the order requests arrive, so that a run repeats.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

/// A refusal by chance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorFault {
    pub code: i64,
    /// Meta's own for the code when absent.
    #[serde(default)]
    pub http_status: Option<u16>,
    #[serde(default = "certain")]
    pub probability: f64,
    /// How many times at most; without end when absent.
    #[serde(default)]
    pub times: Option<u32>,
}

/// What goes wrong with a call that is not a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    /// Refused with `code`; nothing happens.
    Refuse,
    /// The connection is closed and nothing happens.
    DropRequest,
    /// It happens, and the connection is closed without a byte of answer.
    DropReply,
    /// It happens, and the answer is HTTP 502 with no error object.
    BadGateway,
}

/// A fault of every call but sends: accounts, templates, files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallFault {
    /// Of these calls only …
    #[serde(default)]
    pub method: Option<String>,
    /// … whose path holds this.
    #[serde(default)]
    pub path: Option<String>,
    pub outcome: CallOutcome,
    #[serde(default = "temporary")]
    pub code: i64,
    #[serde(default)]
    pub http_status: Option<u16>,
    #[serde(default = "certain")]
    pub probability: f64,
    /// How many times at most; without end when absent.
    #[serde(default)]
    pub times: Option<u32>,
}

impl CallFault {
    fn concerns(&self, method: &str, path: &str) -> bool {
        self.times != Some(0)
            && self
                .method
                .as_deref()
                .is_none_or(|asked| asked.eq_ignore_ascii_case(method))
            && self.path.as_deref().is_none_or(|part| path.contains(part))
    }
}

fn temporary() -> i64 {
    2
}

fn certain() -> f64 {
    1.0
}

/// Faults of the way back to the receiver.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookFaults {
    /// Deliver the notification twice.
    pub duplicate_probability: f64,
    /// Never deliver it.
    pub drop_probability: f64,
    /// Deliver the statuses of one message in another order.
    pub reorder_probability: f64,
    /// Deliver it this much later.
    pub delay_probability: f64,
    pub delay_ms: u64,
    /// Sign it with a wrong secret (and deliver it again, rightly signed, when it is refused).
    pub bad_signature_probability: f64,
    /// States that are never reported: `["delivered"]`.
    pub skip_statuses: Vec<String>,
}

/// All faults; the default is none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Where the generator starts.
    pub seed: u64,
    /// Answers to sends come this much later; the message is taken at once, so a client that gives up has sent it all the same.
    pub latency_ms: u64,
    /// Up to this much is added by chance.
    pub latency_jitter_ms: u64,
    /// Sends refused by chance, before anything is taken.
    pub errors: Vec<ErrorFault>,
    /// Calls other than sends; the first that concerns a call and strikes decides.
    pub calls: Vec<CallFault>,
    /// Every number takes this many messages a second, whatever it may otherwise.
    pub throttle_mps: Option<u32>,
    /// The message is taken and the connection closed without a single byte of answer.
    pub drop_reply_probability: f64,
    /// The connection is closed and the message is not taken.
    pub drop_request_probability: f64,
    /// The message is taken and the answer is HTTP 502 with no error object.
    pub bad_gateway_probability: f64,
    /// The `sent` status is delivered before the answer to the send.
    pub status_before_reply: bool,
    pub webhooks: WebhookFaults,
}

impl Faults {
    /// Every chance must be one.
    pub fn check(&self) -> Result<(), String> {
        let mut chances = vec![
            ("drop_reply_probability", self.drop_reply_probability),
            ("drop_request_probability", self.drop_request_probability),
            ("bad_gateway_probability", self.bad_gateway_probability),
            (
                "webhooks.duplicate_probability",
                self.webhooks.duplicate_probability,
            ),
            ("webhooks.drop_probability", self.webhooks.drop_probability),
            ("webhooks.reorder_probability", self.webhooks.reorder_probability),
            ("webhooks.delay_probability", self.webhooks.delay_probability),
            (
                "webhooks.bad_signature_probability",
                self.webhooks.bad_signature_probability,
            ),
        ];
        chances.extend(
            self.errors
                .iter()
                .map(|error| ("errors.probability", error.probability)),
        );
        chances.extend(
            self.calls
                .iter()
                .map(|call| ("calls.probability", call.probability)),
        );
        match chances.iter().find(|(_, chance)| !(0.0..=1.0).contains(chance)) {
            Some((name, _)) => Err(format!("{name} must lie between 0 and 1")),
            None => Ok(()),
        }
    }
}

/// What happens to the reply to one send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    Answered,
    /// Closed after the message was taken.
    Dropped,
    BadGateway,
}

/// The faults in force and the generator that decides.
pub struct FaultSource {
    faults: Faults,
    rng: StdRng,
}

impl FaultSource {
    pub fn new(faults: Faults) -> Self {
        let rng = StdRng::seed_from_u64(faults.seed);
        Self { faults, rng }
    }

    pub fn current(&self) -> &Faults {
        &self.faults
    }

    fn chance(&mut self, probability: f64) -> bool {
        // Drawing only when something may happen keeps the fault-free path free of it.
        probability > 0.0 && self.rng.random_bool(probability.min(1.0))
    }

    /// Whether this send is to be lost before it is taken.
    pub fn loses_request(&mut self) -> bool {
        self.chance(self.faults.drop_request_probability)
    }

    /// The refusal this send meets, if any.
    pub fn refusal(&mut self) -> Option<(i64, Option<u16>)> {
        for index in 0..self.faults.errors.len() {
            let fault = &self.faults.errors[index];
            if fault.times == Some(0) || !self.chance(self.faults.errors[index].probability) {
                continue;
            }
            let fault = &mut self.faults.errors[index];
            fault.times = fault.times.map(|left| left - 1);
            return Some((fault.code, fault.http_status));
        }
        None
    }

    /// What goes wrong with this call other than a send, if anything.
    pub fn call(&mut self, method: &str, path: &str) -> Option<CallFault> {
        for index in 0..self.faults.calls.len() {
            let fault = &self.faults.calls[index];
            if !fault.concerns(method, path) || !self.chance(self.faults.calls[index].probability) {
                continue;
            }
            let fault = &mut self.faults.calls[index];
            fault.times = fault.times.map(|left| left - 1);
            return Some(fault.clone());
        }
        None
    }

    /// What becomes of the reply to a message that was taken.
    pub fn reply(&mut self) -> Reply {
        if self.chance(self.faults.drop_reply_probability) {
            Reply::Dropped
        } else if self.chance(self.faults.bad_gateway_probability) {
            Reply::BadGateway
        } else {
            Reply::Answered
        }
    }

    /// How long the reply waits.
    pub fn latency_ms(&mut self) -> u64 {
        let jitter = match self.faults.latency_jitter_ms {
            0 => 0,
            most => self.rng.random_range(0..=most),
        };
        self.faults.latency_ms + jitter
    }

    pub fn drops_webhook(&mut self) -> bool {
        self.chance(self.faults.webhooks.drop_probability)
    }

    pub fn duplicates_webhook(&mut self) -> bool {
        self.chance(self.faults.webhooks.duplicate_probability)
    }

    pub fn spoils_signature(&mut self) -> bool {
        self.chance(self.faults.webhooks.bad_signature_probability)
    }

    pub fn webhook_delay_ms(&mut self) -> u64 {
        if self.chance(self.faults.webhooks.delay_probability) {
            self.faults.webhooks.delay_ms
        } else {
            0
        }
    }

    /// Puts the delays of one message's statuses in another order.
    pub fn reorder(&mut self, delays: &mut [u64]) {
        if delays.len() > 1 && self.chance(self.faults.webhooks.reorder_probability) {
            let by = self.rng.random_range(1..delays.len());
            delays.rotate_left(by);
        }
    }

    pub fn skips(&self, status: &str) -> bool {
        self.faults
            .webhooks
            .skip_statuses
            .iter()
            .any(|skipped| skipped == status)
    }
}

#[cfg(test)]
mod tests {
    use super::{ErrorFault, FaultSource, Faults};

    fn outcomes(seed: u64) -> Vec<bool> {
        let faults = Faults {
            seed,
            drop_reply_probability: 0.5,
            ..Faults::default()
        };
        let mut source = FaultSource::new(faults);
        (0..64).map(|_| source.reply() == super::Reply::Dropped).collect()
    }

    #[test]
    fn the_same_seed_repeats_and_another_does_not() {
        assert_eq!(outcomes(7), outcomes(7));
        assert_ne!(outcomes(7), outcomes(8));
        assert!(outcomes(7).contains(&true) && outcomes(7).contains(&false));
    }

    #[test]
    fn counted_errors_end() {
        let error = ErrorFault {
            code: 131_000,
            http_status: None,
            probability: 1.0,
            times: Some(2),
        };
        let mut source = FaultSource::new(Faults {
            errors: vec![error],
            ..Faults::default()
        });
        let codes: Vec<_> = (0..4).map(|_| source.refusal().map(|(code, _)| code)).collect();
        assert_eq!(codes, [Some(131_000), Some(131_000), None, None]);
    }

    #[test]
    fn a_chance_beyond_certainty_is_refused() {
        for wrong in [1.5, -0.1, f64::NAN] {
            let faults = Faults {
                drop_reply_probability: wrong,
                ..Faults::default()
            };
            assert!(faults.check().is_err(), "{wrong}");
        }
    }
}
