//! What each question is answered with. Words are templates; every fact in them comes from an order or its events.

use super::choose::{order_id, parcel_id};
use super::compose::{self, moment};
use super::decide::{Flow, Turn};
use super::resolve::by_relevance;
use super::{Asked, Decision, Effect, Need, OrderView, Said};
use crate::model::chat::{Mode, Question};
use crate::model::{Arg, Block, Choice, Line, NoticeGroup, OrderStatus, Parcel, Status};

/// How many orders a list shows.
const LISTED: usize = 8;
/// Couriers scan "delivered" up to so long before they hand over.
const EARLY_SCAN: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
/// Up to this many parcels of an order are asked about in one turn.
const ASKED: usize = 4;

/// An order in the buyer's words: its item, else its number.
pub(super) fn name(view: &OrderView) -> Arg {
    let line = match view.order.title() {
        Some((title, 0)) => Line::new("name-item").with("title", Arg::Text(title.to_owned())),
        Some((title, more)) => Line::new("name-item-more")
            .with("title", Arg::Text(title.to_owned()))
            .with("more", Arg::Number(more as i64)),
        None => Line::new("name-order").with("order", Arg::Text(view.order.no.clone())),
    };
    Arg::Line(Box::new(line))
}

/// An order as a button.
pub(super) fn order_choice(view: &OrderView) -> Choice {
    let status = match compose::worst(&view.parcels) {
        Some(parcel) => Arg::Status(parcel.state.status, None, None),
        None => Arg::Line(Box::new(Line::new("status-not-shipped"))),
    };
    let label = match view.order.title() {
        Some((title, _)) => Line::new("choice-order").with("title", Arg::Text(cut(title, 14))),
        None => Line::new("choice-order-plain").with("order", Arg::Text(view.order.no.clone())),
    };
    Choice { id: order_id(&view.order.no), label: label.with("status", status) }
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// Answers a question about one order. `whole`: with status lines and card; else its sentence only.
pub(super) fn about(
    turn: &mut Turn,
    intent: &str,
    view: &OrderView,
    number: Option<&str>,
    whole: bool,
) -> Flow {
    if view.parcels.is_empty() {
        return before_shipping(turn, intent, view);
    }
    let parcels = meant(view, number);
    if whole {
        ask_for_news(turn, view, parcels)?;
    }
    let Some(parcel) = compose::worst(parcels) else { return Ok(()) };
    opening(turn, intent, view, parcel);
    if intent == "not_received" && parcel.state.status == Status::Delivered {
        // Its sentence says all that is known; the status lines would only repeat it.
        let card = compose::card(turn, parcel);
        turn.blocks.push(Block::Parcel(Box::new(card)));
    } else if whole || matches!(intent, "track" | "eta") {
        compose::status(turn, intent, view, parcels, parcel);
    }
    if intent == "not_received" && parcel.state.status == Status::Delivered {
        let choice = Choice { id: "i:human".into(), label: Line::new("choice-human") };
        turn.blocks.push(Block::Choices(Line::new("not-received-more"), vec![choice]));
    }
    if number.is_none() && whole && parcels.len() > 1 {
        offer_parcels(turn, view);
    }
    Ok(())
}

fn meant<'v>(view: &'v OrderView, number: Option<&str>) -> &'v [Parcel] {
    let at = view.parcels.iter().position(|parcel| Some(parcel.number.as_str()) == number);
    at.map_or(view.parcels.as_slice(), |at| &view.parcels[at..=at])
}

/// The carrier is asked where the facts are old, and at most once a turn and parcel.
fn ask_for_news(turn: &Turn, view: &OrderView, parcels: &[Parcel]) -> Flow {
    let old = |parcel: &&Parcel| {
        let limit = match parcel.state.status.is_final() {
            true => jiff::SignedDuration::from_hours(6),
            false => turn.at.rules.fresh,
        };
        let checked = parcel.last_checked.is_some_and(|at| turn.at.now.duration_since(at) <= limit);
        !checked && turn.known.asked(&parcel.number).is_none()
    };
    let needs: Vec<Need> = parcels
        .iter()
        .filter(old)
        .take(ASKED.saturating_sub(turn.known.asked.len()))
        .map(|parcel| Need::Fresh {
            order: view.order.no.clone(),
            carrier: parcel.carrier.clone(),
            number: parcel.number.clone(),
        })
        .collect();
    if needs.is_empty() { Ok(()) } else { Err(Decision::Need(needs)) }
}

