//! The door for channels: verifies a request, reads its messages, and answers inline, in time, or acknowledges and
//! answers another way. Knows channels by their trait only.

use super::live::Progress;
use super::turn::{Pass, Waits, Way, said_of};
use super::{Intake, Trip};
use crate::channels::{Channel, Inbound, Incoming, What, channel};
use crate::conversation::Said;
use crate::model::{Account, ChatAddress, Private, Shown};
use crate::store::StoreError;
use crate::wire::{Cx, Reply, Request, Unverified};
use std::sync::Arc;
use std::time::Duration;

/// What came of a request at the door.
#[derive(Debug)]
pub enum Door {
    /// Answer with this.
    Reply(Reply),
    /// No such account.
    NotFound,
    /// Not who it says, or not readable.
    Refused(Unverified),
    /// Nothing can be stored now: the platform should try again.
    Unavailable(StoreError),
}

/// What came of one message.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Say this in the reply; empty: say nothing.
    Inline(Vec<Shown>),
    /// It is durable; the answer goes another way.
    Later,
}

impl Intake {
    /// One request at `/hooks/{kind}/{account}`.
    pub async fn hook(self: &Arc<Self>, kind: &str, account: &str, request: &Request) -> Door {
        let Some(account) = self.account(kind, account).cloned() else { return Door::NotFound };
        let Some(channel) = channel(kind) else {
            return match crate::carriers::carrier(kind) {
                Some(carrier) => self.pushed(carrier, &account, request).await,
                None => Door::NotFound,
            };
        };
        let cx = self.cx(&account);
        let verified = match channel.verify(&cx, request) {
            Ok(verified) => verified,
            Err(refused) => {
                count(kind, "refused");
                return Door::Refused(refused);
            }
        };
        let messages = match channel.read(&account, request, &verified) {
            Ok(Inbound::Handshake(reply)) => return Door::Reply(reply),
            Ok(Inbound::Messages(messages)) => messages,
            Err(unreadable) => {
                // Signed, and yet none of the platform's messages: somebody holds the secret, or plays with it.
                count(kind, "unreadable");
                return Door::Refused(unreadable);
            }
        };
        let deadline = Duration::from_millis(channel.spec().deadline_ms);
        let mut reply = None;
        for incoming in messages {
            count(kind, "message");
            let outcome = match self.incoming(channel, &account, &incoming, deadline).await {
                Ok(outcome) => outcome,
                Err(error) => return Door::Unavailable(error),
            };
            if let Outcome::Inline(shown) = outcome
                && !shown.is_empty()
                && reply.is_none()
            {
                reply = channel.write(&cx, request, &incoming, &shown).ok();
            }
        }
        Door::Reply(reply.unwrap_or_else(|| channel.acknowledge()))
    }

    /// One message of a channel account, however it was carried.
    pub async fn incoming(
        self: &Arc<Self>,
        channel: &'static dyn Channel,
        account: &Arc<Account>,
        incoming: &Incoming,
        deadline: Duration,
    ) -> Result<Outcome, StoreError> {
        let shop = account.shop.as_deref().and_then(|shop| self.shop(shop)).cloned();
        let Some(shop) = shop else {
            return Err(StoreError::Unusable(format!("account {} belongs to no shop", account.id)));
        };
        let address = ChatAddress {
            kind: channel.spec().kind.to_owned(),
            account: account.id.clone(),
            id: Private::new(incoming.from.clone()),
        };
        let said = match &incoming.what {
            What::Text(text) => Said::Text(text.clone()),
            What::Choice(id) => Said::Choice(id.clone()),
            What::Joined(link) => Said::Joined(self.linked(&shop.id, link.as_deref()).await?),
            What::Other => Said::Other,
            What::Left => {
                self.left(&shop.id, &address).await?;
                return Ok(Outcome::Later);
            }
        };
        let trip = Trip {
            shop,
            account: account.clone(),
            address,
            key: incoming.key.clone(),
            said,
            locale: incoming.locale.clone(),
            reply_to: incoming.reply_to.clone(),
            at: self.clock.now(),
        };
        self.receive(trip, deadline).await
    }

