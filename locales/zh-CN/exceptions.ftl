# 写给商家看的：包裹出了什么状况、为什么这么说、怎么处理。
exception-no-pickup = 迟迟没有揽收
exception-no-pickup-cause = 订单已发货（{ $age }），快递公司还没有揽收记录。
exception-no-pickup-todo = 请核对包裹有没有交给快递员，没有的话催一下揽收，或换一家快递。

exception-stuck = 物流停滞
exception-stuck-cause = 最后一条物流是 { $age } 的，之后再没有更新。
exception-stuck-todo = 请联系快递公司查件，也先跟买家说一声您在跟进。

exception-overdue = 超过预计时间
exception-overdue-cause = 预计送达的时间已经过了（{ $age }），包裹还没到。
exception-overdue-todo = 请催一下快递公司，再告诉买家一个新的时间。

exception-not-collected = 久未取件
exception-not-collected-cause = 包裹 { $age } 就到了取件点，买家还没有取。
exception-not-collected-todo = 请提醒买家尽快去取，以免被退回。

exception-loop = 来回转运
exception-loop-cause = 包裹在两个地点之间来回转运（{ $age } 开始）。
exception-loop-todo = 请联系快递公司，核对面单地址和分拣。

exception-attempts = 多次派送未成功
exception-attempts-cause = 快递员派送了不止一次，都没有成功（{ $age }）。
exception-attempts-todo = 请和买家确认电话、地址和方便的时间，再转告快递公司。

exception-disputed = 显示签收，买家没收到
exception-disputed-cause = 买家 { $age } 反映没有收到，物流显示已签收。
exception-disputed-todo = 请向快递公司核实签收人和投放地点，尽快给买家答复。

exception-refused = 拒收
exception-refused-cause = 快递公司登记为拒收（{ $age }）。
exception-refused-todo = 请向买家问清原因，再决定重新派送，还是退回、退款。

exception-damaged = 破损
exception-damaged-cause = 快递公司登记为破损（{ $age }）。
exception-damaged-todo = 请向快递公司要照片、申请理赔，并和买家商量补发或退款。

exception-lost = 丢失或损毁
exception-lost-cause = 快递公司登记为丢失或损毁（{ $age }）。
exception-lost-todo = 请申请理赔，并尽快给买家补发或退款。

exception-customs = 清关受阻
exception-customs-cause = 包裹 { $age } 卡在了海关，还没有放行。
exception-customs-todo = 请看海关需要什么资料，该买家提供的，请买家按通知补交。

exception-returning = 正在退回
exception-returning-cause = 包裹正在退回寄件地（{ $age } 开始）。
exception-returning-todo = 请问清退回的原因，和买家商量重发或退款。

exception-reported = 快递公司报告异常
exception-reported-cause = 快递公司登记了异常（{ $age }）。
exception-reported-todo = 请看物流里写的原因，需要买家配合的，先联系买家。

exception-incident = { $carrier } 有 { $count } 个包裹停在 { $place }，多半是同一个原因，一起向快递公司问清就好。
