//! Tells buyers the news of their parcels: once each, at a decent hour, in the chat that can be reached, several parcels
//! in one message; what cannot be said now waits for the buyer's next message. Must never tell what no longer holds, nor
//! the same thing twice.

use super::quiet;
use super::triggers::still_true;
use super::wording::{self, Part};
use crate::channels::{channel, has_form, is_logged};
use crate::model::{
    Account, Block, Card, Chat, ChatAddress, ChatMessage, From, Headline, Notice, NoticeRules, Order, Parcel,
    Shop, Shown,
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
/// Parcels in one message, at most: it stays within what every channel takes, and its commit within what a store does.
const BUNDLED: usize = 5;
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
    /// Accounts by kind and id.
    pub accounts: Arc<HashMap<(String, String), Arc<Account>>>,
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
    /// Their orders in the parcel, at least one; the first gives it its name.
    orders: Vec<Order>,
    reach: Reach,
}

/// How a chat can be reached now, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// Not at all: what is told waits for the buyer's next message.
    Shut,
    /// In a form that the platform approved.
    Template,
    /// With any message.
    Open,
}

impl Target {
    /// The news that this buyer has not heard and not switched off.
    fn wants(&self, notices: &[Notice]) -> Vec<Notice> {
        let chat = self.read.value.as_ref();
        let wants = |notice: &&Notice| {
            let heard = self.orders.iter().any(|order| notice.heard.contains(&order.no));
            !heard && chat.is_none_or(|chat| !chat.unwanted.contains(&notice.kind.group()))
        };
        notices.iter().filter(wants).cloned().collect()
    }

    /// When they may be told this; none: it is nothing.
    fn when(&self, notices: &[Notice], shop: &Shop, now: Timestamp) -> Option<Timestamp> {
        let none = Vec::new();
        let told = self.read.value.as_ref().map_or(&none, |chat| &chat.notified);
        let rules: &NoticeRules = &shop.notices;
        let when = |notice: &Notice| {
            let decent = quiet::when(now, now, &shop.zone, rules, notice.kind);
            quiet::within_the_day(told, decent, &shop.zone, rules, notice.kind)
        };
        notices.iter().map(when).min()
    }
}

/// A parcel with news, and whom to tell.
struct News {
    read: Read<Parcel>,
    parcel: Parcel,
    targets: Vec<Target>,
    now: Timestamp,
}

