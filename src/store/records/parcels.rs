//! Parcels as rows: what an answer needs stands in one small row, newest scans last; a long history goes into pages
//! beside it. Must never drop a scan that is still foldable, nor write a page that has not changed.
//!
//! A row is `u16 length ‖ head ‖ u16 length ‖ journal ‖ u16 pages ‖ scans`, a page is `scans`; scans are read from the
//! end, so each is followed by its length: `scan ‖ u16 length ‖ scan ‖ u16 length`.

use super::{Kind, Read, Records};
use crate::model::{
    AwaitedCode, Courier, Eta, Event, Folded, Noted, Notice, Parcel, Pickup, Place, Private, Raw, Reason,
    Reckoned, Source, Status, Sub, Trouble, Watched, When, ZoneSource, secret,
};
use crate::store::{Batch, StoreError, prefix_end};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Bytes of scans that make a page.
const PAGE: usize = 4_608;
/// Bytes of the newest scans that stay in the row, at least, once there are pages.
const KEPT: usize = 2_560;
/// Pages of one parcel; with its row they are about 500 usual scans. What is older goes.
const MOST_PAGES: usize = 24;
/// Characters of a carrier's sentence, and of any other word of a scan.
const SENTENCE: usize = 300;
const WORD: usize = 60;

/// What is stored of a parcel beside its scans. Appended to, never reordered.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Parcel", default = "Parcel::default")]
struct Head {
    carrier: String,
    number: String,
    generation: u8,
    orders: Vec<String>,
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    shipped_at: Option<Timestamp>,
    state: Folded,
    #[serde(skip)]
    events: Vec<Event>,
    eta: Option<Eta>,
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    last_checked: Option<Timestamp>,
    answered_by: Option<String>,
    checks: u32,
    failures: u32,
    #[serde(with = "secret::sealed_option")]
    phone_tail: Option<Private<String>>,
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    last_asked: Option<Timestamp>,
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    next_check: Option<Timestamp>,
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    last_push: Option<Timestamp>,
    watched: Option<Watched>,
    told: Vec<u64>,
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    told_at: Option<Timestamp>,
    pending: Vec<Notice>,
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    pending_due: Option<Timestamp>,
    empty_checks: u32,
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    first_seen: Option<Timestamp>,
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    disputed_at: Option<Timestamp>,
    troubles: Vec<Trouble>,
    #[serde(skip)]
    journal: Vec<Noted>,
    awaited_code: Option<AwaitedCode>,
    moved_from: Option<String>,
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    promised: Option<Timestamp>,
    reckoned: Option<Reckoned>,
}

#[derive(Serialize)]
struct HeadOf<'a>(#[serde(with = "Head")] &'a Parcel);

