//! `yishi fold`: where a parcel is, computed from its events in any order. Reads a JSON array on standard input.
//! Must never guess an event that it cannot read: it names the event and what is wrong.

use crate::carriers::names;
use crate::model::fold::Known;
use crate::model::when::{self, When, ZoneSource};
use crate::model::{Courier, Event, Pickup, Place, Raw, Reason, Source, Status, Sub, fold};
use anyhow::{Context, anyhow, bail};
use jiff::{Timestamp, tz::Offset};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::io::{ErrorKind, Read, Write};

/// Where is a parcel, by its events? Reads a JSON array of events on standard input, in any order.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// When the merchant shipped: much older events belong to an earlier parcel with the same number.
    #[arg(long, value_name = "TIME")]
    shipped_at: Option<Timestamp>,
}

/// Runs the command: exit status 0; 1 where the input is not an array of events.
pub fn run(args: Args) -> anyhow::Result<u8> {
    let mut text = String::new();
    let read = std::io::stdin().lock().read_to_string(&mut text).context("standard input is not UTF-8 text");
    match read.and_then(|_| read_events(&text)) {
        Err(error) => {
            writeln!(std::io::stderr().lock(), "error: {error:#}")?;
            Ok(1)
        }
        Ok(events) => match answer(&args, events, std::io::stdout().lock()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(0),
            other => other.map(|()| 0).map_err(Into::into),
        },
    }
}

fn answer(args: &Args, events: Vec<Event>, mut out: impl Write) -> std::io::Result<()> {
    let (state, timeline) = fold(events, Known { shipped_at: args.shipped_at, ..Known::default() });
    if args.json {
        let events: Vec<Value> = timeline.iter().map(event_out).collect();
        let line = json!({
            "status": state.status, "sub": state.sub, "reason": state.reason, "progress": state.progress,
            "delivered_at": state.delivered_at, "since": state.since, "picked_up_at": state.picked_up_at,
            "signed_by": state.signed_by, "leg": state.leg, "reopened": state.reopened,
            "attention": state.attention, "events": events,
        });
        return writeln!(out, "{line}");
    }
    let finer = state.reason.map(Reason::name).or(state.sub.map(Sub::name)).unwrap_or("-");
    writeln!(out, "{}\t{finer}\t{}", state.status, state.progress)?;
    for event in &timeline {
        let mark = if event.superseded { "×" } else { " " };
        writeln!(out, "{mark}{}\t{}\t{}", event.time.local, event.status, event.description())?;
    }
    Ok(())
}

/// An event as the model prints it (2.4); what only the fold needs stands there only where it says something.
fn event_out(event: &Event) -> Value {
    let mut value = serde_json::to_value(event).unwrap_or(Value::Null);
    if let Some(fields) = value.as_object_mut() {
        let empty = |value: &Value| {
            value.is_null() || *value == Value::Bool(false) || value.as_array().is_some_and(Vec::is_empty)
        };
        fields.retain(|name, value| {
            !(matches!(name.as_str(), "last_heard" | "header" | "revokes" | "renumbered" | "signed_by")
                && empty(value))
        });
    }
    value
}

/// Reads the array, or the answer of this very command.
fn read_events(text: &str) -> anyhow::Result<Vec<Event>> {
    let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).context("not JSON")?;
    let list = match value {
        Value::Array(list) => list,
        Value::Object(mut answer) => match answer.remove("events") {
            Some(Value::Array(list)) => list,
            _ => bail!("expected a JSON array of events"),
        },
        _ => bail!("expected a JSON array of events"),
    };
    list.into_iter()
        .enumerate()
        .map(|(at, value)| read_event(value).with_context(|| format!("event {at}")))
        .collect()
}

