//! Services that Yishi has no code for: a question by HTTP, an answer in JSON, both described by a recipe (a TOML file).
//! Source: the recipes beside this file name theirs; facts/aggregators 3. Must never call a scan delivered whose code the
//! recipe does not name.

mod recipe;

use super::{Ask, Carrier, CarrierSpec, Step, Tracked, body, header::add_header, names, refine};
use crate::model::{Account, Event, Meaning, Place, Raw, Status, When};
use crate::wire::{Answer, Call, Cx, Method, Refusal, sign};
use recipe::{BUILT_IN, Digest, Recipe, Send, ready};
use serde_json::Value;
use std::borrow::Cow;

/// The codec.
#[derive(Debug)]
pub struct HttpJson;

static SPEC: CarrierSpec = CarrierSpec {
    code: "http-json",
    aggregator: true,
    serves: |carrier| names::by_code(carrier).is_some(),
    secrets: &["key"],
    settings: &["recipe"],
    base_url: "https://v2.alapi.cn",
    needs_phone_tail: |carrier| carrier == "sf",
    batch: 1,
    per_second: 5,
    per_day: 20_000,
    min_interval_secs: 30 * 60,
    per_number_day: 40,
    codes: &[],
    sureness: "whatever the recipe says: `alapi` and `aliyun-kdi` are built in, from public pages and clients, not yet \
               asked live; `recipe = \"own\"` with `recipe_file` is a merchant's own",
};

impl Carrier for HttpJson {
    fn spec(&self) -> &'static CarrierSpec {
        &SPEC
    }

    fn options(&self) -> &'static [&'static str] {
        &["key_id", "recipe_file?"]
    }

    fn mistake(&self, account: &Account) -> Option<(&'static str, String)> {
        match account.setting("recipe", "") {
            // A lint on another machine has the name of the file only.
            "own" if account.secret("recipe_file").is_empty() => None,
            "own" => Recipe::read(account.secret("recipe_file")).err().map(|why| ("recipe_file", why)),
            name if ready(name).is_none() => {
                let known: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
                Some(("recipe", format!("must be \"own\" or one of {}", known.join(", "))))
            }
            _ => None,
        }
    }

    fn track(&self, cx: &Cx, asks: &[Ask]) -> Result<Call, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        if ask.number.is_empty() || ask.number.len() > 50 {
            return Err(Refusal::BadNumber);
        }
        let recipe = recipe(cx)?;
        let carrier = recipe.carrier(&ask.carrier).ok_or(Refusal::Unsupported)?;
        let filled = Filled::new(cx, &recipe, ask, &carrier)?;
        let fields: Vec<(&str, String)> =
            recipe.fields.iter().map(|(name, template)| (name.as_str(), filled.fill(template))).collect();
        let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let url = format!("{}{}", cx.account.setting("base_url", &recipe.base_url), recipe.path);
        let query = || form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        let operation = "http-json.query";
        let mut call = match recipe.send {
            Send::Query => Call::get(operation, format!("{url}?{}", query())),
            Send::Form => Call::form(operation, url, &pairs),
            Send::Json => {
                let body: serde_json::Map<String, Value> =
                    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
                Call::json(operation, url, Value::from(body).to_string().into_bytes())
            }
        };
        if recipe.method == Method::Post {
            call.method = Method::Post;
        }
        let given = recipe.headers.iter().map(|(name, template)| (name.as_str(), filled.fill(template)));
        for (name, value) in given {
            call.headers.push((known_header(name).ok_or_else(wrong)?, value));
        }
        Ok(call)
    }

    fn read_track(&self, cx: &Cx, asks: &[Ask], answer: &Answer) -> Result<Step<Vec<Tracked>>, Refusal> {
        let [ask] = asks else { return Err(Refusal::Unsupported) };
        let recipe = recipe(cx)?;
        if let Some(advice) = recipe.http.get(answer.status.to_string().as_str()) {
            return Err(advice.refusal());
        }
        let said: Value = body::json(answer, cx.now)?;
        let paths = &recipe.answer;
        let code = text(&said, &paths.code).ok_or(Refusal::Unreadable)?;
        if !paths.ok.contains(&code) {
            let refused = recipe.refusals.get(&code).map(|advice| advice.refusal());
            return Err(refused.unwrap_or(Refusal::Retry { after: None }));
        }
        let number = paths.number.as_ref().and_then(|path| text(&said, path));
        // SF's number may come back with the phone tail behind it.
        let own = |number: &String| {
            number.split(':').next().is_some_and(|own| own.eq_ignore_ascii_case(&ask.number))
        };
        if number.as_ref().is_some_and(|number| !own(number)) {
            return Err(Refusal::Unreadable);
        }
        let scans = match at(&said, &paths.scans) {
            Some(Value::Array(scans)) => scans.as_slice(),
            None | Some(Value::Null) => &[],
            Some(Value::String(nothing)) if nothing.is_empty() => &[],
            Some(_) => return Err(Refusal::Unreadable),
        };
        let mut events = Vec::with_capacity(scans.len());
        for scan in scans {
            events.push(event(cx, &recipe, ask, scan)?);
        }
        let courier = [&paths.courier_name, &paths.courier_phone]
            .map(|path| path.as_ref().and_then(|path| text(&said, path)));
        name_courier(&mut events, courier);
        let whole = paths.whole.as_ref().and_then(|path| text(&said, path));
        add_header(&mut events, whole.as_deref(), |code| Some(recipe.whole.get(code)?.0), cx.now);
        Ok(Step::Done(vec![Tracked::of(&ask.carrier, &ask.number, events)]))
    }
}

