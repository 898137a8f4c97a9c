//! Finds what a carrier hides inside its scan sentences: the pickup code, the courier's phone, who signed, the number
//! a parcel goes on under. Source: normalized tracking model 3.4. Must never say what a sentence means.

use crate::model::Event;

/// All end with the same character, which is looked for first: most sentences have none.
const PICKUP_CODE_WORDS: [&str; 3] = ["取件码", "取货码", "提货码"];

/// Fills the fields of an event from its own sentence, where the vendor gave them no field of their own.
pub fn enrich(event: &mut Event) {
    let Some(text) = event.raw.description.as_deref() else { return };
    if event.pickup.code.is_none() {
        event.pickup.code = pickup_code(text).map(str::to_owned);
    }
    if event.courier.phone.is_none() {
        event.courier.phone = phone(text).map(str::to_owned);
    }
    if event.signed_by.is_none() {
        event.signed_by = signer(text).map(str::to_owned);
    }
}

/// 取件码 or 取货码, up to four joining characters, then the code.
pub fn pickup_code(text: &str) -> Option<&str> {
    if !text.contains('码') {
        return None;
    }
    PICKUP_CODE_WORDS.iter().find_map(|word| {
        let after = &text[text.find(word)? + word.len()..];
        let start = after
            .char_indices()
            .take(5)
            .find(|(_, c)| !matches!(c, '：' | ':' | '为' | '是' | '【' | '「' | ' '))
            .map(|(at, _)| at)?;
        let code = &after[start..];
        let end = code.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(code.len());
        let code = code[..end].trim_end_matches('-');
        (3..=12).contains(&code.len()).then_some(code)
    })
}

/// A mobile or landline number that is not part of a longer run of digits.
pub fn phone(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let run = bytes[at..].iter().take_while(|b| b.is_ascii_digit() || **b == b'-').count();
        let candidate = text[at..at + run].trim_end_matches('-');
        // A letter in front makes it a waybill number or a pickup code.
        let alone = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        let free_behind = bytes.get(at + run).is_none_or(|b| !b.is_ascii_alphanumeric());
        if alone && free_behind && is_phone(candidate) {
            return Some(candidate);
        }
        at += run;
    }
    None
}

fn is_phone(text: &str) -> bool {
    let bytes = text.as_bytes();
    let dashes = bytes.iter().filter(|b| **b == b'-').count();
    if bytes.len() == 11 && dashes == 0 && bytes[0] == b'1' && (b'3'..=b'9').contains(&bytes[1]) {
        return true;
    }
    let digits = bytes.len() - dashes;
    bytes.first() == Some(&b'0')
        && (10..=12).contains(&digits)
        && match dashes {
            0 => true,
            1 => matches!(text.find('-'), Some(3 | 4)),
            _ => false,
        }
}

/// 签收人：… up to the next mark.
pub fn signer(text: &str) -> Option<&str> {
    if !text.contains('签') {
        return None;
    }
    let word = "签收人";
    let after = &text[text.find(word)? + word.len()..];
    let after = after.strip_prefix(['：', ':', '是', '为'])?.trim_start_matches(['【', '「', ' ']);
    let end = after.find(|c: char| "】」，,。.；; （(、".contains(c)).unwrap_or(after.len());
    let name = &after[..end];
    (!name.is_empty() && name.chars().count() <= 20).then_some(name)
}

/// Another number of the family `SF` + 13 digits than `own`.
pub fn other_sf_number(text: &str, own: &str) -> Option<String> {
    text.match_indices("SF").find_map(|(at, _)| {
        let number = text.get(at..at + 15)?;
        let whole = text.as_bytes().get(at + 15).is_none_or(|b| !b.is_ascii_digit());
        let fits = number.bytes().skip(2).all(|b| b.is_ascii_digit());
        (whole && fits && number != own).then(|| number.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pickup_code_is_found_in_every_wording() {
        for (text, code) in [
            ("您的快件已送达【翠园菜鸟驿站】，请凭取件码6-2-1034签收", Some("6-2-1034")),
            ("快件已存放至丰巢快递柜，取件码：83746251", Some("83746251")),
            ("取货码为【A-1234】，请及时领取", Some("A-1234")),
            ("请凭取件码领取", None),
            ("取件码：12", None),
            ("取件码", None),
        ] {
            assert_eq!(pickup_code(text), code, "{text}");
        }
    }

    #[test]
    fn a_waybill_number_is_no_phone() {
        for (text, found) in [
            ("快递员：李*，电话13800001234", Some("13800001234")),
            ("网点电话：0755-26001234。", Some("0755-26001234")),
            ("快件773061155005903已揽收", None),
            ("SF1380000123456", None),
            ("取件码：13800001234567", None),
            ("电话 010-12345678", Some("010-12345678")),
        ] {
            assert_eq!(phone(text), found, "{text}");
        }
    }

    #[test]
    fn the_signer_is_what_stands_behind_the_word() {
        assert_eq!(signer("快件已签收，签收人：门卫"), Some("门卫"));
        assert_eq!(signer("签收人【前台】"), None);
        assert_eq!(signer("已签收,签收人: 【本人】，感谢使用"), Some("本人"));
        assert_eq!(signer("请您准备签收"), None);
    }

    #[test]
    fn the_new_number_is_another_one() {
        let text = "快件转寄，新单号SF1000000000026，原单号SF1000000000017";
        assert_eq!(other_sf_number(text, "SF1000000000017").as_deref(), Some("SF1000000000026"));
        assert_eq!(other_sf_number("SF1000000000017", "SF1000000000017"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_sentence_is_survived(text in "[取件货码签收人：:【】0-9A-Za-z\\-，SF ]{0,60}") {
            let _ = (pickup_code(&text), phone(&text), signer(&text), other_sf_number(&text, "SF1"));
        }
    }
}
