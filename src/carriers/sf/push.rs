//! SF's route push (RoutePushService): a few routes at a time, as JSON or as XML in a form.
//! Source: official page of the service; facts/carriers-cn 1.2. SF signs nothing: the unguessable path of the account
//! is the proof. Must never answer in another form than the push came in.

use super::{Route, SPEC, Sf};
use crate::carriers::body;
use crate::carriers::{News, Push, Told, Tracked};
use crate::wire::{Cx, Proof, Refusal, Reply, Request, Unverified, Verified};
use serde::Deserialize;

impl Push for Sf {
    fn verify(&self, _cx: &Cx, request: &Request) -> Result<Verified, Unverified> {
        if request.body.is_empty() {
            return Err(Unverified::Malformed);
        }
        let payload = match is_form(request) {
            true => content(&request.body).ok_or(Unverified::Malformed)?.into_bytes(),
            false => request.body.clone(),
        };
        // Neither of the two forms: nobody of SF's sent it.
        if !matches!(payload.trim_ascii_start().first(), Some(b'{' | b'<')) || payload.len() < 8 {
            return Err(Unverified::Malformed);
        }
        Ok(Verified::new(payload, Proof::secret_path()))
    }

    fn read(&self, cx: &Cx, payload: &[u8]) -> Result<Told, Refusal> {
        let text = std::str::from_utf8(payload).map_err(|_| Refusal::Unreadable)?;
        let routes = if text.trim_start().starts_with('<') {
            let request: XmlRequest = body::xml(text)?;
            request.body.routes.into_iter().map(XmlRoute::pushed).collect()
        } else {
            let request: JsonRequest = serde_json::from_str(text).map_err(|_| Refusal::Unreadable)?;
            request.body.routes
        };
        let mut parcels: Vec<News> = Vec::new();
        for pushed in routes {
            let Some(number) = pushed.number.filter(|number| !number.is_empty()) else { continue };
            let event = pushed.route.event(&number, cx.now);
            match parcels.iter_mut().find(|news| news.tracked.number == number) {
                Some(news) => news.tracked.events.push(event),
                None => parcels.push(News::of(Tracked {
                    carrier: SPEC.code.to_owned(),
                    number,
                    events: vec![event],
                    eta: None,
                    maybe_needs_phone_tail: false,
                })),
            }
        }
        Ok(Told { parcels, ..Told::default() })
    }

