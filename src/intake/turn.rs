//! One turn of a conversation: read what is known, decide, render, commit once. A turn that must ask a carrier, or
//! wait for the rest of a fragment, is made durable first and goes on in the background.

use super::live::{Progress, Runner};
use super::{Intake, effects};
use crate::conversation::{
    Asked, Decision, Found, Heard, Known, Need, OrderView, Said, Say, Situation, decide, hear,
};
use crate::model::chat::Mode;
use crate::model::{Account, Block, Chat, ChatAddress, ChatMessage, From, Line, Shown, shop::Shop};
use crate::store::records::{Outgoing, OutgoingState, Read, Running};
use crate::store::{Batch, Committed, StoreError};
use jiff::Timestamp;
use std::sync::Arc;

/// Rounds of asking for more before a turn gives up: who, which, what news.
const ROUNDS: usize = 8;
/// A lost commit is decided again at most this often.
const ATTEMPTS: usize = 20;

/// One inbound message on its way.
#[derive(Debug, Clone)]
pub struct Trip {
    /// The shop that is asked.
    pub shop: Arc<Shop>,
    /// The account where it came in.
    pub account: Arc<Account>,
    /// Who.
    pub address: ChatAddress,
    /// Dedupe key within the account.
    pub key: String,
    /// What.
    pub said: Said,
    /// The platform's language of the person.
    pub locale: Option<String>,
    /// For the channel's codec.
    pub reply_to: String,
    /// When it came.
    pub at: Timestamp,
}

/// How the answer reaches the buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// In the reply to the very request.
    Inline,
    /// In the log of a web chat.
    Log,
    /// By a call to the channel.
    Outbox,
}

/// What a pass over a turn came to.
pub(super) enum Pass {
    /// Answered and committed, now or before: what an inline reply shows, and the way it goes.
    Answered(Vec<Shown>, Way),
    /// The carrier must be asked, or the rest of a fragment awaited, first.
    MustWait(Box<Waits>),
}

/// Why a turn waits.
pub(super) enum Waits {
    /// For news of these parcels; the message as heard, joined with a fragment before it.
    News(Vec<Need>, Said),
    /// For the rest of a fragment; the state that remembers it.
    Rest(Box<Chat>),
}

impl Trip {
    fn running(&self) -> Running {
        let (what, text) = match &self.said {
            Said::Text(text) => ("text", text.as_str()),
            Said::Choice(id) => ("choice", id.as_str()),
            Said::Joined(order) => ("joined", order.as_deref().unwrap_or("")),
            Said::Other => ("other", ""),
        };
        Running {
            at: self.at,
            account: self.account.id.clone(),
            key: self.key.clone(),
            address: self.address.clone(),
            what: what.to_owned(),
            text: text.to_owned(),
            reply_to: self.reply_to.clone(),
            locale: self.locale.clone(),
        }
    }

    /// The account's name in keys: ids of two kinds never meet.
    pub(super) fn owner(&self) -> String {
        self.account.name()
    }
}

/// Reads a stored message back after a crash.
pub(super) fn said_of(running: &Running) -> Said {
    match running.what.as_str() {
        "text" => Said::Text(running.text.clone()),
        "choice" => Said::Choice(running.text.clone()),
        "joined" => Said::Joined((!running.text.is_empty()).then(|| running.text.clone())),
        _ => Said::Other,
    }
}

impl Intake {
    /// One pass from what the store knows alone. `way` is where the answer goes if there is one.
    pub(super) async fn first_pass(&self, trip: &Trip, way: Way) -> Result<Pass, StoreError> {
        self.pass(trip, way, None, &[]).await
    }

