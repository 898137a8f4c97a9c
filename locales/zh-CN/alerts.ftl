# 发给商家群的提醒：包裹出了什么状况，哪一单，在哪里。
alert-new = 【{ $shop }】有 { $count } 个包裹需要留意：
alert-line = · { $trouble }：订单 { $order }，{ $carrier } { $number } { $place }
alert-cleared = 【{ $shop }】有 { $count } 条提醒已经解除：
alert-cleared-line = · { $trouble }（已解除）：订单 { $order }，{ $carrier } { $number }，目前：{ $status }
alert-more = 另外还有 { $count } 个，请到异常列表查看。
alert-digest = 【{ $shop }】今天还有 { $count } 个异常没有处理完：
alert-digest-line = · { $trouble }：{ $count } 个
alert-test = 【{ $shop }】这是一条测试提醒，收到就说明设置好了。
