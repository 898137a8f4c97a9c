//! Kuaidi100's subscription (订阅) and push: it watches a number and sends its whole history at each change.
//! Source: api.kuaidi100.com/document (subscribe and push); facts/aggregators 1.6 and 1.7. Must never believe news
//! without a signature, nor subscribe with an empty salt.

use super::pickup_code::{self, Flag};
use super::{Kuaidi100, SPEC, Said, com_of, needs_phone_tail};
use crate::carriers::body::{self, CURE_CREDENTIALS, CURE_SETTINGS};
use crate::carriers::{Ask, News, Push, Recognition, Subscription, Told, Watch, names};
use crate::wire::{Answer, Call, Cx, Proof, Refusal, Reply, Request, Unverified, Verified, sign};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// "The same (company, number) can be subscribed at most 4 times a month."
const PER_NUMBER_MONTH: u16 = 4;

impl Push for Kuaidi100 {
    fn verify(&self, cx: &Cx, request: &Request) -> Result<Verified, Unverified> {
        // The flag of a pickup code is JSON and carries no signature: it is taken for what it is, and no more.
        if pickup_code::is_wanted(cx)
            && let Some(flag) = Flag::of(&request.body)
        {
            return Ok(Verified::new(flag.payload(), Proof::secret_path()));
        }
        let salt = cx.account.secret("salt");
        let field = |name: &str| -> Option<Cow<'_, str>> {
            form_urlencoded::parse(&request.body).find(|(key, _)| key == name).map(|(_, value)| value)
        };
        let (param, signed) =
            (field("param").ok_or(Unverified::Malformed)?, field("sign").unwrap_or_default());
        let expected = sign::md5_hex_upper([param.as_ref(), salt].concat().as_bytes());
        let proof = sign::matches(expected.as_bytes(), signed.to_ascii_uppercase().as_bytes());
        // A push is signed even under an empty salt; anybody could do that.
        let proof = proof.filter(|_| !salt.is_empty()).ok_or(Unverified::BadSignature)?;
        Ok(Verified::new(param.into_owned().into_bytes(), proof))
    }

    fn read(&self, cx: &Cx, payload: &[u8]) -> Result<Told, Refusal> {
        if let Some(flag) = Flag::of(payload) {
            return Ok(Told { codes: flag.ready().into_iter().collect(), ..Told::default() });
        }
        let pushed: Pushed = serde_json::from_slice(payload).map_err(|_| Refusal::Unreadable)?;
        let result = pushed.result.ok_or(Refusal::Unreadable)?;
        let number = result.nu.clone().ok_or(Refusal::Unreadable)?;
        let code = |com: &Option<String>| {
            com.as_deref().and_then(names::by_kuaidi100).map(|carrier| carrier.code.to_owned())
        };
        let told = code(&result.com);
        let (old, new) = (code(&pushed.com_old), code(&pushed.com_new));
        let corrected = new.filter(|new| Some(new) != old.as_ref());
        let carrier = corrected.clone().or(told.clone()).ok_or(Refusal::Unreadable)?;
        let ask = Ask { carrier: carrier.clone(), number: number.to_ascii_uppercase(), phone_tail: None };
        let mut tracked = result.tracked(&ask, cx.now);
        carrier.clone_into(&mut tracked.carrier);
        // An international parcel's far end comes beside it.
        if let Some(abroad) = pushed.abroad {
            tracked.events.extend(abroad.tracked(&ask, cx.now).events);
        }
        let watch = match pushed.status.as_deref() {
            Some("shutdown") => Watch::Ended,
            // Given up, unless it goes on under the right carrier by itself.
            Some("abort") if corrected.is_none() => Watch::Lapsed,
            _ => Watch::On,
        };
        let instead_of = corrected.and(old.or(told)).filter(|wrong| *wrong != carrier);
        Ok(Told { parcels: vec![News { tracked, watch, instead_of }], ..Told::default() })
    }

    fn acknowledge(&self, _cx: &Cx, _request: &Request, stored: bool) -> Reply {
        let body = match stored {
            true => r#"{"result":true,"returnCode":"200","message":"成功"}"#,
            false => r#"{"result":false,"returnCode":"500","message":"稍后重试"}"#,
        };
        Reply { status: 200, content_type: "application/json; charset=utf-8", body: body.into() }
    }

    fn subscription(&self) -> Option<&dyn Subscription> {
        Some(self)
    }
}

