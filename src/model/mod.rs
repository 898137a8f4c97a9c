//! The nouns: shops, accounts, orders, parcels, events, buyers. Pure data; must never do I/O or read a clock.

pub mod account;
pub mod chat;
pub mod event;
pub mod fold;
pub mod message;
pub mod notice;
pub mod order;
pub mod parcel;
pub mod problem;
pub mod secret;
pub mod shop;
pub mod status;
pub mod trouble;
pub mod when;

pub use account::{Account, ChatAddress};
pub use chat::Chat;
pub use event::{Courier, Event, Pickup, Place, Raw, Source};
pub use fold::{Folded, fold};
pub use message::{
    Arg, Block, Card, ChatMessage, Choice, From, Line, Scan, Shown, ShownChoice, ShownEta, ShownEvent,
};
pub use notice::{Headline, Notice, NoticeGroup, NoticeKind, NoticeRules, QuietHours};
pub use order::{Buyer, Item, Order, OrderStatus, Shipment};
pub use parcel::{AwaitedCode, CodeState, Eta, EtaPrecision, EtaSource, Noted, Parcel, Reckoned, Watched};
pub use problem::Problem;
pub use secret::Private;
pub use shop::Shop;
pub use status::{Actor, Meaning, Reason, Status, Sub};
pub use trouble::{Thresholds, Trouble, TroubleKind};
pub use when::{When, ZoneSource};
