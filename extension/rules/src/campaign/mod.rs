//! Campaigns: the values a contact gets, who is in which group, and which variant did better.

pub mod bucket;
pub mod compare;
pub mod normal;
pub mod values;
pub mod variables;
