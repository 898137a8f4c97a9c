//! Who carries the parcel, as Kuaidi100 tells it beside the scans.
//! Source: facts/aggregators 1. Must never be logged.

use crate::carriers::body;
use crate::model::{Event, Status};
use serde::Deserialize;

/// An object, or an empty text where there is none.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum CourierField {
    Known(Couriers),
    Other(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
pub(super) struct Couriers {
    #[serde(default, rename = "pickupManName", deserialize_with = "body::loose")]
    pickup_name: Option<String>,
    #[serde(default, rename = "pickupManPhone", deserialize_with = "body::loose")]
    pickup_phone: Option<String>,
    #[serde(default, rename = "deliveryManName", deserialize_with = "body::loose")]
    delivery_name: Option<String>,
    #[serde(default, rename = "deliveryManPhone", deserialize_with = "body::loose")]
    delivery_phone: Option<String>,
}

impl Couriers {
    /// Who collected belongs to the newest collection, who delivers to the newest delivery.
    pub(super) fn give_to(self, events: &mut [Event]) {
        let first = |phone: Option<String>| {
            phone.and_then(|phones| {
                phones.split(',').map(str::trim).find(|phone| !phone.is_empty()).map(str::to_owned)
            })
        };
        let mut give = |fits: fn(Status) -> bool, name: Option<String>, phone: Option<String>| {
            let newest =
                events.iter_mut().filter(|event| fits(event.status)).max_by_key(|event| event.time.utc);
            if let Some(event) = newest {
                event.courier.name = event.courier.name.take().or(name);
                event.courier.phone = event.courier.phone.take().or(phone);
            }
        };
        give(|status| status == Status::PickedUp, self.pickup_name, first(self.pickup_phone));
        give(
            |status| matches!(status, Status::OutForDelivery | Status::AttemptFailed),
            self.delivery_name,
            first(self.delivery_phone),
        );
    }
}
