//! Campaigns: values, groups, comparison.

mod buckets;
mod comparing;
mod mapping;
