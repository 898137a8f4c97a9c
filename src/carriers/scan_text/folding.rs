//! Brings scan sentences into one spelling and drops what says nothing of the parcel: courtesies, conditions, phone
//! numbers. Must never drop a clause that says what happened.

use super::may_hold_number;
use crate::model::event::canonical;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::Regex;
use std::borrow::Cow;
use std::sync::LazyLock;

/// Words from which on a clause only says what to do *if* something happens.
const CONDITIONS: &[&str] = &[
    "如有",
    "如果",
    "如您",
    "如未",
    "如需",
    "如对",
    "如遇",
    "如非",
    "如逾期",
    "若有",
    "若您",
    "若未",
    "若需",
    "若逾期",
    "倘若",
    "有问题",
    "有疑问",
    "有什么疑问",
    "有任何",
    "有事呼叫",
    "有事请",
    "投诉电话",
    "投诉请",
    "感谢",
    "期待",
    "请给",
    "赏个",
    "五星",
    "好评",
    "疫情期间",
    "逾期将",
    "超期将",
];
/// How a clause begins that only goes on with the condition before it.
const GOES_ON: &[&str] = &["请", "可", "拨打", "联系", "欢迎", "敬请", "电话", "或"];

/// `电话13800000000`: the word counts only where it is no label of a number.
static PHONES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(联系)?(电话|手机号?码?|电联|联系方式|tel|phone)?(号码)?[:为是]*\+?\d[\d*-]{6,}(/\d[\d-]{6,})*",
    )
    .ok()
});

/// Traditional characters of scan sentences, each followed by its simplified one: the rules know these only.
const SIMPLIFIED: &str = "簽签達达離离開开發发運运轉转處处貨货遞递員员領领櫃柜郵邮關关檢检驗验無无聯联絡络係系繫系請请準准備备攬揽訂订單单預预計计將将進进掃扫\
車车裝装門门鄰邻損损遺遗銷销毀毁點点間间尋寻絕绝電电話话號号碼码為为與与從从來来後后還还時时實实業业務务區区倉仓網网場场鐵铁機机飛飞國国際际\
詳详錯错誤误異异狀状態态經经過过據据應应該该認认證证軟软親亲戶户滿满";

/// The ideographs' block, each as its simplified character: one look for each character of a sentence.
static SIMPLE: LazyLock<Vec<char>> = LazyLock::new(|| {
    let mut simple: Vec<char> = (FIRST..=LAST).collect();
    let mut chars = SIMPLIFIED.chars();
    while let (Some(traditional), Some(simplified)) = (chars.next(), chars.next()) {
        if let Some(place) = simple.get_mut((traditional as usize).wrapping_sub(FIRST as usize)) {
            *place = simplified;
        }
    }
    simple
});
const FIRST: char = '\u{4e00}';
const LAST: char = '\u{9fff}';

fn simplified(c: char) -> char {
    SIMPLE.get((c as usize).wrapping_sub(FIRST as usize)).copied().unwrap_or(c)
}

/// Finds the first of [`CONDITIONS`].
static CONDITION: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    // Without a prefilter: Chinese characters share so many bytes that it stops at every other one.
    AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).prefilter(false).build(CONDITIONS).ok()
});

fn is_wide(c: char) -> bool {
    !c.is_ascii() && !c.is_whitespace()
}

