//! What templates may call: `NUMBER($count)` with thousands grouped, and `DATE($at, style: "time")` for those who
//! want a plain date or clock instead of "today 09:14". Must never give Fluent's error value: that would be printed.

use fluent_bundle::types::{FluentNumber, FluentType};
use fluent_bundle::{FluentArgs, FluentValue};
use intl_memoizer::concurrent::IntlLangMemoizer as Memoizer;
use jiff::civil;
use std::borrow::Cow;

use super::catalog::Bundle;

/// The functions that a template may name.
pub const NAMES: &[&str] = &["NUMBER", "DATE"];

/// Makes them known to a bundle.
pub(super) fn register(bundle: &mut Bundle) {
    // The only error is a name that is taken, and a fresh bundle has none.
    let _ = bundle.add_function("NUMBER", number);
    let _ = bundle.add_function("DATE", date);
    bundle.set_formatter(Some(format));
}

/// A moment in words that still knows its date, for `DATE`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dated {
    /// As it is said without `DATE`: "today 09:14".
    pub words: String,
    /// In the shop's zone.
    pub at: civil::DateTime,
}

impl FluentType for Dated {
    fn duplicate(&self) -> Box<dyn FluentType + Send> {
        Box::new(self.clone())
    }

    fn as_string(&self, _: &intl_memoizer::IntlLangMemoizer) -> Cow<'static, str> {
        Cow::Owned(self.words.clone())
    }

    fn as_string_threadsafe(&self, _: &Memoizer) -> Cow<'static, str> {
        Cow::Owned(self.words.clone())
    }
}

/// `NUMBER($count, minimumFractionDigits: 2, useGrouping: "false")`; anything but a number stays as it is.
fn number<'a>(positional: &[FluentValue<'a>], named: &FluentArgs) -> FluentValue<'a> {
    match positional.first() {
        Some(FluentValue::Number(number)) => {
            let mut number = number.clone();
            number.options.merge(named);
            FluentValue::Number(number)
        }
        Some(FluentValue::Error) | None => FluentValue::None,
        Some(other) => other.clone(),
    }
}

/// `DATE($at)` 2026-03-02 · `style: "time"` 09:14 · `"month-day"` 03-02 · `"datetime"` 2026-03-02 09:14.
fn date<'a>(positional: &[FluentValue<'a>], named: &FluentArgs) -> FluentValue<'a> {
    let Some(FluentValue::Custom(value)) = positional.first() else {
        return number(positional, &FluentArgs::new());
    };
    let Some(dated) = value.as_any().downcast_ref::<Dated>() else { return FluentValue::None };
    let style = match named.get("style") {
        Some(FluentValue::String(style)) => style.as_ref(),
        _ => "date",
    };
    let pattern = match style {
        "time" => "%H:%M",
        "month-day" => "%m-%d",
        "datetime" => "%Y-%m-%d %H:%M",
        _ => "%Y-%m-%d",
    };
    FluentValue::String(dated.at.strftime(pattern).to_string().into())
}

/// Numbers are printed with grouped thousands; all else as Fluent does.
fn format(value: &FluentValue, _: &Memoizer) -> Option<String> {
    match value {
        FluentValue::Number(number) => Some(grouped(number)),
        _ => None,
    }
}

/// `1234567.5` → `1,234,567.5`
fn grouped(number: &FluentNumber) -> String {
    let text = number.as_string();
    if !number.options.use_grouping || number.value.abs() < 1000.0 {
        return text.into_owned();
    }
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_ref()), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(a, b)| (a, Some(b)));
    let mut out = String::with_capacity(text.len() + whole.len() / 3);
    out.push_str(sign);
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let shown = |value: f64| grouped(&FluentNumber::new(value, Default::default()));
        assert_eq!(shown(999.0), "999");
        assert_eq!(shown(-1234567.5), "-1,234,567.5");
        assert_eq!(shown(1000.0), "1,000");
    }
}
