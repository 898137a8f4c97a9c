# 发货、改地址、拦截、退货、没收到
when-ship-waiting = 您的 { $parcel } 还没有发货（{ $paid_at } 付款）。发货后就能查到物流。
when-ship-waiting-plain = 您的 { $parcel } 还没有发货。发货后就能查到物流。
when-ship-by = 商家承诺最晚 { $ship_by } 发货。
when-ship-late = 商家原本承诺最晚 { $ship_by } 发货，现在已经晚了，非常抱歉。我们已提醒商家尽快处理。
when-ship-shipped = 您的 { $parcel } 已经发货了（{ $at }）。
when-ship-general = 发货时间以商品页面和订单里写的为准。把订单号和收货手机号后四位发给我，可以帮您查具体的订单。

order-closed = 您的 { $parcel } 已经关闭，不会再发货。
order-refunding = 您的 { $parcel } 正在退款处理中。
order-unpaid = 您的 { $parcel } 还没有付款，付款后商家才会发货。

not-received-delivered = 物流记录显示，您的 { $parcel }{ $at ->
        [none] 已经签收
       *[other] 已在 { $at } 签收
    }。您没拿到的话，我们一起查一下。
not-received-moving = 您的 { $parcel } 还没有送达，目前情况如下。
not-received-locker = 记录里写的是放进了快递柜，麻烦您看看取件短信和柜子。
not-received-collected = 记录里写的是已经在取件点取走。
not-received-neighbour = 记录里写的是邻居代收。
not-received-left = 记录里写的是放在信箱或约定的地方。
not-received-other = 记录里写的是由他人代签。
not-received-place = 记录里的取件点：{ $place }。
not-received-wait = 有时快递员会先点签收、稍后才送到。要是 { $until } 还没拿到，请再告诉我们。
not-received-advice = 麻烦您先看看：家人或邻居有没有代收，门口、信箱、快递柜、驿站、物业或门卫处有没有。
not-received-noted = 您反映的情况已经记下，会转给商家处理。
not-received-more = 还是没找到的话，点“转人工”，我们继续帮您查。

change-address-waiting = 您的 { $parcel } 还没有发货，您要改地址的事已经记下，会转给商家。新的收件人、电话和地址，请回复“人工”后发给客服确认。
change-address-moving =
    您的 { $parcel } 已经发出，需要由 { $carrier } 确认能不能改。{ $hotline ->
        [none] 您可以在 { $carrier } 的官方渠道申请，也可以回复“人工”。
       *[other] 您可以拨打 { $carrier } 客服 { $hotline }，也可以回复“人工”。
    }
change-address-final = 您的 { $parcel } 物流已经结束，改不了地址了。有其他问题，回复“人工”。
change-address-general = 改地址要看订单有没有发出。请您发一下订单号和收货手机号后四位，我先看看；或者回复“人工”。

intercept-moving = 您的 { $parcel } 已经发出，能不能拦下要由 { $carrier } 确认。请回复“人工”，客服来申请。
intercept-waiting = 您的 { $parcel } 还没有发货，不用拦截。要取消订单的话，回复“人工”，客服帮您处理。
intercept-final = 您的 { $parcel } 物流已经结束，没法拦截了。需要退货的话，回复“人工”。

return-running = 您的 { $parcel } 正在退货或退款处理中，具体进度可以回复“人工”问客服。
return-none = 没有查到您的 { $parcel } 有退货或退款记录。要申请的话，回复“人工”。
return-parcel-returning = 您的 { $parcel } 正在退回途中，目前情况如下。
return-general = 想了解退货或退款进度，请发一下订单号和收货手机号后四位；要申请的话，回复“人工”。
fee-general = 运费和其他费用以订单页面显示的为准，有疑问就回复“人工”，客服帮您核对。
