//! WeChat: from the platform's signed bytes to what the buyer reads, in time or as a customer-service message.

use crate::world::{Door, LIMIT, Reply, TAIL, World, person, within};
use aes::Aes256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use sha1::{Digest as _, Sha1};
use std::time::{Duration, Instant};
use yishi::simulator::{Outage, keys};

const YTO: (&str, &str) = ("yto", "YT8816042739501");
const SLOW: (&str, &str) = ("deppon", "DPK3620194837517");

/// WeChat's server as it posts for one follower.
pub struct Follower {
    pub door: Door,
    pub account: String,
    pub openid: String,
    pub time: i64,
}

/// Signs as the platform does: the parts sorted, joined, hashed.
pub fn signature(parts: &[&str]) -> String {
    let mut parts = parts.to_vec();
    parts.sort_unstable();
    hex::encode(Sha1::digest(parts.concat().as_bytes()))
}

pub fn follower(world: &World, account: &str, openid: &str) -> Follower {
    let time = jiff::Timestamp::as_second(yishi::wire::Clock::now(world.clock.as_ref()));
    Follower { door: world.door(), account: account.into(), openid: openid.into(), time }
}

impl Follower {
    fn path(&self, signature: &str, more: &str) -> String {
        format!("/hooks/wechat/{}?signature={signature}&timestamp={}&nonce=77{more}", self.account, self.time)
    }

    pub fn sign(&self) -> String {
        signature(&[keys::WECHAT_TOKEN, &self.time.to_string(), "77"])
    }

    pub fn body(&self, inner: &str) -> String {
        format!(
            "<xml><ToUserName><![CDATA[gh_shop]]></ToUserName><FromUserName><![CDATA[{}]]></FromUserName>\
             <CreateTime>{}</CreateTime>{inner}</xml>",
            self.openid, self.time
        )
    }

    pub fn text_body(&self, id: u64, text: &str) -> String {
        self.body(&format!(
            "<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{text}]]></Content><MsgId>{id}</MsgId>"
        ))
    }

    fn event_body(&self, event: &str, key: &str) -> String {
        self.body(&format!(
            "<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{event}]]></Event>\
             <EventKey><![CDATA[{key}]]></EventKey>"
        ))
    }

    pub async fn post(&self, body: String) -> Reply {
        self.door.post(&self.path(&self.sign(), ""), &[("content-type", "text/xml")], body).await
    }

    pub async fn posts(&self, id: u64, text: &str) -> Reply {
        self.post(self.text_body(id, text)).await
    }

    /// Writes in plain mode; what the buyer reads, empty where nothing is said now.
    pub async fn says(&self, id: u64, text: &str) -> String {
        content(&self.posts(id, text).await)
    }

    async fn event(&self, event: &str, key: &str) -> String {
        content(&self.post(self.event_body(event, key)).await)
    }

    /// Posts encrypted, as in compat and safe mode.
    async fn sealed(&self, body: &str) -> Reply {
        let encrypt = seal(body);
        let signed = signature(&[keys::WECHAT_TOKEN, &self.time.to_string(), "77", &encrypt]);
        let path = self.path(&self.sign(), &format!("&openid=x&encrypt_type=aes&msg_signature={signed}"));
        let outer = format!(
            "<xml><ToUserName><![CDATA[gh_shop]]></ToUserName><Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>"
        );
        self.door.post(&path, &[("content-type", "text/xml")], outer).await
    }
}

/// One field of the reply's XML.
fn field<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let inner = xml.split_once(&format!("<{name}>"))?.1.split_once(&format!("</{name}>"))?.0;
    Some(inner.strip_prefix("<![CDATA[").and_then(|inner| inner.strip_suffix("]]>")).unwrap_or(inner))
}

/// What the buyer reads.
pub fn content(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let text = reply.text();
    if text == "success" {
        return String::new();
    }
    field(&text, "Content").unwrap_or_else(|| panic!("no content in {text}")).to_owned()
}

fn key() -> [u8; 32] {
    // Read here by the alphabet itself: the last character's low bits are thrown away.
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut key) = (0_u32, 0, Vec::new());
    for byte in crate::world::AES_KEY.bytes() {
        bits = (bits << 6) | alphabet.iter().position(|known| *known == byte).unwrap() as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            key.push((bits >> count) as u8);
        }
    }
    key.try_into().unwrap()
}

