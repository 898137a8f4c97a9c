//! Reads `[tracking]` and `[thresholds.NAME]`: after how long silence, delay or waiting counts as wrong, and for which
//! carrier or shop it is different. Must never let a misspelt carrier or shop pass as one that is never met.

use super::reader::{Reader, Section, printable};
use super::{Named, Tracking};
use crate::carriers::names;
use crate::model::Thresholds;
use jiff::SignedDuration;

/// Where other thresholds hold, and which.
#[derive(Debug, Clone)]
pub struct Special {
    shop: Option<String>,
    carrier: Option<String>,
    changes: Vec<(usize, u64)>,
}

/// A key, its largest value, and what it sets.
type Setting = (&'static str, u64, fn(&mut Thresholds, u64));

fn hours(hours: u64) -> SignedDuration {
    SignedDuration::from_hours(i64::try_from(hours).unwrap_or(i64::MAX / 3600))
}

/// 90 days: older parcels are not watched.
const LONGEST: u64 = 90 * 24;

const SETTINGS: [Setting; 11] = [
    ("no_pickup_hours", LONGEST, |all, value| all.no_pickup = hours(value)),
    ("stuck_hours", LONGEST, |all, value| all.stuck = hours(value)),
    ("stuck_abroad_hours", LONGEST, |all, value| all.stuck_abroad = hours(value)),
    ("stuck_customs_hours", LONGEST, |all, value| all.stuck_customs = hours(value)),
    ("stuck_near_hours", LONGEST, |all, value| all.stuck_near = hours(value)),
    ("overdue_hours", LONGEST, |all, value| all.overdue = hours(value)),
    ("collect_reminder_hours", LONGEST, |all, value| all.collect_reminder = hours(value)),
    ("not_collected_hours", LONGEST, |all, value| all.not_collected = hours(value)),
    ("not_collected_alert_hours", LONGEST, |all, value| all.not_collected_alert = hours(value)),
    ("attempts", 20, |all, value| all.attempts = value.min(20) as u8),
    ("loop_moves", 20, |all, value| all.loop_moves = value.clamp(2, 20) as u8),
];

impl Tracking {
    /// What holds for a carrier's parcels of a shop: the defaults, then what the file says of the two, in its order.
    pub fn thresholds(&self, shop: &str, carrier: &str) -> Thresholds {
        let mut thresholds = self.thresholds.clone();
        let meant = |special: &&Special| {
            special.shop.as_deref().is_none_or(|meant| meant == shop)
                && special.carrier.as_deref().is_none_or(|meant| meant == carrier)
        };
        for (at, value) in self.special.iter().filter(meant).flat_map(|special| &special.changes) {
            SETTINGS[*at].2(&mut thresholds, *value);
        }
        thresholds
    }
}

pub(super) fn read(reader: &Reader, section: Section, special: &Named, shops: &[&str]) -> Tracking {
    let mut thresholds = Thresholds::default();
    for (at, value) in values(&section) {
        SETTINGS[at].2(&mut thresholds, value);
    }
    let holidays = section.flag("holidays").unwrap_or(true);
    section.finish();
    let special = special.iter().map(|(name, at, table)| {
        let path = format!("thresholds.{}", printable(name));
        let section = Section::new(reader, path, *at, Some(table), None);
        let special = Special {
            shop: known(&section, "shop", "the id of a shop in this file", |id| {
                shops.contains(&id).then(|| id.to_owned())
            }),
            carrier: known(&section, "carrier", "a carrier's code such as \"sf\" or \"usps\"", |code| {
                names::by_any(code).map(|carrier| carrier.code.to_owned())
            }),
            changes: values(&section),
        };
        if special.shop.is_none()
            && special.carrier.is_none()
            && !section.has("shop")
            && !section.has("carrier")
        {
            section.missing("carrier", "the carrier or the `shop` that it is for");
        }
        section.finish();
        special
    });
    Tracking { thresholds, holidays, special: special.collect() }
}

/// The settings that a table gives: which of [`SETTINGS`], and the value.
fn values(section: &Section) -> Vec<(usize, u64)> {
    let value = |at: usize| section.whole(SETTINGS[at].0, 1..=SETTINGS[at].1).map(|value| (at, value));
    (0..SETTINGS.len()).filter_map(value).collect()
}

fn known<'r>(
    section: &Section<'r, '_>,
    key: &'r str,
    form: &str,
    find: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let text = section.text(key)?;
    let found = find(text.trim());
    if found.is_none() {
        section.problem(section.place(key), format!("`{}.{key}` must be {form}", section.path));
    }
    found
}
