//! When a scan happened, and how sure its time zone is. Must never invent an offset.

use jiff::{Timestamp, civil, fmt::temporal::DateTimePrinter, tz::Offset};
use serde::{Deserialize, Serialize};

/// Where the zone of a time came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum ZoneSource {
    /// The carrier gave an offset.
    Carrier,
    /// The carrier gave separate GMT fields (UPS).
    CarrierGmt,
    /// Looked up from the place.
    Place,
    /// The carrier's home zone: +08:00 for Chinese carriers.
    CarrierDefault,
    /// Nobody knows: never shown as "x minutes ago".
    #[default]
    Unknown,
}

/// A scan's time. `local` is as printed by the carrier, `YYYY-MM-DDTHH:MM:SS` or a bare date.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
pub struct When {
    /// The instant, where the zone is known.
    #[serde(default)]
    pub utc: Option<Timestamp>,
    /// Wall time at the place.
    #[serde(default)]
    pub local: String,
    /// `+08:00`, where known.
    #[serde(default)]
    pub offset: Option<String>,
    /// Where the zone came from.
    #[serde(default)]
    pub zone_source: ZoneSource,
}

/// China Standard Time: the home zone of every Chinese carrier.
pub const CHINA: Offset = Offset::constant(8);

/// Writes times without parts of seconds.
const SECONDS: DateTimePrinter = DateTimePrinter::new().precision(Some(0));

impl When {
    /// An instant seen by ourselves or given in UTC, shown at `offset`.
    pub fn at(utc: Timestamp, offset: Offset, zone_source: ZoneSource) -> Self {
        let local = offset.to_datetime(utc);
        Self {
            utc: Some(utc),
            local: SECONDS.datetime_to_string(&local),
            offset: Some(offset_text(offset)),
            zone_source,
        }
    }

    /// Reads a vendor's time text. Without an offset in it, `home` is the carrier's own zone.
    /// Forms: RFC 3339 with 0–9 fractional digits; date and time with `-`, `/`, `T` or a space; `YYYYMMDDHHMMSS`;
    /// offsets as `+8`, `+08`, `+0800`, `+08:00`, `GMT+8`; `/Date(ms)/`; epoch s or ms; a bare date.
    pub fn parse(text: &str, home: Option<Offset>) -> Option<Self> {
        let text = text.trim();
        if let Some(epoch) = epoch(text) {
            let zone = if home.is_some() { ZoneSource::CarrierDefault } else { ZoneSource::Carrier };
            return Some(Self::at(epoch, home.unwrap_or(Offset::UTC), zone));
        }
        let (civil_text, given) = split_offset(text, 10)?;
        let (local, whole) = read_civil(civil_text)?;
        let (offset, zone_source) = match (given, home) {
            (Some(offset), _) => (Some(offset), ZoneSource::Carrier),
            (None, Some(offset)) => (Some(offset), ZoneSource::CarrierDefault),
            (None, None) => (None, ZoneSource::Unknown),
        };
        let utc = offset.and_then(|offset| offset.to_timestamp(local).ok());
        let local = if whole { local.to_string() } else { local.date().to_string() };
        Some(Self { utc, local, offset: offset.map(offset_text), zone_source })
    }

    /// Whether only the day is known.
    pub fn is_day(&self) -> bool {
        self.local.len() == 10
    }

    /// The key of a time in an event's id: the instant if known, else the wall time.
    pub fn key(&self) -> String {
        self.utc.map_or_else(|| self.local.clone(), |utc| utc.to_string())
    }

    /// The instant for ordering; a wall time without zone counts as if at `assumed`.
    pub fn instant(&self, assumed: Offset) -> Option<Timestamp> {
        self.utc.or_else(|| {
            let (local, _) = read_civil(&self.local)?;
            assumed.to_timestamp(local).ok()
        })
    }
}

/// `+08:00`
fn offset_text(offset: Offset) -> String {
    let minutes = offset.seconds().unsigned_abs() / 60;
    let mut text = String::with_capacity(6);
    for (mark, number) in [(if offset.is_negative() { '-' } else { '+' }, minutes / 60), (':', minutes % 60)]
    {
        text.push(mark);
        text.extend([number / 10, number % 10].into_iter().filter_map(|digit| char::from_digit(digit, 10)));
    }
    text
}

fn epoch(text: &str) -> Option<Timestamp> {
    let digits = text
        .strip_prefix("/Date(")
        .and_then(|rest| rest.strip_suffix(")/"))
        .map(|inner| inner.split(['+', '-']).next().unwrap_or(inner))
        .unwrap_or(text);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: i64 = digits.parse().ok()?;
    match digits.len() {
        10 => Timestamp::from_second(value).ok(),
        13 => Timestamp::from_millisecond(value).ok(),
        _ => None,
    }
}

/// An offset by itself: `+08:00`, `+8`, `Z`.
pub fn read_offset(text: &str) -> Option<Offset> {
    split_offset(text, 0)?.1
}

