//! Tells buyers the news of their parcels: once each, at a decent hour, in the chat that can be reached; what cannot be
//! said now waits for the buyer's next message. Must never tell what no longer holds, nor the same thing twice.

use super::triggers::still_true;
use super::{quiet, wording};
use crate::channels::{channel, is_logged};
use crate::model::{
    Block, Chat, ChatAddress, ChatMessage, From, Notice, NoticeRules, Order, Parcel, Shop, Shown,
};
use crate::store::records::{Due, Outgoing, OutgoingState, Read, Records};
use crate::store::{Batch, Committed, StoreError};
use crate::wire::Clock;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Parcels taken at once.
const TAKEN: usize = 256;
/// What is due is looked for at least this often.
const IDLE: Duration = Duration::from_secs(30);
/// Kept for a buyer's next message, at most.
const KEPT: usize = 3;
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Puts blocks into words: shop, language, now.
pub type Render = Arc<dyn Fn(&Shop, &str, Timestamp, &[Block]) -> Vec<Shown> + Send + Sync>;

/// Tells news.
#[derive(Clone)]
pub struct Teller {
    /// The records.
    pub records: Records,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Shops by id.
    pub shops: HashMap<String, Arc<Shop>>,
    /// Words.
    pub render: Render,
    /// Told when there is something to tell.
    pub news: Arc<Notify>,
    /// Told when the outbox has something new.
    pub outbox: Arc<Notify>,
    /// Told when a web chat's log has grown.
    pub logged: super::delivery::Logged,
}

/// One buyer to tell, in one chat.
struct Target {
    read: Read<Chat>,
    address: ChatAddress,
    order: Order,
    reachable: bool,
}

