//! What the operator reads when a configuration is wrong, and what the service gets when it is right.

use super::*;

/// Adapters as the registries would describe them.
fn kinds(kind: &str) -> Option<KindSpec> {
    let channel = KindSpec {
        secrets: &[],
        settings: &[],
        options: &[],
        serves: None,
        base_url: "",
        carrier: None,
        channel: None,
    };
    match kind {
        "webchat" => Some(channel),
        "wechat" => Some(KindSpec {
            secrets: &["token"],
            settings: &["appid"],
            options: &["mode", "aes_key?"],
            base_url: "https://wx.example",
            ..channel
        }),
        "sf" => Some(KindSpec {
            secrets: &["checkword"],
            settings: &["partner_id"],
            serves: Some(|carrier| carrier == "sf"),
            base_url: "https://sf.example",
            ..channel
        }),
        _ => None,
    }
}

fn env(name: &str) -> Option<String> {
    match name {
        "API" => Some("api-token-1".into()),
        "SECRET" => Some(" s3cret\n".into()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

fn read_with(text: &str) -> Result<Config, Vec<String>> {
    let secrets = Secrets::Resolve { env: &env, base: Path::new("") };
    let (config, problems) = read("yishi.toml", text, &secrets, &kinds);
    if problems.is_empty() {
        return Ok(config);
    }
    Err(problems.iter().map(ToString::to_string).collect())
}

const SHOP: &str = "[shops.one]\nname = \"驿站小铺\"\nlocale = \"zh-CN\"\nzone = \"Asia/Shanghai\"\n";

#[test]
fn the_defaults_are_what_the_documented_file_says() {
    assert!(DeTable::parse(DEFAULTS).is_ok());
    let (config, problems) = read("yishi.default.toml", DEFAULTS, &Secrets::Skip, &kinds);
    assert_eq!(problems, []);
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!((config.server.max_body, config.server.shutdown.as_secs()), (1 << 20, 20));
    assert_eq!((config.store.engine, config.store.durability), (Engine::Sled, Durability::Power));
    assert_eq!((config.store.min_free_disk, config.store.cache), (256 << 20, 64 << 20));
    assert_eq!(config.chat.fragment_wait.as_millis(), 1_500);
    assert!(matches!(config.vault_key, KeySource::File(path) if path == Path::new("data/yishi.key")));
    let empty = Config::defaults();
    assert_eq!((empty.chat.facts_fresh.as_secs(), empty.shops.len()), (600, 0));
}

#[test]
fn every_documented_key_is_read_also_those_without_a_default() {
    let whole: String = DEFAULTS
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => rest,
            _ => line,
        })
        .filter(|line| !line.starts_with("shops = ["))
        .map(|line| format!("{line}\n"))
        .collect();
    let every = |kind: &str| {
        (kind == "kuaidi100").then_some(KindSpec {
            secrets: &[],
            settings: &[],
            options: &[],
            serves: Some(|_| true),
            base_url: "https://vendor.example",
            carrier: None,
            channel: None,
        })
    };
    let secrets = Secrets::Resolve { env: &|_| Some("x".into()), base: Path::new("") };
    let (config, problems) = read("yishi.default.toml", &whole, &secrets, &every);
    assert_eq!(problems, []);
    assert_eq!(config.shops[0].hotline.as_deref(), Some("400-000-0000"));
    assert_eq!(config.accounts[0].setting("carriers", ""), "zto,yto");
}

#[test]
fn a_whole_configuration_is_read_in_the_order_of_the_file() {
    let text = format!(
        r#"{SHOP}api_token = "env:API"
        chat_secret = "env:SECRET"
        allowed_origins = ["https://Shop.example/"]
        [accounts.z-first]
        kind = "sf"
        shops = ["one"]
        partner_id = "YS"
        checkword = "env:SECRET"
        base_url = "http://127.0.0.1:9000/"
        per_day = 1_000
        carriers = ["sf"]
        [accounts.a-second]
        kind = "wechat"
        shop = "one"
        appid = "wx1"
        token = "env:SECRET"
        mode = "safe"
        aes_key = "env:API"
        "#
    );
    let config = read_with(&text).unwrap();
    let shop = config.shop("one").unwrap();
    assert_eq!(shop.api_tokens, [crate::wire::sign::sha256(b"api-token-1")]);
    assert_eq!(shop.allowed_origins, ["https://shop.example"]);
    let [first, second] = &config.accounts[..] else { panic!("two accounts") };
    assert_eq!((first.id.as_str(), first.secret("checkword")), ("z-first", "s3cret"));
    assert_eq!(first.setting("base_url", ""), "http://127.0.0.1:9000");
    assert_eq!((first.setting("per_day", ""), first.setting("partner_id", "")), ("1000", "YS"));
    assert_eq!((second.setting("mode", ""), second.secret("aes_key")), ("safe", "api-token-1"));
    assert_eq!(config.accounts_of("one").count(), 2);
    assert_eq!(config.accounts_of("two").count(), 0);
    assert!(!format!("{config:?}").contains("s3cret"));
}

/// Each file, and the lines that its author reads.
#[test]
fn every_problem_is_told_at_once_with_its_place_and_its_cure() {
    let text = "[server]\nlisten = \"localhost\"\nlistn = 3\nmax_body = \"1TB\"\n\n[chatt]\n[chat]\nfragment_wait_ms = \"1500\"\n";
    assert_eq!(
        read_with(text).unwrap_err(),
        [
            "yishi.toml:2:10: error: `server.listen` must be an address and a port, such as \"127.0.0.1:8080\" or \"[::]:8080\"",
            "yishi.toml:3:1: error: unknown key `server.listn`; did you mean `listen`?",
            "yishi.toml:4:12: error: `server.max_body` must be a size from 1024 to 67108864 bytes, such as 65536, \"64KB\", \"1MB\" or \"2GB\"",
            "yishi.toml:6:2: error: unknown section `[chatt]`; did you mean `chat`?",
            "yishi.toml:8:20: error: `chat.fragment_wait_ms` must be a whole number from 0 to 4000",
        ]
    );
}

#[test]
fn a_secret_is_named_and_never_written_or_guessed() {
    let account = "[accounts.wx]\nkind = \"wechat\"\nshop = \"one\"\nappid = \"a\"\n";
    for (line, expected) in [
        (
            "token = \"hunter2\"",
            "yishi.toml:9:9: error: `accounts.wx.token` must be \"env:NAME\" or \"file:PATH\": secrets are not written into this file",
        ),
        (
            "token = \"env:NOT_THERE\"",
            "yishi.toml:9:9: error: `accounts.wx.token`: the environment variable NOT_THERE is not set",
        ),
        (
            "token = \"env:EMPTY\"",
            "yishi.toml:9:9: error: `accounts.wx.token`: the environment variable EMPTY is not set",
        ),
        (
            "token = \"env:my secret\"",
            "yishi.toml:9:9: error: `accounts.wx.token` must name a variable by letters, digits and _, such as \"env:SF_CHECKWORD\"",
        ),
        ("token = 7", "yishi.toml:9:9: error: `accounts.wx.token` must be a text in quotes"),
        (
            "",
            "yishi.toml:5:11: error: `accounts.wx` lacks `token`: add the secret, as \"env:NAME\" or \"file:PATH\"",
        ),
    ] {
        assert_eq!(read_with(&format!("{SHOP}{account}{line}\n")).unwrap_err(), [expected]);
    }
    let missing_file = read_with(&format!("{SHOP}{account}token = \"file:no/such/file\"\n")).unwrap_err();
    assert!(
        missing_file[0]
            .starts_with("yishi.toml:9:9: error: `accounts.wx.token`: the file no/such/file cannot")
    );
}

#[test]
fn an_account_is_checked_against_its_adapter_and_the_shops() {
    let text = format!(
        "{SHOP}[accounts.a]\nkind = \"sff\"\nwhatever = 1\n[accounts.b]\nkind = \"wechat\"\nshop = \"two\"\nappid = \"\"\ntoken = \"env:SECRET\"\nshops = [\"one\"]\n[accounts.c]\nkind = \"sf\"\ncarriers = [\"zto\"]\npartner_id = \"x\"\ncheckword = \"env:SECRET\"\nchekword = \"env:SECRET\"\nbase_url = \"ftp://x\"\n"
    );
    assert_eq!(
        read_with(&text).unwrap_err(),
        [
            "yishi.toml:6:8: error: `accounts.a.kind`: no channel or carrier of that name; docs/carriers.md and docs/channels/ list them",
            "yishi.toml:10:8: error: `accounts.b`: there is no shop `two`; add `[shops.two]`",
            "yishi.toml:11:9: error: `accounts.b.appid` must not be empty",
            "yishi.toml:13:1: error: unknown key `accounts.b.shops`; did you mean `shop`?",
            "yishi.toml:14:11: error: `accounts.c` lacks `shop`: add the id of the shop that it serves, or `shops` for several",
            "yishi.toml:16:13: error: `accounts.c.carriers`: `sf` cannot be asked about `zto`",
            "yishi.toml:19:1: error: unknown key `accounts.c.chekword`; did you mean `checkword`?",
            "yishi.toml:20:12: error: `accounts.c.base_url` must be an address such as \"https://vendor.example\", without query",
        ]
    );
}

#[test]
fn shops_are_checked_and_never_share_a_token() {
    let text = "[shops.One]\nname = \"\"\nlocale = \"not a locale\"\nzone = \"Mars/Olympus\"\nallowed_origins = [\"https://a.example/page\", 3]\n";
    let problems = read_with(text).unwrap_err();
    assert_eq!(problems.len(), 6, "{problems:#?}");
    assert_eq!(problems[0], "yishi.toml:1:8: error: a shop's id must be 1 to 32 of a-z, 0-9, - and _");
    assert_eq!(
        problems[3],
        "yishi.toml:4:8: error: `shops.One.zone` must be a time zone such as \"Asia/Shanghai\""
    );
    let two = format!(
        "{SHOP}api_token = \"env:API\"\n{}api_token = \"env:API\"\n",
        SHOP.replace("shops.one", "shops.two")
    );
    assert_eq!(
        read_with(&two).unwrap_err(),
        ["yishi.toml:10:13: error: `shops.two.api_token` is also the token of shop `one`"]
    );
}

#[test]
fn broken_toml_is_told_with_its_line() {
    let problems = read_with("[server]\nlisten = \n[server]\n").unwrap_err();
    assert!(problems[0].starts_with("yishi.toml:2:"), "{problems:#?}");
    assert!(problems.iter().any(|problem| problem.starts_with("yishi.toml:3:")), "{problems:#?}");
    assert_eq!(
        read_with("shops = 3\n").unwrap_err(),
        ["yishi.toml:1:9: error: `shops` must hold tables: write `[shops.ID]`"]
    );
    assert_eq!(
        read_with("chat = 3\n").unwrap_err(),
        ["yishi.toml:1:1: error: `chat` must be a table: write it as `[chat]`"]
    );
}

#[test]
fn a_lint_asks_for_no_secret_and_a_start_does() {
    let text = format!("{SHOP}api_token = \"env:NOWHERE\"\nchat_secret = \"file:none\"\n");
    assert_eq!(lint("yishi.toml", &text), []);
    assert_eq!(Config::parse("yishi.toml", &text, &|_| None).unwrap_err().len(), 2);
}

#[test]
fn secrets_and_folders_count_from_the_files_own_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("chat"), "from-a-file\n").unwrap();
    let path = folder.path().join("yishi.toml");
    std::fs::write(&path, format!("{SHOP}chat_secret = \"file:chat\"\n[vault]\nkey = \"file:my.key\"\n"))
        .unwrap();
    let config = Config::load(&path).unwrap();
    assert_eq!(config.shops[0].chat_secret, Some(Private::new("from-a-file".to_owned())));
    assert_eq!(config.store.path, folder.path().join("data/store"));
    assert!(matches!(config.vault_key, KeySource::File(key) if key == folder.path().join("my.key")));
    let nowhere = Config::load(&folder.path().join("other.toml")).unwrap_err();
    assert!(nowhere[0].to_string().contains("other.toml:1:1: error: cannot be read"), "{nowhere:?}");
}

