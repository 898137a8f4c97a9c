# 包裹、订单的称呼。其他句子里的 $parcel 就是这里的结果，例如：您的“猫砂”正在运输途中。
name-item = “{ $title }”
name-item-more = “{ $title }”等商品（另有 { $more } 件）
name-order = 订单 { $order }
name-number = 快递（{ $carrier } { $number }）
name-part = { $parcel } 的其中一个包裹
name-part-number = { $parcel } 的其中一个包裹（运单号 { $number }）
name-with-number = { $parcel }（运单号 { $number }）
