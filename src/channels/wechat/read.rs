//! What a WeChat message or event means to us: somebody wrote, chose, came, left, or did what we need not know.
//! Must never take an unknown event for a question.

use super::xml::{Fields, text};
use crate::channels::{Incoming, What};
use crate::wire::{Unverified, sign};
use jiff::Timestamp;

/// What the platform writes as text in place of a message that it cannot pass on (stickers of some clients).
const NOT_SUPPORTED: &str = "【收到不支持的消息类型，暂无法显示】";

/// Longest openid or `gh_…` id that is taken.
const MAX_ID: usize = 128;

/// Longest dedupe key; longer ones are hashed.
const MAX_KEY: usize = 160;

/// The message in a decrypted or plain body; `None` where there is nothing for us in it.
pub fn incoming(fields: &Fields) -> Result<Option<Incoming>, Unverified> {
    let (from, to, kind) = (text(&fields.from), text(&fields.to), text(&fields.kind));
    if from.is_empty() || to.is_empty() || kind.is_empty() || from.len() > MAX_ID || to.len() > MAX_ID {
        return Err(Unverified::Malformed);
    }
    let seconds: i64 = text(&fields.created).trim().parse().map_err(|_| Unverified::Malformed)?;
    let is_event = kind.eq_ignore_ascii_case("event");
    let what = if is_event { event(fields) } else { Some(message(kind, fields)) };
    Ok(what.map(|what| Incoming {
        key: key(is_event, seconds, fields),
        from: from.to_owned(),
        at: Timestamp::from_second(seconds).ok(),
        what,
        locale: None,
        reply_to: to.to_owned(),
    }))
}

fn message(kind: &str, fields: &Fields) -> What {
    let content = text(&fields.content).trim();
    let menu = text(&fields.menu).trim();
    let recognition = text(&fields.recognition).trim();
    match kind.to_ascii_lowercase().as_str() {
        // A tapped menu item; accounts for which the id is missing send its words, which the dialog matches as well.
        "text" if !menu.is_empty() => What::Choice(menu.to_owned()),
        "text" if !content.is_empty() && content != NOT_SUPPORTED => What::Text(content.to_owned()),
        "voice" if !recognition.is_empty() => What::Text(recognition.to_owned()),
        _ => What::Other,
    }
}

/// Names are compared without case: clients differ in how they write them.
fn event(fields: &Fields) -> Option<What> {
    let key = text(&fields.event_key).trim();
    match text(&fields.event).trim().to_ascii_lowercase().as_str() {
        // `last_trade_no_…` and the like also stand here for followers who came by other ways: no scene.
        "subscribe" => Some(What::Joined(key.strip_prefix("qrscene_").map(str::to_owned))),
        "scan" => Some(What::Joined((!key.is_empty()).then(|| key.to_owned()))),
        "unsubscribe" => Some(What::Left),
        "click" if !key.is_empty() => Some(What::Choice(key.to_owned())),
        "scancode_push" | "scancode_waitmsg" => scanned(text(&fields.scanned)).map(What::Text),
        // VIEW, LOCATION, TEMPLATESENDJOBFINISH, subscribe_msg_…: nobody asked anything.
        _ => None,
    }
}

/// What a buyer's camera read from a waybill: `CODE_128,SF1234567890` → the number.
fn scanned(result: &str) -> Option<String> {
    let number = result.split_once(',').map_or(result, |(_, number)| number).trim();
    (!number.is_empty()).then(|| number.to_owned())
}

/// Messages have an id; events, as the documentation says, are told apart by who, when and what.
fn key(is_event: bool, seconds: i64, fields: &Fields) -> String {
    let id = text(&fields.id).trim();
    let key = if !is_event && !id.is_empty() {
        id.to_owned()
    } else {
        let event = text(&fields.event).to_ascii_lowercase();
        format!("{}|{seconds}|{event}|{}", text(&fields.from), text(&fields.event_key))
    };
    if key.len() > MAX_KEY { sign::sha256_hex(key.as_bytes()) } else { key }
}

#[cfg(test)]
mod tests {
    use super::super::xml;
    use super::*;

    fn read(inner: &str) -> Option<Incoming> {
        let body = format!(
            "<xml><ToUserName><![CDATA[gh_shop]]></ToUserName><FromUserName><![CDATA[o-buyer]]></FromUserName>\
             <CreateTime>1772414040</CreateTime>{inner}</xml>"
        );
        incoming(&xml::read(body.as_bytes()).unwrap()).unwrap()
    }