    /// Makes a waiting turn durable: it will be answered even if the process is killed now.
    pub(super) async fn begin(&self, trip: &Trip, waits: &Waits) -> Result<(), StoreError> {
        for _ in 0..ATTEMPTS {
            let read = self.records.chat(&trip.shop.id, &trip.address).await?;
            let mut batch = Batch::default();
            let running_key = self.records.running_key(&trip.owner(), &trip.key);
            batch.expect(running_key.clone(), None);
            let (mut running, mut chat) = (trip.running(), read.value.clone().unwrap_or_default());
            if chat.answer_to(&trip.key).is_some() {
                return Ok(());
            }
            let mut changed = chat.fragment.take().is_some();
            match waits {
                Waits::Rest(waiting) => (chat, changed) = (Chat::clone(waiting), true),
                Waits::News(_, Said::Text(text)) => running.text.clone_from(text),
                Waits::News(..) => {}
            }
            self.records.put(&mut batch, running_key, &running)?;
            let logged = self.log_buyer(&mut batch, trip, &mut chat, read.value.as_ref())?;
            if logged || changed {
                chat.address = Some(trip.address.clone());
                self.records.replace(&mut batch, &read, &chat)?;
            }
            if self.records.store().commit(batch).await? == Committed::Done {
                if logged {
                    self.pages.stir(&trip.address, true);
                }
                return Ok(());
            }
        }
        Err(StoreError::Unusable("a conversation changes too fast".into()))
    }

    /// Goes on with a turn that was begun, to its end. `waits` is what it waits for.
    pub(super) async fn finish(&self, trip: &Trip, waits: Waits, runner: Runner) {
        let progress = match self.run(trip, waits, &runner).await {
            Ok((shown, Way::Inline)) => Progress::Inline(shown),
            Ok(_) => Progress::Elsewhere,
            Err(error) => {
                tracing::error!(account = %trip.account.id, %error, "a turn could not be finished");
                Progress::Elsewhere
            }
        };
        self.live.leave(runner, progress);
    }

    async fn run(&self, trip: &Trip, waits: Waits, runner: &Runner) -> Result<(Vec<Shown>, Way), StoreError> {
        let mut asked: Vec<(String, Asked)> = Vec::new();
        let mut news = Vec::new();
        match waits {
            Waits::Rest(_) => tokio::time::sleep(self.patience.fragment).await,
            Waits::News(needs, _) => news = needs,
        }
        for _ in 0..ROUNDS {
            if !news.is_empty() {
                asked.extend(self.ask(trip, &news).await?);
            }
            match self.pass(trip, Way::Outbox, Some(runner), &asked).await? {
                Pass::Answered(shown, way) => return Ok((shown, way)),
                Pass::MustWait(waits) => match *waits {
                    Waits::News(needs, _) => news = needs,
                    // A fragment is waited for once; what is here now must do.
                    Waits::Rest(_) => news.clear(),
                },
            }
        }
        Err(StoreError::Unusable("a turn asks for too much".into()))
    }

    /// Asks carriers side by side, each within its own patience.
    async fn ask(&self, trip: &Trip, needs: &[Need]) -> Result<Vec<(String, Asked)>, StoreError> {
        let asks = needs.iter().filter_map(|need| match need {
            Need::Fresh { order, carrier, number } => Some((order, carrier, number)),
            _ => None,
        });
        let asks = asks.map(|(order, carrier, number)| async move {
            let stored = self.records.parcel(&trip.shop.id, carrier, number).await?;
            let knows = stored.value.is_some_and(|parcel| !parcel.events.is_empty());
            let patience = if knows { self.patience.news } else { self.patience.carrier };
            let ask = self.tracker.refresh(&trip.shop.id, order, carrier, number);
            let asked = match tokio::time::timeout(patience, ask).await {
                Ok(asked) => asked,
                // Stored facts go out with their age; the question goes on in the background.
                Err(_) if knows => Asked::Answered,
                Err(_) => Asked::Failed,
            };
            Ok((number.clone(), asked))
        });
        futures_util::future::try_join_all(asks).await
    }

