//! Which news a buyer has had enough of, in their own words: 「别再发派送通知」, 「签收再说」. Pure. Must never switch off
//! more than was said: who names no kind of news is answered by whoever asks here.

use crate::model::{Chat, NoticeGroup};
use crate::text::normalize::normalize;
use crate::text::script::{self, Script};

/// Words for each group, simplified and in lower case.
const WORDS: [(NoticeGroup, &[&str]); 4] = [
    (
        NoticeGroup::Moving,
        &[
            "发货",
            "揽收",
            "到哪",
            "在哪",
            "路上",
            "途中",
            "运输",
            "中转",
            "每一步",
            "where it is",
            "where my parcel is",
            "on the way",
            "on its way",
            "in transit",
            "has shipped",
            "is shipped",
            "shipped message",
            "every step",
            "each step",
            "every scan",
        ],
    ),
    (NoticeGroup::Delivery, &["派送", "派件", "配送", "送货", "out for delivery", "out-for-delivery"]),
    (
        NoticeGroup::Arrival,
        &[
            "签收",
            "送达",
            "送到",
            "取件",
            "到货",
            "到了",
            "delivered",
            "arrive",
            "it's here",
            "it is here",
            "pickup",
        ],
    ),
    (NoticeGroup::Trouble, &["异常", "延误", "延迟", "晚点", "出问题", "delay", "exception", "problem"]),
];

/// "Only then": the groups named beside it stay, the others go.
const ONLY: [&str; 22] = [
    "只要",
    "只在",
    "只想",
    "只需",
    "只用",
    "只发",
    "只说",
    "只收",
    "只告诉",
    "只通知",
    "只提醒",
    "仅",
    "再说",
    "再告诉",
    "再通知",
    "再提醒",
    "only",
    "just tell me",
    "just let me know",
    "until",
    "unless",
    "except",
];

/// 「别再通知」 is no 「再通知」.
const NO_MORE: [&str; 7] = ["别再", "不要再", "不用再", "不必再", "不想再", "不需要再", "勿再"];

/// Does what a buyer asked who wants less; without a kind of news named, nothing is told any more.
pub fn less(chat: &mut Chat, text: &str) {
    let mut words = normalize(text);
    for phrase in NO_MORE {
        words = words.replace(phrase, "不");
    }
    let is_only = |clause: &&str| ONLY.iter().any(|only| clause.contains(only)) && !named(clause).is_empty();
    let han = script::of(&words) == Script::Han;
    let ends = |c: char| matches!(c, ',' | '.' | '。' | ';' | '!') || han && c == ' ';
    let kept: Vec<NoticeGroup> = words.split(ends).filter(is_only).flat_map(named).collect();
    if kept.is_empty() {
        let gone = named(&words);
        chat.muted |= gone.is_empty();
        chat.unwanted.extend(gone);
    } else {
        chat.muted = false;
        chat.unwanted = NoticeGroup::ALL.iter().copied().filter(|group| !kept.contains(group)).collect();
    }
    settle(chat);
}

/// Does what a buyer asked who wants news again: the kinds that are named, else all.
pub fn more(chat: &mut Chat, text: &str) {
    let wanted = named(&normalize(text));
    if std::mem::take(&mut chat.muted) {
        chat.unwanted = NoticeGroup::ALL.to_vec();
    }
    chat.unwanted.retain(|group| !wanted.is_empty() && !wanted.contains(group));
    settle(chat);
}

fn settle(chat: &mut Chat) {
    chat.unwanted.sort_unstable();
    chat.unwanted.dedup();
    chat.muted |= chat.unwanted.len() == NoticeGroup::ALL.len();
    if chat.muted {
        chat.unwanted.clear();
    }
}

fn named(words: &str) -> Vec<NoticeGroup> {
    let says = |any: &[&str]| any.iter().any(|word| words.contains(word));
    WORDS.iter().filter(|(_, any)| says(any)).map(|(group, _)| *group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use NoticeGroup::{Arrival, Delivery, Moving, Trouble};

    fn after(text: &str) -> (bool, Vec<NoticeGroup>) {
        let mut chat = Chat::default();
        less(&mut chat, text);
        (chat.muted, chat.unwanted)
    }

    #[test]
    fn the_kinds_that_are_named_go() {
        for (text, gone) in [
            ("别再发派送通知", vec![Delivery]),
            ("別再通知我派送了", vec![Delivery]),
            ("发货和揽收不用告诉我", vec![Moving]),
            ("延误提醒就别发了", vec![Trouble]),
            ("签收了不用通知我", vec![Arrival]),
            ("stop the out for delivery messages", vec![Delivery]),
            ("no more messages about where it is or delays", vec![Moving, Trouble]),
        ] {
            assert_eq!(after(text), (false, gone), "{text}");
        }
    }

    #[test]
    fn only_leaves_what_stands_beside_it() {
        for text in [
            "不用告诉我到哪了，签收再说",
            "不用告訴我到哪了，簽收再說",
            "别再发派送通知了 只要签收的",
            "签收了再告诉我",
            "only tell me when it's delivered",
            "Don’t message me until it arrives.",
            "no more updates, just let me know when it's delivered",
        ] {
            assert_eq!(after(text), (false, vec![Moving, Delivery, Trouble]), "{text}");
        }
        assert_eq!(after("只通知派送、签收"), (false, vec![Moving, Trouble]));
    }

    #[test]
    fn who_names_nothing_hears_nothing() {
        for text in [
            "不要再给我发消息了",
            "关闭物流提醒",
            "别再通知我",
            "TD退订",
            "unsubscribe me from delivery alerts",
            "",
        ] {
            assert_eq!(after(text), (true, vec![]), "{text}");
        }
    }

    #[test]
    fn what_was_switched_off_comes_back_by_name_or_as_a_whole() {
        let mut chat = Chat::default();
        for text in ["别发派送通知", "延误也不用说", "路上的也别发"] {
            less(&mut chat, text);
        }
        assert_eq!((chat.muted, chat.unwanted.as_slice()), (false, &[Moving, Delivery, Trouble][..]));
        more(&mut chat, "恢复派送通知");
        assert_eq!(chat.unwanted, [Moving, Trouble]);
        more(&mut chat, "恢复通知");
        assert_eq!((chat.muted, chat.unwanted.as_slice()), (false, &[][..]));
        less(&mut chat, "别再通知我");
        less(&mut chat, "别发派送通知");
        assert!(chat.muted, "less than nothing is still nothing");
        more(&mut chat, "签收还是通知我吧");
        assert_eq!((chat.muted, chat.unwanted.as_slice()), (false, &[Moving, Delivery, Trouble][..]));
        less(&mut chat, "签收也不用通知了");
        assert!(chat.muted);
    }
}
