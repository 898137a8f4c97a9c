//! Every sentence that Yishi may say, and the words that each may use: what a merchant's template is checked against.
//! Must never hold wording: that stands in `locales/`.

use crate::model::status::{Reason, Status, Sub};
use crate::model::when::CHINA;
use crate::model::{Arg, Eta, EtaPrecision, EtaSource, Line, Scan, TroubleKind, When, ZoneSource};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// One variable of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name, without `$`.
    pub name: &'static str,
    /// Whether a sentence without it would be useless (a pickup code that is not said).
    pub required: bool,
}

/// One sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The message's id in `locales/<lang>/*.ftl`.
    pub name: String,
    /// What it may use.
    pub variables: Vec<Variable>,
}

/// `key key: argument required! argument`, one line for keys with the same arguments.
/// Families (`status-*`, …) are added by [`KEYS`]; `carrier-<code>` and `answer-<name>` are open, see [`find`].
const TABLE: &str = "
name-item: title!
name-item-more: title! more
name-order: order!
name-number: carrier number!
name-part: parcel!
name-part-number name-with-number: parcel! number!

eta-known eta-today eta-passed: eta!
eta-unknown
pickup-code: code!
pickup-place: place!
pickup-code-place: code! place!
courier: name phone!
courier-phone: phone!
signed-by: who!
fresh fresh-stale: age! source
fresh-never: carrier

order-parcels: parcel delivered! total!
order-parcel-line: position status! at number
order-parcel-line-unknown: position number
order-and-others: more
label-more

when-ship-waiting: parcel! paid_at
when-ship-waiting-plain: parcel!
when-ship-by when-ship-late: ship_by! parcel
when-ship-shipped: parcel! at
when-ship-general
order-closed order-refunding order-unpaid: parcel!

choose-order choose-other choose-parcel choose-quick
choice-order: title! status
choice-order-plain: order! status
choice-order-number: order!
choice-parcel: position! status
choice-human choice-yes choice-no choice-track choice-list choice-delete choice-keep choice-unbind-all

ask-order ask-order-number ask-which-number
ask-phone-tail: number
verify-done: parcel
verify-refused verify-too-many verify-link-needed
bindings-list: count
binding-line: position! parcel! order
unbind-which unbind-done unbind-none
unbind-all-done: count

greeting joined: shop
thanks other other-again unreadable too-long
human-waiting human-still-waiting human-timeout human-back
stop-done stop-some stop-some-undo resume-done
notice-group-moving notice-group-delivery notice-group-arrival notice-group-trouble
delete-confirm delete-done delete-kept
language-ask language-set language-choice-zh-cn language-choice-zh-tw language-choice-en

not-received-delivered: parcel! at
not-received-moving: parcel!
not-received-advice not-received-noted not-received-more
not-received-locker not-received-collected not-received-neighbour not-received-left not-received-other
not-received-place: place!
not-received-wait: until!
change-address-waiting change-address-final: parcel!
change-address-moving: parcel! carrier hotline
change-address-general
urge-moving urge-waiting urge-final: parcel!
intercept-moving: parcel! carrier
intercept-waiting intercept-final: parcel!
return-running return-none return-parcel-returning: parcel!
return-general fee-general
delayed-sorry delayed-waiting: parcel!
stuck-sorry: parcel! age
stuck-noted

notice-shipped: parcel! carrier! number!
notice-collected: parcel! carrier at
notice-out-for-delivery notice-returning notice-returned notice-corrected: parcel! at
notice-ready-for-pickup notice-delivered notice-exception notice-answered: parcel! status! at
notice-unanswered: parcel! carrier number
notice-attempt-failed notice-moving-again: parcel! at scan
notice-delayed: parcel! eta!
notice-stalled: parcel! at
notice-shipped-next notice-delayed-next notice-stalled-next notice-unanswered-next

alert-new alert-cleared alert-digest: shop! count!
alert-line: trouble! carrier number! order place
alert-cleared-line: trouble! carrier number! order status!
alert-more: count!
alert-digest-line: trouble! count!
alert-test: shop

