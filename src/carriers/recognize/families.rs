//! The shapes of tracking numbers, one family a row: whose it may be, how likely, and which check digit it has.
//! Sources: facts on Chinese carriers, section 11; on international carriers, section 8. A new family is a new row.
//! Must never list a shape that fits any word: each row asks for digits.

use super::checksum::{luhn, mod7, mod10, mod37_36, weighted};

/// One shape.
pub(super) struct Family {
    /// Yishi's carrier code.
    pub carrier: &'static str,
    /// Whole number, after normalizing.
    pub pattern: &'static str,
    /// How likely the carrier is, when nothing but the shape is known, in hundredths.
    pub weight: u8,
    /// The check rule, where the family has one.
    pub check: Option<fn(&str) -> bool>,
    /// Machine-readable reason of the candidate.
    pub reason: &'static str,
    /// Fits so much that it must not stand alone unless order or shop names the carrier.
    pub weak: bool,
}

const fn shape(carrier: &'static str, weight: u8, pattern: &'static str, reason: &'static str) -> Family {
    Family { carrier, pattern, weight, check: None, reason, weak: false }
}

const fn weak(carrier: &'static str, weight: u8, pattern: &'static str, reason: &'static str) -> Family {
    Family { weak: true, ..shape(carrier, weight, pattern, reason) }
}

const fn checked(
    carrier: &'static str,
    weight: u8,
    pattern: &'static str,
    reason: &'static str,
    check: fn(&str) -> bool,
) -> Family {
    Family { check: Some(check), ..shape(carrier, weight, pattern, reason) }
}