fn seal(message: &str) -> String {
    let mut plain = b"0123456789abcdef".to_vec();
    plain.extend((message.len() as u32).to_be_bytes());
    plain.extend(message.as_bytes());
    plain.extend(keys::WECHAT_APPID.as_bytes());
    let pad = 32 - plain.len() % 32;
    plain.extend(std::iter::repeat_n(pad as u8, pad));
    let key = key();
    let cipher = cbc::Encryptor::<Aes256>::new(&key.into(), key[..16].try_into().unwrap());
    STANDARD.encode(cipher.encrypt_padded_vec::<NoPadding>(&plain))
}

fn unseal(encrypt: &str) -> String {
    let key = key();
    let cipher = cbc::Decryptor::<Aes256>::new(&key.into(), key[..16].try_into().unwrap());
    let plain = cipher.decrypt_padded_vec::<NoPadding>(&STANDARD.decode(encrypt).unwrap()).unwrap();
    let length = u32::from_be_bytes(plain[16..20].try_into().unwrap()) as usize;
    assert!(plain[20 + length..].starts_with(keys::WECHAT_APPID.as_bytes()));
    String::from_utf8(plain[20..20 + length].to_vec()).unwrap()
}

/// A follower who owns one order whose parcel is known.
async fn one_order(world: &World, account: &str, openid: &str) -> Follower {
    let owner = person("wechat", account, openid);
    world.synced("demo", "A1001", "青瓷茶具", &[YTO], &[owner]).await;
    follower(world, account, openid)
}

#[tokio::test]
async fn the_platform_verifies_our_address() {
    let world = World::new().await;
    for account in ["demo", "compat", "safe"] {
        let platform = follower(&world, account, "-");
        let good = platform.path(&platform.sign(), "&echostr=5927782489442352469");
        let reply = platform.door.get(&good, &[]).await;
        assert_eq!((reply.status, reply.text().as_str()), (200, "5927782489442352469"), "{account}");
        let forged = platform.path(&platform.sign().replace(['0', '1'], "2"), "&echostr=592778");
        let reply = platform.door.get(&forged, &[]).await;
        assert_eq!(reply.status, 403);
        assert!(!reply.text().contains("592778"));
    }
    assert_eq!(world.door().get("/hooks/wechat/unknown?echostr=1", &[]).await.status, 404);
}

#[tokio::test]
async fn a_question_is_answered_inline_with_number_status_and_age() {
    let world = World::new().await;
    one_order(&world, "demo", "o-anna").await;
    world.advance(Duration::from_secs(6 * 60));
    let answer = follower(&world, "demo", "o-anna").says(1, "我的快递到哪了").await;
    assert!(answer.contains("YT8816042739501") && answer.contains("青瓷茶具"), "{answer}");
    assert!(answer.contains("运输中") || answer.contains("派送中"), "{answer}");
    assert!(answer.contains("6 分钟前"), "{answer}");
    assert!(answer.contains("快递100"), "the source: {answer}");
    world.quiet().await;
    assert!(world.wechat_sent("o-anna").is_empty(), "said once");
}

#[tokio::test]
async fn the_platforms_retry_gets_the_same_answer_and_changes_nothing() {
    let world = World::new().await;
    let buyer = one_order(&world, "demo", "o-anna").await;
    let first = buyer.says(7, "帮我催一下快递").await;
    assert!(first.contains("青瓷茶具"), "{first}");
    assert_eq!(world.requests("demo", "urge").await, 1);
    world.advance(Duration::from_secs(5));
    assert_eq!(buyer.says(7, "帮我催一下快递").await, first);
    world.advance(Duration::from_secs(5));
    assert_eq!(buyer.says(7, "帮我催一下快递").await, first);
    assert_eq!(world.requests("demo", "urge").await, 1, "the merchant sees it once");
    world.quiet().await;
    assert!(world.wechat_sent("o-anna").is_empty());
}

