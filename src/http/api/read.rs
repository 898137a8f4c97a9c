//! Reads what a shop's system sends, as leniently as is safe: several names for a field, text or whole numbers for
//! ids, times with or without a zone. Must never guess a number that JSON has rounded, nor echo a value back.

use super::Caller;
use super::parcels::carrier_of;
use crate::carriers::recognize::normalize_number;
use crate::http::problem::Problem;
use crate::model::order::{Buyer, Item, Order, OrderStatus, Shipment};
use crate::model::{ChatAddress, Private, When};
use crate::text::normalize::fold_width;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use serde_json::{Map, Value};

/// Whole numbers up to here survive every JSON reader: 2^53.
const EXACT: u64 = 1 << 53;
const ITEMS: usize = 100;
const SHIPMENTS: usize = 50;
const CHATS: usize = 10;

/// One JSON object and where it stands in the body, for pointers.
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    at: String,
}

impl<'a> Fields<'a> {
    pub(super) fn new(value: &'a Value, at: impl Into<String>) -> Result<Self, Problem> {
        let at = at.into();
        match value {
            Value::Object(map) => Ok(Self { map, at }),
            _ => Err(Problem::field(&at, "a JSON object is needed here")),
        }
    }

    /// The order itself, in or out of the wrapper `{"event","source","order":{…}}`.
    pub(super) fn unwrapped(self) -> Result<(Self, Option<String>), Problem> {
        match self.map.get("order") {
            Some(inner @ Value::Object(_)) => {
                let source = self.text(&["source"], 64)?;
                Ok((Self::new(inner, format!("{}/order", self.at))?, source))
            }
            _ => Ok((self, None)),
        }
    }

    /// JSON pointer of a member.
    pub(super) fn pointer(&self, name: &str) -> String {
        format!("{}/{name}", self.at)
    }

