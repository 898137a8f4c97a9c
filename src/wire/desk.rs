//! What one account's calls share: pace, breaker, places and the token. One bad account holds up no other one.

use super::breaker::Breaker;
use super::pace::Pace;
use super::{Account, Token};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// A token that ends within this is renewed first.
const TOKEN_MARGIN: Duration = Duration::from_secs(60);
/// Calls at once, where the limits name none.
const PLACES: usize = 64;

/// One account's.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) pace: Pace,
    pub(super) breaker: Breaker,
    /// Calls at once.
    pub(super) places: Semaphore,
    /// Whose turn it is to fetch a token.
    pub(super) renewal: tokio::sync::Mutex<()>,
    token: Mutex<Option<Token>>,
}

impl Desk {
    /// The token in memory, where it still holds.
    pub(super) fn token(&self, now: Timestamp) -> Option<Token> {
        let token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        token.clone().filter(|token| holds(token, now))
    }

    pub(super) fn keep_token(&self, token: &Token) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
    }
}

/// Whether a token is good for a call now.
pub(super) fn holds(token: &Token, now: Timestamp) -> bool {
    token.expires > super::clock::later(now, TOKEN_MARGIN)
}

/// Every account's. Accounts come from the configuration, never from outside, so there are few.
#[derive(Debug, Default)]
pub(super) struct Desks(Mutex<HashMap<(String, String), Arc<Desk>>>);

impl Desks {
    pub(super) fn of(&self, account: &Account, places: usize) -> Arc<Desk> {
        let key = (account.kind.clone(), account.id.clone());
        let mut desks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open = || {
            Arc::new(Desk {
                pace: Pace::default(),
                breaker: Breaker::default(),
                places: Semaphore::new(if places == 0 { PLACES } else { places }),
                renewal: tokio::sync::Mutex::default(),
                token: Mutex::default(),
            })
        };
        desks.entry(key).or_insert_with(open).clone()
    }
}
