//! Links to one order, which a shop hands out: whoever comes in by one may see the order. Nothing is kept of them: a link
//! is the order's fingerprint and its end, signed. Must never open an order of another shop.

use super::{Kind, Records};
use crate::model::Order;
use crate::store::StoreError;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

/// What is signed differs from every other signature by this.
const PURPOSE: &str = "order link";
/// Bytes of the order's fingerprint, of the last minute (since 1970), of the signature.
const PARTS: (usize, usize, usize) = (16, 4, 16);

impl Records {
    /// A link to an order: 48 characters of base64url, as a WeChat scene (64 at most) and a Telegram start parameter
    /// (64 of these characters at most) can carry.
    pub fn link(&self, shop: &str, order: &str, until: Timestamp) -> String {
        let key = self.order_key(shop, order);
        let minute = u32::try_from(until.as_second() / 60).unwrap_or(u32::MAX);
        let mut link = [&key[key.len() - PARTS.0..], &minute.to_be_bytes()].concat();
        let signature = self.vault().sign(PURPOSE, &[shop.as_bytes(), &link].concat());
        link.extend_from_slice(&signature[..PARTS.2]);
        URL_SAFE_NO_PAD.encode(link)
    }

    /// The order of a link, where it is one of this shop's own and not over.
    pub async fn linked(&self, shop: &str, link: &str, now: Timestamp) -> Result<Option<Order>, StoreError> {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(link) else { return Ok(None) };
        if bytes.len() != PARTS.0 + PARTS.1 + PARTS.2 {
            return Ok(None);
        }
        let (signed, signature) = bytes.split_at(PARTS.0 + PARTS.1);
        let (fingerprint, minute) = signed.split_at(PARTS.0);
        let minute = minute.try_into().map(u32::from_be_bytes).unwrap_or(0);
        let ours = self.vault().verify(PURPOSE, &[shop.as_bytes(), signed].concat(), signature);
        if !ours || now.as_second() / 60 > i64::from(minute) {
            return Ok(None);
        }
        let mut key = self.prefix(Kind::Order, shop);
        key.extend_from_slice(fingerprint);
        Ok(self.read(key).await?.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;
    use crate::vault::Vault;
    use std::sync::Arc;

    #[tokio::test]
    async fn a_link_opens_its_order_in_its_shop_until_its_end() {
        let records = Records::new(Arc::new(MemoryStore::default()), Arc::new(Vault::from_key([3; 32])));
        let now: Timestamp = "2026-03-02T04:00:00Z".parse().unwrap();
        let until = now + jiff::SignedDuration::from_hours(24);
        let order = Order { no: "A1001".into(), ..Order::default() };
        records.upsert_order("demo", &order, now).await.unwrap();
        records.upsert_order("other", &order, now).await.unwrap();
        let link = records.link("demo", "a1001", until);
        assert_eq!(link.len(), 48);
        let opened = records.linked("demo", &link, now).await.unwrap();
        assert_eq!(opened.map(|order| order.no).as_deref(), Some("A1001"));
        assert!(records.linked("demo", &link, until).await.unwrap().is_some(), "to its last minute");
        let over = until + jiff::SignedDuration::from_mins(1);
        assert!(records.linked("demo", &link, over).await.unwrap().is_none());
        assert!(records.linked("other", &link, now).await.unwrap().is_none(), "another shop's");
        let nothing = records.link("demo", "B2", until);
        assert!(records.linked("demo", &nothing, now).await.unwrap().is_none(), "no such order");
        for at in 0..link.len() {
            let mut bent = link.clone().into_bytes();
            bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
            let bent = String::from_utf8(bent).unwrap();
            assert!(records.linked("demo", &bent, now).await.unwrap().is_none(), "{at}");
        }
        for text in ["", "order-7", "A1001", "=", "快递"] {
            assert!(records.linked("demo", text, now).await.unwrap().is_none(), "{text}");
        }
    }
}
