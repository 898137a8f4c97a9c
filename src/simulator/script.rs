//! The scripts: what happens on each journey, in the wording of real carriers, with invented names and phones.
//! A scan stands at a number of minutes after the merchant shipped. Must never read a clock.

use super::journeys::{Journey, draw};
use crate::model::{Meaning, Reason, Sub};

/// A town with its province.
#[derive(Debug, PartialEq, Eq)]
pub struct City {
    /// `广东`
    pub region: &'static str,
    /// `深圳`
    pub name: &'static str,
    /// ISO country code.
    pub country: &'static str,
}

/// One scan of a script.
#[derive(Debug, Clone)]
pub struct Scan {
    /// Minutes after shipping.
    pub at: i64,
    /// What it means.
    pub meaning: Meaning,
    /// The carrier's sentence.
    pub text: String,
    /// Where.
    pub city: &'static City,
    /// Who delivers: name and phone.
    pub courier: Option<(&'static str, String)>,
    /// Where and with which code to collect.
    pub pickup: Option<(String, String)>,
    /// Who signed.
    pub signed_by: Option<&'static str>,
}

/// A journey written out for one number.
#[derive(Debug, Clone)]
pub struct Script {
    /// All scans, past and future, in time order.
    pub scans: Vec<Scan>,
    /// Minutes of the script that lie behind when the simulator starts.
    pub lead: i64,
    /// Minutes after shipping at which the carrier expects to deliver; none where it promises nothing.
    pub arrives: Option<i64>,
}

const fn city(region: &'static str, name: &'static str) -> City {
    City { region, name, country: "CN" }
}

static CITIES: [City; 12] = [
    city("广东", "深圳"),
    city("浙江", "杭州"),
    city("广东", "广州"),
    city("上海", "上海"),
    city("江苏", "南京"),
    city("北京", "北京"),
    city("四川", "成都"),
    city("湖北", "武汉"),
    city("福建", "厦门"),
    city("陕西", "西安"),
    city("山东", "青岛"),
    city("湖南", "长沙"),
];
static LOS_ANGELES: City = City { region: "California", name: "Los Angeles", country: "US" };

static OUTLETS: [&str; 8] = ["科技园", "文新路", "解放路", "朝阳门", "高新区", "人民广场", "大学城", "滨江"];
static COURIERS: [&str; 8] = ["周师傅", "陈师傅", "林师傅", "吴师傅", "郑师傅", "何师傅", "许师傅", "孙师傅"];
static STATIONS: [&str; 6] = [
    "翠园小区菜鸟驿站",
    "阳光花园菜鸟驿站",
    "和平里妈妈驿站",
    "锦绣路快递超市",
    "春江花园兔喜生活",
    "银杏苑菜鸟驿站",
];

/// Where this number travels and who carries it.
struct Road {
    from: &'static City,
    via: &'static City,
    to: &'static City,
    first_outlet: &'static str,
    last_outlet: &'static str,
    hub: &'static str,
    courier: (&'static str, String),
    station: String,
    code: String,
}

impl Road {
    fn of(number: &str) -> Self {
        let pick = |salt: u64, length: usize| draw(number, salt, length as u64) as usize;
        let from = pick(1, CITIES.len());
        // Two different steps, so that the three towns differ.
        let to = (from + 1 + pick(2, 5)) % CITIES.len();
        let via = (from + 6 + pick(3, 5)) % CITIES.len();
        let hub = match number.get(..2) {
            Some("SF") => "中转场",
            Some("JD") => "分拣中心",
            Some("JT") => "分拨中心",
            _ => "转运中心",
        };
        Self {
            from: &CITIES[from],
            via: &CITIES[via],
            to: &CITIES[to],
            first_outlet: OUTLETS[pick(4, OUTLETS.len())],
            last_outlet: OUTLETS[pick(5, OUTLETS.len())],
            hub,
            courier: (COURIERS[pick(6, COURIERS.len())], format!("1380000{:04}", 1000 + pick(7, 9000))),
            station: STATIONS[pick(8, STATIONS.len())].to_owned(),
            code: format!("{}-{}-{:04}", 1 + pick(9, 9), 1 + pick(10, 9), 1000 + pick(11, 9000)),
        }
    }
}

/// Writes a script scan by scan.
struct Pen {
    road: Road,
    scans: Vec<Scan>,
}

impl Pen {
    fn say(&mut self, at: i64, meaning: Meaning, city: &'static City, text: String) -> &mut Scan {
        let at_end = self.scans.len();
        self.scans.push(Scan { at, meaning, text, city, courier: None, pickup: None, signed_by: None });
        &mut self.scans[at_end]
    }

