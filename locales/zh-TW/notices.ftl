# 主動告訴買家的訊息：先說事實，後面接上 next-…、advice-…、取貨碼、配送人員等句子。
# 可用變數：$parcel 包裹稱呼，$carrier 物流公司，$number 物流單號，$at 時間，$status 狀態，$scan 最新紀錄，$eta 預計送達

notice-shipped = 您的 { $parcel } 已經出貨，由 { $carrier } 配送，物流單號 { $number }。
notice-shipped-next = 路上有新消息我會告訴您；隨時可以問我「包裹到哪了」。
notice-collected = 您的 { $parcel } 已由 { $carrier } 收件（{ $at }）。
notice-out-for-delivery = 您的 { $parcel } 開始配送了（{ $at }）。
notice-ready-for-pickup = 您的 { $parcel } 到了：{ $status }（{ $at }）。
notice-delivered = 您的 { $parcel } { $status }（{ $at }）。
notice-attempt-failed = 您的 { $parcel } 這次沒能送達（{ $at }）：{ $scan }
notice-delayed = 抱歉，您的 { $parcel } 會晚一些，現在預計 { $eta } 送達。
notice-delayed-next = 我們會繼續留意；有急用的話，請回覆「催件」或「客服」。
notice-exception = 您的 { $parcel } 遇到了狀況：{ $status }（{ $at }）。
notice-stalled = 抱歉，您的 { $parcel } 有一陣子沒有新的物流紀錄，最後一筆是 { $at } 的。
notice-stalled-next = 我們已經記下並會跟進，一有進展就告訴您；需要協助請回覆「客服」。
notice-moving-again = 您的 { $parcel } 又有進展了（{ $at }）：{ $scan }
notice-returning = 您的 { $parcel } 正在退回寄件人（{ $at }）。
notice-returned = 您的 { $parcel } 已經退回寄件人（{ $at }）。
notice-corrected = 更正一下：您的 { $parcel } 其實還沒有送達，物流公司修改了先前的簽收紀錄（{ $at }）。
notice-answered = 您問的 { $parcel } 查到了：{ $status }（{ $at }）。
notice-unanswered = 抱歉，您問的 { $parcel } 還是沒有查到，{ $carrier } 那邊沒有給出紀錄（運單號碼 { $number }）。
notice-unanswered-next = 我會繼續查；急的話，可以核對一下運單號碼，或回覆「客服」。