fn read_event(value: Value) -> anyhow::Result<Event> {
    let Value::Object(mut fields) = value else { bail!("is no object") };
    let carrier: String = required(&mut fields, "carrier")?;
    let number: String = required(&mut fields, "number")?;
    let time: Value = required(&mut fields, "time")?;
    let status: String = required(&mut fields, "status")?;
    let status = Status::named(&status).ok_or_else(|| anyhow!("`status`: `{status}` is no status"))?;
    let sub = named(&mut fields, "sub", Sub::named)?;
    if let Some(sub) = sub.filter(|sub| sub.status() != status) {
        bail!("`sub`: `{sub}` does not belong to `{status}`");
    }
    let mut place = match fields.get("place") {
        Some(Value::String(text)) => Place { text: Some(text.clone()), ..Place::default() },
        _ => optional::<Place>(&mut fields, "place")?,
    };
    place.country = place.country.map(|country| country.to_uppercase());
    let time = read_time(time, &carrier, place.country.as_deref())?;
    let mut event = Event {
        id: optional(&mut fields, "id")?,
        seq: 0,
        time,
        status,
        sub,
        reason: named(&mut fields, "reason", Reason::named)?,
        place,
        raw: optional::<Raw>(&mut fields, "raw")?,
        courier: optional::<Courier>(&mut fields, "courier")?,
        pickup: optional::<Pickup>(&mut fields, "pickup")?,
        carrier,
        number,
        leg: 0,
        source: optional::<Source>(&mut fields, "source")?,
        provider: optional(&mut fields, "provider")?,
        received: optional(&mut fields, "received")?,
        last_heard: optional(&mut fields, "last_heard")?,
        superseded: false,
        signed_by: optional(&mut fields, "signed_by")?,
        header: optional(&mut fields, "header")?,
        revokes: optional(&mut fields, "revokes")?,
        renumbered: optional(&mut fields, "renumbered")?,
    };
    if event.id.is_empty() {
        event.id = id_of(&event);
    }
    Ok(event)
}

/// The model's id. An event that came with neither code nor words is known by its status: else two scans of one
/// second would be one.
fn id_of(event: &Event) -> String {
    if event.raw.code.is_some() || !event.description().is_empty() {
        return event.compute_id();
    }
    let code = Some(event.status.name().to_owned());
    Event { raw: Raw { code, ..event.raw.clone() }, ..event.clone() }.compute_id()
}

fn required<T: DeserializeOwned>(fields: &mut Map<String, Value>, name: &str) -> anyhow::Result<T> {
    match fields.remove(name) {
        None | Some(Value::Null) => bail!("`{name}` is missing"),
        Some(value) => serde_json::from_value(value).with_context(|| format!("`{name}`")),
    }
}

fn optional<T: DeserializeOwned + Default>(fields: &mut Map<String, Value>, name: &str) -> anyhow::Result<T> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(T::default()),
        Some(value) => serde_json::from_value(value).with_context(|| format!("`{name}`")),
    }
}

fn named<T>(
    fields: &mut Map<String, Value>,
    name: &str,
    read: fn(&str) -> Option<T>,
) -> anyhow::Result<Option<T>> {
    let text: Option<String> = optional(fields, name)?;
    text.map(|text| read(&text).ok_or_else(|| anyhow!("`{name}`: `{text}` is unknown"))).transpose()
}