#[derive(Deserialize)]
struct HeadRead(#[serde(with = "Head")] Parcel);

/// One scan as stored: nothing that follows from the parcel or from another field. Appended to, never reordered.
#[derive(Serialize, Deserialize)]
struct Scan<'a> {
    /// The event's id; none where it is not of the usual form.
    id: Option<[u8; 16]>,
    /// Microseconds.
    utc: Option<i64>,
    local: &'a str,
    offset: Option<&'a str>,
    zone_source: ZoneSource,
    status: Status,
    sub: Option<Sub>,
    reason: Option<Reason>,
    #[serde(borrow)]
    place: Option<Spot<'a>>,
    code: Option<&'a str>,
    vendor_status: Option<&'a str>,
    description: Option<&'a str>,
    /// Courier's name and phone.
    courier: Option<(Option<&'a str>, Option<&'a str>)>,
    /// Pickup code, place, until.
    pickup: Option<(Option<&'a str>, Option<&'a str>, Option<&'a str>)>,
    /// Where it is not the parcel's own.
    carrier: Option<&'a str>,
    number: Option<&'a str>,
    leg: u8,
    source: Source,
    provider: &'a str,
    /// Microseconds.
    received: Option<i64>,
    /// Microseconds; none where it is `received`.
    last_heard: Option<i64>,
    superseded: bool,
    signed_by: Option<&'a str>,
    header: bool,
    revokes: Option<Vec<&'a str>>,
    renumbered: Option<&'a str>,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Spot<'a> {
    text: Option<&'a str>,
    city: Option<&'a str>,
    region: Option<&'a str>,
    country: Option<&'a str>,
    postal: Option<&'a str>,
    at: Option<(f64, f64)>,
}

/// Cut to so many characters.
fn cut(text: &str, most: usize) -> &str {
    // A character has at least one byte.
    if text.len() <= most {
        return text;
    }
    text.char_indices().nth(most).map_or(text, |(at, _)| &text[..at])
}

fn word(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(|text| cut(text, WORD))
}

impl<'a> Scan<'a> {
    fn of(event: &'a Event, parcel: &Parcel) -> Self {
        let mut id = [0; 16];
        let usual = hex::decode_to_slice(&event.id, &mut id).is_ok();
        let other = |own: &'a str, parcels: &str| (own != parcels).then_some(cut(own, WORD));
        let micros = |time: Option<Timestamp>| time.map(Timestamp::as_microsecond);
        let place = &event.place;
        let spot = Spot {
            text: place.text.as_deref().map(|text| cut(text, 2 * WORD)),
            city: word(&place.city),
            region: word(&place.region),
            country: word(&place.country),
            postal: word(&place.postal),
            at: place.lat.zip(place.lon),
        };
        let nowhere = Spot { text: None, city: None, region: None, country: None, postal: None, at: None };
        Self {
            id: usual.then_some(id),
            utc: micros(event.time.utc),
            local: cut(&event.time.local, WORD),
            offset: word(&event.time.offset),
            zone_source: event.time.zone_source,
            status: event.status,
            sub: event.sub,
            reason: event.reason,
            place: (spot != nowhere).then_some(spot),
            code: word(&event.raw.code),
            vendor_status: word(&event.raw.status),
            description: event.raw.description.as_deref().map(|text| cut(text, SENTENCE)),
            courier: (event.courier != Courier::default())
                .then(|| (word(&event.courier.name), word(&event.courier.phone))),
            pickup: (event.pickup != Pickup::default())
                .then(|| (word(&event.pickup.code), word(&event.pickup.place), word(&event.pickup.until))),
            carrier: other(&event.carrier, &parcel.carrier),
            number: other(&event.number, &parcel.number),
            leg: event.leg,
            source: event.source,
            provider: cut(&event.provider, WORD),
            received: micros(event.received),
            last_heard: micros(event.last_heard).filter(|_| event.last_heard != event.received),
            superseded: event.superseded,
            signed_by: word(&event.signed_by),
            header: event.header,
            revokes: (!event.revokes.is_empty())
                .then(|| event.revokes.iter().take(8).map(|code| cut(code, WORD)).collect()),
            renumbered: word(&event.renumbered),
        }
    }

    /// The whole event.
    fn event(mut self, parcel: &Parcel) -> Event {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let (id, revokes) = (self.id, self.revokes.take().unwrap_or_default());
        let (code, vendor_status, renumbered) =
            (owned(self.code), owned(self.vendor_status), owned(self.renumbered));
        let carrier = self.carrier.unwrap_or(&parcel.carrier).to_owned();
        let number = self.number.unwrap_or(&parcel.number).to_owned();
        let provider = self.provider.to_owned();
        let mut event = Event { carrier, number, provider, renumbered, ..self.told() };
        (event.raw.code, event.raw.status) = (code, vendor_status);
        event.revokes = revokes.into_iter().map(str::to_owned).collect();
        event.id = id.map_or_else(|| event.compute_id(), hex::encode);
        event
    }

    /// What an answer may tell of it; without what names it among others.
    fn told(self) -> Event {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let time = |micros: Option<i64>| micros.and_then(|micros| Timestamp::from_microsecond(micros).ok());
        let (courier, pickup) = (self.courier.unwrap_or_default(), self.pickup.unwrap_or_default());
        let received = time(self.received);
        Event {
            id: String::new(),
            seq: 0,
            time: When {
                utc: time(self.utc),
                local: self.local.to_owned(),
                offset: owned(self.offset),
                zone_source: self.zone_source,
            },
            status: self.status,
            sub: self.sub,
            reason: self.reason,
            place: self.place.map_or_else(Place::default, |spot| Place {
                text: owned(spot.text),
                city: owned(spot.city),
                region: owned(spot.region),
                country: owned(spot.country),
                postal: owned(spot.postal),
                lat: spot.at.map(|(lat, _)| lat),
                lon: spot.at.map(|(_, lon)| lon),
            }),
            raw: Raw { code: None, status: None, description: owned(self.description) },
            courier: Courier { name: owned(courier.0), phone: owned(courier.1) },
            pickup: Pickup { code: owned(pickup.0), place: owned(pickup.1), until: owned(pickup.2) },
            carrier: String::new(),
            number: String::new(),
            leg: self.leg,
            source: self.source,
            provider: String::new(),
            received,
            last_heard: time(self.last_heard).or(received),
            superseded: self.superseded,
            signed_by: owned(self.signed_by),
            header: self.header,
            revokes: Vec::new(),
            renumbered: None,
        }
    }
}

/// A parcel cut into its row and its pages, in the clear.
struct Laid {
    row: Vec<u8>,
    pages: Vec<Vec<u8>>,
}

fn lay_out(parcel: &Parcel) -> Result<Laid, StoreError> {
    let unwritable = |_| StoreError::Unusable("a parcel cannot be written: please report this".into());
    let mut scans = Vec::with_capacity(parcel.events.len());
    for event in &parcel.events {
        scans.push(rmp_serde::to_vec(&Scan::of(event, parcel)).map_err(unwritable)?);
    }
    let size = |scan: &Vec<u8>| scan.len() + 2;
    let mut rest: usize = scans.iter().map(size).sum();
    let mut scans = scans.into_iter().peekable();
    while rest > MOST_PAGES * PAGE + KEPT {
        rest -= scans.next().as_ref().map_or(rest, size);
    }
    // Pages are filled from the oldest scan on, so a new scan changes none that is full.
    let mut pages = Vec::new();
    while rest >= PAGE + KEPT {
        let mut page = Vec::with_capacity(PAGE + SENTENCE);
        while page.len() < PAGE {
            let Some(scan) = scans.next() else { break };
            rest -= size(&scan);
            append(&mut page, &scan);
        }
        pages.push(page);
    }
    let head = rmp_serde::to_vec(&HeadOf(parcel)).map_err(unwritable)?;
    let journal = rmp_serde::to_vec(&parcel.journal).map_err(unwritable)?;
    let mut row = Vec::with_capacity(head.len() + journal.len() + rest + 6);
    for part in [&head, &journal] {
        row.extend_from_slice(&(part.len() as u16).to_be_bytes());
        row.extend_from_slice(part);
    }
    row.extend_from_slice(&(pages.len() as u16).to_be_bytes());
    for scan in scans {
        append(&mut row, &scan);
    }
    Ok(Laid { row, pages })
}

fn append(bytes: &mut Vec<u8>, scan: &[u8]) {
    bytes.extend_from_slice(scan);
    bytes.extend_from_slice(&(scan.len() as u16).to_be_bytes());
}

/// A row in its parts.
struct Row<'a> {
    parcel: Parcel,
    journal: &'a [u8],
    pages: u16,
    scans: &'a [u8],
}

fn take_apart(row: &[u8]) -> Option<Row<'_>> {
    let (head, rest) = part(row)?;
    let (journal, rest) = part(rest)?;
    let (pages, scans) = rest.split_first_chunk::<2>()?;
    let HeadRead(parcel) = rmp_serde::from_slice(head).ok()?;
    Some(Row { parcel, journal, pages: u16::from_be_bytes(*pages), scans })
}

