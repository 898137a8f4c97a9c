//! Yishi 驿使 answers “我的快递到哪了? / where is my parcel?” in the chat that the buyer already uses.
//!
//! The map of the house (who may know whom reads left to right):
//! `commands → app → http → intake → {tracking, notices} → {conversation, replies, channels, carriers, platforms,
//! store} → {wire, vault, text} → model`.
//!
//! - A behaviour in chat: [`conversation`]; a word not understood: `intents/`; a wrong sentence: `locales/`.
//! - One carrier: `carriers/<name>.rs`; one channel: `channels/<name>.rs`; each is a codec and does no I/O.
//! - Every outgoing call: [`wire`]; every record: [`store`]; every secret: [`vault`].

pub mod app;
pub mod carriers;
pub mod channels;
pub mod commands;
pub mod config;
pub mod conversation;
pub mod http;
pub mod intake;
pub mod model;
pub mod notices;
pub mod platforms;
pub mod replies;
pub mod simulator;
pub mod store;
pub mod telemetry;
pub mod text;
pub mod tracking;
pub mod vault;
pub mod wire;
