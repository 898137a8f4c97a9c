//! What a carrier is called, by whom, and where a buyer can ask it himself: names, other systems' codes,
//! hotline, tracking page. Must never decide anything about a parcel.
//!
//! The table is `carriers.tsv` beside this file, one carrier a line. A new carrier is a new line.

use std::collections::HashMap;
use std::sync::LazyLock;

/// One carrier's names. Fields are empty where nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carrier {
    /// Yishi's code: `sf`, `zto`, `cainiao-global`.
    pub code: &'static str,
    /// Chinese name.
    pub name_zh: &'static str,
    /// English name.
    pub name_en: &'static str,
    /// Kuaidi100's code.
    pub kuaidi100: &'static str,
    /// KDNiao's code.
    pub kdniao: &'static str,
    /// 17TRACK's number for it.
    pub seventeen_track: &'static str,
    /// AfterShip's slug.
    pub aftership: &'static str,
    /// The carrier's own hotline.
    pub hotline: &'static str,
    url: &'static str,
    chinese: bool,
}

impl Carrier {
    /// Whether its times without a zone are China's (+08:00).
    pub fn is_chinese(&self) -> bool {
        self.chinese
    }

    /// Its name in a language: Chinese for `zh…`, else English.
    pub fn name(&self, language: &str) -> &'static str {
        if language.starts_with("zh") { self.name_zh } else { self.name_en }
    }

    /// The carrier's public page, with the number filled in where the page takes one. `None` where none is known.
    pub fn tracking_url(&self, number: &str) -> Option<String> {
        let quoted: String = form_urlencoded::byte_serialize(number.as_bytes()).collect();
        (!self.url.is_empty()).then(|| self.url.replace("{no}", &quoted))
    }
}

/// The table's text: a header line, then nine columns.
const TABLE: &str = include_str!("carriers.tsv");

/// The table lists the Chinese carriers first; this is the first of the others.
const FIRST_ABROAD: &str = "dhl";

static ALL: LazyLock<Vec<Carrier>> = LazyLock::new(|| {
    let mut all: Vec<Carrier> = TABLE.lines().skip(1).filter_map(read_line).collect();
    let abroad = all.iter().position(|carrier| carrier.code == FIRST_ABROAD).unwrap_or(all.len());
    for carrier in &mut all[..abroad] {
        carrier.chinese = true;
    }
    all
});
static BY_CODE: LazyLock<HashMap<&'static str, Carrier>> = LazyLock::new(|| index(|carrier| carrier.code));
static BY_KUAIDI100: LazyLock<HashMap<&'static str, Carrier>> =
    LazyLock::new(|| index(|carrier| carrier.kuaidi100));
static BY_KDNIAO: LazyLock<HashMap<&'static str, Carrier>> =
    LazyLock::new(|| index(|carrier| carrier.kdniao));
static BY_SEVENTEEN: LazyLock<HashMap<&'static str, Carrier>> =
    LazyLock::new(|| index(|carrier| carrier.seventeen_track));
static BY_AFTERSHIP: LazyLock<HashMap<&'static str, Carrier>> =
    LazyLock::new(|| index(|carrier| carrier.aftership));

/// Spellings that some systems use beside the table's own column.
const ALIASES: &[(&str, &str)] = &[
    ("huitong", "best"),
    ("jingdong", "jd"),
    ("jtsd", "jt"),
    ("debang", "deppon"),
    ("dbkd", "deppon"),
    ("yd", "yunda"),
    ("youzheng", "chinapost"),
    ("ems-cn", "ems"),
    ("yuntrack", "yunexpress"),
];

fn read_line(line: &'static str) -> Option<Carrier> {
    let mut cells = line.split('\t').map(str::trim);
    let code = cells.next().filter(|code| !code.is_empty())?;
    let mut next = || cells.next().unwrap_or("");
    Some(Carrier {
        code,
        name_zh: next(),
        name_en: next(),
        kuaidi100: next(),
        kdniao: next(),
        seventeen_track: next(),
        aftership: next(),
        hotline: next(),
        url: next(),
        chinese: false,
    })
}

/// The first line that claims a key keeps it.
fn index(key: fn(&Carrier) -> &'static str) -> HashMap<&'static str, Carrier> {
    let mut map = HashMap::new();
    for carrier in ALL.iter().filter(|carrier| !key(carrier).is_empty()) {
        map.entry(key(carrier)).or_insert(*carrier);
    }
    map
}

/// Every carrier of the table, in its order.
pub fn all() -> &'static [Carrier] {
    &ALL
}