impl Subscription for Kuaidi100 {
    fn subscribe(&self, cx: &Cx, ask: &Ask, callback: &str) -> Result<Call, Refusal> {
        let salt = cx.account.secret("salt");
        if salt.is_empty() {
            return Err(Refusal::FixAccount { cure: CURE_SETTINGS });
        }
        let company = com_of(&ask.carrier).ok_or(Refusal::Unsupported)?;
        let phone = ask.phone_tail.as_deref().filter(|_| needs_phone_tail(&ask.carrier));
        if phone.is_none() && needs_phone_tail(&ask.carrier) {
            return Err(Refusal::NeedPhoneTail);
        }
        let parameters = Parameters { callbackurl: callback, salt, resultv2: "4", phone };
        let wish = Wish { company, number: &ask.number, key: cx.account.secret("key"), parameters };
        let param = serde_json::to_string(&wish).map_err(|_| Refusal::Unsupported)?;
        let url = format!("{}/poll", cx.account.setting("base_url", SPEC.base_url));
        Ok(Call::form("kuaidi100.subscribe", url, &[("schema", "json"), ("param", &param)]))
    }

    fn read_subscribed(&self, cx: &Cx, _ask: &Ask, answer: &Answer) -> Result<(), Refusal> {
        let said: Answered = body::json(answer, cx.now)?;
        Err(match said.return_code.as_deref() {
            Some("200") => return Ok(()),
            // Watched already, or the month's four are used up.
            Some("501") => Refusal::AlreadyDone,
            Some("600" | "601") => Refusal::FixAccount { cure: CURE_CREDENTIALS },
            Some("700") => Refusal::BadNumber,
            Some("701" | "702") => Refusal::Unsupported,
            Some(_) => Refusal::Retry { after: None },
            None => Refusal::Unreadable,
        })
    }

    fn per_number_month(&self) -> u16 {
        PER_NUMBER_MONTH
    }
}

impl Recognition for Kuaidi100 {
    fn recognize(&self, cx: &Cx, number: &str) -> Result<Call, Refusal> {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("num", number), ("key", cx.account.secret("key"))])
            .finish();
        let base = cx.account.setting("base_url", "http://www.kuaidi100.com");
        Ok(Call::get("kuaidi100.recognize", format!("{base}/autonumber/auto?{query}")))
    }

    fn read_recognized(&self, cx: &Cx, answer: &Answer) -> Result<Vec<String>, Refusal> {
        match body::json(answer, cx.now)? {
            Guesses::Found(guesses) => {
                let code = |guess: Guess| guess.com.as_deref().and_then(names::by_kuaidi100);
                Ok(guesses.into_iter().filter_map(code).map(|carrier| carrier.code.to_owned()).collect())
            }
            Guesses::Refused(said) => Err(match said.return_code.as_deref() {
                Some("201") => Refusal::BadNumber,
                Some("601" | "701") => Refusal::FixAccount { cure: CURE_CREDENTIALS },
                _ => Refusal::Retry { after: None },
            }),
        }
    }
}

#[derive(Serialize)]
struct Wish<'a> {
    company: &'a str,
    number: &'a str,
    key: &'a str,
    parameters: Parameters<'a>,
}

#[derive(Serialize)]
struct Parameters<'a> {
    callbackurl: &'a str,
    salt: &'a str,
    resultv2: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
}

#[derive(Deserialize)]
struct Answered {
    #[serde(default, rename = "returnCode", deserialize_with = "body::loose")]
    return_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Guesses {
    Found(Vec<Guess>),
    Refused(Answered),
}

#[derive(Deserialize)]
struct Guess {
    #[serde(default, rename = "comCode", deserialize_with = "body::loose")]
    com: Option<String>,
}

#[derive(Deserialize)]
struct Pushed {
    #[serde(default, deserialize_with = "body::loose")]
    status: Option<String>,
    #[serde(default, rename = "comOld", deserialize_with = "body::loose")]
    com_old: Option<String>,
    #[serde(default, rename = "comNew", deserialize_with = "body::loose")]
    com_new: Option<String>,
    #[serde(default, rename = "lastResult")]
    result: Option<Said>,
    #[serde(default, rename = "destResult")]
    abroad: Option<Said>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Account, Private, Status};

    const SALT: &str = "yishi-salt-01";
    const GOLDEN: &str = r#"{"status":"polling","message":"","autoCheck":"0","comOld":"","comNew":"","lastResult":{"message":"ok","state":"0","status":"200","condition":"F00","ischeck":"0","com":"yuantong","nu":"YT9988776655443","data":[]}}"#;

    fn account(salt: &str) -> Account {
        let secrets = [("key", "YSKEY0001"), ("salt", salt)];
        Account {
            settings: [("customer".to_owned(), "YSCUST9F3A".to_owned())].into(),
            secrets: secrets.map(|(name, value)| (name.to_owned(), Private::new(value.to_owned()))).into(),
            ..Account::default()
        }
    }

    fn with_cx<T>(salt: &str, run: impl FnOnce(&Cx) -> T) -> T {
        let now = "2026-03-03T04:00:00Z".parse().unwrap();
        run(&Cx { account: &account(salt), token: None, now, random: [7; 32] })
    }

