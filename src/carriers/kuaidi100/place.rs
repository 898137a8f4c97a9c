//! Where a scan happened, as Kuaidi100 tells it.
//! Source: facts/aggregators 1. Must never guess what the vendor leaves out.

use crate::model::Place;

/// `广东,深圳市,南山区` and `114.05,22.54` (longitude first).
pub(super) fn area(name: Option<&str>, center: Option<&str>) -> Place {
    let mut parts = name.unwrap_or("").split(',').map(str::trim).filter(|part| !part.is_empty());
    let region = parts.next().map(|part| part.trim_end_matches('省').to_owned());
    // A municipality is its own city: 北京,朝阳区 and 北京,北京市,朝阳区 both name 北京.
    let city =
        parts.next().filter(|part| !part.ends_with('区')).map(|part| part.trim_end_matches('市').to_owned());
    let numbers = center.and_then(|center| center.split_once(','));
    let (lon, lat) =
        numbers.map_or((None, None), |(lon, lat)| (lon.trim().parse().ok(), lat.trim().parse().ok()));
    Place { city: city.or_else(|| region.clone()), region, lat, lon, ..Place::default() }
}
