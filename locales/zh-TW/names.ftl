# 包裹、訂單的稱呼。其他句子裡的 $parcel 就是這裡的結果，例如：您的「貓砂」正在運送途中。
name-item = 「{ $title }」
name-item-more = 「{ $title }」等商品（另有 { $more } 件）
name-order = 訂單 { $order }
name-number = 包裹（{ $carrier } { $number }）
name-part = { $parcel } 的其中一個包裹
name-part-number = { $parcel } 的其中一個包裹（單號 { $number }）
name-with-number = { $parcel }（單號 { $number }）
