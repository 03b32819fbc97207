//! Tokens and subscriptions (§1.4, §10): whose account it is, and that its webhooks come to us.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{CloudApi, Page};
use crate::error::ApiError;

/// What a token is good for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TokenInfo {
    pub app_id: Option<String>,
    #[serde(rename = "type")]
    pub token_type: Option<String>,
    #[serde(default)]
    pub is_valid: bool,
    /// Seconds since 1970; 0 means never.
    #[serde(default)]
    pub expires_at: i64,
    #[serde(default)]
    pub scopes: Vec<String>,
    #[serde(default)]
    pub granular_scopes: Vec<GranularScope>,
    pub user_id: Option<String>,
}

/// One permission, and what it is limited to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct GranularScope {
    pub scope: String,
    /// Absent: everything the user may reach.
    pub target_ids: Option<Vec<String>>,
}

impl TokenInfo {
    /// Whether the token grants `permission` on the WhatsApp Business account.
    #[must_use]
    pub fn grants(&self, permission: &str, waba_id: &str) -> bool {
        self.is_valid
            && match self
                .granular_scopes
                .iter()
                .find(|granted| granted.scope == permission)
            {
                Some(GranularScope {
                    target_ids: Some(ids),
                    ..
                }) => ids.iter().any(|id| id == waba_id),
                Some(_) => true,
                None => {
                    self.granular_scopes.is_empty() && self.scopes.iter().any(|scope| scope == permission)
                }
            }
    }
}

/// A business token, fresh from a login code. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(pub String);

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

/// A WhatsApp Business account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusinessAccount {
    pub id: String,
    pub name: Option<String>,
    /// The portfolio it belongs to; the messaging limit is counted over all numbers of one (§9.2). Absent for tokens that may not see it.
    pub business_id: Option<String>,
}

/// An app that gets the account's webhooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscribedApp {
    pub id: String,
    pub name: Option<String>,
    /// Where its message webhooks go instead of the app's own callback.
    pub override_callback_uri: Option<String>,
}

impl CloudApi {
    /// The account itself.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn business_account(&self, waba_id: &str, token: &str) -> Result<BusinessAccount, ApiError> {
        let request = self
            .request(Method::GET, &[waba_id], token)
            .query(&[("fields", "id,name,owner_business_info")]);
        let answer = self.call(request).await?;
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        Ok(BusinessAccount {
            id: text("/id").ok_or_else(|| ApiError::Unexpected("an account without an id".to_owned()))?,
            name: text("/name"),
            business_id: text("/owner_business_info/id"),
        })
    }

    /// What `input_token` is; asked with the app's token (`APP_ID|APP_SECRET`) or the token itself.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn debug_token(&self, token: &str, input_token: &str) -> Result<TokenInfo, ApiError> {
        let request = self
            .request(Method::GET, &["debug_token"], token)
            .query(&[("input_token", input_token)]);
        let mut answer = self.call(request).await?;
        let data = answer.get_mut("data").map(Value::take).unwrap_or_default();
        serde_json::from_value(data).map_err(|error| ApiError::Unexpected(error.to_string()))
    }

    /// Turns the code of an embedded sign-up (valid for 30 seconds, once) into a business token.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn exchange_code(
        &self,
        app_id: &str,
        app_secret: &str,
        code: &str,
    ) -> Result<AccessToken, ApiError> {
        let body = json!({"client_id": app_id, "client_secret": app_secret, "code": code});
        let answer = self
            .call(self.http.post(self.url(&["oauth", "access_token"])).json(&body))
            .await?;
        match answer.get("access_token").and_then(Value::as_str) {
            Some(token) => Ok(AccessToken(token.to_owned())),
            None => Err(ApiError::Unexpected("no access token in the answer".to_owned())),
        }
    }

    /// Subscribes the token's app to the account's webhooks: without it no message ever arrives.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn subscribe_app(&self, waba_id: &str, token: &str) -> Result<(), ApiError> {
        self.call_for_success(self.request(Method::POST, &[waba_id, "subscribed_apps"], token))
            .await
    }

    /// As [`CloudApi::subscribe_app`], with message webhooks going to an address of their own, which Meta verifies at once.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn subscribe_app_with_callback(
        &self,
        waba_id: &str,
        token: &str,
        callback: &str,
        verify_token: &str,
    ) -> Result<(), ApiError> {
        let body = json!({"override_callback_uri": callback, "verify_token": verify_token});
        self.call_for_success(
            self.request(Method::POST, &[waba_id, "subscribed_apps"], token)
                .json(&body),
        )
        .await
    }

    /// The apps subscribed to the account.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn subscribed_apps(&self, waba_id: &str, token: &str) -> Result<Vec<SubscribedApp>, ApiError> {
        let answer = self
            .call(self.request(Method::GET, &[waba_id, "subscribed_apps"], token))
            .await?;
        let page: Page<Value> = super::page(answer)?;
        let text =
            |app: &Value, pointer: &str| app.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        Ok(page
            .items
            .iter()
            .filter_map(|app| {
                Some(SubscribedApp {
                    id: text(app, "/whatsapp_business_api_data/id")?,
                    name: text(app, "/whatsapp_business_api_data/name"),
                    override_callback_uri: text(app, "/override_callback_uri"),
                })
            })
            .collect())
    }

    /// Ends the subscription.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn unsubscribe_app(&self, waba_id: &str, token: &str) -> Result<(), ApiError> {
        self.call_for_success(self.request(Method::DELETE, &[waba_id, "subscribed_apps"], token))
            .await
    }
}
