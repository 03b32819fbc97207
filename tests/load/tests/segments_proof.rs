//! The short set of `octopush-segments-proof`: fixed seeds, a minute at most.

use octopush_load::proof::{Server, Size, prove_operations, prove_pairs, prove_with};

#[tokio::test]
async fn compiled_rules_the_evaluator_members_and_explanations_agree() {
    let server = Server::from_environment().expect("a test cluster");
    for seed in [1, 2] {
        let size = Size {
            contacts: 80,
            rules: 45,
        };
        let verdict = prove_pairs(&server, seed, size)
            .await
            .unwrap_or_else(|problem| panic!("{problem:?}"));
        assert_eq!(verdict.pairs, 80 * 45);
        assert_eq!(verdict.explained, verdict.pairs);
        assert_eq!(verdict.missed_flips, 0, "a flip exists that was not found");
    }
}

#[tokio::test]
async fn members_stay_right_through_any_sequence_of_operations() {
    let server = Server::from_environment().expect("a test cluster");
    let sequence = prove_operations(&server, 3, 80)
        .await
        .unwrap_or_else(|problem| panic!("{problem:?}"));
    let done: usize = sequence.operations.values().map(|(done, _)| done).sum();
    assert!(
        done >= 50,
        "most operations were refused: {:?}",
        sequence.operations
    );
}

#[tokio::test]
async fn planted_faults_are_found() {
    let server = Server::from_environment().expect("a test cluster");
    for (seed, planted) in [
        (
            4,
            "drop trigger segments_insert on public.contact_tags; drop trigger segments_delete on public.contact_tags",
        ),
        (5, "drop trigger segments_update on public.contacts"),
        (
            6,
            "create or replace function private.queue_time_boundaries(p_org_id uuid, p_from timestamptz, p_until timestamptz) returns void language sql as ''",
        ),
    ] {
        let outcome = prove_with(&server, seed, 150, planted).await;
        server.clear(seed).await.expect("its database goes");
        let problem = format!("{:?}", outcome.err());
        assert!(problem.contains("differences"), "{planted}: {problem}");
    }
}
