//! What goes over the wire, as values: outgoing [`Call`] → [`Answer`], incoming [`Request`] → [`Verified`] → [`Reply`].
//! Adapters build and read these; only `wire`'s client opens a socket.

pub mod breaker;
pub mod client;
pub mod clock;
mod desk;
mod exchange;
#[cfg(test)]
mod exchange_tests;
pub mod joined;
pub mod ledger;
mod mail;
pub mod pace;
pub mod scrub;
pub mod sign;

use crate::model::{Account, Private};
pub use client::HttpTransport;
pub use clock::{Clock, ManualClock, SystemClock};
pub use exchange::{Build, Exchange, Failure, Limits, Read, Wire};
use jiff::{SignedDuration, Timestamp};
pub use joined::Joined;
pub use ledger::{Ledger, MemoryLedger};
pub use scrub::scrub;
pub use sign::Proof;

/// All that an adapter may know beside its arguments: no clock, no randomness, no store of its own.
#[derive(Debug, Clone, Copy)]
pub struct Cx<'a> {
    /// Who we are to the vendor.
    pub account: &'a Account,
    /// The current token, where the vendor needs one ([`TokenStep`]).
    pub token: Option<&'a Token>,
    /// Now.
    pub now: Timestamp,
    /// Fresh random bytes for nonces and request ids.
    pub random: [u8; 32],
}

/// An access token with its end. The text is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// As the vendor gave it.
    pub text: Private<String>,
    /// When it stops working.
    pub expires: Timestamp,
}

/// How an account gets its token.
pub trait TokenStep: Send + Sync {
    /// The call that fetches a new token.
    fn fetch(&self, cx: &Cx) -> Result<Call, Refusal>;
    /// Reads the answer.
    fn read(&self, cx: &Cx, answer: &Answer) -> Result<Token, Refusal>;
}

/// HTTP method of an outgoing call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Method {
    Get,
    Post,
}

/// One outgoing call. `url`, headers and body may hold secrets: logs name `operation` only.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// `kuaidi100.query`: for logs, metrics and the journal.
    pub operation: &'static str,
    /// GET or POST.
    pub method: Method,
    /// Whole address with query.
    pub url: String,
    /// Header names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Exact bytes, as signed.
    pub body: Vec<u8>,
    /// Whether asking twice does no harm (queries: yes; messages to people: no).
    pub repeatable: bool,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Call({})", self.operation)
    }
}

impl Call {
    /// A GET that may be repeated.
    pub fn get(operation: &'static str, url: String) -> Self {
        Self { operation, method: Method::Get, url, headers: Vec::new(), body: Vec::new(), repeatable: true }
    }

    /// A form POST that may be repeated: fields are encoded as WHATWG forms are.
    pub fn form(operation: &'static str, url: String, fields: &[(&str, &str)]) -> Self {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        Self {
            operation,
            method: Method::Post,
            url,
            headers: vec![("content-type", "application/x-www-form-urlencoded; charset=UTF-8".into())],
            body: form.finish().into_bytes(),
            repeatable: true,
        }
    }

    /// A JSON POST that may be repeated.
    pub fn json(operation: &'static str, url: String, body: Vec<u8>) -> Self {
        Self {
            operation,
            method: Method::Post,
            url,
            headers: vec![("content-type", "application/json; charset=UTF-8".into())],
            body,
            repeatable: true,
        }
    }

    /// The same call, marked as one that must not be sent twice.
    pub fn once(mut self) -> Self {
        self.repeatable = false;
        self
    }
}

/// What came back. Header names are lower case.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    /// At most the size cap.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

impl Answer {
    /// An answer with a body, for tests and simulators.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// A header by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Either the result, or one more call to make first (paging, register-then-ask).
#[derive(Debug, Clone, PartialEq)]
pub enum Step<T> {
    /// Done.
    Done(T),
    /// Make this call, then read again.
    Then(Call),
}

/// One inbound HTTP request, raw. Header names are lower case; query values are decoded.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// Whether it is a GET (a handshake, as a rule).
    pub get: bool,
    /// Decoded pairs in order.
    pub query: Vec<(String, String)>,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    /// Exact bytes.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Request({} bytes)", self.body.len())
    }
}

impl Request {
    /// First query value of a name, empty where missing.
    pub fn query(&self, name: &str) -> &str {
        self.query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// A header by its lower-case name, empty where missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// A request whose sender is proved. Carries the payload in the clear (decrypted where it came encrypted).
#[derive(Clone)]
pub struct Verified {
    payload: Vec<u8>,
    proof: Proof,
}

impl std::fmt::Debug for Verified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Verified({} bytes)", self.payload.len())
    }
}

impl Verified {
    /// Only a [`Proof`] makes one.
    pub fn new(payload: Vec<u8>, proof: Proof) -> Self {
        Self { payload, proof }
    }

    /// The clear payload.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// How the sender was proved.
    pub fn proof(&self) -> &Proof {
        &self.proof
    }
}

/// What we answer to an inbound request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Content type.
    pub content_type: &'static str,
    /// Exact bytes.
    pub body: Vec<u8>,
}

impl Reply {
    /// 200 with plain text.
    pub fn text(body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, content_type: "text/plain; charset=utf-8", body: body.into() }
    }
}

/// Refused at the door, by the status to answer with. Says nothing about why to the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// Wrong or missing signature, too old, wrong mode.
    #[error("the signature is wrong, missing or too old")]
    BadSignature,
    /// Not what this door takes: broken encoding, broken cipher text, too deep.
    #[error("the body cannot be read")]
    Malformed,
}

/// What a person must do to mend an account: a template key of `locales/*/cures.ftl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cure(pub &'static str);

/// A vendor said no; named by what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum Refusal {
    #[error("try again later")]
    Retry { after: Option<SignedDuration> },
    #[error("too many calls")]
    Throttled { until: Option<Timestamp> },
    #[error("the token expired")]
    TokenExpired,
    #[error("the account needs mending: {}", cure.0)]
    FixAccount { cure: Cure },
    #[error("the order needs mending: {}", cure.0)]
    FixOrder { cure: Cure },
    #[error("the phone tail of sender or receiver is needed")]
    NeedPhoneTail,
    #[error("no data yet")]
    NoDataYet,
    #[error("not a tracking number of this carrier")]
    BadNumber,
    #[error("the number belongs to another carrier")]
    WrongCarrier,
    #[error("the number must be registered first")]
    NotRegistered,
    #[error("done already")]
    AlreadyDone,
    #[error("the person cannot be reached any more")]
    Unreachable,
    #[error("the reply window is shut")]
    WindowShut,
    #[error("the consent is used up")]
    ConsentSpent,
    #[error("the vendor cannot do this")]
    Unsupported,
    #[error("the answer cannot be read")]
    Unreadable,
}

/// A call that brought no answer to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Never left: pace, budget or breaker said wait.
    #[error("not sent: pace, budget or breaker")]
    NotSent {
        /// When it may be tried again, where known.
        until: Option<Timestamp>,
    },
    /// Sent, and nothing came back: the effect is unknown.
    #[error("sent, but no answer came")]
    Unknown,
}

/// Carries a call to its vendor: reqwest in production, the simulator's function in tests.
#[async_trait::async_trait]
pub trait Transport: Send + Sync {
    /// Sends once, within the time limit.
    async fn send(&self, call: Call, limit: std::time::Duration) -> Result<Answer, CallError>;
}
