//! News in a form that WeChat approved: template messages (模板消息) and subscribe notices (订阅通知) of service accounts, for
//! buyers who have not written for two days. Must never send a value that WeChat refuses for its kind of field.
//!
//! Source: `message/template/send`, `message/subscribe/bizsend` and the limits of the fields, facts/channels 1.7.

use super::send;
use crate::channels::{Template, plain};
use crate::model::{Account, Headline, NoticeKind};
use crate::wire::{Answer, Call, Cure, Cx, Refusal, sign};
use serde_json::{Map, json};

/// Values that the setting `template_fields` may name.
const FACTS: &[&str] = &["status", "carrier", "number", "order", "item", "time", "text"];

/// The forms of an account, as its settings describe them.
pub(super) struct Form;

impl Template for Form {
    fn has(&self, account: &Account, kind: NoticeKind) -> bool {
        let listed = account.setting("template_kinds", "");
        let wanted = listed.is_empty() || listed.split(',').any(|one| one.trim() == kind.name());
        wanted && !account.setting("template_id", "").is_empty()
    }

    fn call(&self, cx: &Cx, to: &str, id: &str, news: &Headline) -> Result<Call, Refusal> {
        let token = cx.token.ok_or(Refusal::TokenExpired)?;
        let setting = |name: &str| cx.account.setting(name, "");
        let mut data = Map::new();
        for (key, fact) in pairs(setting("template_fields")) {
            data.insert(key.to_owned(), json!({"value": fitting(key, &said(cx.account, fact, news))}));
        }
        if data.is_empty() {
            return Err(Refusal::FixAccount { cure: Cure("cure-template") });
        }
        let mut body = json!({"touser": to, "template_id": setting("template_id"), "data": data});
        let subscribed = setting("template_api") == "subscribe";
        let (path, operation) = match subscribed {
            true => ("subscribe/bizsend", "wechat.subscribe_send"),
            false => ("template/send", "wechat.template_send"),
        };
        if !subscribed {
            // WeChat takes the same id once in ten minutes.
            body["client_msg_id"] = id.into();
        }
        let page = setting("template_url");
        if !page.is_empty() {
            body[if subscribed { "page" } else { "url" }] = page.into();
        }
        let url = format!(
            "{}/cgi-bin/message/{path}?access_token={}",
            super::base_url(cx.account),
            sign::form_encode(token.text.reveal())
        );
        Ok(Call::json(operation, url, body.to_string().into_bytes()).once())
    }

    fn read(&self, cx: &Cx, answer: &Answer) -> Result<(), Refusal> {
        send::read(cx, answer)
    }
}

/// What of the settings cannot be used.
pub(super) fn mistake(account: &Account) -> Option<(&'static str, String)> {
    let fields = account.setting("template_fields", "");
    let wrong = pairs(fields).find(|(key, fact)| key.is_empty() || !FACTS.contains(fact));
    if let Some((key, fact)) = wrong {
        return Some(("template_fields", format!("{key}={fact}: a fact is one of {}", FACTS.join(", "))));
    }
    let has_form = !account.setting("template_id", "").is_empty();
    if has_form && pairs(fields).next().is_none() {
        let shape = "name the template's fields, such as \"thing1=text, character_string2=number\"";
        return Some(("template_id", shape.to_owned()));
    }
    let api = account.setting("template_api", "template");
    let known = matches!(api, "template" | "subscribe");
    (!known).then(|| ("template_api", "must be template or subscribe".to_owned()))
}

/// `thing1=text, time2=time` as pairs.
fn pairs(setting: &str) -> impl Iterator<Item = (&str, &str)> {
    setting.split(',').filter_map(|pair| pair.split_once('=')).map(|(key, value)| (key.trim(), value.trim()))
}

/// A fact in words. A template's approved words for a status stand in `template_status`.
fn said(account: &Account, fact: &str, news: &Headline) -> String {
    match fact {
        "status" => {
            let mut approved = pairs(account.setting("template_status", ""));
            let mine = approved.find(|(status, _)| *status == news.status.name());
            mine.map_or_else(|| news.status_text.clone(), |(_, words)| words.to_owned())
        }
        "carrier" => news.carrier.clone(),
        "number" => news.number.clone(),
        "order" => news.order.clone(),
        "item" => news.item.clone(),
        "time" => news.at.strftime("%Y年%-m月%-d日 %H:%M").to_string(),
        _ => news.text.clone(),
    }
}

