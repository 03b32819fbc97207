use reqwest::Method;

use crate::support::stack::{Stack, send};

#[tokio::test]
async fn every_service_wants_the_project_key() {
    let stack = Stack::start().await;
    for path in [
        "/rest/v1/many",
        "/auth/v1/settings",
        "/auth/v1/user",
        "/realtime/v1/websocket",
        "/rest/v1/",
    ] {
        let without = send(stack.http.get(format!("{}{path}", stack.url))).await;
        assert_eq!(without.status, 401, "{path}");
        assert_eq!(without.body["message"], "No API key found in request", "{path}");
        let wrong = send(
            stack
                .http
                .get(format!("{}{path}", stack.url))
                .header("apikey", "sb_secret_guess"),
        )
        .await;
        assert_eq!(
            (wrong.status, wrong.body["message"].as_str()),
            (401, Some("Invalid API key")),
            "{path}"
        );
    }
    for path in ["/auth/v1/.well-known/jwks.json", "/auth/v1/verify", "/health"] {
        let answer = send(stack.http.get(format!("{}{path}", stack.url))).await;
        assert_ne!(answer.status, 401, "{path}");
    }
    let spoofed = stack
        .http
        .get(format!("{}/rest/v1/many", stack.url))
        .header("x-api-key", &stack.service_key);
    assert_eq!(send(spoofed).await.status, 401);
    assert_eq!(
        send(stack.http.get(format!("{}/nowhere", stack.url)))
            .await
            .status,
        404
    );
    let in_query = format!("{}/rest/v1/many?id=eq.1&apikey={}", stack.url, stack.anon_key);
    assert_ne!(send(stack.http.get(in_query)).await.status, 401);
}

#[tokio::test]
async fn the_api_description_is_for_the_service_key() {
    let stack = Stack::start().await;
    assert_eq!(send(stack.anon(Method::GET, "/rest/v1/")).await.status, 401);
    assert_eq!(send(stack.service(Method::GET, "/rest/v1/")).await.status, 200);
    assert_eq!(
        send(stack.anon(Method::GET, "/rest/v1/many?id=eq.1"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn browsers_of_other_origins_may_call_and_read_what_clients_need() {
    let stack = Stack::start().await;
    let asked = "apikey,authorization,x-client-info,content-type,prefer,range,accept-profile,content-profile,\
                 x-upsert,x-metadata,cache-control,x-supabase-api-version,x-retry-count";
    for path in [
        "/rest/v1/many",
        "/auth/v1/token",
        "/storage/v1/object/a/b",
        "/realtime/v1/api/broadcast",
    ] {
        let preflight = stack
            .http
            .request(Method::OPTIONS, format!("{}{path}", stack.url))
            .header("origin", "http://app.example.com")
            .header("access-control-request-method", "PATCH")
            .header("access-control-request-headers", asked);
        let answer = send(preflight).await;
        assert_eq!(answer.status, 200, "{path}");
        let allowed = answer.headers["access-control-allow-headers"]
            .to_str()
            .unwrap()
            .replace(' ', "");
        assert!(
            asked
                .split(',')
                .all(|name| allowed.split(',').any(|has| has == name.trim())),
            "{path}: {allowed}"
        );
        assert!(
            answer.headers["access-control-allow-methods"]
                .to_str()
                .unwrap()
                .contains("PATCH")
        );
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
    }
    for path in ["/rest/v1/many?id=eq.1", "/rest/v1/closed", "/auth/v1/user"] {
        let answer = send(
            stack
                .anon(Method::GET, path)
                .header("origin", "http://app.example.com"),
        )
        .await;
        assert_eq!(
            answer
                .headers
                .get_all("access-control-allow-origin")
                .iter()
                .count(),
            1,
            "{path}"
        );
        let exposed = answer.headers["access-control-expose-headers"].to_str().unwrap();
        for name in [
            "content-range",
            "x-supabase-api-version",
            "x-sb-error-code",
            "proxy-status",
            "location",
            "retry-after",
        ] {
            assert!(exposed.contains(name), "{path}: {name} in {exposed}");
        }
    }
}

#[tokio::test]
async fn the_mailbox_is_for_this_machine_only() {
    let stack = Stack::start().await;
    let mailbox = format!("{}/mailbox/api/messages", stack.url);
    let own = send(
        stack
            .http
            .get(&mailbox)
            .header("origin", "http://evil.example.com"),
    )
    .await;
    assert_eq!(own.status, 200);
    assert!(own.headers.get("access-control-allow-origin").is_none());
    let rebound = send(stack.http.get(&mailbox).header("host", "evil.example.com")).await;
    assert_eq!(rebound.status, 421);
    let page = send(stack.http.get(format!("{}/mailbox", stack.url))).await;
    assert_eq!(page.status, 200);
    assert!(
        page.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("default-src 'none'")
    );
}

#[tokio::test]
async fn without_a_loopback_name_there_is_no_mailbox() {
    let stack = Stack::start_with(|args| args.url = "https://api.example.com".to_owned()).await;
    for path in ["/mailbox", "/mailbox/", "/mailbox/api/messages"] {
        assert_eq!(
            send(stack.http.get(format!("{}{path}", stack.url))).await.status,
            404,
            "{path}"
        );
    }
}

#[tokio::test]
async fn settings_and_keys_are_told() {
    let stack = Stack::start().await;
    let settings = send(stack.anon(Method::GET, "/auth/v1/settings"))
        .await
        .expect(200);
    assert_eq!(
        (&settings["external"]["email"], &settings["external"]["google"]),
        (&true.into(), &false.into())
    );
    assert_eq!(settings["mailer_autoconfirm"], false);
    let jwks = send(stack.anon(Method::GET, "/auth/v1/.well-known/jwks.json"))
        .await
        .expect(200);
    assert_eq!(jwks, serde_json::json!({"keys": []}));
}
