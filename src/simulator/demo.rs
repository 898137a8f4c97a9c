//! The demo's parcels: fifteen orders named after their journeys, and as many ordinary ones as one likes.
//! Must never store anything: it only says what to create.

use super::journeys::{Journey, draw};
use super::{PEERS, PHONE_TAIL, Simulator, keys, kuaidi100, own, sf};
use crate::model::when::CHINA;
use crate::model::{
    Account, Courier, Eta, EtaPrecision, EtaSource, Event, Pickup, Place, Private, Raw, When, ZoneSource,
};
use jiff::Timestamp;

/// One parcel of one order to create. An order with several parcels comes several times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoParcel {
    /// Order number, as the buyer knows it.
    pub order: String,
    /// What was bought.
    pub title: &'static str,
    /// Yishi's carrier code.
    pub carrier: &'static str,
    /// Tracking number.
    pub number: String,
    /// Whose account answers for it: `kuaidi100`, `sf`, `simulated`.
    pub provider: &'static str,
    /// When the merchant shipped.
    pub shipped_at: Timestamp,
    /// Last four digits of the receiver's phone.
    pub phone_tail: &'static str,
    /// What the simulator will tell of it.
    pub journey: Journey,
}

/// Order, article, carrier, number.
const DEMO: [(&str, &str, &str, &str); 17] = [
    ("DEMO-NORMAL", "青瓷茶具套装", "yto", "YT8816042739501"),
    ("DEMO-SLOW", "实木书架", "zto", "75613820947702"),
    ("DEMO-STALLED", "蓝牙音箱", "yunda", "462150938471603"),
    ("DEMO-RETURNED", "羊毛围巾", "sf", "SF1402837461904"),
    ("DEMO-REFUSED", "保温杯", "sto", "773095218463705"),
    ("DEMO-LOST", "手冲咖啡壶", "simulated", "SIMLOST0001"),
    ("DEMO-CUSTOMS", "进口维生素", "simulated", "SIMCUSTOMS0001"),
    ("DEMO-PICKUP", "儿童绘本", "jt", "JT4018263957408"),
    ("DEMO-SPLIT", "四件套床品", "sf", "SF1409283746509"),
    ("DEMO-SPLIT", "四件套床品", "sf", "SF1409283746510"),
    ("DEMO-SPLIT", "四件套床品", "sf", "SF1409283746511"),
    ("DEMO-DISORDER", "机械键盘", "yto", "YT8820957361412"),
    ("DEMO-DOUBLE", "露营灯", "simulated", "SIMDOUBLE0001"),
    ("DEMO-CORRECTED", "跑步鞋", "jd", "JDVA20418365714"),
    ("DEMO-NODATA", "帆布包", "sto", "773104628359715"),
    ("DEMO-ERROR", "空气炸锅", "sf", "SF1410628374916"),
    ("DEMO-TIMEOUT", "折叠椅", "deppon", "DPK3620194837517"),
];

const GOODS: [&str; 10] = [
    "棉质T恤",
    "无线鼠标",
    "坚果礼盒",
    "瑜伽垫",
    "陶瓷花瓶",
    "牛皮钱包",
    "台灯",
    "洗面奶",
    "数据线",
    "登山背包",
];

impl Simulator {
    /// The fifteen orders of the demo buyer, seventeen parcels.
    pub fn demo_parcels(&self) -> Vec<DemoParcel> {
        DEMO.iter()
            .map(|(order, title, carrier, number)| {
                self.parcel((*order).to_owned(), title, carrier, (*number).to_owned())
            })
            .collect()
    }

    /// The `i`th ordinary order, for bulk: always the same for the same `i`.
    pub fn ordinary(&self, i: u64) -> DemoParcel {
        let title = GOODS[draw("goods", i, GOODS.len() as u64) as usize];
        // Two last digits outside of the journeys' table.
        let tail = 20 + draw("tail", i, 80);
        let (carrier, number) = match i % 9 {
            0 => ("yto", format!("YT88{i:09}{tail}")),
            1 => ("zto", format!("75{i:010}{tail}")),
            2 => ("sto", format!("773{i:010}{tail}")),
            3 => ("yunda", format!("46{i:011}{tail}")),
            4 => ("jt", format!("JT4{i:010}{tail}")),
            5 => ("jd", format!("JDVA{i:09}{tail}")),
            6 => ("sf", format!("SF14{i:09}{tail}")),
            7 => ("deppon", format!("DPK36{i:09}{tail}")),
            _ => ("simulated", format!("SIMORDINARY{i:08}{tail}")),
        };
        self.parcel(format!("DEMO-{i:06}"), title, carrier, number)
    }

