//! Message templates of an account (§8.1).

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CloudApi, Page};
use crate::error::ApiError;

const FIELDS: &str = "id,name,language,status,category,components,parameter_format,quality_score,rejected_reason,\
previous_category,sub_category,correct_category,message_send_ttl_seconds";

/// A template as Meta holds it. Enumerations stay text.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct TemplateInfo {
    pub id: String,
    pub name: String,
    pub language: String,
    /// APPROVED, PENDING, REJECTED, PAUSED, …
    pub status: String,
    /// MARKETING, UTILITY, AUTHENTICATION; Meta may have changed it.
    pub category: Option<String>,
    #[serde(default)]
    pub components: Vec<Value>,
    /// NAMED or POSITIONAL.
    pub parameter_format: Option<String>,
    pub quality_score: Option<Value>,
    pub rejected_reason: Option<String>,
    pub previous_category: Option<String>,
    pub correct_category: Option<String>,
}

/// A template to be reviewed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewTemplate {
    pub name: String,
    pub category: String,
    pub language: String,
    /// `named` or `positional`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter_format: Option<String>,
    pub components: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_send_ttl_seconds: Option<i64>,
}

/// What Meta answers to a new template.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CreatedTemplate {
    pub id: String,
    pub status: String,
    /// May differ from the one asked for.
    pub category: Option<String>,
}

/// Which templates to list; everything by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateFilter {
    pub name: Option<String>,
    pub language: Option<String>,
    pub status: Option<String>,
    pub category: Option<String>,
}

impl CloudApi {
    /// One page of the account's templates.
    ///
    /// # Errors
    /// See [`ApiError`]; 131059 means that `after` is no longer a valid cursor.
    pub async fn templates(
        &self,
        waba_id: &str,
        token: &str,
        filter: &TemplateFilter,
        after: Option<&str>,
    ) -> Result<Page<TemplateInfo>, ApiError> {
        let mut query = vec![("fields", FIELDS), ("limit", "100")];
        for (key, value) in [
            ("name", filter.name.as_deref()),
            ("language", filter.language.as_deref()),
            ("status", filter.status.as_deref()),
            ("category", filter.category.as_deref()),
            ("after", after),
        ] {
            query.extend(value.map(|value| (key, value)));
        }
        let request = self
            .request(Method::GET, &[waba_id, "message_templates"], token)
            .query(&query);
        super::page(self.call(request).await?)
    }

    /// One template.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn template(&self, template_id: &str, token: &str) -> Result<TemplateInfo, ApiError> {
        let request = self
            .request(Method::GET, &[template_id], token)
            .query(&[("fields", FIELDS)]);
        let answer = self.call(request).await?;
        serde_json::from_value(answer).map_err(|error| ApiError::Unexpected(error.to_string()))
    }

    /// Submits a template for review.
    ///
    /// # Errors
    /// See [`ApiError`]; what is wrong with the content is in the error's subcode and details.
    pub async fn create_template(
        &self,
        waba_id: &str,
        token: &str,
        template: &NewTemplate,
    ) -> Result<CreatedTemplate, ApiError> {
        let request = self
            .request(Method::POST, &[waba_id, "message_templates"], token)
            .json(template);
        let answer = self.call(request).await?;
        serde_json::from_value(answer).map_err(|error| ApiError::Unexpected(error.to_string()))
    }

    /// The account's template of exactly this name and language. Meta's filter by name finds parts of names too.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn find_template(
        &self,
        waba_id: &str,
        token: &str,
        name: &str,
        language: &str,
    ) -> Result<Option<TemplateInfo>, ApiError> {
        let filter = TemplateFilter {
            name: Some(name.to_owned()),
            language: Some(language.to_owned()),
            ..TemplateFilter::default()
        };
        let mut after = None;
        loop {
            let page = self.templates(waba_id, token, &filter, after.as_deref()).await?;
            let is_it = |found: &TemplateInfo| found.name == name && found.language == language;
            if let Some(found) = page.items.into_iter().find(is_it) {
                return Ok(Some(found));
            }
            after = page.after;
            if after.is_none() {
                return Ok(None);
            }
        }
    }

    /// Replaces all components of a template (and its category, unless approved). Approved ones: once a day, ten times a month.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn edit_template(
        &self,
        template_id: &str,
        token: &str,
        components: &[Value],
        category: Option<&str>,
    ) -> Result<(), ApiError> {
        let mut body = json!({"components": components});
        if let Some(category) = category {
            body["category"] = category.into();
        }
        self.call_for_success(self.request(Method::POST, &[template_id], token).json(&body))
            .await
    }

    /// Deletes one language of a template, or every language when no id is given.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn delete_template(
        &self,
        waba_id: &str,
        token: &str,
        name: &str,
        template_id: Option<&str>,
    ) -> Result<(), ApiError> {
        let mut query = vec![("name", name)];
        query.extend(template_id.map(|id| ("hsm_id", id)));
        let request = self
            .request(Method::DELETE, &[waba_id, "message_templates"], token)
            .query(&query);
        self.call_for_success(request).await
    }
}