impl News {
    /// What each chat is to be told now, where that is anything.
    fn now<'n>(&'n self, shop: &'n Shop) -> impl Iterator<Item = (&'n Target, Vec<Notice>)> {
        self.targets.iter().filter_map(|target| {
            let notices = target.wants(&self.parcel.pending);
            let when = target.when(&notices, shop, self.now)?;
            (when <= self.now).then_some((target, notices))
        })
    }

    fn is_for(&self, chat: &ChatAddress, shop: &Shop) -> bool {
        self.now(shop).any(|(target, _)| target.address == *chat)
    }

    /// Notes that a chat is being told now.
    fn heard(&mut self, by: &ChatAddress) {
        let orders =
            self.targets.iter().filter(|target| target.address == *by).flat_map(|target| &target.orders);
        let orders: Vec<String> = orders.map(|order| order.no.clone()).collect();
        self.parcel.pending.iter_mut().for_each(|notice| notice.heard.extend(orders.iter().cloned()));
        self.parcel.told_at = Some(self.now);
    }

    /// Keeps what somebody has yet to hear, until they may be told.
    fn put_off(&mut self, shop: &Shop) {
        let Self { parcel, targets, now, .. } = self;
        let waits = |notice: &Notice| {
            targets.iter().any(|target| !target.wants(std::slice::from_ref(notice)).is_empty())
        };
        parcel.pending.retain(waits);
        let times =
            targets.iter().filter_map(|target| target.when(&target.wants(&parcel.pending), shop, *now));
        parcel.pending_due = times.min();
    }
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
        let mut bundles: Vec<(&Shop, Option<ChatAddress>, Vec<&Due>)> = Vec::new();
        let due = self.records.due_tellings(self.clock.now(), TAKEN).await?;
        let mut handled = 0;
        for one in &due {
            let Some(shop) = self.shops.get(&one.shop) else {
                self.put_off(one).await?;
                continue;
            };
            let Some(news) = self.news(shop, one).await? else { continue };
            handled += 1;
            let mut ready = news.now(shop).peekable();
            if ready.peek().is_none() {
                bundles.push((shop, None, vec![one]));
            }
            for (target, _) in ready {
                let to = Some(&target.address);
                match bundles.iter_mut().find(|(of, chat, _)| of.id == shop.id && chat.as_ref() == to) {
                    Some((.., parcels)) => parcels.push(one),
                    None => bundles.push((shop, to.cloned(), vec![one])),
                }
            }
        }
        for (shop, address, parcels) in &bundles {
            for parcels in parcels.chunks(BUNDLED) {
                self.tell(shop, address.as_ref(), parcels).await?;
            }
        }
        Ok(handled)
    }

    /// A parcel's news that still hold, where they are due.
    async fn news(&self, shop: &Shop, due: &Due) -> Result<Option<News>, StoreError> {
        let now = self.clock.now();
        let read = self.records.parcel(&due.shop, &due.carrier, &due.number).await?;
        let Some(before) = &read.value else { return Ok(None) };
        if before.pending_due.is_none_or(|due| due > now) {
            return Ok(None);
        }
        let mut parcel = before.clone();
        parcel.pending.retain(|notice| still_true(notice, before, &shop.zone, now));
        let targets = self.targets(shop, &parcel, now).await?;
        Ok(Some(News { read, parcel, targets, now }))
    }

    /// Tells one chat the news of these parcels in one message, and puts off what others cannot be told now, in one
    /// commit. Without a chat nobody is told.
    async fn tell(&self, shop: &Shop, to: Option<&ChatAddress>, parcels: &[&Due]) -> Result<(), StoreError> {
        loop {
            let mut all = Vec::new();
            for due in parcels {
                all.extend(self.news(shop, due).await?);
            }
            let mut batch = Batch::default();
            let told = match to {
                Some(to) => self.stage(&mut batch, shop, to, &all)?,
                None => false,
            };
            for news in &mut all {
                if let Some(to) = to.filter(|to| news.is_for(to, shop)) {
                    news.heard(to);
                }
                news.put_off(shop);
                self.records.put_parcel(&mut batch, &shop.id, &news.read, &news.parcel)?;
            }
            if batch.writes.is_empty() {
                return Ok(());
            }
            if self.records.store().commit(batch).await? == Committed::Done {
                if told {
                    self.outbox.notify_one();
                }
                if let Some(to) = to.filter(|to| told && is_logged(&to.kind)) {
                    (self.logged)(to);
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
                let reach = self.reach(address, read.value.as_ref(), &parcel.pending, now);
                let orders = vec![order.clone()];
                let target = Target { read, address: address.clone(), orders, reach };
                let rank = |target: &Target| {
                    (target.reach, target.read.value.as_ref().and_then(|chat| chat.last_inbound))
                };
                if best.as_ref().is_none_or(|best| rank(&target) > rank(best)) {
                    best = Some(target);
                }
            }
            // One parcel of several orders of one buyer is told once.
            let Some(best) = best else { continue };
            match targets.iter_mut().find(|target| target.address == best.address) {
                Some(known) => known.orders.extend(best.orders),
                None => targets.push(best),
            }
        }
        Ok(targets)
    }

    /// Stages one message to a chat; says whether there was something to say.
    fn stage(
        &self,
        batch: &mut Batch,
        shop: &Shop,
        to: &ChatAddress,
        all: &[News],
    ) -> Result<bool, StoreError> {
        let mut mine: Vec<(&News, &Target, Vec<Notice>)> = Vec::new();
        for news in all {
            let told = news.now(shop).find(|(target, _)| target.address == *to);
            mine.extend(told.map(|(target, notices)| (news, target, notices)));
        }
        let Some((news, target, _)) = mine.first() else { return Ok(false) };
        let (now, target) = (news.now, *target);
        let mut chat = target.read.value.clone().unwrap_or_default();
        chat.address = Some(to.clone());
        let locale = chat.language.clone().unwrap_or_else(|| shop.locale.clone());
        let parts: Vec<Part> = mine
            .iter()
            .filter_map(|(news, target, notices)| {
                Some(Part { notices, parcel: &news.parcel, order: target.orders.first()? })
            })
            .collect();
        let shown = (self.render)(shop, &locale, now, &wording::blocks(&parts));
        if shown.is_empty() {
            return Ok(false);
        }
        chat.notified.retain(|at| now.duration_since(*at) < DAY);
        chat.notified.push(now);
        if is_logged(&target.address.kind) {
            chat.seq += 1;
            let id = format!("b{}", chat.seq);
            let message = ChatMessage { id, at: now, from: From::Bot, blocks: shown };
            self.records.put_message(batch, &shop.id, &target.address, chat.seq, &message)?;
        } else if target.reach != Reach::Shut {
            if target.reach == Reach::Open {
                chat.window_used += 1;
            }
            let headline = self.headline(shop, &locale, now, &parts, &shown);
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
                headline,
                by_template: target.reach == Reach::Template,
            };
            self.records.put_outgoing(batch, now, &outgoing)?;
        } else {
            if chat.kept.len() >= KEPT {
                chat.kept.remove(0);
            }
            chat.kept.push(serde_json::to_string(&shown).unwrap_or_default());
        }
        let what = if target.reach == Reach::Shut { "kept" } else { "told" };
        metrics::counter!("yishi_notices_total", "channel" => target.address.kind.clone(), "what" => what)
            .increment(1);
        self.records.replace(batch, &target.read, &chat)?;
        Ok(true)
    }
}

