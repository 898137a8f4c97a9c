//! Rows become orders: one order may span several rows, one row may hold several parcels. A row that cannot be read
//! rejects its whole order. Must never take half of an order for the whole.

use super::cells::{self, Cell};
use super::columns::{self, Columns, Field, Refunds, Told};
use super::files::{CarrierOf, FileError, Format, Rejected, Sheet};
use crate::model::order::{Buyer, Item, Shipment};
use crate::model::{Order, OrderStatus, Private};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::HashMap;

/// The header stands in one of the first rows; some exports put a title above it.
const HEADER_WITHIN: usize = 10;
/// Longest order or tracking number, in characters.
const LONGEST_ID: usize = 64;
/// Most parcels of an order, and most rows with an article.
const MOST_OF_ORDER: usize = 200;
/// Longest title, name or address that is kept, in characters.
const LONGEST_TEXT: usize = 300;

/// An order while its rows are read.
#[derive(Default)]
struct Growing {
    /// Where it begins in the file.
    row: usize,
    order: Order,
    statuses: Vec<OrderStatus>,
    bad: bool,
}

/// Reads a file row by row.
pub(super) struct Reading<'a> {
    format: Format,
    zone: &'a TimeZone,
    carrier_of: CarrierOf<'a>,
    columns: Option<Columns>,
    /// The first row with something in it, for the message that no header is known.
    first: Option<String>,
    seen: usize,
    rows: usize,
    orders: Vec<Growing>,
    /// Position in `orders` by number, upper case.
    places: HashMap<String, usize>,
    rejected: Vec<Rejected>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(format: Format, zone: &'a TimeZone, carrier_of: CarrierOf<'a>) -> Self {
        Self {
            format,
            zone,
            carrier_of,
            columns: None,
            first: None,
            seen: 0,
            rows: 0,
            orders: Vec::new(),
            places: HashMap::new(),
            rejected: Vec::new(),
        }
    }

    /// Takes one row with its number in the file.
    pub(super) fn row(&mut self, row: usize, cells: &[Cell]) -> Result<(), FileError> {
        if cells.iter().all(|cell| cell.text.is_empty()) {
            return Ok(());
        }
        let Some(columns) = self.columns.take() else { return self.header(cells) };
        self.rows += 1;
        let line = Line { columns: &columns, cells };
        if let Err(reason) = self.order(row, &line) {
            self.rejected.push(Rejected { row, reason });
        }
        self.columns = Some(columns);
        Ok(())
    }

    fn header(&mut self, cells: &[Cell]) -> Result<(), FileError> {
        let names: Vec<String> = cells.iter().map(|cell| columns::header(&cell.text)).collect();
        self.columns = Columns::read(&names);
        if self.columns.is_some() {
            if self.format == Format::Auto {
                self.format = columns::platform(&names);
            }
            return Ok(());
        }
        let texts = cells.iter().map(|cell| cell.text.as_str());
        let shown = || texts.clone().filter(|text| !text.is_empty()).take(20).map(|text| cut(text, 20));
        let first = self.first.get_or_insert_with(|| shown().collect::<Vec<_>>().join(", "));
        self.seen += 1;
        if self.seen < HEADER_WITHIN { Ok(()) } else { Err(FileError::NoHeader(first.clone())) }
    }

    fn order(&mut self, row: usize, line: &Line<'_>) -> Result<(), String> {
        let (header, no) = line.id(Field::OrderNo)?;
        if columns::is_nothing(no) {
            return Err("there is no order number".into());
        }
        if no.chars().count() > LONGEST_ID || no.chars().any(char::is_control) || !has_alphanumeric(no) {
            return Err(format!("column {}: “{}” is no order number", header + 1, cut(no, 40)));
        }
        let place = *self.places.entry(no.to_uppercase()).or_insert_with(|| {
            self.orders.push(Growing {
                row,
                order: Order { no: no.to_owned(), ..Order::default() },
                ..Growing::default()
            });
            self.orders.len() - 1
        });
        let read = line.read(self.zone, self.carrier_of);
        let Some(growing) = self.orders.get_mut(place) else { return Ok(()) };
        match read {
            Ok(read) => {
                growing.join(read);
                let (items, parcels) = (growing.order.items.len(), growing.order.shipments.len());
                if items.max(parcels) > MOST_OF_ORDER {
                    growing.bad = true;
                    // What is refused need not be kept, nor searched by every further row.
                    growing.order.items.clear();
                    growing.order.shipments.clear();
                    return Err(format!("an order has at most {MOST_OF_ORDER} parcels and as many articles"));
                }
            }
            Err(reason) => {
                growing.bad = true;
                return Err(reason);
            }
        }
        Ok(())
    }

    /// The end of the file.
    pub(super) fn finish(self) -> Result<Sheet, FileError> {
        if self.columns.is_none() {
            return Err(self.first.map_or(FileError::Empty, FileError::NoHeader));
        }
        let mut sheet = Sheet { rows: self.rows, rejected: self.rejected, ..Sheet::default() };
        for growing in self.orders.into_iter().filter(|growing| !growing.bad) {
            let mut order = growing.order;
            order.platform = Some(self.format.name().to_owned());
            let stated = overall(&growing.statuses);
            if stated.is_none() {
                sheet.unstated.insert(order.no.clone());
            }
            let assumed = if order.shipments.is_empty() { OrderStatus::Paid } else { OrderStatus::Shipped };
            order.status = stated.unwrap_or(assumed);
            if order.refund.is_some() && order.status != OrderStatus::Closed {
                order.status = OrderStatus::Refunding;
            }
            sheet.first_rows.push(growing.row);
            sheet.orders.push(order);
        }
        Ok(sheet)
    }
}

