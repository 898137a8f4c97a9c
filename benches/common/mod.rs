//! What several benches need to speak to the server over a plain connection.

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Waits for Kuaidi100's acknowledgement of a push, and holds it to be a good one.
pub async fn acknowledged(stream: &mut TcpStream) {
    let (mut buffer, mut filled) = ([0; 4096], 0);
    loop {
        let read = stream.read(&mut buffer[filled..]).await.unwrap();
        assert!(read > 0, "the server closed the connection");
        filled += read;
        let text = String::from_utf8_lossy(&buffer[..filled]);
        if text.contains("\"returnCode\"") && text.trim_end().ends_with('}') {
            assert!(text.contains("\"returnCode\":\"200\""), "{text}");
            return;
        }
        assert!(!text.starts_with("HTTP/1.1 4"), "{text}");
    }
}
