//! Graph's `template` object as it is sent (`POST /{number}/messages`).

use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message<'a> {
    pub name: &'a str,
    pub language: Language<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<Component<'a>>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Language<'a> {
    pub code: &'a str,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Component<'a> {
    Header {
        parameters: Vec<Parameter<'a>>,
    },
    Body {
        parameters: Vec<Parameter<'a>>,
    },
    Button {
        sub_type: &'static str,
        index: String,
        parameters: [Parameter<'a>; 1],
    },
    Carousel {
        cards: Vec<Card<'a>>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Card<'a> {
    pub card_index: usize,
    pub components: Vec<Component<'a>>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Parameter<'a> {
    Text {
        #[serde(skip_serializing_if = "Option::is_none")]
        parameter_name: Option<&'a str>,
        text: Cow<'a, str>,
    },
    Image {
        image: File<'a>,
    },
    Video {
        video: File<'a>,
    },
    Gif {
        gif: File<'a>,
    },
    Document {
        document: File<'a>,
    },
    Location {
        location: Value,
    },
    CouponCode {
        coupon_code: Cow<'a, str>,
    },
    Action {
        action: Action<'a>,
    },
}

impl<'a> Parameter<'a> {
    pub fn text(text: Cow<'a, str>) -> Self {
        Parameter::Text {
            parameter_name: None,
            text,
        }
    }
}

/// Either an id that Meta gave, or a link it fetches.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct File<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<&'a str>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Action<'a> {
    pub flow_token: Cow<'a, str>,
}
