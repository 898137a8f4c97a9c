//! The chat page, its script and style, and the widget's script, all inside the binary.
//! Must never put a word of its own on the page: every text comes from the shop's catalog, as data.

use super::door::ChatShop;
use super::{Chat, TEXT_BYTES, TEXT_CHARS, languages, origin};
use crate::http::problem::{Kind, Problem};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const PAGE: &str = include_str!("../assets/page.html");
const WIDGET: &str = include_str!("../assets/widget.js");

/// A file with the hash of its content in its name: it may be kept for ever.
struct Asset {
    name: String,
    content: &'static str,
    content_type: &'static str,
}

impl Asset {
    fn new(stem: &str, ending: &str, content: &'static str, content_type: &'static str) -> Self {
        Self { name: format!("{stem}-{}.{ending}", hash(content)), content, content_type }
    }

    fn path(&self) -> String {
        format!("/chat/-/{}", self.name)
    }
}

fn hash(content: &str) -> String {
    hex::encode(&Sha256::digest(content.as_bytes())[..6])
}

static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("page", "css", include_str!("../assets/page.css"), "text/css; charset=utf-8")
});
static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    // One module, a job a file.
    let script = concat!(
        include_str!("../assets/outbox.js"),
        include_str!("../assets/stream.js"),
        include_str!("../assets/blocks.js"),
        include_str!("../assets/page.js"),
    );
    Asset::new("page", "js", script, "text/javascript; charset=utf-8")
});
static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", include_str!("../assets/icon.svg"), "image/svg+xml"));

#[derive(Deserialize, Default)]
pub(super) struct PageOptions {
    #[serde(default)]
    locale: Option<String>,
}

/// `GET /chat/{shop}`.
pub(super) async fn page(
    State(chat): State<Chat>,
    Path(name): Path<String>,
    options: Result<Query<PageOptions>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let locale = options.ok().and_then(|Query(options)| options.locale);
    let wanted = languages::wanted(locale.as_deref(), &headers);
    let shop = chat.door.shop(&name, &wanted).ok_or(Kind::NotFound)?;
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors {}",
        origin::frame_ancestors(&shop)
    );
    let mut response = render(&name, &shop).into_response();
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    out.insert(header::VARY, HeaderValue::from_static("Accept-Language"));
    out.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    out.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        out.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Ok(response)
}

/// Fills the page's `{{name}}` places. What is put in is never read again for places.
fn render(name: &str, shop: &ChatShop) -> String {
    let facts = json!({
        "shop": name,
        "name": shop.name,
        "locale": shop.locale,
        "texts": shop.texts,
        "identity": shop.page_identity,
        "origins": shop.allowed_origins,
        "limits": {"chars": TEXT_CHARS, "bytes": TEXT_BYTES},
    });
    // Inside a script element only `<` could end it; the line separators are for old parsers.
    let facts = facts.to_string().replace('<', "\\u003c");
    let mut html = String::with_capacity(PAGE.len() + facts.len() + 256);
    let mut rest = PAGE;
    while let Some((before, after)) = rest.split_once("{{") {
        html.push_str(before);
        let Some((place, after)) = after.split_once("}}") else { break };
        match place {
            "facts" => html.push_str(&facts),
            "style" => html.push_str(&STYLE.path()),
            "script" => html.push_str(&SCRIPT.path()),
            "icon" => html.push_str(&ICON.path()),
            "locale" => html.push_str(&escape(&shop.locale)),
            "direction" => html.push_str(languages::direction(&shop.locale)),
            "name" => html.push_str(&escape(&shop.name)),
            text => html.push_str(&escape(shop.texts.get(text).map_or("", String::as_str))),
        }
        rest = after;
    }
    html.push_str(rest);
    html
}

fn escape(text: &str) -> String {
    html_escape::encode_double_quoted_attribute(text).into_owned()
}

/// `GET /chat/-/{file}`: the page's style, script and icon under their hashed names.
pub(super) async fn asset(Path(file): Path<String>) -> Result<Response, Problem> {
    let assets = [&*STYLE, &*SCRIPT, &*ICON];
    let asset = assets.into_iter().find(|asset| asset.name == file).ok_or(Kind::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, asset.content).into_response())
}

