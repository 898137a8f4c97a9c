//! Which journey a tracking number takes. The number alone decides, so that every vendor shape tells the same story.
//!
//! | last two digits | journey | last two digits | journey |
//! |---|---|---|---|
//! | 01 | normal | 10 | split, parcel 2 (out for delivery) |
//! | 02 | slow | 11 | split, parcel 3 (in transit) |
//! | 03 | stalled | 12 | disorder |
//! | 04 | returned | 13 | double |
//! | 05 | refused | 14 | corrected |
//! | 06 | lost | 15 | nodata |
//! | 07 | customs | 16 | error |
//! | 08 | pickup | 17 | timeout |
//! | 09 | split, parcel 1 (delivered) | others | ordinary: somewhere in a usual life, by the number's hash |
//!
//! A number of the simulated carrier says it in letters: `SIM`, the journey's name, digits; `SIMSPLIT0001A`, `…B` and
//! `…C` are the three parcels of one order. Must never depend on the clock or on earlier questions.

/// A scripted life of a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Journey {
    /// In transit, soon out for delivery, with an expected arrival.
    Normal,
    /// Moving, but later than it should be.
    Slow,
    /// No news for four days.
    Stalled,
    /// Refused, sent back, with the sender again.
    Returned,
    /// The receiver refused it.
    Refused,
    /// Given up by the carrier.
    Lost,
    /// From abroad, held by customs.
    Customs,
    /// Waits in a station, with a code.
    Pickup,
    /// One of three parcels of an order: 0 delivered, 1 out for delivery, 2 in transit.
    Split(u8),
    /// The carrier tells its scans in a different order each time.
    Disorder,
    /// The carrier tells every scan twice.
    Double,
    /// Signed by mistake, taken back, signed.
    Corrected,
    /// The carrier knows nothing.
    NoData,
    /// The carrier's server fails.
    Error,
    /// The carrier answers after twelve seconds.
    Timeout,
    /// Any usual life, by hash.
    Ordinary,
}

/// Names in numbers of the simulated carrier, and the last two digits in others.
const NAMED: [(&str, &str, Journey); 15] = [
    ("NORMAL", "01", Journey::Normal),
    ("SLOW", "02", Journey::Slow),
    ("STALLED", "03", Journey::Stalled),
    ("RETURNED", "04", Journey::Returned),
    ("REFUSED", "05", Journey::Refused),
    ("LOST", "06", Journey::Lost),
    ("CUSTOMS", "07", Journey::Customs),
    ("PICKUP", "08", Journey::Pickup),
    ("SPLIT", "09", Journey::Split(0)),
    ("DISORDER", "12", Journey::Disorder),
    ("DOUBLE", "13", Journey::Double),
    ("CORRECTED", "14", Journey::Corrected),
    ("NODATA", "15", Journey::NoData),
    ("ERROR", "16", Journey::Error),
    ("TIMEOUT", "17", Journey::Timeout),
];

impl Journey {
    /// The journey of a number.
    pub fn of(number: &str) -> Self {
        match number.strip_prefix("SIM") {
            Some(rest) => Self::spelled(rest),
            None => Self::by_digits(number),
        }
    }

    fn spelled(rest: &str) -> Self {
        let letters = rest.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(rest.len());
        let journey =
            NAMED.iter().find(|(name, _, _)| *name == &rest[..letters]).map(|(_, _, journey)| *journey);
        match journey {
            Some(Self::Split(_)) => Self::Split(match rest.as_bytes().last() {
                Some(b'B') => 1,
                Some(b'C') => 2,
                _ => 0,
            }),
            Some(journey) => journey,
            None => Self::Ordinary,
        }
    }

    fn by_digits(number: &str) -> Self {
        let digits: Vec<u8> = number.bytes().filter(u8::is_ascii_digit).collect();
        match digits.len().checked_sub(2).map(|at| &digits[at..]) {
            Some(b"10") => Self::Split(1),
            Some(b"11") => Self::Split(2),
            Some(last) => NAMED
                .iter()
                .find(|(_, two, _)| two.as_bytes() == last)
                .map_or(Self::Ordinary, |(_, _, journey)| *journey),
            None => Self::Ordinary,
        }
    }

    /// The name as orders of the demo carry it: `NORMAL`, `SPLIT`, …
    pub fn name(self) -> &'static str {
        match self {
            Self::Ordinary => "ORDINARY",
            Self::Split(_) => "SPLIT",
            other => {
                NAMED.iter().find(|(_, _, journey)| *journey == other).map_or("ORDINARY", |(name, _, _)| name)
            }
        }
    }
}

/// FNV-1a: the same on every machine and in every version, so that a demo number keeps its story.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Another draw from the same number.
pub(super) fn draw(number: &str, salt: u64, below: u64) -> u64 {
    let mut mixed = hash(number) ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % below.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_last_digits_choose_the_journey() {
        for (number, journey) in [
            ("SIMNORMAL0001", Journey::Normal),
            ("SIMPICKUP0001", Journey::Pickup),
            ("SIMSPLIT0001A", Journey::Split(0)),
            ("SIMSPLIT0001B", Journey::Split(1)),
            ("SIMSPLIT0001C", Journey::Split(2)),
            ("SIMNODATA17", Journey::NoData),
            ("SIMWHATEVER01", Journey::Ordinary),
            ("SIM", Journey::Ordinary),
            ("YT8816042739501", Journey::Normal),
            ("SF1409283746511", Journey::Split(2)),
            ("RM473124807GB", Journey::Customs),
            ("SF7444400031887", Journey::Ordinary),
            ("7", Journey::Ordinary),
            ("", Journey::Ordinary),
        ] {
            assert_eq!(Journey::of(number), journey, "{number}");
        }
    }

    #[test]
    fn every_name_leads_back_to_its_journey() {
        for (name, two, journey) in NAMED {
            assert_eq!(Journey::of(&format!("SIM{name}0001")), journey);
            assert_eq!(Journey::of(&format!("YT88000000000{two}")), journey);
            assert_eq!(journey.name(), name);
        }
    }
}
