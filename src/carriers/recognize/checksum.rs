//! Check digits of tracking numbers: does the last character follow from the rest?
//! Source: facts on international carriers, section 8. Must never panic on any ASCII text; other text never fits.

/// Value of a character in the mod-10 rules: a digit itself, a letter `(ASCII − 3) mod 10`, so A=2 … I=0.
fn mod10_value(byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        other => (u32::from(other) + 7) % 10,
    }
}

fn digit(byte: u8) -> Option<u32> {
    byte.is_ascii_digit().then(|| u32::from(byte - b'0'))
}

/// Splits the check character off.
fn split(text: &str) -> Option<(&[u8], u8)> {
    let (check, serial) = text.as_bytes().split_last()?;
    (!serial.is_empty()).then_some((serial, *check))
}

/// Even places (from 0 on the left) × `even`, odd places × `odd`; the check fills the sum up to a ten.
pub(super) fn mod10(text: &str, even: u32, odd: u32) -> bool {
    let Some((serial, check)) = split(text) else { return false };
    let weigh = |(at, byte): (usize, &u8)| mod10_value(*byte) * if at % 2 == 0 { even } else { odd };
    let sum: u32 = serial.iter().enumerate().map(weigh).sum();
    digit(check) == Some((10 - sum % 10) % 10)
}

/// The serial as a number, modulo 7.
pub(super) fn mod7(text: &str) -> bool {
    let Some((serial, check)) = split(text) else { return false };
    let serial = std::str::from_utf8(serial).ok().and_then(|serial| serial.parse::<u64>().ok());
    serial.is_some_and(|serial| digit(check).map(u64::from) == Some(serial % 7))
}

/// Σ digit × weight, modulo 11, modulo 10; weights repeat.
pub(super) fn weighted(text: &str, weights: &[u32]) -> bool {
    let Some((serial, check)) = split(text) else { return false };
    let sum: Option<u32> =
        serial.iter().zip(weights.iter().cycle()).map(|(byte, weight)| Some(digit(*byte)? * weight)).sum();
    sum.is_some_and(|sum| digit(check) == Some(sum % 11 % 10))
}

/// Luhn: from the right every other digit doubled, beginning with the rightmost of the serial.
pub(super) fn luhn(text: &str) -> bool {
    let Some((serial, check)) = split(text) else { return false };
    let mut sum = 0;
    for (at, byte) in serial.iter().rev().enumerate() {
        let Some(value) = digit(*byte) else { return false };
        let doubled = if at % 2 == 0 { value * 2 } else { value };
        sum += if doubled > 9 { doubled - 9 } else { doubled };
    }
    digit(check) == Some((10 - sum % 10) % 10)
}

/// ISO 7064 mod 37,36 (DPD).
pub(super) fn mod37_36(text: &str) -> bool {
    let value = |byte: u8| match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0')),
        b'A'..=b'Z' => Some(u32::from(byte - b'A') + 10),
        _ => None,
    };
    let Some((serial, check)) = split(text) else { return false };
    let mut p = 36;
    for byte in serial {
        let Some(value) = value(*byte) else { return false };
        p += value;
        if p > 36 {
            p -= 36;
        }
        p *= 2;
        if p > 36 {
            p -= 37;
        }
    }
    let expected = (37 - p) % 36;
    value(check) == Some(expected)
}

/// UPU S10: eight digits and the check digit, weights 8 6 4 2 3 5 9 7.
pub(super) fn s10(nine: &str) -> bool {
    let Some((serial, check)) = split(nine) else { return false };
    if serial.len() != 8 {
        return false;
    }
    let sum: Option<u32> =
        serial.iter().zip([8, 6, 4, 2, 3, 5, 9, 7]).map(|(byte, weight)| Some(digit(*byte)? * weight)).sum();
    let expected = sum.map(|sum| match sum % 11 {
        0 => 5,
        1 => 0,
        rest => 11 - rest,
    });
    expected.is_some() && digit(check) == expected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facts_own_examples_fit() {
        for nine in ["473124829", "123456785", "000000014", "202601184"] {
            assert!(s10(nine), "{nine}");
        }
        assert!(!s10("202601183"));
        assert!(mod10("YISHI80300000424", 1, 2) && !mod10("YISHI80300000425", 1, 2));
        assert!(mod7("2718281823") && !mod7("2718281824"));
        assert!(weighted("271828182841", &[3, 1, 7]));
        assert!(mod37_36("012345678901233"));
        assert!(luhn("79927398713"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_judged_without_a_panic(text in "\\PC{0,30}") {
            let _ = (mod10(&text, 3, 1), mod7(&text), weighted(&text, &[1, 7, 3]), luhn(&text), mod37_36(&text), s10(&text));
        }

        #[test]
        fn one_check_character_fits_at_most(serial in "[0-9]{8,20}") {
            for rule in [|text: &str| mod10(text, 3, 1), |text: &str| luhn(text), |text: &str| weighted(text, &[3, 1, 7])] {
                let fits = (0..10).filter(|check| rule(&format!("{serial}{check}"))).count();
                proptest::prop_assert_eq!(fits, 1);
            }
        }
    }
}
