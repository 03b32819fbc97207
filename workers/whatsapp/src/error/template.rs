//! What Meta says to a template that is created, edited or deleted (§8.1), told apart by what a person has to do.

use super::GraphError;

/// Why Meta did not take a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateRefusal {
    /// Name and language exist already.
    Exists,
    /// Name and language belonged to a template that was deleted; Meta keeps them for weeks.
    NameHeld,
    /// The account has no template of this name (any more). An id that leads nowhere is [`super::RetryClass::NeedsHuman`] instead.
    Missing,
    /// The account has as many templates as it may.
    AccountFull,
    /// What the template says, or how it is put together.
    Content,
    /// Nothing about the template.
    Other,
}

impl GraphError {
    /// Reads the refusal of a call about a template. Template errors are code 100 (192, 200002 in older answers) with a subcode.
    #[must_use]
    pub fn template_refusal(&self) -> TemplateRefusal {
        match (self.code, self.subcode) {
            (_, Some(2_388_024)) => TemplateRefusal::Exists,
            (_, Some(2_388_023)) => TemplateRefusal::NameHeld,
            (_, Some(2_593_002)) => TemplateRefusal::Missing,
            (_, Some(2_388_019)) => TemplateRefusal::AccountFull,
            (100 | 192 | 200_002 | 132_000..=132_999 | 2_388_001..=2_388_299, _) => TemplateRefusal::Content,
            _ => TemplateRefusal::Other,
        }
    }

    /// Meta's own words for people: its text for users where it has one.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.details {
            Some(details) if !self.title.is_empty() && !details.contains(&self.title) => {
                format!("{}: {details}", self.title)
            }
            Some(details) => details.clone(),
            None => self.title.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{GraphError, TemplateRefusal};

    fn error(code: i64, subcode: Option<i64>) -> GraphError {
        GraphError {
            code,
            subcode,
            title: "Invalid parameter".into(),
            details: Some("Variables can't be at the start or end of the template.".into()),
            ..GraphError::without_body(400)
        }
    }

    #[test]
    fn a_name_that_is_taken_is_not_bad_content() {
        assert_eq!(
            error(100, Some(2_388_024)).template_refusal(),
            TemplateRefusal::Exists
        );
        assert_eq!(
            error(100, Some(2_388_299)).template_refusal(),
            TemplateRefusal::Content
        );
        assert_eq!(error(100, None).template_refusal(), TemplateRefusal::Content);
        assert_eq!(
            error(100, Some(2_593_002)).template_refusal(),
            TemplateRefusal::Missing
        );
        assert_eq!(error(190, None).template_refusal(), TemplateRefusal::Other);
    }

    #[test]
    fn people_read_metas_words() {
        assert_eq!(
            error(100, None).words(),
            "Invalid parameter: Variables can't be at the start or end of the template."
        );
    }
}
