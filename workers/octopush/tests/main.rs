//! The workers against a real database and the WhatsApp sandbox. Needs the variables of `octopush-local test-env` (see docs/plan.md).

mod suite {
    mod applying;
    mod connecting;
    mod exporting;
    pub mod fixture;
    mod importing;
    mod links;
    mod receiving;
    mod sending;
    pub mod storage;
}
