//! What the platforms' own exports become; all files are ours, with invented people.

use super::*;
use crate::model::OrderStatus;
use proptest::prelude::*;
use std::io::{Cursor, Write as _};
use zip::write::SimpleFileOptions;

const TAOBAO: &[u8] = include_bytes!("../../tests/fixtures/platforms/taobao/orders-gbk.csv");
const JD: &[u8] = include_bytes!("../../tests/fixtures/platforms/jd/orders-gbk.csv");
const PDD: &[u8] = include_bytes!("../../tests/fixtures/platforms/pdd/orders.csv");
const DOUYIN: &[u8] = include_bytes!("../../tests/fixtures/platforms/douyin/orders.csv");
const TEMPLATE: &[u8] = include_bytes!("../../tests/fixtures/platforms/generic/template.csv");
const WRONG: &[u8] = include_bytes!("../../tests/fixtures/platforms/generic/wrong.csv");

fn carrier_of(name: &str, number: &str) -> Option<(String, String)> {
    use crate::carriers::{names, recognize};
    let number = recognize::normalize_number(number);
    let named = names::by_any(name).map(|carrier| carrier.code.to_owned());
    let found = || Some(recognize::recognize(&number, recognize::Hints::default()).first()?.carrier.clone());
    Some((named.or_else(found)?, number.clone()))
}

fn sheet(bytes: &[u8]) -> Result<Sheet, FileError> {
    read(bytes, Format::Auto, &TimeZone::get("Asia/Shanghai").unwrap(), &carrier_of)
}

/// Number, status, and carrier with number of each parcel.
fn brief(sheet: &Sheet) -> Vec<(&str, OrderStatus, Vec<String>)> {
    assert_eq!(sheet.rejected, []);
    let parcels = |order: &Order| {
        order.shipments.iter().map(|shipment| format!("{} {}", shipment.carrier, shipment.number)).collect()
    };
    sheet.orders.iter().map(|order| (order.no.as_str(), order.status, parcels(order))).collect()
}

fn time(text: &str) -> Option<jiff::Timestamp> {
    Some(text.parse().unwrap())
}

#[test]
fn taobaos_export_in_gbk() {
    let sheet = sheet(TAOBAO).unwrap();
    assert_eq!(
        brief(&sheet),
        [
            ("2101234567890123456", OrderStatus::Shipped, vec!["sf SF1350001234567".to_owned()]),
            ("2101234567890123457", OrderStatus::Paid, vec![]),
            ("2101234567890123458", OrderStatus::Closed, vec![]),
        ]
    );
    let order = &sheet.orders[0];
    assert_eq!(order.platform.as_deref(), Some("taobao"));
    assert_eq!(order.created_at, time("2026-03-01T00:30:00Z"));
    assert_eq!(order.shipments[0].shipped_at, time("2026-03-01T09:02:33Z"));
    assert_eq!(order.updated_at, time("2026-03-01T09:02:33Z"));
    assert_eq!(order.buyer.external_id.as_deref(), Some("风铃草8"));
    assert_eq!(order.buyer.name.as_ref().unwrap().reveal(), "林小满");
    assert_eq!(order.buyer.phone.as_ref().unwrap().reveal(), "13800001234");
    assert_eq!(order.buyer.phone_last4.as_ref().unwrap().reveal(), "1234");
    assert_eq!(order.buyer.address.as_ref().unwrap().reveal(), "浙江省 杭州市 西湖区 虚构路1号");
    assert_eq!((order.items[0].title.as_str(), sheet.orders[1].items[0].qty), ("手工陶杯 白色", 2));
}

