//! Business phone numbers (§0.2, §10.1): reading them, registering them, their public profile.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CloudApi, Page};
use crate::error::ApiError;

const FIELDS: &str = "id,display_phone_number,verified_name,quality_rating,code_verification_status,name_status,status,\
platform_type,throughput,whatsapp_business_manager_messaging_limit,is_official_business_account,account_mode";

/// A business phone number. Enumerations stay text: Meta adds values without notice.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PhoneNumber {
    pub id: String,
    /// For people; formatted differently here and in webhooks, never a key.
    pub display_phone_number: Option<String>,
    pub verified_name: Option<String>,
    /// GREEN, YELLOW, RED, NA, UNKNOWN.
    pub quality_rating: Option<String>,
    pub code_verification_status: Option<String>,
    pub name_status: Option<String>,
    /// CONNECTED, PENDING, BANNED, RESTRICTED, …
    pub status: Option<String>,
    pub platform_type: Option<String>,
    throughput: Option<Value>,
    /// TIER_250, TIER_2K, …
    pub whatsapp_business_manager_messaging_limit: Option<String>,
    pub is_official_business_account: Option<bool>,
    /// LIVE or SANDBOX.
    pub account_mode: Option<String>,
}

impl PhoneNumber {
    /// STANDARD (80 messages a second) or a higher level.
    #[must_use]
    pub fn throughput_level(&self) -> Option<&str> {
        self.throughput.as_ref()?.get("level")?.as_str()
    }
}

/// What customers see of the business. Absent fields stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusinessProfile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vertical: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub websites: Option<Vec<String>>,
}

impl CloudApi {
    /// One number.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn phone_number(&self, phone_number_id: &str, token: &str) -> Result<PhoneNumber, ApiError> {
        let request = self
            .request(Method::GET, &[phone_number_id], token)
            .query(&[("fields", FIELDS)]);
        let answer = self.call(request).await?;
        serde_json::from_value(answer).map_err(|error| ApiError::Unexpected(error.to_string()))
    }

    /// The numbers of a WhatsApp Business account.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn phone_numbers(
        &self,
        waba_id: &str,
        token: &str,
        after: Option<&str>,
    ) -> Result<Page<PhoneNumber>, ApiError> {
        let mut query = vec![("fields", FIELDS), ("limit", "100")];
        query.extend(after.map(|cursor| ("after", cursor)));
        let request = self
            .request(Method::GET, &[waba_id, "phone_numbers"], token)
            .query(&query);
        super::page(self.call(request).await?)
    }

    /// Makes the number usable with the Cloud API; `pin` sets two-step verification or must equal the one set.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn register(&self, phone_number_id: &str, token: &str, pin: &str) -> Result<(), ApiError> {
        let body = json!({"messaging_product": "whatsapp", "pin": pin});
        self.call_for_success(
            self.request(Method::POST, &[phone_number_id, "register"], token)
                .json(&body),
        )
        .await
    }

    /// Takes the number off the Cloud API.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn deregister(&self, phone_number_id: &str, token: &str) -> Result<(), ApiError> {
        self.call_for_success(self.request(Method::POST, &[phone_number_id, "deregister"], token))
            .await
    }

    /// The number's public profile.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn business_profile(
        &self,
        phone_number_id: &str,
        token: &str,
    ) -> Result<BusinessProfile, ApiError> {
        let request = self
            .request(
                Method::GET,
                &[phone_number_id, "whatsapp_business_profile"],
                token,
            )
            .query(&[("fields", "about,address,description,email,vertical,websites")]);
        let page: Page<BusinessProfile> = super::page(self.call(request).await?)?;
        Ok(page.items.into_iter().next().unwrap_or_default())
    }

    /// Changes the number's public profile.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn set_business_profile(
        &self,
        phone_number_id: &str,
        token: &str,
        profile: &BusinessProfile,
    ) -> Result<(), ApiError> {
        let mut body =
            serde_json::to_value(profile).map_err(|error| ApiError::Unexpected(error.to_string()))?;
        body["messaging_product"] = "whatsapp".into();
        let request = self.request(
            Method::POST,
            &[phone_number_id, "whatsapp_business_profile"],
            token,
        );
        self.call_for_success(request.json(&body)).await
    }
}
