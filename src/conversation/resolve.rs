//! Which order is meant: a number in the text, the item's name, the one just spoken of, else the likeliest.
//! Must never return an order that does not belong to this chat.

use super::choose::overlap;
use super::decide::Turn;
use super::{Decision, OrderView, prove};
use crate::model::chat::Question;
use crate::model::{Line, OrderStatus, Status};
use jiff::Timestamp;

/// How long "the one just spoken of" stays the one meant.
const FOCUS_MINUTES: i64 = 30;

/// The outcome of looking for the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resolved {
    /// This order (and this parcel of it); `sure` where nothing else could be meant.
    Order { order: String, number: Option<String>, sure: bool },
    /// We asked the buyer back; the question stands in the turn.
    Asked,
}

pub(super) fn resolve(turn: &mut Turn, intent: &str) -> Result<Resolved, Decision> {
    let mine = turn.mine()?;
    let claims = prove::claims(turn);
    for claim in &claims {
        if let Some((view, number)) = mine.iter().find_map(|view| named(view, claim)) {
            return Ok(Resolved::Order { order: view.order.no.clone(), number, sure: true });
        }
    }
    if !claims.is_empty() {
        return prove::claim(turn, &claims, None, intent);
    }
    match mine {
        [] => {
            turn.text(Line::new("ask-order"));
            let tail = prove::tail(turn).unwrap_or_default();
            turn.ask(Question::OrderNumber { tail });
            return Ok(Resolved::Asked);
        }
        [only] => return Ok(Resolved::Order { order: only.order.no.clone(), number: None, sure: true }),
        _ => {}
    }
    if let Some(order) = by_item(turn)?.or_else(|| in_focus(turn, mine, intent)) {
        return Ok(Resolved::Order { order, number: None, sure: true });
    }
    let likely = by_relevance(mine, intent);
    let order = likely.first().map(|view| view.order.no.clone()).unwrap_or_default();
    Ok(Resolved::Order { order, number: None, sure: false })
}

/// Whether a claim names this order or one of its parcels.
pub(super) fn named<'a>(view: &'a OrderView, claim: &str) -> Option<(&'a OrderView, Option<String>)> {
    if view.order.no.eq_ignore_ascii_case(claim) {
        return Some((view, None));
    }
    let shipment =
        view.order.shipments.iter().find(|shipment| shipment.number.eq_ignore_ascii_case(claim))?;
    Some((view, Some(shipment.number.clone())))
}

/// The one order whose item the text names, if exactly one does so best.
pub(super) fn by_item(turn: &Turn) -> Result<Option<String>, Decision> {
    let super::Said::Text(text) = &turn.heard.said else { return Ok(None) };
    Ok(named_item(text, turn.mine()?))
}

fn named_item(text: &str, mine: &[OrderView]) -> Option<String> {
    /// Words of every parcel question: no item's name.
    const GENERIC: [&str; 22] = [
        "快递", "包裹", "物流", "订单", "东西", "什么", "时候", "我的", "发货", "收货", "宝贝", "商品",
        "where", "when", "order", "parcel", "package", "delivery", "shipped", "will", "what", "arrive",
    ];
    let mut text = crate::text::normalize::normalize(text);
    for word in GENERIC {
        text = text.replace(word, "\u{1f}");
    }
    let score = |view: &OrderView| {
        let titles = view.order.items.iter().map(|item| crate::text::normalize::normalize(&item.title));
        titles.map(|title| overlap(&text, &title)).max().unwrap_or(0)
    };
    let mut scored: Vec<(usize, &OrderView)> = mine.iter().map(|view| (score(view), view)).collect();
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    match scored.as_slice() {
        [(best, view), rest @ ..] if *best >= 2 && rest.first().is_none_or(|(second, _)| best > second) => {
            Some(view.order.no.clone())
        }
        _ => None,
    }
}

fn in_focus(turn: &Turn, mine: &[OrderView], intent: &str) -> Option<String> {
    let focus = turn.chat.focus.as_deref()?;
    let recent = turn
        .at
        .chat
        .last_inbound
        .is_some_and(|last| turn.at.now.duration_since(last).as_mins() < FOCUS_MINUTES);
    let view = mine.iter().find(|view| view.order.no == focus)?;
    let fits = intent != "when_ship" || view.parcels.is_empty();
    (recent && fits).then(|| focus.to_owned())
}

/// Orders with the likeliest first: for each question another kind of order comes to mind first.
pub(super) fn by_relevance<'a>(mine: &'a [OrderView], intent: &str) -> Vec<&'a OrderView> {
    let mut sorted: Vec<&OrderView> = mine.iter().collect();
    sorted.sort_by_key(|view| std::cmp::Reverse((likelihood(view, intent), newest(view))));
    sorted
}

fn likelihood(view: &OrderView, intent: &str) -> u8 {
    let closed = matches!(view.order.status, OrderStatus::Closed | OrderStatus::Created);
    let waiting = view.parcels.is_empty() && !closed;
    let done = !view.parcels.is_empty() && view.parcels.iter().all(|parcel| parcel.state.status.is_final());
    let delivered = view.parcels.iter().any(|parcel| parcel.state.status == Status::Delivered);
    let returning = view.order.status == OrderStatus::Refunding
        || view
            .parcels
            .iter()
            .any(|parcel| matches!(parcel.state.status, Status::Returning | Status::Returned));
    let silent = view.parcels.iter().all(|parcel| parcel.events.is_empty());
    match intent {
        _ if closed => 0,
        "when_ship" if waiting => 4,
        "not_received" if delivered => 4,
        "return_status" if returning => 4,
        _ if done => 1,
        _ if waiting || silent => 2,
        _ => 3,
    }
}

fn newest(view: &OrderView) -> Option<Timestamp> {
    let movement = view.parcels.iter().filter_map(|parcel| parcel.state.last_event).max();
    movement.or(view.order.paid_at).or(view.order.created_at).or(view.order.updated_at)
}
