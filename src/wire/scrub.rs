//! Takes an account's secrets out of any text that is about to be shown or logged: also as they look in an address,
//! in JSON and in Base64.

use super::Token;
use crate::model::Account;
use base64::{Engine, engine::general_purpose::STANDARD};

/// Shorter secrets would blank out ordinary words; the configuration takes none so short seriously either.
const SHORTEST: usize = 4;

/// The text without any secret of the account, nor its token.
pub fn scrub(text: &str, account: &Account, token: Option<&Token>) -> String {
    let mut forms: Vec<String> = Vec::new();
    let secrets = account.secrets.values().map(|secret| secret.reveal());
    for secret in secrets.chain(token.map(|token| token.text.reveal())) {
        if secret.chars().count() < SHORTEST {
            continue;
        }
        let json = serde_json::to_string(secret).unwrap_or_default();
        forms.push(json.trim_matches('"').to_owned());
        let percent = super::sign::form_encode(secret);
        forms.push(percent.replace('+', "%20"));
        forms.push(percent);
        forms.push(STANDARD.encode(secret).trim_end_matches('=').to_owned());
        forms.push(secret.clone());
    }
    // The longest first: a secret may hold another one.
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms.dedup();
    let mut clean = text.to_owned();
    for form in forms.iter().filter(|form| !form.is_empty()) {
        if clean.contains(form.as_str()) {
            clean = clean.replace(form.as_str(), "***");
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Private;
    use jiff::Timestamp;

    #[test]
    fn a_secret_is_found_in_every_dress() {
        let mut account = Account::default();
        for (name, secret) in [("key", "a b+\"c/d"), ("short", "abc"), ("long", "a b+\"c/d-and-more")] {
            account.secrets.insert(name.into(), Private::new(secret.into()));
        }
        let token = Token { text: Private::new("TOKEN-1".into()), expires: Timestamp::MAX };
        let text = "k=a+b%2B%22c%2Fd&k2=a%20b%2B%22c%2Fd j=\"a b+\\\"c/d\" raw=a b+\"c/d-and-more \
                    b64=YSBiKyJjL2Q= t=TOKEN-1 abc 你好";
        assert_eq!(
            scrub(text, &account, Some(&token)),
            "k=***&k2=*** j=\"***\" raw=*** b64=***= t=*** abc 你好"
        );
    }
}
