//! How a time is said: "今天 09:14", "Fri, Mar 6", "6 分钟前". The words stand in `locales/<lang>/time.ftl`.
//! Must never guess a zone: a scan whose zone nobody knows is shown by the wall clock of its place, never as "today".

use super::render::Voice;
use crate::model::{Eta, EtaPrecision, When};
use fluent_bundle::FluentArgs;
use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, ToSpan};

/// Beyond this many days a date of another year is said without the clock.
const CLOCK_DAYS: i32 = 180;

impl Voice<'_> {
    /// Wall time of the shop.
    pub(super) fn civil(&self, at: Timestamp) -> DateTime {
        self.zone.to_datetime(at)
    }

    /// Day and clock, as close to today as is natural.
    pub(super) fn moment(&self, out: &mut String, at: DateTime) {
        let mut args = FluentArgs::with_capacity(6);
        args.set("clock", clock(at));
        let key = match days(self.today, at.date()) {
            0 => "time-moment-today",
            -1 => "time-moment-yesterday",
            1 => "time-moment-tomorrow",
            distance => return self.dated(out, at, distance.abs() <= CLOCK_DAYS),
        };
        self.speak(out, key, &args);
    }

    /// A date with its clock, without reference to today.
    fn dated(&self, out: &mut String, at: DateTime, with_clock: bool) {
        if at.year() == self.today.year() {
            let mut args = self.date_args(at.date());
            args.set("clock", clock(at));
            self.speak(out, "time-moment-date", &args);
        } else if with_clock {
            let mut args = self.date_args(at.date());
            args.set("clock", clock(at));
            self.speak(out, "time-moment-year", &args);
        } else {
            self.speak(out, "time-day-year", &self.date_args(at.date()));
        }
    }

    /// A day: "明天", "周五（3月6日）", "3月12日".
    pub(super) fn day(&self, out: &mut String, day: Date) {
        let key = match days(self.today, day) {
            0 => "time-day-today",
            1 => "time-day-tomorrow",
            -1 => "time-day-yesterday",
            2 => "time-day-after-tomorrow",
            -2 => "time-day-before-yesterday",
            3..=6 => "time-day-week",
            _ if day.year() == self.today.year() => "time-day-date",
            _ => "time-day-year",
        };
        self.speak(out, key, &self.date_args(day));
    }

    fn date_args(&self, day: Date) -> FluentArgs<'_> {
        let mut args = FluentArgs::with_capacity(6);
        let language = self.language();
        let named = |names: &'_ [String], at: i8| names.get(at as usize - 1).cloned().unwrap_or_default();
        args.set("day", number(day.day().into()));
        args.set("month", number(day.month().into()));
        if let Some(language) = language {
            args.set("month-name", named(&language.months, day.month()));
            args.set("weekday", named(&language.weekdays, day.weekday().to_monday_one_offset()));
        }
        args.set("year", number(day.year().into()));
        args
    }

    /// How long ago; a time ahead of us (a clock that is off) counts as now.
    pub(super) fn age(&self, out: &mut String, at: Timestamp) {
        let minutes = (self.now.as_second() - at.as_second()) / 60;
        let (key, count) = match minutes {
            ..=0 => ("time-age-now", 0),
            1..=59 => ("time-age-minutes", minutes),
            60..=1439 => ("time-age-hours", minutes / 60),
            _ => ("time-age-days", minutes / 1440),
        };
        let mut args = FluentArgs::with_capacity(1);
        args.set("count", count);
        self.speak(out, key, &args);
    }

    /// An expected arrival: a day, days, a window, or a time.
    pub(super) fn eta(&self, out: &mut String, eta: &Eta) {
        let (from, mut to) = (self.civil(eta.from), self.civil(eta.to));
        // A day that ends at midnight ends on the day before.
        if eta.precision == EtaPrecision::Day && to > from && to.time() == jiff::civil::Time::midnight() {
            to = to.checked_sub(1.second()).unwrap_or(to);
        }
        let words = |day: Date| {
            let mut text = String::new();
            self.day(&mut text, day);
            text
        };
        let same_day = from.date() == to.date();
        let mut args = FluentArgs::with_capacity(3);
        match eta.precision {
            EtaPrecision::Time => {
                args.set("day", words(to.date()));
                args.set("clock", clock(to));
                self.speak(out, "time-eta-time", &args);
            }
            EtaPrecision::Window if same_day && from < to => {
                args.set("day", words(to.date()));
                args.set("from", clock(from));
                args.set("to", clock(to));
                self.speak(out, "time-eta-window", &args);
            }
            EtaPrecision::Window if same_day => self.moment(out, to),
            _ if from.date() < to.date() => {
                args.set("from", words(from.date()));
                args.set("to", words(to.date()));
                self.speak(out, "time-eta-days", &args);
            }
            _ => self.day(out, to.date()),
        }
    }

    /// When a scan happened: in the shop's zone where the instant is known, else the wall time at the place.
    pub(super) fn scanned(&self, out: &mut String, when: &When) {
        let at = when.utc.map(|utc| self.civil(utc));
        if when.is_day() {
            // A bare date is a day at the place: no zone can move it.
            match when.local.parse::<Date>() {
                Ok(day) if at.is_some() => self.day(out, day),
                Ok(day) if day.year() == self.today.year() => {
                    self.speak(out, "time-day-date", &self.date_args(day));
                }
                Ok(day) => self.speak(out, "time-day-year", &self.date_args(day)),
                Err(_) => out.push_str(&when.local),
            }
        } else if let Some(at) = at {
            self.moment(out, at);
        } else if let Ok(local) = when.local.parse::<DateTime>() {
            self.dated(out, local, true);
        } else {
            out.push_str(&when.local);
        }
    }
}

/// RFC 3339 where the zone is known, at the carrier's own offset; else the wall time as it was given.
pub(super) fn rfc3339(when: &When) -> String {
    let Some(utc) = when.utc else { return when.local.clone() };
    match &when.offset {
        Some(offset) if when.local.len() == 19 => format!("{}{offset}", when.local),
        Some(offset) if when.is_day() => format!("{}T00:00:00{offset}", when.local),
        _ => utc.to_string(),
    }
}

fn days(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

/// `09:14`
fn clock(at: DateTime) -> String {
    let mut text = String::with_capacity(5);
    for (at, value) in [at.hour(), at.minute()].into_iter().enumerate() {
        if at == 1 {
            text.push(':');
        }
        text.push(char::from(b'0' + (value / 10) as u8));
        text.push(char::from(b'0' + (value % 10) as u8));
    }
    text
}

/// A number that is never grouped (a year).
fn number(value: i64) -> String {
    value.to_string()
}