    fn acknowledge(&self, _cx: &Cx, request: &Request, stored: bool) -> Reply {
        let (content_type, body) = match (is_form(request), stored) {
            (false, true) => {
                ("application/json; charset=utf-8", r#"{"return_code":"0000","return_msg":"成功"}"#)
            }
            (false, false) => {
                ("application/json; charset=utf-8", r#"{"return_code":"1000","return_msg":"系统异常"}"#)
            }
            (true, true) => (
                "text/xml; charset=utf-8",
                r#"<Response service="RoutePushService"><Head>OK</Head></Response>"#,
            ),
            (true, false) => (
                "text/xml; charset=utf-8",
                r#"<Response service="RoutePushService"><Head>ERR</Head><ERROR code="4001">系统异常</ERROR></Response>"#,
            ),
        };
        Reply { status: 200, content_type, body: body.into() }
    }
}

/// XML mode posts a form with one field `content`.
fn is_form(request: &Request) -> bool {
    request.header("content-type").contains("x-www-form-urlencoded") || request.body.starts_with(b"content=")
}

fn content(body: &[u8]) -> Option<String> {
    form_urlencoded::parse(body).find(|(name, _)| name == "content").map(|(_, value)| value.into_owned())
}

#[derive(Deserialize)]
struct JsonRequest {
    #[serde(rename = "Body")]
    body: JsonBody,
}

#[derive(Deserialize)]
struct JsonBody {
    #[serde(rename = "WaybillRoute", deserialize_with = "body::list")]
    routes: Vec<Pushed>,
}

/// A route with the number that stands beside it (`mailno`, other than in the query).
#[derive(Deserialize)]
struct Pushed {
    #[serde(default, rename = "mailno", deserialize_with = "body::loose")]
    number: Option<String>,
    #[serde(flatten)]
    route: Route,
}

#[derive(Deserialize)]
struct XmlRequest {
    #[serde(rename = "Body")]
    body: XmlBody,
}

#[derive(Deserialize)]
struct XmlBody {
    #[serde(default, rename = "WaybillRoute")]
    routes: Vec<XmlRoute>,
}

#[derive(Deserialize)]
struct XmlRoute {
    #[serde(default, rename = "@mailno")]
    number: Option<String>,
    #[serde(default, rename = "@acceptTime")]
    time: Option<String>,
    #[serde(default, rename = "@acceptAddress")]
    address: Option<String>,
    #[serde(default, rename = "@remark")]
    remark: Option<String>,
    #[serde(default, rename = "@opCode")]
    op_code: Option<String>,
    #[serde(default, rename = "@reasonCode")]
    reason_code: Option<String>,
}

impl XmlRoute {
    fn pushed(self) -> Pushed {
        let some =
            |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let route = Route {
            accept_time: some(self.time),
            accept_address: some(self.address),
            remark: some(self.remark),
            op_code: some(self.op_code),
            reason_code: some(self.reason_code),
            first_status_code: None,
            first_status_name: None,
            secondary_status_name: None,
        };
        Pushed { number: some(self.number), route }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Account, Status};

    fn with_cx<T>(run: impl FnOnce(&Cx) -> T) -> T {
        let account = Account::default();
        let now = "2026-03-03T04:00:00Z".parse().unwrap();
        run(&Cx { account: &account, token: None, now, random: [7; 32] })
    }

    const XML: &str = r#"<Request service="RoutePushService" lang="zh-CN"><Body><WaybillRoute id="1" mailno="SF1000000000017" orderid="M-1" acceptTime="2026-03-02 08:00:00" acceptAddress="深圳市" remark="顺丰速运 已收取快件" opCode="50"/><WaybillRoute id="2" mailno="SF1000000000017" acceptTime="2026-03-02 09:00:00" acceptAddress="深圳市" remark="快件在【深圳】已装车" opCode="30"/></Body></Request>"#;

    fn form() -> Request {
        let mut form = form_urlencoded::Serializer::new(String::new());
        Request { body: form.append_pair("content", XML).finish().into_bytes(), ..Request::default() }
    }

    #[test]
    fn xml_in_a_form_is_read_and_answered_in_xml() {
        with_cx(|cx| {
            let verified = Sf.verify(cx, &form()).unwrap();
            let told = Sf.read(cx, verified.payload()).unwrap();
            let [news] = told.parcels.as_slice() else { panic!("one parcel: {told:?}") };
            let statuses: Vec<Status> = news.tracked.events.iter().map(|event| event.status).collect();
            assert_eq!(statuses, [Status::PickedUp, Status::InTransit]);
            let text = |stored| String::from_utf8(Sf.acknowledge(cx, &form(), stored).body).unwrap();
            assert_eq!(text(true), r#"<Response service="RoutePushService"><Head>OK</Head></Response>"#);
            assert!(text(false).contains("<Head>ERR</Head><ERROR code=\"4001\">"));
        });
    }

    #[test]
    fn a_document_type_and_anything_else_are_refused() {
        let evil = XML.replacen("<Request", "<!DOCTYPE r [<!ENTITY a \"b\">]><Request", 1);
        assert_eq!(with_cx(|cx| Sf.read(cx, evil.as_bytes())), Err(Refusal::Unreadable));
        for body in ["hello there", "", "[]"] {
            let request = Request { body: body.into(), ..Request::default() };
            assert!(with_cx(|cx| Sf.verify(cx, &request)).is_err(), "{body}");
        }
    }
}
