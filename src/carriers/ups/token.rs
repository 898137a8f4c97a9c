//! UPS's token (OAuth 2, client credentials), and how a call carries it.
//! Source: github.com/UPS-API (OAuth); facts/carriers-intl 4. Must never send a call without a token.

use super::{SPEC, Ups};
use crate::carriers::oauth;
use crate::wire::{Answer, Call, Cx, Refusal, Token, TokenStep, sign};

impl TokenStep for Ups {
    fn fetch(&self, cx: &Cx) -> Result<Call, Refusal> {
        let url = format!("{}/security/v1/oauth/token", cx.account.setting("base_url", SPEC.base_url));
        let mut call = Call::form("ups.token", url, &[("grant_type", "client_credentials")]);
        let pair = format!("{}:{}", cx.account.secret("client_id"), cx.account.secret("client_secret"));
        call.headers.push(("authorization", format!("Basic {}", sign::base64(pair.as_bytes()))));
        let merchant = cx.account.setting("merchant_id", "");
        if !merchant.is_empty() {
            call.headers.push(("x-merchant-id", merchant.to_owned()));
        }
        Ok(call)
    }

    fn read(&self, cx: &Cx, answer: &Answer) -> Result<Token, Refusal> {
        oauth::token(cx, answer)
    }
}

pub(super) fn authorized(cx: &Cx, mut call: Call) -> Result<Call, Refusal> {
    let token = cx.token.ok_or(Refusal::TokenExpired)?;
    call.headers.push(("authorization", format!("Bearer {}", token.text.reveal())));
    call.headers.push(("transid", hex::encode(&cx.random[..16])));
    call.headers.push(("transactionsrc", "yishi".to_owned()));
    Ok(call)
}
