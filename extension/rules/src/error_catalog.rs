//! Every error a client can meet: one table, shown as `octopush.error_catalog()` and `docs/error-codes.md`.
//!
//! A code is a contract: it is never renamed, reused or given another meaning. The UI chooses its words by the code;
//! `message` is for logs and for clients without words of their own, `hint` says what to do next.

use std::fmt::Write;

/// One error and how it is answered over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CatalogEntry {
    /// `DOMAIN_NNN`.
    pub code: &'static str,
    /// The status PostgREST answers with.
    pub http_status: u16,
    /// What happened.
    pub message: &'static str,
    /// What the caller can do about it.
    pub hint: &'static str,
}

const fn entry(
    code: &'static str,
    http_status: u16,
    message: &'static str,
    hint: &'static str,
) -> CatalogEntry {
    CatalogEntry {
        code,
        http_status,
        message,
        hint,
    }
}

/// The catalogue, ordered by domain and number.
pub static ERROR_CATALOG: &[CatalogEntry] = &[
    entry(
        "AUTH_001",
        401,
        "The e-mail or the password is wrong",
        "Check both, or reset the password.",
    ),
    entry("AUTH_002", 401, "The session has expired", "Sign in again."),
    entry(
        "AUTH_003",
        403,
        "Your role does not allow this",
        "Ask an owner or admin of the organisation.",
    ),
    entry(
        "AUTH_004",
        403,
        "The e-mail address is not verified",
        "Open the link in the verification mail.",
    ),
    entry(
        "AUTH_005",
        403,
        "This account is disabled",
        "Ask an owner or admin of the organisation.",
    ),
    entry(
        "ORG_001",
        404,
        "Organisation not found",
        "Check that you are still a member of it.",
    ),
    entry(
        "ORG_002",
        409,
        "This person is already a member",
        "Change their role instead.",
    ),
    entry(
        "ORG_003",
        410,
        "The invitation is not valid or has expired",
        "Ask for a new invitation.",
    ),
    entry(
        "ORG_004",
        409,
        "An organisation needs an owner",
        "Transfer the ownership first, then leave or change the role.",
    ),
    entry(
        "ORG_005",
        422,
        "The organisation's name, country or time zone is not valid",
        "Use a name of 1 to 120 characters, a two-letter country and a time zone such as Asia/Kuala_Lumpur.",
    ),
    entry("ORG_006", 404, "Member not found", "Reload the list of members."),
    entry(
        "ORG_007",
        422,
        "There is no such role",
        "Use owner, admin, campaign_manager, agent or viewer.",
    ),
    entry(
        "ORG_008",
        422,
        "The e-mail address is not valid",
        "Check the address.",
    ),
    entry(
        "CONTACT_001",
        404,
        "Contact not found",
        "It may have been erased or belong to another organisation.",
    ),
    entry(
        "CONTACT_002",
        409,
        "Another contact has this phone number",
        "Open the contact named in the details.",
    ),
    entry(
        "CONTACT_003",
        422,
        "The phone number is not valid",
        "Write it with its country code, for example +60 12-345 6789.",
    ),
    entry(
        "CONTACT_004",
        410,
        "The contact is in the trash",
        "Restore it first.",
    ),
    entry(
        "CONTACT_005",
        422,
        "The import has rows that are not valid",
        "Correct the rows named in the details.",
    ),
    entry(
        "CONTACT_006",
        409,
        "Someone else has changed the contact",
        "Reload it, look at their change and save again.",
    ),
    entry(
        "CONTACT_007",
        422,
        "A field of the contact is not valid",
        "Correct the field named in the details.",
    ),
    entry(
        "CONTACT_008",
        409,
        "The contact has not opted in to marketing",
        "Ask for their consent and record it first.",
    ),
    entry(
        "CONTACT_009",
        409,
        "These contacts cannot be merged",
        "Choose two different contacts of one organisation, neither in the trash.",
    ),
    entry(
        "CONTACT_010",
        410,
        "The contact has been erased",
        "Nothing about this person can be changed or read any more.",
    ),
    entry(
        "CONTACT_011",
        422,
        "The erasure is not confirmed",
        "Send the word ERASE as confirmation.",
    ),
    entry(
        "CONTACT_012",
        422,
        "The selection of contacts is not valid",
        "Send ids, or a search with rules.",
    ),
    entry(
        "FIELD_001",
        404,
        "Custom field not found",
        "Reload the list of custom fields.",
    ),
    entry(
        "FIELD_002",
        409,
        "The organisation has the most custom fields it can have",
        "Archive one that is not used.",
    ),
    entry(
        "FIELD_003",
        422,
        "The custom field is not valid",
        "Correct the part named in the details.",
    ),
    entry(
        "FIELD_004",
        409,
        "A custom field of this name exists",
        "Choose another name.",
    ),
    entry("TAG_001", 404, "Tag not found", "Reload the list of tags."),
    entry(
        "TAG_002",
        409,
        "The organisation has 50 tags, which is the limit",
        "Delete a tag that is no longer used.",
    ),
    entry(
        "TAG_003",
        409,
        "There is already a tag with this name",
        "Use that tag or choose another name.",
    ),
    entry(
        "TAG_004",
        422,
        "The tag's name or colour is not valid",
        "Use a name of 1 to 50 characters and a colour such as #FF2D55.",
    ),
    entry(
        "SEGMENT_001",
        404,
        "Segment not found",
        "Reload the list of segments.",
    ),
    entry(
        "SEGMENT_002",
        422,
        "The rules of the segment are not valid",
        "Correct the rules named in the details.",
    ),
    entry(
        "SEGMENT_003",
        409,
        "A segment of this name exists",
        "Choose another name.",
    ),
    entry(
        "SEGMENT_004",
        409,
        "A segment cannot contain itself",
        "Remove the segment named in the details from the rules.",
    ),
    entry(
        "SEGMENT_005",
        409,
        "The segment is in use",
        "Change what uses it first; the details name it.",
    ),
    entry(
        "SEGMENT_006",
        409,
        "Somebody else changed the segment",
        "Look at their version in the details and try again.",
    ),
    entry(
        "SEGMENT_007",
        409,
        "This kind of segment does not allow this",
        "Dynamic segments have rules, static ones a list of contacts.",
    ),
    entry(
        "SEGMENT_008",
        409,
        "The organisation has the most segments it can have",
        "Delete one that is not used.",
    ),
    entry("JOB_001", 404, "Job not found", "Reload the list of jobs."),
    entry(
        "JOB_002",
        409,
        "The job is not in a state for this",
        "Reload the job.",
    ),
    entry(
        "JOB_003",
        422,
        "The file is missing or cannot be read",
        "Upload a CSV or XLSX file.",
    ),
    entry(
        "JOB_004",
        422,
        "The mapping of columns is not valid",
        "Correct the columns named in the details.",
    ),
    entry(
        "JOB_005",
        409,
        "Too many jobs are waiting or running",
        "Wait until one has finished.",
    ),
    entry(
        "CONVERSATION_001",
        404,
        "Conversation not found",
        "It may belong to another organisation or have been deleted.",
    ),
    entry(
        "CONVERSATION_002",
        422,
        "A conversation can only be assigned to a member who may answer",
        "Choose an owner, admin or agent.",
    ),
    entry(
        "CONVERSATION_003",
        422,
        "The time to snooze until is not valid",
        "Choose a time in the future, at most a year ahead.",
    ),
    entry(
        "MESSAGE_001",
        404,
        "Message not found",
        "Reload the conversation.",
    ),
    entry(
        "MESSAGE_002",
        422,
        "The message is empty or too long",
        "The details carry the limit.",
    ),
    entry(
        "MESSAGE_003",
        422,
        "This kind of message or its content is not supported",
        "Compare the content with what WhatsApp accepts; the details name the part.",
    ),
    entry(
        "MESSAGE_004",
        409,
        "This message cannot be sent again",
        "Only a message that failed can be retried.",
    ),
    entry(
        "MESSAGE_005",
        409,
        "The client key is missing or belongs to another message",
        "Make a new key for every message, and keep it only to repeat the same one.",
    ),
    entry(
        "WA_001",
        502,
        "WhatsApp refused the request",
        "The details carry Meta's code and reason.",
    ),
    entry(
        "WA_002",
        409,
        "The template is not approved by Meta",
        "Choose an approved template.",
    ),
    entry(
        "WA_003",
        429,
        "The messaging limit of the WhatsApp account is reached",
        "Wait until the 24-hour limit frees up; it grows with good quality.",
    ),
    entry(
        "WA_004",
        422,
        "The recipient is not on WhatsApp",
        "Check the number or use another channel.",
    ),
    entry(
        "WA_005",
        409,
        "The 24-hour window is closed",
        "Send a template; the window opens again when the customer writes.",
    ),
    entry(
        "WA_006",
        409,
        "The WhatsApp account is not connected",
        "Connect it in the settings.",
    ),
    entry(
        "WA_007",
        409,
        "Sending is restricted because the quality rating is too low",
        "Send less and better wanted messages until Meta raises the rating.",
    ),
    entry(
        "WA_008",
        409,
        "It is not known yet whether the message was sent",
        "Wait for WhatsApp to confirm it; sending again could double it.",
    ),
    entry(
        "WA_009",
        409,
        "This number is already connected",
        "Disconnect it where it is connected, then try again.",
    ),
    entry(
        "WA_010",
        422,
        "The account, number or access token is not valid",
        "Copy the ids and the token from Meta's app dashboard again.",
    ),
    entry(
        "CAMPAIGN_001",
        404,
        "Campaign not found",
        "Reload the list of campaigns.",
    ),
    entry(
        "CAMPAIGN_002",
        422,
        "Nobody in the audience can receive this campaign",
        "Choose people who have a number and have opted in.",
    ),
    entry(
        "CAMPAIGN_003",
        409,
        "The campaign has been sent and cannot change",
        "Duplicate it and change the copy.",
    ),
    entry(
        "CAMPAIGN_004",
        422,
        "A campaign needs a template",
        "Choose an approved template.",
    ),
    entry(
        "CAMPAIGN_005",
        409,
        "The campaign is not in a state for this",
        "The details carry its status; reload it.",
    ),
    entry(
        "CAMPAIGN_006",
        422,
        "The campaign is not complete",
        "Correct what the details list.",
    ),
    entry(
        "CAMPAIGN_007",
        409,
        "Somebody else changed the campaign meanwhile",
        "The details carry the newer version; apply your change to it.",
    ),
    entry(
        "CAMPAIGN_008",
        422,
        "The time lies in the past",
        "Choose a later time, or send now.",
    ),
    entry(
        "CAMPAIGN_009",
        422,
        "The fields of the campaign are not valid",
        "Correct what the details list.",
    ),
    entry("FLOW_001", 404, "Flow not found", "Reload the list of flows."),
    entry(
        "FLOW_002",
        422,
        "The flow is not valid",
        "Correct the steps named in the details.",
    ),
    entry(
        "FLOW_003",
        500,
        "The flow could not be carried out",
        "Look at the run's log for the step that failed.",
    ),
    entry(
        "FLOW_004",
        409,
        "50 flows are active, which is the limit",
        "Deactivate a flow first.",
    ),
    entry(
        "FLOW_005",
        409,
        "The contact is already in this flow",
        "Wait until the run ends, or stop it.",
    ),
    entry(
        "TEMPLATE_001",
        404,
        "Template not found",
        "Reload the list of templates.",
    ),
    entry(
        "TEMPLATE_002",
        409,
        "Meta rejected the template",
        "The details carry the reason; edit and submit again.",
    ),
    entry(
        "TEMPLATE_003",
        409,
        "The template waits for Meta's approval",
        "Use it once it is approved.",
    ),
    entry(
        "TEMPLATE_004",
        422,
        "The template is not valid",
        "Correct what the details list.",
    ),
    entry(
        "TEMPLATE_005",
        409,
        "A template of this name and language exists already",
        "Choose another name, or another language.",
    ),
    entry(
        "TEMPLATE_006",
        409,
        "The template is not in a state for this",
        "The details carry its status; reload it.",
    ),
    entry(
        "TEMPLATE_007",
        429,
        "Meta allows one edit a day and ten a month",
        "The details carry when the next one is possible.",
    ),
    entry(
        "TEMPLATE_008",
        409,
        "The template is in use",
        "Stop the campaigns that the details name first.",
    ),
    entry(
        "TEMPLATE_009",
        422,
        "A value of the template is missing or not valid",
        "Fill in the values that the details list.",
    ),
    entry(
        "TEMPLATE_010",
        409,
        "Somebody else changed the template meanwhile",
        "The details carry the newer version; apply your change to it.",
    ),
    entry(
        "OPPORTUNITY_001",
        404,
        "Sales opportunity not found",
        "Reload the list.",
    ),
    entry(
        "OPPORTUNITY_002",
        422,
        "The sales opportunity is not valid",
        "Correct the field that the details name.",
    ),
    entry(
        "LINK_001",
        404,
        "The link is not known",
        "Ask the sender for a new one.",
    ),
    entry(
        "CONVERSION_001",
        401,
        "The signature of the callback is missing or wrong",
        "Sign timestamp and body with the organisation's conversion secret.",
    ),
    entry(
        "CONVERSION_002",
        409,
        "The callback is too old or was sent before",
        "Send each conversion once, with the current time.",
    ),
    entry(
        "REQUEST_001",
        400,
        "The request is incomplete or malformed",
        "Compare it with the parameters of the function.",
    ),
];

/// The entry with this code.
pub fn find(code: &str) -> Option<&'static CatalogEntry> {
    ERROR_CATALOG.iter().find(|entry| entry.code == code)
}

/// The catalogue as the page `docs/error-codes.md`.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Error codes\n\n\
         Made from `extension/rules/src/error_catalog.rs`; change it there, then\n\
         `OCTOPUSH_WRITE_DOCS=1 cargo nextest run --release -p octopush-rules error_codes` writes this page.\n\n\
         Clients get the code as `error.code`, and `error.details` as JSON text where there is more to say.\n",
    );
    let mut domain = "";
    for entry in ERROR_CATALOG {
        let entry_domain = entry.code.split('_').next().unwrap_or_default();
        if entry_domain != domain {
            domain = entry_domain;
            let _ = write!(
                page,
                "\n## {domain}\n\n| code | HTTP | what happened | what to do |\n| --- | --- | --- | --- |\n"
            );
        }
        let CatalogEntry {
            code,
            http_status,
            message,
            hint,
        } = entry;
        let _ = writeln!(page, "| `{code}` | {http_status} | {message} | {hint} |");
    }
    page
}
