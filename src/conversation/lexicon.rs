//! Words with one meaning, so that 「啥时候给发」 and 「何时发货」 look alike to the scorer, typos included.
//! Must never be shown to anyone: it is for reading only.

use aho_corasick::{AhoCorasick, MatchKind};
use std::sync::OnceLock;

/// A piece of a message: a concept, or a character or word that belongs to none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// Hash of the concept's name or of the text.
    pub id: u32,
    /// A word of the lexicon.
    pub concept: bool,
}

/// One language's words.
pub struct Lexicon {
    automaton: AhoCorasick,
    concepts: Vec<u32>,
    /// Whether words are divided by spaces.
    spaced: bool,
}

/// 32-bit FNV-1a.
pub const fn hash(text: &str) -> u32 {
    let bytes = text.as_bytes();
    let (mut state, mut at) = (0x811c_9dc5_u32, 0);
    while at < bytes.len() {
        state = (state ^ bytes[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    state
}

fn build(text: &'static str, spaced: bool) -> Option<Lexicon> {
    let mut words: Vec<String> = Vec::new();
    let mut concepts = Vec::new();
    for line in text.lines() {
        let Some((name, list)) = line.split_once(" = ").filter(|_| !line.starts_with("# ")) else { continue };
        let variants: Vec<&str> = if spaced { list.split('|').collect() } else { list.split(' ').collect() };
        for word in variants.into_iter().map(str::trim).filter(|word| !word.is_empty()) {
            words.push(if spaced { format!(" {} ", spaced_words(word)) } else { word.to_owned() });
            concepts.push(hash(name));
        }
    }
    let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&words).ok()?;
    Some(Lexicon { automaton, concepts, spaced })
}

/// English as words with single spaces: "hasn't" → "has not", "where's" → "where is", "u" → "you".
pub fn spaced_words(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for word in text.split(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '#')) {
        let word = word.trim_matches('\'');
        if word.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        match short_form(word) {
            Some(whole) => out.push_str(whole),
            None => match word.split_once('\'') {
                Some((head, "t")) => {
                    out.push_str(head.strip_suffix('n').unwrap_or(head));
                    out.push_str(" not");
                }
                Some((head, "s")) => {
                    out.push_str(head);
                    out.push_str(" is");
                }
                Some((head, "ve")) => {
                    out.push_str(head);
                    out.push_str(" have");
                }
                Some((head, "re")) => {
                    out.push_str(head);
                    out.push_str(" are");
                }
                Some((head, "ll")) => {
                    out.push_str(head);
                    out.push_str(" will");
                }
                Some((head, "m")) => {
                    out.push_str(head);
                    out.push_str(" am");
                }
                Some((head, "d")) => {
                    out.push_str(head);
                    out.push_str(" would");
                }
                Some((head, rest)) => {
                    out.push_str(head);
                    out.push_str(rest);
                }
                None => out.push_str(word),
            },
        }
    }
    out
}

fn short_form(word: &str) -> Option<&'static str> {
    Some(match word {
        "can't" | "cant" => "can not",
        "won't" | "wont" => "will not",
        "dont" => "do not",
        "didnt" => "did not",
        "doesnt" => "does not",
        "hasnt" => "has not",
        "havent" => "have not",
        "isnt" => "is not",
        "wasnt" => "was not",
        "wheres" => "where is",
        "whats" => "what is",
        "whens" => "when is",
        "hows" => "how is",
        "im" => "i am",
        "ive" => "i have",
        "its" => "it is",
        "thats" => "that is",
        "u" => "you",
        "ur" | "youre" => "your",
        "r" => "are",
        "pls" | "plz" | "pleas" | "plese" => "please",
        "wanna" => "want to",
        "gonna" => "going to",
        "gotta" => "got to",
        "recieve" | "recive" | "receve" => "receive",
        "recieved" | "recived" | "rcvd" | "receieved" => "received",
        "cannot" => "can not",
        "let's" => "let us",
        "abt" => "about",
        "yest" => "yesterday",
        "2" => "2",
        "rn" => "right now",
        "ppl" => "people",
        "msg" => "message",
        "acct" => "account",
        "addr" => "address",
        "del" => "delivery",
        _ => return None,
    })
}

/// The Chinese lexicon.
pub fn chinese() -> Option<&'static Lexicon> {
    static LEXICON: OnceLock<Option<Lexicon>> = OnceLock::new();
    LEXICON.get_or_init(|| build(include_str!("lexicon_zh.txt"), false)).as_ref()
}

/// The English lexicon.
pub fn english() -> Option<&'static Lexicon> {
    static LEXICON: OnceLock<Option<Lexicon>> = OnceLock::new();
    LEXICON.get_or_init(|| build(include_str!("lexicon_en.txt"), true)).as_ref()
}

