//! The adapters against the simulator's peers: both were written from the vendor's text and share no code, so a wrong
//! signature, field or code on either side shows here.
#![allow(clippy::unwrap_used, clippy::panic)]

use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;
use yishi::carriers::{Ask, Step, Tracked, carrier};
use yishi::channels::{What, channel};
use yishi::model::fold::Known;
use yishi::model::{Account, Event, Folded, Private, Reason, Shown, Status, Sub, fold};
use yishi::simulator::{
    Clock, DemoParcel, Journey, Outage, PHONE_TAIL, SimulatedTransport, Simulator, router,
};
use yishi::wire::{CallError, Cx, Refusal, Transport};

const LIMIT: Duration = Duration::from_secs(5);

fn started() -> Timestamp {
    "2026-03-02T04:00:00Z".parse().unwrap()
}

struct Trip {
    simulator: Arc<Simulator>,
    accounts: BTreeMap<String, Account>,
    now: Timestamp,
}

#[derive(Debug, PartialEq)]
enum Failed {
    Call(CallError),
    Refused(Refusal),
}

impl Trip {
    fn new(speed: f64) -> Self {
        let accounts = Simulator::accounts("http://127.0.0.1:9");
        Self {
            simulator: Arc::new(Simulator::new(started(), speed)),
            accounts: accounts.into_iter().map(|account| (account.kind.clone(), account)).collect(),
            now: started(),
        }
    }

    async fn ask(&self, parcel: &DemoParcel, limit: Duration) -> Result<Tracked, Failed> {
        let adapter = carrier(parcel.provider).unwrap();
        let cx = Cx { account: &self.accounts[parcel.provider], token: None, now: self.now, random: [1; 32] };
        let asks = [Ask {
            carrier: parcel.carrier.into(),
            number: parcel.number.clone(),
            phone_tail: Some(parcel.phone_tail.into()),
        }];
        let call = adapter.track(&cx, &asks).map_err(Failed::Refused)?;
        let now = self.now;
        let clock: Clock = Arc::new(move || now);
        let transport = SimulatedTransport::new(self.simulator.clone(), clock);
        let answer = transport.send(call, limit).await.map_err(Failed::Call)?;
        match adapter.read_track(&cx, &asks, &answer).map_err(Failed::Refused)? {
            Step::Done(mut all) => Ok(all.remove(0)),
            Step::Then(_) => panic!("one call is enough"),
        }
    }

    fn named(&self, order: &str) -> DemoParcel {
        self.simulator.demo_parcels().into_iter().find(|parcel| parcel.order == order).unwrap()
    }
}

fn folded(parcel: &DemoParcel, events: Vec<Event>) -> Folded {
    fold(events, Known { shipped_at: Some(parcel.shipped_at), ..Known::default() }).0
}

