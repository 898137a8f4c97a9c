//! Which languages a visitor wants: what the page or the widget says first, then what the browser says.
//! Must never take more than a language tag from outside.

use axum::http::{HeaderMap, header};

/// More than these are not looked at.
const MOST: usize = 8;

/// BCP 47 tags, best first.
pub fn wanted(chosen: Option<&str>, headers: &HeaderMap) -> Vec<String> {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let mut ranked: Vec<(f32, &str)> = accepted
        .split(',')
        .take(32)
        .filter_map(|item| {
            let mut parts = item.split(';');
            let tag = parts.next()?.trim();
            let quality = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            (quality > 0.0).then_some((quality, tag))
        })
        .collect();
    // Stable: equal wishes stay in their order.
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut tags: Vec<String> = Vec::new();
    for tag in chosen.map(str::trim).into_iter().chain(ranked.into_iter().map(|(_, tag)| tag)) {
        if is_tag(tag) && !tags.iter().any(|known| known.eq_ignore_ascii_case(tag)) && tags.len() < MOST {
            tags.push(tag.to_owned());
        }
    }
    tags
}

/// Whether text runs from right to left in a language.
pub fn direction(tag: &str) -> &'static str {
    let language = tag.split('-').next().unwrap_or("").to_ascii_lowercase();
    if matches!(language.as_str(), "ar" | "dv" | "fa" | "he" | "ps" | "ug" | "ur" | "yi") {
        "rtl"
    } else {
        "ltr"
    }
}

fn is_tag(text: &str) -> bool {
    let first_is_language = text.split('-').next().is_some_and(|language| {
        (2..=8).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_alphabetic())
    });
    first_is_language && text.len() <= 35 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(chosen: Option<&str>, accepted: &str) -> Vec<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, accepted.parse().unwrap());
        wanted(chosen, &headers)
    }

    #[test]
    fn the_page_comes_first_then_the_browser_by_its_weights() {
        assert_eq!(tags(None, "en;q=0.5, zh-TW, zh;q=0.8, *;q=0.1"), ["zh-TW", "zh", "en"]);
        assert_eq!(tags(Some("en"), "zh-CN,en;q=0.9"), ["en", "zh-CN"]);
        assert_eq!(tags(Some("<script>"), "fr;q=0"), Vec::<String>::new());
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_only_tags_go_on(chosen in "\\PC{0,40}", accepted in "[ -~]{0,200}") {
            for tag in tags(Some(&chosen), &accepted) {
                proptest::prop_assert!(is_tag(&tag));
            }
        }
    }
}
