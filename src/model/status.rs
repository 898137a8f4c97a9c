//! Where a parcel can be in its life: 14 statuses, their sub-statuses, and why something is wrong.
//! Source: the project's normalized tracking model, sections 2.1–2.3. Must never know a vendor's code.

macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
        )]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs)]
        pub enum $name { $($(#[$about])* $variant),+ }

        impl $name {
            /// Every value, in the order of the model.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The promised name, snake_case.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// Reads the promised name back.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

pub(super) use named;

named! {
    /// What a parcel is doing, as a buyer understands it.
    Status {
        Unknown = "unknown",
        InfoReceived = "info_received",
        PickedUp = "picked_up",
        InTransit = "in_transit",
        OutForDelivery = "out_for_delivery",
        AttemptFailed = "attempt_failed",
        ReadyForPickup = "ready_for_pickup",
        Exception = "exception",
        Returning = "returning",
        Delivered = "delivered",
        Returned = "returned",
        Lost = "lost",
        Cancelled = "cancelled",
        Expired = "expired",
    }
}

impl Status {
    /// Rank in tenths, so that `exception` can stand at 3.5: later life, higher rank.
    pub const fn rank_tenths(self) -> u8 {
        match self {
            Self::Unknown | Self::Expired => 0,
            Self::InfoReceived => 10,
            Self::PickedUp => 20,
            Self::InTransit => 30,
            Self::Exception => 35,
            Self::OutForDelivery | Self::AttemptFailed | Self::ReadyForPickup => 40,
            Self::Returning => 50,
            Self::Delivered | Self::Returned | Self::Lost | Self::Cancelled => 60,
        }
    }

    /// How far the parcel has come, 0–6; an exception is an overlay and counts as none.
    pub const fn progress(self) -> u8 {
        match self {
            Self::Exception => 0,
            other => other.rank_tenths() / 10,
        }
    }

    /// Whether polling stops after a grace time; a later event may still reopen the parcel.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Returned | Self::Lost | Self::Cancelled | Self::Expired)
    }

    /// The sub-status that stands when a source says only the status.
    pub const fn default_sub(self) -> Option<Sub> {
        match self {
            Self::Unknown => Some(Sub::Unmapped),
            Self::InfoReceived => Some(Sub::LabelCreated),
            Self::PickedUp => Some(Sub::Accepted),
            Self::InTransit => Some(Sub::Moving),
            Self::OutForDelivery => Some(Sub::OnVehicle),
            Self::AttemptFailed => Some(Sub::Other),
            Self::ReadyForPickup => Some(Sub::Counter),
            Self::Exception => None,
            Self::Returning => Some(Sub::OnTheWay),
            Self::Delivered => Some(Sub::Signed),
            Self::Returned => Some(Sub::ToSender),
            Self::Lost => Some(Sub::Lost),
            Self::Cancelled => Some(Sub::BySender),
            Self::Expired => Some(Sub::NoUpdate),
        }
    }
}

named! {
    /// The finer word below a status; each belongs to one status (`Sub::status`).
    Sub {
        NotFound = "not_found", InvalidNumber = "invalid_number", Unmapped = "unmapped",
        LabelCreated = "label_created", AwaitingPickup = "awaiting_pickup",
        PickupScheduled = "pickup_scheduled", PickupFailed = "pickup_failed",
        Accepted = "accepted", DroppedOff = "dropped_off",
        Moving = "moving", ArrivedHub = "arrived_hub", DepartedHub = "departed_hub", LineHaul = "line_haul",
        DepartedOriginCountry = "departed_origin_country",
        ArrivedDestinationCountry = "arrived_destination_country",
        ArrivedDestinationCity = "arrived_destination_city", HandedToPartner = "handed_to_partner",
        Redirected = "redirected", CustomsPresented = "customs_presented",
        CustomsInspection = "customs_inspection", CustomsReleased = "customs_released",
        ProblemResolved = "problem_resolved",
        OnVehicle = "on_vehicle", Appointment = "appointment", Contacted = "contacted",
        NobodyHome = "nobody_home", Closed = "closed", NoAccess = "no_access", BadAddress = "bad_address",
        Unreachable = "unreachable", Rescheduled = "rescheduled", Other = "other",
        Locker = "locker", Station = "station", Counter = "counter", Reminder = "reminder",
        Signed = "signed", SignedByOther = "signed_by_other", Neighbour = "neighbour",
        SafePlace = "safe_place", Mailbox = "mailbox", LockerSigned = "locker_signed",
        Collected = "collected", CodCollected = "cod_collected", AfterProblem = "after_problem",
        Requested = "requested", OnTheWay = "on_the_way", Intercepted = "intercepted",
        ToSender = "to_sender",
        Lost = "lost", Destroyed = "destroyed", Seized = "seized",
        BySender = "by_sender", ByCarrier = "by_carrier",
        NoUpdate = "no_update", Age = "age",
    }
}

impl Sub {
    /// The one status that this sub-status belongs to.
    pub const fn status(self) -> Status {
        match self {
            Self::NotFound | Self::InvalidNumber | Self::Unmapped => Status::Unknown,
            Self::LabelCreated | Self::AwaitingPickup | Self::PickupScheduled | Self::PickupFailed => {
                Status::InfoReceived
            }
            Self::Accepted | Self::DroppedOff => Status::PickedUp,
            Self::Moving
            | Self::ArrivedHub
            | Self::DepartedHub
            | Self::LineHaul
            | Self::DepartedOriginCountry
            | Self::ArrivedDestinationCountry
            | Self::ArrivedDestinationCity
            | Self::HandedToPartner
            | Self::Redirected
            | Self::CustomsPresented
            | Self::CustomsInspection
            | Self::CustomsReleased
            | Self::ProblemResolved => Status::InTransit,
            Self::OnVehicle | Self::Appointment | Self::Contacted => Status::OutForDelivery,
            Self::NobodyHome
            | Self::Closed
            | Self::NoAccess
            | Self::BadAddress
            | Self::Unreachable
            | Self::Rescheduled
            | Self::Other => Status::AttemptFailed,
            Self::Locker | Self::Station | Self::Counter | Self::Reminder => Status::ReadyForPickup,
            Self::Signed
            | Self::SignedByOther
            | Self::Neighbour
            | Self::SafePlace
            | Self::Mailbox
            | Self::LockerSigned
            | Self::Collected
            | Self::CodCollected
            | Self::AfterProblem => Status::Delivered,
            Self::Requested | Self::OnTheWay | Self::Intercepted => Status::Returning,
            Self::ToSender => Status::Returned,
            Self::Lost | Self::Destroyed | Self::Seized => Status::Lost,
            Self::BySender | Self::ByCarrier => Status::Cancelled,
            Self::NoUpdate | Self::Age => Status::Expired,
        }
    }
}

/// Who has to move for an exception to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Actor {
    Buyer,
    Merchant,
    Carrier,
    Customs,
    Nature,
}

named! {
    /// Why a parcel is in `exception`.
    Reason {
        Address = "address", RecipientAbsent = "recipient_absent",
        RecipientUnreachable = "recipient_unreachable", Refused = "refused",
        NotCollected = "not_collected", PaymentDue = "payment_due", CustomsHold = "customs_hold",
        CustomsDocuments = "customs_documents", CustomsProhibited = "customs_prohibited",
        Damaged = "damaged", Missorted = "missorted", Capacity = "capacity", Vehicle = "vehicle",
        FlightDelay = "flight_delay", Weather = "weather", ForceMajeure = "force_majeure",
        OutOfArea = "out_of_area", Security = "security", Investigation = "investigation",
        SenderData = "sender_data", Stuck = "stuck", Overdue = "overdue", NoPickup = "no_pickup",
        Other = "other",
    }
}

impl Reason {
    /// Who has to move.
    pub const fn actor(self) -> Actor {
        match self {
            Self::Address
            | Self::RecipientAbsent
            | Self::RecipientUnreachable
            | Self::Refused
            | Self::NotCollected
            | Self::PaymentDue
            | Self::CustomsDocuments => Actor::Buyer,
            Self::SenderData | Self::NoPickup | Self::CustomsProhibited => Actor::Merchant,
            Self::CustomsHold => Actor::Customs,
            Self::Weather | Self::ForceMajeure => Actor::Nature,
            _ => Actor::Carrier,
        }
    }

    /// Whether the buyer can do something about it.
    pub const fn buyer_action(self) -> bool {
        matches!(
            self,
            Self::Address
                | Self::RecipientUnreachable
                | Self::NotCollected
                | Self::PaymentDue
                | Self::CustomsDocuments
        )
    }
}

/// What a code or a sentence means: a status with its finer word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// The status.
    pub status: Status,
    /// Its sub-status, none for an exception.
    pub sub: Option<Sub>,
    /// The reason, for an exception only.
    pub reason: Option<Reason>,
}

impl Meaning {
    /// A sub-status names its status.
    pub const fn sub(sub: Sub) -> Self {
        Self { status: sub.status(), sub: Some(sub), reason: None }
    }

    /// An exception with its reason.
    pub const fn exception(reason: Reason) -> Self {
        Self { status: Status::Exception, sub: None, reason: Some(reason) }
    }

    /// Nothing readable: kept as it came, never delivered.
    pub const UNMAPPED: Self = Self::sub(Sub::Unmapped);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_sub_belongs_to_its_status() {
        for status in Status::ALL {
            if let Some(sub) = status.default_sub() {
                assert_eq!(sub.status(), *status, "{sub}");
            }
            assert_eq!(Status::named(status.name()), Some(*status));
        }
    }
}