#[tokio::test]
async fn every_demo_order_shows_its_journey() {
    let trip = Trip::new(1.0);
    let mut seen = BTreeMap::new();
    for parcel in trip.simulator.demo_parcels() {
        let shown = match trip.ask(&parcel, Duration::from_millis(200)).await {
            Ok(tracked) => {
                assert!(!tracked.maybe_needs_phone_tail, "{}", parcel.order);
                let state = folded(&parcel, tracked.events);
                format!("{} reopened {}", state.status, state.reopened)
            }
            Err(failed) => format!("{failed:?}"),
        };
        seen.entry(parcel.order).or_insert_with(Vec::new).push(shown);
    }
    let one = |text: &str| vec![text.to_owned()];
    let expected: BTreeMap<String, Vec<String>> = [
        ("NORMAL", one("in_transit reopened 0")),
        ("SLOW", one("in_transit reopened 0")),
        ("STALLED", one("in_transit reopened 0")),
        ("RETURNED", one("returned reopened 0")),
        ("REFUSED", one("exception reopened 0")),
        ("LOST", one("lost reopened 0")),
        ("CUSTOMS", one("exception reopened 0")),
        ("PICKUP", one("ready_for_pickup reopened 0")),
        (
            "SPLIT",
            ["delivered reopened 0", "out_for_delivery reopened 0", "in_transit reopened 0"]
                .map(str::to_owned)
                .to_vec(),
        ),
        ("DISORDER", one("out_for_delivery reopened 0")),
        ("DOUBLE", one("out_for_delivery reopened 0")),
        ("CORRECTED", one("delivered reopened 1")),
        ("NODATA", one("Refused(NoDataYet)")),
        ("ERROR", one("Refused(Retry { after: None })")),
        ("TIMEOUT", one("Call(Unknown)")),
    ]
    .into_iter()
    .map(|(name, shown)| (format!("DEMO-{name}"), shown))
    .collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_buyer_reads_what_matters() {
    let trip = Trip::new(1.0);
    let pickup = trip.ask(&trip.named("DEMO-PICKUP"), LIMIT).await.unwrap();
    let waiting = pickup.events.iter().find(|event| event.status == Status::ReadyForPickup).unwrap();
    assert!(waiting.pickup.code.as_deref().is_some_and(|code| waiting.description().contains(code)));
    let normal = trip.ask(&trip.named("DEMO-NORMAL"), LIMIT).await.unwrap();
    assert!(normal.eta.is_some_and(|eta| eta.to > started()));
    let customs = trip.named("DEMO-CUSTOMS");
    let state = folded(&customs, trip.ask(&customs, LIMIT).await.unwrap().events);
    assert_eq!(state.reason, Some(Reason::CustomsHold));
    let stalled = trip.named("DEMO-STALLED");
    let state = folded(&stalled, trip.ask(&stalled, LIMIT).await.unwrap().events);
    assert!(started() - state.last_event.unwrap() > SignedDuration::from_hours(96));
    let out = trip.ask(&trip.named("DEMO-DISORDER"), LIMIT).await.unwrap();
    assert!(out.events.iter().any(|event| event.courier.phone.is_some()));
}

/// What two events must agree in: id, status where the code is exact, city, pickup code.
type Told = (String, Option<Status>, Option<String>, Option<String>);

#[tokio::test]
async fn what_is_synced_without_a_call_is_what_a_call_would_bring() {
    let trip = Trip::new(1.0);
    let ordinary = (0..120).map(|i| trip.simulator.ordinary(i));
    for parcel in trip.simulator.demo_parcels().into_iter().chain(ordinary) {
        let (events, eta) = trip.simulator.events_of(&parcel, trip.now);
        let Ok(tracked) = trip.ask(&parcel, Duration::from_millis(200)).await else {
            assert!(events.is_empty() || parcel.journey == Journey::Timeout, "{parcel:?}");
            continue;
        };
        let told = fold(tracked.events, Known::default()).1;
        let synced = fold(events, Known::default()).1;
        // Where the code says little, the adapter reads the sentence too, and may know more.
        let exact = |event: &Event| {
            event.sub != Some(Sub::Other)
                && event.reason != Some(Reason::Other)
                && event.status != Status::Unknown
        };
        let key = |events: &[Event]| -> Vec<Told> {
            let exact: BTreeSet<_> =
                synced.iter().filter(|event| exact(event)).map(|event| &event.id).collect();
            events
                .iter()
                .map(|event| {
                    let status = exact.contains(&event.id).then_some(event.status);
                    (event.id.clone(), status, event.place.city.clone(), event.pickup.code.clone())
                })
                .collect()
        };
        assert_eq!(key(&told), key(&synced), "{parcel:?}");
        assert_eq!(tracked.eta, eta, "{parcel:?}");
    }
}

#[tokio::test]
async fn disorder_and_doubles_change_nothing() {
    let trip = Trip::new(1.0);
    let parcel = trip.named("DEMO-DISORDER");
    let first = trip.ask(&parcel, LIMIT).await.unwrap().events;
    let second = trip.ask(&parcel, LIMIT).await.unwrap().events;
    assert_ne!(first, second, "another order each time");
    assert_eq!(fold(first, Known::default()), fold(second, Known::default()));
    let parcel = trip.named("DEMO-DOUBLE");
    let told = trip.ask(&parcel, LIMIT).await.unwrap().events;
    let timeline = fold(told.clone(), Known::default()).1;
    assert_eq!(timeline.len() * 2, told.len());
}

#[tokio::test]
async fn a_journey_moves_on_at_its_speed() {
    let mut trip = Trip::new(60.0);
    let parcel = trip.named("DEMO-NORMAL");
    let status = |events| folded(&parcel, events).status;
    assert_eq!(status(trip.ask(&parcel, LIMIT).await.unwrap().events), Status::InTransit);
    trip.now = started() + SignedDuration::from_secs(60);
    assert_eq!(status(trip.ask(&parcel, LIMIT).await.unwrap().events), Status::OutForDelivery);
    trip.now = started() + SignedDuration::from_secs(300);
    let tracked = trip.ask(&parcel, LIMIT).await.unwrap();
    assert_eq!((status(tracked.events), tracked.eta), (Status::Delivered, None));
    assert_eq!(trip.simulator.times_asked(&parcel.number), 3);
}

#[tokio::test]
async fn wrong_keys_and_wrong_tails_are_told_apart() {
    let mut trip = Trip::new(1.0);
    let mut split = trip.named("DEMO-SPLIT");
    split.phone_tail = "0000";
    let told = trip.ask(&split, LIMIT).await.unwrap();
    assert!(told.events.is_empty() && told.maybe_needs_phone_tail);
    let mut slow = trip.named("DEMO-SLOW");
    slow.phone_tail = "0000";
    assert_eq!(trip.ask(&slow, LIMIT).await, Err(Failed::Refused(Refusal::NeedPhoneTail)));
    for account in trip.accounts.values_mut() {
        for secret in account.secrets.values_mut() {
            *secret = Private::new("wrong".to_owned());
        }
    }
    for order in ["DEMO-NORMAL", "DEMO-SPLIT", "DEMO-LOST"] {
        let failed = trip.ask(&trip.named(order), LIMIT).await.unwrap_err();
        assert!(matches!(failed, Failed::Refused(Refusal::FixAccount { .. })), "{order} {failed:?}");
    }
}

#[tokio::test]
async fn a_dead_carrier_is_asked_again_later() {
    let trip = Trip::new(1.0);
    trip.simulator.set_outage(Some(Outage::Down));
    for order in ["DEMO-NORMAL", "DEMO-SPLIT", "DEMO-LOST"] {
        let failed = trip.ask(&trip.named(order), LIMIT).await.unwrap_err();
        assert_eq!(failed, Failed::Refused(Refusal::Retry { after: None }), "{order}");
    }
}

#[test]
fn demo_orders_are_fifteen_and_bulk_orders_are_distinct() {
    let simulator = Simulator::new(started(), 1.0);
    let parcels = simulator.demo_parcels();
    let orders: BTreeSet<_> = parcels.iter().map(|parcel| parcel.order.as_str()).collect();
    assert_eq!((orders.len(), parcels.len()), (15, 17));
    for parcel in &parcels {
        assert_eq!(parcel.order, format!("DEMO-{}", parcel.journey.name()), "{}", parcel.number);
        assert_eq!(parcel.phone_tail, PHONE_TAIL);
        assert!(parcel.shipped_at < started());
    }
    let shapes = [
        ("yto", "^YT[0-9]{13}$"),
        ("zto", "^7[0-9]{13}$"),
        ("sto", "^77[0-9]{13}$"),
        ("yunda", "^[34][0-9]{14}$"),
        ("jt", "^JT[0-9]{12,13}$"),
        ("jd", "^JDV[A-Z][0-9]{11}$"),
        ("sf", "^SF[0-9]{13}$"),
        ("deppon", "^DPK[0-9]{9,15}$"),
        ("simulated", "^SIM[A-Z]+[0-9]+$"),
    ]
    .map(|(carrier, shape)| (carrier, regex::Regex::new(shape).unwrap()));
    let bulk: Vec<DemoParcel> = (0..2_000).map(|i| simulator.ordinary(i)).collect();
    for parcel in parcels.iter().chain(&bulk) {
        let (_, shape) = shapes.iter().find(|(carrier, _)| *carrier == parcel.carrier).unwrap();
        assert!(shape.is_match(&parcel.number), "{} {}", parcel.carrier, parcel.number);
    }
    let numbers: BTreeSet<_> = bulk.iter().map(|parcel| &parcel.number).collect();
    assert_eq!(numbers.len(), bulk.len());
    let mut statuses = BTreeMap::new();
    for parcel in &bulk {
        assert_eq!(parcel.journey, Journey::Ordinary, "{}", parcel.number);
        let (events, _) = simulator.events_of(parcel, started());
        *statuses.entry(folded(parcel, events).status).or_insert(0) += 1;
    }
    // A varied shelf: everything that usually happens to parcels, most of them under way.
    for status in [Status::InTransit, Status::OutForDelivery, Status::Delivered, Status::ReadyForPickup] {
        assert!(statuses.get(&status).is_some_and(|count| *count > 40), "{statuses:?}");
    }
    assert!(statuses.contains_key(&Status::AttemptFailed), "{statuses:?}");
}

#[tokio::test]
async fn the_router_serves_the_same() {
    let trip = Trip::new(1.0);
    let parcel = trip.named("DEMO-NORMAL");
    let adapter = carrier(parcel.provider).unwrap();
    let cx = Cx { account: &trip.accounts[parcel.provider], token: None, now: trip.now, random: [1; 32] };
    let asks = [Ask { carrier: parcel.carrier.into(), number: parcel.number.clone(), phone_tail: None }];
    let call = adapter.track(&cx, &asks).unwrap();
    let mut request = axum::http::Request::post(call.url.replace("http://127.0.0.1:9", ""));
    for (name, value) in &call.headers {
        request = request.header(*name, value);
    }
    let request = request.body(axum::body::Body::from(call.body)).unwrap();
    let response = router(trip.simulator.clone()).oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let answer = yishi::wire::Answer::new(200, body.to_vec());
    let Step::Done(told) = adapter.read_track(&cx, &asks, &answer).unwrap() else { panic!("one call") };
    assert!(told[0].events.len() >= 8);
}

#[tokio::test]
async fn chats_send_through_their_peers() {
    let trip = Trip::new(1.0);
    let clock: Clock = Arc::new(started);
    let transport = SimulatedTransport::new(trip.simulator.clone(), clock);
    let shown = [Shown::Text { text: "您的快件到了 <&>".into() }];
    for kind in ["wechat", "telegram"] {
        let chat = channel(kind).unwrap();
        let account = &trip.accounts[kind];
        assert_eq!(chat.lacks(account), Vec::<&str>::new(), "{kind}");
        let mut cx = Cx { account, token: None, now: started(), random: [1; 32] };
        let token = match chat.token() {
            Some(step) => {
                let answer = transport.send(step.fetch(&cx).unwrap(), LIMIT).await.unwrap();
                Some(step.read(&cx, &answer).unwrap())
            }
            None => None,
        };
        cx.token = token.as_ref();
        for call in chat.send(&cx, "7", None, &shown).unwrap() {
            let answer = transport.send(call, LIMIT).await.unwrap();
            assert_eq!(chat.read_sent(&cx, &answer), Ok(()), "{kind}");
        }
        let sent = trip.simulator.answer(&format!("/{kind}/sent"), &[], b"", started()).answer;
        assert!(String::from_utf8(sent.body).unwrap().contains("您的快件到了"), "{kind}");
    }
}

#[tokio::test]
async fn telegram_updates_are_polled_from_the_peer() {
    let trip = Trip::new(1.0);
    let clock: Clock = Arc::new(started);
    let transport = SimulatedTransport::new(trip.simulator.clone(), clock);
    let mut account = trip.accounts["telegram"].clone();
    account.settings.insert("updates".into(), "poll".into());
    let poll = channel("telegram").unwrap().poll(&account).unwrap();
    let cx = Cx { account: &account, token: None, now: started(), random: [1; 32] };
    let update = r#"{"update_id":41,"message":{"message_id":5,"date":1772424000,"text":"我的快递到哪了",
        "from":{"id":7,"is_bot":false,"first_name":"李"},"chat":{"id":7,"type":"private","first_name":"李"}}}"#;
    trip.simulator.answer("/telegram/inject", &[], update.as_bytes(), started());
    let answer = transport.send(poll.fetch(&cx, None).unwrap(), LIMIT).await.unwrap();
    let (messages, cursor) = poll.read(&cx, &answer).unwrap();
    assert_eq!(messages.len(), 1);
    assert!(messages[0].what == What::Text("我的快递到哪了".into()));
    // Confirmed, it does not come again: the poll would wait for the next one.
    let again = transport.send(poll.fetch(&cx, cursor.as_deref()).unwrap(), Duration::from_millis(50)).await;
    assert_eq!(again, Err(CallError::Unknown));
}
