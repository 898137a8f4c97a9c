//! Strips what is not the buyer's own words from a message: order cards, channel prefixes, links, emoji codes.
//! Works on normalized text. Must never leave a message empty that said something.

/// The words that are left, numbers replaced by `#`.
pub fn prepare(normalized: &str) -> String {
    let text = drop_links(normalized);
    let text = drop_prefix(&text);
    let text = drop_cards(&text);
    numbers(&text)
}

/// 「京东快递(移动端) 你好」: the name of the channel in front of the question.
fn drop_prefix(text: &str) -> String {
    const ENDS: [&str; 9] =
        ["(移动端)", "(pc端)", "(电脑端)", "(手机端)", "(小程序)", "(app)", "(网页)", "(微信)", "(客户端)"];
    for end in ENDS {
        if let Some((head, rest)) = text.split_once(end)
            && head.chars().count() <= 20
        {
            return rest.trim_start_matches([' ', ':', ',', '-', '>']).to_owned();
        }
    }
    text.to_owned()
}

/// `[订单编号:123]`, `【商品链接】`, `[微笑]`, "订单编号:123 下单时间:… 金额:…": what a platform pastes in.
fn drop_cards(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find(['[', '【', '「', '<']) {
        let (head, tail) = rest.split_at(open);
        out.push_str(head);
        let mut characters = tail.chars();
        let opening = characters.next().unwrap_or('[');
        let closing = match opening {
            '[' => ']',
            '【' => '】',
            '<' => '>',
            _ => '」',
        };
        let inner = characters.as_str();
        match inner.find(closing) {
            Some(close) if inner[..close].chars().count() <= 80 => {
                let content = &inner[..close];
                let order = ["订单", "order", "单号"].iter().any(|word| content.contains(word));
                let pasted = content.chars().count() <= 4
                    || [
                        "商品", "链接", "图片", "表情", "地址", "姓名", "电话", "时间", "金额", "数字",
                        "站点", "卡片", "image", "link",
                    ]
                    .iter()
                    .any(|word| content.contains(word));
                if order {
                    out.push_str(" # ");
                } else if opening == '「' || !pasted {
                    out.push(' ');
                    out.push_str(content);
                    out.push(' ');
                } else {
                    out.push(' ');
                }
                rest = &inner[close + closing.len_utf8()..];
            }
            _ => {
                out.push(' ');
                rest = inner;
            }
        }
    }
    out.push_str(rest);
    drop_fields(&out)
}

/// "订单编号:123 下单时间:2026-03-02 10:00:00 金额:¥99": labelled values of a card without brackets.
fn drop_fields(text: &str) -> String {
    const FIELDS: [&str; 14] = [
        "订单编号:",
        "订单号:",
        "咨询订单号:",
        "订单金额:",
        "下单时间:",
        "金额:",
        "商品编号:",
        "商品名称:",
        "共计:",
        "商品金额:",
        "订单状态:",
        "交易时间:",
        "付款时间:",
        "商品数量:",
    ];
    if !text.contains(':') {
        return text.to_owned();
    }
    let mut text = text.to_owned();
    for field in FIELDS {
        while let Some(at) = text.find(field) {
            let value = &text[at + field.len()..];
            let trimmed = value.trim_start();
            let skipped = value.len() - trimmed.len();
            let mut end = trimmed
                .find(|c: char| {
                    !(c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.' | '¥' | '/' | '元'))
                })
                .unwrap_or(trimmed.len());
            // A date's clock after its space.
            if let Some(clock) = trimmed.get(end..).and_then(|rest| rest.strip_prefix(' '))
                && clock.as_bytes().get(2) == Some(&b':')
            {
                end += 1 + clock.find(|c: char| !(c.is_ascii_digit() || c == ':')).unwrap_or(clock.len());
            }
            text.replace_range(at..at + field.len() + skipped + end, " ");
        }
    }
    text
}

fn drop_links(text: &str) -> String {
    let mut out = text.to_owned();
    for scheme in ["http://", "https://", "#e-s"] {
        while let Some(at) = out.find(scheme) {
            let end = out[at..].find(|c: char| !c.is_ascii() || c == ' ').map_or(out.len(), |end| at + end);
            out.replace_range(at..end, " ");
        }
    }
    out
}

/// Long numbers and codes with digits become `#`; short counts stay, they mean days and hours.
fn numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    let flush = |run: &mut String, out: &mut String| {
        let figures = run.bytes().filter(u8::is_ascii_digit).count();
        if figures >= 4 || run.starts_with("demo-") {
            out.push_str(" # ");
        } else {
            out.push_str(run);
        }
        run.clear();
    };
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || (c == '-' && !run.is_empty()) || (c == '*' && !run.is_empty()) {
            run.push(c);
            continue;
        }
        flush(&mut run, &mut out);
        if c == ' ' && (out.is_empty() || out.ends_with(' ')) {
            continue;
        }
        out.push(c);
    }
    flush(&mut run, &mut out);
    out.truncate(out.trim_end().len());
    let start = out.len() - out.trim_start().len();
    out.drain(..start);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_buyers_own_words_are_left() {
        for (text, expected) in [
            ("京东快递(移动端) 你好", "你好"),
            ("[订单编号123456789] 怎么还没发货", "# 怎么还没发货"),
            ("订单编号:12345678901 下单时间:2026-03-02 10:00:00 金额:¥99 什么时候到", "什么时候到"),
            ("https://item.jd.com/100012043978.html 这个什么时候发货", "这个什么时候发货"),
            ("sf7444400031887到哪了", "# 到哪了"),
            ("都3天了[流泪]", "都3天了"),
            ("where is order #10023", "where is order # #"),
            ("#e-s12谢谢", "谢谢"),
        ] {
            assert_eq!(prepare(text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_prepared(text in "[\\[\\]【】<>:订单编号: a-z0-9-]{0,40}|\\PC{0,40}") {
            let _ = prepare(&crate::text::normalize::normalize(&text));
        }
    }
}
