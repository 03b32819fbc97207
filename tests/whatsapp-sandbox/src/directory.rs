//! Business accounts, their numbers, and the tokens that reach them.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::config::{Config, default_account};
use crate::rates::Throughput;
use crate::threads::Thread;

/// A WhatsApp Business account.
#[derive(Debug, Clone)]
pub struct Waba {
    pub id: String,
    pub name: String,
    /// The portfolio it belongs to.
    pub business_id: String,
    /// Without a subscription no webhook leaves.
    pub is_subscribed: bool,
    pub override_callback: Option<String>,
}

/// A business phone number with everything that belongs to it alone.
#[derive(Debug)]
pub struct Number {
    pub id: String,
    pub waba_id: String,
    pub display_phone_number: String,
    pub verified_name: String,
    pub quality_rating: String,
    pub tier: String,
    /// CONNECTED, PENDING (not registered), BANNED, …
    pub status: String,
    pub pin: Option<String>,
    pub override_callback: Option<String>,
    pub throughput: Throughput,
    /// By the digits of the person's number.
    pub threads: HashMap<String, Thread>,
    pub blocked: Vec<String>,
    pub profile: Map<String, Value>,
}

impl Number {
    /// The number as webhooks write it.
    pub fn digits(&self) -> String {
        digits(&self.display_phone_number)
    }

    pub fn is_registered(&self) -> bool {
        self.status == "CONNECTED"
    }

    /// The node with the fields asked for; without any, Meta's default ones.
    pub fn node(&self, fields: Option<&str>) -> Value {
        let level = if self.throughput.per_second() > 80 || self.throughput.per_second() == 0 {
            "HIGH"
        } else {
            "STANDARD"
        };
        let all = json!({
            "id": self.id,
            "display_phone_number": self.display_phone_number,
            "verified_name": self.verified_name,
            "quality_rating": self.quality_rating,
            "code_verification_status": "VERIFIED",
            "name_status": "APPROVED",
            "status": self.status,
            "platform_type": "CLOUD_API",
            "throughput": {"level": level},
            "whatsapp_business_manager_messaging_limit": self.tier,
            "is_official_business_account": false,
            "account_mode": "LIVE",
            "webhook_configuration": {"phone_number": self.override_callback},
        });
        pick(
            all,
            fields.unwrap_or("id,display_phone_number,verified_name,quality_rating"),
        )
    }
}

/// Leaves the asked fields of a node; `id` is always there.
pub fn pick(node: Value, fields: &str) -> Value {
    let Value::Object(all) = node else { return node };
    let asked: Vec<&str> = fields
        .split(',')
        .map(|field| field.split(['{', '.']).next().unwrap_or(field).trim())
        .collect();
    Value::Object(
        all.into_iter()
            .filter(|(key, _)| key == "id" || asked.contains(&key.as_str()))
            .collect(),
    )
}

/// What a token may reach.
#[derive(Debug, Clone)]
pub struct Token {
    pub app_id: String,
    pub waba_ids: Vec<String>,
    pub is_app_token: bool,
    /// In sandbox seconds; 0 never.
    pub expires_at: i64,
}

/// A login code of an embedded sign-up.
#[derive(Debug, Clone)]
pub struct Code {
    pub waba_ids: Vec<String>,
    pub expires_at: i64,
}

/// All accounts.
#[derive(Debug, Default)]
pub struct Directory {
    pub wabas: HashMap<String, Waba>,
    pub numbers: HashMap<String, Number>,
    pub tokens: HashMap<String, Token>,
    pub codes: HashMap<String, Code>,
}

/// An account as `/admin/accounts` takes it; everything may be left out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewAccount {
    pub phone_number_id: Option<String>,
    pub waba_id: Option<String>,
    /// Portfolio of the account; all accounts share one unless told otherwise.
    pub business_id: Option<String>,
    pub name: Option<String>,
    pub token: Option<String>,
    pub display_phone_number: Option<String>,
    pub verified_name: Option<String>,
    /// 0: without limit.
    pub throughput_mps: Option<u32>,
    pub tier: Option<String>,
    pub quality_rating: Option<String>,
    pub status: Option<String>,
    /// Two-step verification of the number.
    pub pin: Option<String>,
    pub callback_url: Option<String>,
    pub is_subscribed: Option<bool>,
}

/// An account as `/admin/accounts` shows it.
#[derive(Debug, Serialize)]
pub struct AccountView {
    pub phone_number_id: String,
    pub waba_id: String,
    pub waba_name: String,
    pub business_id: String,
    pub app_id: &'static str,
    pub display_phone_number: String,
    pub verified_name: String,
    pub throughput_mps: u32,
    pub tier: String,
    pub quality_rating: String,
    pub status: String,
    pub is_subscribed: bool,
    pub callback_url: Option<String>,
    pub tokens: Vec<String>,
}

impl Directory {
    /// The accounts every sandbox starts with.
    pub fn with_defaults(config: &Config) -> Self {
        let mut directory = Self::default();
        let app_token = format!("{}|{}", default_account::APP_ID, config.app_secret);
        directory.tokens.insert(
            app_token,
            Token {
                app_id: default_account::APP_ID.to_owned(),
                waba_ids: Vec::new(),
                is_app_token: true,
                expires_at: 0,
            },
        );
        for (phone_number_id, display, mps) in [
            (
                default_account::PHONE_NUMBER_ID,
                default_account::DISPLAY_PHONE_NUMBER,
                80,
            ),
            (
                default_account::FAST_PHONE_NUMBER_ID,
                default_account::FAST_DISPLAY_PHONE_NUMBER,
                1000,
            ),
        ] {
            directory.add(NewAccount {
                phone_number_id: Some(phone_number_id.to_owned()),
                waba_id: Some(default_account::WABA_ID.to_owned()),
                token: Some(default_account::TOKEN.to_owned()),
                display_phone_number: Some(display.to_owned()),
                throughput_mps: Some(mps),
                ..NewAccount::default()
            });
        }
        directory
    }

