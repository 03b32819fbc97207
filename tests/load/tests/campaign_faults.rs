//! The short set of `octopush-faults --campaign`: a fixed seed, under a minute.

use octopush_load::faults::campaigns;
use std::path::Path;

const ROUNDS: usize = 5;

#[tokio::test]
async fn campaigns_reach_everybody_once_whatever_is_killed() {
    let state = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.octopush/campaign-faults-test");
    let stack = campaigns::start(&state, 15460).expect("a copy of the product");
    let outcome = campaigns::run(&stack, &state, ROUNDS, 11).await;
    stack.stop().expect("it stops");
    let verdict = outcome.unwrap_or_else(|problem| panic!("{problem:?}"));
    assert!(verdict.is_clean(), "{verdict:#?}");
    assert!(verdict.taken > 200, "hardly anything was sent: {verdict:#?}");
}
