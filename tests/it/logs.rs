//! What the service logs on this thread, kept to be looked through.

use std::cell::RefCell;
use std::io::Write;
use std::sync::{Arc, Mutex, Once};
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt, registry};

thread_local! {
    static HERE: RefCell<Option<Logs>> = const { RefCell::new(None) };
}

/// Everything logged so far, at every level.
#[derive(Clone, Default)]
pub struct Logs(Arc<Mutex<Vec<u8>>>);

/// Listens until it is dropped.
pub struct Listening;

impl Drop for Listening {
    fn drop(&mut self) {
        HERE.set(None);
    }
}

impl Logs {
    /// Listens on this thread: the test's runtime must have no other.
    pub fn listen() -> (Self, Listening) {
        // One subscriber for all threads, who wants what its own thread listens to: subscribers that come and go leave
        // other threads' events switched off for a while.
        static ONE: Once = Once::new();
        ONE.call_once(|| {
            let wanted = dynamic_filter_fn(|_, _| HERE.with_borrow(Option::is_some));
            registry().with(fmt::layer().json().with_writer(Here).with_filter(wanted)).init();
        });
        let logs = Self::default();
        HERE.set(Some(logs.clone()));
        (logs, Listening)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Writes to whoever listens on this thread.
struct Here;

impl<'a> MakeWriter<'a> for Here {
    type Writer = Logs;

    fn make_writer(&'a self) -> Self::Writer {
        HERE.with_borrow(Clone::clone).unwrap_or_default()
    }
}
