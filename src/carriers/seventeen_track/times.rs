//! When 17TRACK expects a parcel.
//! Source: api.17track.net (v2.4, `time_metrics`); facts/aggregators 3. Must never make more of a day than a day.

use crate::carriers::body;
use crate::model::{Eta, EtaPrecision, EtaSource, When};
use serde::Deserialize;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct TimeMetrics {
    estimated_delivery_date: Option<Estimate>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Estimate {
    #[serde(deserialize_with = "body::loose")]
    from: Option<String>,
    #[serde(deserialize_with = "body::loose")]
    to: Option<String>,
}

impl TimeMetrics {
    pub(super) fn eta(self) -> Option<Eta> {
        self.estimated_delivery_date?.eta()
    }
}

impl Estimate {
    fn eta(self) -> Option<Eta> {
        let time = |text: Option<String>| When::parse(&text?, None)?.utc;
        let (from, to) = (time(self.from), time(self.to));
        let (from, to) = (from.or(to)?, to.or(from)?);
        Some(Eta { from, to, source: EtaSource::Provider, precision: EtaPrecision::Day })
    }
}
