//! What is understood: every intent's own examples, sentences held back, and what real messages look like.

use super::*;
use crate::conversation::intents::{builtin, load, parse};
use std::collections::BTreeMap;
use std::sync::OnceLock;

fn matcher() -> &'static Matcher {
    static MATCHER: OnceLock<Matcher> = OnceLock::new();
    MATCHER.get_or_init(|| Matcher::new(&builtin().unwrap()).unwrap())
}

fn intent(text: &str) -> String {
    matcher().read(text).intent.to_string()
}

/// The coarse names that samples use.
fn coarse(name: &str) -> &str {
    match name {
        "stuck" => "delayed",
        "fee" | "intercept" | "verify" => "other",
        name => name,
    }
}

/// Macro-averaged F1 over the labels that occur, and the precision of "about a parcel".
fn measure(answers: &[(String, String)]) -> (f64, f64) {
    let mut counts: BTreeMap<&str, [f64; 3]> = BTreeMap::new();
    let about = |name: &str| !matches!(name, "other" | "greeting" | "thanks" | "human");
    let (mut right, mut said) = (0.0, 0.0);
    for (wanted, got) in answers {
        let (wanted, got) = (coarse(wanted), coarse(got));
        counts.entry(wanted).or_default()[1] += 1.0;
        counts.entry(got).or_default()[2] += 1.0;
        if wanted == got {
            counts.entry(got).or_default()[0] += 1.0;
        }
        if about(got) {
            said += 1.0;
            right += f64::from(u8::from(about(wanted)));
        }
    }
    let scores: Vec<f64> = counts
        .values()
        .filter(|count| count[1] > 0.0)
        .map(|count| 2.0 * count[0] / (count[1] + count[2]))
        .collect();
    (scores.iter().sum::<f64>() / scores.len() as f64, right / f64::max(said, 1.0))
}

#[test]
fn the_built_in_intents_have_no_problems_and_all_names() {
    let intents = builtin().unwrap();
    let mut names: Vec<&str> = intents.iter().map(|intent| &*intent.name).collect();
    names.sort_unstable();
    let mut expected = intents::NAMES.to_vec();
    expected.sort_unstable();
    assert_eq!(names, expected);
}

