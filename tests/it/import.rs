//! A merchant's file goes into the store as an errand of the running service: all of it or nothing.

use crate::world::World;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use yishi::app::errands::{Done, Errand, Office};
use yishi::app::imports::Import;
use yishi::model::{Order, OrderStatus};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/platforms").join(name)
}

fn import(file: PathBuf) -> Import {
    Import { file, shop: "demo".into(), format: "auto".into(), dry_run: false, skip_bad: false, json: true }
}

async fn run(world: &World, import: Import) -> Done {
    let office = Office { intake: world.intake.clone(), paused: Arc::default() };
    office.run(Errand::Import(import)).await
}

/// The only line, as JSON.
fn line(done: &Done) -> Value {
    assert_eq!((done.out.len(), done.err.len()), (1, 0), "{done:?}");
    serde_json::from_str(&done.out[0]).unwrap()
}

async fn order(world: &World, no: &str) -> Option<Order> {
    world.intake.records.order("demo", no).await.unwrap().value
}

#[tokio::test]
async fn a_file_is_taken_once_and_again() {
    let world = World::new().await;
    let file = fixture("taobao/orders-gbk.csv");
    let dry = run(&world, Import { dry_run: true, ..import(file.clone()) }).await;
    assert_eq!(line(&dry), json!({ "rows": 3, "imported": 3, "updated": 0, "rejected": [] }));
    assert_eq!(order(&world, "2101234567890123456").await, None);
    let first = run(&world, import(file.clone())).await;
    assert_eq!((line(&first), first.exit), (line(&dry), 0));
    let again = run(&world, import(file)).await;
    assert_eq!(line(&again), json!({ "rows": 3, "imported": 0, "updated": 3, "rejected": [] }));
    let known = order(&world, "2101234567890123456").await.unwrap();
    assert_eq!((known.status, known.shipments.len()), (OrderStatus::Shipped, 1));
    let number = world.intake.records.number("demo", "SF1350001234567").await.unwrap().value.unwrap();
    assert_eq!((number.carriers, number.orders), (vec!["sf".to_owned()], vec![known.no]));
}

#[tokio::test]
async fn a_wrong_row_stops_everything_unless_told_otherwise() {
    let world = World::new().await;
    let file = fixture("generic/wrong.csv");
    let held = run(&world, import(file.clone())).await;
    let said = line(&held);
    assert_eq!((held.exit, &said["imported"], &said["rows"]), (1, &json!(0), &json!(5)));
    assert_eq!(said["rejected"].as_array().unwrap().len(), 3);
    assert_eq!(order(&world, "W-1").await, None);
    let taken = run(&world, Import { skip_bad: true, ..import(file.clone()) }).await;
    let said = line(&taken);
    assert_eq!((taken.exit, &said["imported"]), (0, &json!(2)));
    assert_eq!(said["rejected"][0]["row"], json!(3));
    assert!(order(&world, "W-1").await.is_some() && order(&world, "W-3").await.is_none());
    let told = run(&world, Import { json: false, ..import(file) }).await;
    assert!(
        told.out[0].starts_with("5 rows: 0 orders imported") && told.out[1].starts_with("row 3: "),
        "{told:?}"
    );
    assert_eq!((told.exit, told.err.len()), (1, 1));
}

#[tokio::test]
async fn a_file_never_undoes_what_is_newer() {
    let world = World::new().await;
    let file = fixture("generic/template.csv");
    run(&world, import(file.clone())).await;
    let mut known = order(&world, "A-1001").await.unwrap();
    known.status = OrderStatus::Completed;
    world.intake.records.upsert_order("demo", &known, world.intake.clock.now()).await.unwrap();
    run(&world, import(fixture("taobao/orders-gbk.csv"))).await;
    let mut newer = order(&world, "2101234567890123456").await.unwrap();
    newer.status = OrderStatus::Completed;
    newer.updated_at = Some("2026-03-05T00:00:00Z".parse().unwrap());
    world.intake.records.upsert_order("demo", &newer, world.intake.clock.now()).await.unwrap();
    for dry_run in [true, false] {
        let again = run(&world, Import { dry_run, ..import(file.clone()) }).await;
        assert_eq!(line(&again), json!({ "rows": 2, "imported": 0, "updated": 2, "rejected": [] }));
        let again = run(&world, Import { dry_run, ..import(fixture("taobao/orders-gbk.csv")) }).await;
        assert_eq!(line(&again), json!({ "rows": 3, "imported": 0, "updated": 2, "rejected": [] }));
    }
    assert_eq!(order(&world, "2101234567890123456").await.unwrap().status, OrderStatus::Completed);
    assert_eq!(order(&world, "A-1001").await.unwrap().status, OrderStatus::Completed);
}

#[tokio::test]
async fn what_cannot_be_done_is_one_line_on_stderr() {
    let world = World::new().await;
    let mut cases = vec![import(fixture("nothing.csv")), import(fixture("generic"))];
    cases.push(Import { shop: "nobody".into(), ..import(fixture("generic/template.csv")) });
    for case in cases {
        let done = run(&world, case).await;
        assert_eq!((done.out.len(), done.err.len(), done.exit), (0, 1, 1), "{done:?}");
    }
}

#[test]
fn the_command_itself() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("yishi.toml"),
        "[shops.tea]\nname = \"Tea\"\nlocale = \"zh-CN\"\nzone = \"Asia/Shanghai\"\n",
    )
    .unwrap();
    let yishi = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yishi"));
        command.current_dir(folder.path()).args(["import", "orders", "--json"]).args(more).output().unwrap()
    };
    let file = fixture("douyin/orders.csv").display().to_string();
    let said = yishi(&[file.as_str(), "--shop", "tea", "--format", "douyin"]);
    let lines = String::from_utf8(said.stdout).unwrap();
    assert_eq!(lines, "{\"rows\":3,\"imported\":2,\"updated\":0,\"rejected\":[]}\n", "{:?}", said.stderr);
    assert_eq!(said.status.code(), Some(0));
    let again = yishi(&[file.as_str(), "--shop", "tea"]);
    assert_eq!(again.stdout, b"{\"rows\":3,\"imported\":0,\"updated\":2,\"rejected\":[]}\n");
    assert_eq!(yishi(&["none.csv", "--shop", "tea"]).status.code(), Some(1));
    assert_eq!(yishi(&[file.as_str(), "--shop", "tea", "--format", "amazon"]).status.code(), Some(2));
}

#[tokio::test]
async fn an_order_too_long_to_store_is_a_wrong_row_and_nothing_is_half_done() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("long.csv");
    let mut text = "订单编号,物流单号,物流公司,商品\n".to_owned();
    for i in 0..200 {
        text += &format!("S-{i},YT88160000{i:05},圆通,茶\n");
    }
    for _ in 0..40 {
        text += &format!("LONG-1,YT8816042739501,圆通,{}\n", "字".repeat(300));
    }
    std::fs::write(&file, text).unwrap();
    let held = run(&world, import(file.clone())).await;
    let said = line(&held);
    assert_eq!((held.exit, &said["imported"]), (1, &json!(0)), "{said}");
    assert_eq!(world.intake.records.orders("demo", None, 500).await.unwrap().len(), 0);
    let taken = run(&world, Import { skip_bad: true, ..import(file) }).await;
    let said = line(&taken);
    assert_eq!(
        (taken.exit, &said["imported"], said["rejected"].as_array().unwrap().len()),
        (0, &json!(200), 1)
    );
    assert_eq!(order(&world, "LONG-1").await, None);
}
