//! Text files of cells: encoding, separator, quotes, and the row numbers that a spreadsheet would show.
//! Must never decide what a cell means.

use super::cells::Cell;
use super::files::{FileError, MOST_COLUMNS, MOST_ROWS, TakeRow};
use encoding_rs::{Encoding, GB18030};
use std::borrow::Cow;

/// The text: by its byte order mark, else UTF-8 where it is valid, else GB18030 (which contains GBK).
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, FileError> {
    let (text, bad) = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => encoding.decode_without_bom_handling(&bytes[length..]),
        None => match std::str::from_utf8(bytes) {
            Ok(text) => (Cow::Borrowed(text), false),
            Err(_) => GB18030.decode_without_bom_handling(bytes),
        },
    };
    if bad || text.contains('\0') { Err(FileError::Encoding) } else { Ok(text) }
}

/// What stands most often in the first line outside of quotes.
fn separator(text: &str) -> u8 {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let mut counts = [(b',', 0), (b'\t', 0), (b';', 0)];
    let mut quoted = false;
    for byte in line.bytes() {
        quoted ^= byte == b'"';
        if let Some((_, count)) = counts.iter_mut().find(|(separator, _)| !quoted && *separator == byte) {
            *count += 1;
        }
    }
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(separator, _)| *separator)
}

/// Gives each row with its number to `take`.
pub(super) fn each_row(text: &str, take: &mut TakeRow<'_>) -> Result<(), FileError> {
    let mut reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator(text))
        .from_reader(text.as_bytes());
    let mut record = ::csv::StringRecord::new();
    let mut row = 0;
    loop {
        let from = usize::try_from(reader.position().byte()).unwrap_or(text.len());
        row += empty_lines(text, from) + 1;
        if !reader.read_record(&mut record).map_err(|error| FileError::Broken(error.to_string()))? {
            return Ok(());
        }
        if row > MOST_ROWS {
            return Err(FileError::TooLarge(format!("more than {MOST_ROWS} rows")));
        }
        if record.len() > MOST_COLUMNS {
            return Err(FileError::TooLarge(format!("row {row} has more than {MOST_COLUMNS} columns")));
        }
        let cells: Vec<Cell> = record.iter().map(Cell::text).collect();
        take(row, &cells)?;
    }
}

/// The reader passes over empty lines without a word; a spreadsheet counts them.
fn empty_lines(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let rest = bytes.get(from..).unwrap_or_default();
    // The second half of the line end before.
    let split = from > 0 && bytes[from - 1] == b'\r' && rest.first() == Some(&b'\n');
    let mut rest = &rest[usize::from(split)..];
    let mut count = 0;
    loop {
        rest = match rest {
            [b'\r', b'\n', rest @ ..] | [b'\n' | b'\r', rest @ ..] => rest,
            _ => return count,
        };
        count += 1;
    }
}
