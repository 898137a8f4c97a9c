//! The catalog, its fallbacks and its words, as a buyer reads them.
use super::*;
use crate::model::status::{Reason, Status, Sub};
use crate::model::when::CHINA;
use crate::model::{
    Arg, Block, Card, Choice, Eta, EtaPrecision, EtaSource, Line, Meaning, Raw, Shown, When, ZoneSource,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

const LOCALES: [&str; 3] = ["zh-CN", "zh-TW", "en"];

fn shanghai() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn said(catalog: &Catalog, locale: &str, zone: &TimeZone, now: &str, arg: Arg) -> String {
    let ctx = Context { shop: "demo", locale, zone, now: at(now) };
    // Any sentence with one free variable will do.
    catalog
        .line(&ctx, &Line::new("pickup-code").with("code", arg))
        .split(['：', ':'])
        .skip(1)
        .collect::<Vec<_>>()
        .join(":")
        .trim()
        .to_owned()
}

#[test]
fn every_sentence_is_said_in_every_language() {
    let catalog = Catalog::builtin();
    let zone = shanghai();
    let now = at("2026-03-02T01:30:00Z");
    for locale in LOCALES {
        let ctx = Context { shop: "demo", locale, zone: &zone, now };
        for name in keys::KEYS.keys() {
            assert!(catalog.has("demo", locale, name), "{locale} lacks {name}");
            let text = catalog.line(&ctx, &keys::sample_line(name, now));
            assert!(!text.trim().is_empty(), "{locale} {name}");
            let bad =
                |c: char| matches!(c, '{' | '}' | '$' | '\u{2066}'..='\u{2069}' | '\u{202a}'..='\u{202e}');
            assert!(!text.contains(bad), "{locale} {name}: {text}");
        }
    }
    assert_eq!(catalog.fallbacks(), 0);
}

#[test]
fn our_own_texts_have_no_flaw_and_name_the_same_carriers() {
    let sources: Vec<Source> = catalog::BUILT_IN
        .iter()
        .map(|(locale, file, text)| {
            Source::new(format!("locales/{locale}/{file}").as_ref(), (*text).to_owned()).unwrap()
        })
        .collect();
    for source in &sources {
        assert_eq!(syntax::flaws(&source.text, &Default::default()), [], "{}", source.path);
    }
    let carriers = |locale: &str| -> Vec<String> {
        let own = sources.iter().filter(|source| source.locale == locale);
        let mut names: Vec<String> = own
            .flat_map(|source| syntax::entries(&source.text))
            .filter(|entry| entry.key.starts_with("carrier-"))
            .map(|entry| entry.key.to_owned())
            .collect();
        names.sort();
        names
    };
    assert!(carriers("zh-CN").len() > 90);
    assert_eq!(carriers("zh-CN"), carriers("en"));
    assert_eq!(carriers("zh-CN"), carriers("zh-TW"));
}

#[test]
fn moments_are_said_as_near_as_is_natural() {
    let catalog = Catalog::builtin();
    let zone = shanghai();
    // 09:30 in Shanghai.
    let now = "2026-03-02T01:30:00Z";
    for (moment, zh, en) in [
        ("2026-03-02T01:14:00Z", "今天 09:14", "today at 09:14"),
        ("2026-03-01T16:00:00Z", "今天 00:00", "today at 00:00"),
        ("2026-03-01T15:59:59Z", "昨天 23:59", "yesterday at 23:59"),
        ("2026-03-03T01:14:00Z", "明天 09:14", "tomorrow at 09:14"),
        ("2026-02-20T01:14:00Z", "2月20日 09:14", "Feb 20 at 09:14"),
        ("2025-12-30T13:03:00Z", "2025年12月30日 21:03", "Dec 30, 2025 at 21:03"),
        ("2025-01-30T13:03:00Z", "2025年1月30日", "Jan 30, 2025"),
    ] {
        assert_eq!(said(&catalog, "zh-CN", &zone, now, Arg::Moment(at(moment))), zh);
        assert_eq!(said(&catalog, "en", &zone, now, Arg::Moment(at(moment))), en);
    }
    // A minute after the new year began in Shanghai; in New York it is still the old one.
    let now = "2025-12-31T16:01:00Z";
    let before = Arg::Moment(at("2025-12-31T15:58:00Z"));
    assert_eq!(said(&catalog, "zh-CN", &zone, now, before.clone()), "昨天 23:58");
    let new_york = TimeZone::get("America/New_York").unwrap();
    assert_eq!(said(&catalog, "en", &new_york, now, before), "today at 10:58");
}

#[test]
fn days_and_ages_are_relative_in_the_shops_zone() {
    let catalog = Catalog::builtin();
    let zone = shanghai();
    let now = "2026-03-02T01:30:00Z";
    for (day, zh, tw, en) in [
        ("2026-03-02T12:00:00Z", "今天", "今天", "today"),
        ("2026-03-02T16:00:00Z", "明天", "明天", "tomorrow"),
        ("2026-03-04T01:00:00Z", "后天", "後天", "Wed, Mar 4"),
        ("2026-03-06T01:00:00Z", "周五（3月6日）", "週五（3月6日）", "Fri, Mar 6"),
        ("2026-03-12T01:00:00Z", "3月12日", "3月12日", "Mar 12"),
        ("2027-01-02T01:00:00Z", "2027年1月2日", "2027年1月2日", "Jan 2, 2027"),
        ("2026-03-01T01:00:00Z", "昨天", "昨天", "yesterday"),
    ] {
        for (locale, expected) in LOCALES.into_iter().zip([zh, tw, en]) {
            assert_eq!(said(&catalog, locale, &zone, now, Arg::Day(at(day))), expected);
        }
    }
    for (then, zh, en) in [
        ("2026-03-02T01:29:31Z", "刚刚", "just now"),
        ("2026-03-02T01:45:00Z", "刚刚", "just now"),
        ("2026-03-02T01:29:00Z", "1 分钟前", "1 minute ago"),
        ("2026-03-02T01:24:00Z", "6 分钟前", "6 minutes ago"),
        ("2026-03-01T22:00:00Z", "3 小时前", "3 hours ago"),
        ("2026-02-28T01:00:00Z", "2 天前", "2 days ago"),
    ] {
        assert_eq!(said(&catalog, "zh-CN", &zone, now, Arg::Age(at(then))), zh);
        assert_eq!(said(&catalog, "en", &zone, now, Arg::Age(at(then))), en);
    }
}

fn eta(from: &str, to: &str, precision: EtaPrecision) -> Arg {
    Arg::Eta(Eta { from: at(from), to: at(to), source: EtaSource::Carrier, precision })
}

#[test]
fn an_arrival_is_a_day_a_window_or_a_time() {
    let catalog = Catalog::builtin();
    let zone = shanghai();
    let now = "2026-03-02T01:30:00Z";
    let day = || eta("2026-03-02T16:00:00Z", "2026-03-03T16:00:00Z", EtaPrecision::Day);
    assert_eq!(said(&catalog, "zh-CN", &zone, now, day()), "明天");
    let days = eta("2026-03-02T16:00:00Z", "2026-03-04T15:59:59Z", EtaPrecision::Day);
    assert_eq!(said(&catalog, "zh-CN", &zone, now, days), "明天至后天");
    let window = || eta("2026-03-02T06:00:00Z", "2026-03-02T10:00:00Z", EtaPrecision::Window);
    assert_eq!(said(&catalog, "zh-CN", &zone, now, window()), "今天 14:00–18:00");
    assert_eq!(said(&catalog, "en", &zone, now, window()), "today, 14:00–18:00");
    let time = eta("2026-03-02T06:00:00Z", "2026-03-02T06:00:00Z", EtaPrecision::Time);
    assert_eq!(said(&catalog, "zh-CN", &zone, now, time), "今天 14:00 左右");
}

fn card() -> Card {
    let seen = at("2026-03-02T01:20:00Z");
    let event = |time: When, sub: Sub, text: &str, place: Option<&str>| {
        let raw = Raw { description: Some(text.into()), ..Raw::default() };
        let mut event =
            crate::model::Event::new("sf", "SF0000000000018", "sf", time, Meaning::sub(sub), raw, seen);
        event.place.text = place.map(str::to_owned);
        (&event).into()
    };
    let when = |text: &str| When::parse(text, Some(CHINA)).unwrap();
    Card {
        carrier: "sf".into(),
        number: "SF0000000000018".into(),
        status: Status::InTransit,
        sub: Some(Sub::ArrivedHub),
        reason: None,
        eta: None,
        events: vec![
            event(
                when("2026-03-02 09:14:00"),
                Sub::ArrivedHub,
                "快件到达\u{202e}【深圳转运中心】\n",
                Some("深圳"),
            ),
            event(
                When::parse("2026-03-01 20:02:00", None).unwrap(),
                Sub::Moving,
                "Processed at LEIPZIG",
                Some("Leipzig"),
            ),
            event(when("2026-02-28"), Sub::Accepted, "顺丰速运 已收取快件", None),
        ],
    }
}

#[test]
fn a_card_tells_scans_in_a_language_that_the_buyer_reads() {
    let catalog = Catalog::builtin();
    let zone = shanghai();
    let shown = |locale| {
        let ctx = Context { shop: "demo", locale, zone: &zone, now: at("2026-03-02T01:30:00Z") };
        let mut shown = catalog.render(&ctx, &[Block::Parcel(Box::new(card()))]);
        let Some(Shown::Parcel { status_text, events, carrier_text, .. }) = shown.pop() else { panic!() };
        let lines: Vec<String> =
            events.iter().map(|event| format!("{} | {} | {}", event.at, event.at_text, event.text)).collect();
        (carrier_text, status_text, lines)
    };
    let (carrier, status, lines) = shown("zh-CN");
    assert_eq!((carrier.as_str(), status.as_str()), ("顺丰速运", "已到达转运中心"));
    assert_eq!(
        lines,
        [
            "2026-03-02T09:14:00+08:00 | 今天 09:14 | 快件到达【深圳转运中心】",
            // Its zone is unknown: no offset, no "yesterday".
            "2026-03-01T20:02:00 | 3月1日 20:02 | 运输中（Leipzig）",
            "2026-02-28T00:00:00+08:00 | 前天 | 顺丰速运 已收取快件",
        ]
    );
    let (carrier, status, lines) = shown("en");
    assert_eq!((carrier.as_str(), status.as_str()), ("SF Express", "Arrived at a sorting center"));
    assert!(lines[0].ends_with("today at 09:14 | Arrived at a sorting center (深圳)"), "{}", lines[0]);
    assert!(lines[1].ends_with("Mar 1 at 20:02 | Processed at LEIPZIG"), "{}", lines[1]);
    assert!(lines[2].ends_with("Picked up"), "{}", lines[2]);
}

#[test]
fn texts_in_a_row_are_one_bubble() {
    let catalog = Catalog::builtin();
    let zone = shanghai();
    let ctx = Context { shop: "demo", locale: "zh-CN", zone: &zone, now: at("2026-03-02T01:30:00Z") };
    let text = |key: &str| Block::Text(Line::new(key));
    let choices = vec![Choice { id: "human".into(), label: Line::new("choice-human") }];
    let blocks = [
        text("thanks"),
        text("no-such-key"),
        text("eta-unknown"),
        Block::Choices(Line::new("choose-order"), choices),
        text("thanks"),
    ];
    let shown = catalog.render(&ctx, &blocks);
    assert_eq!(shown.len(), 3);
    assert_eq!(
        shown[0],
        Shown::Text {
            text: "不客气，有需要随时找我。\n快递公司还没有给出预计送达时间。".into()
        }
    );
    let Shown::Choices { choices, .. } = &shown[1] else { panic!() };
    assert_eq!(choices[0].label, "转人工");
    // The key that nobody knows was counted, not shown.
    assert!(catalog.fallbacks() > 0);
}

#[test]
fn counts_take_their_plural() {
    let catalog = Catalog::builtin();
    let zone = shanghai();
    let say = |locale, count| {
        let ctx = Context { shop: "demo", locale, zone: &zone, now: at("2026-03-02T01:30:00Z") };
        catalog.line(&ctx, &Line::new("list-intro").with("count", Arg::Number(count)))
    };
    assert_eq!(say("en", 1), "You have 1 order:");
    assert_eq!(say("en", 2), "You have 2 orders:");
    assert_eq!(say("en", 0), "You have 0 orders:");
    assert_eq!(say("en", 1234), "You have 1,234 orders:");
    assert_eq!(say("zh-CN", 1), "您有 1 个订单：");
}

#[test]
fn a_hotline_that_nobody_knows_is_not_offered() {
    let catalog = Catalog::builtin();
    let zone = shanghai();
    let ctx = Context { shop: "demo", locale: "zh-CN", zone: &zone, now: at("2026-03-02T01:30:00Z") };
    let say = |hotline: &str| {
        let line = Line::new("change-address-moving")
            .with("parcel", Arg::Text("“猫砂”".into()))
            .with("carrier", Arg::Carrier("no-such".into()))
            .with("hotline", Arg::Text(hotline.into()));
        catalog.line(&ctx, &line)
    };
    assert!(say("95338").contains("客服 95338"));
    assert_eq!(
        say(""),
        "您的“猫砂”已经发出，需要由 NO-SUCH 确认能不能改。您可以在 NO-SUCH 的官方渠道申请，也可以回复“人工”。"
    );
}

#[test]
fn chinese_is_spaced_as_people_type_it() {
    let catalog = Catalog::builtin();
    let zone = shanghai();
    let ctx = Context { shop: "demo", locale: "zh-CN", zone: &zone, now: at("2026-03-02T01:30:00Z") };
    let say = |arg: Arg| catalog.line(&ctx, &Line::new("eta-known").with("eta", arg));
    let day = eta("2026-03-02T16:00:00Z", "2026-03-03T15:59:59Z", EtaPrecision::Day);
    assert_eq!(say(day), "预计明天送达。");
    let window = eta("2026-03-06T06:00:00Z", "2026-03-06T10:00:00Z", EtaPrecision::Window);
    assert_eq!(say(window), "预计周五（3月6日）14:00–18:00 送达。");
    // A space inside a value is the value's.
    let parcel = Arg::Text("“长裤 XL 黑 色”".into());
    let line = Line::new("order-closed").with("parcel", parcel);
    assert_eq!(catalog.line(&ctx, &line), "您的“长裤 XL 黑 色”已经关闭，不会再发货。");
}

fn source(path: &str, text: &str) -> Source {
    Source::new(path.as_ref(), text.to_owned()).unwrap()
}

fn say(catalog: &Catalog, shop: &str, locale: &str, key: &str) -> String {
    let zone = TimeZone::UTC;
    let now = at("2026-03-02T01:30:00Z");
    catalog.line(&Context { shop, locale, zone: &zone, now }, &keys::sample_line(key, now))
}

#[test]
fn a_shop_overrides_the_merchant_overrides_us_key_by_key() {
    let (catalog, problems) = Catalog::load(
        &[
            source("locales/zh-CN/own.ftl", "thanks = 谢谢惠顾\nbusy = 稍等\n-brand = 好茶\n"),
            source("shops/tea/locales/zh-CN/own.ftl", "thanks = { -brand }谢谢您\n"),
            source("locales/ja/own.ftl", "thanks = どうも\n"),
        ],
        None,
    );
    assert_eq!(problems, []);
    assert_eq!(say(&catalog, "tea", "zh-CN", "thanks"), "好茶谢谢您");
    assert_eq!(say(&catalog, "tea", "zh-CN", "busy"), "稍等");
    assert_eq!(say(&catalog, "demo", "zh-CN", "thanks"), "谢谢惠顾");
    assert_eq!(say(&catalog, "demo", "zh-CN", "delete-kept"), "好的，资料没有改动。");
    assert_eq!(say(&catalog, "demo", "zh-Hans", "thanks"), "谢谢惠顾");
    assert_eq!(say(&catalog, "demo", "zh-HK", "delete-kept"), "好的，資料沒有變動。");
    assert_eq!(catalog.fallbacks(), 0);
    // A language that is not whole: what it lacks is said in English, and counted.
    assert_eq!(say(&catalog, "demo", "ja", "thanks"), "どうも");
    assert_eq!(say(&catalog, "demo", "ja", "delete-kept"), "OK, nothing was changed.");
    assert_eq!(catalog.fallbacks(), 1);
    assert_eq!(catalog.negotiate(&["fr", "ja-JP"]), "ja");
    assert_eq!(catalog.negotiate(&["fr"]), "zh-CN");
}

#[test]
fn a_text_that_breaks_while_speaking_gives_way_to_the_next() {
    // Lawful for the lint, yet the sentence it leans on needs a variable that this one is not given.
    let (catalog, _) = Catalog::load(&[source("locales/zh-CN/own.ftl", "thanks = { greeting }\n")], None);
    assert_eq!(say(&catalog, "demo", "zh-CN", "thanks"), "不客气，有需要随时找我。");
    assert_eq!(catalog.fallbacks(), 1);
    let (catalog, _) =
        Catalog::load(&[source("locales/zh-CN/own.ftl", "thanks = { busy }\nbusy = { thanks }\n")], None);
    assert_eq!(say(&catalog, "demo", "zh-CN", "thanks"), "不客气，有需要随时找我。");
}

#[test]
fn a_broken_edit_keeps_the_last_good_text() {
    let path = "locales/zh-CN/own.ftl";
    let (first, problems) = Catalog::load(&[source(path, "thanks = 一\nbusy = 一\nother = 一\n")], None);
    assert_eq!(problems, []);

    // One sentence is wrong: it stays, the others go live.
    let edit = source(path, "thanks = 二 { $nope }\nbusy = 二\nother = 二\n");
    let (second, problems) = Catalog::load(&[edit], Some(&first));
    assert_eq!(problems.len(), 1);
    assert_eq!((problems[0].line, problems[0].column), (1, 14));
    assert!(problems[0].message.ends_with("the last good text stays in use"));
    assert_eq!(say(&second, "demo", "zh-CN", "thanks"), "一");
    assert_eq!(say(&second, "demo", "zh-CN", "busy"), "二");

    // The file does not parse: all of it stays.
    let edit = source(path, "thanks = 三\nbusy = 三 { $\nother = 三\n");
    let (third, problems) = Catalog::load(std::slice::from_ref(&edit), Some(&second));
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].line, 2);
    for (key, text) in [("thanks", "一"), ("busy", "二"), ("other", "二")] {
        assert_eq!(say(&third, "demo", "zh-CN", key), text);
    }

    // Mended: all of it goes live. Deleted: we speak again.
    let (fourth, _) = Catalog::load(&[source(path, "thanks = 四\nbusy = 四\n")], Some(&third));
    assert_eq!(say(&fourth, "demo", "zh-CN", "busy"), "四");
    assert_eq!(say(&fourth, "demo", "zh-CN", "other"), say(&Catalog::builtin(), "demo", "zh-CN", "other"));
    let (gone, _) = Catalog::load(&[], Some(&fourth));
    assert_eq!(say(&gone, "demo", "zh-CN", "thanks"), "不客气，有需要随时找我。");

    // Broken from the start: its good sentences are used, the broken one is ours.
    let (start, _) = Catalog::load(&[edit], None);
    assert_eq!(say(&start, "demo", "zh-CN", "thanks"), "三");
    assert_eq!(say(&start, "demo", "zh-CN", "other"), "三");
    assert_eq!(say(&start, "demo", "zh-CN", "busy"), say(&Catalog::builtin(), "demo", "zh-CN", "busy"));
}