/// Every family but S10, which names its carrier by country.
pub(super) const FAMILIES: &[Family] = &[
    // Letters in front: these name their carrier.
    shape("simulated", 99, "SIM[A-Z0-9]{4,20}", "simulated-prefix"),
    shape("sf", 95, "SF[0-9]{13}", "sf-prefix"),
    shape("yto", 95, "YT[0-9]{13}", "yto-prefix"),
    shape("jd", 95, "JD(V[A-Z][0-9]{11}|[XK][0-9]{12}|[0-9]{13})(-[0-9]+-[0-9]+-?)?", "jd-prefix"),
    shape("jt", 90, "JT[0-9]{12,13}", "jt-prefix"),
    shape("best", 30, "JT[0-9]{12,13}", "former-best"),
    shape("deppon", 95, "DPK[0-9]{9,15}", "deppon-prefix"),
    shape("sto", 90, "STO[0-9]{10}", "sto-prefix"),
    shape("cainiao-global", 80, "LP[0-9]{14,18}", "cainiao-prefix"),
    shape("yunexpress", 90, "YT[0-9]{16}", "yunexpress-prefix"),
    shape("kye", 85, "KY[0-9]{13}", "kye-prefix"),
    shape("4px", 90, "4PX[0-9]{13}CN", "4px-prefix"),
    shape("jd", 55, "V[A-C][0-9]{9,12}", "jd-legacy"),
    shape("best", 40, "A[0-9]{12}|B[0-9]{12}|BXA[0-9]{10}|K8[0-9]{11}", "best-legacy"),
    shape("yto", 45, "Y[0-9]{12}|DD[89][0-9]{15}", "yto-legacy"),
    weak("yto", 20, "[A-Z][0-9A-Z][0-9]{8,13}", "yto-legacy"),
    // Bare digits of the Chinese carriers: no check digit, only shape.
    shape("sto", 85, "77[0-9]{13}", "sto-shape"),
    shape("zto", 80, "7[0-9]{13}", "zto-shape"),
    shape("zto", 50, "[0-689][0-9]{13}", "zto-shape"),
    shape("yunda", 70, "[34][0-9]{14}", "yunda-shape"),
    shape("yunda", 55, "3[0-9]{12}", "yunda-shape"),
    shape("yunda", 30, "[0-24-9][0-9]{12}", "yunda-legacy"),
    shape("yunda", 30, "[0-25-9][0-9]{14}", "yunda-legacy"),
    shape("ems", 65, "(10|11|12|13|50|51|52)[0-9]{11}", "ems-shape"),
    shape("ems", 62, "9[578][0-9]{11}", "ems-shape"),
    shape("ems", 60, "99[0-9]{11}", "ems-shape"),
    shape("chinapost", 61, "9[689][0-9]{11}", "chinapost-shape"),
    shape("chinapost", 52, "[0-8][0-9]{12}|9[0-57][0-9]{11}", "chinapost-shape"),
    shape("sto", 45, "(268|368|468|568|588|668|688|768|868|888|968)[0-9]{9}", "sto-legacy"),
    shape("sto", 35, "(268|368|468|568|588|668|688|768|868|888|968)[0-9]{10}", "sto-legacy"),
    shape("sto", 35, "(11|22|40)[0-9]{10}", "sto-legacy"),
    shape("sto", 35, "(33|55|66)[0-9]{11}|4[0-9]{12}", "sto-legacy"),
    shape("sto", 40, "(88|99)[0-9]{13}", "sto-legacy"),
    shape(
        "zto",
        45,
        "(2[1-9]|36|37|39|4[0-9]|50|53|54|55|56|63|64|65|66|68|72|90|91|92|93|94|95|98)[0-9]{10}\
         |(780|881|882|885|960|120)[0-9]{9}|(2008|2009|2010|2013|5711)[0-9]{8}",
        "zto-legacy",
    ),
    shape("sf", 42, "[0-9]{12}", "sf-legacy"),
    shape("yto", 25, "[6-9][0-9]{17}", "yto-legacy"),
    shape("yto", 22, "[0-9]{10}", "yto-legacy"),
    shape("yto", 20, "8[0-9]{11}", "yto-legacy"),
    shape("yto", 12, "[0-79][0-9]{11}", "yto-legacy"),
    shape("deppon", 25, "[0-9]{8,10}", "deppon-legacy"),
    shape("best", 30, "[567][0-9]{13}", "best-legacy"),
    shape("best", 22, "(2[1-9]|3[0-9]|61|63)[0-9]{10}", "best-legacy"),
    shape("best", 15, "0(2[0-9]{11}|00[0-9]{10})", "best-legacy"),
    shape("ttk", 14, "[0-9]{12}", "ttk-shape"),
    shape("zto-freight", 11, "[0-9]{12}", "freight-shape"),
    shape("ane", 10, "[0-9]{12}", "freight-shape"),
    // With a check rule.
    checked("ups", 98, "1Z[A-Z0-9]{15}[0-9]", "ups-check-digit", |text| mod10(&text[2..], 1, 2)),
    checked("ups", 70, "[AHJKTV][0-9]{10}", "ups-waybill-check-digit", |text| mod10(&text[1..], 1, 2)),
    checked("fedex", 43, "[0-9]{12}", "fedex-check-digit", |text| weighted(text, &[3, 1, 7])),
    checked("fedex", 80, "[0-8][0-9]{33}", "fedex-check-digit", |text| weighted(&text[20..], &[1, 7, 3])),
    checked("fedex", 80, "3[0-9]{31}", "fedex-check-digit", |text| weighted(&text[16..28], &[3, 1, 7])),
    checked("fedex", 60, "[0-9]{15}", "fedex-ground-check-digit", |text| mod10(text, 1, 3)),
    checked("fedex", 55, "[0-9]{18}", "fedex-sscc-check-digit", |text| mod10(&text[2..], 3, 1)),
    checked("fedex", 85, "96[0-9]{20}", "fedex-ground-check-digit", |text| mod10(&text[7..], 1, 3)),
    checked("fedex", 85, "96[0-9]{32}", "fedex-gsn-check-digit", |text| weighted(&text[20..], &[1, 7, 3])),
    checked("usps", 60, "[0-9]{20}", "usps-check-digit", |text| mod10(text, 3, 1)),
    checked("usps", 70, "(420[0-9]{5}([0-9]{4})?)?(91)?[0-9]{20}", "usps-legacy-check-digit", usps_legacy),
    checked("usps", 97, "(420[0-9]{5}([0-9]{4})?)?9[2-5][0-9]{20,28}", "usps-impb-check-digit", usps_impb),
    checked("dhl", 50, "[0-9]{10,11}", "dhl-check-digit", mod7),
    checked("dpd", 78, "[0-9]{27}[0-9A-Z]", "dpd-check-digit", mod37_36),
    checked("dpd-de", 77, "[0-9]{27}[0-9A-Z]", "dpd-check-digit", mod37_36),
    checked("dpd-uk", 76, "[0-9]{27}[0-9A-Z]", "dpd-check-digit", mod37_36),
    checked("dpd", 39, "[0-9]{14}[0-9A-Z]", "dpd-check-digit", mod37_36),
    checked("dpd-de", 38, "[0-9]{14}[0-9A-Z]", "dpd-check-digit", mod37_36),
    checked("dpd-uk", 37, "[0-9]{14}[0-9A-Z]", "dpd-check-digit", mod37_36),
    checked("canadapost", 60, "[0-9]{16}", "canadapost-check-digit", |text| mod10(text, 3, 1)),
    checked("purolator", 38, "[0-5][0-9]{11}", "purolator-check-digit", luhn),
    checked("old-dominion", 40, "(777|778|072|780)[0-9]{8}", "old-dominion-check-digit", luhn),
    checked("old-dominion", 40, "80[0-9]{9}", "old-dominion-check-digit", luhn),
    checked("ontrac", 80, "C[0-9]{14}", "ontrac-check-digit", |text| ontrac(text, '4')),
    checked("ontrac", 80, "D[0-9]{14}", "ontrac-check-digit", |text| ontrac(text, '5')),
    // International shapes without one.
    shape("dhl", 75, "J[A-Z]{2,3}[0-9]{9,10}", "dhl-piece-shape"),
    shape("dhl-ecommerce", 60, "(GM|LX|RX|UV)[0-9A-Z]{10,39}", "dhl-ecommerce-prefix"),
    shape("dhl-ecommerce-asia", 60, "(CN|SG|TH|IN|HK|MY)[0-9A-Z]{10,39}", "dhl-ecommerce-prefix"),
    weak("dhl-ecommerce", 8, "[0-9]{14}", "dhl-ecommerce-shape"),
    shape("canpar", 70, "[CDKLSUXZ][0-9]{21}", "canpar-shape"),
    shape("purolator", 35, "[A-Z]{3}[0-9]{9}", "purolator-shape"),
    shape("amazon", 85, "TB[ACM][0-9]{12}", "amazon-prefix"),
    shape("amazon", 35, "[AFC][0-9]{10}", "amazon-shape"),
    shape("yodel", 85, "JJ?D[0-9]{16}", "yodel-prefix"),
    shape("gofo-us", 90, "GFUS[0-9]{14}", "gofo-prefix"),
    shape("lasership", 75, "L[AIEHNX][1-3][0-9]{7}", "lasership-prefix"),
    shape(
        "lasership",
        85,
        "1LS7[12][0-9]{10}|1LS7[12][0-9]{2}01[1-4][0-9]{6}-1|1LSCX[0-9A-Z]{10}",
        "lasership-prefix",
    ),
    shape("speedee", 85, "SP[0-9]{18}", "speedee-prefix"),
    shape("landmark", 90, "LTN[0-9]{8}N1", "landmark-prefix"),
];

