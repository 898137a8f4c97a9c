# 包裹到哪了：先說事實（track-…），再說接下來會怎樣、您可以做什麼（next-…）。
# 可用變數：$parcel 包裹稱呼，$carrier 物流公司，$number 物流單號，$at 最新紀錄的時間，$scan 最新紀錄，$status 狀態

track-unknown = 您的 { $parcel } 目前還沒有物流資訊（{ $carrier } { $number }）。
track-info-received = 您的 { $parcel } 已經建立寄件單，{ $carrier } 還沒有收件。
track-picked-up = 您的 { $parcel } 已由 { $carrier } 收件（{ $at }）。
track-in-transit =
    您的 { $parcel } 正在運送途中，由 { $carrier } 配送。
    最新進度（{ $at }）：{ $scan }
track-out-for-delivery = 您的 { $parcel } 正在配送中（{ $at } 更新）。
track-attempt-failed = 您的 { $parcel } 這次沒能送達（{ $at }）：{ $scan }
track-ready-for-pickup = 您的 { $parcel } 到了：{ $status }（{ $at }）。
track-exception =
    您的 { $parcel } 遇到了狀況：{ $status }。
    最新進度（{ $at }）：{ $scan }
track-returning = 您的 { $parcel } 正在退回寄件人（{ $at } 更新）。
track-delivered = 您的 { $parcel } { $status }（{ $at }）。
track-returned = 您的 { $parcel } 已經退回寄件人（{ $at }）。
track-lost = 非常抱歉，根據 { $carrier } 的紀錄，您的 { $parcel } { $status }（{ $at }）。
track-cancelled = 您的 { $parcel } 的寄件單已取消（{ $at }）。
track-expired = 您的 { $parcel } 很久沒有新的物流紀錄，已停止自動查詢。最後一筆紀錄是 { $at } 的。

next-unknown = 剛出貨時，物流資訊通常要過幾個小時才會出現，請您晚一點再問我一次。
next-info-received = 物流公司取件後就會有物流紀錄。
next-picked-up = 接下來會送往您所在的縣市，途中會有新的物流紀錄。
next-in-transit = 到達您附近的營業所後，就會安排配送。
next-out-for-delivery = 請您留意來電，方便配送人員聯絡。
next-attempt-failed = 物流公司通常會再次配送，請您留意來電；也可以直接和配送人員約時間。
next-ready-for-pickup = 請您方便時儘早取貨，放太久可能會被退回。
next-exception = 需要協助的話，請回覆「客服」，我們幫您聯絡物流公司。
next-returning = 如果不是您要求退回的，請回覆「客服」，我們幫您確認。
next-delivered = 如果您沒有收到，請回覆「沒收到」，我們幫您查。
next-returned = 退款或重新出貨的事，請回覆「客服」，客服會幫您處理。
next-lost = 請回覆「客服」，客服會為您處理賠償或補寄。
next-cancelled = 如果您還需要這件商品，請回覆「客服」，客服幫您確認是否重新出貨。
next-expired = 如果您還沒有收到，請回覆「客服」，我們幫您向物流公司確認。

# 預計送達
eta-known = 預計 { $eta } 送達。
eta-today = 預計 { $eta } 送達，請留意來電。
eta-passed = 原本預計 { $eta } 送達，現在已經晚了，造成您的不便很抱歉。
eta-unknown = 物流公司還沒有提供預計送達時間。

# 取貨、配送人員、簽收人
pickup-code = 取貨碼：{ $code }
pickup-place = 取貨地點：{ $place }
pickup-code-place =
    取貨碼：{ $code }
    取貨地點：{ $place }
courier = 配送人員：{ $name }，電話 { $phone }
courier-phone = 配送人員電話：{ $phone }
signed-by = 簽收人：{ $who }

# 消息的新舊與來源
fresh = { $age } 更新，資訊來自 { $source }。
fresh-stale = 現在暫時連不上 { $source }，以上是 { $age } 查到的狀況。
fresh-never = { $carrier } 目前還沒有提供任何資訊。

# 一張訂單多個包裹
order-parcels = 您的 { $parcel } 共分成 { $total } 個包裹，已送達 { $delivered } 個：
order-parcel-line = { $position }. { $status }（{ $at }），單號 { $number }
order-parcel-line-unknown = { $position }. 尚無物流資訊，單號 { $number }
order-and-others = 另外您還有 { $more } 張訂單。
label-more = 看更多

# 催、等、卡住
urge-moving = 好的，您催 { $parcel } 的事已經記下，會轉給賣家跟進。
urge-waiting = 您的 { $parcel } 還沒有出貨，您催出貨的事已經記下，會轉給賣家。
urge-final = 您的 { $parcel } 物流已經結束，不需要再催了。
delayed-sorry = 抱歉讓您久等了，這就幫您看看 { $parcel } 的最新狀況。
delayed-waiting = 抱歉讓您久等了，您的 { $parcel } 還沒有出貨。
stuck-sorry = 抱歉，您的 { $parcel } 上一次物流更新是在 { $age }。
stuck-noted = 我們已經記下，會轉給賣家跟進確認。

# 沒查到、查不了
no-answer = 暫時聯絡不上 { $carrier }，{ $number } 的物流還查不到。一查到我就告訴您，您也可以半小時後再問我。
number-unknown = 認不出 { $number } 是哪一家的單號。麻煩您核對一下，或告訴我物流公司的名稱。
number-bad = { $number } 看起來不是完整的物流單號，麻煩您核對後再傳一次。
number-need-tail = 查詢 { $carrier } 的 { $number }，需要收件人或寄件人手機號碼的末四碼，請您傳給我。
