//! A number that was registered at 17TRACK under the wrong carrier is changed there.
//! Source: api.17track.net (v2.4, `changecarrier`); facts/aggregators 3. Must never be asked again where 17TRACK cannot.

use super::refusals::refusal;
use super::{Rejected, Said, SeventeenTrack, number_of, post};
use crate::carriers::{Enrolled, body};
use crate::wire::{Answer, Call, Cx, Refusal};
use serde::Serialize;

/// `changecarrier`: the number keeps its place and its credit.
impl Enrolled for SeventeenTrack {
    fn change_carrier(&self, cx: &Cx, number: &str, from: &str, to: &str) -> Result<Call, Refusal> {
        let key = |carrier: &str| number_of(carrier).ok_or(Refusal::Unsupported);
        let change = Change { number, carrier_old: key(from)?, carrier_new: key(to)? };
        post(cx, "seventeen-track.change_carrier", "changecarrier", &[change])
    }

    fn read_changed(&self, cx: &Cx, number: &str, answer: &Answer) -> Result<(), Refusal> {
        let data = body::json::<Said>(answer, cx.now)?.data()?;
        let is_this = |one: &Rejected| one.number.as_ref().is_some_and(|of| of.eq_ignore_ascii_case(number));
        match data.rejected.iter().find(|one| is_this(one)).map(Rejected::code) {
            // Which of them means what is not known; none of them goes away by asking again.
            Some(-18_019_811..=-18_019_801) => Err(Refusal::Unsupported),
            Some(code) => Err(refusal(code)),
            None if data.accepted.iter().any(|one| one.is_about(number)) => Ok(()),
            None => Err(Refusal::Unreadable),
        }
    }
}

#[derive(Serialize)]
struct Change<'a> {
    number: &'a str,
    carrier_old: u32,
    carrier_new: u32,
}
