//! The Graph API's side: addresses `/{version}/{object}` and `/{version}/{object}/{edge}`.

pub mod access;
mod accounts;
mod blocks;
mod history;
mod media;
mod numbers;
mod params;
mod templates;
mod tokens;
mod uploads;

use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use bytes::Bytes;
use serde_json::Value;

use crate::connection::Scissors;
use crate::directory::pick;
use crate::faults::CallOutcome;
use crate::refusal::Refusal;
use crate::world::World;

use params::Params;

type Answer = Result<Value, Refusal>;

/// Larger than any file Meta takes, so that the refusal is Meta's and not the server's.
const MAX_BODY: usize = 110 * 1024 * 1024;

pub fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/media/{key}", get(media::download))
        .route("/{version}/{object}", any(node))
        .route("/{version}/{object}/{edge}", any(edge))
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

/// One call, with what every edge may need.
pub(crate) struct Call<'a> {
    pub world: &'a World,
    pub method: Method,
    pub object: &'a str,
    pub token: Option<&'a str>,
    pub params: Params,
    /// `http://host` as the caller reached us.
    pub base_url: String,
}

impl Call<'_> {
    pub(crate) fn unsupported(&self) -> Refusal {
        Refusal::no_such_object(self.method.as_str(), self.object)
    }
}

fn check_version(version: &str, path: &str) -> Result<(), Refusal> {
    let is_version = version
        .strip_prefix('v')
        .and_then(|version| version.split_once('.'))
        .is_some_and(|(major, minor)| major.parse::<u16>().is_ok() && minor.parse::<u16>().is_ok());
    if is_version {
        return Ok(());
    }
    Err(Refusal {
        code: 2_500,
        title: format!("Unknown path components: {path}"),
        ..Refusal::parameter("")
    })
}

fn bearer<'a>(headers: &'a HeaderMap, query: &'a Params) -> Option<&'a str> {
    let header = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    header
        .and_then(|value| {
            value
                .strip_prefix("Bearer ")
                .or_else(|| value.strip_prefix("OAuth "))
        })
        .map(str::trim)
        .or_else(|| query.text("access_token"))
}

fn base_url(headers: &HeaderMap) -> String {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("127.0.0.1");
    format!("http://{host}")
}

async fn node(
    State(world): State<Arc<World>>,
    Path((version, object)): Path<(String, String)>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    request: Request,
) -> Response {
    answer(&world, &version, &object, None, request, &scissors).await
}

async fn edge(
    State(world): State<Arc<World>>,
    Path((version, object, edge)): Path<(String, String, String)>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    request: Request,
) -> Response {
    // The one path that must be quick.
    if edge == "messages" && request.method() == Method::POST {
        let path = request.uri().path().to_owned();
        if let Err(refusal) = check_version(&version, &path) {
            return refusal.into_response();
        }
        let query = Params::from_query(request.uri().query());
        let headers = request.headers().clone();
        let body = match read(request).await {
            Ok(body) => body,
            Err(refusal) => return refusal.into_response(),
        };
        return crate::sending::send(&world, &object, bearer(&headers, &query), &body, &path, &scissors)
            .await;
    }
    answer(&world, &version, &object, Some(&edge), request, &scissors).await
}

async fn read(request: Request) -> Result<Bytes, Refusal> {
    axum::body::to_bytes(request.into_body(), MAX_BODY)
        .await
        .map_err(|_| Refusal::parameter("The request body could not be read."))
}

