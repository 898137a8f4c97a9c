//! The XML that WeChat posts and wants: flat fields under one root, text in CDATA.
//! Must never follow a DTD or an entity, build a tree, or let a buyer's text end a CDATA section.

use crate::wire::Unverified;
use quick_xml::events::{BytesRef, Event};
use quick_xml::{Reader, XmlVersion};
use serde::Deserialize;
use std::borrow::Cow;

/// Elements inside elements; WeChat's deepest event has 5.
const MAX_DEPTH: usize = 12;

macro_rules! fields {
    ($($(#[$meta:meta])* $slot:ident = $name:literal),+ $(,)?) => {
        /// What is read of a message; names are WeChat's. Absent and empty are different for none of them.
        #[derive(Default, PartialEq, Eq, Deserialize)]
        #[serde(default)]
        #[allow(missing_docs)]
        pub struct Fields<'a> {
            $($(#[$meta])* #[serde(rename = $name, deserialize_with = "super::json::word")] pub $slot: Option<Cow<'a, str>>),+
        }

        impl<'a> Fields<'a> {
            fn slot(&mut self, name: &str) -> Option<&mut Option<Cow<'a, str>>> {
                match name {
                    $($name => Some(&mut self.$slot),)+
                    _ => None,
                }
            }
        }
    };
}

fields! {
    to = "ToUserName",
    from = "FromUserName",
    created = "CreateTime",
    kind = "MsgType",
    id = "MsgId",
    content = "Content",
    /// Set when a person tapped an item of a `msgmenu`.
    menu = "bizmsgmenuid",
    recognition = "Recognition",
    event = "Event",
    event_key = "EventKey",
    /// Inside `ScanCodeInfo`: what a person's camera read.
    scanned = "ScanResult",
    encrypt = "Encrypt",
}

/// A field's text, empty where it is missing.
pub fn text<'f>(field: &'f Option<Cow<'_, str>>) -> &'f str {
    field.as_deref().unwrap_or("")
}

/// Reads the fields of a whole document: root `xml`, UTF-8, no DTD, only the five predefined entities.
/// `Malformed` for all else, also for a field that comes twice, which two readers could read in two ways.
pub fn read(body: &[u8]) -> Result<Fields<'_>, Unverified> {
    std::str::from_utf8(body).ok().and_then(parse).ok_or(Unverified::Malformed)
}

fn parse(document: &str) -> Option<Fields<'_>> {
    let mut reader = Reader::from_str(document.trim_start_matches('\u{feff}'));
    let mut fields = Fields::default();
    let mut depth = 0usize;
    let mut closed = false;
    // The element being read, if it is one of ours, and its text so far.
    let mut open: Option<(usize, String)> = None;
    let mut value: Option<Cow<'_, str>> = None;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                let name = start.name();
                let name = name.as_ref();
                if closed || (depth == 0 && name != "xml") || depth >= MAX_DEPTH {
                    return None;
                }
                depth += 1;
                let ours = depth == 2 || (name == "ScanResult" && depth == 3);
                if ours && fields.slot(name).is_some() {
                    open = Some((depth, name.to_owned()));
                    value = None;
                }
            }
            Event::End(_) => {
                if let Some((_, name)) = open.take_if(|(at, _)| *at == depth) {
                    let slot = fields.slot(&name)?;
                    if slot.replace(value.take().unwrap_or_default()).is_some() {
                        return None;
                    }
                }
                depth = depth.checked_sub(1)?;
                closed = depth == 0;
            }
            Event::Empty(empty) => {
                if depth == 0 && (closed || empty.name().as_ref() != "xml") {
                    return None;
                }
                closed |= depth == 0;
            }
            Event::Text(text) => {
                let text = text.xml_content(XmlVersion::Implicit1_0);
                if depth == 0 && !text.trim().is_empty() {
                    return None;
                }
                add(&open, depth, &mut value, text);
            }
            Event::CData(data) => {
                if depth == 0 {
                    return None;
                }
                add(&open, depth, &mut value, data.xml_content(XmlVersion::Implicit1_0));
            }
            Event::GeneralRef(reference) => {
                let c = resolve(&reference)?;
                add(&open, depth, &mut value, Cow::Owned(c.to_string()));
            }
            Event::Decl(declaration) => {
                let encoding = declaration.encoding().transpose().ok()?;
                if encoding.is_some_and(|name| !name.eq_ignore_ascii_case("utf-8")) {
                    return None;
                }
            }
            Event::DocType(_) => return None,
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => return (closed && depth == 0).then_some(fields),
        }
    }
}

/// Adds to the open element's text, if it is directly inside that element.
fn add<'a>(
    open: &Option<(usize, String)>,
    depth: usize,
    value: &mut Option<Cow<'a, str>>,
    more: Cow<'a, str>,
) {
    if open.as_ref().is_none_or(|(at, _)| *at != depth) {
        return;
    }
    match value {
        None => *value = Some(more),
        Some(sofar) => sofar.to_mut().push_str(&more),
    }
}