/// One status of all rows' statuses.
fn overall(statuses: &[OrderStatus]) -> Option<OrderStatus> {
    use OrderStatus::{Closed, Paid, PartiallyShipped, Refunding};
    let open: Vec<OrderStatus> = statuses.iter().copied().filter(|status| *status != Closed).collect();
    let Some(least) = open.iter().min() else { return statuses.first().copied() };
    let most = open.iter().max()?;
    Some(match (*least, *most) {
        (_, Refunding) => Refunding,
        (least, most) if least <= Paid && most > Paid => PartiallyShipped,
        (least, _) => least,
    })
}

/// One row by its columns.
struct Line<'a> {
    columns: &'a Columns,
    cells: &'a [Cell],
}

impl<'a> Line<'a> {
    /// The first cell of a field with something in it.
    fn cell(&self, field: Field) -> Option<(usize, &'a Cell)> {
        let mut cells = self.columns.of(field).filter_map(|at| Some((at, self.cells.get(at)?)));
        cells.find(|(_, cell)| !cell.text.is_empty())
    }

    fn text(&self, field: Field) -> Option<&'a str> {
        self.cell(field).map(|(_, cell)| cell.text.as_str()).filter(|text| !columns::is_nothing(text))
    }

    fn kept(&self, field: Field) -> Option<String> {
        self.text(field).map(|text| cut(text, LONGEST_TEXT))
    }

    /// Column and text of an id; empty where there is none.
    fn id(&self, field: Field) -> Result<(usize, &'a str), String> {
        let Some((at, cell)) = self.cell(field) else { return Ok((0, "")) };
        cell.id().map(|text| (at, text)).map_err(|reason| format!("column {}: {reason}", at + 1))
    }

    fn time(&self, field: Field, zone: &TimeZone) -> Result<Option<Timestamp>, String> {
        let Some((at, cell)) = self.cell(field) else { return Ok(None) };
        cells::time(&cell.text, zone).map_err(|reason| format!("column {}: {reason}", at + 1))
    }

    fn read(&self, zone: &TimeZone, carrier_of: CarrierOf<'_>) -> Result<Growing, String> {
        let mut order = Order {
            created_at: self.time(Field::Created, zone)?,
            paid_at: self.time(Field::Paid, zone)?,
            ..Order::default()
        };
        let shipped_at = self.time(Field::Shipped, zone)?;
        let finished_at = self.time(Field::Finished, zone)?;
        order.updated_at =
            [order.created_at, order.paid_at, shipped_at, finished_at].into_iter().max().flatten();
        let mut statuses = Vec::new();
        if let Some(word) = self.text(Field::Status) {
            match columns::status(word) {
                Some(Told::Status(status)) => statuses.push(status),
                Some(Told::Nothing) => {}
                None => return Err(format!("the order status “{}” is not known", cut(word, 40))),
            }
        }
        match self.text(Field::Refund).map_or(Refunds::None, columns::refund) {
            Refunds::None => {}
            Refunds::Running => order.refund = Some("running".into()),
            Refunds::Done => statuses = vec![OrderStatus::Closed],
        }
        order.buyer = self.buyer();
        if let Some(title) = self.kept(Field::Title) {
            let quantity = self.text(Field::Quantity).and_then(|text| text.parse().ok()).unwrap_or(1);
            order.items.push(Item { title, sku: self.kept(Field::Sku), qty: quantity });
        }
        for (name, number) in self.parcels()?.into_iter().take(MOST_OF_ORDER + 1) {
            let Some((carrier, number)) = carrier_of(name, number).filter(|(_, number)| is_number(number))
            else {
                let (name, number) = (cut(name, 20), cut(number, 50));
                return Err(format!(
                    "“{number}” is no tracking number of a known carrier (carrier: “{name}”); write the carrier's name or code"
                ));
            };
            order.shipments.push(Shipment { carrier, number, shipped_at, items: order.items.clone() });
        }
        if order.shipments.is_empty() && !self.columns.has(Field::Status) {
            return Err("there is no tracking number, and the file has no column for the status".into());
        }
        Ok(Growing { order, statuses, ..Growing::default() })
    }

    /// Carrier's name (may be empty) and number of each parcel.
    fn parcels(&self) -> Result<Vec<(&'a str, &'a str)>, String> {
        let (_, cell) = self.id(Field::Number)?;
        let numbers: Vec<&str> = cells::numbers(cell).collect();
        if !numbers.is_empty() {
            let carriers = self.text(Field::Carrier).unwrap_or("");
            let names = cells::names(carriers);
            let one = |at: usize| if names.len() == numbers.len() { names[at] } else { carriers };
            return Ok(numbers.iter().enumerate().map(|(at, number)| (one(at), *number)).collect());
        }
        let listed = cells::names(self.text(Field::Parcels).unwrap_or(""));
        // The number itself may hold dashes; the carrier's name does not.
        Ok(listed
            .into_iter()
            .map(|one| one.rsplit_once('-').map_or(("", one), |(number, name)| (name, number)))
            .collect())
    }

    fn buyer(&self) -> Buyer {
        let (phone, tail) = self.text(Field::Phone).map_or((None, None), cells::phone);
        let parts = self.columns.of(Field::AddressPart).collect::<std::collections::BTreeSet<usize>>();
        let parts = parts.into_iter().filter_map(|at| self.cells.get(at)).map(|cell| cell.text.as_str());
        let joined: String = parts.filter(|part| !columns::is_nothing(part)).collect();
        let joined = (!joined.is_empty()).then(|| cut(&joined, LONGEST_TEXT));
        Buyer {
            external_id: self.kept(Field::Buyer),
            name: self.kept(Field::Receiver).map(Private::new),
            phone: phone.map(Private::new),
            phone_last4: tail.map(Private::new),
            address: self.kept(Field::Address).or(joined).map(Private::new),
            chat: Vec::new(),
        }
    }
}

