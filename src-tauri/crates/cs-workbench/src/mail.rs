//! `send_email`: messages that go into a folder and no further.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cap_std::fs::{Dir, File, OpenOptions};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::files::{self, OUTBOX};
use crate::tool::Failed;
use crate::{Bench, settings};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    to: String,
    subject: String,
    body: String,
}

#[derive(Serialize)]
pub(crate) struct Sent {
    file: String,
    from: String,
    to: String,
}

/// Puts a message into the outbox.
pub(crate) async fn send(bench: &Bench, asked: Arguments) -> Result<Sent, Failed> {
    let Arguments { to, subject, body } = asked;
    if !is_address(&to) {
        return Err(Failed::because("`to` is not one address"));
    }
    if subject.len() > 200 || subject.chars().any(char::is_control) {
        return Err(Failed::because("the subject is one line of at most 200 bytes"));
    }
    if body.len() > 256 * 1024 {
        return Err(Failed::because("the body is longer than 256 KiB"));
    }
    let from = settings::read(bench).await?.mail_from;
    let at = DateTime::<Utc>::from_timestamp((bench.now)(), 0).unwrap_or_default();
    let message = message(&from, &to, &subject, &body, at);
    files::blocking(bench, move |folder| {
        let (file, mut open) = next(folder).map_err(files::explain)?;
        open.write_all(message.as_bytes()).map_err(files::explain)?;
        Ok(Sent { file, from, to })
    })
    .await
}

/// The next file of the outbox: numbered, so that the order shows.
fn next(folder: &Dir) -> io::Result<(String, File)> {
    folder.create_dir_all(OUTBOX)?;
    let mut number = folder.read_dir(OUTBOX)?.count();
    loop {
        number = number.saturating_add(1);
        let file = format!("{OUTBOX}/{number:04}.eml");
        match folder.open_with(&file, OpenOptions::new().create_new(true).write(true)) {
            Ok(open) => return Ok((file, open)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

fn message(from: &str, to: &str, subject: &str, body: &str, at: DateTime<Utc>) -> String {
    let subject = if subject.is_ascii() {
        subject.to_owned()
    } else {
        format!("=?utf-8?B?{}?=", STANDARD.encode(subject))
    };
    let body = body.replace("\r\n", "\n").replace('\n', "\r\n");
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: {}\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         {body}\r\n",
        at.to_rfc2822()
    )
}

/// Whether a text is one plain address, which cannot carry a second one or a header with it.
pub(crate) fn is_address(text: &str) -> bool {
    let plain = |part: &str, also: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
    };
    text.len() <= 254
        && text.split_once('@').is_some_and(|(local, domain)| {
            plain(local, "!#$%&'*+-/=?^_`{|}~.") && plain(domain, "-.")
        })
}