async fn answer(
    world: &World,
    version: &str,
    object: &str,
    edge: Option<&str>,
    request: Request,
    scissors: &Scissors,
) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let seq = world
        .state()
        .requests
        .arrive(method.as_str(), &path, None, world.uptime_us(), world.now_ms());
    let fault = world.state().faults.call(method.as_str(), &path);
    let outcome = fault.as_ref().map(|fault| fault.outcome);
    let result = match (check_version(version, &path), &fault) {
        (Err(refusal), _) => Err(refusal),
        (Ok(()), Some(fault)) if fault.outcome == CallOutcome::Refuse => {
            Err(Refusal::new(fault.code, "This error was asked for.").with_http_status(fault.http_status))
        }
        (Ok(()), _) if outcome == Some(CallOutcome::DropRequest) => Err(Refusal::new(2, "")),
        (Ok(()), _) => route(world, object, edge, request).await,
    };
    let (status, code, told) = match (outcome, &result) {
        (Some(CallOutcome::DropRequest), _) => (0, None, "dropped_before"),
        (Some(CallOutcome::DropReply), _) => (0, None, "dropped_after"),
        (Some(CallOutcome::BadGateway), _) => (502, None, "bad_gateway"),
        (_, Ok(_)) => (200, None, "answered"),
        (_, Err(refusal)) => (refusal.http_status, Some(refusal.code), "answered"),
    };
    world.state().requests.finish(seq, status, code, told);
    match outcome {
        Some(CallOutcome::DropRequest | CallOutcome::DropReply) => {
            scissors.cut();
            return StatusCode::BAD_GATEWAY.into_response();
        }
        Some(CallOutcome::BadGateway) => {
            return (
                StatusCode::BAD_GATEWAY,
                "<html><body>502 Bad Gateway</body></html>",
            )
                .into_response();
        }
        Some(CallOutcome::Refuse) | None => {}
    }
    match result {
        Ok(body) => axum::Json(body).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn route(world: &World, object: &str, edge: Option<&str>, request: Request) -> Answer {
    let headers = request.headers().clone();
    let query = Params::from_query(request.uri().query());
    let method = request.method().clone();
    if (method.as_str(), edge) == ("POST", Some("media")) {
        access::number(
            &world.state(),
            bearer(&headers, &query),
            object,
            "POST",
            world.now(),
        )?;
        return media::upload(world, object, request).await;
    }
    if object.starts_with("upload:") && edge.is_none() {
        let signature = request.uri().query().map(str::to_owned);
        let body = read(request).await?;
        return uploads::session(
            world,
            method.as_str(),
            object,
            signature.as_deref(),
            &headers,
            &body,
        );
    }
    let body = read(request).await?;
    let token = bearer(&headers, &query).map(str::to_owned);
    let call = Call {
        world,
        object,
        token: token.as_deref(),
        params: query.with_body(&headers, &body)?,
        base_url: base_url(&headers),
        method,
    };
    match (call.method.as_str(), edge) {
        ("GET", None) if object == "debug_token" => tokens::debug(&call),
        ("GET" | "POST", Some("access_token")) if object == "oauth" => tokens::exchange(&call),
        ("GET", None) => get_node(&call),
        ("POST", None) => post_node(&call).await,
        ("DELETE", None) => media::delete(&call),
        ("POST", Some("register")) => numbers::register(&call),
        ("POST", Some("deregister")) => numbers::deregister(&call),
        ("GET", Some("whatsapp_business_profile")) => numbers::profile(&call),
        ("POST", Some("whatsapp_business_profile")) => numbers::set_profile(&call),
        ("GET" | "POST" | "DELETE", Some("block_users")) => blocks::answer(&call),
        ("GET", Some("message_history")) => history::answer(&call),
        ("GET", Some("phone_numbers")) => numbers::list(&call),
        ("GET" | "POST" | "DELETE", Some("subscribed_apps")) => accounts::subscribed_apps(&call).await,
        ("POST", Some("uploads")) => uploads::begin(&call),
        ("POST", Some("subscriptions")) => accounts::subscriptions(&call).await,
        ("GET", Some("message_templates")) => templates::list(&call),
        ("POST", Some("message_templates")) => templates::create(&call),
        ("DELETE", Some("message_templates")) => templates::delete(&call),
        _ => {
            access::token(&call.world.state(), call.token, call.world.now())?;
            Err(call.unsupported())
        }
    }
}

fn get_node(call: &Call<'_>) -> Answer {
    let now = call.world.now();
    let mut state = call.world.state();
    let granted = access::token(&state, call.token, now)?.waba_ids.clone();
    if let Some(number) = state
        .directory
        .numbers
        .get(call.object)
        .filter(|number| granted.contains(&number.waba_id))
    {
        return Ok(number.node(call.params.text("fields")));
    }
    if let Some(waba) = state
        .directory
        .wabas
        .get(call.object)
        .filter(|waba| granted.contains(&waba.id))
    {
        let node = serde_json::json!({"id": waba.id, "name": waba.name, "timezone_id": "1", "currency": "MYR",
            "owner_business_info": {"id": waba.business_id, "name": waba.name}});
        let fields = call.params.text("fields");
        return Ok(pick(node, fields.unwrap_or("id,name,timezone_id,currency")));
    }
    if let Some(template) = state
        .templates
        .get(call.object)
        .filter(|template| granted.contains(&template.waba_id))
    {
        return Ok(template.node());
    }
    let ttl = state.settings.media_url_ttl_seconds;
    let owner = state
        .media
        .get(call.object, now)
        .map(|media| media.phone_number_id.clone());
    let is_reachable = owner.as_ref().is_some_and(|owner| {
        let number = state.directory.numbers.get(owner);
        number.is_some_and(|number| granted.contains(&number.waba_id))
            && call
                .params
                .text("phone_number_id")
                .is_none_or(|asked| asked == owner)
    });
    is_reachable
        .then(|| state.media.node(call.object, &call.base_url, now, ttl))
        .flatten()
        .ok_or_else(|| call.unsupported())
}

async fn post_node(call: &Call<'_>) -> Answer {
    let is_template = call.world.state().templates.get(call.object).is_some();
    if is_template {
        templates::edit(call)
    } else {
        numbers::change(call).await
    }
}
