//! Codes with which a parcel is collected from a station or locker (取件码), told to whoever names the receiver's
//! whole phone: registered while the parcel is on its way, announced by a push, then fetched. Must never put the phone
//! into an address, nor log it or the code: who has the code has the parcel.

use super::Tracked;
use crate::model::Private;
use crate::wire::{Answer, Call, Cx, Refusal};
use jiff::Timestamp;

/// A vendor that learns pickup codes.
pub trait PickupCodes: Send + Sync {
    /// Asks to be told when there is a code. `callback` is the public address of this account's hook.
    fn register(&self, cx: &Cx, receiver: &Receiver, callback: &str) -> Result<Call, Refusal>;
    /// Reads the answer; [`Refusal::AlreadyDone`] where the number was registered before.
    fn read_registered(&self, cx: &Cx, answer: &Answer) -> Result<(), Refusal>;
    /// Asks for the code.
    fn fetch(&self, cx: &Cx, receiver: &Receiver) -> Result<Call, Refusal>;
    /// Reads the answer: one event at `ready` that the parcel can be collected, with code and place;
    /// [`Refusal::NoDataYet`] where there is none.
    fn read_code(
        &self,
        cx: &Cx,
        receiver: &Receiver,
        ready: Timestamp,
        answer: &Answer,
    ) -> Result<Tracked, Refusal>;
}

/// Whose code is asked for.
#[derive(Clone)]
pub struct Receiver {
    /// Yishi's carrier code.
    pub carrier: String,
    /// Normalized tracking number.
    pub number: String,
    /// The whole phone, digits only.
    pub phone: Private<String>,
}

/// A push's word that there is a code to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeReady {
    /// Normalized tracking number.
    pub number: String,
    /// Since when, by the vendor's clock.
    pub since: Option<Timestamp>,
}