#[test]
fn jds_rows_of_one_order_are_joined() {
    let sheet = sheet(JD).unwrap();
    assert_eq!(
        brief(&sheet),
        [
            ("310000000001", OrderStatus::Shipped, vec!["jd JDV012345678901-1-1-".to_owned()]),
            ("310000000002", OrderStatus::Closed, vec![]),
            ("310000000003", OrderStatus::Paid, vec![]),
        ]
    );
    let order = &sheet.orders[0];
    assert_eq!((sheet.rows, order.platform.as_deref()), (4, Some("jd")));
    assert_eq!(order.items.len(), 2);
    assert_eq!(order.shipments[0].items.len(), 2);
    assert_eq!(order.buyer.phone, None);
    assert_eq!(order.buyer.phone_last4.as_ref().unwrap().reveal(), "8899");
    // Locked says nothing of how far the order is.
    assert!(sheet.unstated.contains("310000000003"));
}

#[test]
fn pinduoduos_several_numbers_in_a_cell_and_refunds() {
    let sheet = sheet(PDD).unwrap();
    assert_eq!(
        brief(&sheet),
        [
            (
                "260301-123456789012345",
                OrderStatus::Shipped,
                vec!["zto 75000000000001".to_owned(), "zto 75000000000002".to_owned()]
            ),
            ("260301-123456789012346", OrderStatus::Closed, vec!["zto 75000000000003".to_owned()]),
            ("260301-123456789012347", OrderStatus::Refunding, vec![]),
        ]
    );
    let buyer = &sheet.orders[0].buyer;
    assert_eq!(sheet.orders[0].platform.as_deref(), Some("pdd"));
    assert_eq!(buyer.address.as_ref().unwrap().reveal(), "河南省郑州市金水区虚构街道虚构路7号***");
    assert_eq!(buyer.phone_last4, None);
}

#[test]
fn douyins_lists_of_number_and_carrier() {
    let sheet = sheet(DOUYIN).unwrap();
    assert_eq!(
        brief(&sheet),
        [
            ("6920000000000000001", OrderStatus::PartiallyShipped, vec!["yto YT8800000000001".to_owned()]),
            (
                "6920000000000000002",
                OrderStatus::Completed,
                vec!["yto YT8800000000002".to_owned(), "sf SF1350009876543".to_owned()]
            ),
        ]
    );
    assert_eq!(sheet.orders[0].platform.as_deref(), Some("douyin"));
    assert_eq!(sheet.orders[0].items[1].sku.as_deref(), Some("SKU-B"));
    // What is not sent yet is not in the parcel.
    assert_eq!(sheet.orders[0].shipments[0].items.len(), 1);
}

#[test]
fn the_simple_template_needs_no_carrier_and_no_status() {
    let sheet = sheet(TEMPLATE).unwrap();
    assert_eq!(
        brief(&sheet),
        [
            ("A-1001", OrderStatus::Shipped, vec!["sf SF1350001111111".to_owned()]),
            ("A-1002", OrderStatus::Shipped, vec!["yto YT8800000000003".to_owned()]),
        ]
    );
    assert_eq!(sheet.unstated.len(), 2);
    assert_eq!(sheet.orders[1].shipments[0].shipped_at, time("2026-03-01T03:00:00Z"));
}

#[test]
fn wrong_rows_are_named_as_a_spreadsheet_counts_them() {
    let sheet = sheet(WRONG).unwrap();
    let rows: Vec<usize> = sheet.rejected.iter().map(|rejected| rejected.row).collect();
    assert_eq!(rows, [3, 4, 6]);
    assert!(sheet.rejected[0].reason.contains("scientific notation"), "{:?}", sheet.rejected);
    assert!(sheet.rejected[1].reason.contains("no tracking number"), "{:?}", sheet.rejected);
    assert!(sheet.rejected[2].reason.contains("no order number"), "{:?}", sheet.rejected);
    assert_eq!(sheet.orders.len(), 2);
    // Empty lines count, and so do cells of several lines as one.
    let text = "订单号,快递单号\n\n\r\n\"A\n1\",bad\n\nA2,YT8800000000001\r\n\r\nA3,bad";
    let rows: Vec<usize> = super::read(text.as_bytes(), Format::Auto, &TimeZone::UTC, &carrier_of)
        .unwrap()
        .rejected
        .iter()
        .map(|rejected| rejected.row)
        .collect();
    assert_eq!(rows, [4, 8]);
}

