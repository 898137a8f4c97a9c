//! Province, city and district, read out of one line of a Chinese address. Must never give back anything of what
//! follows them, nor guess a level that the line does not name.

/// The three levels, as the line writes them, but each with its whole name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// `广东省`, `北京市`
    pub province: String,
    /// `深圳市`; the municipality itself where the province is one.
    pub city: String,
    /// `南山区`
    pub district: String,
}

/// Short names, and what makes them whole.
const PROVINCES: [(&str, &str); 34] = [
    ("北京", "市"),
    ("天津", "市"),
    ("上海", "市"),
    ("重庆", "市"),
    ("内蒙古", "自治区"),
    ("广西", "壮族自治区"),
    ("西藏", "自治区"),
    ("宁夏", "回族自治区"),
    ("新疆", "维吾尔自治区"),
    ("香港", "特别行政区"),
    ("澳门", "特别行政区"),
    ("河北", "省"),
    ("山西", "省"),
    ("辽宁", "省"),
    ("吉林", "省"),
    ("黑龙江", "省"),
    ("江苏", "省"),
    ("浙江", "省"),
    ("安徽", "省"),
    ("福建", "省"),
    ("江西", "省"),
    ("山东", "省"),
    ("河南", "省"),
    ("湖北", "省"),
    ("湖南", "省"),
    ("广东", "省"),
    ("海南", "省"),
    ("四川", "省"),
    ("贵州", "省"),
    ("云南", "省"),
    ("陕西", "省"),
    ("甘肃", "省"),
    ("青海", "省"),
    ("台湾", "省"),
];

/// Longest name of a city or a district, in characters.
const LONGEST: usize = 15;
/// Places within a district that are called 区, too.
const NO_DISTRICTS: [&str; 12] = [
    "小区",
    "社区",
    "园区",
    "校区",
    "厂区",
    "库区",
    "景区",
    "生活区",
    "住宅区",
    "工业区",
    "家属区",
    "办公区",
];
/// Districts whose names begin like a city's.
const LIKE_CITIES: [&str; 2] = ["沙市区", "津市市"];

impl Region {
    /// Of a line that names all three, in their order.
    pub fn of_address(line: &str) -> Option<Self> {
        let line = skip(line);
        let line = skip(line.strip_prefix("中国").unwrap_or(line));
        let (short, end) = *PROVINCES.iter().find(|(short, _)| line.starts_with(short))?;
        let rest = after(&line[short.len()..], end);
        let province = format!("{short}{end}");
        let (city, rest) = match end {
            // A municipality is its own city, and is often written twice.
            "市" => {
                let rest = rest.strip_prefix(short).map_or(rest, |rest| after(rest, end));
                (province.clone(), skip(rest.strip_prefix("市辖区").unwrap_or(rest)))
            }
            _ => name(rest, &["市", "自治州", "地区", "盟"], |_| true)?,
        };
        let (district, _) = name(skip(rest), &["区", "县", "市", "旗"], is_district)?;
        Some(Self { province, city, district })
    }

    /// In one line; a municipality is named once.
    pub fn line(&self) -> String {
        match self.city == self.province {
            true => format!("{}{}", self.province, self.district),
            false => format!("{}{}{}", self.province, self.city, self.district),
        }
    }
}

/// Without what stands between the levels.
fn skip(text: &str) -> &str {
    text.trim_start_matches(|c: char| {
        c.is_whitespace() || matches!(c, ',' | '，' | '-' | '/' | '、' | '·' | '|')
    })
}

/// Without a name's end, or a short form of it.
fn after<'a>(text: &'a str, end: &str) -> &'a str {
    let ends = [end, "自治区"];
    skip(ends.iter().find_map(|end| text.strip_prefix(end)).unwrap_or(text))
}

/// The shortest beginning that has one of the ends and may be a name, and what follows it.
fn name<'a>(text: &'a str, ends: &[&str], may_be: fn(&str) -> bool) -> Option<(String, &'a str)> {
    if let Some(whole) = LIKE_CITIES.iter().find(|whole| text.starts_with(**whole)) {
        return Some(((*whole).to_owned(), &text[whole.len()..]));
    }
    let mut characters = 0;
    for (at, c) in text.char_indices().take(LONGEST) {
        if !matches!(c, '\u{4e00}'..='\u{9fff}') {
            return None;
        }
        characters += 1;
        let (name, rest) = text.split_at(at + c.len_utf8());
        if characters >= 2 && ends.iter().any(|end| name.ends_with(end)) {
            return may_be(name).then(|| (name.to_owned(), rest));
        }
    }
    None
}

/// No compound and no street: 幸福小区, 人民路东区. A district may well begin so: 路桥区.
fn is_district(name: &str) -> bool {
    let street =
        name.char_indices().any(|(at, c)| at > 0 && matches!(c, '路' | '街' | '巷' | '弄' | '村' | '号'));
    !street && !NO_DISTRICTS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<String> {
        Region::of_address(line).map(|region| region.line())
    }

    #[test]
    fn three_levels_are_read_and_nothing_after_them() {
        for (line, region) in [
            ("广东省深圳市南山区科技园1号", "广东省深圳市南山区"),
            ("浙江杭州市西湖区虚构路1号", "浙江省杭州市西湖区"),
            ("浙江省 杭州市 西湖区 虚构路1号", "浙江省杭州市西湖区"),
            ("中国，北京市朝阳区某路", "北京市朝阳区"),
            ("北京北京市海淀区", "北京市海淀区"),
            ("上海市市辖区浦东新区世纪大道", "上海市浦东新区"),
            ("广西南宁市青秀区", "广西壮族自治区南宁市青秀区"),
            ("新疆维吾尔自治区乌鲁木齐市天山区", "新疆维吾尔自治区乌鲁木齐市天山区"),
            ("吉林省延边朝鲜族自治州延吉市某街", "吉林省延边朝鲜族自治州延吉市"),
            ("内蒙古自治区锡林郭勒盟正蓝旗", "内蒙古自治区锡林郭勒盟正蓝旗"),
            ("浙江省台州市路桥区", "浙江省台州市路桥区"),
            ("山东省济南市市中区经十路", "山东省济南市市中区"),
            ("湖北省荆州市沙市区北京路", "湖北省荆州市沙市区"),
            ("湖南省常德市津市市", "湖南省常德市津市市"),
        ] {
            assert_eq!(read(line).as_deref(), Some(region), "{line}");
        }
    }

    #[test]
    fn what_does_not_name_all_three_is_none() {
        for line in [
            "",
            "杭州市西湖区虚构路1号",
            "浙江省西湖区",
            "浙江省杭州市虚构路1号",
            "浙江省杭州市幸福小区3栋",
            "浙江省杭州市人民路东区3栋",
            "广东省东莞市南城街道",
            "湖北省仙桃市干河街道",
            "吉林市船营区",
            "1 Main Street, Springfield",
            "浙江",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_line_is_read_or_not(line in "\\PC{0,40}") {
            let _ = Region::of_address(&line);
        }
    }
}