    fn find(&self, names: &[&'a str]) -> Option<(&'a str, &'a Value)> {
        names.iter().find_map(|name| Some((*name, self.map.get(*name).filter(|value| !value.is_null())?)))
    }

    /// Text, or a whole number as text; without control characters and outer white space; never empty.
    pub(super) fn text(&self, names: &[&'a str], longest: usize) -> Result<Option<String>, Problem> {
        let Some((name, value)) = self.find(names) else { return Ok(None) };
        let text = match value {
            Value::String(text) => text.chars().filter(|c| !c.is_control()).collect::<String>(),
            Value::Number(number) => match number.as_i64().filter(|n| n.unsigned_abs() <= EXACT) {
                Some(whole) => whole.to_string(),
                None => {
                    let rule = "a text: numbers above 2^53 and fractions lose digits in JSON";
                    return Err(Problem::field(&self.pointer(name), rule));
                }
            },
            _ => return Err(Problem::field(&self.pointer(name), "a text or a whole number")),
        };
        let text = text.trim();
        if text.chars().count() > longest {
            return Err(Problem::field(&self.pointer(name), format!("at most {longest} characters")));
        }
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    /// The same where it must be there.
    pub(super) fn needed(&self, names: &[&'a str], longest: usize) -> Result<String, Problem> {
        let name = names.first().copied().unwrap_or_default();
        self.text(names, longest)?
            .ok_or_else(|| Problem::field(&self.pointer(name), format!("1 to {longest} characters")))
    }

    pub(super) fn time(&self, name: &'a str, zone: &TimeZone) -> Result<Option<Timestamp>, Problem> {
        let Some(text) = self.text(&[name], 64)? else { return Ok(None) };
        let rule = "a time as RFC 3339, or YYYY-MM-DD HH:MM:SS in the shop's zone";
        instant(&text, zone).map(Some).ok_or_else(|| Problem::field(&self.pointer(name), rule))
    }

    /// A whole number within bounds.
    pub(super) fn number(&self, name: &'a str, least: u32, most: u32) -> Result<Option<u32>, Problem> {
        let Some(text) = self.text(&[name], 10)? else { return Ok(None) };
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        let rule = format!("a whole number from {least} to {most}");
        number.map(Some).ok_or_else(|| Problem::field(&self.pointer(name), rule))
    }

    /// `true` or `false`; left out, it is not so.
    pub(super) fn flag(&self, name: &'a str) -> Result<bool, Problem> {
        match self.find(&[name]) {
            None => Ok(false),
            Some((_, Value::Bool(flag))) => Ok(*flag),
            Some(_) => Err(Problem::field(&self.pointer(name), "true or false")),
        }
    }

    /// An object that must be there.
    pub(super) fn object(&self, name: &'a str) -> Result<Self, Problem> {
        let value = self.find(&[name]).map_or(&Value::Null, |(_, value)| value);
        Self::new(value, self.pointer(name))
    }

    pub(super) fn list(&self, name: &'a str, most: usize) -> Result<Vec<Self>, Problem> {
        let Some((_, value)) = self.find(&[name]) else { return Ok(Vec::new()) };
        let at = self.pointer(name);
        match value {
            Value::Array(values) if values.len() <= most => values
                .iter()
                .enumerate()
                .map(|(index, value)| Self::new(value, format!("{at}/{index}")))
                .collect(),
            _ => Err(Problem::field(&at, format!("an array of at most {most} objects"))),
        }
    }
}

fn instant(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let when = When::parse(text, None)?;
    when.utc.or_else(|| {
        let local: civil::DateTime = if when.is_day() {
            when.local.parse::<civil::Date>().ok()?.to_datetime(civil::Time::midnight())
        } else {
            when.local.parse().ok()?
        };
        zone.to_timestamp(local).ok()
    })
}

/// The order's number, which must be that of the path where there is one.
pub(super) fn order_no(fields: &Fields, path: Option<&str>) -> Result<String, Problem> {
    let given = fields.text(&["order_no", "no"], 64)?;
    let rule = "the order's number, 1 to 64 characters, the same as in the path";
    match (given, path) {
        (Some(given), Some(path)) if !given.eq_ignore_ascii_case(path) => {}
        (Some(given), _) => return Ok(given),
        (None, Some(path)) if is_order_no(path) => return Ok(path.to_owned()),
        _ => {}
    }
    Err(Problem::field(&fields.pointer("order_no"), rule))
}

fn is_order_no(text: &str) -> bool {
    text.trim() == text && (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// Reads one order; `old` is what is stored of it, and fills what was left out and cannot be told apart later.
pub(super) fn order(
    caller: &Caller,
    fields: &Fields,
    no: String,
    source: Option<String>,
    old: Option<&Order>,
) -> Result<Order, Problem> {
    let zone = &caller.shop.zone;
    let shipments = shipments(caller, fields, old)?;
    let status = match fields.text(&["status"], 64)? {
        Some(name) => status(&name).ok_or_else(|| {
            let names =
                "created, paid, partially_shipped, shipped, delivered, completed, closed or refunding";
            Problem::field(&fields.pointer("status"), names)
        })?,
        None => match old {
            Some(old) => old.status,
            None if shipments.is_empty() => OrderStatus::Paid,
            None => OrderStatus::Shipped,
        },
    };
    let refund = match fields.map.get("refund") {
        Some(_) => fields.text(&["refund"], 64)?,
        None => old.and_then(|old| old.refund.clone()),
    };
    Ok(Order {
        no,
        status,
        updated_at: fields.time("updated_at", zone)?,
        created_at: fields.time("created_at", zone)?,
        paid_at: fields.time("paid_at", zone)?,
        ship_by: fields.time("ship_by", zone)?,
        buyer: buyer(caller, fields, old)?,
        items: items(fields)?,
        shipments,
        platform: fields
            .text(&["platform", "source"], 64)?
            .or(source)
            .or_else(|| old.is_none().then(|| "rest".to_owned())),
        refund,
    })
}

fn status(name: &str) -> Option<OrderStatus> {
    serde_json::from_value(Value::String(name.to_ascii_lowercase())).ok()
}

fn items(fields: &Fields) -> Result<Vec<Item>, Problem> {
    let read = |item: Fields| {
        let quantity = item.text(&["qty", "quantity"], 16)?;
        let qty = quantity.map_or(Some(1), |text| text.parse().ok().filter(|qty| *qty <= 1_000_000));
        Ok(Item {
            title: item.text(&["title", "name"], 300)?.unwrap_or_default(),
            sku: item.text(&["sku"], 128)?,
            qty: qty.ok_or_else(|| Problem::field(&item.pointer("qty"), "a whole number up to 1000000"))?,
        })
    };
    fields.list("items", ITEMS)?.into_iter().map(read).collect()
}

fn shipments(caller: &Caller, fields: &Fields, old: Option<&Order>) -> Result<Vec<Shipment>, Problem> {
    let mut shipments: Vec<Shipment> = Vec::new();
    for given in fields.list("shipments", SHIPMENTS)? {
        let (carrier, number) = parcel(caller, &given, &["tracking_no", "number"], old)?;
        if shipments.iter().any(|known| known.number == number) {
            return Err(Problem::field(&given.pointer("tracking_no"), "each number once"));
        }
        let shipped_at = given.time("shipped_at", &caller.shop.zone)?;
        shipments.push(Shipment { carrier, number, shipped_at, items: items(&given)? });
    }
    Ok(shipments)
}

/// Carrier and number of one parcel: as named, as known, or as the number itself says.
pub(super) fn parcel<'a>(
    caller: &Caller,
    fields: &Fields<'a>,
    names: &[&'a str],
    old: Option<&Order>,
) -> Result<(String, String), Problem> {
    let number = normalize_number(&fields.needed(names, 64)?);
    let plain = number.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !plain || !(6..=48).contains(&number.len()) {
        let name = names.first().copied().unwrap_or_default();
        return Err(Problem::field(&fields.pointer(name), "a tracking number: 6 to 48 letters and digits"));
    }
    let named = fields.text(&["carrier"], 64)?;
    let known = || {
        let mut shipments = old.map(|old| old.shipments.iter()).unwrap_or_default();
        shipments.find(|known| known.number.eq_ignore_ascii_case(&number)).map(|known| known.carrier.clone())
    };
    let carrier = match &named {
        None => known().or_else(|| carrier_of(caller, None, &number)),
        Some(named) => carrier_of(caller, Some(named), &number),
    };
    let rule = "a carrier's code or name; it can be left out only where the number tells the carrier";
    Ok((carrier.ok_or_else(|| Problem::field(&fields.pointer("carrier"), rule))?, number))
}

fn buyer(caller: &Caller, fields: &Fields, old: Option<&Order>) -> Result<Buyer, Problem> {
    let Some((_, value)) = fields.find(&["buyer"]) else { return Ok(Buyer::default()) };
    let fields = Fields::new(value, fields.pointer("buyer"))?;
    let (phone, tail) = match fields.text(&["phone"], 40)? {
        Some(text) => phone(&text).ok_or_else(|| {
            Problem::field(&fields.pointer("phone"), "a phone number, whole or masked in the middle")
        })?,
        None => (None, None),
    };
    let last4 = match fields.text(&["phone_last4"], 8)? {
        // A number has lost its leading zeros.
        Some(text) if text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(format!("{text:0>4}"))
        }
        Some(_) => return Err(Problem::field(&fields.pointer("phone_last4"), "four digits")),
        None => None,
    };
    let before = old.and_then(|old| old.buyer.name.as_ref());
    let whole = |name: &str| !name.contains('*');
    let name = fields.text(&["name", "name_masked"], 100)?;
    // What we masked ourselves may come back: it is not better than what we have.
    let name = name.filter(|name| whole(name) || !before.is_some_and(|before| whole(before.reveal())));
    Ok(Buyer {
        external_id: fields.text(&["external_id"], 128)?,
        name: name.map(Private::new),
        phone: phone.map(Private::new),
        phone_last4: last4.or(tail).map(Private::new),
        address: fields.text(&["address"], 300)?.map(Private::new),
        chat: fields
            .list("chat", CHATS)?
            .iter()
            .map(|chat| own_chat(caller, chat))
            .collect::<Result<_, _>>()?,
    })
}

/// A chat at an account of this very shop.
fn own_chat(caller: &Caller, fields: &Fields) -> Result<ChatAddress, Problem> {
    let address = chat(fields)?;
    if is_own(caller, &address) {
        return Ok(address);
    }
    Err(Problem::field(&fields.pointer("account"), "kind and account of one of this shop's channels"))
}

/// Whether the chat's account serves this shop.
pub(super) fn is_own(caller: &Caller, address: &ChatAddress) -> bool {
    let account = caller.intake.account(&address.kind, &address.account);
    account.is_some_and(|account| account.shop.as_deref() == Some(caller.shop.id.as_str()))
}

/// `{"kind","account","id"}`.
pub(super) fn chat(fields: &Fields) -> Result<ChatAddress, Problem> {
    Ok(ChatAddress {
        kind: fields.needed(&["kind"], 32)?,
        account: fields.needed(&["account"], 128)?,
        id: Private::new(fields.needed(&["id"], 128)?),
    })
}

/// A phone as digits without China's country code, and its last four; of a masked one only those.
pub(super) fn phone(text: &str) -> Option<(Option<String>, Option<String>)> {
    let text = fold_width(text);
    let tail = |digits: &str| digits.get(digits.len().checked_sub(4)?..).map(str::to_owned);
    if let Some((_, end)) = text.rsplit_once('*') {
        let end: String = end.chars().filter(char::is_ascii_digit).collect();
        return Some((None, tail(&end).filter(|_| end.len() == 4)));
    }
    let allowed = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | ' ' | '(' | ')' | '.' | ',' | '#');
    if !text.chars().all(allowed) {
        return None;
    }
    let plus = text.trim_start().starts_with('+');
    // A privacy number of a platform: the extension after the mobile number is not part of it.
    let main = text.split(['-', ',', '#']).next().unwrap_or("");
    let count = main.chars().filter(char::is_ascii_digit).count();
    let from = if count >= 11 { main } else { text.as_str() };
    let digits: String = from.chars().filter(char::is_ascii_digit).collect();
    let local = digits.strip_prefix("0086").or_else(|| digits.strip_prefix("86"));
    let digits = local.filter(|local| plus || local.len() == 11).unwrap_or(&digits);
    (7..=15).contains(&digits.len()).then(|| (Some(digits.to_owned()), tail(digits)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_phone_is_read_whole_or_masked() {
        let read = |text: &str| phone(text).unwrap();
        let whole = (Some("13812345678".to_owned()), Some("5678".to_owned()));
        for text in [
            "13812345678",
            "+86 138-1234-5678",
            "0086 13812345678",
            "138 1234 5678",
            "１３８１２３４５６７８",
        ] {
            assert_eq!(read(text), whole, "{text}");
        }
        assert_eq!(read("18877771111-123").0.as_deref(), Some("18877771111"));
        assert_eq!(read("0571-88886666").0.as_deref(), Some("057188886666"));
        assert_eq!(read("138****5678"), (None, Some("5678".into())));
        assert_eq!(read("1381234****"), (None, None));
        for text in ["", "12", "call me", "1234567890123456"] {
            assert_eq!(phone(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_without_zone_is_the_shop_s() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let expected: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        for text in ["2026-03-01T08:00:00+08:00", "2026-03-01 08:00:00", "2026-03-01T00:00:00Z", "1772323200"]
        {
            assert_eq!(instant(text, &zone), Some(expected), "{text}");
        }
        assert_eq!(instant("2026-03-01", &zone), Some("2026-02-28T16:00:00Z".parse().unwrap()));
        assert_eq!(instant("soon", &zone), None);
    }

    #[test]
    fn rounded_numbers_are_refused_and_small_ones_are_text() {
        let body = json!({"small": 42, "edge": EXACT, "large": EXACT + 1, "part": 1.5, "list": []});
        let fields = Fields::new(&body, "").unwrap();
        assert_eq!(fields.text(&["small"], 9).unwrap().as_deref(), Some("42"));
        assert_eq!(fields.text(&["edge"], 19).unwrap().as_deref(), Some("9007199254740992"));
        for name in ["large", "part", "list"] {
            let problem = fields.text(&[name], 64).unwrap_err().to_json();
            assert_eq!(problem["errors"][0]["pointer"], format!("#/{name}"));
        }
        let huge: Value = serde_json::from_str(r#"{"no": 123456789012345678901234567890}"#).unwrap();
        assert!(order_no(&Fields::new(&huge, "").unwrap(), None).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = phone(&text);
            let _ = instant(&text, &TimeZone::UTC);
        }
    }
}