    /// A message in: durable when this returns. Waits up to `patience` for an inline answer; zero: none is wanted.
    pub async fn receive(self: &Arc<Self>, trip: Trip, patience: Duration) -> Result<Outcome, StoreError> {
        let started = std::time::Instant::now();
        let inline = !patience.is_zero();
        let joined = self.live.join(&trip.owner(), &trip.key);
        let mut waiting = match joined {
            Some(waiting) => waiting,
            None => {
                let way = if inline { Way::Inline } else { Way::Outbox };
                let waits = match self.first_pass(&trip, way).await? {
                    Pass::Answered(shown, Way::Inline) => {
                        metrics::histogram!("yishi_turn_seconds").record(started.elapsed().as_secs_f64());
                        return Ok(Outcome::Inline(shown));
                    }
                    Pass::Answered(..) => return Ok(Outcome::Later),
                    Pass::MustWait(waits) => *waits,
                };
                let (runner, waiting) = self.live.enter(&trip.owner(), &trip.key, true);
                if let Some(runner) = runner {
                    if let Err(error) = self.begin(&trip, &waits).await {
                        self.live.leave(runner, Progress::Elsewhere);
                        return Err(error);
                    }
                    self.go_on(trip, waits, runner);
                }
                match waiting {
                    Some(waiting) => waiting,
                    None => return Ok(Outcome::Later),
                }
            }
        };
        if !inline {
            // Nobody waits for an inline reply here.
            waiting.give_up();
            return Ok(Outcome::Later);
        }
        let progress = match tokio::time::timeout(patience, waiting.done()).await {
            Ok(progress) => progress,
            Err(_) if waiting.give_up() => Progress::Elsewhere,
            Err(_) => waiting.done().await,
        };
        Ok(match progress {
            Progress::Inline(shown) => Outcome::Inline(shown),
            _ => Outcome::Later,
        })
    }

    /// The order that a link opens, where it is one of the shop's.
    async fn linked(&self, shop: &str, link: Option<&str>) -> Result<Option<String>, StoreError> {
        let Some(link) = link else { return Ok(None) };
        let order = self.records.linked(shop, link, self.clock.now()).await?;
        Ok(order.map(|order| order.no))
    }

    fn go_on(self: &Arc<Self>, mut trip: Trip, waits: Waits, runner: super::live::Runner) {
        if let Waits::News(_, said) = &waits {
            trip.said = said.clone();
        }
        let intake = self.clone();
        self.tasks.spawn(async move { intake.finish(&trip, waits, runner).await });
    }

    /// Goes on with what was begun before a crash or stop. Returns how many turns.
    pub async fn resume(self: &Arc<Self>) -> Result<usize, StoreError> {
        self.records.finish_erasures().await?;
        let running = self.records.running().await?;
        let count = running.len();
        for turn in running {
            let kind = turn.address.kind.clone();
            let Some(account) = self.account(&kind, &turn.account).cloned() else { continue };
            let Some(shop) = account.shop.as_deref().and_then(|shop| self.shop(shop)).cloned() else {
                continue;
            };
            let said = said_of(&turn);
            let trip = Trip {
                shop,
                account,
                address: turn.address,
                key: turn.key,
                said: said.clone(),
                locale: turn.locale,
                reply_to: turn.reply_to,
                at: turn.at,
            };
            if let (Some(runner), _) = self.live.enter(&trip.owner(), &trip.key, false) {
                self.go_on(trip, Waits::News(Vec::new(), said), runner);
            }
        }
        Ok(count)
    }

    /// Whoever leaves is forgotten, also where an answer to them is committed at the same moment.
    async fn left(&self, shop: &str, address: &ChatAddress) -> Result<(), StoreError> {
        loop {
            let read = self.records.chat(shop, address).await?;
            let mut chat = read.value.clone().unwrap_or_default();
            chat.seq += 1;
            let mut batch = crate::store::Batch::default();
            self.records.put_erasure(&mut batch, shop, address, &chat, self.clock.now())?;
            batch.expect(read.key.clone(), read.raw.clone()).delete(read.key);
            if self.records.store().commit(batch).await? == crate::store::Committed::Done {
                return self.records.finish_erasures().await;
            }
        }
    }

    pub(super) fn cx<'a>(&self, account: &'a Account) -> Cx<'a> {
        Cx { account, token: None, now: self.clock.now(), random: crate::vault::random() }
    }
}

fn count(kind: &str, what: &'static str) {
    metrics::counter!("yishi_inbound_total", "channel" => kind.to_owned(), "what" => what).increment(1);
}