/// A time as the model writes it, or as a vendor does. Without an offset the zone comes from the place, then from the
/// carrier's home (model 4.6); else it stays unknown.
fn read_time(value: Value, carrier: &str, country: Option<&str>) -> anyhow::Result<When> {
    let by_place = country.and_then(zone_of);
    let by_carrier =
        names::by_code(carrier).is_some_and(names::Carrier::is_chinese) || carrier == "simulated";
    let home = by_place.or(by_carrier.then_some(when::CHINA));
    let parse = |text: &str| {
        let mut time = When::parse(text, home).ok_or_else(|| anyhow!("`time`: `{text}` is no time"))?;
        if by_place.is_some() && time.zone_source == ZoneSource::CarrierDefault {
            time.zone_source = ZoneSource::Place;
        }
        Ok(time)
    };
    match value {
        Value::String(text) => parse(&text),
        Value::Number(epoch) => parse(&epoch.to_string()),
        Value::Object(fields) => {
            let told = fields.contains_key("zone_source");
            let value = Value::Object(fields);
            let given: When = serde_json::from_value(value).context("`time`")?;
            match (given.utc, given.local.is_empty(), &given.offset) {
                (None, true, _) => bail!("`time`: neither `utc` nor `local`"),
                (Some(utc), true, None) => Ok(When::at(utc, Offset::UTC, given.zone_source)),
                (Some(_), false, _) => Ok(given),
                (Some(utc), true, Some(offset)) => {
                    let local = parse(&format!("1970-01-01T00:00:00{offset}"))?;
                    let midnight = local.utc.unwrap_or_default();
                    let offset = Offset::from_seconds(i32::try_from(-midnight.as_second()).unwrap_or(0));
                    Ok(When::at(utc, offset.unwrap_or(Offset::UTC), given.zone_source))
                }
                (None, false, Some(offset)) => {
                    let read = parse(&format!("{}{offset}", with_clock(&given.local)))?;
                    Ok(When { zone_source: given.zone_source, local: given.local, ..read })
                }
                // A zone that is said to be unknown stays so.
                (None, false, None) if told && given.zone_source == ZoneSource::Unknown => {
                    When::parse(&given.local, None)
                        .ok_or_else(|| anyhow!("`time`: `{}` is no time", given.local))
                }
                (None, false, None) => parse(&given.local),
            }
        }
        _ => bail!("`time`: neither a text nor an object"),
    }
}

/// An offset can follow a clock only.
fn with_clock(local: &str) -> String {
    if local.len() <= 10 { format!("{local}T00:00:00") } else { local.to_owned() }
}