#[test]
fn a_sealing_key_from_the_environment_is_32_bytes() {
    let right = |_: &str| Some("ab".repeat(32));
    let text = "[vault]\nkey = \"env:KEY\"\n";
    let config = Config::parse("yishi.toml", text, &right).unwrap();
    assert!(matches!(config.vault_key, KeySource::Hex(key) if key.reveal().len() == 64));
    let problems = Config::parse("yishi.toml", text, &|_| Some("short".into())).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "yishi.toml:2:7: error: the variable named by `vault.key` must hold 64 hex digits (32 bytes)"
    );
}

/// `docs/config.md` is written from the defaults. To renew it: `YISHI_WRITE_DOCS=1 cargo test config::`
#[test]
fn the_reference_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/config.md");
    let page = reference(DEFAULTS);
    if std::env::var_os("YISHI_WRITE_DOCS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), page);
    for key in ["fragment_wait_ms", "api_token", "min_free_disk", "carriers"] {
        assert!(page.contains(&format!("| `{key}` | ")), "{key}");
    }
}

/// What a mode makes needless is not asked for; what has the wrong form is told before the first buyer.
#[test]
fn a_channel_says_what_its_mode_needs() {
    let read = |account: &str| {
        let text = format!("{SHOP}[accounts.a]\nshop = \"one\"\n{account}");
        let (_, problems) =
            read("yishi.toml", &text, &Secrets::Resolve { env: &env, base: Path::new("") }, &registered);
        problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>()
    };
    assert_eq!(read("kind = \"telegram\"\nupdates = \"poll\"\nbot_token = \"env:SECRET\""), [""; 0]);
    assert_eq!(
        read("kind = \"telegram\"\nbot_token = \"env:SECRET\""),
        ["`accounts.a` lacks `webhook_secret`: add the secret, as \"env:NAME\" or \"file:PATH\""]
    );
    let wechat = "kind = \"wechat\"\nappid = \"wx1\"\ntoken = \"env:SECRET\"\n";
    assert_eq!(read(&format!("{wechat}mode = \"plain\"")), [""; 0]);
    assert_eq!(
        read(&format!("{wechat}encoding_aes_key = \"env:SECRET\"")),
        ["`accounts.a.encoding_aes_key` does not have the form that the platform gives it"]
    );
}

