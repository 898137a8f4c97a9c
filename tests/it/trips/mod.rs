//! One file a channel: what a buyer there sees, from the platform's bytes to the answer.

pub mod wechat;
mod webchat;
mod telegram;
