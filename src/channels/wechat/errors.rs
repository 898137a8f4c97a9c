//! What WeChat's `errcode` means, by what to do. Only for official accounts: WeCom reuses numbers with other meanings.
//! Source: the official error table and the clients' own tables, see `docs/channels/wechat.md`.

use crate::wire::{Answer, Cure, Cx, Refusal};
use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp, tz::Offset};
use serde::Deserialize;

/// Day boundaries of WeChat's quotas.
const BEIJING: Offset = Offset::constant(8);

/// What every answer has; success may leave `errcode` out.
#[derive(Deserialize, Default)]
pub struct Status {
    /// 0: well.
    #[serde(default)]
    pub errcode: i64,
    /// In words, ends with a request id.
    #[serde(default)]
    pub errmsg: String,
}

/// The refusal for a code. `None`: it is well.
pub fn refusal(status: &Status, now: Timestamp) -> Option<Refusal> {
    let fix = |cure| Refusal::FixAccount { cure: Cure(cure) };
    Some(match status.errcode {
        0 => return None,
        -1 => Refusal::Retry { after: Some(SignedDuration::from_secs(1)) },
        40001 | 40014 | 41001 | 42001 => Refusal::TokenExpired,
        40002 | 40013 | 41002 => fix("cure-appid"),
        40125 | 41004 | 40243 => fix("cure-appsecret"),
        40164 | 61004 => fix("cure-ip-list"),
        48001 | 50001 | 40200 => fix("cure-permission"),
        48004 | 50002 => fix("cure-account-blocked"),
        40037 => fix("cure-template"),
        // Bad openid, not a follower, in the black list, messages switched off.
        40003 | 43004 | 43019 | 48002 => Refusal::Unreachable,
        43101 => Refusal::ConsentSpent,
        // Outside of 48 hours, or the messages of the window are used up: both open again when the person writes.
        45015 | 45047 => Refusal::WindowShut,
        45009 => Refusal::Throttled { until: quota_end(&status.errmsg, now) },
        45011 => Refusal::Retry { after: Some(SignedDuration::from_secs(60)) },
        // Bad characters, JSON, template value, too long, wrong number of articles: it will not get better.
        _ => Refusal::Unsupported,
    })
}

/// When a used-up quota is full again: the next minute where the words say so, else midnight in Beijing.
fn quota_end(words: &str, now: Timestamp) -> Option<Timestamp> {
    if words.contains("minute") {
        return now.checked_add(SignedDuration::from_secs(60)).ok();
    }
    let tomorrow = BEIJING.to_datetime(now).date().tomorrow().ok()?;
    BEIJING.to_timestamp(tomorrow.to_datetime(Time::midnight())).ok()
}

/// Reads the JSON of an answer, errors first. HTTP status is 200 also for errors; another one comes from a proxy.
pub fn read<T: for<'de> Deserialize<'de>>(cx: &Cx, answer: &Answer) -> Result<T, Refusal> {
    match answer.status {
        // serde would also take an array for a struct.
        200 if super::json::is_json(&answer.body) => {}
        429 | 500..=599 => return Err(Refusal::Retry { after: None }),
        _ => return Err(Refusal::Unreadable),
    }
    let status: Status = serde_json::from_slice(&answer.body).map_err(|_| Refusal::Unreadable)?;
    if let Some(refusal) = refusal(&status, cx.now) {
        return Err(refusal);
    }
    serde_json::from_slice(&answer.body).map_err(|_| Refusal::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(errcode: i64, errmsg: &str) -> Option<Refusal> {
        let now = "2026-03-02T18:30:00Z".parse().unwrap();
        refusal(&Status { errcode, errmsg: errmsg.into() }, now)
    }

    #[test]
    fn codes_say_what_to_do() {
        assert_eq!(of(0, "ok"), None);
        for code in [40001, 40014, 42001] {
            assert_eq!(of(code, ""), Some(Refusal::TokenExpired), "{code}");
        }
        for code in [40003, 43004, 43019, 48002] {
            assert_eq!(of(code, ""), Some(Refusal::Unreachable), "{code}");
        }
        for code in [45015, 45047] {
            assert_eq!(of(code, ""), Some(Refusal::WindowShut), "{code}");
        }
        assert_eq!(of(43101, ""), Some(Refusal::ConsentSpent));
        assert_eq!(of(40164, ""), Some(Refusal::FixAccount { cure: Cure("cure-ip-list") }));
        assert_eq!(of(48001, ""), Some(Refusal::FixAccount { cure: Cure("cure-permission") }));
        assert!(matches!(of(-1, "system error"), Some(Refusal::Retry { after: Some(_) })));
        assert!(matches!(of(45011, ""), Some(Refusal::Retry { after: Some(_) })));
        for code in [40033, 47001, 47003, 45002, 45008, 99_999] {
            assert_eq!(of(code, ""), Some(Refusal::Unsupported), "{code}");
        }
    }

    #[test]
    fn a_daily_quota_is_full_again_at_midnight_in_beijing() {
        // 02:30 on 3 March in Beijing.
        let until = "2026-03-03T16:00:00Z".parse().ok();
        assert_eq!(of(45009, "reach max api daily quota limit rid: 1"), Some(Refusal::Throttled { until }));
        let until = "2026-03-02T18:31:00Z".parse().ok();
        assert_eq!(of(45009, "reach max api minute quota"), Some(Refusal::Throttled { until }));
    }
}
