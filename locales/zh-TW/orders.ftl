# 出貨、改地址、攔截、退貨、沒收到
when-ship-waiting = 您的 { $parcel } 還沒有出貨（{ $paid_at } 付款）。出貨後就能查到物流。
when-ship-waiting-plain = 您的 { $parcel } 還沒有出貨。出貨後就能查到物流。
when-ship-by = 賣家承諾最晚 { $ship_by } 出貨。
when-ship-late = 賣家原本承諾最晚 { $ship_by } 出貨，現在已經晚了，非常抱歉。我們已提醒賣家儘快處理。
when-ship-shipped = 您的 { $parcel } 已經出貨了（{ $at }）。
when-ship-general = 出貨時間以商品頁面和訂單上寫的為準。把訂單編號和收件手機末四碼傳給我，可以幫您查個別訂單。

order-closed = 您的 { $parcel } 已經關閉，不會再出貨。
order-refunding = 您的 { $parcel } 正在退款處理中。
order-unpaid = 您的 { $parcel } 還沒有付款，付款後賣家才會出貨。

not-received-delivered = 物流紀錄顯示，您的 { $parcel }{ $at ->
        [none] 已經簽收
       *[other] 已在 { $at } 簽收
    }。您沒拿到的話，我們一起查一下。
not-received-moving = 您的 { $parcel } 還沒有送達，目前狀況如下。
not-received-locker = 紀錄裡寫的是放進了取件櫃，麻煩您看看取件簡訊和櫃子。
not-received-collected = 紀錄裡寫的是已經在取貨點取走。
not-received-neighbour = 紀錄裡寫的是鄰居代收。
not-received-left = 紀錄裡寫的是放在信箱或約定的地方。
not-received-other = 紀錄裡寫的是由他人代簽。
not-received-place = 紀錄裡的取貨點：{ $place }。
not-received-wait = 有時配送人員會先按簽收、稍後才送到。要是 { $until } 還沒拿到，請再告訴我們。
not-received-advice = 麻煩您先看看：家人或鄰居有沒有代收，門口、信箱、取件櫃、取貨門市、管理室或警衛室有沒有。
not-received-noted = 您反映的狀況已經記下，會轉給賣家處理。
not-received-more = 還是沒找到的話，點「真人客服」，我們繼續幫您查。

change-address-waiting = 您的 { $parcel } 還沒有出貨，您要改地址的事已經記下，會轉給賣家。新的收件人、電話和地址，請回覆「客服」後傳給客服確認。
change-address-moving =
    您的 { $parcel } 已經寄出，需要由 { $carrier } 確認能不能改。{ $hotline ->
        [none] 您可以透過 { $carrier } 的官方管道申請，也可以回覆「客服」。
       *[other] 您可以撥打 { $carrier } 客服 { $hotline }，也可以回覆「客服」。
    }
change-address-final = 您的 { $parcel } 物流已經結束，沒辦法改地址了。有其他問題，請回覆「客服」。
change-address-general = 改地址要看訂單有沒有寄出。請您傳一下訂單編號和收件手機末四碼，我先看看；或回覆「客服」。

intercept-moving = 您的 { $parcel } 已經寄出，能不能攔下要由 { $carrier } 確認。請回覆「客服」，由客服來申請。
intercept-waiting = 您的 { $parcel } 還沒有出貨，不用攔截。要取消訂單的話，請回覆「客服」，客服幫您處理。
intercept-final = 您的 { $parcel } 物流已經結束，沒辦法攔截了。需要退貨的話，請回覆「客服」。

return-running = 您的 { $parcel } 正在退貨或退款處理中，詳細進度可以回覆「客服」詢問。
return-none = 沒有查到您的 { $parcel } 有退貨或退款紀錄。要申請的話，請回覆「客服」。
return-parcel-returning = 您的 { $parcel } 正在退回途中，目前狀況如下。
return-general = 想了解退貨或退款進度，請傳一下訂單編號和收件手機末四碼；要申請的話，請回覆「客服」。
fee-general = 運費和其他費用以訂單頁面顯示的為準，有疑問請回覆「客服」，客服幫您核對。
