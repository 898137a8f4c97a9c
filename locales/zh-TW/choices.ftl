# 讓您挑一個。choice-… 是按鈕上的字，要短。
choose-order = 您想查哪一張訂單？
choose-other = 不是這一張嗎？請從下面選一個：
choose-parcel = 您想看哪一個包裹？
choose-quick = 您也可以直接點：
choice-order = { $title } · { $status }
choice-order-plain = 訂單 { $order } · { $status }
choice-order-number = 訂單 { $order }
choice-parcel = 包裹 { $position } · { $status }
choice-human = 真人客服
choice-yes = 是
choice-no = 不是
choice-track = 我的包裹到哪了
choice-list = 我的訂單
choice-delete = 確認刪除
choice-keep = 不刪了
choice-unbind-all = 全部解除

list-intro = 您有 { $count } 張訂單：
list-line = { $position }. { $parcel }：{ $status }
list-line-waiting = { $position }. { $parcel }：待出貨
list-none = 目前沒有查到您的訂單。
list-more = 還有 { $more } 張訂單沒有列出。
