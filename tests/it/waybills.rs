//! Conformance of waybills: every carrier of the registry that creates them plays the same cases against its peer in
//! the simulator, which shares no code with it.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::carriers::played;
use jiff::Timestamp;
use std::collections::BTreeSet;
use yishi::carriers::{Again, Cancelling, Carrier, Created, Goods, Party, Shipping, Waybill, carrier};
use yishi::model::{Account, Private};
use yishi::simulator::Simulator;
use yishi::wire::{Answer, Call, Cx, Refusal, Token};

/// A vendor that creates waybills, with an account that its peer accepts.
struct Subject {
    simulator: Simulator,
    carrier: &'static dyn Carrier,
    waybill: &'static dyn Waybill,
    account: Account,
    now: Timestamp,
}

fn subjects() -> Vec<Subject> {
    let now: Timestamp = "2026-03-02T04:00:00Z".parse().unwrap();
    let accounts = Simulator::accounts("http://127.0.0.1:9").into_iter();
    let able = accounts.filter_map(|account| {
        let carrier = carrier(&account.kind)?;
        let simulator = Simulator::new(now, 1.0);
        Some(Subject { simulator, carrier, waybill: carrier.waybill()?, account, now })
    });
    able.collect()
}

fn party(name: &str) -> Party {
    Party {
        name: Private::new(name.into()),
        phone: Private::new("13800006688".into()),
        province: "浙江省".into(),
        city: "杭州市".into(),
        district: "西湖区".into(),
        street: Private::new("虚构路1号".into()),
        country: "CN".into(),
        postal: None,
    }
}

impl Subject {
    fn code(&self) -> &'static str {
        self.carrier.spec().code
    }

    fn cx(&self) -> Cx<'_> {
        Cx { account: &self.account, token: None, now: self.now, random: [7; 32] }
    }

    fn shipping(&self, order: &str) -> Shipping {
        // An aggregator creates the waybills of many; every one of them serves YTO.
        let carrier = if self.carrier.spec().aggregator { "yto" } else { self.code() };
        Shipping {
            carrier: carrier.into(),
            order: order.into(),
            from: party("张某"),
            to: party("李某"),
            goods: vec![Goods { name: "茶具".into(), count: 2 }, Goods { name: "茶叶".into(), count: 1 }],
            grams: 1_500,
            pieces: 1,
            product: None,
            remark: None,
        }
    }

    fn played(&self, call: &Call) -> Answer {
        played(&self.simulator, call, self.now)
    }

    fn create(&self, shipping: &Shipping) -> Result<Created, Refusal> {
        let call = self.waybill.create(&self.cx(), shipping)?;
        self.waybill.read_created(&self.cx(), shipping, &self.played(&call))
    }

    fn cancelling(&self, shipping: &Shipping, created: Created) -> Cancelling {
        Cancelling {
            carrier: shipping.carrier.clone(),
            order: shipping.order.clone(),
            created,
            reason: "买家取消".into(),
        }
    }
}

#[test]
fn eight_vendors_create_waybills() {
    let codes: BTreeSet<&str> = subjects().iter().map(Subject::code).collect();
    let named = ["sf", "zto", "yto", "jd", "ems", "cainiao", "kuaidi100", "kdniao"];
    assert_eq!(codes, BTreeSet::from(named));
}

#[test]
fn an_order_gets_a_number_that_can_be_tracked() {
    for subject in subjects() {
        let (code, shipping) = (subject.code(), subject.shipping("M-1"));
        let call = subject.waybill.create(&subject.cx(), &shipping).unwrap();
        assert!(!call.repeatable, "{code}: creating twice may cost twice");
        assert!(call.operation.starts_with(code), "{code}: {}", call.operation);
        assert!(call.url.starts_with(&format!("http://127.0.0.1:9/{code}/")), "{code}: {}", call.url);
        for private in ["张某", "李某", "13800006688", "虚构路"] {
            assert!(!format!("{call:?}").contains(private), "{code}");
        }
        let created = subject.waybill.read_created(&subject.cx(), &shipping, &subject.played(&call));
        let created = created.unwrap_or_else(|no| panic!("{code}: {no}"));
        assert_eq!(subject.simulator.waybills().last().unwrap().number, created.number, "{code}");
        let families = yishi::carriers::recognize::recognize(&created.number, Default::default());
        assert!(
            families.iter().any(|family| family.carrier == shipping.carrier),
            "{code}: {} is no number of {}",
            created.number,
            shipping.carrier
        );
    }
}

/// What happens after a time-out: the vendor is asked, or answers alike, or nothing can be known.
#[test]
fn one_order_never_gets_two_numbers() {
    for subject in subjects() {
        let (code, shipping) = (subject.code(), subject.shipping("M-2"));
        let first = subject.create(&shipping).unwrap();
        match subject.waybill.again() {
            Again::Repeat => assert_eq!(subject.create(&shipping), Ok(first), "{code}"),
            Again::Look => assert_eq!(subject.create(&shipping), Err(Refusal::AlreadyDone), "{code}"),
            Again::Ask(finder) => {
                assert_eq!(subject.create(&shipping), Err(Refusal::AlreadyDone), "{code}");
                let find = |shipping: &Shipping| {
                    let call = finder.find(&subject.cx(), shipping).unwrap();
                    assert!(call.repeatable, "{code}: a question may be repeated");
                    finder.read_found(&subject.cx(), &subject.played(&call)).unwrap()
                };
                assert_eq!(find(&shipping), Some(first), "{code}");
                assert_eq!(find(&subject.shipping("M-NEVER")), None, "{code}");
            }
        }
        assert_eq!(subject.simulator.waybills().len(), 1, "{code}");
    }
}

