//! The workers against a real database and the WhatsApp sandbox. Needs the variables of `octopush-local test-env` (see docs/plan.md).

mod suite {
    mod applying;
    mod connecting;
    pub mod fixture;
    mod receiving;
    mod sending;
}
