//! The book of calls, kept in the store: budgets, intervals, tokens and the journal survive a restart.

use super::{Kind, Records};
use crate::store::{Batch, Committed, StoreError};
use crate::wire::Token;
use crate::wire::ledger::{DayBook, Ledger, LedgerDown, Note, NumberBook, Reservation, Reserved};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct StoredToken {
    text: String,
    expires: Timestamp,
}

fn down(error: StoreError) -> LedgerDown {
    LedgerDown(error.to_string())
}

/// Nothing that we count moves so fast that this many tries are not enough.
const TRIES: usize = 50;

#[async_trait::async_trait]
impl Ledger for Records {
    async fn reserve(&self, ask: &Reservation) -> Result<Reserved, LedgerDown> {
        for _ in 0..TRIES {
            let day = self.read::<DayBook>(self.key(Kind::Budget, &ask.account, "day")).await;
            let day = day.map_err(down)?;
            let mut book = day.value.unwrap_or_default();
            let mut asked = None;
            if let Some(number) = &ask.number {
                let read = self.read::<NumberBook>(self.key(Kind::Asked, &ask.account, number)).await;
                let read = read.map_err(down)?;
                let book = read.value.clone().unwrap_or_default();
                asked = Some((read, book));
            }
            let mended = book.mend(ask) | asked.as_mut().is_some_and(|(_, book)| book.mend(ask));
            // Books that were put right are kept, also where the call is refused.
            let right = mended.then(|| (book, asked.clone()));
            let admitted = match (book.admit(ask), &mut asked) {
                (Ok(()), Some((_, book))) => book.admit(ask),
                (admitted, _) => admitted,
            };
            if let Err(until) = admitted {
                match right {
                    None => return Ok(Reserved::Not { until }),
                    Some(right) => (book, asked) = right,
                }
            }
            let mut batch = Batch::default();
            self.replace(&mut batch, &day, &book).map_err(down)?;
            if let Some((read, book)) = &asked {
                self.replace(&mut batch, read, book).map_err(down)?;
            }
            if self.store().commit(batch).await.map_err(down)? == Committed::Done {
                return Ok(admitted.map_or_else(|until| Reserved::Not { until }, |()| Reserved::Yes));
            }
        }
        Err(LedgerDown("the budget of an account changes too fast".into()))
    }

    async fn settle(&self, ask: &Reservation, made: Option<Timestamp>) -> Result<(), LedgerDown> {
        for _ in 0..TRIES {
            let mut batch = Batch::default();
            if made.is_none() {
                let day =
                    self.read::<DayBook>(self.key(Kind::Budget, &ask.account, "day")).await.map_err(down)?;
                let mut book = day.value.unwrap_or_default();
                book.give_back(ask);
                self.replace(&mut batch, &day, &book).map_err(down)?;
            }
            if let Some(number) = &ask.number {
                let asked = self.read::<NumberBook>(self.key(Kind::Asked, &ask.account, number)).await;
                let asked = asked.map_err(down)?;
                let mut book = asked.value.clone().unwrap_or_default();
                book.settle(ask, made);
                self.replace(&mut batch, &asked, &book).map_err(down)?;
            }
            if self.store().commit(batch).await.map_err(down)? == Committed::Done {
                return Ok(());
            }
        }
        Err(LedgerDown("the budget of an account changes too fast".into()))
    }

    async fn token(&self, account: &str) -> Result<Option<Token>, LedgerDown> {
        let read = self.read::<StoredToken>(self.key(Kind::Token, account, "token")).await.map_err(down)?;
        Ok(read
            .value
            .map(|token| Token { text: crate::model::Private::new(token.text), expires: token.expires }))
    }

    async fn put_token(&self, account: &str, token: &Token) -> Result<(), LedgerDown> {
        let stored = StoredToken { text: token.text.reveal().clone(), expires: token.expires };
        let mut batch = Batch::default();
        self.put(&mut batch, self.key(Kind::Token, account, "token"), &stored).map_err(down)?;
        let _ = self.store().commit(batch).await.map_err(down)?;
        Ok(())
    }

    async fn note(&self, note: Note) {
        if let Err(error) = self.put_call(note).await {
            tracing::warn!(%error, "a line of the journal was not kept");
        }
    }
}