/// Cuts a trailing offset off: `Z`, `+8`, `+0800`, `+08:00`, `GMT+8`. `None` where the tail is nonsense. A sign counts
/// behind the date only, which has dashes in its first ten characters.
fn split_offset(text: &str, date: usize) -> Option<(&str, Option<Offset>)> {
    if let Some(rest) = text.strip_suffix(['Z', 'z']) {
        return Some((rest.trim_end(), Some(Offset::UTC)));
    }
    let from = text.char_indices().skip(date).find(|(_, c)| *c == '+' || *c == '-').map(|(at, _)| at);
    let Some(at) = from else { return Some((text, None)) };
    let (head, tail) = text.split_at(at);
    let head = head.trim_end().trim_end_matches("GMT").trim_end_matches("UTC").trim_end();
    let digits = || tail.bytes().filter(u8::is_ascii_digit).map(|digit| i32::from(digit - b'0'));
    let count = digits().count();
    if count + usize::from(tail.contains(':')) + 1 != tail.len() || !(1..=4).contains(&count) {
        return None;
    }
    let number = digits().fold(0, |number, digit| number * 10 + digit);
    let minutes = if count > 2 { number / 100 * 60 + number % 100 } else { number * 60 };
    let seconds = if tail.starts_with('-') { -minutes * 60 } else { minutes * 60 };
    Some((head, Some(Offset::from_seconds(seconds).ok()?)))
}

/// Reads wall time; `false` where only the day was given.
fn read_civil(text: &str) -> Option<(civil::DateTime, bool)> {
    let text = text.trim();
    if let Some(local) = read_by_position(text) {
        return Some((local, true));
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i16>().ok();
        let date = civil::Date::new(number(0..4)?, number(4..6)? as i8, number(6..8)? as i8).ok()?;
        return match text.len() {
            8 => Some((date.to_datetime(civil::Time::midnight()), false)),
            14 => {
                let time =
                    civil::Time::new(number(8..10)? as i8, number(10..12)? as i8, number(12..14)? as i8, 0)
                        .ok()?;
                Some((date.to_datetime(time), true))
            }
            _ => None,
        };
    }
    let mut halves = text.splitn(2, ['T', 't', ' ']);
    let mut parts = halves.next()?.split(['-', '/', '.']).map(|part| part.parse::<i16>().ok());
    let date = civil::Date::new(parts.next()??, parts.next()?? as i8, parts.next()?? as i8).ok()?;
    if parts.next().is_some() {
        return None;
    }
    let Some(clock) = halves.next().map(str::trim).filter(|clock| !clock.is_empty()) else {
        return Some((date.to_datetime(civil::Time::midnight()), false));
    };
    let clock = clock.split('.').next()?;
    let mut parts = clock.split(':').map(|part| part.parse::<i8>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = match parts.next() {
        Some(second) => second?.min(59),
        None => 0,
    };
    if parts.next().is_some() {
        return None;
    }
    Some((date.to_datetime(civil::Time::new(hour, minute, second, 0).ok()?), true))
}

/// `YYYY-MM-DD HH:MM:SS`: nearly every time.
fn read_by_position(text: &str) -> Option<civil::DateTime> {
    let text: &[u8; 19] = text.as_bytes().try_into().ok()?;
    let marks = [text[4], text[7], text[10], text[13], text[16]];
    if !matches!(marks, [b'-', b'-', b'T' | b' ', b':', b':']) {
        return None;
    }
    let digit = |at: usize| text[at].is_ascii_digit().then(|| (text[at] - b'0') as i8);
    let two = |at: usize| Some(digit(at)? * 10 + digit(at + 1)?);
    let year = i16::from(two(0)?) * 100 + i16::from(two(2)?);
    civil::DateTime::new(year, two(5)?, two(8)?, two(11)?, two(14)?, two(17)?.min(59), 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_parse_list_reads_as_the_same_instant() {
        let expected: Timestamp = "2026-03-02T01:14:00Z".parse().unwrap();
        for text in [
            "2026-03-02T01:14:00Z",
            "2026-03-02T09:14:00.331986369+08:00",
            "2026-03-02 09:14:00.123",
            "2026-03-02 09:14:00",
            "2026-03-02T09:14",
            "2026/03/02 09:14",
            "20260302091400",
            "2026-03-02 09:14:00 +8",
            "2026-03-02 09:14:00 +0800",
            "2026-03-02 09:14:00 GMT+8",
            "/Date(1772414040000)/",
            "1772414040",
            "1772414040000",
        ] {
            assert_eq!(When::parse(text, Some(CHINA)).and_then(|when| when.utc), Some(expected), "{text}");
        }
    }

    #[test]
    fn an_offset_is_read_by_itself() {
        assert_eq!(read_offset("+08:00"), Some(CHINA));
        assert_eq!(read_offset("-5"), Some(Offset::constant(-5)));
        assert_eq!(read_offset("Z"), Some(Offset::UTC));
        for nonsense in ["", "Beijing", "+99:99:99"] {
            assert_eq!(read_offset(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_bare_date_stays_a_day_and_no_zone_stays_unknown() {
        let day = When::parse("2026-03-02", Some(CHINA)).unwrap();
        assert!(day.is_day());
        let local = When::parse("2026-03-02T09:14:00", None).unwrap();
        assert_eq!((local.utc, local.zone_source), (None, ZoneSource::Unknown));
        for nonsense in ["", "yesterday", "2026-13-02", "2026-03-02 25:00:00", "２０２６"] {
            assert_eq!(When::parse(nonsense, None), None, "{nonsense}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = When::parse(&text, Some(CHINA));
        }
    }
}
