//! The mails Auth sends. They are kept in the local mailbox instead of leaving the machine.

use chrono::{DateTime, Utc};
use deadpool_postgres::Transaction;

use super::error::{AuthError, Result};
use super::one_time::{self, Issued, Kind, Purpose};
use super::pkce::Challenge;
use super::user::User;
use super::{Auth, sql};

/// Refuses a mail to someone who was sent one moments ago.
pub fn check_interval(auth: &Auth, last_sent: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<()> {
    let interval = i64::from(auth.platform.config.limits.mail_interval_seconds);
    let waited = last_sent.map_or(i64::MAX, |sent| (now - sent).num_seconds());
    if waited >= interval {
        return Ok(());
    }
    let remaining = (interval - waited).clamp(1, interval.max(1));
    Err(AuthError::new(
        429,
        "over_email_send_rate_limit",
        format!("For security purposes, you can only request this after {remaining} seconds."),
    ))
}

/// Makes a token for `kind` and mails it. With a challenge the link ends in an auth code.
pub async fn send_link(
    auth: &Auth,
    tx: &Transaction<'_>,
    user: &User,
    kind: Kind,
    redirect_to: &str,
    challenge: Option<&Challenge>,
) -> Result<Issued> {
    let issued = one_time::issue(auth, tx, user, purpose_of(kind), challenge).await?;
    if let Some(challenge) = challenge {
        challenge.open(tx, user.id, flow_name(kind)).await?;
    }
    let link = action_link(auth, kind, &issued.hash, redirect_to);
    let (subject, ask, otherwise) = match kind {
        Kind::Signup | Kind::Email => (
            "Confirm your e-mail address",
            "Open this link to confirm your e-mail address:",
            "If you did not sign up, ignore this mail and nothing happens.",
        ),
        Kind::Invite => (
            "You have been invited",
            "Open this link to accept the invitation:",
            "If you do not know the sender, ignore this mail.",
        ),
        Kind::MagicLink => (
            "Your sign-in link",
            "Open this link to sign in:",
            "If you did not ask for it, ignore this mail.",
        ),
        Kind::Recovery => (
            "Choose a new password",
            "Open this link to choose a new password:",
            "If you did not ask for it, ignore this mail: your password stays as it is.",
        ),
    };
    let minutes = auth.platform.config.otp_expiry.div_ceil(60);
    let body = format!(
        "{ask}\n\n{link}\n\nOr enter this code: {code}\n\nLink and code work once, within {minutes} minutes.\n{otherwise}\n",
        code = issued.code,
    );
    tx.execute(
        sql::INSERT_MAIL,
        &[
            &user.email,
            &subject,
            &body,
            &vec![link],
            &issued.code,
            &issued.hash,
        ],
    )
    .await?;
    Ok(issued)
}

/// The address a mail points to.
pub fn action_link(auth: &Auth, kind: Kind, hash: &str, redirect_to: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("token", hash)
        .append_pair("type", kind.name())
        .append_pair("redirect_to", redirect_to)
        .finish();
    format!("{}/auth/v1/verify?{query}", auth.platform.config.url)
}

/// Which token a kind of mail carries.
pub fn purpose_of(kind: Kind) -> Purpose {
    match kind {
        Kind::Signup | Kind::Invite | Kind::Email => Purpose::Confirmation,
        Kind::MagicLink | Kind::Recovery => Purpose::Recovery,
    }
}

/// What GoTrue calls the flow that a kind of mail belongs to.
pub fn flow_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Signup | Kind::Email => "email/signup",
        Kind::Invite => "invite",
        Kind::MagicLink => "magiclink",
        Kind::Recovery => "recovery",
    }
}
