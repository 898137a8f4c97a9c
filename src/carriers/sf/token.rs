//! SF's token, in the place of a digest where the account's `auth` is `oauth`. It lives two hours.
//! Source: facts/carriers-cn 1.0. Must never keep a token that says no word about its end.

use super::{SPEC, Sf, gateway};
use crate::carriers::body::{self, CURE_CREDENTIALS};
use crate::model::Private;
use crate::wire::{Answer, Call, Cx, Refusal, Token, TokenStep};
use jiff::SignedDuration;
use serde::Deserialize;

impl TokenStep for Sf {
    fn fetch(&self, cx: &Cx) -> Result<Call, Refusal> {
        let url = format!("{}/oauth2/accessToken", cx.account.setting("base_url", SPEC.base_url));
        let fields = [
            ("partnerID", cx.account.setting("partner_id", "")),
            ("secret", cx.account.secret("checkword")),
            ("grantType", "password"),
        ];
        Ok(Call::form("sf.token", url, &fields))
    }

    fn read(&self, cx: &Cx, answer: &Answer) -> Result<Token, Refusal> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Granted {
            #[serde(default, rename = "apiResultCode", deserialize_with = "body::loose")]
            code: Option<String>,
            #[serde(default)]
            access_token: Option<Private<String>>,
            #[serde(default, deserialize_with = "body::loose")]
            expires_in: Option<String>,
        }
        let granted: Granted = body::json(answer, cx.now)?;
        match gateway(granted.code.as_deref()) {
            // Asking for a token needs none: here it is the checkword that is wrong.
            Err(Refusal::TokenExpired) => return Err(Refusal::FixAccount { cure: CURE_CREDENTIALS }),
            other => other?,
        }
        let text = granted.access_token.filter(|token| !token.reveal().is_empty());
        let seconds = granted.expires_in.and_then(|text| text.parse().ok());
        let life = SignedDuration::from_secs(seconds.unwrap_or(0_i64).clamp(0, 86_400));
        let expires = cx.now.checked_add(life).map_err(|_| Refusal::Unreadable)?;
        Ok(Token { text: text.ok_or(Refusal::Unreadable)?, expires })
    }
}
