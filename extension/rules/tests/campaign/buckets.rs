//! Who is in which part of a campaign.

use octopush_rules::campaign::bucket::stable_bucket;
use uuid::Uuid;

fn bucket(campaign: &str, contact: &str) -> u16 {
    let id = |text: &str| Uuid::parse_str(text).expect("an id");
    stable_bucket(id(campaign), id(contact))
}

/// An id of version 7 as they are given out one after another.
fn in_a_row(index: u64) -> Uuid {
    Uuid::from_u64_pair(
        0x0193_5a1b_2c3d_7000 + (index >> 12),
        0x8000_0000_0000_0000 + index,
    )
}

/// How far counts are from equal ones, as a normal variable (Wilson and Hilferty's approximation of chi-square).
fn unevenness(counts: &[u32]) -> f64 {
    let total: f64 = counts.iter().map(|count| f64::from(*count)).sum();
    let (expected, degrees) = (total / counts.len() as f64, counts.len() as f64 - 1.0);
    let chi_square: f64 = counts
        .iter()
        .map(|count| (f64::from(*count) - expected).powi(2) / expected)
        .sum();
    let spread = 2.0 / (9.0 * degrees);
    ((chi_square / degrees).cbrt() - (1.0 - spread)) / spread.sqrt()
}

/// Made by an implementation of the documented steps in another language; a change here moves people between the groups
/// of campaigns that run.
#[test]
fn buckets_are_the_same_for_ever() {
    let (zero, ones) = (Uuid::nil().to_string(), Uuid::max().to_string());
    let (one, two) = (
        "01900000-0000-7000-8000-000000000001",
        "01900000-0000-7000-8000-000000000002",
    );
    assert_eq!(bucket(&zero, &zero), 1296);
    assert_eq!(bucket(&ones, &ones), 6109);
    assert_eq!(bucket(one, two), 7072);
    assert_eq!(bucket(two, one), 4911);
    assert_eq!(
        bucket(
            "018f3f6e-9d2a-7c41-b1a5-6f0e2d3c4b5a",
            "018f3f6e-9d2a-7c41-b1a5-6f0e2d3c4b5b"
        ),
        899
    );
}

#[test]
fn contacts_in_a_row_are_spread_evenly_over_all_buckets() {
    let mut counts = vec![0; 10_000];
    for contact in 0..1_000_000 {
        counts[usize::from(stable_bucket(in_a_row(7), in_a_row(contact)))] += 1;
    }
    // Within what chance does; a hash that is too even would not be one.
    let z = unevenness(&counts);
    assert!(z.abs() < 4.0, "{z}");
}

#[test]
fn who_is_in_a_group_of_one_campaign_is_no_likelier_in_that_of_the_next() {
    let mut counts = vec![0; 100];
    for contact in 0..200_000 {
        let tenth = |campaign| usize::from(stable_bucket(in_a_row(campaign), in_a_row(contact)) / 1_000);
        counts[tenth(1) * 10 + tenth(2)] += 1;
    }
    let z = unevenness(&counts);
    assert!(z.abs() < 4.0, "{z}");
}

#[test]
fn campaigns_in_a_row_give_a_contact_every_bucket() {
    let mut counts = vec![0; 1_000];
    for campaign in 0..100_000 {
        counts[usize::from(stable_bucket(in_a_row(campaign), in_a_row(3)) / 10)] += 1;
    }
    let z = unevenness(&counts);
    assert!(z.abs() < 4.0, "{z}");
}
