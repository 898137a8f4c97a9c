//! Finds who and where in a scan sentence: pickup code, courier's name and phone, place, signer.
//! Source: normalized tracking model 3.4. Must never take a longer number for a phone, nor a phone for a code.

use super::{Read, may_hold_number};
use crate::model::{Meaning, Status};
use regex::Regex;
use std::sync::LazyLock;

static CODE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:取件码|取货码|提货码)[：:为是【\s]{0,4}([0-9A-Za-z-]{3,12})").ok());
static PHONE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8}").ok());
static COURIER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?:投递员姓名|揽投员姓名|派送业务员|派送员|派件员|派件人|投递员|快递员|配送员|业务员|小哥|取件人|收件员)[：:，,\s【\[]*([\p{Han}*]{2,4})",
    )
    .ok()
});
static PLACE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?:存放至|存放到|存放在|暂存至|暂存到|暂存在|存入|投入|放入|送达至?|送至|派送至|已由|已被)[\s]*[【\[]?([^【】\[\]，,。；;！!]{2,40}?)(?:[】\]，,。；;！!]|代收|代签|$)",
    )
    .ok()
});
static SIGNER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"签收人\s*(?:是|为)?\s*[：:]?\s*[【\[]?\s*([^【】\[\]，,。；;！!（(]{1,20}?)\s*(?:[】\]，,。；;！!（(]|签收|已签收|感谢|$)").ok()
});

fn first(pattern: &LazyLock<Option<Regex>>, text: &str) -> Option<String> {
    // What a match captured costs more to keep than to look for it in vain.
    let pattern = pattern.as_ref().filter(|pattern| pattern.is_match(text))?;
    let found = pattern.captures(text)?.get(1)?.as_str().trim();
    (!found.is_empty()).then(|| found.to_owned())
}

pub(super) fn read(text: &str, meaning: Option<Meaning>) -> Read {
    let status = meaning.map(|meaning| meaning.status);
    let waits = status == Some(Status::ReadyForPickup);
    let signed = matches!(status, Some(Status::Delivered | Status::Returned));
    Read {
        meaning,
        pickup_code: first(&CODE, text),
        courier_phone: phone(text),
        courier_name: first(&COURIER, text)
            .map(|name| trim_name(&name))
            .filter(|name| name.chars().count() >= 2),
        pickup_place: waits.then(|| first(&PLACE, text)).flatten(),
        signed_by: signed.then(|| first(&SIGNER, text)).flatten().filter(|name| is_signer(name)),
    }
}

/// The first phone that is no part of a longer run of digits.
fn phone(text: &str) -> Option<String> {
    let pattern = PHONE.as_ref().filter(|_| may_hold_number(text, 10))?;
    let found = pattern.find_iter(text).find(|found| {
        let before = text[..found.start()].chars().next_back();
        let after = text[found.end()..].chars().next();
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        !digit(before) && !digit(after)
    })?;
    Some(found.as_str().to_owned())
}

/// The words after a name that are none of it.
fn trim_name(name: &str) -> String {
    let ends = ["正在", "已", "电话", "手机", "联系", "当前", "将", "为您"];
    let end = ends.iter().filter_map(|word| name.find(word)).min().unwrap_or(name.len());
    name[..end].to_owned()
}

/// `签收人凭取货码签收`, `签收人: 已签收` name nobody.
fn is_signer(name: &str) -> bool {
    !["凭", "已签收", "已", "转", "信息"].iter().any(|word| name.starts_with(word))
}
