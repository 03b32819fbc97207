//! What the process is started with. Everything that may change while it runs is in [`crate::settings`].

/// The account every sandbox starts with. All numbers are made up.
pub mod default_account {
    pub const APP_ID: &str = "300000000000001";
    /// The portfolio.
    pub const BUSINESS_ID: &str = "600000000000001";
    pub const WABA_ID: &str = "200000000000001";
    /// Sends 80 messages a second, as a new number does.
    pub const PHONE_NUMBER_ID: &str = "100000000000001";
    pub const DISPLAY_PHONE_NUMBER: &str = "+60 3-5550 0001";
    /// Upgraded to 1,000 messages a second.
    pub const FAST_PHONE_NUMBER_ID: &str = "100000000000002";
    pub const FAST_DISPLAY_PHONE_NUMBER: &str = "+60 3-5550 0002";
    pub const TOKEN: &str = "sandbox-token";
}

/// Start-up configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Signs webhooks; also the secret of the app.
    pub app_secret: String,
    /// Sent in the handshake of the app's own callback.
    pub verify_token: String,
    /// The app's callback. Without one, statuses still move but nobody is told.
    pub webhook_url: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            app_secret: "sandbox-app-secret".to_owned(),
            verify_token: "sandbox-verify-token".to_owned(),
            webhook_url: None,
        }
    }
}