list-intro: count
list-line: position! parcel! status
list-line-waiting: position! parcel!
list-none
list-more: more

no-answer: carrier number
number-unknown number-bad: number!
number-need-tail: carrier number
pending-expired busy

scan-place: status! place!
status-at: status! at!
status-not-shipped

time-moment-today time-moment-yesterday time-moment-tomorrow: clock!
time-moment-date: month month-name day! clock!
time-moment-year: year! month month-name day! clock
time-day-today time-day-yesterday time-day-tomorrow time-day-before-yesterday time-day-after-tomorrow: weekday month month-name day
time-day-week: weekday month month-name day
time-day-date: month month-name day!
time-day-year: year! month month-name day!
time-age-now
time-age-minutes time-age-hours time-age-days: count
time-eta-days: from! to!
time-eta-window: day! from! to!
time-eta-time: day! clock!
time-weekday-1 time-weekday-2 time-weekday-3 time-weekday-4 time-weekday-5 time-weekday-6 time-weekday-7
time-month-1 time-month-2 time-month-3 time-month-4 time-month-5 time-month-6
time-month-7 time-month-8 time-month-9 time-month-10 time-month-11 time-month-12

command-start command-track command-eta command-list command-human
command-language command-stop command-resume command-delete command-help

chat-title chat-greeting: shop
chat-placeholder chat-send chat-sending chat-failed chat-retry chat-connecting chat-offline chat-launcher
chat-launcher-unread: count
chat-close chat-privacy chat-quick-track chat-quick-eta chat-quick-list chat-quick-human chat-today chat-timeline
chat-timeline-more: count
chat-timeline-less chat-copy chat-copied chat-bot chat-you chat-staff chat-new-messages

exception-incident: carrier! place! count!

cure-signature cure-not-authorized cure-quota-spent cure-carrier-code cure-ip-list cure-settings cure-token
cure-credentials cure-permission cure-quota cure-allowed-address cure-appid cure-appsecret cure-aes-key
cure-order cure-order-address cure-order-phone cure-order-goods cure-order-collected
cure-account-blocked cure-template cure-polling-conflict cure-robot-keyword cure-robot-sign cure-robot-address
cure-mail-login cure-mail-refused
";

/// What each `track-<status>` may use.
const TRACK: &[&str] = &["parcel!", "carrier", "number", "at", "scan", "status"];

/// Variables whose text may be missing: a template asks with `{ $hotline -> [none] … *[other] … }`.
pub const OPTIONAL: &[&str] = &["hotline", "at"];

/// Every fixed key by name.
pub static KEYS: LazyLock<BTreeMap<String, Key>> = LazyLock::new(|| {
    let mut keys = BTreeMap::new();
    let mut add = |name: String, variables: &[&'static str]| {
        let variables = variables
            .iter()
            .map(|text| Variable { name: text.trim_end_matches('!'), required: text.ends_with('!') })
            .collect();
        keys.insert(name.clone(), Key { name, variables });
    };
    for line in TABLE.lines() {
        let (names, variables) = line.split_once(':').unwrap_or((line, ""));
        let variables: Vec<&'static str> = variables.split_whitespace().collect();
        for name in names.split_whitespace() {
            add(name.to_owned(), &variables);
        }
    }
    for status in Status::ALL {
        let name = dashes(status.name());
        add(format!("track-{name}"), TRACK);
        add(format!("next-{name}"), &[]);
        add(format!("status-{name}"), &[]);
    }
    for reason in Reason::ALL {
        let name = dashes(reason.name());
        add(format!("advice-{name}"), &[]);
        add(format!("reason-{name}"), &[]);
    }
    for kind in TroubleKind::ALL {
        let name = dashes(kind.name());
        add(format!("exception-{name}"), &[]);
        add(format!("exception-{name}-cause"), &["age"]);
        add(format!("exception-{name}-todo"), &[]);
    }
    for sub in Sub::ALL {
        add(format!("sub-{}", dashes(sub.name())), &[]);
    }
    keys
});

