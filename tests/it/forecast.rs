//! Conformance of forecasts: every vendor of the registry that reckons arrival times, against its peer in the simulator.

use crate::carriers::played;
use jiff::Timestamp;
use yishi::carriers::{Trip, carrier};
use yishi::model::EtaSource;
use yishi::simulator::Simulator;
use yishi::text::region::Region;
use yishi::wire::{Answer, Cx, Refusal};

#[test]
fn a_forecast_is_a_time_ahead_and_no_more_than_a_region_goes_out() {
    let now: Timestamp = "2026-03-02T04:00:00Z".parse().unwrap();
    let simulator = Simulator::new(now, 1.0);
    let mut able = 0;
    for mut account in Simulator::accounts("http://127.0.0.1:9") {
        let code = account.kind.clone();
        let Some(forecast) = carrier(&code).and_then(|carrier| carrier.forecast()) else { continue };
        able += 1;
        account.settings.insert("sender_address".into(), "广东省深圳市南山区虚构路2号".into());
        let trip = Trip {
            carrier: "yto".into(),
            to: Region::of_address("浙江省杭州市西湖区虚构路1号3幢").unwrap(),
            ordered: now,
            scans: vec![(now, "【深圳市】业务员：周小明，电话13912345678，已收取快件".into())],
        };
        let cx = Cx { account: &account, token: None, now, random: [7; 32] };
        let call = forecast.forecast(&cx, &trip).unwrap();
        assert!(call.operation.starts_with(&code) && call.repeatable, "{code}");
        let sent =
            form_urlencoded::parse(&call.body).into_owned().map(|(_, value)| value).collect::<String>();
        for private in ["虚构路", "周小明", "13912345678"] {
            assert!(!sent.contains(private) && !call.url.contains(private), "{code}: {sent}");
        }
        let answer = played(&simulator, &call, now);
        let eta = forecast.read_forecast(&cx, &answer).unwrap();
        assert!(eta.source == EtaSource::Provider && eta.to > now && eta.from <= eta.to, "{code}: {eta:?}");
        for cut in 0..answer.body.len() {
            let broken = Answer::new(200, &answer.body[..cut]);
            assert!(forecast.read_forecast(&cx, &broken).is_err(), "{code}: cut at {cut}");
        }
        let mut stranger = account.clone();
        stranger.secrets.values_mut().for_each(|secret| *secret = yishi::model::Private::new("wrong".into()));
        let cx = Cx { account: &stranger, ..cx };
        let call = forecast.forecast(&cx, &trip).unwrap();
        let refused = forecast.read_forecast(&cx, &played(&simulator, &call, now));
        assert!(matches!(refused, Err(Refusal::FixAccount { .. })), "{code}: {refused:?}");
    }
    assert_eq!(able, 1);
}
