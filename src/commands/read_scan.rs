//! `yishi read-scan`: what does a carrier's scan sentence mean? A sentence a line, optionally `carrier<TAB>sentence`.
//! Must never leave a sentence without a status.

use crate::carriers::names;
use crate::carriers::scan_text::meaning_without_code;
use crate::model::Meaning;
use std::io::{BufRead, ErrorKind, Write};

/// What does a carrier's scan sentence mean? Reads a sentence a line, optionally `carrier<TAB>sentence`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Runs the command: exit status 0. Bytes that are not UTF-8 are read as unknown characters.
pub fn run(args: Args) -> anyhow::Result<u8> {
    answer(&args, std::io::stdin().lock(), std::io::stdout().lock())
}

fn answer(args: &Args, input: impl BufRead, mut out: impl Write) -> anyhow::Result<u8> {
    for line in input.split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_start_matches('\u{feff}').trim_end_matches('\r');
        if line.trim().is_empty() {
            continue;
        }
        let (carrier, text) = match line.split_once('\t') {
            Some((carrier, text)) => (Some(carrier.trim()).filter(|carrier| !carrier.is_empty()), text),
            None => (None, line),
        };
        let carrier = carrier.map(|carrier| names::by_any(carrier).map_or(carrier, |known| known.code));
        let meaning = meaning_without_code(text, carrier);
        match write_line(args.json, text, carrier, meaning, &mut out) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(0),
            other => other?,
        }
    }
    Ok(0)
}

fn write_line(
    json: bool,
    text: &str,
    carrier: Option<&str>,
    meaning: Meaning,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let sub = meaning.sub.map(|sub| sub.name());
    let reason = meaning.reason.map(|reason| reason.name());
    let status = meaning.status.name();
    if json {
        let line = serde_json::json!({
            "text": text, "carrier": carrier, "status": status, "sub": sub, "reason": reason,
        });
        return writeln!(out, "{line}");
    }
    writeln!(out, "{status}\t{}\t{text}", sub.or(reason).unwrap_or("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_in_a_json_object_out() {
        let mut out = Vec::new();
        let input = "shunfeng\t顺丰速运 已收取快件\n收件人拒收，快件退回中\n@@\n";
        answer(&Args { json: true }, input.as_bytes(), &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        let lines: Vec<serde_json::Value> =
            out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            lines[0],
            serde_json::json!({"text": "顺丰速运 已收取快件", "carrier": "sf", "status": "picked_up", "sub": "accepted", "reason": null})
        );
        assert_eq!((&lines[1]["status"], &lines[1]["reason"]), (&"exception".into(), &"refused".into()));
        assert_eq!((&lines[2]["status"], &lines[2]["sub"]), (&"unknown".into(), &"unmapped".into()));
    }
}