#[test]
fn a_merchant_may_call_the_functions() {
    let text = "not-received-delivered = { $parcel } { DATE($at) } { DATE($at, style: \"time\") }\n\
                list-intro = { NUMBER($count, minimumFractionDigits: 1) } { DATE($count) }\n\
                thanks = { NUMBER(\"x\") }\n";
    let (catalog, problems) = Catalog::load(&[source("locales/en/own.ftl", text)], None);
    assert_eq!(problems, []);
    let zone = shanghai();
    let ctx = Context { shop: "demo", locale: "en", zone: &zone, now: at("2026-03-02T01:30:00Z") };
    let line = Line::new("not-received-delivered")
        .with("parcel", Arg::Text("Tea".into()))
        .with("at", Arg::Moment(at("2026-03-01T20:14:00Z")));
    assert_eq!(catalog.line(&ctx, &line), "Tea 2026-03-02 04:14");
    let line = Line::new("list-intro").with("count", Arg::Number(1000));
    assert_eq!(catalog.line(&ctx, &line), "1,000.0 1,000");
    assert_eq!(catalog.line(&ctx, &Line::new("thanks")), "x");
}

#[test]
fn page_texts_leave_room_for_what_the_page_knows() {
    let catalog = Catalog::builtin();
    let zone = shanghai();
    let ctx = Context { shop: "demo", locale: "en", zone: &zone, now: at("2026-03-02T01:30:00Z") };
    let texts = catalog.texts(&ctx, "chat-", "Tea & Co");
    let get = |key: &str| texts.iter().find(|(name, _)| name == key).unwrap().1.clone();
    assert_eq!(get("chat-title"), "Tea & Co · Parcel tracking");
    assert_eq!(get("chat-launcher-unread"), "Track a parcel ({count} unread)");
    assert!(texts.iter().all(|(name, text)| name.starts_with("chat-") && !text.is_empty()));
}