    fn parcel(
        &self,
        order: String,
        title: &'static str,
        carrier: &'static str,
        number: String,
    ) -> DemoParcel {
        let timeline = self.clock.timeline(&number, self.started);
        DemoParcel {
            order,
            title,
            carrier,
            number,
            provider: match carrier {
                "sf" => "sf",
                "simulated" => "simulated",
                _ => "kuaidi100",
            },
            shipped_at: timeline.shipped_at,
            phone_tail: PHONE_TAIL,
            journey: timeline.journey,
        }
    }

    /// What the parcel's provider would have told by `now`, as events: a parcel synced without a call.
    pub fn events_of(&self, parcel: &DemoParcel, now: Timestamp) -> (Vec<Event>, Option<Eta>) {
        let timeline = self.clock.timeline(&parcel.number, now);
        if matches!(timeline.journey, Journey::NoData | Journey::Error) {
            return (Vec::new(), None);
        }
        let event = |seen: &super::Seen| {
            let scan = &seen.scan;
            // The simulated carrier names its offset, the others are known to mean China.
            let own_offset = parcel.provider == "simulated";
            let zone = if own_offset { ZoneSource::Carrier } else { ZoneSource::CarrierDefault };
            let time = When::at(seen.time, CHINA, zone);
            let (code, status, meaning) = match parcel.provider {
                "sf" => {
                    let (code, meaning) = sf::said(scan.meaning);
                    (code.to_owned(), Some(sf::status_name(scan.meaning.status)), meaning)
                }
                "simulated" => (own::said(scan.meaning), None, scan.meaning),
                _ => {
                    let (code, name, meaning) = kuaidi100::said(scan.meaning);
                    (code.to_owned(), Some(name), meaning)
                }
            };
            let raw = Raw {
                code: Some(code),
                status: status.map(str::to_owned),
                description: Some(scan.text.clone()),
            };
            let mut event =
                Event::new(parcel.carrier, &parcel.number, parcel.provider, time, meaning, raw, now);
            event.place = match parcel.provider {
                "sf" => Place { region: None, country: None, ..own::place(seen) },
                _ => own::place(seen),
            };
            if let Some((name, phone)) = &scan.courier {
                event.courier = Courier { name: Some((*name).to_owned()), phone: Some(phone.clone()) };
            }
            if let Some((code, station)) = &scan.pickup {
                event.pickup = Pickup { code: Some(code.clone()), place: Some(station.clone()), until: None };
            }
            event.signed_by = scan.signed_by.map(str::to_owned);
            event
        };
        let events = match parcel.provider {
            "sf" => sf::tells(&timeline).map(event).collect(),
            _ => timeline.seen.iter().map(event).collect(),
        };
        let eta = timeline.eta.and_then(|eta| match parcel.provider {
            "sf" => None,
            "simulated" => own::window(eta).map(|(from, to)| Eta {
                from,
                to,
                source: EtaSource::Carrier,
                precision: EtaPrecision::Window,
            }),
            _ => Some(Eta { from: eta, to: eta, source: EtaSource::Provider, precision: EtaPrecision::Time }),
        });
        (events, eta)
    }

    /// Those of [`Simulator::accounts`] that the demo's shop has: its orders are told by them. The peers of other
    /// carriers are there for whoever configures an account.
    pub fn demo_accounts(base: &str) -> Vec<Account> {
        let shown = ["kuaidi100", "kdniao", "sf", "simulated", "wechat", "telegram"];
        let mut accounts = Self::accounts(base);
        accounts.retain(|account| shown.contains(&account.kind.as_str()));
        accounts
    }

    /// The accounts of shop `demo` that these peers accept: every carrier, WeChat and Telegram. `base` is the
    /// simulator's own address without a slash at its end: `http://127.0.0.1:8081`.
    pub fn accounts(base: &str) -> Vec<Account> {
        let account = |kind: &str, settings: &[(&str, &str)], secrets: &[(&str, &str)]| {
            let mut account = Account {
                id: "demo".to_owned(),
                kind: kind.to_owned(),
                shop: Some("demo".to_owned()),
                settings: settings
                    .iter()
                    .map(|(name, value)| ((*name).into(), value.replace("{peer}", &format!("{base}/{kind}"))))
                    .collect(),
                secrets: secrets
                    .iter()
                    .map(|(name, value)| ((*name).into(), Private::new((*value).into())))
                    .collect(),
            };
            account.settings.insert("base_url".to_owned(), format!("{base}/{kind}"));
            account
        };
        let carriers = PEERS.iter().map(|peer| account(peer.kind, peer.settings, peer.secrets));
        let channels = [
            account(
                "wechat",
                &[("appid", keys::WECHAT_APPID), ("mode", "plain")],
                &[("token", keys::WECHAT_TOKEN), ("appsecret", keys::WECHAT_SECRET)],
            ),
            account(
                "telegram",
                &[],
                &[("bot_token", keys::TELEGRAM_TOKEN), ("webhook_secret", keys::TELEGRAM_WEBHOOK_SECRET)],
            ),
        ];
        carriers.chain(channels).collect()
    }
}
