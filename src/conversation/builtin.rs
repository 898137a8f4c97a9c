//! The intents that come with Yishi, built into the binary; a folder `intents/` on disk is read instead where it is.

use super::intents::{self, Intent};
use crate::model::Problem;

/// Path and text of every built-in intent file.
pub const FILES: &[(&str, &str)] = &[
    ("intents/track.toml", include_str!("../../intents/track.toml")),
    ("intents/when_ship.toml", include_str!("../../intents/when_ship.toml")),
    ("intents/eta.toml", include_str!("../../intents/eta.toml")),
    ("intents/delayed.toml", include_str!("../../intents/delayed.toml")),
    ("intents/stuck.toml", include_str!("../../intents/stuck.toml")),
    ("intents/not_received.toml", include_str!("../../intents/not_received.toml")),
    ("intents/change_address.toml", include_str!("../../intents/change_address.toml")),
    ("intents/urge.toml", include_str!("../../intents/urge.toml")),
    ("intents/intercept.toml", include_str!("../../intents/intercept.toml")),
    ("intents/return_status.toml", include_str!("../../intents/return_status.toml")),
    ("intents/list_orders.toml", include_str!("../../intents/list_orders.toml")),
    ("intents/fee.toml", include_str!("../../intents/fee.toml")),
    ("intents/human.toml", include_str!("../../intents/human.toml")),
    ("intents/verify.toml", include_str!("../../intents/verify.toml")),
    ("intents/stop_notifications.toml", include_str!("../../intents/stop_notifications.toml")),
    ("intents/resume_notifications.toml", include_str!("../../intents/resume_notifications.toml")),
    ("intents/delete_my_data.toml", include_str!("../../intents/delete_my_data.toml")),
    ("intents/language.toml", include_str!("../../intents/language.toml")),
    ("intents/greeting.toml", include_str!("../../intents/greeting.toml")),
    ("intents/thanks.toml", include_str!("../../intents/thanks.toml")),
    ("intents/other.toml", include_str!("../../intents/other.toml")),
];

/// The built-in intents. The problems are those of the files as built in; a test keeps them empty.
pub fn builtin() -> Result<Vec<Intent>, Vec<Problem>> {
    intents::load(FILES.iter().copied())
}
