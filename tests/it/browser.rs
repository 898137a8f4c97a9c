//! A headless Chromium, steered over plain HTTP (W3C WebDriver), for tests that look at a page as a person does.
//! Without `chromedriver` a test is skipped, with `CI=true` it fails.
#![allow(clippy::print_stderr, dead_code)]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The key that WebDriver gives element references under.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Types Enter in [`Browser::keys`].
pub const ENTER: &str = "\u{e007}";
/// Types Escape.
pub const ESCAPE: &str = "\u{e00c}";

/// One browser with one window; closed when dropped.
pub struct Browser {
    driver: Child,
    http: reqwest::Client,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one with a fresh profile, a window of this size and this language. `None`: not installed here.
    pub async fn start(width: u32, height: u32, language: &str) -> Option<Self> {
        let driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut driver = match driver {
            Ok(driver) => driver,
            Err(error) if std::env::var_os("CI").is_none() => {
                eprintln!("skipped, chromedriver: {error}");
                return None;
            }
            Err(error) => panic!("chromedriver is needed when CI is set: {error}"),
        };
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines
            .filter(|line| line.contains("started successfully"))
            .find_map(|line| line.rsplit(' ').next()?.trim_end_matches('.').parse::<u16>().ok())
            .expect("chromedriver names its port");
        let profile = tempfile::tempdir().unwrap();
        let mut arguments: Vec<String> = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            // Nothing is clicked while it moves.
            "--force-prefers-reduced-motion",
        ]
        .map(str::to_owned)
        .to_vec();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        arguments.push(format!("--window-size={width},{height}"));
        let options = json!({"args": arguments, "prefs": {"intl.accept_languages": language}});
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap();
        let base = format!("http://127.0.0.1:{port}/session");
        let mut browser = Self { driver, http, session: base.clone(), _profile: profile };
        let made = browser.call("", Some(capabilities)).await;
        browser.session = format!("{base}/{}", made["sessionId"].as_str().unwrap());
        Some(browser)
    }

    async fn call(&self, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}{path}", self.session);
        let request = match body {
            Some(body) => self.http.post(url).json(&body),
            None => self.http.get(url),
        };
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        let error = &answer["value"]["error"];
        assert!(error.is_null(), "{path}: {error}: {}", answer["value"]["message"]);
        answer["value"].clone()
    }

    /// Opens an address and waits until it is loaded.
    pub async fn open(&self, url: &str) {
        self.call("/url", Some(json!({"url": url}))).await;
    }

    /// Loads the page anew.
    pub async fn reload(&self) {
        self.call("/refresh", Some(json!({}))).await;
    }

    /// What a script returns.
    pub async fn script(&self, script: &str) -> Value {
        self.call("/execute/sync", Some(json!({"script": script, "args": []}))).await
    }

    /// Waits until an expression is true; ten seconds at most.
    pub async fn wait(&self, expression: &str) {
        let end = Instant::now() + Duration::from_secs(10);
        while self.script(&format!("return Boolean({expression})")).await != json!(true) {
            assert!(Instant::now() < end, "never came true: {expression}\n{}", self.text("body").await);
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    async fn element(&self, css: &str) -> String {
        let found = self.call("/element", Some(json!({"using": "css selector", "value": css}))).await;
        format!("/element/{}", found[ELEMENT].as_str().unwrap())
    }

    /// Clicks the first element that matches, as a person would: it must be visible and not covered.
    pub async fn click(&self, css: &str) {
        self.call(&format!("{}/click", self.element(css).await), Some(json!({}))).await;
    }

    /// Types into the first element that matches.
    pub async fn keys(&self, css: &str, text: &str) {
        self.call(&format!("{}/value", self.element(css).await), Some(json!({"text": text}))).await;
    }

    /// The text that a person sees of the first element that matches.
    pub async fn text(&self, css: &str) -> String {
        let text = self.script(&format!("return document.querySelector({}).innerText", json!(css))).await;
        text.as_str().unwrap().to_owned()
    }

    /// Goes into the frame of the chat widget, or back out of it.
    pub async fn widget_frame(&self, inside: bool) {
        let frame = if inside {
            self.script("return document.querySelector('body > div').shadowRoot.querySelector('iframe')")
                .await
        } else {
            Value::Null
        };
        self.call("/frame", Some(json!({"id": frame}))).await;
    }

    /// Cuts the page's network off, or gives it back.
    pub async fn offline(&self, offline: bool) {
        let conditions =
            json!({"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        for (command, parameters) in
            [("Network.enable", json!({})), ("Network.emulateNetworkConditions", conditions)]
        {
            self.call("/goog/cdp/execute", Some(json!({"cmd": command, "params": parameters}))).await;
        }
    }

    /// Errors on the page's console since the last call: scripts that failed, refused by the policy, not found.
    pub async fn errors(&self) -> Vec<String> {
        let log = self.call("/se/log", Some(json!({"type": "browser"}))).await;
        let severe = log.as_array().unwrap().iter().filter(|entry| entry["level"] == "SEVERE");
        severe.map(|entry| entry["message"].as_str().unwrap_or("").to_owned()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver's own ending takes its browser along.
        if let Some(address) = self.session.strip_prefix("http://").and_then(|rest| rest.split('/').next())
            && let Ok(mut stream) = std::net::TcpStream::connect(address)
        {
            use std::io::{Read, Write};
            let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            let _ = write!(stream, "GET /shutdown HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
            let _ = stream.read(&mut [0; 256]);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