    fn sub(&mut self, at: i64, sub: Sub, city: &'static City, text: String) -> &mut Scan {
        self.say(at, Meaning::sub(sub), city, text)
    }

    fn shipped(&mut self) {
        let from = self.road.from;
        self.sub(0, Sub::AwaitingPickup, from, "商家已发货，等待快递员上门揽收".to_owned());
    }

    fn collected(&mut self, at: i64) {
        let (from, outlet) = (self.road.from, self.road.first_outlet);
        self.sub(at, Sub::Accepted, from, format!("【{}市】{outlet}营业部 已揽收", from.name));
    }

    fn leaves(&mut self, at: i64, from: &'static City, to: &'static City) {
        let hub = self.road.hub;
        self.sub(
            at,
            Sub::DepartedHub,
            from,
            format!("快件离开【{}{hub}】，已发往【{}{hub}】", from.name, to.name),
        );
    }

    fn reaches(&mut self, at: i64, city: &'static City) {
        let sub = if city == self.road.to { Sub::ArrivedDestinationCity } else { Sub::ArrivedHub };
        let hub = self.road.hub;
        self.sub(at, sub, city, format!("快件到达【{}{hub}】", city.name));
    }

    /// Merchant → first hub → on the line. Ends 470 minutes after shipping.
    fn sets_out(&mut self) {
        let (from, to, hub) = (self.road.from, self.road.to, self.road.hub);
        let outlet = self.road.first_outlet;
        self.shipped();
        self.collected(95);
        let text = format!("快件离开【{}{outlet}营业部】，已发往【{}{hub}】", from.name, from.name);
        self.sub(240, Sub::DepartedHub, from, text);
        self.reaches(400, from);
        self.leaves(470, from, to);
    }

    /// Last hub → outlet, `at` minutes after shipping; takes 300 minutes.
    fn comes_near(&mut self, at: i64) {
        let (to, hub, outlet) = (self.road.to, self.road.hub, self.road.last_outlet);
        self.reaches(at, to);
        let text = format!("快件离开【{}{hub}】，已发往【{}{outlet}营业部】", to.name, to.name);
        self.sub(at + 80, Sub::DepartedHub, to, text);
        self.sub(at + 300, Sub::ArrivedHub, to, format!("快件到达【{}{outlet}营业部】", to.name));
    }

    fn goes_out(&mut self, at: i64) {
        let (to, outlet) = (self.road.to, self.road.last_outlet);
        let courier = self.road.courier.clone();
        let text = format!(
            "【{}{outlet}营业部】快递员{}（电话：{}）正在为您派送，请保持电话畅通",
            to.name, courier.0, courier.1
        );
        self.sub(at, Sub::OnVehicle, to, text).courier = Some(courier);
    }

    fn is_signed(&mut self, at: i64) {
        let to = self.road.to;
        let text = "快件已签收，签收人：本人，感谢您的使用，期待再次为您服务".to_owned();
        self.sub(at, Sub::Signed, to, text).signed_by = Some("本人");
    }

    fn waits_in_station(&mut self, at: i64) {
        let (to, station, code) = (self.road.to, self.road.station.clone(), self.road.code.clone());
        let text = format!("您的快件已送达【{station}】，请凭取件码{code}及时领取，营业时间8:30-21:00");
        self.sub(at, Sub::Station, to, text).pickup = Some((code, station));
    }

    fn is_refused(&mut self, at: i64) {
        let to = self.road.to;
        let text = "收件人拒收快件，网点正在联系寄件人确认处理方式".to_owned();
        self.say(at, Meaning::exception(Reason::Refused), to, text);
    }

