//! Many parcels that stand still at one hub are one incident, not many: the merchant asks the carrier once. Pure.
//! Must never join parcels of two carriers.

use crate::model::TroubleKind;
use crate::model::event::canonical;
use crate::store::records::Case;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// So many parcels at one hub.
const LEAST: usize = 5;
/// And such a share of all that stand still with this carrier, in per cent: else the carrier is slow everywhere.
const SHARE: usize = 30;

/// Parcels that stand still at one hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Names it while it lasts.
    pub id: String,
    /// Yishi's carrier code.
    pub carrier: String,
    /// The hub, in the carrier's words.
    pub place: String,
    /// Since when the first of them stands still.
    pub since: Timestamp,
    /// How many parcels.
    pub parcels: usize,
    /// Which of the given cases.
    pub cases: Vec<usize>,
}

/// Finds the incidents among open cases, the largest first.
pub fn incidents<'c>(cases: impl IntoIterator<Item = &'c Case>) -> Vec<Incident> {
    let mut hubs: BTreeMap<(&str, String), Vec<(usize, &Case)>> = BTreeMap::new();
    let mut stuck: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, case) in cases.into_iter().enumerate() {
        if case.kind != TroubleKind::Stuck {
            continue;
        }
        *stuck.entry(&case.carrier).or_default() += 1;
        if let Some(place) = &case.place {
            hubs.entry((&case.carrier, canonical(place))).or_default().push((at, case));
        }
    }
    let mut found: Vec<Incident> = Vec::new();
    for ((carrier, place), cases) in hubs {
        let parcels: BTreeSet<&str> = cases.iter().map(|(_, case)| case.number.as_str()).collect();
        let all = stuck.get(carrier).copied().unwrap_or_default();
        let Some((_, first)) = cases.iter().min_by_key(|(_, case)| case.since) else { continue };
        if parcels.len() >= LEAST && cases.len() * 100 >= all * SHARE {
            found.push(Incident {
                id: format!("{carrier}:{place}"),
                carrier: carrier.to_owned(),
                place: first.place.clone().unwrap_or_default(),
                since: first.since,
                parcels: parcels.len(),
                cases: cases.into_iter().map(|(at, _)| at).collect(),
            });
        }
    }
    found.sort_by(|a, b| b.parcels.cmp(&a.parcels).then_with(|| a.id.cmp(&b.id)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stuck(carrier: &str, number: usize, place: &str) -> Case {
        Case {
            kind: TroubleKind::Stuck,
            carrier: carrier.into(),
            number: format!("N{number}"),
            place: (!place.is_empty()).then(|| place.to_owned()),
            since: Timestamp::from_second(1_000_000 + number as i64).unwrap(),
            ..Case::default()
        }
    }

    #[test]
    fn five_at_one_hub_are_one_incident() {
        let mut cases: Vec<Case> = (0..4).map(|n| stuck("zto", n, "Hub A")).collect();
        assert_eq!(incidents(&cases), []);
        cases.push(Case { kind: TroubleKind::Overdue, ..stuck("zto", 4, "Hub A") });
        cases.push(stuck("yto", 5, "Hub A"));
        cases.push(stuck("zto", 3, "Hub A"));
        assert_eq!(incidents(&cases), [], "another trouble, another carrier, the same parcel");
        cases.push(stuck("zto", 6, " hub a "));
        let found = incidents(&cases);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].id.as_str(), found[0].place.as_str(), found[0].parcels),
            ("zto:hub a", "Hub A", 5)
        );
        assert_eq!((found[0].since, &found[0].cases), (cases[0].since, &vec![0, 1, 2, 3, 6, 7]));
    }

    #[test]
    fn a_carrier_that_is_slow_everywhere_has_no_incident() {
        let hub = (0..6).map(|n| stuck("zto", n, "Hub A"));
        let elsewhere = |many: usize| (100..100 + many).map(|n| stuck("zto", n, &format!("Hub {n}")));
        let cases = |many| hub.clone().chain(elsewhere(many)).collect::<Vec<_>>();
        assert_eq!(incidents(&cases(14)).len(), 1);
        assert_eq!(incidents(&cases(15)), []);
    }
}
