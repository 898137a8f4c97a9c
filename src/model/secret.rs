//! Personal data in memory: a value that cannot be printed or put into JSON by accident.

use serde::{Deserialize, Deserializer, Serializer};

/// A name, a phone, an address, a chat id. `Debug` shows `***`, and there is no `Serialize`: a record
/// that is sealed before it leaves the process asks for it by `#[serde(with = "secret::sealed")]`.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Private<T>(T);

impl<T> Private<T> {
    /// Takes the plain value in.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The plain value: for sealing, comparing, masking, and for the proved owner only.
    pub const fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> std::fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Private<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

/// `#[serde(with = …)]` for a private string in a record that the vault seals whole.
pub mod sealed {
    use super::*;

    /// Writes the plain value: only ever into bytes that are sealed next.
    pub fn serialize<S: Serializer>(value: &Private<String>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(value.reveal())
    }

    /// Reads it back.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Private<String>, D::Error> {
        Private::deserialize(deserializer)
    }
}

/// The same for an optional private string.
pub mod sealed_option {
    use super::*;

    /// Writes the plain value: only ever into bytes that are sealed next.
    pub fn serialize<S: Serializer>(
        value: &Option<Private<String>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(private) => serializer.serialize_some(private.reveal()),
            None => serializer.serialize_none(),
        }
    }

    /// Reads it back.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Private<String>>, D::Error> {
        Option::<Private<String>>::deserialize(deserializer)
    }
}
