//! A file of orders goes into the store: all of it, or nothing where a row is wrong and the operator has not said
//! otherwise. Must never write before the whole file is read, nor let an old file undo what is newer.

use super::errands::{Done, Office};
use crate::carriers::{names, recognize};
use crate::model::{Order, OrderStatus, Shop};
use crate::platforms::files::{self, Format, LARGEST, Rejected, Sheet};
use crate::store::StoreError;
use crate::store::records::Upserted;
use crate::tracking::Tracker;
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Orders that are written at the same time.
const IN_FLIGHT: usize = 64;

/// What is imported, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Import {
    /// Absolute path, read by the process that runs the errand.
    pub file: PathBuf,
    /// Shop id.
    pub shop: String,
    /// Name of a [`Format`].
    pub format: String,
    /// Look, and write nothing.
    pub dry_run: bool,
    /// Write the good orders though other rows are wrong.
    pub skip_bad: bool,
    /// One JSON line.
    pub json: bool,
}

/// What came of it; the JSON line.
#[derive(Debug, Default, Serialize)]
struct Report {
    rows: usize,
    imported: usize,
    updated: usize,
    /// The store knows something newer: left as they are.
    #[serde(skip)]
    older: usize,
    rejected: Vec<RejectedRow>,
}

#[derive(Debug, Serialize)]
struct RejectedRow {
    row: usize,
    reason: String,
}

impl From<Rejected> for RejectedRow {
    fn from(rejected: Rejected) -> Self {
        Self { row: rejected.row, reason: rejected.reason }
    }
}

impl Office {
    pub(super) async fn import(&self, import: Import) -> Done {
        let Some(shop) = self.intake.shop(&import.shop).cloned() else {
            return Done::refused(format!("there is no shop {}; its name stands in yishi.toml", import.shop));
        };
        let Some(format) = Format::named(&import.format) else {
            return Done::refused(format!("there is no format {}", import.format));
        };
        let (file, zone) = (import.file.clone(), shop.zone.clone());
        let (tracker, id) = (self.intake.tracker.clone(), shop.id.clone());
        let read = tokio::task::spawn_blocking(move || {
            let bytes = bytes_of(&file)?;
            files::read(&bytes, format, &zone, &carriers(&tracker, &id)).map_err(|error| error.to_string())
        });
        let sheet = match read.await {
            Ok(Ok(sheet)) => sheet,
            Ok(Err(reason)) => return Done::refused(format!("{}: {reason}", import.file.display())),
            Err(_) => return Done::refused(format!("{}: the file cannot be read", import.file.display())),
        };
        let mut sheet = sheet;
        let judged = match self.judge_all(&shop, &mut sheet).await {
            Ok(judged) => judged,
            Err(error) => return Done::refused(format!("{error}; nothing was written")),
        };
        let held = !sheet.rejected.is_empty() && !import.skip_bad;
        let mut report = Report { rows: sheet.rows, ..Report::default() };
        if !held {
            let written = if import.dry_run { Ok(judged) } else { self.write_all(&shop, &sheet).await };
            match written {
                Ok(written) => {
                    report.imported = written.iter().filter(|done| **done == Upserted::Created).count();
                    report.older = written.iter().filter(|done| **done == Upserted::Stale).count();
                    report.updated = written.iter().filter(|done| **done == Upserted::Updated).count();
                }
                Err(error) => {
                    return Done::refused(format!(
                        "{error}; some orders may be written already: importing the file again does no harm"
                    ));
                }
            }
        }
        report.rejected = sheet.rejected.into_iter().map(RejectedRow::from).collect();
        say(&report, &import, held)
    }

