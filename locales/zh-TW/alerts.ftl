# 發給商家群組的提醒：包裹出了什麼狀況，哪一筆訂單，在哪裡。
alert-new = 【{ $shop }】有 { $count } 個包裹需要留意：
alert-line = · { $trouble }：訂單 { $order }，{ $carrier } { $number } { $place }
alert-cleared = 【{ $shop }】有 { $count } 則提醒已經解除：
alert-cleared-line = · { $trouble }（已解除）：訂單 { $order }，{ $carrier } { $number }，目前：{ $status }
alert-more = 另外還有 { $count } 個，請到異常清單查看。
alert-digest = 【{ $shop }】今天還有 { $count } 個異常沒有處理完：
alert-digest-line = · { $trouble }：{ $count } 個
alert-test = 【{ $shop }】這是一則測試提醒，收到就表示設定好了。
