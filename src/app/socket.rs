//! The owner-only Unix socket by which commands use the serving process: one JSON line asks, JSON lines answer.
//! Must never be reachable by another user, nor block the service.

use super::errands::{Errand, Office};
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

/// Longest line that is read.
const LONGEST_LINE: u64 = 1 << 20;

/// One line of an answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// For stdout.
    Out(String),
    /// For stderr.
    Err(String),
    /// The end, with the exit status.
    Exit(u8),
}

/// The socket's file; gone when dropped.
pub struct Socket(PathBuf);

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Listens until `stop`.
pub fn listen(path: &Path, office: Arc<Office>, stop: CancellationToken) -> anyhow::Result<Socket> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    // The store's lock says that no other process serves: what stands here was left by a killed one.
    let _ = std::fs::remove_file(path);
    let listener =
        UnixListener::bind(path).with_context(|| format!("cannot listen on {}", path.display()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    tokio::spawn(async move {
        loop {
            let stream = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "the command socket could not accept");
                        continue;
                    }
                },
            };
            let office = office.clone();
            tokio::spawn(async move {
                if let Err(error) = serve(stream, &office).await {
                    tracing::warn!(%error, "a command through the socket failed");
                }
            });
        }
    });
    Ok(Socket(path.to_owned()))
}

async fn serve(stream: UnixStream, office: &Office) -> anyhow::Result<()> {
    use tokio::io::AsyncReadExt as _;
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(LONGEST_LINE)).read_line(&mut line).await?;
    if line.is_empty() {
        // Somebody only looked whether we are here.
        return Ok(());
    }
    let errand: Errand = serde_json::from_str(&line).context("the errand cannot be read")?;
    let done = office.run(errand).await;
    let mut answer = String::new();
    for text in done.out {
        answer.push_str(&serde_json::to_string(&Line::Out(text))?);
        answer.push('\n');
    }
    for text in done.err {
        answer.push_str(&serde_json::to_string(&Line::Err(text))?);
        answer.push('\n');
    }
    answer.push_str(&serde_json::to_string(&Line::Exit(done.exit))?);
    answer.push('\n');
    write.write_all(answer.as_bytes()).await?;
    Ok(())
}

/// Asks the serving process, if one listens there. `None`: nobody does.
pub async fn ask(path: &Path, errand: &Errand) -> anyhow::Result<Option<super::errands::Done>> {
    let Ok(stream) = UnixStream::connect(path).await else { return Ok(None) };
    let (read, mut write) = stream.into_split();
    write.write_all(format!("{}\n", serde_json::to_string(errand)?).as_bytes()).await?;
    let mut lines = BufReader::new(read).lines();
    let mut done = super::errands::Done::default();
    while let Some(line) = lines.next_line().await? {
        match serde_json::from_str(&line)? {
            Line::Out(text) => done.out.push(text),
            Line::Err(text) => done.err.push(text),
            Line::Exit(exit) => {
                done.exit = exit;
                return Ok(Some(done));
            }
        }
    }
    anyhow::bail!("the serving process ended before it was done; see its log")
}