#[test]
fn half_of_an_order_is_no_order() {
    let text = "order_no,tracking_number,carrier\nA1,SF1350001111111,sf\nA1,?,?\na2,SF1350001111112,sf";
    let sheet = sheet(text.as_bytes()).unwrap();
    assert_eq!(sheet.rejected.len(), 1);
    assert_eq!(sheet.orders.iter().map(|order| order.no.as_str()).collect::<Vec<_>>(), ["a2"]);
}

#[test]
fn an_order_has_an_end() {
    let numbers: Vec<String> = (0..300).map(|at| format!("SF1350001{at:06}")).collect();
    let one = format!("order_no,tracking_number,carrier\nA1,{},sf\n", numbers.join("/"));
    let many: String = numbers.iter().map(|number| format!("A1,{number},sf\n")).collect();
    for text in [one, format!("order_no,tracking_number,carrier\n{many}")] {
        let sheet = sheet(text.as_bytes()).unwrap();
        assert_eq!((sheet.orders.len(), sheet.rejected.len()), (0, 1));
    }
}

#[test]
fn every_encoding_says_the_same() {
    let text = "订单编号（必填）,【物流】物流单号,物流公司\n1001,YT8800000000001,圆通速递\n";
    let utf16: Vec<u8> = [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let expected = sheet(text.as_bytes()).unwrap();
    assert_eq!(expected.orders.len(), 1);
    for bytes in [
        format!("\u{feff}{text}").into_bytes(),
        encoding_rs::GB18030.encode(text).0.into_owned(),
        utf16,
        text.replace(',', "\t").into_bytes(),
        text.replace(',', ";").replace('\n', "\r\n").into_bytes(),
    ] {
        assert_eq!(sheet(&bytes).unwrap(), expected);
    }
}

#[test]
fn a_file_that_is_none_says_what_to_do() {
    assert_eq!(sheet(b""), Err(FileError::Empty));
    assert_eq!(sheet(b"\n\n \n"), Err(FileError::Empty));
    assert_eq!(sheet(b"\xD0\xCF\x11\xE0\xA1\xB1"), Err(FileError::OldExcel));
    assert_eq!(sheet(b"\x81\x20\xff\xff"), Err(FileError::Encoding));
    let said = sheet("姓名,电话\n张三,1".as_bytes()).unwrap_err().to_string();
    assert!(said.contains("姓名, 电话") && said.contains("订单编号*"), "{said}");
    assert!(!said.contains("张三"));
    assert!(matches!(sheet(b"PK\x03\x04nothing"), Err(FileError::Broken(_))));
}

/// A workbook of one sheet with these rows in it.
fn workbook(rows: &str) -> Vec<u8> {
    let sheet = format!(
        "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>{rows}</sheetData></worksheet>"
    );
    zipped(&[
        (
            "[Content_Types].xml",
            "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>",
        ),
        (
            "_rels/.rels",
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>",
        ),
        (
            "xl/workbook.xml",
            "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>",
        ),
        ("xl/worksheets/sheet1.xml", &sheet),
    ])
}

fn zipped(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in entries {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn text(at: &str, text: &str) -> String {
    format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

fn row(row: usize, cells: &str) -> String {
    format!("<row r=\"{row}\">{cells}</row>")
}

#[test]
fn a_workbook_with_numbers_where_ids_should_be_text() {
    let header = text("A1", "订单编号*")
        + &text("B1", "物流单号*")
        + &text("C1", "物流公司")
        + &text("D1", "发货时间");
    let number = |at: &str, number: &str| format!("<c r=\"{at}\"><v>{number}</v></c>");
    let rows = [
        row(1, &header),
        row(
            2,
            &(number("A2", "310000000001")
                + &number("B2", "75000000000001")
                + &text("C2", "中通")
                + &number("D2", "46082.354166666664")),
        ),
        row(
            4,
            &(number("A4", "2.10123456789012E+18") + &number("B4", "75000000000002") + &text("C4", "中通")),
        ),
        row(5, &(number("A5", "9007199254740992") + &text("B5", "75000000000003") + &text("C5", "中通"))),
    ];
    let sheet = sheet(&workbook(&rows.concat())).unwrap();
    assert_eq!(sheet.rows, 3);
    assert_eq!(sheet.orders[0].no, "310000000001");
    assert_eq!(sheet.orders[0].shipments[0].number, "75000000000001");
    assert_eq!(sheet.orders[0].shipments[0].shipped_at, time("2026-03-01T00:30:00Z"));
    assert_eq!(sheet.orders[1].no, "9007199254740992");
    assert_eq!(sheet.rejected.len(), 1);
    assert_eq!(sheet.rejected[0].row, 4);
    assert!(sheet.rejected[0].reason.contains("Excel has rounded this number"), "{:?}", sheet.rejected);
}

#[test]
fn a_workbook_that_unpacks_to_too_much_is_not_opened() {
    let bomb = workbook(&" ".repeat(30 << 20));
    assert!(bomb.len() < 100_000);
    assert!(matches!(sheet(&bomb), Err(FileError::Bomb(_))));
    // The directory says that the sheet is small; what comes out is more.
    let at = |needle: &[u8], bytes: &[u8]| bytes.windows(needle.len()).rposition(|w| w == needle).unwrap();
    let mut lying = workbook(&row(1, &text("A1", &"x".repeat(5_000))));
    let name = at(b"xl/worksheets/sheet1.xml", &lying);
    lying[name - 22..name - 18].copy_from_slice(&100_u32.to_le_bytes());
    assert!(matches!(sheet(&lying), Err(FileError::Bomb(_))));
    let many: Vec<(String, &str)> = (0..1_001).map(|at| (at.to_string(), "")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    assert!(matches!(sheet(&zipped(&many)), Err(FileError::Bomb(_))));
    for far in ["A200001", "XFD1"] {
        let far = workbook(&row(far[1..].parse().unwrap_or(1), &text(far, "x")));
        assert!(matches!(sheet(&far), Err(FileError::TooLarge(_))));
    }
}

#[test]
fn too_many_rows_of_text_are_refused() {
    let text = "order_no,tracking_number\n".to_owned() + &"\n".repeat(200_000) + "A,B";
    assert!(matches!(sheet(text.as_bytes()), Err(FileError::TooLarge(_))));
    let wide = "order_no,".repeat(300);
    assert!(matches!(sheet(wide.as_bytes()), Err(FileError::TooLarge(_))));
}

proptest! {
    #[test]
    fn no_bytes_bring_it_down(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = sheet(&bytes);
        let mut packed = b"PK\x03\x04".to_vec();
        packed.extend_from_slice(&bytes);
        let _ = sheet(&packed);
    }

    #[test]
    fn no_cells_bring_it_down(cells in proptest::collection::vec("\\PC{0,30}|[0-9E+*./: -]{0,24}|[\u{7c}\",;\t\n'=-]{0,6}", 0..60)) {
        let header = "订单号,订单状态,快递单号,快递公司,快递信息,手机,发货时间,售后状态\n";
        let _ = sheet((header.to_owned() + &cells.join(",")).as_bytes());
    }

    #[test]
    fn a_broken_workbook_is_refused(at in 0_usize..900, byte in any::<u8>()) {
        let mut bytes = workbook(&row(1, &(text("A1", "订单编号") + &text("B1", "物流单号"))));
        let length = bytes.len();
        bytes[at % length] = byte;
        let _ = sheet(&bytes);
    }
}
