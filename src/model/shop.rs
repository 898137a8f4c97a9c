//! A shop: whose buyers ask, in which language and time zone we answer, who may use its API.

use super::notice::NoticeRules;
use super::secret::Private;
use jiff::tz::TimeZone;

/// One shop. Everything that is stored belongs to exactly one.
#[derive(Debug, Clone)]
pub struct Shop {
    /// In addresses and commands: `a-z`, `0-9`, `-`, `_`, at most 32.
    pub id: String,
    /// As buyers know it.
    pub name: String,
    /// BCP 47, the language where the buyer's is not known: `zh-CN`.
    pub locale: String,
    /// Dates and hours in answers are local to it.
    pub zone: TimeZone,
    /// SHA-256 of each bearer token of the REST API; none: the API is shut.
    pub api_tokens: Vec<[u8; 32]>,
    /// Key of signed web chat identities; none: nobody is known by token.
    pub chat_secret: Option<Private<String>>,
    /// Origins (`https://shop.example`) whose pages may show the web chat.
    pub allowed_origins: Vec<String>,
    /// Phone number for a buyer who wants a person.
    pub hotline: Option<String>,
    /// What buyers are told before they ask, and when.
    pub notices: NoticeRules,
}