#[test]
fn every_status_has_words() {
    let catalog = Catalog::builtin();
    for locale in LOCALES {
        for status in Status::ALL {
            let zone = shanghai();
            assert!(
                !said(&catalog, locale, &zone, "2026-03-02T01:30:00Z", Arg::Status(*status, None, None))
                    .is_empty()
            );
        }
        let reason = Arg::Status(Status::Exception, None, Some(Reason::Weather));
        assert!(!said(&catalog, locale, &shanghai(), "2026-03-02T01:30:00Z", reason).is_empty());
    }
    // A finer word that belongs to another status is not believed.
    let odd = Arg::Status(Status::Delivered, Some(Sub::Moving), None);
    assert_eq!(said(&catalog, "zh-CN", &shanghai(), "2026-03-02T01:30:00Z", odd), "已签收");
    let at = When::at(at("2026-03-02T01:30:00Z"), CHINA, ZoneSource::Carrier);
    assert_eq!(super::when::rfc3339(&at), "2026-03-02T09:30:00+08:00");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 64, ..Default::default() })]
    #[test]
    fn any_file_is_taken_or_refused(
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        text in "((thanks|busy|greeting|-a|answer-x) ?= ?(\\{ ?(\\$shop|thanks|-a|NUMBER\\(1\\)|\"x\"|1) ?(->)?|[a-z{}\\[\\]*\n ]){0,6}\n){0,5}",
    ) {
        for text in [String::from_utf8_lossy(&bytes).into_owned(), text] {
            let (catalog, _) = Catalog::load(&[source("locales/zh-CN/own.ftl", &text)], None);
            for key in ["thanks", "busy", "greeting"] {
                let said = say(&catalog, "demo", "zh-CN", key);
                proptest::prop_assert!(!said.contains("{$") && !said.contains("NUMBER()"), "{said}");
            }
        }
    }
}
