//! What follows from a turn beside its reply: bindings, counted guesses, requests for the merchant, disputes,
//! erasure.

use super::{Intake, Trip};
use crate::conversation::Effect;
use crate::model::{Chat, Trouble};
use crate::store::records::Request;
use crate::store::{Batch, StoreError};
use jiff::{SignedDuration, Timestamp};

/// A buyer who was promised to hear of a parcel hears within this, be it that nothing is known.
const PROMISED: SignedDuration = SignedDuration::from_hours(12);

/// Adds the effects to the turn's batch.
pub(super) async fn stage(
    intake: &Intake,
    batch: &mut Batch,
    trip: &Trip,
    effects: &[Effect],
    chat: &mut Chat,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (records, shop) = (&intake.records, trip.shop.id.as_str());
    for effect in effects {
        match effect {
            Effect::Miss { claim } => {
                let read = records.misses(shop, claim, now).await?;
                let mut misses = read.value.clone().unwrap_or_default();
                misses.push(now);
                records.replace(batch, &read, &misses)?;
            }
            Effect::Bind { order } | Effect::Unbind { order } => {
                let read = records.order(shop, order).await?;
                let Some(mut bound) = read.value.clone() else { continue };
                bound.buyer.chat.retain(|address| *address != trip.address);
                if matches!(effect, Effect::Bind { .. }) {
                    bound.buyer.chat.push(trip.address.clone());
                }
                if batch.expects.iter().any(|(key, _)| *key == read.key) {
                    continue;
                }
                records.replace(batch, &read, &bound)?;
            }
            Effect::Request { kind, order } => {
                let story = chat.story.lines();
                let address = Some(trip.address.clone());
                let request = Request {
                    at: now,
                    kind: kind.clone(),
                    order: order.clone(),
                    address,
                    story,
                    done: false,
                };
                records.put_request(batch, shop, &request)?;
            }
            Effect::Promise { carrier, number } => {
                let read = records.parcel(shop, carrier, number).await?;
                let Some(mut parcel) = read.value.clone().filter(|parcel| parcel.promised.is_none()) else {
                    continue;
                };
                parcel.promised = now.checked_add(PROMISED).ok();
                records.put_parcel(batch, shop, &read, &parcel)?;
            }
            Effect::Dispute { carrier, number } => {
                let read = records.parcel(shop, carrier, number).await?;
                let Some(mut parcel) = read.value.clone() else { continue };
                let since = parcel.state.delivered_at;
                if parcel.disputed_at.is_some_and(|said| since.is_none_or(|at| said >= at)) {
                    continue;
                }
                let mut troubles = parcel.troubles.clone();
                troubles.push(Trouble::disputed(now, parcel.state.leg));
                records.stage_cases(batch, shop, &parcel, &troubles, now).await?;
                parcel.disputed_at = Some(now);
                parcel.troubles = troubles;
                records.put_parcel(batch, shop, &read, &parcel)?;
            }
            Effect::Erase => {
                records.put_erasure(batch, shop, &trip.address, chat, now)?;
                *chat = Chat {
                    address: chat.address.take(),
                    language: chat.language.take(),
                    language_fixed: chat.language_fixed,
                    seq: chat.seq,
                    last_inbound: Some(now),
                    answered: std::mem::take(&mut chat.answered),
                    answers: std::mem::take(&mut chat.answers),
                    ..Chat::default()
                };
            }
        }
    }
    Ok(())
}
