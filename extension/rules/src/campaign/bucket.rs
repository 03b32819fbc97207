//! In which of ten thousand equal parts of a campaign a contact is.

use uuid::Uuid;

/// Parts, so that a percentage may have two decimals.
pub const BUCKETS: u128 = 10_000;

/// 0…9999 from the two ids alone, the same for ever: who is held out and who gets which variant rests on it, and must
/// not change between the rehearsal and the launch, or from one release to the next.
///
/// The four big-endian halves of the ids are taken in one after another, campaign first, each with a step of
/// SplitMix64 (Steele, Lea and Flood 2014): the state is xored with the half, the golden gamma is added, and the sum
/// is mixed by its finaliser. The high bits of the last state choose the bucket. Ids that count up, as version 7 UUIDs
/// do, are spread as evenly as any others.
pub fn stable_bucket(campaign: Uuid, contact: Uuid) -> u16 {
    let (campaign, contact) = (campaign.as_u64_pair(), contact.as_u64_pair());
    let halves = [campaign.0, campaign.1, contact.0, contact.1];
    let state = halves.into_iter().fold(0, |state, half| mix(state ^ half));
    // The product is below 10,000 × 2^64, so what is left of the shift is below 10,000.
    ((u128::from(state) * BUCKETS) >> 64) as u16
}

fn mix(state: u64) -> u64 {
    let sum = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let once = (sum ^ (sum >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let twice = (once ^ (once >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    twice ^ (twice >> 31)
}