    fn request(param: &str, sign: &str) -> Request {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("sign", sign).append_pair("param", param);
        Request { body: form.finish().into_bytes(), ..Request::default() }
    }

    fn read(param: &str) -> News {
        with_cx(SALT, |cx| Kuaidi100.read(cx, param.as_bytes())).unwrap().parcels.remove(0)
    }

    #[test]
    fn the_facts_golden_signature_is_taken_in_either_case_and_no_other() {
        let good = "9D11DBFBC5E0F8F05D45922D6E03AE7A";
        let verify =
            |salt, sign: &str| with_cx(salt, |cx| Kuaidi100.verify(cx, &request(GOLDEN, sign)).map(|_| ()));
        assert_eq!(verify(SALT, good), Ok(()));
        assert_eq!(verify(SALT, &good.to_lowercase()), Ok(()));
        assert_eq!(verify(SALT, ""), Err(Unverified::BadSignature));
        // The right signature under an empty salt proves nothing.
        assert_eq!(verify("", "21838B579C6C72402F0375894F4693FB"), Err(Unverified::BadSignature));
    }

    #[test]
    fn a_corrected_carrier_is_no_end() {
        let result = r#""lastResult":{"message":"","state":"0","status":"200","com":"yuantong","nu":"75123456789012","data":[]}"#;
        let told = read(&format!(
            r#"{{"status":"abort","message":"3天查询无记录","autoCheck":"0","comOld":"yuantong","comNew":"zhongtong",{result}}}"#
        ));
        assert_eq!((told.tracked.carrier.as_str(), told.watch), ("zto", Watch::On));
        assert_eq!(told.instead_of.as_deref(), Some("yto"));
        let lapsed = read(&format!(r#"{{"status":"abort","message":"60天无变化",{result}}}"#));
        assert_eq!((lapsed.watch, lapsed.instead_of), (Watch::Lapsed, None));
        let ended = read(&format!(r#"{{"status":"shutdown",{result}}}"#));
        assert_eq!(ended.watch, Watch::Ended);
    }

    #[test]
    fn a_push_reads_like_an_answer() {
        let told = read(
            r#"{"status":"polling","lastResult":{"message":"ok","state":"5","status":"200","com":"yuantong","nu":"YT9988776655443","data":[
            {"time":"2026-03-02 08:41:12","context":"快递员周师傅正在派件","status":"派件","statusCode":"5"}]}}"#,
        );
        let event = &told.tracked.events[0];
        assert_eq!((event.status, event.carrier.as_str()), (Status::OutForDelivery, "yto"));
    }

    #[test]
    fn a_subscription_carries_its_salt_and_a_duplicate_is_fine() {
        let ask = Ask { carrier: "yto".into(), number: "YT9988776655443".into(), phone_tail: None };
        let call = with_cx(SALT, |cx| Kuaidi100.subscribe(cx, &ask, "http://shop.example/h")).unwrap();
        let form: std::collections::BTreeMap<_, _> =
            form_urlencoded::parse(&call.body).into_owned().collect();
        assert_eq!(
            form["param"],
            r#"{"company":"yuantong","number":"YT9988776655443","key":"YSKEY0001","parameters":{"callbackurl":"http://shop.example/h","salt":"yishi-salt-01","resultv2":"4"}}"#
        );
        assert_eq!(form["schema"], "json");
        let refused = with_cx("", |cx| Kuaidi100.subscribe(cx, &ask, "http://shop.example/h"));
        assert!(matches!(refused, Err(Refusal::FixAccount { .. })));
        let read =
            |body: &str| with_cx(SALT, |cx| Kuaidi100.read_subscribed(cx, &ask, &Answer::new(200, body)));
        assert_eq!(read(r#"{"result":"true","returnCode":"200","message":"提交成功"}"#), Ok(()));
        assert_eq!(read(r#"{"result":false,"returnCode":"501"}"#), Err(Refusal::AlreadyDone));
        assert!(matches!(read(r#"{"result":false,"returnCode":600}"#), Err(Refusal::FixAccount { .. })));
    }

    #[test]
    fn guesses_come_as_a_list_and_refusals_as_an_object() {
        let read = |body: &str| with_cx(SALT, |cx| Kuaidi100.read_recognized(cx, &Answer::new(200, body)));
        let found = read(r#"[{"lengthPre":15,"comCode":"yuantong","name":"圆通速递"},{"comCode":"nobody"}]"#);
        assert_eq!(found, Ok(vec!["yto".to_owned()]));
        assert_eq!(read("[]"), Ok(Vec::new()));
        assert_eq!(read(r#"{"returnCode":"201","result":false}"#), Err(Refusal::BadNumber));
    }
}
