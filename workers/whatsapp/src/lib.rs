//! WhatsApp Cloud API.
