//! Hides phones and names in carriers' sentences before anyone but the proved buyer sees them.
//! Must never show more than the first three and the last four digits of a phone.

use regex::Regex;
use std::sync::OnceLock;

/// A tracking number's beginning and end: enough to tell two apart. `YT88****9501`
pub fn number(number: &str) -> String {
    let shown: Vec<char> = number.chars().collect();
    if shown.len() <= 8 {
        return "****".to_owned();
    }
    let (head, tail) = (&shown[..4], &shown[shown.len() - 4..]);
    head.iter().chain(&['*'; 4]).chain(tail).collect()
}

/// A carrier's sentence with phones and names masked: 「派件员：张*，电话138****0000」.
pub fn sentence(text: &str) -> String {
    names(&phones(text))
}

/// Mobile numbers become `138****0000`; fixed lines keep two digits at the end.
pub fn phones(text: &str) -> String {
    static PHONE: OnceLock<Option<Regex>> = OnceLock::new();
    let pattern = PHONE.get_or_init(|| {
        Regex::new(r"(?-u:\b)(?:\+?86[ -]?)?(1[3-9][0-9])[ -]?[0-9]{4}[ -]?([0-9]{4})(?-u:\b)|(?-u:\b)(0[0-9]{2,3})[ -]?[0-9]{5,6}([0-9]{2})(?-u:\b)|(?-u:\b)(400|800|95)[ -]?[0-9]{3,4}[ -]?[0-9]{3,4}(?-u:\b)").ok()
    });
    let Some(pattern) = pattern else { return String::new() };
    pattern
        .replace_all(text, |found: &regex::Captures<'_>| {
            match (found.get(1), found.get(2), found.get(3), found.get(4)) {
                (Some(head), Some(tail), ..) => format!("{}****{}", head.as_str(), tail.as_str()),
                (_, _, Some(head), Some(tail)) => format!("{}-******{}", head.as_str(), tail.as_str()),
                // A carrier's hotline is nobody's secret.
                _ => found[0].to_owned(),
            }
        })
        .into_owned()
}

/// Names after words like 快递员, 签收人: all but the first character hidden.
pub fn names(text: &str) -> String {
    static NAME: OnceLock<Option<Regex>> = OnceLock::new();
    let pattern = NAME.get_or_init(|| {
        Regex::new(r"(快递员|派件员|派送员|投递员|业务员|揽投员|收件员|揽收员|配送员|小哥|签收人|收件人|联系人|姓名|派件人|代收人)([是为]?[:：]?\s*[【\[（(「]?\s*)(\p{Han}{2,4}?)([】\]）)」,，。;；:：、\s/]|电话|手机|联系|正在|已|$)").ok()
    });
    let Some(pattern) = pattern else { return String::new() };
    pattern
        .replace_all(text, |found: &regex::Captures<'_>| {
            format!("{}{}{}{}", &found[1], &found[2], name(&found[3]), &found[4])
        })
        .into_owned()
}

/// A name with all but its first character hidden; words that are no names (本人, 驿站) stay.
pub fn name(name: &str) -> String {
    const NO_NAMES: [&str; 13] = [
        "本人",
        "家人",
        "同事",
        "邻居",
        "门卫",
        "前台",
        "保安",
        "驿站",
        "物业",
        "他人",
        "家门口",
        "快递柜",
        "丰巢",
    ];
    let name = name.trim();
    if NO_NAMES.iter().any(|word| name.starts_with(word)) {
        return name.to_owned();
    }
    let mut characters = name.chars();
    match characters.next() {
        Some(first) => std::iter::once(first)
            .chain(characters.map(|c| if c.is_whitespace() { c } else { '*' }))
            .collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_and_names_are_hidden() {
        assert_eq!(
            sentence("【杭州市】快递员：张小三，电话13800000000正在派送"),
            "【杭州市】快递员：张**，电话138****0000正在派送"
        );
        assert_eq!(sentence("派件员【李四】（138 0000 0000）"), "派件员【李*】（138****0000）");
        assert_eq!(sentence("签收人：本人签收"), "签收人：本人签收");
        assert_eq!(phones("网点电话0571-12345678"), "网点电话0571-******78");
        assert_eq!(phones("客服95338"), "客服95338");
        assert_eq!(phones("SF7444400031887"), "SF7444400031887");
        assert_eq!(name("王小明"), "王**");
        assert_eq!(name(""), "");
    }

    proptest::proptest! {
        #[test]
        fn any_sentence_is_masked(text in "\\PC{0,80}") {
            let _ = sentence(&text);
        }
        #[test]
        fn no_mobile_number_survives(head in "\\p{Han}{0,5}", number in "1[3-9][0-9]{9}", rest in "\\p{Han}{0,5}") {
            let masked = sentence(&format!("{head}{number}{rest}"));
            proptest::prop_assert!(!masked.contains(&number));
        }
    }
}