    /// Adds a number, with its account and token as far as they are new; answers the number's id. A number that is there already takes
    /// what is given and keeps the rest.
    pub fn add(&mut self, new: NewAccount) -> String {
        let phone_number_id = new.phone_number_id.unwrap_or_else(crate::ids::object_id);
        let known = self
            .numbers
            .get(&phone_number_id)
            .map(|number| number.waba_id.clone());
        let waba_id = new.waba_id.or(known).unwrap_or_else(crate::ids::object_id);
        let waba = self.wabas.entry(waba_id.clone()).or_insert_with(|| Waba {
            id: waba_id.clone(),
            name: "Sandbox business".to_owned(),
            business_id: default_account::BUSINESS_ID.to_owned(),
            is_subscribed: true,
            override_callback: None,
        });
        waba.name = new.name.unwrap_or_else(|| waba.name.clone());
        waba.business_id = new.business_id.unwrap_or_else(|| waba.business_id.clone());
        waba.is_subscribed = new.is_subscribed.unwrap_or(waba.is_subscribed);
        waba.override_callback = new.callback_url.or_else(|| waba.override_callback.take());
        let token = new.token.unwrap_or_else(|| {
            self.tokens
                .iter()
                .find(|(_, token)| token.waba_ids.contains(&waba_id))
                .map_or_else(crate::ids::secret, |(secret, _)| secret.clone())
        });
        self.grant(token, &waba_id);
        let serial = self.numbers.len() + 1;
        let number = self
            .numbers
            .entry(phone_number_id.clone())
            .or_insert_with(|| Number {
                id: phone_number_id.clone(),
                waba_id: waba_id.clone(),
                display_phone_number: format!("+60 3-5550 {serial:04}"),
                verified_name: "Kedai Contoh".to_owned(),
                quality_rating: "GREEN".to_owned(),
                tier: "TIER_2K".to_owned(),
                status: "CONNECTED".to_owned(),
                pin: None,
                override_callback: None,
                throughput: Throughput::new(80),
                threads: HashMap::new(),
                blocked: Vec::new(),
                profile: Map::new(),
            });
        number.waba_id = waba_id;
        if let Some(display) = new.display_phone_number {
            number.display_phone_number = display;
        }
        if let Some(name) = new.verified_name {
            number.verified_name = name;
        }
        if let Some(mps) = new.throughput_mps {
            number.throughput = Throughput::new(mps);
        }
        if let Some(tier) = new.tier {
            number.tier = tier;
        }
        if let Some(rating) = new.quality_rating {
            number.quality_rating = rating;
        }
        if let Some(status) = new.status {
            number.status = status;
        }
        number.pin = new.pin.or_else(|| number.pin.take());
        phone_number_id
    }

    /// Lets a token reach an account.
    pub fn grant(&mut self, secret: String, waba_id: &str) {
        let token = self.tokens.entry(secret).or_insert_with(|| Token {
            app_id: default_account::APP_ID.to_owned(),
            waba_ids: Vec::new(),
            is_app_token: false,
            expires_at: 0,
        });
        if !token.waba_ids.iter().any(|id| id == waba_id) {
            token.waba_ids.push(waba_id.to_owned());
        }
    }

    pub fn view(&self) -> Vec<AccountView> {
        let mut accounts: Vec<AccountView> = self
            .numbers
            .values()
            .filter_map(|number| {
                let waba = self.wabas.get(&number.waba_id)?;
                Some(AccountView {
                    phone_number_id: number.id.clone(),
                    waba_id: waba.id.clone(),
                    waba_name: waba.name.clone(),
                    business_id: waba.business_id.clone(),
                    app_id: default_account::APP_ID,
                    display_phone_number: number.display_phone_number.clone(),
                    verified_name: number.verified_name.clone(),
                    throughput_mps: number.throughput.per_second(),
                    tier: number.tier.clone(),
                    quality_rating: number.quality_rating.clone(),
                    status: number.status.clone(),
                    is_subscribed: waba.is_subscribed,
                    callback_url: number
                        .override_callback
                        .clone()
                        .or_else(|| waba.override_callback.clone()),
                    tokens: self
                        .tokens
                        .iter()
                        .filter(|(_, token)| token.waba_ids.contains(&waba.id))
                        .map(|(secret, _)| secret.clone())
                        .collect(),
                })
            })
            .collect();
        accounts.sort_by(|a, b| a.phone_number_id.cmp(&b.phone_number_id));
        accounts
    }
}

/// The digits of a number however it is written.
pub fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

/// How many leading digits of an international number are the country's.
pub fn country_code(digits: &str) -> &str {
    const TWO: &[&str] = &[
        "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48",
        "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81",
        "82", "84", "86", "90", "91", "92", "93", "94", "95", "98",
    ];
    let length = match digits {
        d if d.starts_with('1') || d.starts_with('7') => 1,
        d if d.get(..2).is_some_and(|two| TWO.contains(&two)) => 2,
        _ => 3,
    };
    digits.get(..length).unwrap_or(digits)
}

#[cfg(test)]
mod tests {
    use super::{country_code, digits};

    #[test]
    fn knows_where_the_country_ends() {
        for (number, code) in [
            ("16315551234", "1"),
            ("60355500001", "60"),
            ("85212345678", "852"),
            ("919876543210", "91"),
            ("6", "6"),
        ] {
            assert_eq!(country_code(number), code);
        }
        assert_eq!(digits("+60 3-5550 0001"), "60355500001");
    }
}
