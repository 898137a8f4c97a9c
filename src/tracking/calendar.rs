//! Which days are worked: a parcel that waits over a holiday or a big sale is not in trouble yet. The days stand in
//! `calendar.toml`. Pure. Must never make a wait shorter than it was set.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What is built in.
const BUILT_IN: &str = include_str!("calendar.toml");
/// No wait is counted further than this.
const FURTHEST_DAYS: usize = 400;

/// Whose working hours count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Shops hand parcels over: a weekend day counts half, a holiday not at all.
    Merchant,
    /// Parcels are moved: every day counts, a holiday as far as carriers work on it.
    Carrier,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    /// A weekend day that is worked instead of another.
    Worked,
    /// Off; carriers do so many per cent of their work.
    Off { carriers: u8 },
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sale {
    #[serde(rename = "name")]
    _name: String,
    /// `MM-DD`, every year.
    from: String,
    to: String,
    extra_hours: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Holiday {
    #[serde(rename = "name")]
    _name: String,
    from: Date,
    to: Date,
    #[serde(default)]
    work: Vec<Date>,
    carriers: u8,
    #[serde(default, rename = "estimate")]
    _estimate: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    holiday: Vec<Holiday>,
    #[serde(default)]
    sale: Vec<Sale>,
}

/// Holidays, worked weekends and sales. The default knows none of them, only weekends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    days: BTreeMap<Date, Day>,
    sales: Vec<Sale>,
}

impl Calendar {
    /// China's, as built in. A test holds that it can be read.
    pub fn built_in() -> &'static Self {
        static CALENDAR: LazyLock<Calendar> = LazyLock::new(|| Calendar::parse(BUILT_IN).unwrap_or_default());
        &CALENDAR
    }

    /// Reads a calendar in the form of `calendar.toml`; the error says what is wrong and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut days = BTreeMap::new();
        for holiday in &file.holiday {
            let mut day = holiday.from;
            let mut left = FURTHEST_DAYS;
            while day <= holiday.to && left > 0 {
                days.insert(day, Day::Off { carriers: holiday.carriers.min(100) });
                let Ok(next) = day.tomorrow() else { break };
                (day, left) = (next, left - 1);
            }
        }
        // Last: a day that is worked stays worked, whoever calls it a holiday.
        for day in file.holiday.iter().flat_map(|holiday| &holiday.work) {
            days.insert(*day, Day::Worked);
        }
        Ok(Self { days, sales: file.sale })
    }

    /// Whether offices and shops work on this day.
    pub fn is_working_day(&self, day: Date) -> bool {
        match self.days.get(&day) {
            Some(Day::Worked) => true,
            Some(Day::Off { .. }) => false,
            None => !is_weekend(day),
        }
    }

    /// The hours between two moments that lie on working days.
    pub fn working_hours_between(&self, from: Timestamp, to: Timestamp, zone: &TimeZone) -> SignedDuration {
        let mut hours = SignedDuration::ZERO;
        for (day, start, end) in Days::from(from, zone) {
            if start >= to {
                break;
            }
            if self.is_working_day(day) {
                hours += end.min(to).duration_since(start);
            }
        }
        hours
    }

    /// The moment when a wait that began at `start` has lasted `wait`, counted in somebody's days, with the extra time
    /// of a sale in which it began.
    pub fn after(&self, start: Timestamp, wait: SignedDuration, pace: Pace, zone: &TimeZone) -> Timestamp {
        let wait = wait + self.extra(start, zone);
        let mut left = wait;
        let mut reached = start;
        for (day, from, to) in Days::from(start, zone) {
            let percent = i32::from(self.percent(day, pace));
            let whole = to.duration_since(from);
            let counted = whole * percent / 100;
            if counted >= left && percent > 0 {
                return from + left * 100 / percent;
            }
            left -= counted;
            reached = to;
        }
        reached.saturating_add(left).unwrap_or(reached)
    }

    /// The time that a sale adds to waits that begin now.
    pub fn extra(&self, start: Timestamp, zone: &TimeZone) -> SignedDuration {
        let day = zone.to_datetime(start).date().strftime("%m-%d").to_string();
        let hours = self.sales.iter().filter(|sale| sale.from <= day && day <= sale.to);
        SignedDuration::from_hours(hours.map(|sale| i64::from(sale.extra_hours)).max().unwrap_or(0))
    }

    fn percent(&self, day: Date, pace: Pace) -> u8 {
        match (pace, self.days.get(&day)) {
            (Pace::Carrier, Some(Day::Off { carriers })) => *carriers,
            (Pace::Merchant, Some(Day::Off { .. })) => 0,
            (Pace::Merchant, None) if is_weekend(day) => 50,
            _ => 100,
        }
    }
}

