//! The workers against a real database and the WhatsApp sandbox. Needs the variables of `octopush-local test-env` (see docs/plan.md).

mod suite {
    mod applying;
    mod campaigns;
    mod connecting;
    mod exporting;
    pub mod fixture;
    mod importing;
    pub mod launching;
    mod links;
    mod receiving;
    mod sending;
    pub mod storage;
    mod template_changes;
    mod template_stage;
    mod templates;
}