    fn message(inner: &str) -> What {
        read(&format!("{inner}<MsgId>24000000000000001</MsgId>")).unwrap().what
    }

    fn event(name: &str, key: &str) -> Option<What> {
        let inner = format!("<MsgType>event</MsgType><Event>{name}</Event><EventKey>{key}</EventKey>");
        read(&inner).map(|incoming| incoming.what)
    }

    #[test]
    fn texts_taps_and_speech() {
        let incoming = read(
            "<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[ 我的快递到哪了 ]]></Content><MsgId>42</MsgId>",
        )
        .unwrap();
        assert_eq!(incoming.key, "42");
        assert_eq!((incoming.from.as_str(), incoming.reply_to.as_str()), ("o-buyer", "gh_shop"));
        assert_eq!(incoming.at, "2026-03-02T01:14:00Z".parse().ok());
        assert_eq!(incoming.what, What::Text("我的快递到哪了".into()));

        let tap = "<MsgType>text</MsgType><Content>台灯</Content><bizmsgmenuid>o2</bizmsgmenuid>";
        assert_eq!(message(tap), What::Choice("o2".into()));
        let voice = "<MsgType>voice</MsgType><MediaId>m</MediaId><Recognition>到哪了</Recognition>";
        assert_eq!(message(voice), What::Text("到哪了".into()));
        for other in [
            "<MsgType>voice</MsgType><Recognition></Recognition>",
            "<MsgType>voice</MsgType>",
            "<MsgType>image</MsgType><PicUrl>u</PicUrl><MediaId>m</MediaId>",
            "<MsgType>location</MsgType><Label>l</Label>",
            "<MsgType>text</MsgType><Content>【收到不支持的消息类型，暂无法显示】</Content>",
            "<MsgType>text</MsgType><Content> </Content>",
            "<MsgType>new_kind</MsgType>",
        ] {
            assert_eq!(message(other), What::Other, "{other}");
        }
    }

    #[test]
    fn events_whatever_their_case() {
        assert_eq!(event("subscribe", ""), Some(What::Joined(None)));
        assert_eq!(event("subscribe", "qrscene_order-7"), Some(What::Joined(Some("order-7".into()))));
        assert_eq!(event("SCAN", "order-7"), Some(What::Joined(Some("order-7".into()))));
        assert_eq!(event("unsubscribe", ""), Some(What::Left));
        for name in ["CLICK", "click", "Click"] {
            assert_eq!(event(name, "track"), Some(What::Choice("track".into())));
        }
        for name in
            ["VIEW", "LOCATION", "TEMPLATESENDJOBFINISH", "subscribe_msg_sent_event", "debug_demo", ""]
        {
            assert_eq!(event(name, "x"), None, "{name}");
        }
    }

    #[test]
    fn a_scanned_waybill_is_its_number() {
        let scan = "<MsgType>event</MsgType><Event>scancode_waitmsg</Event><EventKey>scan</EventKey><ScanCodeInfo>\
             <ScanType>barcode</ScanType><ScanResult>CODE_128,SF0000000000018</ScanResult></ScanCodeInfo>";
        assert_eq!(read(scan).unwrap().what, What::Text("SF0000000000018".into()));
    }

    #[test]
    fn a_retry_has_the_same_key_and_another_tap_has_not() {
        let key = |inner: &str| read(&format!("<MsgType>event</MsgType>{inner}")).unwrap().key;
        let click = "<Event>CLICK</Event><EventKey>track</EventKey>";
        assert_eq!(key(click), "o-buyer|1772414040|click|track");
        assert_ne!(key(click), key("<Event>CLICK</Event><EventKey>human</EventKey>"));
        let long = key(&format!("<Event>CLICK</Event><EventKey>{}</EventKey>", "k".repeat(4000)));
        assert_eq!(long.len(), 64);
    }

    #[test]
    fn a_message_without_sender_kind_or_time_is_malformed() {
        for body in [
            "<xml></xml>",
            "<xml><FromUserName>o</FromUserName><ToUserName>g</ToUserName><CreateTime>1</CreateTime></xml>",
            "<xml><FromUserName>o</FromUserName><ToUserName>g</ToUserName><MsgType>text</MsgType></xml>",
            "<xml><ToUserName>g</ToUserName><MsgType>text</MsgType><CreateTime>1</CreateTime></xml>",
        ] {
            assert_eq!(incoming(&xml::read(body.as_bytes()).unwrap()), Err(Unverified::Malformed), "{body}");
        }
    }
}