fn is_weekend(day: Date) -> bool {
    day.weekday().to_monday_zero_offset() >= 5
}

/// The local days from a moment on, each with the part of it that counts.
struct Days<'z> {
    at: Timestamp,
    zone: &'z TimeZone,
    left: usize,
}

impl<'z> Days<'z> {
    fn from(at: Timestamp, zone: &'z TimeZone) -> Self {
        Self { at, zone, left: FURTHEST_DAYS }
    }
}

impl Iterator for Days<'_> {
    type Item = (Date, Timestamp, Timestamp);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let day = self.zone.to_datetime(self.at).date();
        let midnight = day.tomorrow().ok()?.to_datetime(jiff::civil::Time::midnight());
        let end = self.zone.to_timestamp(midnight).ok().filter(|end| *end > self.at)?;
        let start = std::mem::replace(&mut self.at, end);
        Some((day, start, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::when::CHINA;

    fn zone() -> TimeZone {
        TimeZone::fixed(CHINA)
    }

    /// Shanghai time.
    fn at(text: &str) -> Timestamp {
        format!("{text}:00+08:00").parse().unwrap()
    }

    fn hours(hours: i64) -> SignedDuration {
        SignedDuration::from_hours(hours)
    }

    #[test]
    fn the_built_in_calendar_knows_chinas_days() {
        assert!(Calendar::parse(BUILT_IN).is_ok(), "{:?}", Calendar::parse(BUILT_IN).err());
        let calendar = Calendar::built_in();
        for (day, worked) in [
            ("2026-01-04", true),
            ("2026-02-14", true),
            ("2026-02-16", false),
            ("2026-02-24", true),
            ("2026-03-01", false),
            ("2026-05-05", false),
            ("2026-09-20", true),
            ("2026-10-08", true),
            ("2026-10-10", true),
            ("2026-10-11", false),
            ("2027-02-08", false),
        ] {
            assert_eq!(calendar.is_working_day(day.parse().unwrap()), worked, "{day}");
        }
    }

    #[test]
    fn a_wait_of_two_days_takes_three_over_a_weekend_and_longer_over_a_festival() {
        let after = |start, pace| Calendar::built_in().after(at(start), hours(48), pace, &zone());
        assert_eq!(after("2026-03-03T10:00", Pace::Merchant), at("2026-03-05T10:00"));
        assert_eq!(after("2026-03-06T18:00", Pace::Merchant), at("2026-03-09T18:00"));
        assert_eq!(after("2026-03-06T18:00", Pace::Carrier), at("2026-03-08T18:00"));
        assert_eq!(after("2026-02-14T18:00", Pace::Merchant), at("2026-02-25T18:00"));
        assert_eq!(after("2026-02-14T12:00", Pace::Carrier), at("2026-02-21T00:00"));
        assert_eq!(after("2026-11-11T10:00", Pace::Carrier), at("2026-11-15T10:00"), "Double 11");
        assert_eq!(
            Calendar::default().after(at("2026-02-14T18:00"), hours(48), Pace::Carrier, &zone()),
            at("2026-02-16T18:00")
        );
    }

    #[test]
    fn hours_on_working_days_are_counted() {
        let calendar = Calendar::built_in();
        let between = |from, to| calendar.working_hours_between(at(from), at(to), &zone());
        assert_eq!(between("2026-03-06T18:00", "2026-03-09T06:00"), hours(12));
        assert_eq!(between("2026-10-09T12:00", "2026-10-11T12:00"), hours(36));
        assert_eq!(between("2026-03-06T18:00", "2026-03-06T12:00"), SignedDuration::ZERO);
    }

    #[test]
    fn a_broken_calendar_is_refused() {
        for text in ["[[holiday]]\nname = \"x\"", "[[sail]]", "[[sale]]\nname = 1"] {
            assert!(Calendar::parse(text).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_wait_is_never_shorter_than_it_was_set(start in 1_760_000_000_i64..1_830_000_000, wait in 0_i64..2_000) {
            let start = Timestamp::from_second(start).unwrap();
            for pace in [Pace::Merchant, Pace::Carrier] {
                let end = Calendar::built_in().after(start, hours(wait), pace, &zone());
                proptest::prop_assert!(end.duration_since(start) >= hours(wait));
            }
        }
    }
}