#[tokio::test]
async fn retries_at_the_same_moment_get_one_answer() {
    let world = World::new().await;
    let buyer = one_order(&world, "demo", "o-anna").await;
    let (a, b, c) =
        tokio::join!(buyer.says(7, "催一下快递"), buyer.says(7, "催一下快递"), buyer.says(7, "催一下快递"));
    assert!(!a.is_empty() && a == b && b == c, "{a}\n{b}\n{c}");
    assert_eq!(world.requests("demo", "urge").await, 1);
}

#[tokio::test]
async fn a_retry_after_a_restart_gets_the_same_answer() {
    let mut world = World::on_disk().await;
    let first = one_order(&world, "demo", "o-anna").await.says(7, "快递到哪了").await;
    world.restart().await;
    assert_eq!(follower(&world, "demo", "o-anna").says(7, "快递到哪了").await, first);
}

#[tokio::test]
async fn compat_mode_answers_in_kind() {
    let world = World::new().await;
    let buyer = one_order(&world, "compat", "o-anna").await;
    let reply = buyer.sealed(&buyer.text_body(1, "我的快递到哪了")).await;
    let outer = reply.text();
    let encrypt = field(&outer, "Encrypt").unwrap_or_else(|| panic!("{outer}"));
    let (time, nonce) = (field(&outer, "TimeStamp").unwrap(), field(&outer, "Nonce").unwrap());
    let expected = signature(&[keys::WECHAT_TOKEN, time, nonce, encrypt]);
    assert_eq!(field(&outer, "MsgSignature"), Some(expected.as_str()));
    let inner = unseal(encrypt);
    assert_eq!(field(&inner, "ToUserName"), Some("o-anna"));
    assert!(field(&inner, "Content").unwrap().contains("YT8816042739501"), "{inner}");
    // A message that comes plain is answered plain.
    assert!(buyer.says(2, "我的快递到哪了").await.contains("YT8816042739501"));
}

#[tokio::test]
async fn safe_mode_takes_nothing_plain() {
    let world = World::new().await;
    let buyer = one_order(&world, "safe", "o-anna").await;
    let reply = buyer.sealed(&buyer.text_body(1, "我的快递到哪了")).await;
    let inner = unseal(field(&reply.text(), "Encrypt").unwrap());
    assert!(inner.contains("YT8816042739501"), "{inner}");
    // Correctly signed for plain mode, and yet not from the platform: whoever saw one address could replay its query.
    let plain = buyer.posts(2, "我的快递到哪了").await;
    assert_eq!(plain.status, 403);
    assert!(!plain.text().contains("YT8816042739501"));
    // A stolen signature over another text.
    let good = seal(&buyer.text_body(3, "到哪了"));
    let signed = signature(&[keys::WECHAT_TOKEN, &buyer.time.to_string(), "77", &good]);
    let path = buyer.path(&buyer.sign(), &format!("&encrypt_type=aes&msg_signature={signed}"));
    let other = seal(&buyer.text_body(4, "到哪了?"));
    let body = format!("<xml><ToUserName>gh</ToUserName><Encrypt>{other}</Encrypt></xml>");
    assert_eq!(buyer.door.post(&path, &[], body).await.status, 403);
}

#[tokio::test]
async fn followers_come_tap_scan_and_go() {
    let world = World::on_disk().await;
    let mut buyer = one_order(&world, "demo", "o-anna").await;
    let hello = buyer.event("subscribe", "").await;
    assert!(hello.contains("小店 demo"), "{hello}");
    buyer.time += 1;
    assert!(buyer.event("CLICK", "i:track").await.contains("YT8816042739501"));
    buyer.time += 1;
    let scanned = buyer.event("SCAN", "scene-1").await;
    assert!(scanned.contains("小店 demo"), "{scanned}");
    buyer.time += 1;
    assert_eq!(buyer.event("VIEW", "http://shop.example").await, "", "nobody asked anything");

    // Whoever goes is forgotten, and comes back as a stranger.
    buyer.time += 1;
    assert_eq!(buyer.event("unsubscribe", "").await, "");
    let order = world.intake.records.order("demo", "A1001").await.unwrap().value.unwrap();
    assert_eq!(order.buyer, yishi::model::order::Buyer::default());
    buyer.time += 1;
    buyer.event("subscribe", "").await;
    let answer = buyer.says(9, "我的快递到哪了").await;
    assert!(!answer.contains("YT8816042739501") && !answer.contains("青瓷茶具"), "{answer}");
}

