//! Finds tracking numbers, order numbers, phones and phone tails inside pasted sentences and links.
//! Shapes only: whether a number exists, and whose it is, is for others. A mobile number is never a waybill.
//! Source: facts on platforms (order numbers) and carriers (waybill shapes).

use super::normalize::fold_width;

/// What was found, each list in order of appearance, without repeats, letters in upper case.
/// A string of digits that may be either stands in `numbers` and in `orders`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slots {
    /// Tracking numbers, without spaces.
    pub numbers: Vec<String>,
    /// Order numbers, as the platform writes them, without a leading `#`.
    pub orders: Vec<String>,
    /// Last four digits of a phone.
    pub phone_tails: Vec<String>,
    /// Whole mobile numbers, 11 digits, without the country code.
    pub phones: Vec<String>,
    /// Last digits of an order or waybill number (「单号尾号 8812」), 3 to 6.
    pub number_tails: Vec<String>,
}

impl Slots {
    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
            && self.orders.is_empty()
            && self.phone_tails.is_empty()
            && self.phones.is_empty()
            && self.number_tails.is_empty()
    }
}

/// What the words in front of a number call it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Label {
    None,
    /// 单号, number: of an order or a parcel.
    Number,
    Order,
    Tracking,
    PhoneTail,
    NumberTail,
    Phone,
    /// An amount, a date, an article: no number of ours.
    Foreign,
}

/// Looks at the first 2,000 characters.
pub fn find(text: &str) -> Slots {
    let mut slots = Slots::default();
    // Most messages hold no number at all; those with one usually hold digits, but DEMO-NORMAL does not.
    if !text.bytes().any(|byte| byte.is_ascii_digit() || byte == b'-') && text.is_ascii()
        || !text.chars().any(|c| c.is_ascii_digit() || c == '-' || matches!(c, '０'..='９' | '－'))
    {
        return slots;
    }
    let folded = fold_width(text);
    let lower = folded.to_ascii_lowercase();
    let runs = runs(&folded);
    let mut loose: Vec<&str> = Vec::new();
    let mut before = 0;
    let mut last = Label::None;
    let mut only_numbers = true;
    for run in &runs {
        let gap = lower.get(before..run.start).unwrap_or("");
        only_numbers &= gap.chars().all(|c| !c.is_alphanumeric());
        // A label serves the next number of a list too: "订单号 A1001、A1002".
        let label = match label(gap) {
            Label::None if !gap.chars().any(char::is_alphanumeric) && last != Label::PhoneTail => last,
            label => label,
        };
        let after = lower.get(run.end..).unwrap_or("");
        before = run.end;
        last = label;
        if !place(&run.text, label, gap, after, &mut slots) && run.text.len() == 4 && digits(&run.text) {
            loose.push(&run.text);
        }
    }
    only_numbers &= lower.get(before..).is_none_or(|rest| rest.chars().all(|c| !c.is_alphanumeric()));
    // Four digits alone, or beside nothing but an order number, answer "the last four digits of your phone?".
    if only_numbers && loose.len() == 1 {
        push(&mut slots.phone_tails, loose[0]);
    }
    slots
}

/// A stretch of letters, digits and inner dashes.
struct Run {
    start: usize,
    end: usize,
    text: String,
}

fn runs(text: &str) -> Vec<Run> {
    let bytes = text.as_bytes();
    let mut runs: Vec<Run> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_alphanumeric() {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len()
            && (bytes[at].is_ascii_alphanumeric()
                || (matches!(bytes[at], b'-' | b'*')
                    && bytes.get(at + 1).is_some_and(|next| next.is_ascii_alphanumeric() || *next == b'*')))
        {
            at += 1;
        }
        let piece = &text[start..at];
        if !piece.bytes().any(|byte| byte.is_ascii_digit()) && !piece.contains('-') {
            // A carrier's letters typed apart from its digits: "SF 1234567890123".
            let prefix = matches!(
                piece,
                "SF" | "sf" | "YT" | "yt" | "JT" | "jt" | "DPK" | "JD" | "JDV" | "STO" | "LP"
            );
            if !(prefix && bytes.get(at) == Some(&b' ') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit))
            {
                continue;
            }
        }
        let mut whole = piece.to_owned();
        // Digits written in groups: "9400 1000 0000 0000 0000 00", "138 0013 8000".
        let mut end = at;
        let mut groups = 1;
        while bytes.get(end) == Some(&b' ') && piece.len() <= 5 {
            let group: String = text[end + 1..].chars().take_while(char::is_ascii_alphanumeric).collect();
            let joins =
                digits(&group) && (group.len() <= 5 || groups == 1 && !digits(&whole) && whole.len() <= 3);
            if !joins || group.is_empty() {
                break;
            }
            whole.push_str(&group);
            end += 1 + group.len();
            groups += 1;
        }
        let count = whole.bytes().filter(u8::is_ascii_digit).count();
        let letters_first = !piece.bytes().any(|byte| byte.is_ascii_digit());
        if groups >= 3 && count >= 10 || letters_first && groups >= 2 && count >= 9 {
            at = end;
            runs.push(Run { start, end, text: whole });
        } else if !letters_first || piece.contains('-') {
            runs.push(Run { start, end: at, text: piece.to_owned() });
        }
    }
    runs
}

