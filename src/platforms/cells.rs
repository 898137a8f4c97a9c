//! What one cell says: an id that a spreadsheet may have mangled, a list of numbers, a phone, a time.
//! Must never repair an id by guessing: what Excel has rounded is refused.

use super::columns::{EXTENSION, is_nothing};
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Cell {
    /// Without what exports put around a value so that spreadsheets leave it alone.
    pub(super) text: String,
    /// A number too large to be exact in a spreadsheet.
    pub(super) rounded: bool,
}

impl Cell {
    /// Takes `="…"`, quotes, a leading `'`, tabs and spaces off.
    pub(super) fn text(raw: &str) -> Self {
        let outer = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '\u{200b}');
        let mut text = raw.trim_matches(outer);
        if let Some(inner) = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')) {
            text = inner;
        } else if let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            text = inner;
        }
        let text = text.trim_start_matches('\'').trim_matches(outer);
        Self { text: text.to_owned(), rounded: false }
    }

    /// The cell as an id. `Err`: why it is none.
    pub(super) fn id(&self) -> Result<&str, String> {
        if self.rounded {
            return Err(format!(
                "Excel has rounded this number ({}); its last digits are lost: export it again as text",
                self.text
            ));
        }
        if is_scientific(&self.text) {
            return Err(format!(
                "“{}” is a number in scientific notation, its last digits are lost: export it again as text",
                self.text
            ));
        }
        Ok(&self.text)
    }
}

/// `2.10123E+18`
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let marked = exponent.starts_with('+') || !fraction.is_empty();
    marked
        && whole.len() == 1
        && digits(whole)
        && (fraction.is_empty() || digits(fraction))
        && digits(exponent.trim_start_matches('+'))
}

/// What stands between several values of one cell.
const BETWEEN: [char; 9] = [',', ';', '，', '；', '、', '|', '/', '\n', '\r'];

/// Several numbers in one cell, without the `No:` that Taobao puts before them.
pub(super) fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| BETWEEN.contains(&c) || c.is_whitespace()).filter_map(|part| {
        let part = ["No:", "NO:", "no:", "No：", "NO："]
            .iter()
            .fold(part, |part, head| part.strip_prefix(head).unwrap_or(part));
        let part = part.trim_matches(['"', '\'', '=']);
        (!is_nothing(part)).then_some(part)
    })
}

/// Several names in one cell; a name may hold spaces.
pub(super) fn names(text: &str) -> Vec<&str> {
    text.split(BETWEEN).map(str::trim).filter(|part| !is_nothing(part)).collect()
}

/// A phone's digits where all are there, and its last four where those are.
pub(super) fn phone(text: &str) -> (Option<String>, Option<String>) {
    let first = text.split(BETWEEN).map(str::trim).find(|part| !part.is_empty()).unwrap_or("");
    let first = first.split(EXTENSION).next().unwrap_or("").trim();
    let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
    let all = digits(first);
    if first.contains('*') {
        let tail = &all[all.len().saturating_sub(4)..];
        let shown = tail.len() == 4 && first.ends_with(tail);
        return (None, shown.then(|| tail.to_owned()));
    }
    let local = match all.strip_prefix("86") {
        Some(local) if local.len() == 11 => local.to_owned(),
        // A platform's own number with an extension: 13800001234-5678.
        _ => match first.split_once('-') {
            Some((head, _)) if digits(head).len() == 11 => digits(head),
            _ => all,
        },
    };
    if !(7..=15).contains(&local.len()) {
        return (None, None);
    }
    let tail = local[local.len() - 4..].to_owned();
    (Some(local), Some(tail))
}

/// A time: RFC 3339, or year to minute or second in any punctuation in the shop's zone, or Excel's day number.
/// `Ok(None)`: the cell says nothing.
pub(super) fn time(text: &str, zone: &TimeZone) -> Result<Option<Timestamp>, String> {
    let has_digit = text.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    if is_nothing(text) || !has_digit {
        return Ok(None);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Some(at));
    }
    let local = civil_time(text).or_else(|| day_number(text));
    let at = local.and_then(|local| zone.to_timestamp(local).ok());
    at.map(Some).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        format!("“{shown}” is no time; write it as 2026-03-01 08:30:00")
    })
}

fn civil_time(text: &str) -> Option<civil::DateTime> {
    let mut parts: [i16; 6] = [0; 6];
    let mut count = 0;
    for part in text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()) {
        // Parts of a second are cut.
        if count < 6 {
            parts[count] = part.parse().ok()?;
        }
        count += 1;
    }
    let [year, month, day, hour, minute, second] = parts;
    if year < 1000 || !matches!(count, 3 | 5 | 6 | 7) {
        return None;
    }
    let small = |part: i16| i8::try_from(part).ok();
    let date = civil::Date::new(year, small(month)?, small(day)?).ok()?;
    let time = civil::Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    Some(date.to_datetime(time))
}

/// Days since 1899-12-30, as spreadsheets keep times.
fn day_number(text: &str) -> Option<civil::DateTime> {
    let days: f64 = text.parse().ok()?;
    if !(30_000.0..80_000.0).contains(&days) {
        return None;
    }
    let seconds = (days * 86_400.0).round() as i64;
    civil::date(1899, 12, 30).at(0, 0, 0, 0).checked_add(jiff::SignedDuration::from_secs(seconds)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_exports_put_around_ids_comes_off() {
        for raw in [
            "=\"2101234567890123456\"",
            "\t2101234567890123456",
            "'2101234567890123456",
            "2101234567890123456\t",
        ] {
            assert_eq!(Cell::text(raw).id(), Ok("2101234567890123456"));
        }
        assert!(Cell::text("2.10123E+18").id().is_err_and(|reason| reason.contains("scientific")));
        assert!(Cell::text("6E+17").id().is_err());
        assert_eq!(Cell::text("JDE12345").id(), Ok("JDE12345"));
        assert_eq!(Cell::text("1E12").id(), Ok("1E12"));
    }

    #[test]
    fn several_numbers_come_apart() {
        let found: Vec<&str> = numbers("No:SF1,YT2；3、4|5/6 7\n-，无").collect();
        assert_eq!(found, ["SF1", "YT2", "3", "4", "5", "6", "7"]);
    }

    #[test]
    fn a_phone_is_whole_or_its_tail_or_nothing() {
        let read = |text| phone(text);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(read("+86 138-0000-1234"), (some("13800001234"), some("1234")));
        assert_eq!(read("13800001234-5678"), (some("13800001234"), some("1234")));
        assert_eq!(read("13800001234转5678"), (some("13800001234"), some("1234")));
        assert_eq!(read("138****1234"), (None, some("1234")));
        assert_eq!(read("138******34"), (None, None));
        assert_eq!(read("****"), (None, None));
        assert_eq!(read("~AbC"), (None, None));
        assert_eq!(read("010-12345678"), (some("01012345678"), some("5678")));
    }

    #[test]
    fn times_are_the_shops() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        for text in [
            "2026-03-01 08:30:00",
            "2026/03/01 08:30",
            "2026/3/1 8:30",
            "46082.354166666664",
            "2026-03-01T00:30:00Z",
        ] {
            assert_eq!(time(text, &zone).unwrap().unwrap().to_string(), "2026-03-01T00:30:00Z", "{text}");
        }
        assert_eq!(time("0000-00-00 00:00:00", &zone), Ok(None));
        assert!(time("2026-13-01 08:30:00", &zone).is_err());
    }
}
