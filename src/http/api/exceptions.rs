//! What is wrong with parcels, as a list to work through: the most urgent first, who has it, until when it may wait,
//! how it ended. Must never hide that many of them are one incident.

use super::read::Fields;
use super::{Body, Caller, Segments, contended, page_size, pairs, parameter, segments, unstored};
use crate::http::problem::{Kind, Problem};
use crate::model::TroubleKind;
use crate::store::records::Case;
use crate::store::{Batch, Committed};
use crate::text::mask;
use crate::tracking::incidents::{Incident, incidents};
use axum::Json;
use axum::extract::RawQuery;
use jiff::Timestamp;
use serde_json::{Value, json};

/// How often a write that was overtaken is tried again.
const TRIES: usize = 5;
/// Cases that are read for one list; a shop that has more is told so.
const MOST: usize = 10_000;
const LONGEST_OWNER: usize = 64;
const LONGEST_OUTCOME: usize = 500;

/// Which cases are listed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Snoozed,
    All,
    Past,
}

/// `GET /api/v1/exceptions?state=…&kind=…&owner=…&limit=…&cursor=…`, the soonest due first.
pub(super) async fn list(caller: Caller, RawQuery(query): RawQuery) -> Result<Json<Value>, Problem> {
    let query = pairs(query);
    let limit = page_size(&query, 100, 500)?;
    let state = match parameter(&query, "state") {
        None | Some("open") => State::Open,
        Some("snoozed") => State::Snoozed,
        Some("all") => State::All,
        Some("past") => State::Past,
        Some(_) => {
            return Err(Problem::new(Kind::Invalid, "state must be open, snoozed, all or past."));
        }
    };
    let kind = parameter(&query, "kind").map(|name| {
        TroubleKind::named(name).ok_or_else(|| Problem::new(Kind::Invalid, "kind must be one of the kinds."))
    });
    let kind = kind.transpose()?;
    // Empty: those that nobody has.
    let owner = parameter(&query, "owner");
    let cursor = parameter(&query, "cursor").map(read_cursor).transpose()?;
    let (records, shop, now) = (&caller.intake.records, &caller.shop.id, caller.intake.clock.now());
    let read = match state {
        State::Past => records.past_cases(shop, MOST).await,
        _ => records.cases(shop, MOST).await,
    };
    let mut all = read.map_err(unstored)?;
    let whole = all.len() < MOST;
    all.sort_by(|(a_id, a), (b_id, b)| (a.due, a_id).cmp(&(b.due, b_id)));
    let found = match state {
        State::Past => Vec::new(),
        _ => incidents(all.iter().map(|(_, case)| case)),
    };
    let wanted = |case: &Case| {
        let snoozed = case.is_snoozed(now);
        let listed = match state {
            State::Open => !snoozed,
            State::Snoozed => snoozed,
            State::All | State::Past => true,
        };
        listed
            && kind.is_none_or(|kind| case.kind == kind)
            && owner.is_none_or(|owner| case.owner.as_deref().unwrap_or("") == owner)
    };
    let mut page: Vec<(usize, &(String, Case))> = all
        .iter()
        .enumerate()
        .filter(|(_, (_, case))| wanted(case))
        .filter(|(_, (id, case))| cursor.as_ref().is_none_or(|last| (case.due, id) > (last.0, &last.1)))
        .take(limit + 1)
        .collect();
    let next = (page.len() > limit).then(|| page.truncate(limit)).and_then(|()| page.last());
    let next = next.map(|(_, (id, case))| format!("{}-{id}", case.due.as_millisecond()));
    let of = |at: usize| found.iter().find(|incident| incident.cases.contains(&at));
    let rows: Vec<Value> = page.iter().map(|(at, (id, case))| shown(id, case, of(*at))).collect();
    Ok(Json(json!({
        "exceptions": rows,
        "incidents": found.iter().map(incident).collect::<Vec<_>>(),
        "next": next,
        "whole": whole,
    })))
}

