//! Who may see an order: order or tracking number together with the phone tail. A refusal never says which factor
//! was wrong, nor whether the number exists; guesses are counted per chat and per number.

use super::choose::asks_for_proof;
use super::decide::{Flow, Turn};
use super::intents::is_about_a_parcel;
use super::resolve::Resolved;
use super::{Decision, Effect, Need, OrderView, topics};
use crate::model::chat::{How, Question};
use crate::model::{Arg, Block, Choice, Line, Order};
use subtle::ConstantTimeEq;

/// At most this many numbers of one message are looked up.
const CLAIMS: usize = 3;

/// Order and tracking numbers in the message, orders first.
pub(super) fn claims(turn: &Turn) -> Vec<String> {
    let slots = &turn.heard.understood.slots;
    let mut claims: Vec<String> = Vec::new();
    for claim in slots.orders.iter().chain(&slots.numbers) {
        if !claims.iter().any(|known| known.eq_ignore_ascii_case(claim)) {
            claims.push(claim.clone());
        }
    }
    claims.truncate(CLAIMS);
    claims
}

/// Last four digits of a phone in the message.
pub(super) fn tail(turn: &Turn) -> Option<String> {
    let slots = &turn.heard.understood.slots;
    let of_phone = || slots.phones.first().and_then(|phone| phone.get(phone.len().checked_sub(4)?..));
    slots.phone_tails.first().map(String::as_str).or_else(of_phone).map(str::to_owned)
}

