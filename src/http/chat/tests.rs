use super::*;
#[tokio::test(flavor = "multi_thread")]
#[ignore = "for eyes"]
async fn serve_for_eyes() {
    let door = fake::FakeDoor::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8899").await.unwrap();
    axum::serve(listener, router(door, CancellationToken::new())).await.unwrap();
}