fn read_cursor(text: &str) -> Result<(Timestamp, String), Problem> {
    let read = || {
        let (due, id) = text.rsplit_once('-')?;
        let due = Timestamp::from_millisecond(due.parse().ok()?).ok()?;
        hex::decode(id).ok().filter(|id| !id.is_empty())?;
        Some((due, id.to_owned()))
    };
    read().ok_or_else(|| Problem::new(Kind::Invalid, "cursor must be the `next` of an earlier page."))
}

fn incident(incident: &Incident) -> Value {
    json!({
        "id": mask::sentence(&incident.id),
        "carrier": incident.carrier,
        "place": mask::sentence(&incident.place),
        "since": incident.since,
        "parcels": incident.parcels,
    })
}

fn shown(id: &str, case: &Case, incident: Option<&Incident>) -> Value {
    json!({
        "id": id,
        "kind": case.kind,
        "reason": case.reason,
        "carrier": case.carrier,
        "number": case.number,
        "leg": case.leg,
        "orders": case.orders,
        "place": case.place.as_deref().map(mask::sentence),
        "since": case.since,
        "opened": case.opened,
        "due": case.due,
        "alert": case.alert,
        "alerted": case.alerted,
        "owner": case.owner,
        "snoozed_until": case.snoozed_until,
        "outcome": case.outcome,
        "done_at": case.done_at,
        "cleared_at": case.cleared_at,
        "incident": incident.map(|incident| mask::sentence(&incident.id)),
    })
}

/// What a person changes: what is left out stays, `null` takes away.
struct Change {
    owner: Option<Option<String>>,
    snooze_until: Option<Option<Timestamp>>,
    outcome: Option<Option<String>>,
    done: bool,
}

impl Change {
    fn read(caller: &Caller, body: &Value) -> Result<Self, Problem> {
        let fields = Fields::new(body, "")?;
        let given = |name: &str| body.get(name).is_some();
        let text = |name, longest| fields.text(&[name], longest).map(|text| given(name).then_some(text));
        let snooze_until =
            given("snooze_until").then(|| fields.time("snooze_until", &caller.shop.zone)).transpose()?;
        let done = match body.get("done") {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::Bool(true)) => true,
            Some(_) => return Err(Problem::field(&fields.pointer("done"), "true, or left out")),
        };
        Ok(Self {
            owner: text("owner", LONGEST_OWNER)?,
            snooze_until,
            outcome: text("outcome", LONGEST_OUTCOME)?,
            done,
        })
    }

    fn make(&self, case: &mut Case, now: Timestamp) {
        if let Some(owner) = &self.owner {
            case.owner.clone_from(owner);
        }
        if let Some(until) = self.snooze_until {
            case.snoozed_until = until;
        }
        if let Some(outcome) = &self.outcome {
            case.outcome.clone_from(outcome);
        }
        if self.done && case.done_at.is_none() {
            case.done_at = Some(now);
        }
    }
}

/// `POST /api/v1/exceptions/{id}` with any of `owner`, `snooze_until`, `outcome`, `done`. A past one takes an outcome
/// and an owner, too. Again changes nothing.
pub(super) async fn change(
    caller: Caller,
    path: Segments<String>,
    Body(body): Body,
) -> Result<Json<Value>, Problem> {
    let id = segments(path)?;
    let change = Change::read(&caller, &body)?;
    let (records, shop, now) = (&caller.intake.records, &caller.shop.id, caller.intake.clock.now());
    for _ in 0..TRIES {
        let open = records.case(shop, &id).await.map_err(unstored)?;
        let is_open = open.is_some();
        let read = match open {
            Some(open) => open,
            None => records.past_case(shop, &id).await.map_err(unstored)?.ok_or(Kind::NotFound)?,
        };
        let mut case = read.value.clone().ok_or(Kind::NotFound)?;
        change.make(&mut case, now);
        if read.value.as_ref() == Some(&case) {
            return Ok(Json(shown(&id, &case, None)));
        }
        let mut batch = Batch::default();
        let staged = match is_open && case.done_at.is_some() {
            true => records.close_case(&mut batch, &read, &case),
            false => records.replace(&mut batch, &read, &case),
        };
        staged.map_err(unstored)?;
        if records.store().commit(batch).await.map_err(unstored)? == Committed::Done {
            return Ok(Json(shown(&id, &case, None)));
        }
    }
    Err(contended())
}
