//! Postal numbers of the Universal Postal Union (S10): `RM473124829GB` names its country's post and its service.
//! Source: facts on international carriers, section 8. Must never accept a wrong check digit or a country that is none.

use super::checksum;

/// ISO 3166 country codes, Taiwan and Macau included, in one string of pairs.
const COUNTRIES: &str = "ADAEAFAGAIALAMANAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBWBYBZCACCCDCFCGCHCICKCL\
CMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHNHRHTHUIDIEILIM\
INIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANC\
NENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTGTHTJ\
TKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSXKYEYTZAZMZW";

/// The posts that we have a code for. E is EMS, C a parcel; `""` is every other service.
const POSTS: &[(&str, &str, &[&str])] = &[
    ("CN", "E", &["ems", "ems-intl", "chinapost-intl"]),
    ("CN", "", &["chinapost-intl", "ems", "chinapost"]),
    ("SG", "E", &["speedpost", "singpost"]),
    ("SG", "", &["singpost"]),
    ("DE", "C", &["dhl-de", "deutschepost"]),
    ("DE", "", &["deutschepost", "dhl-de"]),
    ("HK", "", &["hkpost"]),
    ("MO", "", &["macaupost"]),
    ("TW", "", &["taiwanpost"]),
    ("JP", "", &["japanpost"]),
    ("KR", "", &["koreapost"]),
    ("TH", "", &["thaipost"]),
    ("MY", "", &["malaysiapost"]),
    ("AU", "", &["auspost"]),
    ("CA", "", &["canadapost"]),
    ("GB", "", &["royalmail"]),
    ("FR", "", &["laposte"]),
    ("NL", "", &["postnl"]),
    ("RU", "", &["russianpost"]),
    ("US", "", &["usps"]),
];

/// Whether it looks like S10 at all: no other family may then claim it.
pub(super) fn is_shape(number: &str) -> bool {
    let bytes = number.as_bytes();
    bytes.len() == 13
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..11].iter().all(u8::is_ascii_digit)
        && bytes[11..].iter().all(u8::is_ascii_uppercase)
}

/// The posts it may be from, best first; empty where the check digit or the country is wrong.
pub(super) fn posts(number: &str) -> &'static [&'static str] {
    if !is_shape(number) || !checksum::s10(&number[2..11]) {
        return &[];
    }
    let country = &number[11..];
    if !COUNTRIES.as_bytes().chunks(2).any(|code| code == country.as_bytes()) {
        return &[];
    }
    let service = &number[..1];
    let of_country = |(code, _, _): &&(&str, &str, &[&str])| *code == country;
    let of_service = |(_, letter, _): &&(&str, &str, &[&str])| letter.is_empty() || *letter == service;
    POSTS.iter().filter(of_country).find(of_service).map_or(&["upu"], |(_, _, carriers)| carriers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_country_names_the_post_and_the_service_letter_the_product() {
        assert_eq!(posts("RM473124829GB"), ["royalmail"]);
        assert_eq!(posts("LY202601184CN")[0], "chinapost-intl");
        assert_eq!(posts("EY202601184CN")[0], "ems");
        assert_eq!(posts("RR123456785SE"), ["upu"]);
        assert_eq!(posts("RR123456785TW"), ["taiwanpost"]);
    }

    #[test]
    fn a_wrong_check_digit_or_country_is_nobodys() {
        for number in ["LY202601183CN", "LY202601184XX", "LY20260118CN", "", "单号202601184CN"] {
            assert!(posts(number).is_empty(), "{number}");
        }
    }
}