/// Reads the label at the end of the words before a number.
fn label(gap: &str) -> Label {
    let tail = gap.trim_end_matches(|c: char| {
        c.is_whitespace()
            || matches!(
                c,
                ':' | '：'
                    | '='
                    | '#'
                    | '"'
                    | '“'
                    | '「'
                    | '['
                    | '【'
                    | '('
                    | '（'
                    | '.'
                    | '是'
                    | '为'
                    | '?'
                    | '_'
                    | ','
                    | '，'
            )
    });
    let ends = |words: &[&str]| words.iter().any(|word| tail.ends_with(word));
    let holds = |words: &[&str]| words.iter().any(|word| tail.contains(word));
    let short: String = {
        let skip = tail.chars().count().saturating_sub(24);
        tail.chars().skip(skip).collect()
    };
    let near = |words: &[&str]| words.iter().any(|word| short.contains(word));
    if ends(&[
        "尾号",
        "尾數",
        "尾数",
        "後四位",
        "后四位",
        "后4位",
        "後4位",
        "末四位",
        "末4位",
        "后四位数",
        "后四位号码",
        "尾号后四位",
        "末尾",
        "结尾",
        "尾",
        "ending in",
        "ending with",
        "ends in",
        "ends with",
        "ending",
        "last four",
        "last 4",
        "last 4 digits",
        "last four digits",
        "last four digits are",
        "last 4 digits are",
        "last 4 are",
        "last four are",
        "tail",
    ]) {
        let of_number = near(&[
            "单号尾",
            "單號尾",
            "单尾",
            "运单尾",
            "订单尾",
            "快递尾",
            "单号后",
            "单号末",
            "订单号后",
            "快递单号",
            "order ending",
            "tracking ending",
            "parcel ending",
            "order number ending",
            "tracking number ending",
        ]) && !near(&["手机", "手機", "电话", "電話", "phone", "mobile"]);
        return if of_number { Label::NumberTail } else { Label::PhoneTail };
    }
    if ends(&[
        "手机号",
        "手機號",
        "手机",
        "手機",
        "电话",
        "電話",
        "电话号码",
        "手机号码",
        "phone",
        "mobile",
        "phone number",
        "tel",
        "联系方式",
        "号码",
        "cell",
    ]) {
        return Label::Phone;
    }
    if ends(&[
        "快递单号",
        "快遞單號",
        "运单号",
        "運單號",
        "物流单号",
        "物流單號",
        "运单",
        "運單",
        "快递号",
        "快递单",
        "运单编号",
        "物流号",
        "快递",
        "包裹",
        "tracking number",
        "tracking no",
        "tracking",
        "waybill",
        "track",
        "awb",
        "tracking id",
        "tracking code",
        "parcel",
        "package",
        "shipment",
        "tracking number is",
        "mailno",
        "nu",
        "trackingnumber",
        "tracking_number",
        "waybillno",
        "物流",
    ]) {
        return Label::Tracking;
    }
    if ends(&[
        "订单号",
        "訂單號",
        "订单编号",
        "訂單編號",
        "订单",
        "訂單",
        "交易号",
        "子订单号",
        "主订单编号",
        "order number",
        "order no",
        "order id",
        "order",
        "orderid",
        "order_id",
        "order number is",
        "order is",
        "bizorderid",
        "ordersn",
        "order_sn",
        "order nr",
        "tid",
        "purchase",
    ]) || (tail.is_empty() && gap.ends_with('#'))
        || gap.ends_with(" #")
    {
        return Label::Order;
    }
    if ends(&["单号", "單號", "单", "單", "number", "no", "编号", "編號", "号", "號"])
        && !ends(&["商品编号", "货号", "商品编號", "型号"])
    {
        return Label::Number;
    }
    if ends(&[
        "商品编号",
        "货号",
        "¥",
        "￥",
        "$",
        "€",
        "£",
        "金额",
        "价格",
        "型号",
        "商品id",
        "skuid",
        "验证码",
        "取件码",
        "密码",
    ]) || gap.ends_with("item.jd.com/")
        || holds(&["item.jd.com/", "id="]) && !holds(&["orderid=", "order_id=", "order"])
    {
        return Label::Foreign;
    }
    Label::None
}