/// An answer to our question for a number or a tail. `false`: the message is something else.
pub(super) fn answers_our_question(turn: &mut Turn) -> Result<bool, Decision> {
    if !asks_for_proof(&turn.chat.pending) {
        return Ok(false);
    }
    let Some(pending) = turn.chat.pending.clone() else { return Ok(false) };
    let asked_now = turn.heard.understood.intent.to_string();
    let intent = if is_about_a_parcel(&asked_now) { asked_now } else { pending.intent.clone() };
    let claims = claims(turn);
    let tail = tail(turn);
    match (pending.question, claims.is_empty(), tail) {
        (Question::PhoneTail { claim }, true, Some(tail)) => {
            turn.intent = "verify".into();
            let resolved = self::claim(turn, &[claim], Some(tail), &intent)?;
            finish(turn, resolved, &intent)?;
        }
        (Question::OrderNumber { tail: before }, false, tail) => {
            turn.intent = "verify".into();
            let mine = turn.mine()?;
            let tail = tail.or((!before.is_empty()).then_some(before));
            let own = claims.iter().find_map(|claim| {
                let (view, number) = mine.iter().find_map(|view| super::resolve::named(view, claim))?;
                Some(Resolved::Order { order: view.order.no.clone(), number, sure: true })
            });
            let resolved = match own {
                Some(own) => own,
                None => claim(turn, &claims, tail, &intent)?,
            };
            finish(turn, resolved, &intent)?;
        }
        (Question::OrderNumber { .. }, true, Some(tail)) => {
            turn.intent = "verify".into();
            turn.text(Line::new("ask-order-number"));
            turn.ask(Question::OrderNumber { tail });
            keep_intent(turn, &intent);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// The buyer came by a link to an order: it is theirs to see, and that is what they want to know.
pub(super) fn linked(turn: &mut Turn, order: &str) -> Flow {
    let Some(found) = turn.known.claim(order) else {
        return Err(Decision::Need(vec![Need::Claim(order.to_owned())]));
    };
    let Some(view) = found.orders.iter().find(|view| view.order.no == order) else {
        turn.welcome("joined");
        return Ok(());
    };
    if turn.chat.bind(order, How::Link, turn.at.now) {
        turn.effects.push(Effect::Bind { order: order.to_owned() });
        turn.text(Line::new("verify-done").with("parcel", topics::name(view)));
    }
    turn.intent = "track".into();
    turn.answer_for("track", order, None)
}

fn finish(turn: &mut Turn, resolved: Resolved, intent: &str) -> Flow {
    match resolved {
        Resolved::Order { order, number, .. } => {
            if intent == "list_orders" {
                turn.close_question();
                return topics::without_an_order(turn, intent);
            }
            let intent = if is_about_a_parcel(intent) { intent } else { "track" };
            turn.answer_for(intent, &order, number.as_deref())
        }
        Resolved::Asked => Ok(()),
    }
}

fn keep_intent(turn: &mut Turn, intent: &str) {
    if let Some(pending) = &mut turn.chat.pending {
        pending.intent = intent.to_owned();
    }
}

/// Checks claims against a tail (given, or in the message). Binds on success, else asks or refuses neutrally.
pub(super) fn claim(
    turn: &mut Turn,
    claims: &[String],
    tail: Option<String>,
    intent: &str,
) -> Result<Resolved, Decision> {
    let Some(first) = claims.first() else { return Ok(Resolved::Asked) };
    let Some(tail) = tail.or_else(|| self::tail(turn)) else {
        turn.text(Line::new("ask-phone-tail").with("number", Arg::Text(first.clone())));
        turn.ask(Question::PhoneTail { claim: first.clone() });
        keep_intent(turn, intent);
        return Ok(Resolved::Asked);
    };
    if turn.chat.misses.len() >= turn.at.rules.misses_per_chat {
        turn.text(Line::new("verify-too-many"));
        return Ok(Resolved::Asked);
    }
    let unknown: Vec<Need> =
        claims.iter().filter(|claim| turn.known.claim(claim).is_none()).cloned().map(Need::Claim).collect();
    if !unknown.is_empty() {
        return Err(Decision::Need(unknown));
    }
    let mut proved: Option<(&OrderView, Option<String>)> = None;
    for claim in claims {
        let Some(found) = turn.known.claim(claim) else { continue };
        if found.misses >= turn.at.rules.misses_per_claim {
            turn.text(Line::new("verify-too-many"));
            return Ok(Resolved::Asked);
        }
        for view in found.orders.iter().filter(|view| has_tail(&view.order, &tail)) {
            let by_order = view.order.no.eq_ignore_ascii_case(claim);
            let how = if by_order { How::OrderAndTail } else { How::NumberAndTail };
            if turn.chat.bind(&view.order.no, how, turn.at.now) {
                turn.effects.push(Effect::Bind { order: view.order.no.clone() });
            }
            proved = proved.or_else(|| super::resolve::named(view, claim));
        }
    }
    let Some((view, number)) = proved else {
        turn.chat.misses.push(turn.at.now);
        // Each of them: a number cannot be guessed behind another one.
        turn.effects.extend(claims.iter().map(|claim| Effect::Miss { claim: claim.clone() }));
        turn.text(Line::new("verify-refused"));
        turn.ask(Question::OrderNumber { tail: String::new() });
        keep_intent(turn, intent);
        return Ok(Resolved::Asked);
    };
    turn.text(Line::new("verify-done").with("parcel", topics::name(view)));
    Ok(Resolved::Order { order: view.order.no.clone(), number, sure: true })
}

/// Compares in constant time; an order without a known phone can be proved by nobody.
fn has_tail(order: &Order, tail: &str) -> bool {
    let whole = order.buyer.phone.as_ref().map(|phone| phone.reveal().as_str());
    let last4 = order.buyer.phone_last4.as_ref().map(|last4| last4.reveal().as_str());
    let of_phone = whole.and_then(|phone| phone.get(phone.len().checked_sub(4)?..));
    let known = [last4, of_phone].into_iter().flatten();
    known.filter(|known| known.len() == 4).any(|known| known.as_bytes().ct_eq(tail.as_bytes()).into())
}

/// Lists what this chat may see, with a button for each to undo it.
pub(super) fn bindings(turn: &mut Turn) -> Flow {
    turn.intent = "verify".into();
    let mine = turn.mine()?;
    if turn.chat.bound.is_empty() {
        turn.text(Line::new("unbind-none"));
        return Ok(());
    }
    turn.text(Line::new("bindings-list").with("count", Arg::Number(turn.chat.bound.len() as i64)));
    let mut choices = Vec::new();
    let orders: Vec<String> = turn.chat.bound.iter().map(|bound| bound.order.clone()).take(8).collect();
    for (at, order) in orders.iter().enumerate() {
        let view = mine.iter().find(|view| view.order.no == *order);
        let named = view.map_or_else(|| Arg::Text(order.clone()), topics::name);
        turn.text(
            Line::new("binding-line")
                .with("position", Arg::Number(at as i64 + 1))
                .with("parcel", named)
                .with("order", Arg::Text(order.clone())),
        );
        let label = Line::new("choice-order-number").with("order", Arg::Text(order.clone()));
        choices.push(Choice { id: super::choose::order_id(order), label });
    }
    choices.push(Choice { id: "u:all".into(), label: Line::new("choice-unbind-all") });
    turn.blocks.push(Block::Choices(Line::new("unbind-which"), choices));
    turn.ask(Question::Unbind { orders });
    Ok(())
}

/// Undoes one binding, or all.
pub(super) fn unbind(turn: &mut Turn, order: Option<&str>) -> Flow {
    turn.intent = "verify".into();
    turn.close_question();
    let (gone, kept): (Vec<_>, Vec<_>) =
        turn.chat.bound.drain(..).partition(|bound| order.is_none_or(|order| bound.order == order));
    turn.chat.bound = kept;
    turn.chat.focus = None;
    turn.effects.extend(gone.iter().map(|bound| Effect::Unbind { order: bound.order.clone() }));
    turn.text(match (gone.as_slice(), order) {
        ([], _) => Line::new("unbind-none"),
        (_, Some(order)) => Line::new("unbind-done").with("order", Arg::Text(order.to_owned())),
        (all, None) => Line::new("unbind-all-done").with("count", Arg::Number(all.len() as i64)),
    });
    Ok(())
}