/// The sentence that answers the question itself, before the status.
fn opening(turn: &mut Turn, intent: &str, view: &OrderView, parcel: &Parcel) {
    let order = view.order.no.as_str();
    let parcel_arg = || name(view);
    let done = parcel.state.status.is_final();
    let carrier = Arg::Carrier(parcel.carrier.clone());
    match intent {
        "when_ship" => {
            let at = parcel.shipped_at.or(parcel.state.picked_up_at);
            if let Some(at) = at {
                let line = Line::new("when-ship-shipped").with("parcel", parcel_arg());
                turn.text(line.with("at", Arg::Moment(at)));
            }
        }
        "delayed" | "stuck" if !done && turn.known.asked(&parcel.number) != Some(Asked::Failed) => {
            let quiet =
                parcel.state.last_event.filter(|at| turn.at.now.duration_since(*at) > turn.at.rules.stuck);
            match quiet {
                Some(at) => {
                    let line = Line::new("stuck-sorry").with("parcel", parcel_arg());
                    turn.text(line.with("age", Arg::Age(at)));
                    turn.text(Line::new("stuck-noted"));
                    turn.request("stuck", Some(order));
                }
                None => turn.text(Line::new("delayed-sorry").with("parcel", parcel_arg())),
            }
        }
        "not_received" if parcel.state.status == Status::Delivered => {
            let at = parcel.state.delivered_at.map_or(Arg::Text(String::new()), Arg::Moment);
            turn.text(Line::new("not-received-delivered").with("parcel", parcel_arg()).with("at", at));
            compose::whereabouts(turn, parcel);
            turn.text(Line::new("not-received-advice"));
            let until = parcel.state.delivered_at.and_then(|at| at.checked_add(EARLY_SCAN).ok());
            if let Some(until) = until.filter(|until| *until > turn.at.now) {
                turn.text(Line::new("not-received-wait").with("until", Arg::Moment(until)));
            }
            turn.text(Line::new("not-received-noted"));
            turn.request("not_received", Some(order));
            let (carrier, number) = (parcel.carrier.clone(), parcel.number.clone());
            turn.effects.push(Effect::Dispute { carrier, number });
        }
        "not_received" if !done => turn.text(Line::new("not-received-moving").with("parcel", parcel_arg())),
        "urge" if done => turn.text(Line::new("urge-final").with("parcel", parcel_arg())),
        "urge" => {
            turn.text(Line::new("urge-moving").with("parcel", parcel_arg()));
            turn.request("urge", Some(order));
        }
        "change_address" if done => {
            turn.text(Line::new("change-address-final").with("parcel", parcel_arg()));
        }
        "change_address" => {
            let hotline = (turn.at.hotline)(&parcel.carrier).unwrap_or_default();
            turn.text(
                Line::new("change-address-moving")
                    .with("parcel", parcel_arg())
                    .with("carrier", carrier)
                    .with("hotline", Arg::Text(hotline.to_owned())),
            );
            turn.request("change_address", Some(order));
        }
        "intercept" if done => turn.text(Line::new("intercept-final").with("parcel", parcel_arg())),
        "intercept" => {
            let line = Line::new("intercept-moving").with("parcel", parcel_arg());
            turn.text(line.with("carrier", carrier));
            turn.request("intercept", Some(order));
        }
        "return_status" => {
            let key = match (view.order.status, parcel.state.status) {
                (_, Status::Returning | Status::Returned) => "return-parcel-returning",
                (OrderStatus::Refunding, _) => "return-running",
                _ if view.order.refund.is_some() => "return-running",
                _ => "return-none",
            };
            turn.text(Line::new(key).with("parcel", parcel_arg()));
        }
        _ => {}
    }
}

fn before_shipping(turn: &mut Turn, intent: &str, view: &OrderView) -> Flow {
    let order = &view.order;
    let line = |key: &str| Line::new(key).with("parcel", name(view));
    match (order.status, intent) {
        (OrderStatus::Closed, _) => turn.text(line("order-closed")),
        (OrderStatus::Refunding, "return_status" | "track" | "eta" | "when_ship") => {
            turn.text(line("order-refunding"));
        }
        (OrderStatus::Created, _) => turn.text(line("order-unpaid")),
        (_, "urge") => {
            turn.text(line("urge-waiting"));
            turn.request("urge", Some(&order.no));
        }
        (_, "change_address") => {
            turn.text(line("change-address-waiting"));
            turn.request("change_address", Some(&order.no));
        }
        (_, "intercept") => {
            turn.text(line("intercept-waiting"));
            turn.request("intercept", Some(&order.no));
        }
        (_, "return_status") => turn.text(line("return-none")),
        _ => {
            if matches!(intent, "delayed" | "stuck") {
                turn.text(line("delayed-waiting"));
            }
            turn.text(match order.paid_at {
                Some(paid) => line("when-ship-waiting").with("paid_at", Arg::Moment(paid)),
                None => line("when-ship-waiting-plain"),
            });
            if let Some(ship_by) = order.ship_by {
                let late = ship_by < turn.at.now;
                let key = if late { "when-ship-late" } else { "when-ship-by" };
                turn.text(line(key).with("ship_by", Arg::Moment(ship_by)));
                if late {
                    turn.request("when_ship", Some(&order.no));
                }
            }
        }
    }
    Ok(())
}

fn offer_parcels(turn: &mut Turn, view: &OrderView) {
    let choices = view.parcels.iter().enumerate().take(9).map(|(at, parcel)| Choice {
        id: parcel_id(&view.order.no, &parcel.number),
        label: Line::new("choice-parcel")
            .with("position", Arg::Number(at as i64 + 1))
            .with("status", Arg::Status(parcel.state.status, None, None)),
    });
    turn.blocks.push(Block::Choices(Line::new("choose-parcel"), choices.collect()));
    let numbers = view.parcels.iter().map(|parcel| parcel.number.clone()).collect();
    turn.ask(Question::WhichParcel { order: view.order.no.clone(), numbers });
}