/// A code with a signed order link in its scene: the buyer scans it and knows.
#[tokio::test]
async fn a_scanned_order_link_opens_its_order_and_nothing_else_does() {
    let world = World::new().await;
    world.synced("demo", "A1001", "青瓷茶具", &[YTO], &[]).await;
    world.synced("other", "A1001", "别家茶具", &[YTO], &[]).await;
    let shop = crate::api::client(&world, "demo");
    let made = shop.post("/api/v1/orders/A1001/links", serde_json::json!({"days": 7})).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let link = made.json()["link"].as_str().unwrap().to_owned();
    assert!(link.len() <= 64, "a scene has 64 characters");
    assert_eq!(made.json()["until"], "2026-03-09T04:00:00Z");

    let buyer = follower(&world, "demo", "o-new");
    let answer = buyer.event("subscribe", &format!("qrscene_{link}")).await;
    assert!(answer.contains("茶具") && answer.contains("YT8816042739501"), "{answer}");
    let again = buyer.says(1, "到哪了").await;
    assert!(again.contains("YT8816042739501"), "it stays theirs: {again}");
    // Who scans a code that is no link of this shop's is welcome, and sees nothing.
    for (account, scene) in [("other", link.as_str()), ("demo", "order-7"), ("demo", &link[1..])] {
        let stranger = follower(&world, account, "o-stranger");
        let hello = stranger.event("SCAN", scene).await;
        assert!(!hello.is_empty() && !hello.contains("茶具") && !hello.contains("YT88"), "{hello}");
    }
    world.advance(Duration::from_secs(8 * 24 * 3600));
    let late = follower(&world, "demo", "o-late");
    assert!(!late.event("SCAN", &link).await.contains("茶具"), "it is over");
    assert_eq!(shop.post("/api/v1/orders/NONE/links", serde_json::json!({})).await.status, 404);
}

#[tokio::test]
async fn going_while_an_answer_is_made_forgets_all_the_same() {
    let world = World::new().await;
    let buyer = one_order(&world, "demo", "o-anna").await;
    for round in 0..20_i64 {
        let going = Follower { time: buyer.time + 1 + round, ..follower(&world, "demo", "o-anna") };
        tokio::join!(buyer.says(100 + round as u64, "你好"), going.event("unsubscribe", ""));
        let address = person("wechat", "demo", "o-anna");
        let chat = world.intake.records.chat("demo", &address).await.unwrap().value.unwrap_or_default();
        assert!(chat.bound.is_empty(), "round {round}: still bound after leaving");
        world.synced("demo", "A1001", "青瓷茶具", &[YTO], &[address]).await;
    }
}

#[tokio::test]
async fn a_wrong_or_old_signature_is_refused_and_nothing_is_kept() {
    let world = World::new().await;
    let buyer = one_order(&world, "demo", "o-anna").await;
    let body = buyer.text_body(1, "帮我催一下快递");
    let (time, wrong) = (buyer.time.to_string(), "0".repeat(40));
    let old = (buyer.time - 3_600).to_string();
    let old_signature = signature(&[keys::WECHAT_TOKEN, &old, "77"]);
    for query in [
        format!("signature={wrong}&timestamp={time}&nonce=77"),
        format!("timestamp={time}&nonce=77"),
        format!("signature={}&timestamp={time}&nonce=78", buyer.sign()),
        format!("signature={old_signature}&timestamp={old}&nonce=77"),
        String::new(),
    ] {
        let reply = buyer.door.post(&format!("/hooks/wechat/demo?{query}"), &[], body.clone()).await;
        assert_eq!(reply.status, 403, "{query}");
        assert!(!reply.text().contains(keys::WECHAT_TOKEN));
    }
    assert_eq!(world.requests("demo", "urge").await, 0);
}

