//! Which of the languages that we have is closest to what a buyer reads. Must never answer with one that we lack.

/// Script and region decide for Chinese: traditional for Hant, Taiwan, Hong Kong and Macao, simplified otherwise.
fn chinese(parts: &[&str]) -> &'static str {
    let has = |names: &[&str]| parts.iter().any(|part| names.contains(part));
    if has(&["hans", "cn", "sg", "my"]) {
        return "zh-CN";
    }
    if has(&["hant", "tw", "hk", "mo"]) { "zh-TW" } else { "zh-CN" }
}

/// The available locale for a language tag (`zh-Hant-HK`, `zh_TW`, `en-GB`, `EN`), if any fits.
pub fn best<'a>(wanted: &str, available: &[&'a str]) -> Option<&'a str> {
    let wanted = wanted.trim();
    let exact = |name: &str| available.iter().copied().find(|have| have.eq_ignore_ascii_case(name));
    if let Some(found) = exact(wanted) {
        return Some(found);
    }
    let tag = wanted.replace('_', "-").to_ascii_lowercase();
    // POSIX: `zh_CN.UTF-8`.
    let tag = tag.split(['.', '@', ';', ',']).next().unwrap_or_default();
    if let Some(found) = exact(tag) {
        return Some(found);
    }
    let parts: Vec<&str> = tag.split('-').collect();
    let language = *parts.first().filter(|language| !language.is_empty())?;
    if matches!(language, "zh" | "yue" | "cmn" | "wuu" | "nan" | "hak") {
        return exact(chinese(&parts[1..]));
    }
    exact(language).or_else(|| {
        available
            .iter()
            .copied()
            .find(|have| have.split('-').next().is_some_and(|have| have.eq_ignore_ascii_case(language)))
    })
}

/// What to try after `locale`, most useful first.
pub(super) fn fallbacks(locale: &str) -> &'static [&'static str] {
    if locale.starts_with("zh") { &["zh-CN", "en"] } else { &["en", "zh-CN"] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_language_is_chosen() {
        let have = ["en", "ja", "pt-BR", "zh-CN", "zh-TW"];
        for (wanted, expected) in [
            ("zh-CN", Some("zh-CN")),
            ("zh", Some("zh-CN")),
            ("zh_CN", Some("zh-CN")),
            ("zh-Hans-HK", Some("zh-CN")),
            ("zh-Hant", Some("zh-TW")),
            ("zh-HK", Some("zh-TW")),
            ("ZH-tw", Some("zh-TW")),
            ("zh_TW.UTF-8", Some("zh-TW")),
            ("yue-HK", Some("zh-TW")),
            ("en-GB", Some("en")),
            ("pt", Some("pt-BR")),
            ("ja-JP", Some("ja")),
            ("fr", None),
            ("", None),
            ("-", None),
        ] {
            assert_eq!(best(wanted, &have), expected, "{wanted}");
        }
    }
}
