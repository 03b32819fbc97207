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
pub const CAMPAIGN_RECIPIENTS_QUEUED: &str = "octopush_campaign_recipients_queued_total";
pub const CAMPAIGN_FEED_SECONDS: &str = "octopush_campaign_feed_seconds";
pub const LINKS_FOLLOWED: &str = "octopush_links_followed_total";
pub const LINK_SECONDS: &str = "octopush_link_seconds";
pub const CONVERSIONS: &str = "octopush_conversions_total";
pub const TEMPLATE_WORK: &str = "octopush_template_work_total";
pub const TEMPLATE_SYNCS: &str = "octopush_template_syncs_total";
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
    describe_counter!(
        CAMPAIGN_RECIPIENTS_QUEUED,
        "Recipients of campaigns handed to the outbox"
    );
    describe_histogram!(
        CAMPAIGN_FEED_SECONDS,
        "One round of feeding the outbox that had something to do"
    );
    describe_counter!(LINKS_FOLLOWED, "Tracked links that were asked for, by outcome");
    describe_histogram!(LINK_SECONDS, "From a tracked link being asked for to its answer");
    describe_counter!(CONVERSIONS, "Callbacks that report a sale, by outcome");
    describe_counter!(
        TEMPLATE_WORK,
        "What Meta was asked for templates, by action and outcome"
    );
    describe_counter!(TEMPLATE_SYNCS, "Lists of templates fetched from Meta, by outcome");
    describe_counter!(WORKER_ERRORS, "Failures of a role that were retried");
    describe_gauge!("octopush_listener_up", "1 while the LISTEN session is up");
}
