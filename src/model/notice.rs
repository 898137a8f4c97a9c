//! News of a parcel that a buyer is told before asking: what it is about, and the key under which it is told once.
//! Source: DESIGN, *Notices*. Pure data; whether and when it is told is decided in `notices/`.

use jiff::Timestamp;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What a notice is about. A shop can switch each of them off by [`NoticeKind::name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum NoticeKind {
    Shipped,
    Collected,
    OutForDelivery,
    ReadyForPickup,
    Delivered,
    AttemptFailed,
    /// The expected day moved back.
    Delayed,
    /// Something went wrong; the reason is in the parcel's state.
    Exception,
    /// Nothing was scanned for too long: an apology, once.
    Stalled,
    /// After an exception or a stall.
    MovingAgain,
    Returning,
    Returned,
    /// "Delivered" was taken back.
    Corrected,
    /// What a buyer asked in vain is known now: a promise kept.
    Answered,
    /// It is still not known: a promise explained.
    Unanswered,
}

impl NoticeKind {
    /// All kinds that a shop can switch off. What was promised is told in any case.
    pub const ALL: &[Self] = &[
        Self::Shipped,
        Self::Collected,
        Self::OutForDelivery,
        Self::ReadyForPickup,
        Self::Delivered,
        Self::AttemptFailed,
        Self::Delayed,
        Self::Exception,
        Self::Stalled,
        Self::MovingAgain,
        Self::Returning,
        Self::Returned,
        Self::Corrected,
    ];

    /// As it stands in the configuration, in the API and, with dashes, in template keys: `out_for_delivery`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shipped => "shipped",
            Self::Collected => "collected",
            Self::OutForDelivery => "out_for_delivery",
            Self::ReadyForPickup => "ready_for_pickup",
            Self::Delivered => "delivered",
            Self::AttemptFailed => "attempt_failed",
            Self::Delayed => "delayed",
            Self::Exception => "exception",
            Self::Stalled => "stalled",
            Self::MovingAgain => "moving_again",
            Self::Returning => "returning",
            Self::Returned => "returned",
            Self::Corrected => "corrected",
            Self::Answered => "answered",
            Self::Unanswered => "unanswered",
        }
    }

    /// A kind by its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// What it belongs to in a buyer's words.
    pub fn group(self) -> NoticeGroup {
        match self {
            Self::Shipped | Self::Collected => NoticeGroup::Moving,
            Self::OutForDelivery => NoticeGroup::Delivery,
            // Who was told of a delivery is told that it was none.
            Self::ReadyForPickup
            | Self::Delivered
            | Self::Corrected
            // Asked for by the buyer, whatever else they do not want to hear.
            | Self::Answered
            | Self::Unanswered => NoticeGroup::Arrival,
            Self::AttemptFailed
            | Self::Delayed
            | Self::Exception
            | Self::Stalled
            | Self::MovingAgain
            | Self::Returning
            | Self::Returned => NoticeGroup::Trouble,
        }
    }

    /// Told at once even where another notice went out just before: a buyer acts on it.
    pub fn never_held_back(self) -> bool {
        matches!(self, Self::ReadyForPickup | Self::Delivered) || self.is_promised()
    }

    /// Somebody asked and was told that they would hear.
    pub fn is_promised(self) -> bool {
        matches!(self, Self::Answered | Self::Unanswered)
    }
}

/// News that a buyer can switch off by word: kinds that belong together in everyday speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum NoticeGroup {
    Moving,
    Delivery,
    Arrival,
    /// What did not go as it should, and that it goes on.
    Trouble,
}

impl NoticeGroup {
    /// All groups.
    pub const ALL: &[Self] = &[Self::Moving, Self::Delivery, Self::Arrival, Self::Trouble];

    /// As it stands in template keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::Moving => "moving",
            Self::Delivery => "delivery",
            Self::Arrival => "arrival",
            Self::Trouble => "trouble",
        }
    }
}

/// One notice of one parcel. Appended to, never reordered: it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What it is about.
    pub kind: NoticeKind,
    /// The parcel's generation.
    pub generation: u8,
    /// 0 on the way out, 1 on the way back.
    pub leg: u8,
    /// What tells two notices of one kind apart: the local day for out for delivery and a failed attempt, the
    /// expected day for a delay, a hash of the code for a pickup, the reopened count for delivered and corrected,
    /// the reason for an exception; the moment by which it was promised; else empty.
    pub occasion: String,
    /// Time of the event that caused it.
    pub at: Timestamp,
    /// Orders whose buyers have heard it, where others' have yet to.
    #[serde(default)]
    pub heard: Vec<String>,
}

impl Notice {
    /// The key under which it is told once, within its parcel: 64 bits tell a parcel's few dozen apart.
    pub fn key(&self) -> u64 {
        let text =
            format!("{}\u{1f}{}\u{1f}{}\u{1f}{}", self.generation, self.leg, self.kind.name(), self.occasion);
        let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        digest.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }
}

/// Hours of the day in which a buyer is left alone; `from` after `to`: over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    /// The first minute of quiet.
    pub from: Time,
    /// The first minute after it.
    pub to: Time,
}

/// What a shop's buyers are told, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeRules {
    /// Kinds that are not told at all.
    pub off: Vec<NoticeKind>,
    /// When nothing is told, in the buyer's zone; none: told at any hour.
    pub quiet: Option<QuietHours>,
    /// Kinds that are told in quiet hours too.
    pub urgent: Vec<NoticeKind>,
    /// Messages to one buyer in a local day; 0: without bound.
    pub most_a_day: u32,
}

impl Default for NoticeRules {
    fn default() -> Self {
        let quiet = QuietHours { from: Time::constant(22, 0, 0, 0), to: Time::constant(8, 0, 0, 0) };
        Self { off: Vec::new(), quiet: Some(quiet), urgent: Vec::new(), most_a_day: 6 }
    }
}

/// One piece of news in a few facts, for platforms that take only a form that they approved. In the buyer's language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headline {
    /// What it is about.
    pub kind: NoticeKind,
    /// The parcel's status.
    pub status: super::Status,
    /// The status in words.
    pub status_text: String,
    /// The carrier's name.
    pub carrier: String,
    /// Tracking number.
    pub number: String,
    /// Order number.
    pub order: String,
    /// What was ordered; may be empty.
    pub item: String,
    /// When it happened, on the shop's clock.
    pub at: jiff::civil::DateTime,
    /// The news in one sentence.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name_and_has_a_key_of_its_own() {
        let mut keys = std::collections::BTreeSet::new();
        for kind in NoticeKind::ALL {
            assert_eq!(NoticeKind::named(kind.name()), Some(*kind));
            let notice = Notice {
                kind: *kind,
                generation: 0,
                leg: 0,
                occasion: String::new(),
                at: Timestamp::UNIX_EPOCH,
                heard: Vec::new(),
            };
            assert!(keys.insert(notice.key()));
            assert_ne!(notice.key(), Notice { occasion: "1".into(), ..notice.clone() }.key());
            assert_eq!(notice.key(), Notice { at: Timestamp::MAX, ..notice.clone() }.key());
        }
    }
}
