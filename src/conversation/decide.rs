//! One turn: from a message and what is known to what is said. The order of the questions asked here is the order of
//! manners: a person who handles it, an answer to our own question, a new question, small talk.

use super::choose::{self, Chosen};
use super::intents;
use super::matcher::{Language, Matcher};
use super::resolve::{self, Resolved};
use super::{Decision, Effect, Heard, Known, Need, Said, Say, Situation, prove, topics};
use crate::model::chat::{Mode, Pending, Question};
use crate::model::{Arg, Block, Chat, Choice, Line};

/// Joins a message with the fragment before it and reads its meaning.
pub fn hear(
    matcher: &Matcher,
    chat: &Chat,
    said: Said,
    key: &str,
    now: jiff::Timestamp,
    window: jiff::SignedDuration,
) -> Heard {
    let said = match (said, &chat.fragment) {
        (Said::Text(text), Some(fragment))
            if fragment.key != key && now.duration_since(fragment.at) <= window =>
        {
            Said::Text(joined(&fragment.text, &text))
        }
        // The wait for the rest is over: what has come so far is the message.
        (Said::Text(_), Some(fragment)) if fragment.key == key => Said::Text(fragment.text.clone()),
        (said, _) => said,
    };
    let text = if let Said::Text(text) = &said { text.as_str() } else { "" };
    Heard { understood: matcher.read(text), said, key: key.to_owned(), waited: false, locale: None }
}

/// Two halves of a bare number belong together without a space.
fn joined(before: &str, after: &str) -> String {
    let bare = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric());
    let numeric = |text: &str| text.chars().any(|c| c.is_ascii_digit());
    let (before, after) = (before.trim(), after.trim());
    if bare(before) && bare(after) && numeric(before) && numeric(after) {
        format!("{before}{after}")
    } else {
        format!("{before} {after}")
    }
}

/// Decides one turn.
pub fn decide(situation: &Situation, heard: &Heard, known: &Known) -> Decision {
    let mut turn = Turn::new(situation, heard, known);
    let decision = turn.run();
    match decision {
        Ok(()) => Decision::Say(Box::new(turn.say())),
        Err(other) => other,
    }
}

/// The state of one decision.
pub(super) struct Turn<'a> {
    pub(super) at: &'a Situation<'a>,
    pub(super) heard: &'a Heard,
    pub(super) known: &'a Known,
    pub(super) chat: Chat,
    pub(super) blocks: Vec<Block>,
    pub(super) effects: Vec<Effect>,
    pub(super) intent: String,
}

/// `Err` ends the turn early with another decision.
pub(super) type Flow = Result<(), Decision>;

impl<'a> Turn<'a> {
    fn new(at: &'a Situation<'a>, heard: &'a Heard, known: &'a Known) -> Self {
        let mut chat = at.chat.clone();
        chat.last_inbound = Some(at.now);
        chat.window_used = 0;
        let expired = |pending: &Pending| at.now.duration_since(pending.asked) > at.rules.pending;
        if chat.pending.as_ref().is_some_and(expired) {
            chat.pending = None;
        }
        chat.misses.retain(|miss| at.now.duration_since(*miss).as_hours() < 1);
        Self {
            at,
            heard,
            known,
            chat,
            blocks: Vec::new(),
            effects: Vec::new(),
            intent: heard.understood.intent.to_string(),
        }
    }

    fn run(&mut self) -> Flow {
        self.language();
        if self.handled_by_a_person() {
            return Ok(());
        }
        match &self.heard.said {
            Said::Joined(Some(order)) => prove::linked(self, order)?,
            Said::Joined(None) => self.welcome("joined"),
            Said::Other => self.text(Line::new("unreadable")),
            Said::Choice(id) => self.chosen(choose::by_id(id))?,
            Said::Text(text) => self.read(text)?,
        }
        Ok(())
    }

    fn read(&mut self, text: &str) -> Flow {
        if let Some(fragment) = self.chat.fragment.take() {
            if self.heard.waited && fragment.key != self.heard.key {
                return Err(Decision::Silent);
            }
        } else if self.heard.waited {
            return Err(Decision::Silent);
        }
        if let Some(chosen) = self.answers_our_question(text) {
            return self.chosen(chosen);
        }
        if prove::answers_our_question(self)? {
            return Ok(());
        }
        if !self.heard.understood.alone && !self.heard.waited {
            self.chat.fragment = Some(crate::model::chat::Fragment {
                text: text.to_owned(),
                key: self.heard.key.clone(),
                at: self.at.now,
            });
            return Err(Decision::Wait(Box::new(self.chat.clone())));
        }
        if asks_for_bindings(text) {
            return prove::bindings(self);
        }
        let intent = self.heard.understood.intent.to_string();
        let second = self.heard.understood.also.as_ref().map(|also| also.to_string());
        self.answer(&intent)?;
        if let Some(second) = second.filter(|second| *second != intent && intents::is_about_a_parcel(second))
        {
            self.answer_beside(&second)?;
        }
        Ok(())
    }

