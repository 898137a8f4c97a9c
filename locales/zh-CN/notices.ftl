# 主动告诉买家的消息：先说事实，后面接上 next-…、advice-…、取件码、快递员等句子。
# 可用变量：$parcel 包裹称呼，$carrier 快递公司，$number 运单号，$at 时间，$status 状态，$scan 最新记录，$eta 预计送达

notice-shipped = 您的 { $parcel } 已经发货，由 { $carrier } 承运，运单号 { $number }。
notice-shipped-next = 路上有新消息我会告诉您；随时可以问我“快递到哪了”。
notice-collected = 您的 { $parcel } 已由 { $carrier } 揽收（{ $at }）。
notice-out-for-delivery = 您的 { $parcel } 开始派送了（{ $at }）。
notice-ready-for-pickup = 您的 { $parcel } 到了：{ $status }（{ $at }）。
notice-delivered = 您的 { $parcel } { $status }（{ $at }）。
notice-attempt-failed = 您的 { $parcel } 这次没能送到（{ $at }）：{ $scan }
notice-delayed = 抱歉，您的 { $parcel } 会晚一些，现在预计 { $eta } 送达。
notice-delayed-next = 我们会继续留意；有急用的话，回复“催件”或“人工”。
notice-exception = 您的 { $parcel } 遇到了问题：{ $status }（{ $at }）。
notice-stalled = 抱歉，您的 { $parcel } 的物流有一阵没更新了，最后一条记录是 { $at } 的。
notice-stalled-next = 我们已经记下来并会跟进，一有进展就告诉您；需要帮忙请回复“人工”。
notice-moving-again = 您的 { $parcel } 又动起来了（{ $at }）：{ $scan }
notice-returning = 您的 { $parcel } 正在退回寄件方（{ $at }）。
notice-returned = 您的 { $parcel } 已经退回到寄件方（{ $at }）。
notice-corrected = 更正一下：您的 { $parcel } 其实还没有送达，快递公司修改了之前的签收记录（{ $at }）。
notice-answered = 您问的 { $parcel } 查到了：{ $status }（{ $at }）。
notice-unanswered = 抱歉，您问的 { $parcel } 还是没有查到，{ $carrier } 那边没有给出记录（运单号 { $number }）。
notice-unanswered-next = 我会接着查；着急的话，可以核对一下运单号，或回复“人工”。
