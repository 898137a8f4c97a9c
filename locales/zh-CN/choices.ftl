# 让您挑一个。choice-… 是按钮上的字，要短。
choose-order = 您想查哪个订单？
choose-other = 不是这一个？点下面选一个：
choose-parcel = 您想看哪个包裹？
choose-quick = 您也可以直接点：
choice-order = { $title } · { $status }
choice-order-plain = 订单 { $order } · { $status }
choice-order-number = 订单 { $order }
choice-parcel = 包裹 { $position } · { $status }
choice-human = 转人工
choice-yes = 是
choice-no = 不是
choice-track = 我的快递到哪了
choice-list = 我的订单
choice-delete = 确认删除
choice-keep = 不删了
choice-unbind-all = 全部解除

list-intro = 您有 { $count } 个订单：
list-line = { $position }. { $parcel }：{ $status }
list-line-waiting = { $position }. { $parcel }：待发货
list-none = 目前没有查到您的订单。
list-more = 还有 { $more } 个订单没有列出。