    /// An offered choice in the buyer's words, unless the words ask something new that is not about it.
    fn answers_our_question(&self, text: &str) -> Option<Chosen> {
        let mine = self.known.mine.as_deref().unwrap_or_default();
        let chosen = choose::by_words(text, &self.chat, mine)?;
        let question = self.heard.understood.intent.as_ref();
        match (&chosen, intents::is_about_a_parcel(question) && self.heard.understood.confidence >= 0.6) {
            (Chosen::Order(order), true) => {
                Some(Chosen::OrderFor { order: order.clone(), intent: question.to_owned() })
            }
            _ => Some(chosen),
        }
    }

    fn chosen(&mut self, chosen: Chosen) -> Flow {
        let pending_intent = self.chat.pending.as_ref().map(|pending| pending.intent.clone());
        let kept = |intent: Option<String>| intent.unwrap_or_else(|| "track".to_owned());
        let unbinds = matches!(self.chat.pending, Some(Pending { question: Question::Unbind { .. }, .. }));
        if !matches!(chosen, Chosen::Intent(_) | Chosen::Stale) {
            self.close_question();
        }
        match chosen {
            Chosen::Intent(intent) => self.answer(&intent),
            Chosen::Order(order) => {
                if unbinds {
                    return prove::unbind(self, Some(&order));
                }
                self.answer_for(&kept(pending_intent), &order, None)
            }
            Chosen::OrderFor { order, intent } => self.answer_for(&intent, &order, None),
            Chosen::Parcel { order, number } => self.answer_for(&kept(pending_intent), &order, Some(&number)),
            Chosen::Language(tag) => {
                self.chat.language = Some(tag);
                self.chat.language_fixed = true;
                self.intent = "language".into();
                self.text(Line::new("language-set"));
                Ok(())
            }
            Chosen::Delete(really) => {
                self.intent = "delete_my_data".into();
                self.text(Line::new(if really { "delete-done" } else { "delete-kept" }));
                if really {
                    self.effects.push(Effect::Erase);
                }
                Ok(())
            }
            Chosen::UnbindAll => prove::unbind(self, None),
            Chosen::Stale => {
                self.text(Line::new("pending-expired"));
                Ok(())
            }
        }
    }

    /// Answers an intent, finding its order first where it is about one.
    pub(super) fn answer(&mut self, intent: &str) -> Flow {
        self.intent = intent.to_owned();
        if let Some(template) = &self.heard.understood.answer {
            self.text(Line::new(template.as_ref()).with("shop", Arg::Text(self.at.shop.to_owned())));
            return Ok(());
        }
        if intents::is_about_a_parcel(intent) || self.offers_a_number(intent) {
            let intent = if intents::is_about_a_parcel(intent) { intent } else { "track" };
            self.intent = intent.to_owned();
            return match resolve::resolve(self, intent)? {
                Resolved::Order { order, number, sure } => {
                    self.answer_for(intent, &order, number.as_deref())?;
                    // One list at a time: its numbers are what the buyer answers with.
                    let asks = self.blocks.iter().any(|block| matches!(block, Block::Choices(..)));
                    if !sure && !asks {
                        self.offer_others(&order);
                    }
                    Ok(())
                }
                Resolved::Asked => Ok(()),
            };
        }
        if intent == "other"
            && let Some(order) = resolve::by_item(self)?
        {
            // Words that we do not understand about a thing that this buyer bought: tell where it is.
            return self.answer_for("track", &order, None);
        }
        topics::without_an_order(self, intent)
    }

    /// A second question in the same message: its sentence only, about the same order.
    fn answer_beside(&mut self, intent: &str) -> Flow {
        let Some(order) = self.chat.focus.clone() else { return Ok(()) };
        let Some(view) = self.view(&order)? else { return Ok(()) };
        let before = self.blocks.len();
        topics::about(self, intent, view, None, false)?;
        // What the first answer said already is not said again.
        let (first, second) = self.blocks.split_at(before);
        let fresh: Vec<Block> = second.iter().filter(|block| !first.contains(block)).cloned().collect();
        let place = first.iter().position(|block| !matches!(block, Block::Text(_))).unwrap_or(before);
        self.blocks.truncate(before);
        let texts = fresh.into_iter().filter(|block| matches!(block, Block::Text(_)));
        self.blocks.splice(place..place, texts);
        Ok(())
    }

    /// A bare number, or a number with small talk around it, is a question about that number.
    fn offers_a_number(&self, intent: &str) -> bool {
        let slots = &self.heard.understood.slots;
        matches!(intent, "other" | "greeting" | "verify" | "thanks")
            && !(slots.numbers.is_empty() && slots.orders.is_empty())
    }

    pub(super) fn answer_for(&mut self, intent: &str, order: &str, number: Option<&str>) -> Flow {
        let Some(view) = self.view(order)? else {
            self.text(Line::new("pending-expired"));
            return Ok(());
        };
        // A list that was offered stays open to choose from, until something is chosen or asked anew.
        if !matches!(&self.chat.pending, Some(Pending { question: Question::WhichOrder { .. }, .. })) {
            self.close_question();
        }
        self.intent = intent.to_owned();
        self.chat.focus = Some(order.to_owned());
        topics::about(self, intent, view, number, true)
    }