impl Growing {
    /// Joins one more row of the same order.
    fn join(&mut self, row: Self) {
        let (order, new) = (&mut self.order, row.order);
        self.statuses.extend(row.statuses);
        order.created_at = [order.created_at, new.created_at].into_iter().flatten().min();
        order.paid_at = order.paid_at.max(new.paid_at);
        order.updated_at = order.updated_at.max(new.updated_at);
        order.refund = order.refund.take().or(new.refund);
        order.items.extend(new.items);
        for shipment in new.shipments {
            match order.shipments.iter_mut().find(|known| known.number == shipment.number) {
                Some(known) => known.items.extend(shipment.items),
                None => order.shipments.push(shipment),
            }
        }
        let (buyer, new) = (&mut order.buyer, new.buyer);
        buyer.external_id = buyer.external_id.take().or(new.external_id);
        buyer.name = buyer.name.take().or(new.name);
        if buyer.phone.is_none() {
            buyer.phone_last4 = if new.phone.is_some() {
                new.phone_last4
            } else {
                buyer.phone_last4.take().or(new.phone_last4)
            };
            buyer.phone = new.phone;
        }
        buyer.address = buyer.address.take().or(new.address);
    }
}

fn is_number(number: &str) -> bool {
    (5..=48).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && number.bytes().any(|byte| byte.is_ascii_digit())
}

fn has_alphanumeric(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
