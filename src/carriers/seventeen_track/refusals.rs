//! What 17TRACK's codes ask us to do.
//! Source: api.17track.net (v2.4, error codes); facts/aggregators 3. Must never take an unknown code for success.

use super::NOT_REGISTERED;
use crate::carriers::body::{CURE_ALLOWED_ADDRESS, CURE_CREDENTIALS, CURE_PERMISSION, CURE_QUOTA};
use crate::wire::Refusal;

/// What a number's or a request's code asks us to do.
pub(super) fn refusal(code: i64) -> Refusal {
    match code {
        -18_010_001 => Refusal::FixAccount { cure: CURE_ALLOWED_ADDRESS },
        -18_010_002 => Refusal::FixAccount { cure: CURE_CREDENTIALS },
        -18_010_004 | -18_010_005 | -18_019_912 => Refusal::FixAccount { cure: CURE_PERMISSION },
        -18_019_907 | -18_019_908 => Refusal::FixAccount { cure: CURE_QUOTA },
        -18_010_020 | -18_010_022 => Refusal::NeedPhoneTail,
        -18_019_901 => Refusal::AlreadyDone,
        NOT_REGISTERED => Refusal::NotRegistered,
        -18_019_909 => Refusal::NoDataYet,
        -18_019_903 | -18_019_910 | -18_019_911 => Refusal::WrongCarrier,
        -18_010_012 | -18_010_013 | -18_010_015 => Refusal::BadNumber,
        // -18010003 internal, and whatever is new.
        _ => Refusal::Retry { after: None },
    }
}
