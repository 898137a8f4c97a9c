//! A merchant's order file, as the shop platforms export it (CSV or XLSX), becomes orders; what cannot be read is named
//! by row with its reason. Must never panic on any bytes, take more memory than its limits, or guess what a file says.

use super::cells::Cell;
use super::delimited;
use super::rows::Reading;
use super::workbook;
use crate::model::Order;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// Largest file, in bytes.
pub const LARGEST: usize = 64 << 20;
/// Most rows that are read.
pub(super) const MOST_ROWS: usize = 200_000;
/// Most columns that are read.
pub(super) const MOST_COLUMNS: usize = 256;

/// Whose export it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Told by the headers.
    #[default]
    Auto,
    /// Taobao and Tmall.
    Taobao,
    /// JD.
    Jd,
    /// Pinduoduo.
    Pdd,
    /// Douyin.
    Douyin,
    /// Anything with an order number and a tracking number, such as the simple template.
    Generic,
}

impl Format {
    /// Every format by its name on the command line.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("auto", Self::Auto),
        ("taobao", Self::Taobao),
        ("jd", Self::Jd),
        ("pdd", Self::Pdd),
        ("douyin", Self::Douyin),
        ("generic", Self::Generic),
    ];

    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, format)| *format == self).map_or("generic", |(name, _)| name)
    }
}

/// What a file says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sheet {
    /// Rows with something in them, beside the header.
    pub rows: usize,
    /// Orders without a rejected row, in the order of the file.
    pub orders: Vec<Order>,
    /// The first row of each of those orders.
    pub first_rows: Vec<usize>,
    /// Numbers of those orders whose status the file does not tell: theirs is assumed from the shipments.
    pub unstated: BTreeSet<String>,
    /// Rows that cannot be taken; the orders they belong to are not in `orders`.
    pub rejected: Vec<Rejected>,
}

/// A row that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// As a spreadsheet counts: the first row is 1.
    pub row: usize,
    /// Why, for the operator.
    pub reason: String,
}

/// Why a whole file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// No row is a known header.
    #[error(
        "no header row is known: a file needs a column 订单编号 (order number) and 物流单号 (tracking number) or 订单状态 \
         (status); the simple template has 订单编号*, 物流单号*, 物流公司, 手机, 收货人, 发货时间, 商品. The first row says: {0}"
    )]
    NoHeader(String),
    /// A limit is passed.
    #[error("the file is too large: {0}; split it")]
    TooLarge(String),
    /// It unpacks to more than a spreadsheet would.
    #[error("the file unpacks to far more than a spreadsheet holds ({0}); it was not opened")]
    Bomb(String),
    /// The binary format of old Excel, also around an encrypted new one.
    #[error(
        "this is an old .xls file or one with a password; save it as .xlsx without a password, or as CSV"
    )]
    OldExcel,
    /// Not UTF-8 and not GB18030.
    #[error("the text of the file is neither UTF-8 nor GBK; save it as “CSV UTF-8”")]
    Encoding,
    /// Damaged.
    #[error("the file cannot be read: {0}")]
    Broken(String),
}

/// Takes a row with its number; `Err` ends the reading.
pub(super) type TakeRow<'a> = dyn FnMut(usize, &[Cell]) -> Result<(), FileError> + 'a;

/// Yishi's carrier code and the normalized number for a carrier as the merchant names it (may be empty) and a number
/// as written. `None`: nobody's number.
pub type CarrierOf<'a> = &'a dyn Fn(&str, &str) -> Option<(String, String)>;

/// Reads a file. Times without an offset are in the shop's `zone`.
pub fn read(
    bytes: &[u8],
    format: Format,
    zone: &TimeZone,
    carrier_of: CarrierOf<'_>,
) -> Result<Sheet, FileError> {
    if bytes.len() > LARGEST {
        return Err(FileError::TooLarge(format!("{} bytes, {LARGEST} are read", bytes.len())));
    }
    let mut reading = Reading::new(format, zone, carrier_of);
    if bytes.starts_with(b"PK\x03\x04") {
        workbook::each_row(bytes, &mut |row, cells| reading.row(row, cells))?;
    } else if bytes.starts_with(b"\xD0\xCF\x11\xE0") {
        return Err(FileError::OldExcel);
    } else {
        let text = delimited::decode(bytes)?;
        delimited::each_row(&text, &mut |row, cells| reading.row(row, cells))?;
    }
    reading.finish()
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