#[test]
fn every_example_is_read_as_its_intent() {
    let intents = builtin().unwrap();
    let mut wrong = Vec::new();
    for intent in &intents {
        for (_, text) in intent.examples() {
            let understood = matcher().read(text);
            if understood.intent != intent.name {
                wrong.push(format!("{text}: {} instead of {}", understood.intent, intent.name));
            }
        }
        for wording in &intent.wordings {
            for not in &wording.not {
                assert_ne!(matcher().read(&not.text).intent, intent.name, "{}", not.text);
            }
        }
    }
    assert!(wrong.is_empty(), "{} examples:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn examples_that_were_not_learnt_are_understood_too() {
    let intents = builtin().unwrap();
    // Every fifth example is held back; what is left teaches.
    let mut held = Vec::new();
    let mut taught = intents.clone();
    for intent in &mut taught {
        for wording in &mut intent.wordings {
            let mut at = 0;
            wording.examples.retain(|example| {
                at += 1;
                let keep = at % 5 != 0;
                if !keep {
                    held.push((wording.language.clone(), intent.name.to_string(), example.text.clone()));
                }
                keep
            });
        }
    }
    let matcher = Matcher::new(&taught).unwrap();
    for language in ["zh", "en"] {
        let answers: Vec<(String, String)> = held
            .iter()
            .filter(|(known, ..)| known == language)
            .map(|(_, wanted, text)| (wanted.clone(), matcher.read(text).intent.to_string()))
            .collect();
        let (f1, precision) = measure(&answers);
        assert!(f1 >= 0.88, "{language}: macro-F1 {f1:.3}");
        assert!(precision >= 0.95, "{language}: precision of about-a-parcel {precision:.3}");
    }
}

#[test]
fn sentences_in_another_voice_are_understood() {
    let rows = include_str!("../../tests/fixtures/intents/heldout.tsv");
    let mut all = Vec::new();
    for language in ["zh", "en"] {
        let answers: Vec<(String, String)> = rows
            .lines()
            .skip(1)
            .map(|row| row.split('\t').collect::<Vec<_>>())
            .filter(|row| row[1] == language)
            .map(|row| (row[2].to_owned(), intent(row[0])))
            .collect();
        let (f1, _) = measure(&answers);
        assert!(f1 >= 0.88, "{language}: macro-F1 {f1:.3}");
        all.extend(answers);
    }
    let (_, precision) = measure(&all);
    assert!(precision >= 0.95, "precision of about-a-parcel {precision:.3}");
}

#[test]
fn what_stands_before_the_question_does_not_hide_it() {
    for (text, expected) in [
        ("京东快递(移动端) 你好", "greeting"),
        ("京东快递(移动端) 你好 我的快递到哪了", "track"),
        ("[订单编号123456789012] 怎么还没发货", "when_ship"),
        ("订单编号:123456789012 下单时间:2026-03-02 10:00:00 什么时候能到", "eta"),
        ("https://item.jd.com/100012043978.html 有货吗", "other"),
        ("这个什么时候发货", "when_ship"),
        ("有货吗", "other"),
        ("惊天能到吗", "eta"),
        ("收获地址写错了", "change_address"),
        ("我的包裹到哪裡了", "track"),
        ("請問什麼時候發貨", "when_ship"),
        ("ＷＨＥＲＥ　ＩＳ　ＭＹ　ＰＡＲＣＥＬ", "track"),
    ] {
        assert_eq!(intent(text), expected, "{text}");
    }
}

#[test]
fn two_questions_in_one_line_are_both_heard() {
    for (text, one, other) in [
        ("我的快递到哪了 帮我改一下收货地址", "track", "change_address"),
        ("怎么还没发货啊，能不能快点", "when_ship", "urge"),
        ("我的快递到哪了能改地址吗", "track", "change_address"),
        ("帮我看看什么时候发货顺便改下地址", "when_ship", "change_address"),
        ("where is my parcel? also I want to change my address", "track", "change_address"),
    ] {
        let understood = matcher().read(text);
        let mut heard = vec![understood.intent.to_string()];
        heard.extend(understood.also.map(|also| also.to_string()));
        heard.sort();
        let mut expected = vec![one.to_owned(), other.to_owned()];
        expected.sort();
        assert_eq!(heard, expected, "{text}");
    }
    assert_eq!(matcher().read("你好 我的快递到哪了").also, None, "a greeting is no second question");
}

#[test]
fn an_offer_of_proof_is_told_from_a_question() {
    for (text, expected) in [
        ("订单号A1001 尾号1234", "verify"),
        ("1234", "verify"),
        ("order A1001, phone ending in 1234", "verify"),
        ("13800138000", "verify"),
        ("SF7444400031887", "track"),
        ("A1001", "track"),
        ("订单号A1001 尾号1234 什么时候发货", "when_ship"),
    ] {
        assert_eq!(intent(text), expected, "{text}");
    }
}

#[test]
fn openings_wait_for_their_rest_and_whole_questions_do_not() {
    for text in
        ["那个", "我想问下", "请问", "亲 我想咨询一下", "", "😂", "12345", "quick question", "I want to ask"]
    {
        assert!(!matcher().read(text).alone, "{text}");
    }
    for text in [
        "在吗",
        "你好",
        "到哪了",
        "谢谢",
        "我想问下快递到哪了",
        "hi",
        "where is it",
        "2",
        "SF7444400031887",
        "转人工",
    ] {
        assert!(matcher().read(text).alone, "{text}");
    }
}

fn with_own(text: &str) -> Result<Matcher, Vec<Problem>> {
    let mut intents = builtin().unwrap();
    intents.push(parse("shop/size.toml", text).map_err(|problem| vec![problem])?);
    Matcher::new(&intents)
}

#[test]
fn a_merchants_own_intent_is_answered_by_its_template() {
    let own = with_own(
        "name = \"size_chart\"\nanswer = \"size-chart\"\n[words.zh]\nphrases = [\"尺码表\", \"穿多大\"]\npatterns = ['鞋码.{0,4}准']\n",
    )
    .unwrap();
    for text in ["有尺码表吗", "我一米七穿多大合适", "你家鞋码准不准"] {
        let understood = own.read(text);
        assert_eq!(
            (&*understood.intent, understood.answer.as_deref()),
            ("size_chart", Some("size-chart")),
            "{text}"
        );
    }
    assert_eq!(&*own.read("我的快递到哪了").intent, "track");
    let both = own.read("我的快递到哪了，还有尺码表发一下");
    assert_eq!((&*both.intent, both.also.as_deref()), ("size_chart", Some("track")));
}

#[test]
fn a_file_with_a_mistake_is_refused_with_its_place() {
    for (text, line, part) in [
        ("name = \"x\"\nanswer = \"a\"\ncolour = 1\n", 3, "unknown field"),
        ("name = \"x\"\nanswer = \"a\"\n[words.zh]\nphrases = [\"发货了吗\"]\n", 4, "belongs to the intent"),
        (
            "name = \"x\"\nanswer = \"a\"\nyields_to = [\"nothing\"]\n[words.zh]\nphrases = [\"独此一句\"]\n",
            3,
            "no intent is called",
        ),
        ("name = \"x\"\nanswer = \"a\"\n[words.zh]\npatterns = ['(']\n", 4, "not a regular expression"),
        ("name = \"x\"\nanswer = \"a\"\n[words.zh]\npatterns = ['(甲{1,500}){1,500}']\n", 4, "too large"),
        ("name = \"x\"\nanswer = \"a\"\n[words.zh]\nphrases = [\" \"]\n", 4, "empty"),
        ("name = \"x\"\n[words.zh]\nphrases = [\"独此一句\"]\n", 1, "needs `answer`"),
        ("name = \"x\"\nanswer = \"a\"\n", 1, "nobody can say"),
        ("name = \"Größe\"\nanswer = \"a\"\n[words.zh]\nphrases = [\"独此一句\"]\n", 1, "a-z"),
        ("name = \"track\"\n[words.zh]\nphrases = [\"独此一句\"]\n", 1, "of this name"),
        ("name = ", 1, ""),
    ] {
        let problems = with_own(text).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!((problems[0].file.as_str(), problems[0].line), ("shop/size.toml", line), "{text}");
        assert!(problems[0].message.contains(part), "{} lacks “{part}”", problems[0].message);
    }
    assert!(load([("a.toml", "name = 1")]).is_err());
}

proptest::proptest! {
    #[test]
    fn any_message_is_read(text in "\\PC{0,60}|( and also | also |where|and can ){0,6}|(了怎么|吗能|顺便){0,6}|[订单号尾快递到哪了\\[\\]【】0-9a-z #*-]{0,40}") {
        let understood = matcher().read(&text);
        proptest::prop_assert!((0.0..=1.0).contains(&understood.confidence));
    }
    #[test]
    fn any_file_is_read_or_refused(text in "[a-z\\[\\]=\"'. \\n]{0,60}") {
        let _ = parse("x.toml", &text);
    }
}
