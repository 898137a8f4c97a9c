# 包裹到哪了：先说事实（track-…），再说接下来会怎样、您可以做什么（next-…）。
# 可用变量：$parcel 包裹称呼，$carrier 快递公司，$number 运单号，$at 最新记录的时间，$scan 最新记录，$status 状态

track-unknown = 您的 { $parcel } 暂时还没有物流信息（{ $carrier } { $number }）。
track-info-received = 您的 { $parcel } 已经下单寄件，{ $carrier } 还没有揽收。
track-picked-up = 您的 { $parcel } 已由 { $carrier } 揽收（{ $at }）。
track-in-transit =
    您的 { $parcel } 正在运输途中，由 { $carrier } 承运。
    最新进展（{ $at }）：{ $scan }
track-out-for-delivery = 您的 { $parcel } 正在派送中（{ $at } 更新）。
track-attempt-failed = 您的 { $parcel } 这次没能送到（{ $at }）：{ $scan }
track-ready-for-pickup = 您的 { $parcel } 到了：{ $status }（{ $at }）。
track-exception =
    您的 { $parcel } 遇到了问题：{ $status }。
    最新进展（{ $at }）：{ $scan }
track-returning = 您的 { $parcel } 正在退回寄件方（{ $at } 更新）。
track-delivered = 您的 { $parcel } { $status }（{ $at }）。
track-returned = 您的 { $parcel } 已经退回到寄件方（{ $at }）。
track-lost = 非常抱歉，根据 { $carrier } 的记录，您的 { $parcel } { $status }（{ $at }）。
track-cancelled = 您的 { $parcel } 的运单已取消（{ $at }）。
track-expired = 您的 { $parcel } 很久没有新的物流记录，已停止自动查询。最后一条记录是 { $at } 的。

next-unknown = 刚发货时，物流信息通常要过几个小时才会出现，请您稍后再问我一次。
next-info-received = 快递员取件后就会有物流记录。
next-picked-up = 接下来会发往您所在的城市，途中会有新的物流记录。
next-in-transit = 到达您附近的网点后，会安排派送。
next-out-for-delivery = 请您保持电话畅通，方便快递员联系。
next-attempt-failed = 快递公司一般会再次派送，请您留意电话；也可以直接联系快递员约个时间。
next-ready-for-pickup = 请您方便时尽早去取，放得太久可能会被退回。
next-exception = 需要帮忙的话，回复“人工”，我们帮您联系快递公司。
next-returning = 如果不是您要求退回的，回复“人工”，我们帮您核实。
next-delivered = 如果您没有收到，请回复“没收到”，我们帮您查。
next-returned = 退款或重新发货的事，回复“人工”，客服帮您处理。
next-lost = 回复“人工”，客服会为您处理赔付或补发。
next-cancelled = 如果您还需要这件商品，回复“人工”，客服帮您确认是否重新发货。
next-expired = 如果您还没有收到，回复“人工”，我们帮您向快递公司核实。

# 预计送达
eta-known = 预计 { $eta } 送达。
eta-today = 预计 { $eta } 送达，请留意电话。
eta-passed = 原来预计 { $eta } 送达，现在已经晚了，给您添麻烦了。
eta-unknown = 快递公司还没有给出预计送达时间。

# 取件、快递员、签收人
pickup-code = 取件码：{ $code }
pickup-place = 取件地点：{ $place }
pickup-code-place =
    取件码：{ $code }
    取件地点：{ $place }
courier = 快递员：{ $name }，电话 { $phone }
courier-phone = 快递员电话：{ $phone }
signed-by = 签收人：{ $who }

# 消息的新旧与来源
fresh = { $age } 更新，信息来自 { $source }。
fresh-stale = 现在暂时连不上 { $source }，以上是 { $age } 查到的情况。
fresh-never = { $carrier } 目前还没有给出任何信息。

# 一个订单多个包裹
order-parcels = 您的 { $parcel } 共分 { $total } 个包裹，已送达 { $delivered } 个：
order-parcel-line = { $position }. { $status }（{ $at }），单号 { $number }
order-parcel-line-unknown = { $position }. 暂无物流信息，单号 { $number }
order-and-others = 另外您还有 { $more } 个订单。
label-more = 查看更多

# 催、等、卡住
urge-moving = 好的，您催 { $parcel } 的事已经记下，会转给商家跟进。
urge-waiting = 您的 { $parcel } 还没有发货，您催发货的事已经记下，会转给商家。
urge-final = 您的 { $parcel } 物流已经结束，不需要再催了。
delayed-sorry = 抱歉让您久等了，这就帮您看看 { $parcel } 的最新情况。
delayed-waiting = 抱歉让您久等了，您的 { $parcel } 还没有发货。
stuck-sorry = 抱歉，您的 { $parcel } 上一次物流更新是在 { $age }。
stuck-noted = 我们已经记下，会转给商家跟进核实。

# 没查到、查不了
no-answer = 暂时联系不上 { $carrier }，{ $number } 的物流还查不到。一查到我就告诉您，您也可以过半小时再问我。
number-unknown = 没认出 { $number } 是哪家快递的单号。麻烦您核对一下，或者告诉我快递公司的名字。
number-bad = { $number } 看起来不是完整的运单号，麻烦您核对后再发一次。
number-need-tail = 查询 { $carrier } 的 { $number }，需要收件人或寄件人手机号的后四位，请您发给我。