impl Teller {
    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let pause = match self.round().await {
                Ok(0) => self.pause().await,
                Ok(_) => Duration::ZERO,
                Err(StoreError::Closed) => return,
                Err(error) => {
                    tracing::error!(%error, "news could not be told");
                    IDLE
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.news.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn pause(&self) -> Duration {
        let next = self.records.next_telling().await.ok().flatten();
        let wait = next.map(|next| next.duration_since(self.clock.now()));
        wait.and_then(|wait| Duration::try_from(wait).ok()).unwrap_or(IDLE).min(IDLE)
    }

    /// Tells what is due. Returns how many parcels it handled.
    pub async fn round(&self) -> Result<usize, StoreError> {
        let due = self.records.due_tellings(self.clock.now(), TAKEN).await?;
        for one in &due {
            self.tell(one).await?;
        }
        Ok(due.len())
    }

    /// Tells one parcel's news, or puts it off, in one commit.
    async fn tell(&self, due: &Due) -> Result<(), StoreError> {
        let Some(shop) = self.shops.get(&due.shop) else { return self.put_off(due).await };
        loop {
            let now = self.clock.now();
            let read = self.records.parcel(&due.shop, &due.carrier, &due.number).await?;
            let Some(before) = &read.value else { return Ok(()) };
            if before.pending_due.is_none_or(|due| due > now) {
                return Ok(());
            }
            let mut parcel = before.clone();
            parcel.pending.retain(|notice| still_true(notice, before, &shop.zone, now));
            let targets = self.targets(shop, &parcel, now).await?;
            let at = targets.iter().map(|target| at(&parcel.pending, &target.read, shop, now)).min();
            let mut batch = Batch::default();
            match at.flatten() {
                Some(at) if at > now => parcel.pending_due = Some(at),
                _ => {
                    let notices = std::mem::take(&mut parcel.pending);
                    parcel.pending_due = None;
                    if !notices.is_empty() && !targets.is_empty() {
                        parcel.told_at = Some(now);
                        for target in &targets {
                            self.stage(&mut batch, shop, target, &notices, &parcel, now)?;
                        }
                    }
                }
            }
            self.records.put_parcel(&mut batch, &shop.id, &read, &parcel)?;
            if self.records.store().commit(batch).await? == Committed::Done {
                if parcel.told_at == Some(now) {
                    self.outbox.notify_one();
                    for target in targets.iter().filter(|target| is_logged(&target.address.kind)) {
                        (self.logged)(&target.address);
                    }
                }
                return Ok(());
            }
        }
    }

    /// News of a shop that the configuration no longer names waits, and holds nobody else's up: it may come back.
    async fn put_off(&self, due: &Due) -> Result<(), StoreError> {
        let read = self.records.parcel(&due.shop, &due.carrier, &due.number).await?;
        let Some(mut parcel) = read.value.clone() else { return Ok(()) };
        parcel.pending_due = Some(self.clock.now() + DAY);
        let mut batch = Batch::default();
        self.records.put_parcel(&mut batch, &due.shop, &read, &parcel)?;
        let _ = self.records.store().commit(batch).await?;
        Ok(())
    }

    /// Whom to tell: for each order in the parcel the chat where its buyer can be reached, else where they last wrote.
    async fn targets(&self, shop: &Shop, parcel: &Parcel, now: Timestamp) -> Result<Vec<Target>, StoreError> {
        let mut targets: Vec<Target> = Vec::new();
        for no in &parcel.orders {
            let Some(order) = self.records.order(&shop.id, no).await?.value else { continue };
            let mut best: Option<Target> = None;
            for address in &order.buyer.chat {
                let read = self.records.chat(&shop.id, address).await?;
                if read.value.as_ref().is_some_and(|chat| chat.muted) {
                    continue;
                }
                let reachable = is_open(address, read.value.as_ref(), now);
                let target = Target { read, address: address.clone(), order: order.clone(), reachable };
                let rank = |target: &Target| {
                    (target.reachable, target.read.value.as_ref().and_then(|chat| chat.last_inbound))
                };
                if best.as_ref().is_none_or(|best| rank(&target) > rank(best)) {
                    best = Some(target);
                }
            }
            // One parcel of several orders of one buyer is told once.
            if let Some(best) = best
                && targets.iter().all(|target| target.address != best.address)
            {
                targets.push(best);
            }
        }
        Ok(targets)
    }

    fn stage(
        &self,
        batch: &mut Batch,
        shop: &Shop,
        target: &Target,
        notices: &[Notice],
        parcel: &Parcel,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut chat = target.read.value.clone().unwrap_or_default();
        chat.address = Some(target.address.clone());
        let locale = chat.language.clone().unwrap_or_else(|| shop.locale.clone());
        let blocks = wording::blocks(notices, parcel, &target.order);
        let shown = (self.render)(shop, &locale, now, &blocks);
        if shown.is_empty() {
            return Ok(());
        }
        chat.notified.retain(|at| now.duration_since(*at) < DAY);
        chat.notified.push(now);
        if is_logged(&target.address.kind) {
            chat.seq += 1;
            let id = format!("b{}", chat.seq);
            let message = ChatMessage { id, at: now, from: From::Bot, blocks: shown };
            self.records.put_message(batch, &shop.id, &target.address, chat.seq, &message)?;
        } else if target.reachable {
            chat.window_used += 1;
            let outgoing = Outgoing {
                shop: shop.id.clone(),
                account: target.address.account.clone(),
                address: target.address.clone(),
                shown: serde_json::to_string(&shown).unwrap_or_default(),
                reply_to: None,
                state: OutgoingState::Due,
                tries: 0,
                made: now,
                while_waiting: None,
                notice: true,
            };
            self.records.put_outgoing(batch, now, &outgoing)?;
        } else {
            if chat.kept.len() >= KEPT {
                chat.kept.remove(0);
            }
            chat.kept.push(serde_json::to_string(&shown).unwrap_or_default());
        }
        let what = if target.reachable { "told" } else { "kept" };
        metrics::counter!("yishi_notices_total", "channel" => target.address.kind.clone(), "what" => what)
            .increment(1);
        self.records.replace(batch, &target.read, &chat)
    }
}

/// When this chat may be told; none: there is nothing to tell.
fn at(notices: &[Notice], read: &Read<Chat>, shop: &Shop, now: Timestamp) -> Option<Timestamp> {
    let none = Vec::new();
    let told = read.value.as_ref().map_or(&none, |chat| &chat.notified);
    let rules: &NoticeRules = &shop.notices;
    let at = |notice: &Notice| {
        let decent = quiet::when(now, now, &shop.zone, rules, notice.kind);
        quiet::within_the_day(told, decent, &shop.zone, rules, notice.kind)
    };
    notices.iter().map(at).min()
}

/// Whether a free-form message can be sent to this chat now.
fn is_open(address: &ChatAddress, chat: Option<&Chat>, now: Timestamp) -> bool {
    if is_logged(&address.kind) {
        return true;
    }
    let Some(spec) = channel(&address.kind).map(crate::channels::Channel::spec) else { return false };
    if spec.window_secs == 0 {
        return true;
    }
    let Some(chat) = chat else { return false };
    let window = SignedDuration::from_secs(i64::try_from(spec.window_secs).unwrap_or(i64::MAX));
    let inside = chat.last_inbound.is_some_and(|last| now.duration_since(last) < window);
    inside && (spec.window_quota == 0 || chat.window_used < spec.window_quota)
}