/// `3天`, `two weeks`: a stretch of time.
pub const DURATION: &str = "DURATION";
const NUMERALS: &str = "一二两三四五六七八九十几半多个0123456789";
const UNITS: [&str; 12] =
    ["工作日", "星期", "礼拜", "小时", "钟头", "分钟", "天", "日", "周", "月", "年", "晚"];

impl Lexicon {
    /// Cuts prepared text into tokens. English text must have gone through [`spaced_words`].
    pub fn tokens(&self, text: &str, out: &mut Vec<Token>) {
        if self.spaced { self.spaced_tokens(text, out) } else { self.dense_tokens(text, out) }
    }

    fn dense_tokens(&self, text: &str, out: &mut Vec<Token>) {
        let mut at = 0;
        for found in self.automaton.find_iter(text) {
            if found.start() > at {
                loose(&text[at..found.start()], &text[found.start()..], out);
            }
            out.push(Token { id: self.concepts[found.pattern().as_usize()], concept: true });
            at = found.end();
        }
        loose(&text[at..], "", out);
    }

    fn spaced_tokens(&self, text: &str, out: &mut Vec<Token>) {
        let padded = format!(" {text} ");
        let mut at = 0;
        let mut start = 0;
        // The space after a word is the space before the next: step back by one after each match.
        while start < padded.len() {
            let Some(found) = self.automaton.find(aho_corasick::Input::new(&padded).range(start..)) else {
                break;
            };
            if found.start() > at {
                words(&padded[at..found.start()], out);
            }
            out.push(Token { id: self.concepts[found.pattern().as_usize()], concept: true });
            at = found.end() - 1;
            start = at;
        }
        words(&padded[at..], out);
    }
}

/// Characters outside the lexicon, one by one; numerals with a unit are a duration.
fn loose(text: &str, _after: &str, out: &mut Vec<Token>) {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if NUMERALS.contains(c) && c != '多' && c != '个' {
            let numeral = rest.find(|c| !NUMERALS.contains(c)).unwrap_or(rest.len());
            let tail = &rest[numeral..];
            if let Some(unit) = UNITS.iter().find(|unit| tail.starts_with(**unit)) {
                out.push(Token { id: hash(DURATION), concept: true });
                rest = &tail[unit.len()..];
                continue;
            }
        }
        if c.is_ascii_alphanumeric() {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            out.push(Token { id: hash(&rest[..end]), concept: false });
            rest = &rest[end..];
            continue;
        }
        let length = c.len_utf8();
        if !c.is_whitespace()
            && !matches!(c, ',' | '。' | '、' | '!' | ';' | ':' | '.' | '~' | '(' | ')' | '"' | '“' | '”')
        {
            out.push(Token { id: hash(&rest[..length]), concept: false });
        }
        rest = &rest[length..];
    }
}

fn words(text: &str, out: &mut Vec<Token>) {
    let mut numeral = false;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let unit = matches!(
            word,
            "day" | "days" | "week" | "weeks" | "month" | "months" | "hour" | "hours" | "wks" | "hrs"
        );
        if unit && numeral {
            out.pop();
        }
        if unit {
            out.push(Token { id: hash(DURATION), concept: true });
        } else {
            out.push(Token { id: hash(word), concept: false });
        }
        numeral = word.bytes().all(|byte| byte.is_ascii_digit())
            || matches!(
                word,
                "a" | "one"
                    | "two"
                    | "three"
                    | "four"
                    | "five"
                    | "six"
                    | "seven"
                    | "ten"
                    | "several"
                    | "few"
                    | "couple"
            );
    }
}

/// Whether a text is only an opening, 「那个」, 「我想问下」, "I have a question": its rest is still to come.
pub fn is_fragment(text: &str, han: bool) -> bool {
    let mut tokens = Vec::new();
    if han {
        if let Some(lexicon) = chinese() {
            lexicon.tokens(text, &mut tokens);
        }
    } else if let Some(lexicon) = english() {
        lexicon.tokens(&spaced_words(text), &mut tokens);
    }
    const OPENING: u32 = hash("FRAGMENT");
    const GREET: u32 = hash("GREET");
    const HELP: u32 = hash("ASKSELF");
    // "请问在吗" ends with a greeting and can be answered; "在吗 我想问下" goes on.
    let last = tokens.iter().rev().find(|token| token.concept).map(|token| token.id);
    if !matches!(last, Some(OPENING | HELP)) {
        return false;
    }
    tokens.iter().all(|token| match token.concept {
        true => matches!(token.id, OPENING | GREET | HELP),
        false => FILLERS.iter().any(|filler| hash(filler) == token.id),
    })
}

/// Words that add nothing to an opening.
const FILLERS: [&str; 24] = [
    "啊", "呢", "哈", "呀", "哦", "嗯", "亲", "吧", "啦", "的", "我", "你", "下", "一", "就", "a", "the",
    "i", "sir", "there", "my", "you", "ok", "just",
];