    /// Names up to four other orders after a guess.
    fn offer_others(&mut self, guessed: &str) {
        let Ok(mine) = self.mine() else { return };
        let others: Vec<_> = resolve::by_relevance(mine, &self.intent)
            .into_iter()
            .filter(|view| view.order.no != guessed)
            .take(4)
            .collect();
        if others.is_empty() {
            return;
        }
        let orders = others.iter().map(|view| view.order.no.clone()).collect();
        let choices = others.iter().map(|view| topics::order_choice(view)).collect();
        self.blocks.push(Block::Choices(Line::new("choose-other"), choices));
        self.ask(Question::WhichOrder { orders });
    }

    /// The orders of this chat, fetched if need be.
    pub(super) fn mine(&self) -> Result<&'a [super::OrderView], Decision> {
        match &self.known.mine {
            Some(mine) => Ok(mine),
            None => Err(Decision::Need(vec![Need::Mine])),
        }
    }

    /// An order that this chat may see (bound before, or proved in this very turn).
    fn view(&self, order: &str) -> Result<Option<&'a super::OrderView>, Decision> {
        let mine = self.mine()?;
        let found = self.known.claims.iter().flat_map(|(_, found)| &found.orders);
        let mut views = mine.iter().chain(found);
        Ok(views.find(|view| view.order.no == order && self.chat.owns(order)))
    }

    pub(super) fn text(&mut self, line: Line) {
        self.blocks.push(Block::Text(line));
    }

    pub(super) fn ask(&mut self, question: Question) {
        self.chat.pending = Some(Pending { question, intent: self.intent.clone(), asked: self.at.now });
    }

    pub(super) fn close_question(&mut self) {
        self.chat.pending = None;
    }

    pub(super) fn request(&mut self, kind: &str, order: Option<&str>) {
        self.effects.push(Effect::Request { kind: kind.to_owned(), order: order.map(str::to_owned) });
    }

    pub(super) fn welcome(&mut self, key: &str) {
        self.text(Line::new(key).with("shop", Arg::Text(self.at.shop.to_owned())));
        self.quick_choices();
    }

    pub(super) fn quick_choices(&mut self) {
        let quick =
            [("i:track", "choice-track"), ("i:list_orders", "choice-list"), ("i:human", "choice-human")];
        let choices = quick.map(|(id, label)| Choice { id: id.to_owned(), label: Line::new(label) }).to_vec();
        self.blocks.push(Block::Choices(Line::new("choose-quick"), choices));
    }

    /// Silent while a person handles it; back with an apology when nobody came.
    fn handled_by_a_person(&mut self) -> bool {
        let (since, apology) = match self.chat.mode {
            Mode::Bot => return false,
            Mode::Waiting { since } => (since, "human-timeout"),
            Mode::Person { since } => (since, "human-back"),
        };
        if self.at.now.duration_since(since) < self.at.rules.human {
            self.intent = "human".into();
            return true;
        }
        self.chat.mode = Mode::Bot;
        self.text(Line::new(apology));
        false
    }

    /// The language of what was written wins over the platform's, a chosen one over both.
    fn language(&mut self) {
        if self.chat.language_fixed {
            return;
        }
        let current = self.chat.language.as_deref().or(self.heard.locale.as_deref());
        let written = match self.heard.understood.language {
            _ if !self.has_words() => None,
            Language::English => Some("en"),
            Language::TraditionalChinese => Some("zh-TW"),
            Language::Chinese if current.is_some_and(|tag| tag.starts_with("zh")) => None,
            Language::Chinese => Some("zh-CN"),
        };
        if let Some(language) = written.or(current) {
            self.chat.language = Some(language.to_owned());
        }
    }

    /// A bare number or code says nothing about the language of its writer.
    fn has_words(&self) -> bool {
        let Said::Text(text) = &self.heard.said else { return false };
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        words.any(|word| {
            let letters = word.chars().all(char::is_alphabetic);
            letters && (word.len() >= 2)
        })
    }

    fn say(mut self) -> Say {
        self.chat.puzzled = match self.intent.as_str() {
            "other" => self.chat.puzzled.saturating_add(1),
            _ => 0,
        };
        let locale = self.chat.language.clone().unwrap_or_else(|| self.at.locale.to_owned());
        Say { blocks: self.blocks, chat: self.chat, effects: self.effects, locale, intent: self.intent }
    }
}

/// "解绑", "我绑定了哪些订单", "unlink my order".
fn asks_for_bindings(text: &str) -> bool {
    const WORDS: [&str; 8] =
        ["解绑", "解除绑定", "取消绑定", "绑定了", "绑定的", "unbind", "unlink", "linked orders"];
    let text = crate::text::normalize::normalize(text);
    WORDS.iter().any(|word| text.contains(word))
}
