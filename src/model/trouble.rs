//! What can go wrong with a parcel so that a person should look, and after how long silence counts as wrong.
//! Source: normalized tracking model 2.3 and 5. Pure data; the judging is in `tracking::exceptions`.

use super::status::{Actor, Reason, named};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

named! {
    /// What is wrong. Appended to, never reordered: it is stored.
    TroubleKind {
        /// Shipped by the merchant's word, never scanned by the carrier.
        NoPickup = "no_pickup",
        /// No scan for too long.
        Stuck = "stuck",
        /// Later than expected.
        Overdue = "overdue",
        /// Waits to be collected for too long.
        NotCollected = "not_collected",
        /// Goes to and fro between two places.
        Loop = "loop",
        /// Could not be handed over twice or more.
        Attempts = "attempts",
        /// Delivered by the record, not by the buyer's word.
        Disputed = "disputed",
        /// The receiver did not take it.
        Refused = "refused",
        /// Damaged by the carrier's word.
        Damaged = "damaged",
        /// Lost, destroyed or seized by the carrier's word.
        Lost = "lost",
        /// Held at customs, or papers are missing.
        Customs = "customs",
        /// On its way back to the sender.
        Returning = "returning",
        /// Anything else that the carrier calls a problem; the reason says which.
        Reported = "reported",
    }
}

impl TroubleKind {
    /// The kind that a carrier's reason of an exception belongs to.
    pub const fn of(reason: Reason) -> Self {
        match reason {
            Reason::Refused => Self::Refused,
            Reason::Damaged => Self::Damaged,
            Reason::CustomsHold | Reason::CustomsDocuments | Reason::CustomsProhibited => Self::Customs,
            Reason::NotCollected => Self::NotCollected,
            Reason::Stuck => Self::Stuck,
            Reason::Overdue => Self::Overdue,
            Reason::NoPickup => Self::NoPickup,
            _ => Self::Reported,
        }
    }

    /// Hours in which somebody of the shop should have looked.
    pub const fn due_hours(self) -> i64 {
        match self {
            Self::Refused | Self::Damaged | Self::Lost | Self::Disputed | Self::Attempts => 24,
            _ => 48,
        }
    }

    /// One byte of a stored key, never changed.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// One thing that is wrong with one parcel on one leg. Appended to, never reordered: it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// What.
    pub kind: TroubleKind,
    /// The carrier's reason, where it told one.
    pub reason: Option<Reason>,
    /// Since when the matter stands: the last scan before the silence, the expected time that passed, the failed
    /// attempt. The same matter keeps it, a new one has a later one.
    pub since: Timestamp,
    /// 0 on the way out, 1 on the way back.
    pub leg: u8,
    /// Whether the merchant is to be told at once; else it only stands in the list.
    pub alert: bool,
}

impl Trouble {
    /// The buyer says that there is nothing of what the carrier calls delivered.
    pub fn disputed(at: Timestamp, leg: u8) -> Self {
        Self { kind: TroubleKind::Disputed, reason: None, since: at, leg, alert: true }
    }

    /// What a carrier reports.
    pub fn reported(reason: Reason, since: Timestamp, leg: u8) -> Self {
        // The carrier mends these by itself, or the weather does.
        let passing = matches!(reason.actor(), Actor::Nature)
            || matches!(
                reason,
                Reason::RecipientAbsent
                    | Reason::Missorted
                    | Reason::Capacity
                    | Reason::Vehicle
                    | Reason::FlightDelay
            );
        Self { kind: TroubleKind::of(reason), reason: Some(reason), since, leg, alert: !passing }
    }
}

/// After how long silence, delay or waiting counts as wrong. The defaults are those of `yishi.default.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thresholds {
    /// Shipped without a first scan.
    pub no_pickup: SignedDuration,
    /// No scan, within one country.
    pub stuck: SignedDuration,
    /// No scan, between countries.
    pub stuck_abroad: SignedDuration,
    /// No scan while customs has it.
    pub stuck_customs: SignedDuration,
    /// No scan although it is in the buyer's city or with the courier.
    pub stuck_near: SignedDuration,
    /// After the expected time.
    pub overdue: SignedDuration,
    /// Ready for pickup: the buyer is reminded.
    pub collect_reminder: SignedDuration,
    /// Ready for pickup: it stands in the merchant's list.
    pub not_collected: SignedDuration,
    /// Ready for pickup: the merchant is alerted.
    pub not_collected_alert: SignedDuration,
    /// Failed attempts on one leg.
    pub attempts: u8,
    /// Moves between the same two places.
    pub loop_moves: u8,
}

impl Default for Thresholds {
    fn default() -> Self {
        let hours = SignedDuration::from_hours;
        Self {
            no_pickup: hours(48),
            stuck: hours(72),
            stuck_abroad: hours(240),
            stuck_customs: hours(168),
            stuck_near: hours(48),
            overdue: hours(12),
            collect_reminder: hours(20),
            not_collected: hours(48),
            not_collected_alert: hours(168),
            attempts: 2,
            loop_moves: 3,
        }
    }
}

impl Thresholds {
    /// All times divided, for a demo in which days pass in minutes.
    pub fn faster(&self, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed >= 1.0 { speed } else { 1.0 };
        let by = |time: SignedDuration| SignedDuration::from_secs((time.as_secs() as f64 / speed) as i64);
        Self {
            no_pickup: by(self.no_pickup),
            stuck: by(self.stuck),
            stuck_abroad: by(self.stuck_abroad),
            stuck_customs: by(self.stuck_customs),
            stuck_near: by(self.stuck_near),
            overdue: by(self.overdue),
            collect_reminder: by(self.collect_reminder),
            not_collected: by(self.not_collected),
            not_collected_alert: by(self.not_collected_alert),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_kind_and_every_kind_a_name_and_a_byte_of_its_own() {
        let codes: std::collections::BTreeSet<u8> = TroubleKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), TroubleKind::ALL.len());
        for kind in TroubleKind::ALL {
            assert_eq!(TroubleKind::named(kind.name()), Some(*kind));
        }
        assert_eq!(TroubleKind::of(Reason::CustomsDocuments), TroubleKind::Customs);
        assert_eq!(TroubleKind::of(Reason::Weather), TroubleKind::Reported);
        let at = Timestamp::UNIX_EPOCH;
        assert!(
            !Trouble::reported(Reason::Weather, at, 0).alert
                && Trouble::reported(Reason::Address, at, 0).alert
        );
    }

    #[test]
    fn a_demo_waits_shorter() {
        let fast = Thresholds::default().faster(144.0);
        assert_eq!((fast.stuck, fast.attempts), (SignedDuration::from_mins(30), 2));
        assert_eq!(Thresholds::default().faster(f64::NAN), Thresholds::default());
    }
}