#[test]
fn a_waybill_is_cancelled_once() {
    for subject in subjects() {
        let (code, shipping) = (subject.code(), subject.shipping("M-3"));
        let created = subject.create(&shipping).unwrap();
        let cancelling = subject.cancelling(&shipping, created);
        let cancel = |cancelling: &Cancelling| {
            let call = subject.waybill.cancel(&subject.cx(), cancelling)?;
            subject.waybill.read_cancelled(&subject.cx(), &subject.played(&call))
        };
        if subject.waybill.cancel(&subject.cx(), &cancelling) == Err(Refusal::Unsupported) {
            assert_eq!(code, "ems", "of the others a way is known");
            continue;
        }
        assert_eq!(cancel(&cancelling), Ok(()), "{code}");
        assert!(subject.simulator.waybills().iter().all(|given| given.cancelled), "{code}");
        assert_eq!(cancel(&cancelling), Err(Refusal::AlreadyDone), "{code}");
        let stranger = Created { number: "YT0000000000000".into(), ..Created::default() };
        let unknown = subject.cancelling(&subject.shipping("M-NEVER"), stranger);
        assert!(cancel(&unknown).is_err(), "{code}");
    }
}

#[test]
fn what_is_wrong_is_said_by_what_to_do() {
    for subject in subjects() {
        let code = subject.code();
        let mut shipping = subject.shipping("M-4");
        shipping.to.phone = Private::new("12".into());
        let Err(Refusal::FixOrder { cure }) = subject.create(&shipping) else {
            panic!("{code}: a wrong phone gave {:?}", subject.create(&shipping))
        };
        assert_eq!(cure.0, "cure-order-phone", "{code}");
        let mut stranger = Subject { account: subject.account.clone(), ..subject };
        for secret in stranger.account.secrets.values_mut() {
            // EMS' key must stay a key.
            *secret =
                Private::new(if code == "ems" { "MDEyMzQ1Njc4OWFiY2RlZg==".into() } else { "wrong".into() });
        }
        let refused = stranger.create(&stranger.shipping("M-5"));
        assert!(matches!(refused, Err(Refusal::FixAccount { .. })), "{code}: {refused:?}");
        let mut bare = stranger.shipping("M-6");
        bare.carrier = "nobody".into();
        if matches!(code, "kuaidi100" | "kdniao") {
            assert_eq!(
                stranger.waybill.create(&stranger.cx(), &bare).err(),
                Some(Refusal::Unsupported),
                "{code}"
            );
        }
        assert!(stranger.simulator.waybills().is_empty(), "{code}: nothing was created");
    }
}

#[test]
fn a_broken_answer_is_never_a_waybill() {
    for subject in subjects() {
        let (code, shipping) = (subject.code(), subject.shipping("M-7"));
        let call = subject.waybill.create(&subject.cx(), &shipping).unwrap();
        let whole = subject.played(&call).body;
        let created = |answer: Answer| subject.waybill.read_created(&subject.cx(), &shipping, &answer);
        for cut in 0..whole.len() {
            assert!(created(Answer::new(200, &whole[..cut])).is_err(), "{code}: cut at {cut}");
        }
        for body in ["", "null", "[]", "{}", "0", "\"\"", "<html>系统维护中</html>", "{\"data\":{}}"] {
            assert!(created(Answer::new(200, body)).is_err(), "{code}: {body}");
            let cancelled = subject.waybill.read_cancelled(&subject.cx(), &Answer::new(200, body));
            assert!(cancelled.is_err(), "{code}: {body}");
            if let Again::Ask(finder) = subject.waybill.again() {
                assert!(finder.read_found(&subject.cx(), &Answer::new(200, body)).is_err(), "{code}: {body}");
            }
        }
        for status in [500, 502, 503] {
            let refused = created(Answer::new(status, "<html>Bad Gateway</html>"));
            assert!(matches!(refused, Err(Refusal::Retry { .. })), "{code}: {status}");
        }
    }
}

/// SF's other way in: a token instead of a digest.
#[test]
fn sf_takes_a_token_where_the_account_says_so() {
    let mut subject = subjects().into_iter().find(|subject| subject.code() == "sf").unwrap();
    assert!(subject.carrier.token(&subject.account).is_none());
    subject.account.settings.insert("auth".into(), "oauth".into());
    let step = subject.carrier.token(&subject.account).unwrap();
    let fetch = |subject: &Subject| {
        let call = step.fetch(&subject.cx()).unwrap();
        step.read(&subject.cx(), &subject.played(&call))
    };
    let token: Token = fetch(&subject).unwrap();
    assert_eq!(token.expires, "2026-03-02T06:00:00Z".parse().unwrap());
    let shipping = subject.shipping("M-8");
    let with = |token: &Token| {
        let cx = Cx { token: Some(token), ..subject.cx() };
        let call = subject.waybill.create(&cx, &shipping).unwrap();
        assert!(!String::from_utf8(call.body.clone()).unwrap().contains("msgDigest"));
        subject.waybill.read_created(&cx, &shipping, &subject.played(&call))
    };
    assert!(with(&token).is_ok());
    let old = Token { text: Private::new("old".into()), ..token };
    assert_eq!(with(&old), Err(Refusal::TokenExpired));
    subject.account.secrets.insert("checkword".into(), Private::new("wrong".into()));
    assert!(matches!(fetch(&subject), Err(Refusal::FixAccount { .. })));
}