/// Half width, lower case, no spaces beside Chinese, brackets as 【】, without conditions, courtesies and phones.
pub fn fold_sentence(text: &str) -> String {
    let canonical = canonical(text);
    // Bytes that only an ideograph begins with are counted at once; the rest of the block is rare.
    let begun = canonical.bytes().filter(|byte| matches!(byte, 0xe5..=0xe9)).count();
    if begun == 0 && !canonical.chars().any(|c| (FIRST..=LAST).contains(&c)) {
        return without_english_conditions(canonical);
    }
    let mut squeezed = String::with_capacity(canonical.len());
    let beside_wide = |c: Option<char>| {
        c.is_none_or(|c| is_wide(c) || matches!(c, '[' | ']' | '(' | ')' | ',' | ':' | ';'))
    };
    let (mut chars, mut before) = (canonical.chars().peekable(), None);
    while let Some(c) = chars.next() {
        match c {
            ' ' if beside_wide(before) || beside_wide(chars.peek().copied()) => {}
            '[' | '「' | '『' | '〔' => squeezed.push('【'),
            ']' | '」' | '』' | '〕' => squeezed.push('】'),
            '﹐' | '、' => squeezed.push(','),
            other if other.is_ascii() => squeezed.push(other),
            other => squeezed.push(simplified(other)),
        }
        before = Some(c);
    }
    if let Some(phones) = PHONES.as_ref().filter(|_| may_hold_number(&squeezed, 7))
        && let Cow::Owned(cut) = phones.replace_all(&squeezed, "")
    {
        squeezed = cut;
    }
    without_conditions(squeezed)
}

fn without_conditions(text: String) -> String {
    // Most sentences hold none.
    let words = CONDITION.as_ref().is_some_and(|words| words.is_match(&text));
    if !words && !text.contains('如') && !text.contains('若') {
        return text;
    }
    let mut kept = String::with_capacity(text.len());
    let mut conditional = false;
    for clause in text.split_inclusive([',', '。', ';', '!', '?']) {
        let bare = clause.trim_start_matches(|c: char| "【】()\"“”".contains(c) || c.is_whitespace());
        if conditional && GOES_ON.iter().any(|word| bare.starts_with(word)) {
            continue;
        }
        let cut = CONDITION.as_ref().and_then(|words| words.find(clause)).map(|found| found.start());
        let cut = if begins_conditionally(bare) { Some(0) } else { cut };
        conditional = cut.is_some();
        match cut {
            None => kept.push_str(clause),
            Some(at) => {
                kept.push_str(&clause[..at]);
                // A condition in brackets ends with them.
                match clause[at..].find([')', '】']) {
                    Some(end) => kept.push_str(&clause[at + end..]),
                    None => kept.push(','),
                }
            }
        }
    }
    kept
}

/// `如…`, `若…` at the head of a clause, unless it is a town.
fn begins_conditionally(clause: &str) -> bool {
    clause.starts_with(['如', '若'])
        && !["如皋", "如东", "若羌", "若尔盖"].iter().any(|town| clause.starts_with(town))
}

/// `if you have not received it, …` says nothing of what happened.
fn without_english_conditions(text: String) -> String {
    if !text.contains("if ") && !text.contains("in case") {
        return text;
    }
    let mut kept = String::with_capacity(text.len());
    for sentence in text.split_inclusive(['.', '!', '?', ';']) {
        let cut = ["if you", "if the", "if it", "if not", "if no", "in case"].iter();
        let cut = cut
            .filter_map(|word| sentence.find(word))
            .filter(|at| sentence[..*at].chars().next_back().is_none_or(|c| !c.is_alphanumeric()));
        match cut.min() {
            None => kept.push_str(sentence),
            Some(at) => kept.push_str(&sentence[..at]),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn courtesies_conditions_and_phones_fall_away() {
        for (text, folded) in [
            ("已签收， 感谢使用，期待再次为您服务", "已签收,,,"),
            ("貨件已由前檯簽收", "货件已由前檯签收"),
            ("[武汉市] 快件到达 [武昌关南]", "【武汉市】快件到达【武昌关南】"),
            ("派件中 派件人: 李明 电话 13800000000 如有疑问，请联系：0755-1234567", "派件中派件人:李明,"),
            ("如您未收到此快递，请拨打投诉电话", ","),
            ("Delivered. If you have not received it, call us.", "delivered. "),
        ] {
            assert_eq!(fold_sentence(text), folded);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_folds(text in "\\PC{0,60}") {
            let _ = fold_sentence(&text);
        }
    }
}