fn wrong() -> Refusal {
    Refusal::FixAccount { cure: body::CURE_SETTINGS }
}

fn recipe(cx: &Cx) -> Result<Cow<'static, Recipe>, Refusal> {
    match cx.account.setting("recipe", "") {
        "own" => Recipe::read(cx.account.secret("recipe_file")).map(Cow::Owned).map_err(|_| wrong()),
        name => ready(name).map(Cow::Borrowed).ok_or_else(wrong),
    }
}

/// Header names that services ask for; a call carries no others.
fn known_header(name: &str) -> Option<&'static str> {
    const KNOWN: [&str; 8] = [
        "accept",
        "authorization",
        "content-type",
        "x-api-key",
        "x-apikey",
        "x-app-id",
        "x-token",
        "x-ca-nonce",
    ];
    KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

/// The values of the placeholders.
struct Filled<'a>(Vec<(&'static str, Cow<'a, str>)>);

impl<'a> Filled<'a> {
    fn new(cx: &'a Cx, recipe: &Recipe, ask: &'a Ask, carrier: &'a str) -> Result<Self, Refusal> {
        let tail = ask.phone_tail.as_deref().unwrap_or("");
        let written = recipe.numbers.get(&ask.carrier);
        if written.is_some_and(|template| template.contains("{phone_tail}")) && tail.is_empty() {
            return Err(Refusal::NeedPhoneTail);
        }
        let mut filled = Self(vec![
            ("{key}", cx.account.secret("key").into()),
            ("{key_id}", cx.account.setting("key_id", "").into()),
            ("{carrier}", carrier.into()),
            ("{phone_tail}", tail.into()),
            ("{millis}", cx.now.as_millisecond().to_string().into()),
            ("{number}", ask.number.as_str().into()),
        ]);
        if let Some(template) = written {
            let number = filled.fill(template);
            filled.0.retain(|(name, _)| *name != "{number}");
            filled.0.push(("{number}", number.into()));
        }
        if let Some(wanted) = &recipe.sign {
            let text = filled.fill(&wanted.text);
            let signed = match wanted.digest {
                Digest::Md5 => sign::md5_hex(text.as_bytes()),
                Digest::Sha256 => sign::sha256_hex(text.as_bytes()),
            };
            filled.0.push(("{sign}", signed.into()));
        }
        Ok(filled)
    }

    /// One pass over the template: what is filled in is never read as a template.
    fn fill(&self, template: &str) -> String {
        let mut out = String::with_capacity(template.len());
        let mut rest = template;
        while let Some(open) = rest.find('{') {
            out.push_str(&rest[..open]);
            rest = &rest[open..];
            match self.0.iter().find(|(name, _)| rest.starts_with(name)) {
                Some((name, value)) => {
                    out.push_str(value);
                    rest = &rest[name.len()..];
                }
                None => {
                    out.push('{');
                    rest = &rest[1..];
                }
            }
        }
        out.push_str(rest);
        out
    }
}

/// What stands at a path of names (or positions) joined by dots.
fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, name| match value {
        Value::Array(list) => list.get(name.parse::<usize>().ok()?),
        _ => value.get(name),
    })
}

/// A text or a number as text; nothing where it is empty.
fn text(value: &Value, path: &str) -> Option<String> {
    match at(value, path)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn event(cx: &Cx, recipe: &Recipe, ask: &Ask, scan: &Value) -> Result<Event, Refusal> {
    let paths = &recipe.answer;
    let time = text(scan, &paths.time).ok_or(Refusal::Unreadable)?;
    let time = When::parse(&time, recipe.zone).unwrap_or_default();
    let code = paths.scan_code.as_ref().and_then(|path| text(scan, path));
    let known = code.as_ref().and_then(|code| recipe.statuses.get(code)).map(|word| word.0);
    let raw = Raw { code, status: None, description: text(scan, &paths.text) };
    let meaning = known.unwrap_or(Meaning::UNMAPPED);
    let mut event = Event::new(&ask.carrier, &ask.number, SPEC.code, time, meaning, raw, cx.now);
    let place = paths.place.as_ref().and_then(|path| text(scan, path));
    event.place = Place { text: place, ..Place::default() };
    Ok(refine(event))
}

/// The courier that stands beside the scans belongs to the newest delivery round.
fn name_courier(events: &mut [Event], [name, phone]: [Option<String>; 2]) {
    let rounds = events.iter_mut().filter(|event| event.status == Status::OutForDelivery);
    if let Some(event) = rounds.max_by_key(|event| event.time.utc) {
        event.courier.name = event.courier.name.take().or(name);
        event.courier.phone = event.courier.phone.take().or(phone);
    }
}

#[cfg(test)]
#[path = "http_json_tests.rs"]
mod tests;
