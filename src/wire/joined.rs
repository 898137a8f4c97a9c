//! Many buyers ask about one parcel at once: the carrier is asked once, and all get the answer. The ask goes on
//! when the first asker goes away.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use tracing::Instrument;

type Flights<K, T> = Arc<Mutex<HashMap<K, watch::Receiver<Option<T>>>>>;

/// Asks that are under way, by what they ask.
#[derive(Debug)]
pub struct Joined<K, T> {
    flights: Flights<K, T>,
}

impl<K, T> Clone for Joined<K, T> {
    fn clone(&self) -> Self {
        Self { flights: self.flights.clone() }
    }
}

impl<K, T> Default for Joined<K, T> {
    fn default() -> Self {
        Self { flights: Arc::default() }
    }
}

impl<K, T> Joined<K, T>
where
    K: Eq + Hash + Clone + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// The answer to `key`: from the ask that is under way, else from `flight`, which is started now and runs to
    /// its end whoever still waits. `None` where it broke off (a fault of ours, or the process is stopping).
    pub async fn ask<F>(&self, key: K, flight: impl FnOnce() -> F) -> Option<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut answer = self.join(key, flight);
        let answer = answer.wait_for(Option::is_some).await.ok()?;
        answer.clone()
    }

    /// How many are under way.
    pub fn under_way(&self) -> usize {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn join<F>(&self, key: K, flight: impl FnOnce() -> F) -> watch::Receiver<Option<T>>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(under_way) = flights.get(&key) {
            return under_way.clone();
        }
        let (teller, answer) = watch::channel(None);
        flights.insert(key.clone(), answer.clone());
        let landing = Landing { flights: self.flights.clone(), key };
        let flight = flight();
        let trip = async move {
            // Dropped last, also where the flight panics: the next asker starts anew.
            let _landing = landing;
            teller.send_replace(Some(flight.await));
        };
        tokio::spawn(trip.instrument(tracing::Span::current()));
        answer
    }
}

/// Takes the flight off the board.
struct Landing<K: Eq + Hash, T> {
    flights: Flights<K, T>,
    key: K,
}

impl<K: Eq + Hash, T> Drop for Landing<K, T> {
    fn drop(&mut self) {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, future::join_all};
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use tokio::sync::Notify;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_hundred_asks_at_once_make_one_call() {
        let joined: Joined<&str, usize> = Joined::default();
        let calls = Arc::new(AtomicUsize::new(0));
        let open = Arc::new(Notify::new());
        let asks = (0..100).map(|_| {
            let (joined, calls, open) = (joined.clone(), calls.clone(), open.clone());
            async move {
                let call = || async move {
                    let call = calls.fetch_add(1, SeqCst) + 1;
                    open.notified().await;
                    call
                };
                joined.ask("zto/1", call).await
            }
        });
        // The door opens once all hundred have been polled.
        let (answers, ()) = tokio::join!(join_all(asks), async { open.notify_one() });
        assert_eq!(answers, vec![Some(1); 100]);
        assert_eq!(calls.load(SeqCst), 1);
        let later = joined.ask("zto/1", || async { 2 }).await;
        assert!(later == Some(1) || later == Some(2));
    }

    #[tokio::test]
    async fn the_ask_goes_on_when_its_first_asker_leaves() {
        let joined: Joined<u8, &str> = Joined::default();
        let open = Arc::new(Notify::new());
        let door = open.clone();
        let first = joined.ask(1, || async move {
            door.notified().await;
            "arrived"
        });
        // Polled once, then dropped.
        let mut first = Box::pin(first);
        assert_eq!((&mut first).now_or_never(), None);
        drop(first);
        assert_eq!(joined.under_way(), 1);
        open.notify_one();
        assert_eq!(joined.ask(1, || async { "asked anew" }).await, Some("arrived"));
    }

    #[tokio::test]
    async fn a_broken_flight_leaves_no_trace() {
        let joined: Joined<u8, u8> = Joined::default();
        assert_eq!(joined.ask(1, || async { std::panic::panic_any("our fault") }).await, None);
        assert_eq!(joined.under_way(), 0);
        assert_eq!(joined.ask(1, || async { 7 }).await, Some(7));
    }
}