/// `in_transit` → `in-transit`.
pub(super) fn dashes(name: &str) -> String {
    name.replace('_', "-")
}

/// The variables of a key; none where no sentence has this name.
/// `carrier-<code>` names a carrier; `answer-<name>` is the answer of a merchant's own intent.
pub fn find(name: &str) -> Option<Vec<Variable>> {
    if let Some(key) = KEYS.get(name) {
        return Some(key.variables.clone());
    }
    let rest = |prefix: &str| name.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty());
    if rest("answer-") {
        return Some(vec![Variable { name: "shop", required: false }]);
    }
    rest("carrier-").then(Vec::new)
}

/// A sample value for a variable, as long as real ones get: for lint, preview and tests.
pub fn sample(variable: &str, now: Timestamp) -> Arg {
    let ago = |minutes: i64| now - SignedDuration::from_mins(minutes);
    match variable {
        "parcel" => Arg::Line(Box::new(
            Line::new("name-item")
                .with("title", Arg::Text("加厚全棉四件套 纯色水洗棉被套床单 1.8米床（雾霾蓝）".into())),
        )),
        "title" => Arg::Text("加厚全棉四件套 纯色水洗棉被套床单 1.8米床（雾霾蓝）".into()),
        "order" => Arg::Text("2603021847502993118".into()),
        "number" => Arg::Text("SF0000000000018".into()),
        "code" => Arg::Text("6-2-1034".into()),
        "place" => Arg::Text("翠园小区东门 12 号楼架空层菜鸟驿站".into()),
        "name" | "who" => Arg::Text("李师傅".into()),
        "phone" => Arg::Text("13800000000".into()),
        "hotline" => Arg::Text("95338".into()),
        "shop" => Arg::Text("演示小店".into()),
        "carrier" | "source" => Arg::Carrier("sf".into()),
        "status" => Arg::Status(Status::InTransit, Some(Sub::ArrivedHub), None),
        "scan" => Arg::Scan(Box::new(sample_scan(ago(40)))),
        "at" => Arg::Moment(ago(40)),
        "until" => Arg::Moment(ago(-60 * 20)),
        "paid_at" => Arg::Moment(ago(60 * 26)),
        "ship_by" => Arg::Day(ago(-60 * 24 * 4)),
        "age" => Arg::Age(ago(6)),
        "eta" => Arg::Eta(Eta {
            from: ago(-60 * 24 * 4),
            to: ago(-60 * 24 * 4 - 240),
            source: EtaSource::Carrier,
            precision: EtaPrecision::Window,
        }),
        "delivered" => Arg::Number(1),
        "total" | "more" | "count" | "position" => Arg::Number(3),
        "clock" | "from" | "to" => Arg::Text("09:14".into()),
        other => Arg::Text(other.to_owned()),
    }
}

/// The sentence with a sample for each of its variables.
pub fn sample_line(name: &str, now: Timestamp) -> Line {
    let variables = find(name).unwrap_or_default();
    variables.into_iter().fold(Line::new(name), |line, variable| {
        let value = sample(variable.name, now);
        line.with(variable.name, value)
    })
}

/// A scan as Chinese carriers write them.
pub fn sample_scan(at: Timestamp) -> Scan {
    Scan {
        time: When::at(at, CHINA, ZoneSource::CarrierDefault),
        status: Status::InTransit,
        sub: Some(Sub::ArrivedHub),
        reason: None,
        description: "快件到达【深圳宝安转运中心】，准备发往【深圳南山科技园营业点】".into(),
        place: Some("深圳宝安转运中心".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_every_family() {
        assert!(KEYS["pickup-code"].variables[0].required);
        for name in ["track-in-transit", "next-ready-for-pickup", "advice-customs-hold", "sub-locker-signed"]
        {
            assert!(KEYS.contains_key(name), "{name}");
        }
        assert_eq!(find("answer-invoice").unwrap()[0].name, "shop");
        assert_eq!(find("carrier-sf"), Some(Vec::new()));
        assert_eq!(find("carrier-"), None);
        assert_eq!(find("no-such-key"), None);
    }
}
