use reqwest::Method;
use serde_json::{Value, json};

use super::{ANN, BOB, by, put, stack};
use crate::support::stack::{Stack, send};

async fn filled() -> Stack {
    let stack = stack().await;
    for name in [
        "b.txt",
        "a.txt",
        "dir/one",
        "dir/two",
        "dir/deep/three",
        "under_score",
    ] {
        put(&stack, ANN, &format!("{ANN}/{name}"), "x").await.expect(200);
    }
    put(&stack, BOB, &format!("{BOB}/hidden"), "x").await.expect(200);
    stack
}

async fn list(stack: &Stack, body: Value) -> Vec<(String, bool)> {
    let listed = send(by(stack, ANN, Method::POST, "/object/list/media").json(&body))
        .await
        .expect(200);
    let entries = listed.as_array().unwrap().iter();
    entries
        .map(|entry| (entry["name"].as_str().unwrap().to_owned(), entry["id"].is_null()))
        .collect()
}

fn named(entries: &[(&str, bool)]) -> Vec<(String, bool)> {
    entries
        .iter()
        .map(|(name, folder)| ((*name).to_owned(), *folder))
        .collect()
}

#[tokio::test]
async fn one_level_is_listed_folders_first_and_only_what_the_caller_may_see() {
    let stack = filled().await;
    assert_eq!(list(&stack, json!({ "prefix": "" })).await, named(&[(ANN, true)]));
    let level = named(&[
        ("dir", true),
        ("a.txt", false),
        ("b.txt", false),
        ("under_score", false),
    ]);
    assert_eq!(list(&stack, json!({ "prefix": ANN })).await, level);
    assert_eq!(list(&stack, json!({ "prefix": format!("{ANN}/") })).await, level);
    assert_eq!(
        list(
            &stack,
            json!({ "prefix": format!("{ANN}/dir"), "sortBy": { "column": "name", "order": "desc" } })
        )
        .await,
        named(&[("deep", true), ("two", false), ("one", false)])
    );
    assert_eq!(
        list(&stack, json!({ "prefix": ANN, "limit": 2, "offset": 1 })).await,
        level[1..3]
    );
    assert_eq!(
        list(&stack, json!({ "prefix": ANN, "search": "B" })).await,
        named(&[("b.txt", false)])
    );
    // What stands for anything in a pattern stands for itself here.
    assert_eq!(
        list(&stack, json!({ "prefix": ANN, "search": "%" })).await,
        vec![]
    );
    assert_eq!(list(&stack, json!({ "prefix": BOB })).await, vec![]);
}

#[tokio::test]
async fn pages_go_through_everything_once() {
    let stack = filled().await;
    for (delimiter, expected) in [(false, 6), (true, 4)] {
        let (mut cursor, mut seen) = (Value::Null, Vec::new());
        loop {
            let body = json!({ "prefix": format!("{ANN}/"), "limit": 2, "with_delimiter": delimiter, "cursor": cursor });
            let page = send(by(&stack, ANN, Method::POST, "/object/list-v2/media").json(&body))
                .await
                .expect(200);
            for kind in ["folders", "objects"] {
                seen.extend(
                    page[kind]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|entry| entry["key"].as_str().unwrap().to_owned()),
                );
            }
            if page["hasNext"] == false {
                assert_eq!(page.get("nextCursor"), None);
                break;
            }
            cursor = page["nextCursor"].clone();
        }
        let all = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!((all, seen.len()), (expected, expected), "{seen:?}");
        assert_eq!(seen.contains(&format!("{ANN}/dir/")), delimiter);
    }
}