    /// Decides from what the store knows and commits. With a runner, the turn was begun before.
    async fn pass(
        &self,
        trip: &Trip,
        way: Way,
        runner: Option<&Runner>,
        asked: &[(String, Asked)],
    ) -> Result<Pass, StoreError> {
        for _ in 0..ATTEMPTS {
            let read = self.records.chat(&trip.shop.id, &trip.address).await?;
            let mut known = Known { asked: asked.to_vec(), ..Known::default() };
            let empty = Chat::default();
            let chat = read.value.as_ref().unwrap_or(&empty);
            if let Some(shown) = chat.answer_to(&trip.key) {
                return Ok(Pass::Answered(shown, way));
            }
            let now = self.clock.now();
            let matcher = self.words.matcher(&trip.shop.id);
            let mut heard = hear(&matcher, chat, trip.said.clone(), &trip.key, now, self.rules.fragment);
            heard.waited =
                runner.is_some() && chat.fragment.as_ref().is_some_and(|rest| rest.key == trip.key);
            heard.locale.clone_from(&trip.locale);
            let situation = Situation {
                shop: &trip.shop.name,
                locale: &trip.shop.locale,
                zone: &trip.shop.zone,
                now,
                chat,
                rules: &self.rules,
                scans: if crate::channels::is_logged(&trip.account.kind) { 10 } else { 4 },
                hotline: crate::carriers::hotline,
            };
            let decision = match runner {
                // The rest came while we waited, and its turn has taken this text over.
                Some(_) if self.taken_over(trip, chat) => Decision::Silent,
                _ => self.decide_with_store(trip, &situation, &heard, &mut known, chat).await?,
            };
            let say = match decision {
                Decision::Say(say) => *say,
                Decision::Need(needs) => {
                    return Ok(Pass::MustWait(Box::new(Waits::News(needs, heard.said))));
                }
                Decision::Wait(chat) => return Ok(Pass::MustWait(Box::new(Waits::Rest(chat)))),
                Decision::Silent => silent(chat),
            };
            let way = match (way, runner) {
                _ if crate::channels::is_logged(&trip.account.kind) => Way::Log,
                (Way::Outbox, Some(runner)) if runner.claim_inline() => Way::Inline,
                (way, _) => way,
            };
            if let Some(shown) = self.commit(trip, say, way, &read, &heard, runner.is_some()).await? {
                return Ok(Pass::Answered(shown, way));
            }
        }
        Err(StoreError::Unusable("a conversation changes too fast".into()))
    }

    /// A begun fragment whose chat no longer waits for it was read together with what came after.
    fn taken_over(&self, trip: &Trip, chat: &Chat) -> bool {
        let Said::Text(text) = &trip.said else { return false };
        let waited = !self.words.matcher(&trip.shop.id).read(text).alone;
        waited && chat.fragment.as_ref().is_none_or(|rest| rest.key != trip.key)
    }

    /// Decides, looking up in the store what the decision needs; stops where a carrier must be asked.
    async fn decide_with_store(
        &self,
        trip: &Trip,
        situation: &Situation<'_>,
        heard: &Heard,
        known: &mut Known,
        chat: &Chat,
    ) -> Result<Decision, StoreError> {
        if heard.is_about_orders() && !chat.bound.is_empty() && known.mine.is_none() {
            known.mine = Some(self.mine(&trip.shop.id, chat, situation.scans).await?);
        }
        for _ in 0..ROUNDS {
            let needs = match decide(situation, heard, known) {
                Decision::Need(needs) => needs,
                other => return Ok(other),
            };
            if needs.iter().any(|need| matches!(need, Need::Fresh { .. })) {
                return Ok(Decision::Need(needs));
            }
            for need in needs {
                match need {
                    Need::Mine => known.mine = Some(self.mine(&trip.shop.id, chat, situation.scans).await?),
                    Need::Claim(claim) => {
                        let found = self.claim(&trip.shop.id, &claim, situation).await?;
                        known.claims.push((claim, found));
                    }
                    Need::Fresh { .. } => {}
                }
            }
        }
        Err(StoreError::Unusable("a turn asks for too much".into()))
    }