/// By Yishi's code.
pub fn by_code(code: &str) -> Option<&'static Carrier> {
    BY_CODE.get(code)
}

/// By Kuaidi100's code (`shunfeng`), or an older spelling of it.
pub fn by_kuaidi100(code: &str) -> Option<&'static Carrier> {
    BY_KUAIDI100.get(code).or_else(|| alias(code))
}

/// By KDNiao's code (`SF`), or an older spelling of it.
pub fn by_kdniao(code: &str) -> Option<&'static Carrier> {
    BY_KDNIAO.get(code).or_else(|| alias(&code.to_ascii_lowercase()))
}

/// By 17TRACK's carrier number.
pub fn by_seventeen_track(code: &str) -> Option<&'static Carrier> {
    BY_SEVENTEEN.get(code)
}

/// By AfterShip's slug.
pub fn by_aftership(slug: &str) -> Option<&'static Carrier> {
    BY_AFTERSHIP.get(slug)
}

/// By anything that a merchant may have written: a code of any system, or a name in Chinese or English.
pub fn by_any(word: &str) -> Option<&'static Carrier> {
    let word = word.trim();
    let lower = word.to_lowercase();
    by_code(&lower)
        .or_else(|| BY_KUAIDI100.get(lower.as_str()))
        .or_else(|| by_kdniao(word).or_else(|| by_kdniao(&word.to_uppercase())))
        .or_else(|| by_aftership(&lower))
        .or_else(|| alias(&lower))
        .or_else(|| {
            ALL.iter().find(|carrier| carrier.name_zh == word || carrier.name_en.to_lowercase() == lower)
        })
        .or_else(|| short_name(word))
}

fn alias(code: &str) -> Option<&'static Carrier> {
    ALIASES.iter().find(|(from, _)| *from == code).and_then(|(_, to)| by_code(to))
}

/// `顺丰`, `中通`: the Chinese name without what every carrier has in its name.
fn short_name(word: &str) -> Option<&'static Carrier> {
    let common = ["快递", "速递", "速运", "物流", "快运", "包裹"];
    let bare = |name: &str| common.iter().fold(name.to_owned(), |name, word| name.replace(word, ""));
    let wanted = bare(word);
    let found = ALL.iter().find(|carrier| bare(carrier.name_zh) == wanted);
    found.filter(|_| wanted.chars().count() >= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_reads_and_no_code_stands_twice() {
        assert_eq!(all().len(), TABLE.lines().filter(|line| !line.trim().is_empty()).count() - 1);
        assert_eq!(BY_CODE.len(), all().len());
        for carrier in all() {
            assert!(!carrier.name_zh.is_empty() && !carrier.name_en.is_empty(), "{}", carrier.code);
        }
    }

    #[test]
    fn a_carrier_is_found_by_every_systems_code_and_by_its_names() {
        for (found, code) in [
            (by_kuaidi100("shunfeng"), "sf"),
            (by_kuaidi100("huitong"), "best"),
            (by_kdniao("JTSD"), "jt"),
            (by_seventeen_track("190157"), "yto"),
            (by_aftership("china-ems"), "ems"),
            (by_any("顺丰"), "sf"),
            (by_any("中通快递"), "zto"),
            (by_any("SF Express"), "sf"),
            (by_any("YD"), "yunda"),
        ] {
            assert_eq!(found.map(|carrier| carrier.code), Some(code));
        }
        assert_eq!(by_any("快递"), None);
        assert_eq!(by_code("nobody"), None);
    }

    #[test]
    fn chinese_carriers_are_told_from_the_others() {
        let chinese = |code| by_code(code).unwrap().is_chinese();
        assert!(chinese("sf") && chinese("ems") && chinese("4px"));
        assert!(!chinese("dhl") && !chinese("usps") && !chinese("japanpost"));
    }

    #[test]
    fn the_tracking_page_carries_the_number_quoted() {
        let ups = by_code("ups").unwrap();
        assert_eq!(
            ups.tracking_url("1Z 5&x").as_deref(),
            Some("https://www.ups.com/track?tracknum=1Z+5%26x")
        );
        assert_eq!(by_code("sf-hk").unwrap().tracking_url("1"), None);
        assert_eq!((ups.name("en"), by_code("sf").unwrap().name("zh-CN")), ("UPS", "顺丰速运"));
    }
}