    /// Looks at every order beside what is stored, before the first is written: what cannot be stored is rejected,
    /// and what the file does not tell is taken from there.
    async fn judge_all(&self, shop: &Shop, sheet: &mut Sheet) -> Result<Vec<Upserted>, StoreError> {
        let records = &self.intake.records;
        let unstated = std::mem::take(&mut sheet.unstated);
        let orders = std::mem::take(&mut sheet.orders).into_iter().zip(std::mem::take(&mut sheet.first_rows));
        let one = |(mut order, row): (Order, usize)| {
            let unstated = unstated.contains(&order.no);
            async move {
                if unstated && let Some(old) = records.order(&shop.id, &order.no).await?.value {
                    keep_status(&mut order, &old);
                }
                match records.judge_order(&shop.id, &order).await {
                    Err(StoreError::TooLarge { .. }) => Ok((order, row, None)),
                    judged => judged.map(|outcome| (order, row, Some(outcome))),
                }
            }
        };
        // One future after another: a hundred thousand of them at once are half a gigabyte.
        let mut judged = futures_util::stream::iter(orders.map(one)).buffered(IN_FLIGHT);
        let mut outcomes = Vec::new();
        while let Some((order, row, outcome)) = judged.try_next().await? {
            if let Some(outcome) = outcome {
                sheet.orders.push(order);
                sheet.first_rows.push(row);
                outcomes.push(outcome);
            } else {
                let reason =
                    "the order that begins here is too long to store (8 KiB): fewer items, or shorter names";
                sheet.rejected.push(Rejected { row, reason: reason.into() });
            }
        }
        sheet.rejected.sort_by_key(|rejected| rejected.row);
        Ok(outcomes)
    }

    async fn write_all(&self, shop: &Shop, sheet: &Sheet) -> Result<Vec<Upserted>, StoreError> {
        let now = self.intake.clock.now();
        let one = |at: usize| async move {
            match sheet.orders.get(at) {
                Some(order) => self.intake.records.upsert_order(&shop.id, order, now).await.map(Some),
                None => Ok(None),
            }
        };
        let written =
            futures_util::stream::iter((0..sheet.orders.len()).map(one)).buffer_unordered(IN_FLIGHT);
        let written: Vec<_> = written.try_collect().await?;
        Ok(written.into_iter().flatten().collect())
    }
}

/// A file that does not tell the status leaves what is known, except that what is shipped is shipped.
fn keep_status(order: &mut Order, old: &Order) {
    let shipped_now = order.status == OrderStatus::Shipped && old.status < OrderStatus::Shipped;
    if !shipped_now {
        order.status = old.status;
    }
    // It adds parcels to what is known, also where the rest is older.
    order.updated_at = order.updated_at.max(old.updated_at);
    order.refund = order.refund.take().or_else(|| old.refund.clone());
}

fn bytes_of(file: &Path) -> Result<Vec<u8>, String> {
    let opened = std::fs::File::open(file).map_err(|error| error.to_string())?;
    if !opened.metadata().is_ok_and(|about| about.is_file()) {
        return Err("this is no file".into());
    }
    let mut bytes = Vec::new();
    // One byte more than the limit, so that the reader sees that it is passed.
    opened.take(LARGEST as u64 + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// By the merchant's word, else by the number itself and the shop's usual carriers. A file names few carriers many times: each is looked up once.
fn carriers(tracker: &Tracker, shop: &str) -> impl Fn(&str, &str) -> Option<(String, String)> {
    let known: RefCell<HashMap<String, Option<&'static str>>> = RefCell::default();
    move |name, number| {
        let number = recognize::normalize_number(number);
        let mut known = known.borrow_mut();
        let named = match known.get(name) {
            Some(named) => *named,
            None => {
                let named = names::by_any(name).map(|carrier| carrier.code);
                known.insert(name.to_owned(), named);
                named
            }
        };
        let carrier = named.map(str::to_owned).or_else(|| {
            let found = tracker.recognize(shop, &number);
            found.into_iter().next().map(|candidate| candidate.carrier)
        })?;
        Some((carrier, number))
    }
}

fn say(report: &Report, import: &Import, held: bool) -> Done {
    let mut done = Done { exit: u8::from(held), ..Done::default() };
    if import.json {
        done.out.extend(serde_json::to_string(report));
        return done;
    }
    let would = if import.dry_run { "would be " } else { "" };
    done.out.push(format!(
        "{} rows: {} orders {would}imported, {} {would}updated, {} older than what is stored, {} rows rejected",
        report.rows,
        report.imported,
        report.updated,
        report.older,
        report.rejected.len()
    ));
    done.out
        .extend(report.rejected.iter().map(|rejected| format!("row {}: {}", rejected.row, rejected.reason)));
    if held {
        let hint = "nothing was written; correct these rows, or write the other orders with --skip-bad";
        done.err.push(hint.to_owned());
    }
    done
}
