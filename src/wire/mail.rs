//! Carries a call as a mail: to `smtps://host` inside TLS, to `smtp://host` inside TLS as soon as the server was greeted.
//! Must never say a password or a message outside of TLS, except to this machine; nor call a mail unsent that may have
//! been taken.
//!
//! The call's headers: `user` (empty: the sender's address), `password`, `from`, `to` (several with commas), `subject`,
//! `message-id`, `date` (seconds). Its body is the text. The answer's status is the server's reply code; 501 where an
//! address cannot be read.

use super::{Answer, Call, CallError};
use lettre::message::{Mailbox, Mailboxes, Message, SinglePart, header};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use std::time::{Duration, UNIX_EPOCH};

/// A server that does not take the connection within this is not there.
const CONNECT: Duration = Duration::from_secs(3);
/// For a polite end.
const GOODBYE: Duration = Duration::from_secs(1);
/// Code for addresses that cannot be read: "syntax error in parameters".
const UNREADABLE: u16 = 501;

/// Where a mail is handed in.
pub(super) struct MailServer {
    /// Its name, which its certificate must have.
    pub host: String,
    /// Usually 465 or 587.
    pub port: u16,
    /// TLS before the first word (`smtps`).
    pub tls: bool,
    /// This very machine: needs no TLS.
    pub loopback: bool,
}

/// Hands one mail in; half of the time is for getting in.
pub(super) async fn send(server: &MailServer, call: &Call, limit: Duration) -> Result<Answer, CallError> {
    let field = |name: &str| {
        call.headers.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value.as_str())
    };
    let Ok(from) = field("from").parse::<Mailbox>() else { return Ok(Answer::new(UNREADABLE, "from")) };
    let user = if field("user").is_empty() { from.email.to_string() } else { field("user").to_owned() };
    let Some(mail) = compose(&field, from, &call.body) else { return Ok(Answer::new(UNREADABLE, "to")) };
    let credentials = Credentials::new(user, field("password").to_owned());
    let open = tokio::time::timeout(limit / 2, open(server, &credentials)).await;
    let mut connection = match open {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return said(&error).ok_or(CallError::NotSent { until: None }),
        Err(_) => return Err(CallError::NotSent { until: None }),
    };
    let sent = connection.send(mail.envelope(), &mail.formatted()).await;
    let answer = match sent {
        Ok(response) => Ok(Answer::new(response.code().into(), "")),
        Err(error) => said(&error).ok_or(CallError::Unknown),
    };
    let _ = tokio::time::timeout(GOODBYE, connection.quit()).await;
    answer
}

async fn open(server: &MailServer, credentials: &Credentials) -> Result<AsyncSmtpConnection, Error> {
    let us = ClientId::default();
    let address = (server.host.as_str(), server.port);
    let tls = || TlsParameters::new(server.host.clone());
    let within = server.tls.then(tls).transpose()?;
    let mut connection =
        AsyncSmtpConnection::connect_tokio1(address, Some(CONNECT), &us, within, None).await?;
    if !server.tls && !server.loopback {
        // Fails where the server does not offer it.
        connection.starttls(tls()?, &us).await?;
    }
    connection.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await?;
    Ok(connection)
}

fn compose<'a>(field: &impl Fn(&str) -> &'a str, from: Mailbox, body: &[u8]) -> Option<Message> {
    let to: Mailboxes = field("to").parse().ok()?;
    let date = UNIX_EPOCH + Duration::from_secs(field("date").parse().ok()?);
    let text = String::from_utf8_lossy(body).into_owned();
    let builder = Message::builder().from(from).mailbox(header::To::from(to)).date(date);
    let builder = builder.message_id(Some(format!("<{}>", field("message-id")))).subject(field("subject"));
    builder.singlepart(SinglePart::plain(text)).ok()
}

/// What the server said no with.
fn said(error: &Error) -> Option<Answer> {
    error.status().map(|code| Answer::new(code.into(), ""))
}

#[cfg(test)]
mod tests {
    use crate::wire::{Answer, Call, CallError, HttpTransport, Method, Transport as _};
    use std::time::Duration;
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;
    use tokio::task::JoinHandle;

    const LIMIT: Duration = Duration::from_secs(5);