/// Puts a run where it belongs. `false`: it is nothing that we know by itself.
fn place(run: &str, label: Label, gap: &str, after: &str, slots: &mut Slots) -> bool {
    if label == Label::Foreign {
        return true;
    }
    if let Some((head, tail)) = run.split_once('*') {
        // "138****0000", "尾号****1234": only the tail is told.
        let tail = tail.trim_start_matches('*');
        if tail.len() == 4 && digits(tail) && (head.len() <= 3 || digits(head)) {
            push(&mut slots.phone_tails, tail);
        }
        return true;
    }
    let upper = run.to_ascii_uppercase();
    let only_digits = digits(&upper);
    if only_digits {
        match (label, upper.len()) {
            (Label::PhoneTail, 4) => {
                push(&mut slots.phone_tails, &upper);
                return true;
            }
            (Label::PhoneTail | Label::NumberTail, 3..=6) => {
                push(&mut slots.number_tails, &upper);
                return true;
            }
            (Label::Phone, 4) => {
                push(&mut slots.phone_tails, &upper);
                return true;
            }
            _ => {}
        }
        if upper.len() == 4
            && (after.trim_start().starts_with("是手机尾号") || after.trim_start().starts_with("尾号"))
        {
            push(&mut slots.phone_tails, &upper);
            return true;
        }
        let mobile = upper.strip_prefix("86").filter(|rest| rest.len() == 11).unwrap_or(&upper);
        if is_mobile(mobile) && label != Label::Order {
            push(&mut slots.phones, mobile);
            return true;
        }
        if is_date(&upper) || unit_follows(after) {
            return true;
        }
        return place_digits(&upper, label, slots);
    }
    if let Some(mobile) = dashed_mobile(&upper) {
        push(&mut slots.phones, &mobile);
        return true;
    }
    if is_dashed_date(&upper) {
        return true;
    }
    if is_pinduoduo(&upper) {
        push(&mut slots.orders, &upper);
        return true;
    }
    if label == Label::Tracking && is_trackable(&upper) || is_waybill(&upper) {
        push(&mut slots.numbers, &upper);
        return true;
    }
    let prefixed = upper.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (_, rest) = upper.split_at(prefixed);
    if (2..=5).contains(&prefixed) && digits(rest) && (8..=18).contains(&rest.len()) {
        // Letters and many digits: a carrier's number that we have no rule for, or an order of a shop's own system.
        if label != Label::Order {
            push(&mut slots.numbers, &upper);
        }
        if label != Label::Tracking {
            push(&mut slots.orders, &upper);
        }
        return true;
    }
    if is_order(run, &upper, label, gap) {
        push(&mut slots.orders, &upper);
        return true;
    }
    false
}

fn place_digits(run: &str, label: Label, slots: &mut Slots) -> bool {
    let length = run.len();
    let (number, order) = match label {
        Label::Order => (false, (3..=24).contains(&length)),
        Label::Tracking => ((8..=34).contains(&length), false),
        Label::Number => ((8..=34).contains(&length), (4..=24).contains(&length)),
        _ => ((8..=22).contains(&length), (10..=19).contains(&length)),
    };
    if number {
        push(&mut slots.numbers, run);
    }
    if order {
        push(&mut slots.orders, run);
    }
    number || order
}