/// USPS's older 20 digits: the serial counts with `91` in front, written or not, after an optional `420` + ZIP.
fn usps_legacy(text: &str) -> bool {
    let body = match text.len() {
        20 | 22 => text,
        28 | 30 => &text[8..],
        32 | 34 => &text[12..],
        _ => return false,
    };
    if text.len() > 22 && !text.starts_with("420") || body.len() == 22 && !body.starts_with("91") {
        return false;
    }
    if body.len() == 22 { mod10(body, 3, 1) } else { mod10(&format!("91{body}"), 3, 1) }
}

/// USPS Intelligent Mail package barcode: application identifier, service, mailer, package; optional ZIP in front.
fn usps_impb(text: &str) -> bool {
    if text.starts_with("420") {
        let zip5 = text.get(8..).is_some_and(|rest| matches!(rest.len(), 22 | 26) && usps_impb_body(rest));
        let zip9 = text.get(12..).is_some_and(|rest| rest.len() == 22 && usps_impb_body(rest));
        return zip5 || zip9;
    }
    usps_impb_body(text)
}

fn usps_impb_body(body: &str) -> bool {
    let long_mailer = body.as_bytes().get(5) == Some(&b'9');
    let fits = match (body.get(..2), long_mailer) {
        (Some("94"), true) => matches!(body.len(), 22 | 26 | 30),
        (Some("92"), true) | (Some("95"), _) | (Some("93" | "94"), false) => matches!(body.len(), 22 | 26),
        _ => false,
    };
    // An odd serial weighs the same from either end.
    fits && mod10(body, 3, 1)
}

/// OnTrac: the letter counts as a digit in front, unless the serial begins with it.
fn ontrac(text: &str, letter: char) -> bool {
    let serial = &text[1..];
    if serial.starts_with(letter) { mod10(serial, 1, 2) } else { mod10(&format!("{letter}{serial}"), 1, 2) }
}