    fn goes_back(&mut self, at: i64) {
        let (from, to, hub) = (self.road.from, self.road.to, self.road.hub);
        let text = format!("快件已退回，正在返回寄件人，离开【{}{hub}】", to.name);
        self.sub(at, Sub::OnTheWay, to, text);
        let text = format!("退回件到达【{}{hub}】", from.name);
        self.sub(at + 1_260, Sub::OnTheWay, from, text);
    }
}

/// Minutes after shipping of the undisturbed journey.
const NEAR: i64 = 1_500;
const OUT: i64 = 1_930;
const SIGNED: i64 = 2_130;
const DAY: i64 = 1_440;

/// Writes the journey of a number.
pub fn write(journey: Journey, number: &str) -> Script {
    let mut pen = Pen { road: Road::of(number), scans: Vec::new() };
    let (lead, arrives) = match journey {
        Journey::Normal | Journey::Timeout | Journey::Error => undisturbed(&mut pen, OUT - 35),
        Journey::Disorder | Journey::Double => undisturbed(&mut pen, OUT + 60),
        Journey::Split(0) => undisturbed(&mut pen, SIGNED + 200),
        Journey::Split(1) => undisturbed(&mut pen, OUT + 40),
        Journey::Split(_) => undisturbed(&mut pen, 900),
        Journey::Slow => slow(&mut pen),
        Journey::Stalled => stalled(&mut pen),
        Journey::Returned => refused(&mut pen, 2_050 + 250 + 1_260 + 800 + 720),
        Journey::Refused => refused(&mut pen, 2_050 + 200),
        Journey::Lost => lost(&mut pen),
        Journey::Customs => customs(&mut pen),
        Journey::Pickup => pickup(&mut pen, 2_010 + 260),
        Journey::Corrected => corrected(&mut pen),
        Journey::NoData => (DAY, None),
        Journey::Ordinary => ordinary(&mut pen, number),
    };
    Script { scans: pen.scans, lead, arrives }
}

fn undisturbed(pen: &mut Pen, lead: i64) -> (i64, Option<i64>) {
    pen.sets_out();
    pen.comes_near(NEAR);
    pen.goes_out(OUT);
    pen.is_signed(SIGNED);
    (lead, Some(SIGNED))
}

fn slow(pen: &mut Pen) -> (i64, Option<i64>) {
    let (via, to) = (pen.road.via, pen.road.to);
    pen.sets_out();
    let text = "因近期货量较大，快件运输较平时有所延迟，我们正在加急处理，请您耐心等待".to_owned();
    pen.sub(2 * DAY + 300, Sub::Moving, via, text);
    pen.reaches(4 * DAY + 250, via);
    pen.leaves(4 * DAY + 420, via, to);
    pen.comes_near(6 * DAY);
    pen.goes_out(6 * DAY + 900);
    pen.is_signed(6 * DAY + 1_080);
    (4 * DAY + 980, Some(6 * DAY + 1_080))
}

fn stalled(pen: &mut Pen) -> (i64, Option<i64>) {
    let (from, to) = (pen.road.from, pen.road.to);
    pen.sets_out();
    pen.scans.pop();
    pen.leaves(7 * DAY, from, to);
    pen.comes_near(8 * DAY);
    pen.goes_out(8 * DAY + 500);
    pen.is_signed(8 * DAY + 650);
    (400 + 4 * DAY + 95, None)
}

/// Refused at the door, then back to the sender.
fn refused(pen: &mut Pen, lead: i64) -> (i64, Option<i64>) {
    pen.sets_out();
    pen.comes_near(NEAR);
    pen.goes_out(OUT);
    pen.is_refused(2_050);
    // A parcel that is only refused when asked waits a day longer for the sender's word.
    let back = if lead > 2_050 + 1_000 { 2_050 + 250 } else { 2_050 + DAY };
    pen.goes_back(back);
    let from = pen.road.from;
    let text = "快件已退回寄件人，退回签收，签收人：寄件人".to_owned();
    pen.sub(back + 1_260 + 800, Sub::ToSender, from, text).signed_by = Some("寄件人");
    (lead, None)
}

fn lost(pen: &mut Pen) -> (i64, Option<i64>) {
    let via = pen.road.via;
    pen.sets_out();
    let text = "快件运输途中多日未更新，已安排专人查找，请您耐心等待".to_owned();
    pen.say(3 * DAY, Meaning::exception(Reason::Investigation), via, text);
    let text = "经核实，快件在运输途中遗失，请联系寄件商家办理补发或理赔".to_owned();
    pen.sub(6 * DAY, Sub::Lost, via, text);
    (6 * DAY + 700, None)
}

fn customs(pen: &mut Pen) -> (i64, Option<i64>) {
    let (to, here) = (pen.road.to, &LOS_ANGELES);
    let airport = |what: &str| format!("{what}【{}国际机场】", to.name);
    pen.sub(0, Sub::LabelCreated, here, "Shipment information received".to_owned());
    pen.sub(600, Sub::Accepted, here, "Picked up by carrier, Los Angeles, CA, US".to_owned());
    pen.sub(800, Sub::ArrivedHub, here, "Arrived at export facility, Los Angeles, CA, US".to_owned());
    let text = "Departed from Los Angeles International Airport (LAX)".to_owned();
    pen.sub(1_150, Sub::DepartedOriginCountry, here, text);
    pen.sub(2_300, Sub::ArrivedDestinationCountry, to, airport("航班已抵达"));
    pen.sub(2_500, Sub::CustomsPresented, to, "快件已提交海关申报，等待清关 Presented to customs".to_owned());
    pen.sub(2_800, Sub::CustomsInspection, to, "快件海关查验中 Customs inspection in progress".to_owned());
    let text = "快件被海关扣留待查，清关时间请以海关通知为准 Held by customs".to_owned();
    pen.say(3_100, Meaning::exception(Reason::CustomsHold), to, text);
    pen.sub(3_100 + 3 * DAY, Sub::CustomsReleased, to, "海关已放行，清关完成 Released by customs".to_owned());
    pen.comes_near(3_100 + 3 * DAY + 400);
    pen.goes_out(3_100 + 4 * DAY);
    pen.is_signed(3_100 + 4 * DAY + 190);
    (3_100 + 1_300, None)
}

fn pickup(pen: &mut Pen, lead: i64) -> (i64, Option<i64>) {
    pen.sets_out();
    pen.comes_near(NEAR);
    pen.goes_out(OUT);
    pen.waits_in_station(2_010);
    let (to, station) = (pen.road.to, pen.road.station.clone());
    let text = format!("您已在【{station}】完成取件，取件成功，感谢使用");
    pen.sub(2_010 + 1_600, Sub::Collected, to, text).signed_by = Some("本人");
    (lead, None)
}

fn corrected(pen: &mut Pen) -> (i64, Option<i64>) {
    pen.sets_out();
    pen.comes_near(NEAR);
    pen.goes_out(OUT);
    let (to, courier) = (pen.road.to, pen.road.courier.clone());
    let text = "快件已签收，签收人：门卫，如有疑问请联系快递员".to_owned();
    pen.sub(SIGNED, Sub::SignedByOther, to, text).signed_by = Some("门卫");
    let text = "此前的签收为误操作，已撤销签收，快递员正在重新为您派送".to_owned();
    pen.sub(SIGNED + 70, Sub::OnVehicle, to, text).courier = Some(courier);
    pen.is_signed(SIGNED + 250);
    (SIGNED + 300, None)
}

/// Somewhere in a usual life: mostly undisturbed, some in a station, some missed at the door, some late.
fn ordinary(pen: &mut Pen, number: &str) -> (i64, Option<i64>) {
    let somewhere = |from: i64, to: i64| from + draw(number, 20, (to - from).unsigned_abs()) as i64;
    match draw(number, 21, 100) {
        0..=3 => undisturbed(pen, somewhere(10, 90)),
        4..=71 => undisturbed(pen, somewhere(100, SIGNED + DAY)),
        72..=83 => pickup(pen, somewhere(2_020, 2_010 + 1_500)),
        84..=90 => {
            let lead = somewhere(2_060, 2_050 + 900);
            missed(pen, lead)
        }
        _ => slow(pen),
    }
}

fn missed(pen: &mut Pen, lead: i64) -> (i64, Option<i64>) {
    pen.sets_out();
    pen.comes_near(NEAR);
    pen.goes_out(OUT);
    let to = pen.road.to;
    let text = "派送不成功（联系不上收件人），将于次日再次派送".to_owned();
    pen.sub(2_050, Sub::Unreachable, to, text);
    pen.goes_out(OUT + DAY);
    pen.is_signed(SIGNED + DAY);
    (lead, Some(SIGNED + DAY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Status;

    #[test]
    fn a_script_runs_forward_and_its_past_is_never_empty() {
        for number in 0..400 {
            let number = format!("YT88{number:09}{:02}", number % 18);
            let journey = Journey::of(&number);
            let script = write(journey, &number);
            assert!(script.scans.is_sorted_by_key(|scan| scan.at), "{number} {journey:?}");
            let past = script.scans.iter().filter(|scan| scan.at <= script.lead).count();
            assert_eq!(past == 0, journey == Journey::NoData, "{number} {journey:?}");
        }
    }

    #[test]
    fn each_journey_shows_its_telling_state_at_the_start() {
        for (name, status) in [
            ("NORMAL", Status::InTransit),
            ("SLOW", Status::InTransit),
            ("STALLED", Status::InTransit),
            ("RETURNED", Status::Returned),
            ("REFUSED", Status::Exception),
            ("LOST", Status::Lost),
            ("CUSTOMS", Status::Exception),
            ("PICKUP", Status::ReadyForPickup),
            ("CORRECTED", Status::Delivered),
            ("DISORDER", Status::OutForDelivery),
        ] {
            let number = format!("SIM{name}0001");
            let script = write(Journey::of(&number), &number);
            let last = script.scans.iter().rfind(|scan| scan.at <= script.lead).unwrap();
            assert_eq!(last.meaning.status, status, "{name}: {}", last.text);
        }
    }

    #[test]
    fn a_road_has_three_towns() {
        for number in 0..200 {
            let road = Road::of(&format!("YT{number}"));
            assert!(road.from != road.to && road.from != road.via && road.to != road.via, "{number}");
        }
    }
}