/// Bytes after their length, and what follows.
fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// The last scan and what stands before it.
fn last(scans: &[u8]) -> Option<(Scan<'_>, &[u8])> {
    let (rest, length) = scans.split_last_chunk::<2>()?;
    let at = rest.len().checked_sub(usize::from(u16::from_be_bytes(*length)))?;
    Some((rmp_serde::from_slice(&rest[at..]).ok()?, &rest[..at]))
}

/// Adds all scans, newest first.
fn read_back(parcel: &mut Parcel, mut scans: &[u8]) -> Option<()> {
    while !scans.is_empty() {
        let (scan, before) = last(scans)?;
        let event = scan.event(parcel);
        parcel.events.push(event);
        scans = before;
    }
    Some(())
}

/// Adds scans newest first, as far as an answer tells of them, until `enough` that count are there.
fn read_newest(parcel: &mut Parcel, mut scans: &[u8], enough: usize) -> Option<()> {
    let mut counted = 0;
    while !scans.is_empty() && counted < enough {
        let (scan, before) = last(scans)?;
        counted += usize::from(!scan.superseded);
        parcel.events.push(scan.told());
        scans = before;
    }
    Some(())
}

fn in_order(parcel: &mut Parcel) {
    parcel.events.reverse();
    for (seq, event) in parcel.events.iter_mut().enumerate() {
        event.seq = seq as u32;
    }
}

/// A parcel's id within its shop.
pub(super) fn parcel_id(carrier: &str, number: &str) -> String {
    format!("{carrier}\u{1f}{}", number.to_ascii_uppercase())
}

fn foreign() -> StoreError {
    StoreError::Unusable("a parcel is from another version of Yishi; use the version that wrote it".into())
}

/// The `at`th page of the parcel with this key.
fn page_key(parcel: &[u8], at: usize) -> Vec<u8> {
    let mut key = parcel.to_vec();
    key[0] = Kind::Page as u8;
    key.extend_from_slice(&(at as u16).to_be_bytes());
    key
}

