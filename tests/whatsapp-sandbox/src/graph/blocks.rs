//! The list of blocked people (§6.5).

use serde_json::{Map, Value, json};

use super::params::page;
use super::{Answer, Call, access};
use crate::directory::digits;
use crate::refusal::Refusal;

/// Only people who wrote within a day can be blocked.
const RECENT_SECONDS: i64 = 86_400;
const MAX_PER_CALL: usize = 1000;

pub fn answer(call: &Call<'_>) -> Answer {
    let now = call.world.now();
    let mut state = call.world.state();
    access::number(&state, call.token, call.object, call.method.as_str(), now)?;
    let number = state
        .directory
        .numbers
        .get_mut(call.object)
        .ok_or_else(|| call.unsupported())?;
    if call.method == "GET" {
        let users = number
            .blocked
            .iter()
            .map(|phone| json!({"messaging_product": "whatsapp", "wa_id": phone}))
            .collect();
        return page(
            users,
            &call.params,
            &format!("{}/{}/block_users", call.base_url, call.object),
        );
    }
    crate::sending::check_messaging_product(&call.params.as_value())?;
    let users = call
        .params
        .get("block_users")
        .and_then(Value::as_array)
        .ok_or_else(|| Refusal::parameter("The parameter block_users is required."))?;
    if !(1..=MAX_PER_CALL).contains(&users.len()) {
        return Err(Refusal::parameter(
            "Param block_users must have 1 to 1000 elements.",
        ));
    }
    let is_blocking = call.method == "POST";
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for user in users {
        let input = user["user"].as_str().unwrap_or_default();
        let phone = crate::customers::wa_id(&digits(input));
        let wrote_recently = number
            .threads
            .get(&phone)
            .and_then(|thread| thread.last_customer_message_at)
            .is_some_and(|at| now - at < RECENT_SECONDS);
        if is_blocking && !wrote_recently {
            failed.push(json!({"input": input, "wa_id": phone, "errors": [{"message": "Re-engagement required",
                "code": 139_101, "error_data": {"details": "The user has not messaged in the last 24 hours."}}]}));
            continue;
        }
        number.blocked.retain(|blocked| *blocked != phone);
        if is_blocking {
            number.blocked.push(phone.clone());
        }
        done.push(json!({"input": input, "wa_id": phone}));
    }
    let key = if is_blocking {
        "added_users"
    } else {
        "removed_users"
    };
    let mut lists = json!({key: done});
    if failed.is_empty() {
        return Ok(json!({"messaging_product": "whatsapp", "block_users": lists}));
    }
    // A partial failure is an error that carries both lists.
    lists["failed_users"] = failed.into();
    let mut refusal = Refusal::new(139_100, "Some users could not be blocked.");
    refusal.beside = Some(Box::new(Map::from_iter([
        ("messaging_product".to_owned(), "whatsapp".into()),
        ("block_users".to_owned(), lists),
    ])));
    Err(refusal)
}
