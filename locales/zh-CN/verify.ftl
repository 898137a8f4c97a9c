# 认人：只问缺的那一样；核对不上时，绝不透露是哪一项不对，也不透露订单是否存在。
ask-order = 请您发一下订单号或运单号，再加上收货手机号的后四位，我来查。
ask-phone-tail = 好的，{ $number }。为保护您的隐私，请再发一下收货手机号的后四位。
ask-order-number = 收到手机尾号了，请再发一下订单号或运单号。
ask-which-number = 请问您想查哪个单号？

verify-done = 核对好了，以后您直接问我{ $parcel }就可以。
verify-refused = 没有核对上，请您检查订单号（或运单号）和手机号后四位，再发一次。
verify-too-many = 试的次数有点多了，请一小时后再试。着急的话，回复“人工”。
verify-link-needed = 为保护您的隐私，请从订单页面或商家发给您的链接进入，再来问我。

bindings-list = 您现在关联了 { $count } 个订单：
binding-line = { $position }. { $parcel }（订单 { $order }）
unbind-which = 要解除哪一个？回复序号就行。
unbind-done = 已解除关联。以后想查，重新发订单号和手机尾号就可以。
unbind-all-done = 已解除全部 { $count } 个订单的关联。
unbind-none = 您目前没有关联任何订单。