    fn mail(url: &str, to: &str) -> Call {
        let headers = [
            ("user", ""),
            ("password", "secret"),
            ("from", "驿使 <alerts@shop.example>"),
            ("to", to),
            ("subject", "【小铺】有 1 个包裹需要留意："),
            ("message-id", "m1@yishi"),
            ("date", "1772510400"),
        ];
        Call {
            operation: "mail.send",
            method: Method::Post,
            url: url.to_owned(),
            headers: headers.map(|(name, value)| (name, value.to_owned())).into(),
            body: "· 物流停滞：订单 A1".into(),
            repeatable: false,
        }
    }

    /// A mail server for one visit; `hangs_up`: after the message, before its answer. Gives what it heard.
    async fn server(hangs_up: bool) -> (String, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let visit = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            stream.write_all(b"220 mail.example\r\n").await.unwrap();
            let (mut heard, mut data) = (String::new(), false);
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).await.unwrap() == 0 {
                    return heard;
                }
                heard.push_str(&line);
                let word = line.get(..4).unwrap_or_default();
                let answer = match (data, line.trim_end(), word) {
                    (true, ".", _) if hangs_up => return heard,
                    (true, ".", _) => {
                        data = false;
                        "250 queued\r\n"
                    }
                    (true, ..) => continue,
                    (_, _, "EHLO") => "250-mail.example\r\n250 AUTH PLAIN\r\n",
                    (_, "AUTH PLAIN AGFsZXJ0c0BzaG9wLmV4YW1wbGUAc2VjcmV0", _) => "235 welcome\r\n",
                    (_, _, "AUTH") => "535 who are you\r\n",
                    (_, _, "RCPT") if line.contains("nobody") => "550 no such person\r\n",
                    (_, _, "DATA") => {
                        data = true;
                        "354 go on\r\n"
                    }
                    (_, _, "QUIT") => "221 bye\r\n",
                    _ => "250 ok\r\n",
                };
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        (format!("smtp://{address}"), visit)
    }

    async fn sent(call: Call) -> Result<Answer, CallError> {
        HttpTransport::new().unwrap().send(call, LIMIT).await
    }

    #[tokio::test]
    async fn a_mail_is_handed_in_whole_to_everybody() {
        let (url, visit) = server(false).await;
        let answer = sent(mail(&url, "a@shop.example, b@shop.example")).await.unwrap();
        assert_eq!(answer.status, 250);
        let heard = visit.await.unwrap();
        for words in [
            "MAIL FROM:<alerts@shop.example>",
            "RCPT TO:<a@shop.example>",
            "RCPT TO:<b@shop.example>",
            "Message-ID: <m1@yishi>",
            "Date: Tue, 03 Mar 2026 04:00:00 +0000",
            "Subject: =?utf-8?b?",
            "text/plain; charset=utf-8",
        ] {
            assert!(heard.contains(words), "{words}: {heard}");
        }
        assert!(heard.is_ascii(), "no server must know 8BITMIME: {heard}");
    }

    #[tokio::test]
    async fn a_refusal_is_told_by_its_code_and_silence_by_what_may_have_arrived() {
        let (url, _visit) = server(false).await;
        assert_eq!(sent(mail(&url, "nobody@shop.example")).await.unwrap().status, 550);
        let (url, _visit) = server(false).await;
        let mut stranger = mail(&url, "a@shop.example");
        stranger.headers.retain(|(name, _)| *name != "password");
        assert_eq!(sent(stranger).await.unwrap().status, 535);
        let (url, _visit) = server(true).await;
        assert_eq!(sent(mail(&url, "a@shop.example")).await, Err(CallError::Unknown));
        assert_eq!(sent(mail(&url, "not an address")).await.unwrap().status, 501);
        // Nobody listens there any more.
        assert_eq!(sent(mail(&url, "a@shop.example")).await, Err(CallError::NotSent { until: None }));
    }

    #[tokio::test]
    async fn nothing_is_said_to_a_server_without_tls() {
        let (url, visit) = server(false).await;
        let elsewhere = super::MailServer {
            host: "127.0.0.1".into(),
            port: url.rsplit(':').next().unwrap().parse().unwrap(),
            tls: false,
            loopback: false,
        };
        let result = super::send(&elsewhere, &mail(&url, "a@shop.example"), LIMIT).await;
        assert_eq!(result, Err(CallError::NotSent { until: None }));
        let heard = visit.await.unwrap();
        assert!(!heard.contains("AUTH") && !heard.contains("MAIL"), "{heard}");
    }
}
