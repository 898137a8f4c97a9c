//! One file a channel: what a buyer there sees, from the platform's bytes to the answer.

mod telegram;
mod webchat;
pub mod wechat;
