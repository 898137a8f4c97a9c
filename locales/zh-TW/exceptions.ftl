# 寫給賣家看的：包裹出了什麼狀況、為什麼這麼說、怎麼處理。
exception-no-pickup = 遲遲沒有收件
exception-no-pickup-cause = 訂單已出貨（{ $age }），物流公司還沒有收件紀錄。
exception-no-pickup-todo = 請確認包裹是否已交給物流公司，還沒的話催一下收件，或換一家物流。

exception-stuck = 物流停滯
exception-stuck-cause = 最後一筆物流是 { $age } 的，之後就沒有更新。
exception-stuck-todo = 請聯絡物流公司查件，也先跟買家說一聲您正在處理。

exception-overdue = 超過預計時間
exception-overdue-cause = 預計送達的時間已經過了（{ $age }），包裹還沒到。
exception-overdue-todo = 請催一下物流公司，再告訴買家新的時間。

exception-not-collected = 久未取貨
exception-not-collected-cause = 包裹 { $age } 就到了取貨點，買家還沒有取。
exception-not-collected-todo = 請提醒買家儘快去取，以免被退回。

exception-loop = 來回轉運
exception-loop-cause = 包裹在兩個地點之間來回轉運（{ $age } 開始）。
exception-loop-todo = 請聯絡物流公司，核對託運單地址與分揀。

exception-attempts = 多次配送未成功
exception-attempts-cause = 配送人員送了不只一次，都沒有成功（{ $age }）。
exception-attempts-todo = 請和買家確認電話、地址和方便的時間，再轉告物流公司。

exception-disputed = 顯示簽收，買家沒收到
exception-disputed-cause = 買家 { $age } 反映沒有收到，物流顯示已簽收。
exception-disputed-todo = 請向物流公司確認簽收人和放置地點，儘快回覆買家。

exception-refused = 拒收
exception-refused-cause = 物流公司登記為拒收（{ $age }）。
exception-refused-todo = 請向買家問清楚原因，再決定重新配送，還是退回、退款。

exception-damaged = 破損
exception-damaged-cause = 物流公司登記為破損（{ $age }）。
exception-damaged-todo = 請向物流公司索取照片、申請理賠，並和買家商量補寄或退款。

exception-lost = 遺失或毀損
exception-lost-cause = 物流公司登記為遺失或毀損（{ $age }）。
exception-lost-todo = 請申請理賠，並儘快補寄或退款給買家。

exception-customs = 清關受阻
exception-customs-cause = 包裹 { $age } 卡在海關，還沒有放行。
exception-customs-todo = 請看海關需要什麼資料，該由買家提供的，請買家依通知補交。

exception-returning = 正在退回
exception-returning-cause = 包裹正在退回寄件地（{ $age } 開始）。
exception-returning-todo = 請問清楚退回的原因，和買家商量重寄或退款。

exception-reported = 物流公司回報異常
exception-reported-cause = 物流公司登記了異常（{ $age }）。
exception-reported-todo = 請看物流裡寫的原因，需要買家配合的，先聯絡買家。

exception-incident = { $carrier } 有 { $count } 個包裹停在 { $place }，多半是同一個原因，一起向物流公司問清楚就好。