/// What fits into a field of this kind: `thing`, `character_string`, `phrase`, … (a digit follows). A value may not be
/// empty, so a dash stands where nothing is left.
fn fitting(key: &str, value: &str) -> String {
    let kind = key.trim_end_matches(|c: char| c.is_ascii_digit());
    let line = plain::one_line(value).into_owned();
    let value = plain::clean(&line);
    let first = |count: usize, allowed: fn(char) -> bool| -> String {
        value.chars().filter(|c| allowed(*c)).take(count).collect()
    };
    let short = |count: usize| match value.chars().count() > count {
        true => value.chars().take(count - 1).collect::<String>() + plain::ELLIPSIS,
        false => value.to_string(),
    };
    let chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let fits = match kind {
        "character_string" => first(32, |c| c.is_ascii_graphic()),
        "number" => first(32, |c| c.is_ascii_digit()),
        "letter" => first(32, |c| c.is_ascii_alphabetic()),
        "phone_number" => first(17, |c| c.is_ascii_digit() || matches!(c, '+' | '-')),
        "phrase" => first(5, chinese),
        "short_thing" => short(5),
        "name" => first(10, |c| c.is_alphabetic()),
        "date" => value.split(' ').next().unwrap_or("").to_owned(),
        "time" => value.to_string(),
        // thing, const and whatever is new.
        _ => short(20),
    };
    if fits.is_empty() { "-".to_owned() } else { fits }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Private, Status};
    use crate::wire::Token;
    use serde_json::Value;

    fn news() -> Headline {
        Headline {
            kind: NoticeKind::ReadyForPickup,
            status: Status::ReadyForPickup,
            status_text: "已到驿站".into(),
            carrier: "圆通速递".into(),
            number: "YT8816042739501".into(),
            order: "A1001".into(),
            item: "青瓷茶具".into(),
            at: "2026-03-02T09:05:00".parse().unwrap(),
            text: "您的“青瓷茶具”已经到驿站了，可以凭取件码去取啦，今天营业到晚上九点。".into(),
        }
    }

    fn call(settings: &[(&str, &str)]) -> Result<Value, Refusal> {
        let settings = settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let account = Account { settings, ..Account::default() };
        let token = Token { text: Private::new("t".into()), expires: jiff::Timestamp::MAX };
        let now = jiff::Timestamp::UNIX_EPOCH;
        let cx = Cx { account: &account, token: Some(&token), now, random: [7; 32] };
        let call = Form.call(&cx, "o-anna", "n-1", &news())?;
        assert!(!call.repeatable);
        let mut body: Value = serde_json::from_slice(&call.body).unwrap();
        body["path"] = call.url.split('?').next().unwrap().rsplit("message/").next().unwrap().into();
        Ok(body)
    }

    #[test]
    fn facts_fill_the_fields_of_a_template_and_are_cut_to_their_kind() {
        let fields = "thing1=text, character_string2=number, phrase3=status,time4=time, thing5=item,date6=time, number7=item";
        let body = call(&[("template_id", "T-1"), ("template_fields", fields)]).unwrap();
        let value = |key: &str| body["data"][key]["value"].as_str().unwrap().to_owned();
        assert_eq!(value("thing1"), "您的“青瓷茶具”已经到驿站了，可以凭取…");
        assert_eq!(value("thing1").chars().count(), 20);
        assert_eq!(value("character_string2"), "YT8816042739501");
        assert_eq!(value("phrase3"), "已到驿站");
        assert_eq!(value("time4"), "2026年3月2日 09:05");
        assert_eq!(value("date6"), "2026年3月2日");
        assert_eq!(value("number7"), "-", "nothing of it fits");
        assert_eq!((&body["touser"], &body["client_msg_id"]), (&json!("o-anna"), &json!("n-1")));
        assert_eq!(body["path"], "template/send");
    }

    #[test]
    fn approved_words_a_page_and_the_other_interface_are_settings() {
        let settings = [
            ("template_id", "T-1"),
            ("template_fields", "const1=status"),
            ("template_status", "delivered=已签收, ready_for_pickup=待取件"),
            ("template_api", "subscribe"),
            ("template_url", "pages/order"),
        ];
        let body = call(&settings).unwrap();
        assert_eq!(body["data"]["const1"]["value"], "待取件");
        assert_eq!((&body["page"], &body["path"]), (&json!("pages/order"), &json!("subscribe/bizsend")));
        assert!(body.get("client_msg_id").is_none(), "this interface has none");
        let cure = Refusal::FixAccount { cure: Cure("cure-template") };
        assert_eq!(call(&[("template_id", "T-1")]), Err(cure), "no field is named");
    }

    #[test]
    fn settings_that_cannot_be_used_are_named() {
        let mistake = |settings: &[(&str, &str)]| {
            let settings = settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            super::mistake(&Account { settings, ..Account::default() }).map(|(key, _)| key)
        };
        let fields = ("template_fields", "thing1=text");
        assert_eq!(mistake(&[]), None);
        assert_eq!(mistake(&[("template_id", "T"), fields]), None);
        assert_eq!(mistake(&[("template_id", "T")]), Some("template_id"));
        assert_eq!(mistake(&[("template_fields", "thing1=weather")]), Some("template_fields"));
        assert_eq!(mistake(&[fields, ("template_api", "x")]), Some("template_api"));
    }

    #[test]
    fn a_template_may_be_for_some_kinds_only() {
        let with = |kinds: &str| Account {
            settings: [("template_id".into(), "T".into()), ("template_kinds".into(), kinds.into())].into(),
            ..Account::default()
        };
        let has = |account: &Account, kind| Form.has(account, kind);
        assert!(has(&with(""), NoticeKind::Delayed));
        assert!(has(&with("delivered, ready_for_pickup"), NoticeKind::ReadyForPickup));
        assert!(!has(&with("delivered"), NoticeKind::ReadyForPickup));
        assert!(!has(&Account::default(), NoticeKind::Delivered));
    }
}