impl Teller {
    /// How a chat can be told this news now.
    fn reach(&self, address: &ChatAddress, chat: Option<&Chat>, news: &[Notice], now: Timestamp) -> Reach {
        if is_open(address, chat, now) {
            return Reach::Open;
        }
        let account = self.accounts.get(&(address.kind.clone(), address.account.clone()));
        let form = account.zip(news.last()).is_some_and(|(account, newest)| has_form(account, newest.kind));
        if form { Reach::Template } else { Reach::Shut }
    }

    /// The newest of it in a few facts.
    fn headline(
        &self,
        shop: &Shop,
        locale: &str,
        now: Timestamp,
        parts: &[Part],
        shown: &[Shown],
    ) -> Option<Headline> {
        let part = parts.last()?;
        let (notice, state) = (part.notices.last()?, &part.parcel.state);
        let card = Card {
            carrier: part.parcel.carrier.clone(),
            number: part.parcel.number.clone(),
            status: state.status,
            sub: state.sub,
            reason: state.reason,
            eta: None,
            events: Vec::new(),
        };
        let words = (self.render)(shop, locale, now, &[Block::Parcel(Box::new(card))]);
        let Some(Shown::Parcel { status_text, carrier_text, .. }) = words.into_iter().next() else {
            return None;
        };
        let text = shown.iter().find_map(|shown| match shown {
            Shown::Text { text } => text.lines().next().map(str::to_owned),
            _ => None,
        });
        Some(Headline {
            kind: notice.kind,
            status: state.status,
            status_text,
            carrier: carrier_text,
            number: part.parcel.number.clone(),
            order: part.order.no.clone(),
            item: part.order.items.first().map(|item| item.title.clone()).unwrap_or_default(),
            at: shop.zone.to_datetime(notice.at),
            text: text.unwrap_or_default(),
        })
    }
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

#[cfg(test)]
#[path = "teller_tests.rs"]
mod tests;