    /// The newest orders that this chat may see.
    async fn mine(&self, shop: &str, chat: &Chat, scans: usize) -> Result<Vec<OrderView>, StoreError> {
        const MOST: usize = 30;
        let mut mine = Vec::with_capacity(chat.bound.len().min(MOST));
        for bound in chat.bound.iter().rev().take(MOST) {
            if let Some(order) = self.records.order(shop, &bound.order).await?.value {
                let parcels = self.records.parcels_of(shop, &order, scans).await?;
                mine.push(OrderView { order, parcels });
            }
        }
        Ok(mine)
    }

    /// Orders with this order or tracking number. The same work is done whether it exists or not.
    async fn claim(&self, shop: &str, claim: &str, at: &Situation<'_>) -> Result<Found, StoreError> {
        let (now, scans) = (at.now, at.scans);
        let misses = self.records.misses(shop, claim, now).await?.value.map_or(0, |misses| misses.len());
        let mut numbers = vec![claim.to_owned()];
        numbers.extend(self.records.number(shop, claim).await?.value.unwrap_or_default().orders);
        let mut orders = Vec::new();
        for no in numbers {
            if let Some(order) = self.records.order(shop, &no).await?.value {
                let parcels = self.records.parcels_of(shop, &order, scans).await?;
                orders.push(OrderView { order, parcels });
            }
        }
        Ok(Found { orders, misses })
    }

    /// Renders and commits an answer with all that follows from it. `None`: something changed, decide again.
    async fn commit(
        &self,
        trip: &Trip,
        say: Say,
        way: Way,
        read: &Read<Chat>,
        heard: &Heard,
        begun: bool,
    ) -> Result<Option<Vec<Shown>>, StoreError> {
        let now = self.clock.now();
        let mut shown = self.words.render(&trip.shop, &say.locale, now, &say.blocks);
        let mut chat = say.chat;
        if !shown.is_empty() && !chat.kept.is_empty() {
            // What could not be told in the meantime comes first.
            let kept = std::mem::take(&mut chat.kept);
            let kept =
                kept.iter().flat_map(|json| serde_json::from_str::<Vec<Shown>>(json).unwrap_or_default());
            shown = kept.chain(shown).collect();
        }
        chat.address = Some(trip.address.clone());
        if way == Way::Outbox && !shown.is_empty() {
            chat.window_used += 1;
        }
        let offers = offered(&shown);
        if !offers.is_empty() {
            chat.offered = offers;
        } else if chat.pending.is_none() && !shown.is_empty() {
            chat.offered.clear();
        }
        tell_story(&mut chat, read.value.as_ref(), trip, heard, &shown, now);
        let mut batch = Batch::default();
        let records = &self.records;
        if begun {
            batch.delete(records.running_key(&trip.owner(), &trip.key));
        } else {
            self.log_buyer(&mut batch, trip, &mut chat, read.value.as_ref())?;
        }
        let mut inline = Vec::new();
        if !shown.is_empty() {
            match way {
                Way::Inline => inline = shown,
                Way::Log => {
                    chat.seq += 1;
                    let id = format!("b{}", chat.seq);
                    let message = ChatMessage { id, at: now, from: From::Bot, blocks: shown };
                    records.put_message(&mut batch, &trip.shop.id, &trip.address, chat.seq, &message)?;
                }
                Way::Outbox => {
                    let json = serde_json::to_string(&shown).unwrap_or_default();
                    records.put_outgoing(&mut batch, now, &self.outgoing(trip, &json, now))?;
                }
            }
        }
        if let Mode::Waiting { since } = chat.mode
            && since == now
        {
            self.promise_return(&mut batch, trip, &say.locale, now)?;
        }
        chat.answer(&trip.key, &inline);
        effects::stage(self, &mut batch, trip, &say.effects, &mut chat, now).await?;
        records.replace(&mut batch, read, &chat)?;
        if records.store().commit(batch).await? == Committed::Lost {
            return Ok(None);
        }
        if say.effects.contains(&crate::conversation::Effect::Erase) {
            records.finish_erasures().await?;
        }
        metrics::counter!("yishi_turns_total", "channel" => trip.account.kind.clone(), "intent" => say.intent)
            .increment(1);
        if way == Way::Log {
            self.pages.stir(&trip.address, false);
        }
        if way == Way::Outbox {
            self.outbox.notify_one();
        }
        Ok(Some(inline))
    }

