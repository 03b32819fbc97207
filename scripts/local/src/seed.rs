//! The demo organisation.

use crate::settings::Settings;
use anyhow::Result;

/// Who to sign in as.
pub const LOGIN: &str = "owner@demo.octopush.test / octopush-demo";

/// Makes the demo organisation unless it is there.
pub async fn run(_settings: &Settings) -> Result<()> {
    Ok(())
}