#[tokio::test]
async fn a_slow_carrier_with_nothing_stored_gives_one_answer_by_another_way() {
    let world = World::new().await;
    let owner = person("wechat", "demo", "o-slow");
    world.order("demo", "A1002", "折叠椅", &[SLOW], &[owner]).await;
    let buyer = follower(&world, "demo", "o-slow");
    let asked = Instant::now();
    let first = async {
        let reply = buyer.posts(1, "我的快递到哪了").await;
        assert_eq!(reply.text(), "success");
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    };
    // The platform asks again while the first try still waits, and once more after it.
    let second = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        buyer.posts(1, "我的快递到哪了").await
    };
    let ((), second) = tokio::join!(first, second);
    assert_eq!(second.text(), "success");
    assert_eq!(buyer.posts(1, "我的快递到哪了").await.text(), "success");
    let sent = world
        .until(|| {
            let sent = world.wechat_sent("o-slow");
            (!sent.is_empty()).then_some(sent)
        })
        .await;
    assert!(asked.elapsed() > Duration::from_secs(11) && asked.elapsed() < LIMIT, "{:?}", asked.elapsed());
    assert!(sent[0].contains("DPK3620194837517") && sent[0].contains("折叠椅"), "{sent:?}");
    world.quiet().await;
    assert_eq!(buyer.says(1, "我的快递到哪了").await, "", "a retry after the answer says nothing more");
    world.quiet().await;
    assert_eq!(world.wechat_sent("o-slow").len(), 1, "exactly one message");
    assert_eq!(world.simulator.times_asked(SLOW.1), 1, "the carrier was asked once");
}

#[tokio::test]
async fn old_facts_are_told_with_their_age_while_every_carrier_is_down() {
    let world = World::new().await;
    one_order(&world, "demo", "o-anna").await;
    // A check that is under way, or falls due in between, would bring news: first all of them, then the outage, then the
    // time.
    world.checked().await;
    world.simulator.set_outage(Some(Outage::Down));
    world.advance(Duration::from_secs(3 * 3600));
    for (id, outage) in [(1, Outage::Down), (2, Outage::Slow(Duration::from_secs(12)))] {
        world.simulator.set_outage(Some(outage));
        let buyer = follower(&world, "demo", "o-anna");
        let asked = Instant::now();
        let answer = buyer.says(id, "我的快递到哪了").await;
        assert!(asked.elapsed() < Duration::from_secs(3), "{outage:?} {:?}", asked.elapsed());
        assert!(answer.contains("YT8816042739501") && answer.contains("3 小时前"), "{outage:?} {answer}");
    }
    world.quiet().await;
    assert!(world.wechat_sent("o-anna").is_empty(), "nothing follows");
}

#[tokio::test]
async fn order_number_and_phone_tail_open_the_order() {
    let world = World::new().await;
    world.synced("demo", "A1001", "青瓷茶具", &[YTO], &[]).await;
    let buyer = follower(&world, "demo", "o-new");
    let asks = buyer.says(1, "我的快递到哪了").await;
    assert!(asks.contains("订单号") && !asks.contains("茶具"), "{asks}");
    let asks = buyer.says(2, "A1001").await;
    assert!(asks.contains("后四位") && !asks.contains("茶具"), "{asks}");
    let answer = buyer.says(3, TAIL).await;
    assert!(answer.contains("YT8816042739501"), "{answer}");
    let again = buyer.says(4, "到哪了").await;
    assert!(again.contains("YT8816042739501"), "{again}");
}

#[tokio::test]
async fn a_halved_question_is_read_whole() {
    let world = World::new().await;
    let buyer = one_order(&world, "demo", "o-anna").await;
    // The second half is sent as soon as the first is stored.
    let halves = async {
        within(async {
            while world.intake.live.count() == 0 {
                tokio::task::yield_now().await;
            }
            let address = person("wechat", "demo", "o-anna");
            while world
                .intake
                .records
                .chat("demo", &address)
                .await
                .unwrap()
                .value
                .is_none_or(|c| c.fragment.is_none())
            {
                tokio::task::yield_now().await;
            }
        })
        .await;
        buyer.says(2, "快递到哪了").await
    };
    let (first, second) = tokio::join!(buyer.says(1, "我想问下"), halves);
    assert_eq!(first, "", "one answer, to the whole");
    assert!(second.contains("YT8816042739501"), "{second}");
    let alone = buyer.says(3, "我想问下").await;
    assert!(!alone.is_empty(), "a half that stays alone is answered after its wait");
}