    /// If nobody takes the conversation over in time, the bot comes back by itself and says sorry.
    fn promise_return(
        &self,
        batch: &mut Batch,
        trip: &Trip,
        locale: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sorry = [Block::Text(Line::new("human-timeout"))];
        let shown = self.words.render(&trip.shop, locale, now, &sorry);
        let json = serde_json::to_string(&shown).unwrap_or_default();
        let outgoing =
            Outgoing { while_waiting: Some(now), reply_to: None, ..self.outgoing(trip, &json, now) };
        self.records.put_outgoing(batch, now + self.rules.human, &outgoing)
    }

    fn outgoing(&self, trip: &Trip, json: &str, now: Timestamp) -> Outgoing {
        Outgoing {
            shop: trip.shop.id.clone(),
            account: trip.account.id.clone(),
            address: trip.address.clone(),
            shown: json.to_owned(),
            reply_to: Some(trip.reply_to.clone()),
            state: OutgoingState::Due,
            tries: 0,
            made: now,
            while_waiting: None,
            notice: false,
            headline: None,
            by_template: false,
        }
    }

    /// The buyer's own line in a web chat's log.
    fn log_buyer(
        &self,
        batch: &mut Batch,
        trip: &Trip,
        chat: &mut Chat,
        before: Option<&Chat>,
    ) -> Result<bool, StoreError> {
        if !crate::channels::is_logged(&trip.account.kind) {
            return Ok(false);
        }
        let text = match &trip.said {
            Said::Text(text) => text.clone(),
            Said::Choice(id) => label_of(before, id),
            Said::Joined(_) | Said::Other => return Ok(false),
        };
        chat.seq += 1;
        let id = trip.key.rsplit('\u{1f}').next().unwrap_or(&trip.key).to_owned();
        let blocks = vec![Shown::Text { text }];
        let message = ChatMessage { id, at: trip.at, from: From::Buyer, blocks };
        self.records.put_message(batch, &trip.shop.id, &trip.address, chat.seq, &message)?;
        Ok(true)
    }
}

/// Nothing is said; the state stays.
fn silent(chat: &Chat) -> Say {
    Say {
        blocks: Vec::new(),
        chat: chat.clone(),
        effects: Vec::new(),
        locale: String::new(),
        intent: "fragment".into(),
    }
}

/// A choice as the buyer saw it.
fn label_of(chat: Option<&Chat>, id: &str) -> String {
    let offered = chat.map(|chat| chat.offered.as_slice()).unwrap_or_default();
    offered.iter().find(|(known, _)| known == id).map_or_else(|| id.to_owned(), |(_, label)| label.clone())
}

/// Ids and labels of what a reply offers.
fn offered(shown: &[Shown]) -> Vec<(String, String)> {
    shown
        .iter()
        .filter_map(|shown| match shown {
            Shown::Choices { choices, .. } => Some(choices),
            _ => None,
        })
        .flatten()
        .map(|choice| (choice.id.clone(), choice.label.clone()))
        .collect()
}

fn tell_story(
    chat: &mut Chat,
    before: Option<&Chat>,
    trip: &Trip,
    heard: &Heard,
    shown: &[Shown],
    now: Timestamp,
) {
    let label;
    let said = match &heard.said {
        Said::Text(text) => Some(text.as_str()),
        Said::Choice(id) => {
            label = label_of(before, id);
            Some(label.as_str())
        }
        Said::Joined(_) | Said::Other => None,
    };
    let told = shown.iter().find_map(|shown| match shown {
        Shown::Text { text } | Shown::Choices { text, .. } => Some(text.as_str()),
        _ => None,
    });
    chat.tell(said.map(|text| (trip.at, text)), told.map(|text| (now, text)));
}