/// `GET /widget.js`: stands on other people's pages under this one name, so it is asked for anew every few minutes.
pub(super) async fn widget_script(headers: HeaderMap) -> Response {
    static TAG: LazyLock<String> = LazyLock::new(|| format!("\"{}\"", hash(WIDGET)));
    let out = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::ETAG, TAG.as_str()),
    ];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).unwrap_or("");
    if known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == TAG.as_str()) {
        return (StatusCode::NOT_MODIFIED, out).into_response();
    }
    // Pages with a cross-origin embedder policy may load it too.
    (out, [("cross-origin-resource-policy", "cross-origin")], WIDGET).into_response()
}

/// `GET /chat/{shop}/widget.json`: the few texts that the launcher needs before the page is there.
pub(super) async fn widget_facts(
    State(chat): State<Chat>,
    Path(name): Path<String>,
    options: Result<Query<PageOptions>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let locale = options.ok().and_then(|Query(options)| options.locale);
    let wanted = languages::wanted(locale.as_deref(), &headers);
    let shop = chat.door.shop(&name, &wanted).ok_or(Kind::NotFound)?;
    let text = |key: &str| shop.texts.get(key).cloned().unwrap_or_default();
    let facts = json!({
        "name": shop.name,
        "locale": shop.locale,
        "title": text("chat-title"),
        "launcher": text("chat-launcher"),
        "close": text("chat-close"),
        "unread": text("chat-new-messages"),
    });
    Ok(([(header::CACHE_CONTROL, "private, max-age=300")], Json(facts)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_break_out_of_the_page() {
        let shop = ChatShop {
            name: "</script><img src=x onerror=alert(1)>".into(),
            locale: "zh-CN".into(),
            texts: [("chat-title".to_owned(), "\"><script>{{facts}}".to_owned())].into(),
            ..ChatShop::default()
        };
        let html = render("demo", &shop);
        assert!(!html.contains("<img src=x"));
        assert!(!html.contains("\"><script>{{"));
        assert_eq!(html.matches("</script>").count(), PAGE.matches("</script>").count());
        assert!(!html.replace("{{facts}}", "").contains("{{"), "a place was left open");
    }

    #[test]
    fn every_text_that_the_page_and_script_ask_for_has_a_promised_key() {
        let promised: Vec<&str> = include_str!("../../../tests/fixtures/chat/texts.en.ftl")
            .lines()
            .filter_map(|line| line.split_once(" = ").map(|(key, _)| key))
            .collect();
        let sources = [PAGE, SCRIPT.content, WIDGET];
        let asked = regex::Regex::new(r"chat-[a-z]+(?:-[a-z]+)*").unwrap();
        for source in sources {
            for key in asked.find_iter(source) {
                assert!(promised.contains(&key.as_str()), "{} is not promised", key.as_str());
            }
        }
    }

    /// WCAG 2 relative luminance of `#rgb` or `#rrggbb`.
    fn luminance(color: &str) -> f64 {
        let digits: String = match color.len() {
            4 => color[1..].chars().flat_map(|digit| [digit, digit]).collect(),
            _ => color[1..].to_owned(),
        };
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&digits[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
    }

    #[test]
    fn every_text_can_be_read_on_its_ground_in_both_themes() {
        let rule = regex::Regex::new(r"(?s):root[^{]*\{([^}]*)\}").unwrap();
        let themes: Vec<std::collections::BTreeMap<&str, &str>> = rule
            .captures_iter(STYLE.content)
            .map(|found| found.extract::<1>().1[0])
            .map(|body| {
                let lines =
                    body.lines().filter_map(|line| line.trim().trim_end_matches(';').split_once(": "));
                lines.filter(|(_, value)| value.starts_with('#')).collect()
            })
            .collect();
        assert_eq!(themes.len(), 3, "light, dark by the system, dark by choice");
        assert_eq!(themes[1], themes[2], "the two dark themes are one");
        let pairs = [
            ("--ink", "--paper"),
            ("--ink", "--card"),
            ("--ink", "--tint"),
            ("--soft", "--paper"),
            ("--soft", "--card"),
            ("--accent", "--card"),
            ("--accent", "--tint"),
            ("--on-accent", "--accent"),
            ("--good", "--good-ground"),
            ("--move", "--move-ground"),
            ("--warn", "--warn-ground"),
            ("--bad", "--bad-ground"),
            ("--bad", "--paper"),
            ("--rest", "--rest-ground"),
            ("--paper", "--ink"),
        ];
        for theme in &themes {
            for (text, ground) in pairs {
                let (a, b) = (luminance(theme[text]), luminance(theme[ground]));
                let ratio = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(ratio >= 4.5, "{text} on {ground}: {ratio:.2}");
            }
        }
    }
}
