//! `yishi recognize`: whose tracking numbers are these? Reads a number a line. Must never ask anybody.

use crate::carriers::recognize::{Hints, normalize_number, recognize};
use std::io::{BufRead, ErrorKind, Write};

/// Which carrier does a tracking number belong to? Reads a number a line on standard input.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
    /// The carrier that the order names.
    #[arg(long, value_name = "CARRIER")]
    order_carrier: Option<String>,
    /// A carrier that the shop ships with; may be repeated.
    #[arg(long = "shop-carrier", value_name = "CARRIER")]
    shop_carriers: Vec<String>,
}

/// Runs the command: exit status 0. Bytes that are not UTF-8 are read as unknown characters.
pub fn run(args: Args) -> anyhow::Result<u8> {
    answer(&args, std::io::stdin().lock(), std::io::stdout().lock())
}

fn answer(args: &Args, input: impl BufRead, mut out: impl Write) -> anyhow::Result<u8> {
    let shop: Vec<&str> = args.shop_carriers.iter().map(String::as_str).collect();
    let hints = Hints { order_carrier: args.order_carrier.as_deref(), shop_carriers: &shop };
    for line in input.split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        let number = line.trim_start_matches('\u{feff}').trim();
        if number.is_empty() {
            continue;
        }
        let written =
            if args.json { json_line(number, hints, &mut out) } else { text_line(number, hints, &mut out) };
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(0),
            other => other?,
        }
    }
    Ok(0)
}

fn json_line(number: &str, hints: Hints, out: &mut impl Write) -> std::io::Result<()> {
    let candidates: Vec<_> = recognize(number, hints)
        .iter()
        .map(|candidate| {
            serde_json::json!({
                "carrier": candidate.carrier,
                // Hundredths, so that 0.95 does not print as 0.949999988079071.
                "confidence": (f64::from(candidate.confidence) * 100.0).round() / 100.0,
                "check": candidate.check.name(),
                "reason": candidate.reason,
            })
        })
        .collect();
    writeln!(out, "{}", serde_json::json!({ "number": number, "candidates": candidates }))
}

fn text_line(number: &str, hints: Hints, out: &mut impl Write) -> std::io::Result<()> {
    let candidates = recognize(number, hints);
    write!(out, "{}", normalize_number(number))?;
    if candidates.is_empty() {
        write!(out, "\t-")?;
    }
    for candidate in candidates {
        write!(out, "\t{} {:.2} {}", candidate.carrier, candidate.confidence, candidate.reason)?;
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_on(input: &str, json: bool) -> String {
        let args = Args { json, order_carrier: None, shop_carriers: vec![] };
        let mut out = Vec::new();
        assert_eq!(answer(&args, input.as_bytes(), &mut out).unwrap(), 0);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_in_a_json_object_out() {
        let out = run_on("SF7444400031887\n\n13800138000\n", true);
        let lines: Vec<serde_json::Value> =
            out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(
            lines[0],
            serde_json::json!({"number": "SF7444400031887", "candidates": [
                {"carrier": "sf", "confidence": 0.95, "check": "none", "reason": "sf-prefix"}]})
        );
        assert_eq!(lines[1], serde_json::json!({"number": "13800138000", "candidates": []}));
    }

    #[test]
    fn people_get_a_line_of_words() {
        assert_eq!(
            run_on("sf 7444400031887\nhello\n", false),
            "SF7444400031887\tsf 0.95 sf-prefix\nHELLO\t-\n"
        );
    }
}
