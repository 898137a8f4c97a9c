//! The answer of an OAuth 2 token endpoint (client credentials), as UPS, FedEx and USPS give it. Must never keep a token
//! that says no word about its end.

use super::body::{self, CURE_CREDENTIALS};
use crate::model::Private;
use crate::wire::{Answer, Cx, Refusal, Token};
use jiff::SignedDuration;
use serde::Deserialize;

/// A token from `{"access_token", "expires_in"}`; the seconds may come as text. A refusal there means the credentials.
pub(super) fn token(cx: &Cx, answer: &Answer) -> Result<Token, Refusal> {
    #[derive(Deserialize)]
    struct Granted {
        access_token: Private<String>,
        #[serde(deserialize_with = "body::loose")]
        expires_in: Option<String>,
    }
    if matches!(answer.status, 400 | 401 | 403) {
        return Err(Refusal::FixAccount { cure: CURE_CREDENTIALS });
    }
    let granted: Granted = body::json(answer, cx.now)?;
    let seconds: i64 = granted.expires_in.and_then(|text| text.parse().ok()).ok_or(Refusal::Unreadable)?;
    let life = SignedDuration::from_secs(seconds.clamp(0, 86_400));
    let expires = cx.now.checked_add(life).map_err(|_| Refusal::Unreadable)?;
    if granted.access_token.reveal().is_empty() {
        return Err(Refusal::Unreadable);
    }
    Ok(Token { text: granted.access_token, expires })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Account;

    #[test]
    fn a_token_needs_an_end_and_a_refusal_means_the_credentials() {
        let account = Account::default();
        let cx = Cx {
            account: &account,
            token: None,
            now: "2026-03-02T02:00:00Z".parse().unwrap(),
            random: [7; 32],
        };
        let read = |status: u16, body: &str| token(&cx, &Answer::new(status, body));
        for seconds in ["\"3599\"", "3599"] {
            let granted = read(200, &format!(r#"{{"access_token":"t","expires_in":{seconds}}}"#)).unwrap();
            assert_eq!(granted.expires, "2026-03-02T02:59:59Z".parse().unwrap());
        }
        assert_eq!(read(200, r#"{"access_token":"t","expires_in":null}"#), Err(Refusal::Unreadable));
        assert_eq!(read(200, r#"{"access_token":"","expires_in":1}"#), Err(Refusal::Unreadable));
        assert_eq!(read(401, "{}"), Err(Refusal::FixAccount { cure: CURE_CREDENTIALS }));
        assert!(matches!(read(503, ""), Err(Refusal::Retry { .. })));
    }
}