impl Records {
    /// Key of a parcel.
    pub fn parcel_key(&self, shop: &str, carrier: &str, number: &str) -> Vec<u8> {
        self.key(Kind::Parcel, shop, &parcel_id(carrier, number))
    }

    /// One parcel with all its scans.
    pub async fn parcel(&self, shop: &str, carrier: &str, number: &str) -> Result<Read<Parcel>, StoreError> {
        self.parcel_at(self.parcel_key(shop, carrier, number)).await
    }

    /// The same by its key.
    pub async fn parcel_at(&self, key: Vec<u8>) -> Result<Read<Parcel>, StoreError> {
        let Some(raw) = self.store().get(&key).await? else {
            return Ok(Read { key, raw: None, value: None });
        };
        let row = self.unseal(&key, &raw)?;
        let Row { mut parcel, journal, pages, scans } = take_apart(&row).ok_or_else(foreign)?;
        parcel.journal = rmp_serde::from_slice(journal).map_err(|_| foreign())?;
        read_back(&mut parcel, scans).ok_or_else(foreign)?;
        for at in (0..usize::from(pages)).rev() {
            let key = page_key(&key, at);
            // A page that is gone was written anew with its row in the meantime: the commit that follows is lost.
            let Some(raw) = self.store().get(&key).await? else { continue };
            read_back(&mut parcel, &self.unseal(&key, &raw)?).ok_or_else(foreign)?;
        }
        in_order(&mut parcel);
        Ok(Read { key, raw: Some(raw), value: Some(parcel) })
    }

    /// A parcel for an answer: only its newest `scans` that count, without their ids and codes. Must not be stored
    /// again.
    pub async fn parcel_for_answer(
        &self,
        shop: &str,
        carrier: &str,
        number: &str,
        scans: usize,
    ) -> Result<Option<Parcel>, StoreError> {
        let key = self.parcel_key(shop, carrier, number);
        let Some(raw) = self.store().get(&key).await? else { return Ok(None) };
        let row = self.unseal(&key, &raw)?;
        let Row { mut parcel, scans: newest, .. } = take_apart(&row).ok_or_else(foreign)?;
        // A pickup code and a courier may stand in an older scan.
        let names = matches!(parcel.state.status, Status::ReadyForPickup | Status::OutForDelivery);
        let enough = if names { usize::MAX } else { scans };
        read_newest(&mut parcel, newest, enough).ok_or_else(foreign)?;
        in_order(&mut parcel);
        Ok(Some(parcel))
    }

    /// Stores a parcel over what was read of it, and moves what is due for it: lost if it has changed since. Writes
    /// only pages that are new.
    pub fn put_parcel(
        &self,
        batch: &mut Batch,
        shop: &str,
        read: &Read<Parcel>,
        parcel: &Parcel,
    ) -> Result<(), StoreError> {
        self.stage_schedule(batch, shop, read, parcel)?;
        let laid = lay_out(parcel)?;
        let before = match &read.value {
            Some(before) if !laid.pages.is_empty() => lay_out(before)?.pages,
            _ => Vec::new(),
        };
        for (at, page) in laid.pages.iter().enumerate().filter(|(at, page)| before.get(*at) != Some(*page)) {
            let key = page_key(&read.key, at);
            let sealed = self.vault().seal(&key, page);
            batch.put(key, sealed);
        }
        batch.expect(read.key.clone(), read.raw.clone());
        let sealed = self.vault().seal(&read.key, &laid.row);
        batch.put(read.key.clone(), sealed);
        Ok(())
    }

    /// Keys of a shop's parcels from a key on; all of them, a page after the other. None: from the first.
    pub async fn parcel_keys(
        &self,
        shop: &str,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let prefix = self.prefix(Kind::Parcel, shop);
        let from = after.map_or_else(|| prefix.clone(), |after| [after, &[0]].concat());
        let rows = self.store().scan(&from, &prefix_end(&prefix), limit).await?;
        Ok(rows.into_iter().map(|(key, _)| key).collect())
    }

    /// Takes a parcel away with its pages and all that is due for it: lost if it has changed since it was read.
    pub fn remove_parcel(&self, batch: &mut Batch, read: &Read<Parcel>) -> Result<(), StoreError> {
        batch.expect(read.key.clone(), read.raw.clone());
        let Some(parcel) = &read.value else { return Ok(()) };
        for at in 0..lay_out(parcel)?.pages.len() {
            batch.delete(page_key(&read.key, at));
        }
        let nothing_due = Parcel { next_check: None, pending_due: None, ..parcel.clone() };
        self.stage_schedule(batch, "", read, &nothing_due)?;
        batch.delete(read.key.clone());
        Ok(())
    }
}

#[cfg(test)]
#[path = "parcels_tests.rs"]
mod tests;
