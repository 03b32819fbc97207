//! Names of the figures at `/metrics`, and the few that code sets directly.

use metrics::{Gauge, describe_counter, describe_gauge, describe_histogram, gauge};
use std::sync::LazyLock;

pub const WEBHOOKS_RECEIVED: &str = "octopush_webhooks_received_total";
pub const WEBHOOKS_REFUSED: &str = "octopush_webhooks_refused_total";
pub const WEBHOOK_ACK_SECONDS: &str = "octopush_webhook_ack_seconds";
pub const WEBHOOKS_APPLIED: &str = "octopush_webhooks_applied_total";
pub const WEBHOOKS_REJECTED: &str = "octopush_webhooks_rejected_total";
pub const SENDS: &str = "octopush_sends_total";
pub const SEND_QUEUE_SECONDS: &str = "octopush_send_queue_seconds";
pub const JOBS: &str = "octopush_jobs_total";
pub const IMPORT_LINES: &str = "octopush_import_lines_total";
pub const SEGMENT_CHANGES: &str = "octopush_segment_changes_total";
pub const SEGMENT_ROUND_SECONDS: &str = "octopush_segment_round_seconds";
pub const WORKER_ERRORS: &str = "octopush_worker_errors_total";

/// 1 while the LISTEN session is up.
pub static LISTENER_UP: LazyLock<Gauge> = LazyLock::new(|| gauge!("octopush_listener_up"));

/// Texts for whoever reads `/metrics`.
pub fn describe() {
    describe_counter!(WEBHOOKS_RECEIVED, "Webhooks kept and acknowledged");
    describe_counter!(WEBHOOKS_REFUSED, "Webhooks not accepted, by reason");
    describe_histogram!(
        WEBHOOK_ACK_SECONDS,
        "From the last byte of a webhook to its acknowledgement"
    );
    describe_counter!(WEBHOOKS_APPLIED, "Webhooks turned into messages and statuses");
    describe_counter!(WEBHOOKS_REJECTED, "Webhooks kept but not understood");
    describe_counter!(SENDS, "Outcomes of requests to Meta");
    describe_histogram!(
        SEND_QUEUE_SECONDS,
        "From a message being queued to its request to Meta"
    );
    describe_counter!(JOBS, "Jobs that ended here, by kind and outcome");
    describe_counter!(IMPORT_LINES, "Lines of files that imports dealt with");
    describe_counter!(
        SEGMENT_CHANGES,
        "Changes of contacts that were worked into the members of segments"
    );
    describe_histogram!(
        SEGMENT_ROUND_SECONDS,
        "One round of maintaining segments that had something to do"
    );
    describe_counter!(WORKER_ERRORS, "Failures of a role that were retried");
    describe_gauge!("octopush_listener_up", "1 while the LISTEN session is up");
}