/// The merchant's own server has no address that everybody could know.
#[test]
fn an_alert_hook_needs_its_address() {
    let read = |account: &str| {
        let text = format!(
            "{SHOP}[accounts.a]\nshop = \"one\"\nkind = \"alert-hook\"\nsecret = \"env:SECRET\"\npath = \"/in\"\n{account}"
        );
        let secrets = Secrets::Resolve { env: &env, base: Path::new("") };
        let (config, problems) = read("yishi.toml", &text, &secrets, &registered);
        (config, problems.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(
        read("").1,
        [
            "yishi.toml:5:11: error: `accounts.a` lacks `base_url`: add an address such as \"https://vendor.example\", without query"
        ]
    );
    let (config, problems) = read("base_url = \"https://team.example/\"\nper_day = 100");
    assert_eq!(problems, [""; 0]);
    assert_eq!(config.accounts[0].setting("base_url", ""), "https://team.example");
    assert_eq!(read("base_url = \"\"").1.len(), 1);
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = read_with(&text);
        let _ = lint("yishi.toml", &text);
    }

    /// Lines that look like a configuration reach further than noise does.
    #[test]
    fn any_mix_of_settings_is_read_or_refused(lines in proptest::collection::vec(
        (proptest::sample::select(vec![
            "[server]", "[shops.one]", "[accounts.x]", "[chat]", "[store]", "[vault]", "kind", "shop", "shops", "name",
            "zone", "locale", "token", "appid", "base_url", "carriers", "listen", "key", "max_body", "path", "a.b",
        ]), proptest::sample::select(vec![
            "\"sf\"", "\"wechat\"", "\"one\"", "[\"one\"]", "[3]", "\"\"", "\"env:API\"", "\"env:\"", "\"file:\"", "-1",
            "99999999999999999999", "1e9", "true", "{ a = 1 }", "[[1]]", "\"9EB\"", "\"💥\"", "1979-05-27", "\"/\"",
        ])), 0..30)) {
        let text: String = lines
            .iter()
            .map(|(key, value)| if key.starts_with('[') { format!("{key}\n") } else { format!("{key} = {value}\n") })
            .collect();
        if let Err(problems) = read_with(&text) {
            proptest::prop_assert!(problems.iter().all(|problem| problem.starts_with("yishi.toml:")));
        }
    }
}

#[test]
fn thresholds_differ_by_carrier_and_shop() {
    assert_eq!(Config::defaults().tracking.thresholds("one", "sf"), Thresholds::default());
    let text = format!(
        "{SHOP}[tracking]\nstuck_hours = 60\nholidays = false\n[thresholds.a]\ncarrier = \"USPS\"\nstuck_hours = 120\n\
         [thresholds.b]\nshop = \"one\"\ncarrier = \"usps\"\nattempts = 4\n[thresholds.c]\nshop = \"one\"\nloop_moves = 5\n"
    );
    let tracking = read_with(&text).unwrap().tracking;
    let of = |shop, carrier| {
        let all = tracking.thresholds(shop, carrier);
        (all.stuck.as_hours(), all.attempts, all.loop_moves, all.no_pickup.as_hours())
    };
    assert_eq!(of("one", "usps"), (120, 4, 5, 48));
    assert_eq!(of("two", "usps"), (120, 2, 3, 48));
    assert_eq!(of("one", "sf"), (60, 2, 5, 48));
    assert!(!tracking.holidays);
    for (table, problem) in [
        ("carrier = \"nobody\"", "`thresholds.x.carrier` must be a carrier's code"),
        ("shop = \"two\"", "`thresholds.x.shop` must be the id of a shop"),
        ("stuck_hours = 9", "`thresholds.x` lacks `carrier`"),
        ("carrier = \"sf\"\nstuck_hours = 0", "`thresholds.x.stuck_hours` must be a whole number from 1"),
        ("carrier = \"sf\"\nstuck = 9", "unknown key `thresholds.x.stuck`"),
    ] {
        let problems = read_with(&format!("{SHOP}[thresholds.x]\n{table}\n")).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains(problem), "{problems:?}");
    }
}
