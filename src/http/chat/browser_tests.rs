//! The chat page in a real browser, with an engine of paper behind it.

#[path = "../../../tests/it/browser.rs"]
mod browser;

use super::fake::FakeDoor;
use super::router;
use crate::model::{ChatMessage, From, Shown};
use browser::{Browser, ENTER, ESCAPE};
use serde_json::json;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

async fn site() -> (Arc<FakeDoor>, String) {
    let door = FakeDoor::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = router(door.clone(), CancellationToken::new());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (door, address)
}

const READY: &str = "document.querySelector('#chat').dataset.ready !== undefined";

/// Who said what, in the order shown.
async fn said(browser: &Browser) -> Vec<String> {
    let script = "return [...document.querySelectorAll('#log [data-id]')].map((one) => \
                  one.dataset.from + ':' + one.querySelector('.bubble').textContent.slice(0, 8))";
    let list = browser.script(script).await;
    list.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_asks_chooses_reloads_and_goes_on_after_a_dead_network() {
    let Some(browser) = Browser::start(900, 1000, "zh-CN").await else { return };
    let (door, address) = site().await;
    browser.open(&format!("{address}/chat/demo")).await;
    browser.wait(READY).await;
    assert_eq!(browser.script("return document.activeElement.id").await, "text");
    assert_eq!(browser.script("return document.querySelectorAll('#quick button').length").await, 4);

    // Ask.
    browser.keys("#text", &format!("我的快递到哪了{ENTER}")).await;
    browser.wait("document.querySelector('.parcel')").await;
    let card = browser.text(".parcel").await;
    assert!(card.contains("运输中") && card.contains("SF0000000000018"), "{card}");
    assert!(!card.contains("商家已下单"), "the timeline is short at first: {card}");
    browser.click(".parcel .expand").await;
    assert!(browser.text(".parcel").await.contains("商家已下单"));

    // Choose.
    browser.click(".choices button").await;
    browser.wait("document.querySelectorAll('.parcel').length === 2").await;
    assert_eq!(browser.script("return document.querySelectorAll('.choices button:enabled').length").await, 0);

    // Reload: the whole history, once.
    let before = said(&browser).await;
    assert_eq!(before.len(), 4);
    browser.reload().await;
    browser.wait(READY).await;
    assert_eq!(said(&browser).await, before);

    // Without a network: kept, told so, and sent in order when it is back; what came meanwhile is fetched.
    browser.offline(true).await;
    browser.keys("#text", &format!("什么时候能到{ENTER}")).await;
    browser.keys("#text", &format!("转人工{ENTER}")).await;
    browser.wait("document.querySelectorAll('.message.waiting .stamp').length === 2").await;
    browser.wait("!document.querySelector('#offline').hidden").await;
    let blocks = vec![Shown::Text { text: "同事来了".into() }];
    let message = ChatMessage { id: "p".into(), at: jiff::Timestamp::now(), from: From::Staff, blocks };
    door.push("demo", "s1", message);
    browser.offline(false).await;
    browser.wait("document.querySelectorAll('#log [data-id]').length === 9").await;
    let after = said(&browser).await;
    assert_eq!(after[..4], before[..]);
    assert_eq!(after[4], "staff:同事来了");
    assert!(after[5].starts_with("buyer:什么时候能到") && after[7].starts_with("buyer:转人工"), "{after:?}");
    assert_eq!(browser.script("return document.querySelectorAll('.stamp').length").await, 0);
    let errors = browser.errors().await;
    assert!(errors.iter().all(|error| error.contains("ERR_INTERNET_DISCONNECTED")), "{errors:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_widget_opens_counts_what_is_unread_and_closes_by_escape() {
    let Some(browser) = Browser::start(1000, 900, "en-GB").await else { return };
    let (door, address) = site().await;
    // The shop's page comes from another origin and forbids inline styles and scripts.
    let html = format!(
        "<!doctype html><title>shop</title><h1>Tea</h1><script async src=\"{address}/widget.js\" data-shop=\"demo\"></script>"
    );
    let policy =
        format!("default-src 'none'; script-src {address}; connect-src {address}; frame-src {address}");
    let page = axum::Router::new().route(
        "/",
        axum::routing::get(move || {
            let answer = ([("content-security-policy", policy.clone())], axum::response::Html(html.clone()));
            async move { answer }
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let shop = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move { axum::serve(listener, page).await });

    browser.open(&shop).await;
    let launcher = "document.querySelector('body > div').shadowRoot.querySelector('.launcher')";
    browser.wait(&format!("window.yishi && {launcher}.ariaLabel")).await;
    assert_eq!(browser.script(&format!("return {launcher}.ariaLabel")).await, "Where is my parcel?");
    browser.script("addEventListener('yishi:ready', () => { window.frameReady = true })").await;
    browser.script(&format!("{launcher}.click()")).await;
    browser.wait("window.frameReady").await;
    browser.wait(&format!("{launcher}.ariaExpanded === 'true'")).await;

    browser.widget_frame(true).await;
    browser.wait(READY).await;
    browser.wait("document.activeElement.id === 'text'").await;
    browser.keys("#text", &format!("where is my parcel{ENTER}")).await;
    browser.wait("document.querySelector('.parcel')").await;
    browser.keys("#text", ESCAPE).await;
    browser.widget_frame(false).await;
    browser.wait(&format!("{launcher}.ariaExpanded === 'false'")).await;
    assert_eq!(
        browser
            .script("return document.querySelector('body > div').shadowRoot.activeElement.className")
            .await,
        "launcher"
    );
    let blocks = vec![Shown::Text { text: "It is here.".into() }];
    door.push(
        "demo",
        "s1",
        ChatMessage { id: "p".into(), at: jiff::Timestamp::now(), from: From::Bot, blocks },
    );
    browser.wait(&format!("{launcher}.ariaLabel.includes('1')")).await;
    assert_eq!(browser.script(&format!("return {launcher}.textContent")).await, json!("1"));
    browser.script("yishi.toggle()").await;
    browser.wait(&format!("{launcher}.ariaLabel === 'Close'")).await;
    assert_eq!(browser.errors().await, Vec::<String>::new());
}
