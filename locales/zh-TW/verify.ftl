# 認人：只問缺的那一樣；核對不上時，絕不透露是哪一項不對，也不透露訂單是否存在。
ask-order = 請您傳一下訂單編號或物流單號，再加上收件手機號碼的末四碼，我來查。
ask-phone-tail = 好的，{ $number }。為了保護您的個資，請再傳一下收件手機號碼的末四碼。
ask-order-number = 收到末四碼了，請再傳一下訂單編號或物流單號。
ask-which-number = 請問您想查哪一個單號？

verify-done = 核對好了，以後您直接問我{ $parcel }就可以。
verify-refused = 沒有核對上，請您檢查訂單編號（或物流單號）和手機末四碼，再傳一次。
verify-too-many = 試的次數有點多了，請一小時後再試。急的話，請回覆「真人」。
verify-link-needed = 為了保護您的個資，請從訂單頁面或賣家傳給您的連結進來，再問我一次。

bindings-list = 您目前綁定了 { $count } 張訂單：
binding-line = { $position }. { $parcel }（訂單 { $order }）
unbind-which = 要解除哪一個？回覆序號就可以。
unbind-done = 已解除綁定。以後想查，重新傳訂單編號和手機末四碼就可以。
unbind-all-done = 已解除全部 { $count } 張訂單的綁定。
unbind-none = 您目前沒有綁定任何訂單。
