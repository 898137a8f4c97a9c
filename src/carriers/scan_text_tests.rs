//! The model's own cases, every rule's examples, and what must never be read as delivered.

use super::*;
use crate::model::Status;
use proptest::prelude::*;

fn words(meaning: Meaning) -> String {
    let finer = meaning.reason.map(|reason| reason.name()).or(meaning.sub.map(|sub| sub.name()));
    format!("{} {}", meaning.status, finer.unwrap_or("-"))
}

#[test]
fn the_built_in_rules_are_whole_and_every_example_holds() {
    let rules = Rules::parse(include_str!("scan_rules.toml")).unwrap();
    let mut wrong = Vec::new();
    for (rule, sentence, expected) in rules.examples() {
        let found = rules.meaning(&fold_sentence(sentence), None).map_or("none".to_owned(), words);
        if found != expected && !(expected == "unknown" && found == "none") {
            wrong.push(format!("{rule}: {sentence}: {found}, expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rules.examples().count() >= 40);
}

#[test]
fn the_models_cases() {
    for (text, expected) in [
        ("【深圳市】快件已由【前台】代签收", "delivered signed_by_other"),
        ("快件已签收，签收人：门卫", "delivered signed_by_other"),
        ("快件正在派送中，请您准备签收（快递员：李*，电话13800000000）", "out_for_delivery on_vehicle"),
        ("您的快件已送达【翠园菜鸟驿站】，请凭取件码6-2-1034签收", "ready_for_pickup station"),
        ("快件已存放至丰巢快递柜，取件码：83746251", "ready_for_pickup locker"),
        ("您已在菜鸟驿站完成取件，取件成功", "delivered collected"),
        ("派送不成功（联系不上收件人），明日再次派送", "attempt_failed unreachable"),
        ("收件人拒收，快件退回中", "exception refused"),
        ("快件已退回，正在返回寄件人", "returning on_the_way"),
        ("退回签收", "returned to_sender"),
        ("顺丰速运 已收取快件", "picked_up accepted"),
        ("商家已下单，等待揽收", "info_received label_created"),
        ("包裹已到达口岸，海关查验中", "in_transit customs_inspection"),
    ] {
        assert_eq!(read(text, None).meaning.map(words).as_deref(), Some(expected), "{text}");
    }
    assert_eq!(read("快件到达【杭州转运中心】", None).meaning, None);
    assert_eq!(words(meaning_without_code("快件到达【杭州转运中心】", None)), "in_transit moving");
    assert_eq!(words(meaning_without_code("%&/", None)), "unknown unmapped");
}

#[test]
fn what_may_come_or_did_not_is_never_delivered() {
    for text in [
        "快件正在派送途中，请您准备签收",
        "您的快件预计今天18:00前送达",
        "您的快件即将送达，请准备签收",
        "快件未签收，收件人不在",
        "请凭取货码到【城东驿站】签收",
        "签收人凭取件码到店签收，请及时取件",
        "如未收到快件，请联系快递员",
        "如已签收，请忽略本消息",
        "派送中如有问题请联系，签收后请给好评",
        "快件已到达【驿站】，等待签收",
        "客户要求自提，请携带证件签收",
        "快件无法签收，地址不详",
        "已签收,签收人是: 转EMS1100000000017",
        "快件已由超市代收，请及时取件",
        "Your parcel will be delivered tomorrow",
        "Not delivered: recipient not home",
        "Could not be delivered",
        "To be delivered by partner",
        "Undelivered",
        "Expected to be delivered by end of day",
        "If delivered to a neighbour you will be told",
        "Once delivered, sign here",
        "Scheduled for delivery today",
        "Delivered to local carrier",
        "The shipment has not yet been delivered",
        "Delivery attempted",
        "Parcel was delivered to pickup point and is ready for collection",
        "Awaiting delivery",
        "Delivered to USPS for final delivery",
    ] {
        let meaning = meaning_without_code(text, None);
        assert_ne!(meaning.status, Status::Delivered, "{text}");
    }
}

#[test]
fn who_where_and_which_code() {
    let waits = read("快件已存放至【翠园菜鸟驿站】，取件码：6-2-1034，快递员李明，电话13800000000", None);
    assert_eq!(waits.pickup_code.as_deref(), Some("6-2-1034"));
    assert_eq!(waits.pickup_place.as_deref(), Some("翠园菜鸟驿站"));
    assert_eq!(waits.courier_name.as_deref(), Some("李明"));
    assert_eq!(waits.courier_phone.as_deref(), Some("13800000000"));
    assert_eq!(read("客户签收人: 门卫 已签收", None).signed_by.as_deref(), Some("门卫"));
    assert_eq!(read("已签收,签收人是:【本人】", None).signed_by.as_deref(), Some("本人"));
    assert_eq!(read("已签收，签收人凭取货码签收。", None).signed_by, None);
    assert_eq!(read("运单号138000000001234 已发出", None).courier_phone, None);
}

#[test]
fn a_merchants_own_rule_comes_first_and_only_for_its_carrier() {
    let own = Rules::parse(
        "[[rule]]\nname = \"own\"\ncarriers = [\"best\"]\nany = [\"到站点\"]\nstatus = \"ready_for_pickup\"\n",
    )
    .unwrap();
    let rules = built_in().with_first(&own);
    assert_eq!(
        read_by(&rules, "已到站点", Some("best")).meaning.map(|m| m.status),
        Some(Status::ReadyForPickup)
    );
    assert_eq!(read_by(&rules, "已到站点", Some("sf")).meaning, None);
    for broken in [
        "[[rule]]\nname = \"x\"\nany = [\"a\"]\nstatus = \"arrived\"\n",
        "[[rule]]\nname = \"x\"\nany = [\"~(\"]\nstatus = \"delivered\"\n",
        "[[rule]]\nname = \"x\"\nany = [\"@nowhere\"]\nstatus = \"delivered\"\n",
        "[[rule]]\nname = \"x\"\nany = [\"a\"]\nstatus = \"delivered\"\nsub = \"locker\"\n",
    ] {
        assert!(Rules::parse(broken).is_err(), "{broken}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read(text in "\\PC{0,80}") {
        let _ = (read(&text, Some("sf")), meaning_without_code(&text, None));
    }
}
