//! Numbers of the facts (public documents' own examples, or made up with a computed check digit) and their carriers.

use super::*;
use proptest::prelude::*;

fn carriers(number: &str) -> Vec<String> {
    recognize(number, Hints::default()).into_iter().map(|candidate| candidate.carrier).collect()
}

#[test]
fn every_familys_pattern_is_a_regex() {
    assert_eq!(SHAPES.len(), FAMILIES.len());
    assert!(DASHED.is_some());
}

#[test]
fn a_naming_prefix_comes_first() {
    for (number, carrier) in [
        ("SF7444400031887", "sf"),
        ("YT2600227881409", "yto"),
        ("YT9093718083088", "yto"),
        ("JDVE00132473532", "jd"),
        ("JDVC30380993329-1-1-", "jd"),
        ("JDVA11408814483", "jd"),
        ("JT0006968326954", "jt"),
        ("DPK364112047425", "deppon"),
        ("LP00812637173551", "cainiao-global"),
        ("YT2026011812345678", "yunexpress"),
        ("JD0123456789012345", "yodel"),
        ("SIMNORMAL0001", "simulated"),
    ] {
        assert_eq!(carriers(number).first().map(String::as_str), Some(carrier), "{number}");
    }
}

#[test]
fn bare_digits_name_their_carrier_among_the_first_three() {
    for (number, carrier) in [
        ("777031922725111", "sto"),
        ("772011975782987", "sto"),
        ("773061155005903", "sto"),
        ("73100196611386", "zto"),
        ("73567696585919", "zto"),
        ("462598779470531", "yunda"),
        ("3160000261634", "yunda"),
        ("1136281381675", "ems"),
        ("1240921381750", "chinapost"),
        ("4309597495550", "chinapost"),
        ("231627640143", "sf"),
    ] {
        let found = carriers(number);
        assert!(found.iter().take(3).any(|found| found == carrier), "{number}: {found:?}");
    }
}

#[test]
fn a_check_digit_is_kept_or_the_family_is_out() {
    for (number, wrong, carrier) in [
        ("RM473124829GB", "RM473124828GB", "royalmail"),
        ("LY202601184CN", "LY202601183CN", "chinapost-intl"),
        ("EA123456785CN", "EA123456784CN", "ems"),
        ("1ZYISHI80300000424", "1ZYISHI80300000425", "ups"),
        ("2718281823", "2718281824", "dhl"),
        ("271828182841", "271828182842", "fedex"),
        ("314159265358972", "314159265358973", "fedex"),
        ("9405511206271828182842", "9405511206271828182843", "usps"),
        ("012345678901233", "012345678901234", "dpd"),
    ] {
        let valid = recognize(number, Hints::default());
        let found = valid.iter().find(|candidate| candidate.carrier == carrier);
        assert_eq!(found.map(|candidate| candidate.check), Some(Check::Valid), "{number}: {valid:?}");
        assert!(!carriers(wrong).iter().any(|found| found == carrier), "{wrong}");
    }
    assert!(carriers("LY202601184XX").is_empty() && carriers("LY202601183CN").is_empty());
}

#[test]
fn any_way_of_writing_it_is_one_number() {
    for text in [
        "SF7444400031887",
        "sf7444400031887",
        " SF 7444 4000 31887 ",
        "ＳＦ７４４４４０００３１８８７",
        "SF-7444400031887",
    ] {
        assert_eq!(normalize_number(text), "SF7444400031887");
    }
    assert_eq!(normalize_number("jdvc30380993329-1-1-"), "JDVC30380993329-1-1-");
    assert_eq!(normalize_number("\u{feff}1Z YISHI8 03 0000 0424"), "1ZYISHI80300000424");
}

#[test]
fn a_mobile_number_is_never_a_waybill() {
    let hints = Hints { order_carrier: Some("dhl"), shop_carriers: &["dhl"] };
    for phone in
        ["13800138000", "138 0013 8000", "+8613800138000", "8613800138000", "19912345678", "138-0013-8000"]
    {
        assert!(recognize(phone, hints).is_empty(), "{phone}");
    }
}

#[test]
fn the_orders_carrier_beats_the_shops_and_the_shops_beat_shape() {
    let number = "777031922725111";
    assert_eq!(carriers(number)[0], "sto");
    let shop = Hints { order_carrier: None, shop_carriers: &["yunda"] };
    assert_eq!(recognize(number, shop)[0].carrier, "yunda");
    let order = Hints { order_carrier: Some("sto"), shop_carriers: &["yunda"] };
    assert_eq!(recognize(number, order)[0].carrier, "sto");
    // What the shop uses more weighs more.
    let weight = |shop_carriers: &[&str]| {
        let found = recognize(number, Hints { order_carrier: None, shop_carriers });
        found.into_iter().find(|candidate| candidate.carrier == "yunda").map(|candidate| candidate.confidence)
    };
    assert!(weight(&["yunda", "zto"]) > weight(&["zto", "yunda"]));
    assert!(weight(&["zto", "yunda"]) > weight(&["zto"]));
    // A shop's account never turns a number that names its carrier into another one.
    assert_eq!(recognize("SF7444400031887", shop)[0].carrier, "sf");
    // A carrier without a known family is believed when the order says so.
    let kye = Hints { order_carrier: Some("kye"), shop_carriers: &[] };
    assert!(recognize("40004561237", kye).iter().any(|candidate| candidate.carrier == "kye"));
    // But not against its own check digit.
    let ups = Hints { order_carrier: Some("ups"), shop_carriers: &[] };
    assert!(recognize("1ZYISHI80300000425", ups).is_empty());
}

#[test]
fn nothing_fits_words_and_noise() {
    for text in ["", "你好", "hello", "ABCDEF", "12345", "2026", "---", "SF", "🎁🎁🎁🎁🎁🎁"] {
        assert!(carriers(text).is_empty(), "{text}");
    }
}

#[test]
fn every_carrier_of_a_family_has_a_code_of_the_tables_style() {
    for family in FAMILIES {
        let code = family.carrier;
        assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{code}");
    }
}

#[test]
fn marks_that_meet_without_their_dash_stand_in_one_order() {
    let once = normalize_number("\u{a3c}-\u{1bc9e}");
    assert_eq!(normalize_number(&once), once);
}

proptest! {
    #[test]
    fn any_text_is_answered_in_order_and_once_a_carrier(text in "\\PC{0,50}") {
        let found = recognize(&text, Hints::default());
        prop_assert!(found.windows(2).all(|pair| pair[0].confidence >= pair[1].confidence));
        let mut names: Vec<_> = found.iter().map(|candidate| candidate.carrier.clone()).collect();
        names.sort();
        names.dedup();
        prop_assert_eq!(names.len(), found.len());
    }

    #[test]
    fn normalizing_twice_is_normalizing_once(text in "\\PC{0,50}") {
        let once = normalize_number(&text);
        prop_assert_eq!(normalize_number(&once), once);
    }

    #[test]
    fn digits_and_capitals_never_panic(text in "[0-9A-Z-]{0,45}") {
        let _ = recognize(&text, Hints { order_carrier: Some("usps"), shop_carriers: &["fedex"] });
    }
}