/// A predefined entity or a character reference; `None` for every other entity.
fn resolve(reference: &BytesRef<'_>) -> Option<char> {
    if reference.is_char_ref() {
        return reference.resolve_char_ref().ok()?;
    }
    match &**reference {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

/// A passive text reply. `to` is the person, `from` our `gh_…` id, `created` seconds.
pub fn text_reply(to: &str, from: &str, created: i64, content: &str) -> String {
    let mut xml = String::with_capacity(content.len() + 256);
    xml.push_str("<xml><ToUserName>");
    cdata(&mut xml, to);
    xml.push_str("</ToUserName><FromUserName>");
    cdata(&mut xml, from);
    xml.push_str("</FromUserName><CreateTime>");
    xml.push_str(&created.to_string());
    xml.push_str("</CreateTime><MsgType><![CDATA[text]]></MsgType><Content>");
    cdata(&mut xml, content);
    xml.push_str("</Content></xml>");
    xml
}

/// The envelope of an encrypted reply.
pub fn encrypted_reply(encrypt: &str, signature: &str, timestamp: i64, nonce: &str) -> String {
    let mut xml = String::with_capacity(encrypt.len() + 256);
    xml.push_str("<xml><Encrypt>");
    cdata(&mut xml, encrypt);
    xml.push_str("</Encrypt><MsgSignature>");
    cdata(&mut xml, signature);
    xml.push_str("</MsgSignature><TimeStamp>");
    xml.push_str(&timestamp.to_string());
    xml.push_str("</TimeStamp><Nonce>");
    cdata(&mut xml, nonce);
    xml.push_str("</Nonce></xml>");
    xml
}

/// Text as CDATA; `]]>` inside it is split over two sections.
fn cdata(xml: &mut String, text: &str) {
    xml.push_str("<![CDATA[");
    if text.contains(']') {
        xml.push_str(&text.replace("]]>", "]]]]><![CDATA[>"));
    } else {
        xml.push_str(text);
    }
    xml.push_str("]]>");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(inner: &str) -> Option<String> {
        let document = format!("<xml><Content>{inner}</Content></xml>");
        read(document.as_bytes()).ok().map(|fields| text(&fields.content).to_owned())
    }

    #[test]
    fn cdata_text_and_references_join() {
        assert_eq!(content("<![CDATA[我的快递]]>").as_deref(), Some("我的快递"));
        assert_eq!(content("<![CDATA[a]]]]><![CDATA[>b]]>").as_deref(), Some("a]]>b"));
        assert_eq!(
            content("a &lt;b&gt; &amp;&quot;&apos; &#x4e2d;&#25991;").as_deref(),
            Some("a <b> &\"' 中文")
        );
        assert_eq!(content("").as_deref(), Some(""));
        assert_eq!(content("<!-- no -->x").as_deref(), Some("x"));
    }

    #[test]
    fn what_could_be_read_in_two_ways_or_grow_is_refused() {
        for bad in [
            "",
            "   ",
            "{\"Content\":1}",
            "<html><Content>1</Content></html>",
            "<xml><Content>1</Content>",
            "<xml><Content>1</Content></xml><xml></xml>",
            "<xml><Content>1</Content></xml>tail",
            "tail<xml></xml>",
            "<xml><Content>1</Content><Content>2</Content></xml>",
            "<xml><Content>1</Contents></xml>",
            "<xml><Content>&nbsp;</Content></xml>",
            "<xml><Content>&#xD800;</Content></xml>",
            "<!DOCTYPE xml [<!ENTITY a \"b\">]><xml><Content>&a;</Content></xml>",
            "<!DOCTYPE xml SYSTEM \"file:///etc/hostname\"><xml><Content>1</Content></xml>",
            "<?xml version=\"1.0\" encoding=\"GBK\"?><xml><Content>1</Content></xml>",
        ] {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(read(b"<xml><Content>\xce\xd2</Content></xml>").is_err(), "GBK bytes");
        let deep = "<a>".repeat(100_000);
        assert!(read(format!("<xml>{deep}").as_bytes()).is_err());
    }

    #[test]
    fn only_top_fields_count_and_the_scan_inside_its_element() {
        let document = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xml>\n <Other><Content>no</Content></Other>\n \
             <Content>yes<b>no</b>!</Content>\n <Empty/>\n \
             <ScanCodeInfo><ScanType>barcode</ScanType><ScanResult>CODE_128,SF1</ScanResult></ScanCodeInfo>\n</xml>\n";
        let fields = read(document.as_bytes()).unwrap();
        assert_eq!(text(&fields.content), "yes!");
        assert_eq!(text(&fields.scanned), "CODE_128,SF1");
    }

    #[test]
    fn a_reply_reads_back_whatever_the_buyer_wrote() {
        for content in ["您好", "]]>", "]]]]>>", "<xml>&amp;", "a\nb"] {
            let xml = text_reply("o-1", "gh_1", 1_700_000_000, content);
            let fields = read(xml.as_bytes()).unwrap();
            assert_eq!(text(&fields.content), content, "{xml}");
            assert_eq!((text(&fields.to), text(&fields.from)), ("o-1", "gh_1"));
            assert_eq!((text(&fields.created), text(&fields.kind)), ("1700000000", "text"));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body: Vec<u8>) {
            let _ = read(&body);
        }

        #[test]
        fn any_markup_is_read_or_refused(body in "(<xml>|</xml>|<Content>|</Content>|<!\\[CDATA\\[|\\]\\]>|&|;|#x?[0-9]{0,8}|<|>|<!DOCTYPE|<\\?xml|[ a-z\\[\\]]){0,24}") {
            let _ = read(body.as_bytes());
        }

        #[test]
        fn any_text_comes_back(content in "[^\\p{Cc}]{0,60}") {
            let xml = text_reply("o", "gh", 0, &content);
            let fields = read(xml.as_bytes()).unwrap();
            proptest::prop_assert_eq!(text(&fields.content), content);
        }
    }
}
