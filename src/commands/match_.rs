//! `yishi match`: shows what is understood of each message, a line each. Reads standard input to its end, answers
//! every line at once, and stores nothing.

use crate::conversation::{Language, Matcher, Understood, intents};
use anyhow::Context;
use serde::Serialize;
use std::io::{BufRead, Write};
use std::path::PathBuf;

/// Shows which intent each line of standard input is read as.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Writes one JSON object a line.
    #[arg(long)]
    json: bool,
    /// A folder of intents that are read beside the built-in ones.
    #[arg(long, value_name = "DIR")]
    intents: Option<PathBuf>,
}

/// One answer, with the promised names.
#[derive(Serialize)]
struct Line<'a> {
    text: &'a str,
    intent: &'a str,
    confidence: f32,
    language: &'static str,
    slots: SlotLists<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    also: Option<&'a str>,
}

#[derive(Serialize)]
struct SlotLists<'a> {
    number: &'a [String],
    order: &'a [String],
    phone_tail: &'a [String],
}

/// Exit status 0, or 1 where the intents of the folder have problems.
pub fn run(args: Args) -> anyhow::Result<u8> {
    let stdin = std::io::stdin().lock();
    let stdout = std::io::stdout().lock();
    let matcher = match matcher(args.intents.as_deref())? {
        Ok(matcher) => matcher,
        Err(problems) => {
            let mut stderr = std::io::stderr().lock();
            for problem in problems {
                writeln!(stderr, "{problem}")?;
            }
            return Ok(1);
        }
    };
    answer(&matcher, stdin, stdout, args.json)?;
    Ok(0)
}

type Built = Result<Matcher, Vec<crate::model::Problem>>;

fn matcher(folder: Option<&std::path::Path>) -> anyhow::Result<Built> {
    let Some(folder) = folder else {
        return Ok(intents::builtin().and_then(|intents| Matcher::new(&intents)));
    };
    let mut files: Vec<(String, String)> =
        intents::FILES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read the folder {}", folder.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    for path in paths {
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        files.push((path.display().to_string(), text));
    }
    let files = files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    Ok(intents::load(files).and_then(|intents| Matcher::new(&intents)))
}

/// Answers line by line, flushed each, so that a pipe sees every answer before it asks the next.
fn answer(
    matcher: &Matcher,
    mut input: impl BufRead,
    mut output: impl Write,
    json: bool,
) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if input.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches(['\n', '\r']);
        let understood = matcher.read(text);
        let written = if json {
            json_line(text, &understood)?
        } else {
            let also = understood.also.as_deref().map(|also| format!(" + {also}")).unwrap_or_default();
            format!("{}{also}\t{:.2}\t{text}", understood.intent, understood.confidence)
        };
        match writeln!(output, "{written}").and_then(|()| output.flush()) {
            // The reader went away: nothing is left to be told.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            other => other?,
        }
    }
}

fn json_line(text: &str, understood: &Understood) -> anyhow::Result<String> {
    let line = Line {
        text,
        intent: &understood.intent,
        confidence: (understood.confidence * 1_000.0).round() / 1_000.0,
        // Both scripts are one language here; replies tell them apart.
        language: match understood.language {
            Language::TraditionalChinese => Language::Chinese.tag(),
            language => language.tag(),
        },
        slots: SlotLists {
            number: &understood.slots.numbers,
            order: &understood.slots.orders,
            phone_tail: &understood.slots.phone_tails,
        },
        also: understood.also.as_deref(),
    };
    Ok(serde_json::to_string(&line)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_gets_one_object_with_the_promised_keys() {
        let matcher = matcher(None).unwrap().unwrap();
        let mut output = Vec::new();
        let mut input = "订单号A1001 尾号1234\n\nwhere is my parcel\r\n".as_bytes().to_vec();
        input.extend([0, 0xff]);
        answer(&matcher, input.as_slice(), &mut output, true).unwrap();
        let lines: Vec<serde_json::Value> = String::from_utf8(output)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[0]["intent"], "verify");
        assert_eq!(
            lines[0]["slots"],
            serde_json::json!({"number": [], "order": ["A1001"], "phone_tail": ["1234"]})
        );
        assert_eq!(lines[1]["intent"], "other");
        assert_eq!(lines[2]["text"], "where is my parcel");
        assert_eq!((&lines[2]["intent"], &lines[2]["language"]), (&"track".into(), &"en".into()));
        assert!(lines[2].get("also").is_none());
    }
}
