//! The embedded stack over its own throw-away cluster, driven over HTTP as clients drive it.

mod support;

mod account;
mod admin;
mod bootstrap;
mod gateway;
mod links;
mod outage;
mod process;
mod realtime;
mod refresh;
mod rest;
mod sign_in;
mod sign_up;
mod storage;