/// Questions that need no order.
pub(super) fn without_an_order(turn: &mut Turn, intent: &str) -> Flow {
    match intent {
        "list_orders" => list(turn)?,
        "fee" => turn.text(Line::new("fee-general")),
        "human" => {
            turn.chat.mode = Mode::Waiting { since: turn.at.now };
            turn.text(Line::new("human-waiting"));
            let order = turn.chat.focus.clone();
            turn.request("human", order.as_deref());
        }
        "verify" => {
            turn.text(Line::new("ask-order"));
            let tail = super::prove::tail(turn).unwrap_or_default();
            turn.ask(Question::OrderNumber { tail });
        }
        "stop_notifications" => {
            let text = said(turn);
            super::news::less(&mut turn.chat, text);
            what_is_told(turn);
        }
        "resume_notifications" => {
            let text = said(turn);
            super::news::more(&mut turn.chat, text);
            what_is_told(turn);
        }
        "delete_my_data" => {
            let choices = [("d:yes", "choice-delete"), ("d:no", "choice-keep")];
            choice_question(turn, "delete-confirm", &choices);
            turn.ask(Question::Delete);
        }
        "language" => {
            let choices = [
                ("l:zh-CN", "language-choice-zh-cn"),
                ("l:zh-TW", "language-choice-zh-tw"),
                ("l:en", "language-choice-en"),
            ];
            choice_question(turn, "language-ask", &choices);
            turn.ask(Question::Language);
        }
        "greeting" => turn.welcome("greeting"),
        "thanks" => turn.text(Line::new("thanks")),
        _ if turn.at.chat.puzzled > 0 => {
            choice_question(turn, "other-again", &[("i:human", "choice-human"), ("i:track", "choice-track")]);
        }
        _ => {
            turn.text(Line::new("other"));
            turn.quick_choices();
        }
    }
    Ok(())
}

fn said<'a>(turn: &Turn<'a>) -> &'a str {
    if let Said::Text(text) = &turn.heard.said { text } else { "" }
}

/// Which news the buyer hears of by itself from now on.
fn what_is_told(turn: &mut Turn) {
    if turn.chat.muted {
        return turn.text(Line::new("stop-done"));
    }
    if turn.chat.unwanted.is_empty() {
        return turn.text(Line::new("resume-done"));
    }
    turn.text(Line::new("stop-some"));
    for group in NoticeGroup::ALL.iter().filter(|group| !turn.chat.unwanted.contains(group)) {
        turn.blocks.push(Block::Text(Line::new(format!("notice-group-{}", group.name()))));
    }
    turn.text(Line::new("stop-some-undo"));
}

fn choice_question(turn: &mut Turn, key: &str, choices: &[(&str, &str)]) {
    let choices =
        choices.iter().map(|(id, label)| Choice { id: (*id).to_owned(), label: Line::new(*label) }).collect();
    turn.blocks.push(Block::Choices(Line::new(key), choices));
}

fn list(turn: &mut Turn) -> Flow {
    let mine = turn.mine()?;
    if mine.is_empty() {
        turn.text(Line::new("list-none"));
        turn.ask(Question::OrderNumber { tail: String::new() });
        return Ok(());
    }
    turn.text(Line::new("list-intro").with("count", Arg::Number(mine.len() as i64)));
    let sorted = by_relevance(mine, "track");
    for (at, view) in sorted.iter().take(LISTED).enumerate() {
        let position = Arg::Number(at as i64 + 1);
        turn.text(match compose::worst(&view.parcels) {
            Some(parcel) => Line::new("list-line")
                .with("position", position)
                .with("parcel", name(view))
                .with("status", moment_status(parcel)),
            None => Line::new("list-line-waiting").with("position", position).with("parcel", name(view)),
        });
    }
    if mine.len() > LISTED {
        turn.text(Line::new("list-more").with("more", Arg::Number((mine.len() - LISTED) as i64)));
    }
    let choices = sorted.iter().take(LISTED).map(|view| order_choice(view)).collect();
    turn.blocks.push(Block::Choices(Line::new("choose-order"), choices));
    let orders = sorted.iter().take(LISTED).map(|view| view.order.no.clone()).collect();
    turn.ask(Question::WhichOrder { orders });
    if let Some(pending) = &mut turn.chat.pending {
        pending.intent = "track".into();
    }
    Ok(())
}

fn moment_status(parcel: &Parcel) -> Arg {
    match parcel.newest().map(|event| moment(&event.time)) {
        Some(at) => Arg::Line(Box::new(
            Line::new("status-at")
                .with("status", Arg::Status(parcel.state.status, parcel.state.sub, parcel.state.reason))
                .with("at", at),
        )),
        None => Arg::Status(parcel.state.status, parcel.state.sub, parcel.state.reason),
    }
}

#[cfg(test)]
#[path = "topics_tests.rs"]
mod tests;
