//! Turns that run now: a platform's retry waits for the first try instead of starting over, and exactly one way to
//! the buyer is chosen for each answer: inline while somebody waits, else by a message of its own.

use crate::model::Shown;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// A key of a running turn: account and dedupe key.
type Key = (String, String);

/// What waiters of a turn see.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// Not decided yet.
    Running,
    /// The answer; it was chosen to go inline.
    Inline(Vec<Shown>),
    /// It goes, or went, another way.
    Elsewhere,
}

#[derive(Debug)]
struct Running {
    progress: watch::Sender<Progress>,
    waiting: Mutex<Waiters>,
}

/// Who waits for the inline reply, and whether it was promised to them.
#[derive(Debug, Default)]
struct Waiters {
    count: usize,
    claimed: bool,
}

impl Running {
    fn waiters(&self) -> std::sync::MutexGuard<'_, Waiters> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The turns that run in this process.
#[derive(Debug, Default)]
pub struct Live {
    turns: Mutex<HashMap<Key, Arc<Running>>>,
}

/// One waiting request; dropped when it gives up.
#[derive(Debug)]
pub struct Waiting {
    running: Arc<Running>,
    progress: watch::Receiver<Progress>,
    counted: bool,
}

/// The running turn's own end: tells the waiters.
#[derive(Debug)]
pub struct Runner {
    key: Key,
    running: Arc<Running>,
}

impl Live {
    fn turns(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Arc<Running>>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a turn, or joins the one that runs: the runner is given to the first only.
    pub fn enter(&self, account: &str, key: &str, waits: bool) -> (Option<Runner>, Option<Waiting>) {
        let key = (account.to_owned(), key.to_owned());
        let mut turns = self.turns();
        let (running, first) = match turns.get(&key) {
            Some(running) => (running.clone(), false),
            None => {
                let running = Arc::new(Running {
                    progress: watch::Sender::new(Progress::Running),
                    waiting: Mutex::default(),
                });
                turns.insert(key.clone(), running.clone());
                (running, true)
            }
        };
        let runner = first.then(|| Runner { key, running: running.clone() });
        let waiting = waits.then(|| Waiting::new(running));
        (runner, waiting)
    }

    /// Joins a turn that runs, if it does.
    pub fn join(&self, account: &str, key: &str) -> Option<Waiting> {
        let running = self.turns().get(&(account.to_owned(), key.to_owned())).cloned()?;
        Some(Waiting::new(running))
    }

    /// The turn is over.
    pub fn leave(&self, runner: Runner, progress: Progress) {
        self.turns().remove(&runner.key);
        runner.running.progress.send_replace(progress);
    }

    /// How many turns run.
    pub fn count(&self) -> usize {
        self.turns().len()
    }
}

impl Runner {
    /// Promises the answer to whoever waits for it at this moment: from now on they do not give up. `false`: nobody
    /// waits, so the answer must go another way.
    pub fn claim_inline(&self) -> bool {
        let mut waiters = self.running.waiters();
        waiters.claimed |= waiters.count > 0;
        waiters.claimed
    }
}

impl Waiting {
    fn new(running: Arc<Running>) -> Self {
        running.waiters().count += 1;
        let progress = running.progress.subscribe();
        Self { running, progress, counted: true }
    }

    /// Gives up waiting, unless the answer was promised to us in this very moment.
    pub fn give_up(&mut self) -> bool {
        let mut waiters = self.running.waiters();
        if waiters.claimed {
            return false;
        }
        if std::mem::take(&mut self.counted) {
            waiters.count -= 1;
        }
        true
    }

    /// Waits for the end of the turn.
    pub async fn done(&mut self) -> Progress {
        match self.progress.wait_for(|progress| *progress != Progress::Running).await {
            Ok(progress) => progress.clone(),
            Err(_) => Progress::Elsewhere,
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.counted {
            self.running.waiters().count -= 1;
        }
    }
}
