//! XLSX: the first sheet, cell by cell. The file is a stranger's zip: what it unpacks to is counted before anything is
//! opened. Must never build a whole sheet in memory.

use super::cells::Cell;
use super::files::{FileError, MOST_COLUMNS, MOST_ROWS, TakeRow};
use calamine::{DataRef, Reader as _, Xlsx, XlsxError};
use std::io::{Cursor, Read as _};

/// Most bytes that all entries may unpack to.
const MOST_UNPACKED: u64 = 200 << 20;
/// Most times that an entry may grow when unpacked; smaller ones than [`SMALL`] may grow more.
const MOST_GROWTH: u64 = 200;
const SMALL: u64 = 64 << 10;
const MOST_ENTRIES: usize = 1_000;
/// Excel's own limit of a cell's text, in characters.
const LONGEST_CELL: usize = 32_767;
/// Up to here every whole number is exact in the format's floating point.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Gives each row with its number to `take`.
pub(super) fn each_row(bytes: &[u8], take: &mut TakeRow<'_>) -> Result<(), FileError> {
    weigh(bytes)?;
    let broken = |error: XlsxError| FileError::Broken(error.to_string());
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let first = workbook.sheet_names().first().cloned().ok_or(FileError::Empty)?;
    let mut reader = workbook.worksheet_cells_reader(&first).map_err(broken)?;
    let mut current = 0;
    let mut cells: Vec<Cell> = Vec::new();
    while let Some(cell) = reader.next_cell().map_err(broken)? {
        let (row, column) = cell.get_position();
        let (row, column) = (row as usize, column as usize);
        if matches!(cell.get_value(), DataRef::Empty) {
            continue;
        }
        if row >= MOST_ROWS || column >= MOST_COLUMNS {
            return Err(FileError::TooLarge(format!(
                "a cell stands in row {}, column {}; {MOST_ROWS} rows and {MOST_COLUMNS} columns are read",
                row + 1,
                column + 1
            )));
        }
        if row != current {
            if row < current {
                return Err(FileError::Broken("its rows are not in order".into()));
            }
            if !cells.is_empty() {
                take(current + 1, &cells)?;
            }
            cells.clear();
            current = row;
        }
        if cells.len() <= column {
            cells.resize(column + 1, Cell::default());
        }
        cells[column] = read(cell.get_value());
    }
    if cells.is_empty() { Ok(()) } else { take(current + 1, &cells) }
}

fn read(value: &DataRef<'_>) -> Cell {
    match value {
        DataRef::Int(whole) => Cell::text(&whole.to_string()),
        DataRef::Float(number) if number.fract() == 0.0 => {
            Cell { rounded: number.abs() > EXACT, ..Cell::text(&format!("{number:.0}")) }
        }
        DataRef::Float(number) => Cell::text(&number.to_string()),
        DataRef::String(text) => Cell::text(&cut(text)),
        DataRef::SharedString(text) => Cell::text(&cut(text)),
        DataRef::DateTime(at) if at.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            Cell::text(&format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"))
        }
        DataRef::DateTime(at) => Cell::text(&at.as_f64().to_string()),
        DataRef::DateTimeIso(text) => Cell::text(&cut(text)),
        DataRef::Bool(_) | DataRef::DurationIso(_) | DataRef::Error(_) | DataRef::Empty => Cell::default(),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST_CELL).collect()
}

/// Reads the zip's directory, then counts what really comes out: a directory can lie.
fn weigh(bytes: &[u8]) -> Result<(), FileError> {
    let broken = |error: zip::result::ZipError| FileError::Broken(error.to_string());
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    if archive.len() > MOST_ENTRIES {
        return Err(FileError::Bomb(format!("{} entries", archive.len())));
    }
    let mut total = 0_u64;
    for at in 0..archive.len() {
        let entry = archive.by_index_raw(at).map_err(broken)?;
        let (size, packed) = (entry.size(), entry.compressed_size());
        total = total.saturating_add(size);
        if size > SMALL && size / packed.max(1) > MOST_GROWTH {
            return Err(FileError::Bomb(format!("{packed} bytes become {size}")));
        }
    }
    if total > MOST_UNPACKED {
        return Err(FileError::Bomb(format!("{total} bytes, {MOST_UNPACKED} are read")));
    }
    for at in 0..archive.len() {
        let entry = archive.by_index(at).map_err(broken)?;
        let size = entry.size();
        let read = std::io::copy(&mut entry.take(size + 1), &mut std::io::sink());
        match read {
            Ok(read) if read > size => return Err(FileError::Bomb("more than it declares".into())),
            Ok(_) => {}
            Err(error) => return Err(FileError::Broken(error.to_string())),
        }
    }
    Ok(())
}