fn push(list: &mut Vec<String>, value: &str) {
    if list.len() < 20 && !list.iter().any(|known| known == value) {
        list.push(value.to_owned());
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A mobile number of mainland China.
pub fn is_mobile(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 11 && bytes[0] == b'1' && (b'3'..=b'9').contains(&bytes[1]) && digits(text)
}

/// "138-0013-8000", "86-13800138000".
fn dashed_mobile(text: &str) -> Option<String> {
    let joined: String = text.chars().filter(|c| *c != '-').collect();
    let joined = joined.strip_prefix("86").filter(|rest| rest.len() == 11).unwrap_or(&joined);
    is_mobile(joined).then(|| joined.to_owned())
}

/// `YYYYMMDD` of this century.
fn is_date(text: &str) -> bool {
    text.len() == 8
        && text.starts_with("20")
        && matches!(text[4..6].parse::<u8>(), Ok(1..=12))
        && matches!(text[6..8].parse::<u8>(), Ok(1..=31))
}

/// `2026-03-02`, `03-02`.
fn is_dashed_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().all(|part| digits(part) && part.len() <= 4)
        && matches!(parts.len(), 2 | 3)
        && text.len() <= 10
}

fn is_pinduoduo(text: &str) -> bool {
    text.split_once('-')
        .is_some_and(|(day, rest)| digits(day) && day.len() == 6 && digits(rest) && rest.len() == 15)
}

/// An amount or a count, not a number: "1000元", "12345678件".
fn unit_follows(after: &str) -> bool {
    let after = after.trim_start();
    ["元", "块", "塊", "年", "月", "分钟", "ml", "毫升", "mah", "%"]
        .iter()
        .any(|unit| after.starts_with(unit))
}

/// A waybill by its letters: the families whose prefix is their own.
fn is_waybill(text: &str) -> bool {
    let numbered = |prefix: &str, lengths: std::ops::RangeInclusive<usize>| {
        text.strip_prefix(prefix).is_some_and(|rest| digits(rest) && lengths.contains(&rest.len()))
    };
    let bytes = text.as_bytes();
    let s10 = bytes.len() == 13
        && bytes[..2].iter().all(u8::is_ascii_alphabetic)
        && bytes[2..11].iter().all(u8::is_ascii_digit)
        && bytes[11..].iter().all(u8::is_ascii_alphabetic);
    let ups =
        bytes.len() == 18 && text.starts_with("1Z") && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    s10 || ups
        || numbered("SF", 12..=13)
        || numbered("YT", 13..=13)
        || numbered("JT", 12..=13)
        || numbered("DPK", 9..=15)
        || numbered("STO", 10..=10)
        || numbered("LP", 14..=18)
        || numbered("TBA", 12..=12)
        || numbered("JJD", 10..=20)
        || numbered("DD", 16..=16)
        || is_jd(text)
}

/// JD waybills, with or without the package suffix `-1-2-`.
fn is_jd(text: &str) -> bool {
    let head = text.split('-').next().unwrap_or(text);
    let Some(rest) = head.strip_prefix("JD") else { return false };
    let (letters, figures) = rest.split_at(rest.bytes().take_while(u8::is_ascii_alphabetic).count());
    letters.len() <= 2
        && digits(figures)
        && (11..=13).contains(&figures.len())
        && text[head.len()..].chars().all(|c| c == '-' || c.is_ascii_digit())
}

/// After a word like "tracking number", anything that could be one.
fn is_trackable(text: &str) -> bool {
    let figures = text.bytes().filter(u8::is_ascii_digit).count();
    (8..=40).contains(&text.len()) && figures >= 6
}

/// Order names of shops' own systems: `DEMO-NORMAL`, `A1001`, `WX-2026-0001`.
fn is_order(run: &str, upper: &str, label: Label, gap: &str) -> bool {
    if upper.len() > 40 || gap.ends_with(['/', '@', '.']) && label != Label::Order {
        return false;
    }
    let figures = upper.bytes().filter(u8::is_ascii_digit).count();
    let letters = upper.bytes().filter(u8::is_ascii_alphabetic).count();
    let has_dash = upper.contains('-');
    if label == Label::Order {
        return figures >= 2 || (has_dash && letters >= 4);
    }
    if upper.starts_with("DEMO-") {
        return letters > 4;
    }
    let shouted = run.bytes().all(|byte| !byte.is_ascii_lowercase());
    if figures == 0 {
        return shouted && has_dash && upper.split('-').all(|part| part.len() >= 4);
    }
    if label == Label::Number {
        return figures >= 3;
    }
    let begins_with_letter = upper.starts_with(|c: char| c.is_ascii_alphabetic());
    begins_with_letter
        && letters <= 12
        && (figures >= 4 || has_dash && figures >= 3)
        && (shouted || has_dash || figures >= 4 && letters <= 2)
}

#[cfg(test)]
#[path = "numbers_tests.rs"]
mod tests;
