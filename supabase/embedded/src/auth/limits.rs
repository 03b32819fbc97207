//! Attempt limits: token buckets per e-mail address and per client address, refilled over five minutes.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::error::{AuthError, Result};
use crate::config::Limits;

/// The span GoTrue's limits are counted over.
const WINDOW: Duration = Duration::from_secs(300);

/// The buckets of one server. In memory: a restart forgives, as it does on GoTrue.
pub struct AttemptLimits {
    sign_in_by_email: DefaultKeyedRateLimiter<String>,
    sign_in_by_ip: DefaultKeyedRateLimiter<IpAddr>,
    otp_by_ip: DefaultKeyedRateLimiter<IpAddr>,
    otp_by_email: DefaultKeyedRateLimiter<String>,
}

impl AttemptLimits {
    /// Buckets of the configured sizes.
    pub fn new(limits: &Limits) -> Self {
        Self {
            sign_in_by_email: RateLimiter::keyed(quota(limits.sign_in_per_email)),
            sign_in_by_ip: RateLimiter::keyed(quota(limits.sign_in_per_ip)),
            otp_by_ip: RateLimiter::keyed(quota(limits.otp_per_ip)),
            otp_by_email: RateLimiter::keyed(quota(limits.sign_in_per_email)),
        }
    }

    /// Counts one attempt to sign in with a password.
    pub fn sign_in(&self, email: &str, ip: IpAddr) -> Result<()> {
        let allowed = self.sign_in_by_ip.check_key(&ip).is_ok()
            && self.sign_in_by_email.check_key(&email.to_owned()).is_ok();
        verdict(allowed)
    }

    /// Counts one sign-up, recovery, resend or verification.
    pub fn otp(&self, ip: IpAddr) -> Result<()> {
        verdict(self.otp_by_ip.check_key(&ip).is_ok())
    }

    /// Counts one guess of a six-digit code.
    pub fn code_guess(&self, email: &str) -> Result<()> {
        verdict(self.otp_by_email.check_key(&email.to_owned()).is_ok())
    }

    /// Drops buckets that are full again, so that memory does not grow with every address ever seen.
    pub fn forget_idle(&self) {
        self.sign_in_by_email.retain_recent();
        self.sign_in_by_ip.retain_recent();
        self.otp_by_ip.retain_recent();
        self.otp_by_email.retain_recent();
    }
}

fn quota(attempts: u32) -> Quota {
    let burst = NonZeroU32::new(attempts).unwrap_or(NonZeroU32::MIN);
    Quota::with_period(WINDOW / burst.get())
        .unwrap_or(Quota::per_second(burst))
        .allow_burst(burst)
}

fn verdict(allowed: bool) -> Result<()> {
    if allowed {
        Ok(())
    } else {
        Err(AuthError::new(
            429,
            "over_request_rate_limit",
            "Request rate limit reached",
        ))
    }
}