/// Countries with one zone and no summer time.
fn zone_of(country: &str) -> Option<Offset> {
    let hours = match country {
        "CN" | "HK" | "MO" | "TW" | "SG" | "MY" | "PH" => 8,
        "JP" | "KR" => 9,
        "TH" | "VN" | "KH" | "LA" => 7,
        "AE" => 4,
        "SA" => 3,
        _ => return None,
    };
    Offset::from_hours(hours).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> Value {
        let mut out = Vec::new();
        answer(&Args { json: true, shipped_at: None }, read_events(text).unwrap(), &mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    fn event(time: &str, status: &str) -> String {
        format!(r#"{{"carrier":"sf","number":"SF0000000000018","time":"{time}","status":"{status}"}}"#)
    }

    #[test]
    fn delivered_taken_out_and_delivered_again() {
        let text = format!(
            "[{},{},{}]",
            event("2026-03-02 15:10:00", "delivered"),
            event("2026-03-02 10:00:00", "delivered"),
            event("2026-03-02T14:00:00+08:00", "out_for_delivery")
        );
        let folded = folded(&text);
        assert_eq!(folded["status"], "delivered");
        assert_eq!((&folded["progress"], &folded["reopened"]), (&json!(6), &json!(1)));
        assert_eq!(folded["delivered_at"], "2026-03-02T07:10:00Z");
        let events = folded["events"].as_array().unwrap();
        let marks: Vec<_> =
            events.iter().map(|event| (event["seq"].clone(), event["superseded"].clone())).collect();
        assert_eq!(marks, [(json!(0), json!(true)), (json!(1), json!(false)), (json!(2), json!(false))]);
        assert_eq!(events[0]["time"]["utc"], "2026-03-02T02:00:00Z");
        assert_eq!(events[0]["time"]["zone_source"], "carrier_default");
        // Its own answer is an input again, and changes nothing.
        assert_eq!(super::tests::folded(&folded.to_string()), folded);
    }

    #[test]
    fn the_models_example_reads_and_gets_the_models_id() {
        let folded = folded(
            r#"[{"time":{"utc":"2026-03-02T01:14:00Z","local":"2026-03-02T09:14:00","offset":"+08:00","zone_source":"carrier"},
            "status":"picked_up","sub":"accepted","reason":null,
            "place":{"text":"深圳转运中心","city":"深圳","region":"广东","country":"CN","postal":null,"lat":null,"lon":null},
            "raw":{"code":"50","status":null,"description":"顺丰速运  已收取快件"},"courier":{"name":"李*","phone":"138****0000"},
            "pickup":{"code":null,"place":null,"until":null},"carrier":"sf","number":"SF0000000000018","leg":0,"source":"poll",
            "provider":"kuaidi100","received":"2026-03-02T01:20:11Z","superseded":false}]"#,
        );
        assert_eq!(folded["events"][0]["id"], "eb3f40faad5a809af6e2dbea4329e0f3");
        assert_eq!((&folded["sub"], &folded["delivered_at"]), (&json!("accepted"), &Value::Null));
    }

    #[test]
    fn a_time_gets_its_zone_from_the_place_before_the_carrier_or_none_at_all() {
        let at = |carrier: &str, country: Option<&str>| {
            read_time(json!("2026-03-02 09:00:00"), carrier, country).unwrap()
        };
        assert_eq!(at("sf", None).zone_source, ZoneSource::CarrierDefault);
        assert_eq!(
            (at("dhl", Some("JP")).offset.as_deref(), at("dhl", Some("JP")).zone_source),
            (Some("+09:00"), ZoneSource::Place)
        );
        assert_eq!((at("dhl", Some("US")).utc, at("dhl", None).zone_source), (None, ZoneSource::Unknown));
        let given =
            read_time(json!({"local": "2026-03-02T09:00:00", "offset": "+01:00"}), "dhl", None).unwrap();
        assert_eq!(given.utc.map(|utc| utc.to_string()).as_deref(), Some("2026-03-02T08:00:00Z"));
        let given = read_time(json!({"local": "2026-03-02T09:00:00"}), "sf", None).unwrap();
        assert_eq!(given.zone_source, ZoneSource::CarrierDefault);
        let given =
            read_time(json!({"local": "2026-03-02T09:00:00", "zone_source": "unknown"}), "sf", None).unwrap();
        assert_eq!(given.utc, None);
        let given =
            read_time(json!({"utc": "2026-03-02T08:00:00Z", "offset": "+01:00"}), "dhl", None).unwrap();
        assert_eq!(given.local, "2026-03-02T09:00:00");
    }

    #[test]
    fn two_scans_of_one_second_without_words_are_two_and_a_repeated_one_is_one() {
        let (moving, out) =
            (event("2026-03-02 10:00:00", "in_transit"), event("2026-03-02 10:00:00", "out_for_delivery"));
        let folded = folded(&format!("[{out},{moving},{out}]"));
        assert_eq!(
            (&folded["status"], folded["events"].as_array().unwrap().len()),
            (&json!("out_for_delivery"), 2)
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_the_events_place() {
        for (text, wrong) in [
            ("", "not JSON"),
            ("7", "expected a JSON array"),
            ("[7]", "event 0: is no object"),
            (r#"[{"carrier":"sf","number":"1","time":"2026-03-02"}]"#, "event 0: `status` is missing"),
            (
                r#"[{"carrier":"sf","number":"1","status":"arrived","time":"2026-03-02"}]"#,
                "`arrived` is no status",
            ),
            (r#"[{"carrier":"sf","number":"1","status":"delivered","time":"soon"}]"#, "`soon` is no time"),
            (
                r#"[{"carrier":"sf","number":"1","status":"delivered","sub":"moving","time":"2026-03-02"}]"#,
                "does not belong",
            ),
            (
                r#"[{"carrier":"sf","number":"1","status":"delivered","time":"2026-03-02","received":"x"}]"#,
                "`received`",
            ),
        ] {
            let error = format!("{:#}", read_events(text).unwrap_err());
            assert!(error.contains(wrong) && !error.contains('\n'), "{text}: {error}");
        }
        assert_eq!(folded("[]")["status"], "unknown");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
            let _ = read_events(&text);
        }

        #[test]
        fn any_time_is_read_or_refused(local in "\\PC{0,25}", offset in "[+0-9:Z-]{0,7}") {
            let _ = read_time(json!({"local": local, "offset": offset}), "dhl", None);
            let _ = read_time(json!({"utc": "2026-03-02T08:00:00Z", "offset": offset}), "dhl", None);
        }
    }
}
