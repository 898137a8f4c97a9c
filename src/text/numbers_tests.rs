//! What is found in what people paste.
use super::*;

fn found(text: &str) -> (String, String, String) {
    let slots = find(text);
    (slots.numbers.join(" "), slots.orders.join(" "), slots.phone_tails.join(" "))
}

#[test]
fn tracking_numbers_are_found_inside_sentences_and_links() {
    for (text, expected) in [
        ("单号SF7444400031887到哪了", "SF7444400031887"),
        ("ｓｆ７４４４４０００３１８８７", "SF7444400031887"),
        ("SF 7444400031887 到哪了", "SF7444400031887"),
        ("YT2600227881409怎么不动了", "YT2600227881409"),
        ("JDVC30380993329-1-1-", "JDVC30380993329-1-1"),
        ("track 1Z0000000000000000 please", "1Z0000000000000000"),
        ("RM473124829GB", "RM473124829GB"),
        ("https://www.kuaidi100.com/chaxun?nu=JT0006968326954&com=jtexpress", "JT0006968326954"),
        ("我的快递单号是 9400 1000 0000 0000 0000 00", "9400100000000000000000"),
    ] {
        assert_eq!(found(text), (expected.into(), String::new(), String::new()), "{text}");
    }
}

#[test]
fn order_numbers_of_each_platform_are_found() {
    for (text, expected) in [
        ("订单号2101234567890123456什么时候发货", "2101234567890123456"),
        ("订单编号：123456789012", "123456789012"),
        ("[订单编号13912345678]什么时候发", "13912345678"),
        ("拼多多的 260101-123456789012345 发了吗", "260101-123456789012345"),
        ("where is order #1001", "1001"),
        ("what's the status of order 10023", "10023"),
        ("DEMO-NORMAL 到哪了", "DEMO-NORMAL"),
        ("demo-split", "DEMO-SPLIT"),
        ("#1001", "1001"),
        ("A1001", "A1001"),
        ("我的a1001发货了吗", "A1001"),
        ("https://trade.taobao.com/detail?biz_order_id=2101234567890123456", "2101234567890123456"),
    ] {
        assert_eq!(found(text), (String::new(), expected.into(), String::new()), "{text}");
    }
}

#[test]
fn phone_tails_are_found_and_phones_are_never_waybills() {
    for (text, order, tail) in [
        ("订单号A1001 尾号1234", "A1001", "1234"),
        ("A1001 1234", "A1001", "1234"),
        ("A1001，手机后四位 1234", "A1001", "1234"),
        ("1234", "", "1234"),
        (" 8８０1。", "", "8801"),
        ("order A1001, phone ending in 1234", "A1001", "1234"),
        ("last four digits 0042", "", "0042"),
        ("手机尾号是5566", "", "5566"),
        ("138****0000", "", "0000"),
    ] {
        assert_eq!(found(text), (String::new(), order.into(), tail.into()), "{text}");
    }
    for text in [
        "13800138000",
        "我电话13800138000 快递到哪了",
        "+86 138 0013 8000",
        "138-0013-8000",
        "+8613800138000",
    ] {
        let slots = find(text);
        assert_eq!(
            (slots.phones, slots.numbers.len(), slots.orders.len()),
            (vec!["13800138000".into()], 0, 0),
            "{text}"
        );
    }
    assert_eq!(find("单号尾号8812的到哪了").number_tails, vec!["8812"]);
}

#[test]
fn a_number_that_may_be_both_is_both() {
    let slots = find("73100196611386");
    assert_eq!((slots.numbers, slots.orders), (vec!["73100196611386".into()], vec!["73100196611386".into()]));
    let slots = find("单号 777031922725111");
    assert_eq!((slots.numbers.len(), slots.orders.len()), (1, 1));
    assert_eq!(find("运单号 777031922725111").orders, Vec::<String>::new());
}

#[test]
fn what_is_no_number_is_left_alone() {
    for text in [
        "",
        "我的快递到哪了",
        "2026-03-02",
        "20260302下的单",
        "花了1000元",
        "2024年买的",
        "iphone15有货吗",
        "t-shirt in size 9",
        "e-mail me",
        "3天了",
        "都2周了",
        "check-in",
        "https://item.jd.com/100012043978.html",
        "the pre-order",
        "下午3点前能到吗",
    ] {
        assert_eq!(find(text), Slots::default(), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read(text in "\\PC{0,60}") {
        let _ = find(&text);
    }
    #[test]
    fn dashes_stars_and_digits_are_read(text in "[0-9A-Za-z*# .:订单尾号-]{0,60}") {
        let slots = find(&text);
        proptest::prop_assert!(slots.numbers.iter().all(|number| !is_mobile(number)));
    }
}
